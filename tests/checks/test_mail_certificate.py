"""mail.certificate: certificates made by openssl, judged with and without what mailcow's acme says."""

import ssl
import time
from pathlib import Path

import pytest
from lab import certificates as made
from lab.skip import or_skip

from mailcow_wizard.checks.mail_certificate import judge_certificate
from mailcow_wizard.checks.mail_ports import judge_ports
from mailcow_wizard.facts.mail.acme import explained
from mailcow_wizard.facts.mail.certificates import certificates, read
from mailcow_wizard.facts.mail.talks import spoke
from mailcow_wizard.host.network.conversation import NO_AUTHORITIES, Spoken
from mailcow_wizard.model import Judgement
from tests.checks.mail_machine import NAME, NOW, MailMachine, container
from tests.checks.test_mail_services import GOOD

WITH_TLS = [port for port, one in GOOD.items() if one.tls]
Shelf = dict[str, bytes]


def day(number: float) -> str:
    """So many days after NOW, as openssl writes it."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(NOW + number * 86400))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Certificates (DER) by kind."""
    place: Path = tmp_path_factory.mktemp("certificates")
    with or_skip():
        made.authority(place)
        dates = {"begins": day(-20), "ends": day(60)}
        files = {
            "good": made.issued(place, "good", NAME, f"autodiscover.{NAME[5:]}", **dates),
            "wildcard": made.issued(place, "wildcard", "*.example.org", **dates),
            "wrong": made.issued(place, "wrong", "www.example.net", **dates),
            "expired": made.issued(place, "old", NAME, begins=day(-110), ends=day(-20)),
            "soon": made.issued(place, "soon", NAME, begins=day(-86), ends=day(4)),
            "early": made.issued(place, "early", NAME, begins=day(10), ends=day(60)),
            "own": made.self_signed(place, "own", f"/CN={NAME}", NAME),
            "snake-oil": made.self_signed(place, "oil", f"/O=mailcow/CN={NAME}"),
        }
    return {name: ssl.PEM_cert_to_DER_cert(pair[0].read_text()) for name, pair in files.items()}


def machine(
    der: bytes,
    trouble: str = "",
    log: str | None = None,
    conf: str = "",
    acme: str = "running",
    **other: bytes,
) -> MailMachine:
    spoken = {
        port: one._replace(der=other.get(f"p{port}", der), trouble=trouble) if one.tls else one
        for port, one in GOOD.items()
    }
    boxes = [container("postfix-mailcow"), container("dovecot-mailcow")]
    if log is not None:
        boxes.append(container("acme-mailcow", state=acme, lines=log))
    text = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\n{conf}"
    return MailMachine(tuple(boxes), spoken, conf=text)


def judged(*words: object, **more: object) -> Judgement:
    return judge_certificate(machine(*words, **more).facts().get(certificates))  # type: ignore[arg-type]


def test_read(shelf: Shelf) -> None:
    shown = read(shelf["good"])
    assert shown is not None
    assert shown.names == (NAME, "autodiscover.example.org")
    assert (shown.issuer, shown.maker, shown.itself) == ("Lab Authority", "Lab", False)
    assert round((shown.ends - NOW) / 86400) == 60
    wildcard = read(shelf["wildcard"])
    assert wildcard is not None
    assert wildcard.is_for(NAME)
    assert not wildcard.is_for("a.b.example.org")
    assert not wildcard.is_for("example.org")
    oil = read(shelf["snake-oil"])
    assert oil is not None
    assert (oil.maker, oil.itself, oil.names) == ("mailcow", True, ())
    for broken in (b"", b"x", shelf["good"][:200], b"\x30\x03\x02\x01\x01", shelf["good"][4:]):
        assert read(broken) is None


def test_the_one_of_a_reverse_proxy_may_be_another(shelf: Shelf) -> None:
    """It has to be as good as mailcow's, of which its tools know nothing."""
    behind = "HTTP_BIND=127.0.0.1\nHTTP_PORT=8080\nHTTPS_BIND=127.0.0.1\nHTTPS_PORT=8443\n"
    assert judged(shelf["good"], conf=behind, p443=shelf["wildcard"]).status == "pass"
    assert judged(shelf["good"], p443=shelf["wildcard"]).status == "warn"
    for kind, words in (
        ("wrong", f"is for www.example.net, not for {NAME}"),
        ("expired", "ended 20 d ago"),
        ("own", "is one that signed itself"),
    ):
        found = judged(shelf["good"], conf=behind, p443=shelf[kind], log="Waiting for Postfix...")
        assert (found.status, found.summary.endswith(words)) == ("warn", kind != "own"), found.summary
        assert words in found.summary
        assert "the certificate on port 443" in found.summary
        assert [one for one in found.remedies if "reverse proxy" in one] == list(found.remedies)


