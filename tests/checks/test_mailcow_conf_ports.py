"""Ports that mailcow.conf puts where mailcow cannot use them: never green."""

from collections.abc import Mapping

import pytest

from mailcow_wizard.checks.ports import CHECKS
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Listeners
from mailcow_wizard.model import Finding, Settings
from tests.fake_host import FakeHost


class NothingListens(FakeHost):
    """A machine with mailcow.conf and free ports."""

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")


def judged(conf: str) -> Mapping[str, Finding]:
    host = NothingListens(files={"/opt/mailcow-dockerized/mailcow.conf": conf})
    return {one.id: one for one in Run(CHECKS, Facts(host, Settings()), lambda event: None).run()}


@pytest.mark.parametrize(
    ("conf", "check", "status", "words"),
    [
        ("SMTP_PORT=25\n", "ports.smtp", "pass", "port 25 is free"),
        ("SMTP_PORT=2525\n", "ports.smtp", "warn", "other mail servers deliver to port 25 only"),
        ("SMTP_PORT=127.0.0.1:25\n", "ports.smtp", "warn", "no other machine can deliver"),
        ("SMTP_PORT=192.0.2.1:25\n", "ports.smtp", "pass", "192.0.2.1:25 is free"),
        ("HTTP_PORT=8081\n", "ports.http", "unknown", "mailcow's own web server"),
        ("HTTP_PORT=8080\n", "ports.http", "pass", "port 8080 is free"),
        ("SMTPS_PORT=25\n", "ports.smtps", "unknown", "SMTPS_PORT and SMTP_PORT both name port 25"),
        ("SMTPS_PORT=192.0.2.1:25\n", "ports.smtps", "unknown", "both name 192.0.2.1:25"),
        ("SMTP_PORT=192.0.2.1:25\nSMTPS_PORT=192.0.2.2:25\n", "ports.smtps", "pass", "is free"),
        ("SMTP_PORT=mail\n", "ports.smtp", "unknown", "SMTP_PORT=mail is not a port"),
        ("SMTP_PORT=65536\n", "ports.smtp", "unknown", "SMTP_PORT=65536 is not a port"),
        ("HTTP_PORT=127.0.0.1:80\n", "ports.http", "unknown", "is not a port"),
        ("HTTP_BIND=localhost\n", "ports.http", "unknown", "HTTP_BIND=localhost is not an IPv4 address"),
    ],
)
def test_what_mailcow_conf_says(conf: str, check: str, status: str, words: str) -> None:
    finding = judged(conf)[check]
    assert (finding.status, words in finding.summary) == (status, True), finding.summary
