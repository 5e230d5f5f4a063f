"""Records of which a part could not be asked: neither well nor wrong, unless the rest decides it."""

import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, ZONE, Rows, World, facts

from mailcow_wizard.checks import dns
from mailcow_wizard.checks.dns_signatures import judge_dnssec
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.dns.delegation import Zone
from mailcow_wizard.facts.dns.domain_records import PATHS, SERVICES
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer
from mailcow_wizard.facts.dns.published import Seen, is_answer
from mailcow_wizard.facts.dns.signatures import Opinion, Signed
from mailcow_wizard.facts.dns.wire import Record
from mailcow_wizard.facts.network.names import why_none
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Judgement, Settings

CHECKS = {one.id: one for one in dns.CHECKS}
PORTS = {"_imap": 143, "_pop3": 110, "_sieve": 4190, "_smtps": 465, "_submission": 587, "_imaps": 993}
SILENT_SERVICES: Rows = {(f"{one}.{DOMAIN}", "SRV"): "silence" for one, _unused in SERVICES}
SILENT_PATHS: Rows = {(f"{one}.{DOMAIN}", "TXT"): "silence" for one in PATHS}
RIGHT_SERVICE: Rows = {(f"_imaps._tcp.{DOMAIN}", "SRV"): f"0 1 993 {NAME}."}


def judged(id: str, records: Rows, **settings: tuple[str, ...]) -> dict[str | None, Judgement]:
    found = runner.look(CHECKS[id], facts(records, **settings))
    return {one.subject: one for one in found}


@pytest.mark.parametrize(
    ("records", "status", "words"),
    [
        ({**SILENT_SERVICES, **SILENT_PATHS}, "unknown", f"the service records of {DOMAIN} could not be"),
        (
            {**SILENT_SERVICES, **SILENT_PATHS, **RIGHT_SERVICE},
            "unknown",
            "12 of example.org's 13 service records could not be asked (_autodiscover._tcp.example.org SRV)",
        ),
        (
            {**SILENT_SERVICES, (f"_imaps._tcp.{DOMAIN}", "SRV"): "0 1 993 other.example."},
            "warn",
            "1 of example.org's service records points elsewhere: _imaps._tcp",
        ),
        ({}, "pass", "has none of 13 service records"),
        (RIGHT_SERVICE, "pass", "has 1 of 13 service records"),
    ],
)
def test_services(records: Rows, status: str, words: str) -> None:
    found = judged("dns.srv", records)[DOMAIN]
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert found.certainty == ("untested" if status == "unknown" else "proved")
    assert bool(found.remedies) or status == "pass"


def test_a_server_that_refers_to_others_says_so() -> None:
    """Its code is NOERROR, which is no reason."""
    others = Record(DOMAIN, "NS", 300, "ns.example.net")
    refers = Answer("192.0.2.7", NOERROR, authority=(others,))
    assert not is_answer(refers)
    assert Seen(DOMAIN, "MX", Zone(DOMAIN, ()), (refers,)).trouble == "192.0.2.7 only refers to other servers"


def test_a_zone_whose_servers_have_no_address_says_so() -> None:
    lame = {("sub.example.org", "NS"): "gone.example.net.", ("sub.example.org", "MX"): "SERVFAIL"}
    found = runner.look(CHECKS["dns.mx"], facts({**ZONE, **lame}, domains=("sub.example.org",)))
    (mx,) = [one for one in found if one.subject == "sub.example.org"]
    assert mx.status == "unknown"
    assert "no address of its name servers (gone.example.net) could be found" in mx.summary


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (Answer("192.0.2.7", NOERROR), "the name has no such record"),
        (Answer("192.0.2.7", NXDOMAIN), "there is no such name"),
        (Answer("192.0.2.7", "REFUSED"), "REFUSED"),
        (Answer("192.0.2.7", "", error="late"), "late"),
    ],
)
def test_why_there_is_none(heard: Answer, why: str) -> None:
    assert why_none(heard) == why


OTHER, ALLOWED = '0 issue "other.example"', '0 issue "letsencrypt.org"'
# A tag that authorities must know, and mailcow does not look for.
STRANGE = '128 strange "x"'