def test_a_machine_that_trusts_nobody_says_nothing_of_the_chain(shelf: Shelf) -> None:
    found = judged(shelf["good"], NO_AUTHORITIES)
    assert (found.status, "no list of authorities" in found.summary) == ("unknown", True), found.summary
    assert found.remedies == ("Install it: the package is called ca-certificates.",)
    soon = judged(shelf["soon"], NO_AUTHORITIES)
    assert "no list of authorities" in f"{soon.summary} {soon.found} {soon.remedies}"
    assert "ends in 4 d" in soon.summary, soon
    # What is wrong by itself is wrong all the same.
    assert judged(shelf["expired"], NO_AUTHORITIES).status == "fail"
    assert judged(shelf["wrong"], NO_AUTHORITIES).status == "fail"
    assert judged(shelf["own"], NO_AUTHORITIES).status == "fail"


def test_good(shelf: Shelf) -> None:
    found = judged(shelf["good"])
    assert (found.status, found.certainty) == ("pass", "proved")
    assert found.summary == f"the certificate is for {NAME}, by Lab Authority, and good for 60 d more"
    assert "not for autoconfig.example.org" in found.found
    assert judged(shelf["wildcard"]).status == "pass"


@pytest.mark.parametrize(
    ("kind", "trouble", "status", "words"),
    [
        ("expired", "certificate has expired", "fail", "ended 20 d ago"),
        ("wrong", "Hostname mismatch", "fail", f"is for www.example.net, not for {NAME}"),
        ("early", "certificate is not yet valid", "fail", "is good only in 10 d"),
        ("soon", "", "warn", "ends in 4 d"),
        ("own", "self-signed certificate", "fail", "is one that signed itself, which no client trusts"),
        ("snake-oil", "self-signed certificate", "fail", "is mailcow's stand-in"),
        ("good", "unable to get local issuer certificate", "fail", "clients would not trust"),
    ],
)
def test_not_good(shelf: Shelf, kind: str, trouble: str, status: str, words: str) -> None:
    found = judged(shelf[kind], trouble)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert found.remedies


def test_on_one_port_only(shelf: Shelf) -> None:
    found = judged(shelf["good"], p993=shelf["wildcard"])
    assert (found.status, "different certificates" in found.summary) == ("warn", True)
    found = judged(shelf["good"], p993=shelf["expired"])
    assert (found.status, "port 993 ended" in found.summary) == ("fail", True)


def test_a_chain_that_is_lacking_on_some_ports(shelf: Shelf) -> None:
    lacking = dict.fromkeys(("443", "993"), "unable to get local issuer certificate")
    spoken = {
        port: one._replace(der=shelf["good"], trouble=lacking.get(port, "")) if one.tls else one
        for port, one in GOOD.items()
    }
    found = judge_certificate(MailMachine((container("postfix-mailcow"),), spoken).facts().get(certificates))
    assert (found.status, "on ports 993, 443, by Lab" in found.summary) == ("fail", True), found.summary
    assert "different certificates" not in found.summary


def test_one_s_own_authority(shelf: Shelf) -> None:
    """Who skips Let's Encrypt may have clients that know the authority; nobody knows mailcow's stand-in."""
    own = {"conf": "SKIP_LETS_ENCRYPT=y\n"}
    assert judged(shelf["good"], "unable to get local issuer certificate", **own).status == "warn"
    assert judged(shelf["snake-oil"], "self-signed certificate", **own).status == "fail"


def one_of_all(der: bytes, port: str, others: Spoken) -> Judgement:
    """What is said where one port shows a certificate, and all others come to this."""
    spoken = {**dict.fromkeys(GOOD, others), port: GOOD[port]._replace(der=der)}
    return judge_certificate(MailMachine((container("postfix-mailcow"),), spoken).facts().get(certificates))


@pytest.mark.parametrize(
    ("others", "status", "words"),
    [
        (Spoken("silent", text="no answer in time"), "unknown", ":25, 198.51.100.7:465, 198.51.100.7:587, "),
        (Spoken("reset", text="it closed"), "unknown", " and 4 more could not be seen"),
        # Where nobody serves there is no certificate: the ports say that themselves.
        (Spoken("refused", text="connection refused"), "pass", "is for mail.example.org"),
        (Spoken("failed", text="no TLS: wrong version number"), "pass", "is for mail.example.org"),
    ],
)
def test_ports_that_show_none(shelf: Shelf, others: Spoken, status: str, words: str) -> None:
    found = one_of_all(shelf["good"], "993", others)
    assert (found.status, words in found.summary) == (status, True), found.summary
    bad = one_of_all(shelf["expired"], "993", others)
    assert (bad.status, "on port 993 ended" in bad.summary) == ("fail", True), bad.summary


