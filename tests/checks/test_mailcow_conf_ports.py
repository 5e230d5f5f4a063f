"""Ports that mailcow.conf puts where mailcow cannot use them: never green."""

from collections.abc import Mapping

import pytest

from mailcow_wizard.checks.ports import CHECKS
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Listeners
from mailcow_wizard.model import Finding, Settings
from tests.fake_host import FakeHost

LOCAL = """\
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.0
        /24 link UNICAST
     |-- 192.0.2.1
        /32 host LOCAL
     |-- 192.0.2.2
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
"""


class NothingListens(FakeHost):
    """A machine with mailcow.conf and free ports."""

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")


def judged(conf: str) -> Mapping[str, Finding]:
    host = NothingListens(files={"/opt/mailcow-dockerized/mailcow.conf": conf, "/proc/net/fib_trie": LOCAL})
    return {one.id: one for one in Run(CHECKS, Facts(host, Settings()), lambda event: None).run()}


@pytest.mark.parametrize(
    ("conf", "check", "status", "words"),
    [
        ("SMTP_PORT=25\n", "ports.smtp", "pass", "port 25 is free"),
        ("SMTP_PORT=2525\n", "ports.smtp", "warn", "other mail servers deliver to port 25 only"),
        ("SMTP_PORT=127.0.0.1:25\n", "ports.smtp", "warn", "no other machine can deliver"),
        ("SMTP_PORT=192.0.2.1:25\n", "ports.smtp", "pass", "192.0.2.1:25 is free"),
        ("HTTP_PORT=8081\n", "ports.http", "fail", "mailcow's own web server"),
        ("HTTP_PORT=8080\n", "ports.http", "pass", "port 8080 is free"),
        ("SMTPS_PORT=25\n", "ports.smtps", "fail", "SMTPS_PORT and SMTP_PORT both name port 25"),
        ("SMTPS_PORT=25\n", "ports.smtp", "fail", "SMTPS_PORT and SMTP_PORT both name port 25"),
        ("SMTPS_PORT=192.0.2.1:25\n", "ports.smtps", "fail", "both name 192.0.2.1:25"),
        ("SMTP_PORT=192.0.2.1:25\nSMTPS_PORT=192.0.2.2:25\n", "ports.smtps", "pass", "is free"),
        ("SMTP_PORT=mail\n", "ports.smtp", "fail", "SMTP_PORT=mail is not a port"),
        ("SMTP_PORT=65536\n", "ports.smtp", "fail", "SMTP_PORT=65536 is not a port"),
        ("HTTP_PORT=127.0.0.1:80\n", "ports.http", "fail", "is not a port"),
        ("HTTP_BIND=localhost\n", "ports.http", "fail", "HTTP_BIND=localhost is not an IPv4 address"),
        ("HTTP_BIND=203.0.113.77\n", "ports.http", "fail", "203.0.113.77, an address that this machine"),
        ("SMTP_PORT=192.0.2.255:25\n", "ports.smtp", "fail", "192.0.2.255, an address that this machine"),
        ("HTTP_BIND=127.0.0.1\n", "ports.http", "pass", "127.0.0.1:80 is free"),
        (" IMAP_PORT = 1143\n", "ports.imap", "unknown", "read this line differently"),
        ("IMAP_PORT= 1143\n", "ports.imap", "unknown", "read this line differently"),
        ("IMAP_PORT: 1143\n", "ports.imap", "unknown", "read this line differently"),
        ("IMAP_PORT=1143\r\n", "ports.imap", "unknown", r"read this line differently: IMAP_PORT=1143\r"),
        (" IMAP_PORT=1143 # moved\n", "ports.imap", "pass", "port 1143 is free"),
        ("\0\1\2garbage", "ports.imap", "unknown", "not a text file"),
    ],
)
def test_what_mailcow_conf_says(conf: str, check: str, status: str, words: str) -> None:
    finding = judged(conf)[check]
    assert (finding.status, words in finding.summary) == (status, True), finding.summary
    assert status == "pass" or finding.certainty == ("untested" if status == "unknown" else "proved")


def test_what_was_answered_for_an_install_is_corrected_where_it_was_answered() -> None:
    host = NothingListens(files={"/proc/net/fib_trie": LOCAL})
    settings = Settings(conf=("HTTP_BIND=203.0.113.77",))
    (finding,) = Run([one for one in CHECKS if one.id == "ports.http"], Facts(host, settings), print).run()
    assert finding.status == "fail"
    assert "HTTP_BIND in the settings for the install" in finding.remedies[0]
    assert "/opt/mailcow-dockerized" not in f"{finding.remedies} {finding.evidence}"
