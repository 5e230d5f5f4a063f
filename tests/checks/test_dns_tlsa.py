"""dns.tlsa: records that are right, wrong, of no use, and the key of the server that they should name."""

import json
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from dns_world import NAME, World, facts, world_of

from mailcow_wizard.checks.dns_tlsa import CHECKS, judge_tlsa
from mailcow_wizard.facts.dns import tlsa as tlsa_facts
from mailcow_wizard.facts.dns.signatures import Opinion, Signed
from mailcow_wizard.facts.dns.tlsa import Association, NoAssociation, Tlsa, association, digest, tlsa
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Certificate, Holder, HttpReply, Listener, Listeners, Process
from mailcow_wizard.model import Judgement
from tests.checks.test_dns_verdicts import BROKEN, VALID

PLACE = "_25._tcp.mail.example.org"
ZEROS = "0" * 64


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """A certificate, and the hash of its key by openssl's own reckoning."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    place: Path = tmp_path_factory.mktemp("tls")

    def run(line: str) -> bytes:
        return subprocess.run(["openssl", *line.split()], cwd=place, check=True, capture_output=True).stdout

    run("req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=x -days 9")
    run("x509 -in cert -pubkey -noout -out public")
    run("pkey -pubin -in public -outform DER -out public.der")
    hashed = run("dgst -sha256 -r public.der").split()[0].decode()
    return ssl.PEM_cert_to_DER_cert((place / "cert").read_text()), hashed


def judged(
    *records: str, signed: str = "valid", certificate: bytes = b"", not_served: str = "", place: str = PLACE
) -> Judgement:
    found = facts({(place, "TLSA"): records} if records else {}).get(tlsa)
    return judge_tlsa(found._replace(signed=signed, certificate=certificate, not_served=not_served))


def test_a_key_that_was_not_shown_in_time_is_not_compared() -> None:
    """Mailcow's port 25 is asked and silent: the record may name another key."""
    found = facts({(PLACE, "TLSA"): f"3 1 1 {ZEROS}"}).get(tlsa)
    silent = found._replace(not_served="127.0.0.1 did not answer within 8 s", silent=True)
    assert judge_tlsa(silent._replace(signed="valid")).status == "unknown"
    assert judge_tlsa(silent._replace(signed="")).status == "unknown"
    assert judge_tlsa(silent._replace(signed="unsigned")).status == "pass", "nobody looks at it"
    assert judge_tlsa(silent._replace(signed="valid")).remedies
    absent = found._replace(not_served="mailcow is not installed yet", signed="valid")
    assert judge_tlsa(absent).status == "pass"