def test_none(shelf: Shelf) -> None:
    refused = MailMachine((container("postfix-mailcow"),), {})
    assert judge_certificate(refused.facts().get(certificates)).status == "fail"
    silent = MailMachine((container("postfix-mailcow"),), dict.fromkeys(GOOD, Spoken("silent")))
    assert judge_certificate(silent.facts().get(certificates)).status == "unknown"
    one = {**dict.fromkeys(GOOD, Spoken("silent")), "995": Spoken("refused")}
    mixed = MailMachine((container("postfix-mailcow"),), one)
    assert judge_certificate(mixed.facts().get(certificates)).status == "unknown"


def test_the_ports_say_it_too(shelf: Shelf) -> None:
    found = judge_ports(machine(shelf["wrong"]).facts().get(spoke))
    warned = {one.subject for one in found if one.status == "warn"}
    assert warned == set(WITH_TLS)
    # What nobody trusts at all is said once, by the certificate's own check.
    assert {one.status for one in judge_ports(machine(shelf["snake-oil"]).facts().get(spoke))} == {"pass"}


def test_while_acme_works(shelf: Shelf) -> None:
    log = "Initializing, please wait...\nDetecting IP addresses...\n"
    found = judged(shelf["snake-oil"], "self-signed", log=log)
    assert (found.status, "mailcow's acme is fetching another" in found.summary) == ("warn", True)
    ended = judged(shelf["snake-oil"], "self-signed", log=log, acme="exited")
    assert (ended.status, ended.summary.endswith("mailcow's acme is exited")) == ("fail", True), ended.summary
    lines = (
        f"Found A record for {NAME}: 203.0.113.9\n"
        f"Cannot match your IP 198.51.100.7 against hostname {NAME} (DNS returned 203.0.113.9)\n"
        "Cannot validate any hostnames, skipping Let's Encrypt for 1 hour.\n"
        "Use SKIP_LETS_ENCRYPT=y in mailcow.conf to skip it permanently.\n"
    )
    found = judged(shelf["snake-oil"], "self-signed", log=lines)
    assert found.status == "fail"
    assert f"{NAME} leads to 203.0.113.9, and this server is seen as 198.51.100.7" in found.summary
    assert "check dns.a" in found.remedies[0]


# As acme-tiny writes what Let's Encrypt says of a name that it could not prove, in one line.
_CHALLENGE = (
    "ValueError: Challenge did not pass for {0}: {{'identifier': {{'type': 'dns', 'value': '{0}'}}, "
    "'status': 'invalid', 'expires': '2026-11-28T12:15:22Z', 'challenges': [{{'type': 'http-01', 'url': "
    "'https://acme-v02.api.letsencrypt.org/acme/chall/1234567890/123456789012/AbCdEf', 'status': 'invalid', "
    "'validated': '2026-11-21T12:15:27Z', 'error': {{'type': 'urn:ietf:params:acme:error:{1}', 'detail': "
    "'{2}', 'status': 403}}, 'token': 'abc'}}]}}"
)


def test_a_challenge_that_failed(shelf: Shelf) -> None:
    """Its line is long, and the cause stands at its end."""
    failed = _CHALLENGE.format(
        NAME, "connection", "192.0.2.1: Timeout during connect (likely firewall problem)"
    )
    log = f"Verifying {NAME}...\n{failed}\nFailed to obtain certificate x for domains 'x'\n"
    found = judged(shelf["snake-oil"], "self-signed", log=log)
    assert "Timeout during connect (likely firewall problem)" in found.summary, found.summary
    assert "port 80" in found.remedies[0]


