"""A message out to a far server: real postfix and dovecot on both sides, opendkim that signs and verifies,
opendmarc and an SPF policy server. Good, and broken in one way each."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from lab import certificates as made
from lab.far_mail import FAR_DOMAIN, FAR_NAME, NEAR, FarMail, far_mail
from lab.mail_server import DOMAIN, NAME, PASSWORD
from lab.skip import or_skip

pytestmark = [pytest.mark.real, pytest.mark.slow]

_ROOT = Path(__file__).resolve().parents[2]
# The key of somebody else.
_WRONG_KEY = (
    '"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7pI1r4P0sLqj5xW1YgJspSdWmM7BYa9Xjhthu3+'
    "SACydTjHHDcDmVnlc6XiB+d149QcS3DKOCJA1djXvrkzkyUBFIjT7ThcFaZLfcXgw1JU5a6IZ0WVatmzVvqRr3XBUvEL3H1ln"
    'TYQ36tdeCuIDl99re4KuYRyKG6MWtDg6sQQIDAQAB"'
)
_ELSEWHERE = '"v=spf1 ip4:192.0.2.1 {}all"'


class Found(NamedTuple):
    """A finding as it was printed."""

    status: str
    summary: str
    found: str
    remedies: list[str]
    evidence: list[str]


class World(NamedTuple):
    """Both servers, and the directory of the wizard's own files."""

    mail: FarMail
    place: Path

    def verified(self, timeout: float = 60.0, **variables: str) -> Found:
        """What the wizard finds on the near server; `variables` are more of its environment."""
        ours = {
            "MAILCOW_WIZARD_MAILBOX": f"t@{DOMAIN}",
            "MAILCOW_WIZARD_MAILBOX_PASSWORD": PASSWORD,
            "MAILCOW_WIZARD_FAR_MAILBOX": f"me@{FAR_DOMAIN}",
            "MAILCOW_WIZARD_FAR_IMAP": FAR_NAME,
            "MAILCOW_WIZARD_FAR_PASSWORD_FILE": str(self.place / "password"),
            **variables,
        }
        program = [sys.executable, "-m", "tests.real.beside", str(self.place), str(self.mail.log)]
        words = [f"{key}={value}" for key, value in ours.items()]
        argv = [*made.trusting(self.place / "authority.pem"), "env", "-C", str(_ROOT), *words]
        argv += [*program, NEAR, f"{timeout:g}"]
        ran = self.mail.near.run(argv, timeout=200, check=False)
        assert ran.returncode == 0, ran.stderr[-2000:]
        said = (ran.stdout + ran.stderr).replace("/root/test-password", "")  # stands in what can be done
        assert PASSWORD not in said
        return Found(**json.loads(ran.stdout))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    place = tmp_path_factory.mktemp("far")
    place.chmod(0o755)
    (place / "mailcow.conf").write_text(f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\n")
    (place / "password").write_text(f"{PASSWORD}\n")
    (place / "password").chmod(0o600)
    with or_skip():
        made.authority(place)
        pairs = made.issued(place, "near", NAME), made.issued(place, "far", FAR_NAME)
        with far_mail(*pairs) as mail:
            yield World(mail, place)


def test_all_is_well(world: World) -> None:
    """It arrives, over TLS, and the three are seen as right; nothing of it stays there."""
    world.mail.publish()
    found = world.verified()
    assert found.status == "pass", found
    assert f"one sent out reached me@{FAR_DOMAIN}" in found.summary
    assert "(spf=pass, dkim=pass, dmarc=pass)" in found.summary
    assert f"{NEAR}, TLS 1.3" in found.evidence
    assert not [
        *world.mail.place.glob("*/dovecot/mail/*/*/cur/*"),
        *world.mail.place.glob("*/dovecot/mail/*/*/new/*"),
    ]


@pytest.mark.parametrize(
    ("records", "status", "words", "remedy"),
    [
        ({"spf": ""}, "warn", f"{FAR_NAME} finds no SPF record of {DOMAIN}", "Publish the SPF record"),
        ({"spf": _ELSEWHERE.format("-")}, "warn", f"the record of {DOMAIN} does not allow {NEAR}", "dns.spf"),
        ({"spf": _ELSEWHERE.format("~")}, "warn", "SPF is softfail", "dns.spf"),
        ({"spf": '"v=spf1 nonsense -all"'}, "warn", "cannot use the SPF record", "Correct the record"),
        ({"dkim": _WRONG_KEY}, "warn", f"the DKIM signature of {DOMAIN} is not valid", "check dns.dkim"),
        ({"dkim": ""}, "warn", f"{FAR_NAME} finds no DKIM key of {DOMAIN} in DNS", "Publish the DKIM record"),
        ({"dmarc": ""}, "warn", f"{FAR_NAME} finds no DMARC record of {DOMAIN}", "Publish the DMARC record"),
        ({"spf": "", "dkim": _WRONG_KEY}, "warn", "DMARC fails", "Mend SPF and DKIM first"),
    ],
)  # fmt: skip
def test_a_record_is_wrong(
    world: World, records: dict[str, str], status: str, words: str, remedy: str
) -> None:
    """Each fault of a record has its words, and none of them is green."""
    world.mail.publish(**records)
    try:
        found = world.verified()
    finally:
        world.mail.publish()
    assert (found.status, words in found.found) == (status, True), found
    assert remedy in " ".join(found.remedies)


def test_the_far_server_rejects(world: World) -> None:
    """DMARC says reject, and neither of the others passes: it comes back."""
    world.mail.publish(spf="", dkim=_WRONG_KEY, dmarc='"v=DMARC1; p=reject"')
    try:
        found = world.verified(timeout=30.0)
    finally:
        world.mail.publish()
    assert (found.status, f"came back: host {FAR_NAME}" in found.summary) == ("fail", True), found
    assert "5.7.1" in found.summary


@pytest.mark.long
def test_it_has_to_wait(world: World) -> None:
    """The far server asks to come again: that is no answer yet, nor is a mailbox where nothing came."""
    with world.mail.far_setting("smtpd_recipient_restrictions=check_client_access static:{450 4.7.1 Later}"):
        found = world.verified(timeout=30.0)
    assert (found.status, "waits in postfix's queue" in found.summary) == ("unknown", True), found
    assert "4.7.1" in found.summary


def test_it_refuses_this_server(world: World) -> None:
    """Its first word is a refusal. postfix tries again for days all the same; that is no greylisting."""
    words = "554 IP=192.88.99.10 - A problem occurred. (Ask your postmaster, or contact tosa@rx.t-online.de)"
    said = f"smtpd_client_restrictions=check_client_access static:{{{words}}}"
    with world.mail.far_setting("smtpd_delay_reject=no"), world.mail.far_setting(said):
        found = world.verified(timeout=20.0)
    assert (found.status, f"{FAR_NAME} takes no mail from this server" in found.summary) == ("fail", True), (
        found
    )
    assert "write to tosa@rx.t-online.de" in " ".join(found.remedies)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("virtual_transport=lmtp:inet:127.0.0.1:1", "waits in postfix's queue: connect to 127.0.0.1"),
        pytest.param("virtual_transport=returning", "came back: full", marks=pytest.mark.long),
    ],
)
def test_what_comes_in_is_taken_and_not_delivered(world: World, setting: str, words: str) -> None:
    """Port 25 takes the message, and it never comes to the mailbox."""
    with world.mail.near_setting(setting):
        found = world.verified(timeout=20.0, MAILCOW_WIZARD_FAR_MAILBOX="")
    assert (found.status, words in found.summary) == ("fail", True), found