@pytest.mark.parametrize(
    ("others", "signed"), [([VALID], "valid"), ([BROKEN], "broken"), ([VALID, BROKEN], "broken"), ([], "")]
)
def test_a_resolver_with_a_wrong_clock_says_nothing_of_the_zone(
    others: list[Opinion], signed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = BROKEN._replace(validates=False, blind=True)
    known = Signed("example.org", "example.org", True, (*others, blind))
    monkeypatch.setattr(tlsa_facts, "signatures", lambda _facts: (known,))
    assert facts({(PLACE, "TLSA"): f"3 1 1 {ZEROS}"}).get(tlsa).signed == signed


def test_the_hash_is_openssls(shown: tuple[bytes, str]) -> None:
    certificate, hashed = shown
    assert digest(certificate) == hashed
    assert len(digest(certificate, 0, 2)) == 128
    assert digest(certificate, 1, 0).startswith("3082")
    for broken in (b"", b"\x30", certificate[:40], b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"x" * 100):
        with pytest.raises(ValueError):  # noqa: PT011  # whatever it says
            digest(broken)


def test_records() -> None:
    assert association(f"3 1 1 {ZEROS}") == Association(3, 1, 1, ZEROS)
    assert association(f"2 0 2 {'AB' * 32} {'cd' * 32}").data == "ab" * 32 + "cd" * 32
    for text in (
        "",
        "3 1 1",
        "3 1",
        "x 1 1 ab",
        f"4 1 1 {ZEROS}",
        f"3 2 1 {ZEROS}",
        f"3 1 3 {ZEROS}",
        "3 1 1 abcd",
    ):
        with pytest.raises(NoAssociation):
            association(text)


def test_a_record_that_is_none_beside_one_that_is_right(shown: tuple[bytes, str]) -> None:
    """RFC 7672, 2.2: senders pass over it."""
    certificate, hashed = shown
    right, short = f"3 1 1 {hashed}", "3 1 1 abcd"
    found = judged(right, short, certificate=certificate)
    assert (found.status, found.severity, "has 64 digits" in found.summary) == ("warn", "advice", True)
    other = judged(f"3 1 1 {ZEROS}", short, certificate=certificate)
    assert (other.severity, "names another key" in other.summary) == ("breaks", True), other.summary
    assert judged(short, certificate=certificate).severity == "breaks"


def test_none_is_fine() -> None:
    found = judged(signed="unsigned")
    assert (found.status, found.remedies) == ("pass", ())
    assert found.summary == f"{NAME} has no TLSA record, and need not; it would help only with DNSSEC"


def test_none_where_one_would_help(shown: tuple[bytes, str]) -> None:
    found = judged(certificate=shown[0])
    assert (found.status, found.subject) == ("pass", NAME)
    assert found.remedies == (f"Publish, if wanted: {PLACE}. TLSA 3 1 1 {shown[1]}",)
    assert not judged(not_served="mailcow is not installed yet").remedies


def test_the_right_key(shown: tuple[bytes, str]) -> None:
    right = f"3 1 1 {shown[1]}"
    found = judged(right, certificate=shown[0])
    assert (found.status, found.certainty) == ("pass", "proved")
    assert found.summary == f"the TLSA record of {NAME} names the key that this server shows and is signed"
    # The next key may stand there already.
    assert judged(f"3 1 1 {ZEROS}", right, certificate=shown[0]).status == "pass"
    assert (
        "without DNSSEC nobody looks at it" in judged(right, certificate=shown[0], signed="unsigned").summary
    )
    assert "signatures of its zone are broken" in judged(right, certificate=shown[0], signed="broken").summary
    assert "is not known" in judged(right, certificate=shown[0], signed="").summary


def test_another_key(shown: tuple[bytes, str]) -> None:
    found = judged(f"3 1 1 {ZEROS}", certificate=shown[0])
    assert (found.status, found.severity) == ("warn", "breaks")
    assert "another key than the one that this server shows" in found.summary
    assert found.remedies[0] == f"Publish besides what is there: {PLACE}. TLSA 3 1 1 {shown[1]}"
    assert "only when no server shows that key any more" in found.remedies[1], "the old server of a move"
    assert len(found.remedies) == 2
    of_authority = judged(f"1 1 1 {ZEROS}", certificate=shown[0])
    assert of_authority.remedies == (f"Publish instead: {PLACE}. TLSA 3 1 1 {shown[1]}",)
    assert judged(f"3 1 1 {ZEROS}", certificate=shown[0], signed="unsigned").severity == "advice"


def test_not_compared(shown: tuple[bytes, str]) -> None:
    found = judged(f"3 1 1 {ZEROS}", not_served="mailcow is not installed yet")
    assert (found.status, found.certainty) == ("pass", "inferred")
    assert found.summary.endswith("; not compared: mailcow is not installed yet")
    for certificate in (shown[0], b"x"):
        issuer = judged(f"2 1 1 {ZEROS}", certificate=certificate)
        assert issuer.status == "pass"
        assert issuer.summary.endswith("; not compared: it names an issuer")


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ((f"3 1 1 {ZEROS}", f"9 1 1 {ZEROS}"), "9 1 1 are numbers that have no meaning"),
        ((f"1 1 1 {ZEROS}",), "its first number is 0 or 1"),
    ],
)
def test_no_records_at_all(records: tuple[str, ...], words: str) -> None:
    found = judged(*records)
    assert (found.status, words in found.summary) == ("warn", True), found.summary