@pytest.mark.parametrize(
    ("lines", "state", "words"),
    [
        (("stand-in acme starting",), "", ""),
        (("SKIP_LETS_ENCRYPT=y, skipping Let's Encrypt...",), "skips", "told to skip"),
        (("Waiting for Docker API...",), "working", "it waits for Docker API"),
        (
            ("Waiting for Docker API...", "Docker API OK", "Waiting for Postfix..."),
            "working",
            "waits for Postfix",
        ),
        (("Waiting for Docker API...", "Docker API OK"), "working", "it is at it"),
        (
            ("Waiting for Docker API...", "OK", "Cannot validate any hostnames, skipping"),
            "failed",
            "no name passed",
        ),
        (
            ("Certificates were successfully validated, no changes or renewals required.",),
            "done",
            "it has done its work",
        ),
        (
            (
                f"Found A record for {NAME}: 192.0.2.1",
                "Confirmed A record with IP 192.0.2.1, but HTTP validation failed",
            ),
            "",
            "",
        ),
        (
            (
                f"Found A record for {NAME}: 192.0.2.1",
                "Confirmed A record with IP 192.0.2.1, but HTTP validation failed",
                "Cannot validate any hostnames, skipping Let's Encrypt for 1 hour.",
            ),
            "failed",
            "the name leads here (192.0.2.1), but its port 80 does not answer",
        ),
        (
            (f"No A or AAAA record found for hostname {NAME}", "Cannot validate any hostnames"),
            "failed",
            f"{NAME} has no address record",
        ),
        (
            ("Lets Encrypt disallowed for example.org by CAA record", "Cannot validate any hostnames"),
            "failed",
            "a CAA record of example.org forbids Let's Encrypt",
        ),
        (
            (
                "Using command acme-tiny --account-key x",
                'ValueError: Error: {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"}',
                "Failed to obtain certificate /var/lib/acme/x for domains 'x'",
                "Some errors occurred, retrying in 30 minutes...",
            ),
            "failed",
            "Let's Encrypt has had enough of tries for now (rateLimited)",
        ),
        (
            (
                "Verifying autoconfig.example.org...",
                _CHALLENGE.format(
                    "autoconfig.example.org", "unauthorized", "192.0.2.1: Invalid response: 404"
                ),
                "Failed to obtain certificate /var/lib/acme/x for domains 'x'",
            ),
            "failed",
            "Let's Encrypt tried autoconfig.example.org, and says: 192.0.2.1: Invalid response: 404",
        ),
        (
            (
                f"No A or AAAA record found for hostname {NAME}",
                _CHALLENGE.format(
                    "a.example.org", "dns", "DNS problem: SERVFAIL looking up A for a.example.org"
                ),
                "Some errors occurred, retrying in 30 minutes...",
            ),
            "failed",
            "Let's Encrypt tried a.example.org, and says: DNS problem: SERVFAIL",
        ),
        (
            (f"ValueError: Challenge did not pass for {NAME}: {{}}", "Some errors occurred, retrying"),
            "failed",
            f"Let's Encrypt could not prove that {NAME} leads here",
        ),
        (
            (
                '{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates (5) '
                "already issued for this exact set of identifiers in the last 168h0m0s, retry after "
                '2026-12-01 10:11:12 UTC: see https://letsencrypt.org/docs/rate-limits/"}',
                "Some errors occurred, retrying in 30 minutes...",
            ),
            "failed",
            "Let's Encrypt has had enough of tries until 2026-12-01 10:11:12 (too many certificates",
        ),
        (
            ("Cannot find DNS API hook for: cloudflare", "Failed to obtain certificate x via DNS challenge"),
            "failed",
            "acme.sh knows no DNS provider of the name cloudflare",
        ),
        (
            (f"Error adding TXT record to domain: _acme-challenge.{NAME}", "Some errors occurred"),
            "failed",
            f"the record _acme-challenge.{NAME}, which proves the name, could not be put into DNS",
        ),
        (
            (
                "{'type': 'urn:ietf:params:acme:error:malformed', 'detail': 'Order cannot contain more than "
                "100 identifiers', 'status': 400}",
                "Some errors occurred, retrying in 30 minutes...",
            ),
            "failed",
            "Let's Encrypt puts no more than 100 names on a certificate",
        ),
        # A name that is only wished for is not why the server's own fails.
        (
            (
                f"No A or AAAA record found for hostname {NAME}",
                "No A or AAAA record found for hostname autoconfig.example.net",
                "Cannot validate any hostnames",
            ),
            "failed",
            f"{NAME} has no address record",
        ),
    ],
)
def test_the_log_of_acme(lines: tuple[str, ...], state: str, words: str) -> None:
    dated = [f"Fri Nov 27 12:00:00 UTC 2026 - {one}" for one in lines]
    for variant in (lines, dated):
        found = explained(variant, NAME)
        assert (found.state, words in found.words) == (state, True), found


def test_a_certificate_that_is_none_proves_nothing(shelf: Shelf) -> None:
    found = judged(shelf["good"][:200])
    assert (found.status, "is not readable" in found.summary) == ("unknown", True), found.summary