def test_nobody_is_reached(world: World) -> None:
    """Port 25 of the far server is shut on the way: nothing is concluded from a silence."""
    shut = ["iptables", "-I", "INPUT", "-p", "tcp", "--dport", "25", "-j", "DROP"]
    with world.mail.near_setting("smtp_connect_timeout=2s"):
        world.mail.far.run(shut)
        try:
            found = world.verified(timeout=40.0)
        finally:
            world.mail.far.run(["iptables", "-D", *shut[2:]])
    assert (found.status, "Connection timed out" in found.summary) == ("unknown", True), found
    assert "network.outbound-25" in " ".join(found.remedies)


@pytest.mark.long
def test_it_judges_nothing(world: World) -> None:
    """A far server without any of these says nothing, whatever the message itself says."""
    with world.mail.far_setting("smtpd_milters="), world.mail.far_setting("smtpd_recipient_restrictions="):
        found = world.verified()
        assert (found.status, "does not say what it thinks" in found.summary) == ("unknown", True), found
        forged = f"Authentication-Results: {FAR_NAME}; spf=pass; dkim=pass header.d={DOMAIN}; dmarc=pass"
        with world.mail.near_setting(f"header_checks=regexp:{{{{/^Subject:/ PREPEND {forged}}}}}"):
            found = world.verified()
        assert "prepend: header Subject: mailcow-wizard test" in world.mail.log.read_text()
        assert (found.status, "does not say what it thinks" in found.summary) == ("unknown", True), found


def test_over_no_tls(world: World) -> None:
    """It is said how the message came in."""
    with world.mail.far_setting("smtpd_tls_security_level=none"):
        assert f"{NEAR}, no TLS" in world.verified().evidence


def test_without_a_far_mailbox(world: World) -> None:
    """Nothing is sent out, and that is not green either."""
    found = world.verified(MAILCOW_WIZARD_FAR_MAILBOX="")
    assert (found.status, "the way out was not tried" in found.summary) == ("unknown", True), found


def test_the_far_password(world: World, tmp_path: Path) -> None:
    """A wrong one is said to be wrong."""
    (tmp_path / "wrong").write_text("no-such-password\n")
    (tmp_path / "wrong").chmod(0o600)
    found = world.verified(MAILCOW_WIZARD_FAR_PASSWORD_FILE=str(tmp_path / "wrong"))
    assert (found.status, "server and password right?" in found.found) == ("unknown", True), found
    (tmp_path / "wrong").chmod(0o644)
    found = world.verified(MAILCOW_WIZARD_FAR_PASSWORD_FILE=str(tmp_path / "wrong"))
    assert (found.status, "chmod 600" in found.found) == ("unknown", True), found