@pytest.mark.parametrize(
    ("records", "status", "words"),
    [
        (
            {(NAME, "CAA"): "silence", (DOMAIN, "CAA"): ALLOWED},
            "unknown",
            f"CAA at {NAME} could not be asked",
        ),
        (
            {(NAME, "CAA"): "silence", (DOMAIN, "CAA"): STRANGE},
            "unknown",
            f"CAA at {NAME} could not be asked",
        ),
        ({(NAME, "CAA"): "silence"}, "unknown", f"CAA at {NAME} could not be asked"),
        ({(NAME, "CAA"): "silence", (DOMAIN, "CAA"): OTHER}, "fail", f"mailcow leaves {NAME} out"),
        ({(NAME, "CAA"): ALLOWED, (DOMAIN, "CAA"): "silence"}, "pass", "lets Let's Encrypt issue"),
        ({(DOMAIN, "CAA"): STRANGE}, "fail", "is unknown to Let's Encrypt"),
        ({("org", "CAA"): "silence"}, "pass", "no CAA record restricts"),
    ],
)
def test_authorities(records: Rows, status: str, words: str) -> None:
    found = judged("dns.caa", records)[NAME]
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert bool(found.remedies) or status == "pass"


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ({"A": "silence", "AAAA": OURS_V6}, "unknown"),
        ({"A": OURS, "AAAA": "silence"}, "unknown"),
        ({"A": OURS, "AAAA": OURS_V6}, "pass"),
        ({"A": OURS}, "pass"),
        ({"AAAA": OURS_V6}, "pass"),
        ({"CNAME": f"{NAME}.", "AAAA": "silence"}, "pass"),
    ],
)
def test_one_side_of_a_client(records: dict[str, str], status: str) -> None:
    found = judged(
        "dns.autodiscover", {(f"autodiscover.{DOMAIN}", type): one for type, one in records.items()}
    )
    assert found[DOMAIN].status == status


POLICY = "v=DMARC1; p=reject"


@pytest.mark.parametrize(
    ("above", "status", "words"),
    [
        (POLICY, "pass", f"that of {DOMAIN} holds"),
        ("v=DMARC1; p=foo", "warn", f"the DMARC policy of {DOMAIN} is not valid"),
        ((POLICY, "v=DMARC1; p=none"), "warn", f"{DOMAIN} has 2 DMARC policies"),
        ("silence", "unknown", f"the DMARC policy of {DOMAIN} could not be asked"),
        ((), "warn", "is not published"),
    ],
)
def test_the_policy_above(above: str | tuple[str, ...], status: str, words: str) -> None:
    found = judged("dns.dmarc", {(f"_dmarc.{DOMAIN}", "TXT"): above}, domains=(f"sub.{DOMAIN}",))
    (one,) = found.values()
    assert (one.status, words in one.summary) == (status, True), one.summary
    assert bool(one.remedies) is (status != "pass")


def test_failure_of_one_resolver_is_no_broken_signature_of_an_unsigned_zone() -> None:
    fine = Opinion(Answer("192.0.2.1", "NOERROR"), Answer("192.0.2.1", "NOERROR"))
    fails = Opinion(Answer("192.0.2.2", "SERVFAIL"), Answer("192.0.2.2", "NOERROR"))
    for delegated, status in ((False, "pass"), (True, "fail"), (None, "fail")):
        (found,) = judge_dnssec((Signed(DOMAIN, DOMAIN, delegated, (fine, fine, fails)),))
        assert found.status == status, found.summary


LOCAL = "192.0.2.99"


class Mute(World):
    """Nobody answers for AAAA, but, where that is said, this machine's own resolver."""

    def __init__(self, local: bool) -> None:
        super().__init__(ZONE)
        self.files["/etc/resolv.conf"] = f"nameserver {LOCAL}\n"
        self._local = local

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.type == "AAAA" and not (self._local and LOCAL in asked.servers):
            return DnsReply(asked.servers[0], "", b"", 0.0, "no answer within 2 s")
        return super()._reply(asked)


@pytest.mark.parametrize("local", [True, False])
def test_silence_is_no_view_of_the_world(local: bool) -> None:
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6))
    (found,) = runner.look(CHECKS["dns.local-view"], Facts(Mute(local), settings))
    assert found.status == "unknown", found.summary
    assert "AAAA: no answer" in found.summary
    assert found.remedies