def test_a_whole_certificate_will_not_last(shown: tuple[bytes, str]) -> None:
    found = judged(f"3 0 1 {digest(shown[0], 0)}", certificate=shown[0])
    assert found.status == "warn"
    assert "renewed" in found.summary
    assert found.remedies[0].endswith(shown[1])


def test_the_other_ports_are_read_too() -> None:
    place = "_443._tcp.mail.example.org"
    found = judged(f"3 7 1 {ZEROS}", place=place)
    assert (found.status, "port 443" in found.summary) == ("warn", True)
    both = facts({(PLACE, "TLSA"): f"3 1 1 {ZEROS}", (place, "TLSA"): f"3 7 1 {ZEROS}"}).get(tlsa)
    found = judge_tlsa(both._replace(not_served="mailcow is not installed yet", signed="valid"))
    assert (found.status, "port 443" in found.summary) == ("warn", True)


def test_silence_is_unknown() -> None:
    assert judged("silence").status == "unknown"


# --- whose certificate it is compared with ---


class Served(World):
    """A machine on whose port 25 a container of this project listens."""

    project = "mailcowdockerized"
    trouble = ""

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((Listener(4, "0.0.0.0", 25, None, "", 0, 7, 0),), "netlink")

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[Holder, ...]:
        proxy = Process(9, "docker-proxy", "root", (), "/usr/bin/docker-proxy", "")
        return tuple(Holder(one.inode, (proxy,), "", "root") for one in sockets)

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        labels = {
            "com.docker.compose.project": self.project,
            "com.docker.compose.service": "postfix-mailcow",
            "com.docker.compose.project.working_dir": "/srv/mailcow",
        }
        ports = [{"IP": "0.0.0.0", "PublicPort": 25, "Type": "tcp"}]
        return HttpReply(
            200, json.dumps([{"Id": "a" * 64, "Names": ["/p"], "Labels": labels, "Ports": ports}]).encode()
        )

    def certificate(
        self, address: str, port: int, name: str, starttls: bool = False, timeout: float = 8.0
    ) -> Certificate:
        self.asked.append(f"certificate {address} {port} {name} {starttls}")
        if not starttls:
            raise HostError("it does not speak SMTP")
        if self.trouble:
            raise HostError(self.trouble)
        return Certificate(b"shown", "")


def compared(
    project: str = "mailcowdockerized", installed: bool = True, trouble: str = "", files: tuple[str, ...] = ()
) -> Tlsa:
    known = facts({(PLACE, "TLSA"): f"3 1 1 {ZEROS}"})
    world = Served(world_of(known).records)
    world.project, world.trouble = project, trouble
    if installed:
        world.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\n"
    world.files.update(dict.fromkeys(files, ""))
    known.host = world
    return known.get(tlsa)


def test_only_mailcows_own_port_is_compared_with() -> None:
    found = compared()
    assert (found.certificate, found.not_served) == (b"shown", "")
    assert compared("other").not_served == "mailcow does not serve port 25 here"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "mailcow is not installed yet: /opt/mailcow-dockerized is not there"),
        (("/var/run/docker.sock",), "mailcow runs in /srv/mailcow, not in /opt/mailcow-dockerized"),
        (
            ("/opt/mailcow-dockerized/docker-compose.yml",),
            "there is no /opt/mailcow-dockerized/mailcow.conf",
        ),
    ],
)
def test_why_it_is_not_compared_is_said_as_everywhere(files: tuple[str, ...], said: str) -> None:
    assert compared(installed=False, files=files).not_served == said


def test_a_port_without_a_certificate_is_not_praised() -> None:
    """Senders that look at the record deliver nothing to a server that offers no STARTTLS (RFC 7672)."""
    found = compared(trouble="it offers no STARTTLS")._replace(signed="valid")
    assert (judge_tlsa(found).status, found.not_served) == ("unknown", "it offers no STARTTLS")


def test_the_check_is_complete() -> None:
    (check,) = CHECKS
    assert (check.id, check.step) == ("dns.tlsa", "dns")
