"""Garbage in mailcow.conf, hostile names and secrets of processes: nothing of it reaches a terminal."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.inside import Inside

from tests.real.ports import Wizard, configure, listening, words

pytestmark = pytest.mark.real


GARBAGE = {
    "noise": bytes(range(256)) * 64,
    "empty": b"",
    "nul bytes": b"SMTP_PORT=\0\0\0\n",
    "invalid UTF-8": b"SMTP_PORT=\xff\xfe\nIMAP_PORT=143\n",
    "no line ends": b"SMTP_PORT=25 IMAP_PORT=143" * 100,
    "Windows lines": b"SMTP_PORT=25\r\nIMAP_PORT=143\r\n",
    "shell": b"SMTP_PORT=$(reboot)\nIMAP_PORT=`reboot`\n",
    "markup and escapes": b"SMTP_PORT=[bold]25[/]\x1b[31m\n",
    "gigantic": b"X" * (8 << 20),
    "gigantic number": b"SMTP_PORT=" + b"9" * 5000 + b"\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_in_mailcow_conf(name: str, mailcow: Path, wizard: Wizard) -> None:
    """Garbage makes single checks unknown and crashes none; what it holds reaches no terminal."""
    (mailcow / "mailcow.conf").write_bytes(GARBAGE[name])
    findings = wizard.check()
    assert {one["status"] for one in findings.values()} <= {"pass", "warn", "fail", "unknown"}, words(
        *findings.values()
    )
    assert_harmless(words(*findings.values()))
    assert_harmless(wizard.plain())


def test_mailcow_conf_is_a_directory(mailcow: Path, wizard: Wizard) -> None:
    """What cannot be read is unknown, with the reason."""
    (mailcow / "mailcow.conf").mkdir()
    finding = wizard.port()
    assert finding["status"] == "unknown", words(finding)
    assert "mailcow.conf" in words(finding)


@pytest.mark.parametrize("value", ["banana", "0", "65536", "25:25", "1.2.3:25", "-25", "25,26"])
def test_value_that_is_no_port(value: str, mailcow: Path, wizard: Wizard) -> None:
    """A value that Docker would refuse makes its own check fail, and says the value."""
    configure(mailcow, SMTP_PORT=value)
    findings = wizard.check()
    assert findings["ports.smtp"]["status"] == "fail", words(findings["ports.smtp"])
    assert value in findings["ports.smtp"]["summary"]
    assert {one["status"] for key, one in findings.items() if key != "ports.smtp"} == {"pass"}


def assert_harmless(text: str) -> None:
    """No control character, no invisible mark, no half of a surrogate pair; lines may end."""
    for character in text:
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs"), repr(character)


HOSTILE = (
    b"line\nfeed",
    b"\x1b]0;owned\x07\x1b[2J",
    b"[bold red]markup[/]",
    b"\xff\xfe\x80",
    "\u202eevil\u200b".encode(),
)


@pytest.mark.parametrize("name", [b"two\nlines", b"\x1b[31mred", b"[b]bold[/b]", b"\xff\xfe bytes"])
def test_hostile_process(name: bytes, network: Inside, wizard: Wizard) -> None:
    """Names and words of other people's processes are shown harmlessly, in JSON and in plain lines."""
    with listening(network, b"--name", name, b"0.0.0.0", b"25", *HOSTILE) as pid:
        finding = wizard.port()
        assert finding["status"] == "fail"
        assert f"process {pid} " in finding["found"]
        for text in (one for one in _texts(finding) if one):
            assert_harmless(text)
            assert "\n" not in text
        plain = wizard.plain()
        assert_harmless(plain)
        smtp = [line for line in plain.splitlines() if "ports.smtp:" in line]
        assert len(smtp) == 1, plain


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


@pytest.mark.parametrize(
    "secret",
    [
        ("--password=hunter2",),
        ("--password", "hunter2"),
        ("--db-pass=hunter2",),
        ("smtp://me:hunter2@relay.example",),
    ],
)
def test_password_in_a_command_line(secret: tuple[str, ...], network: Inside, wizard: Wizard) -> None:
    """A command line is shown without the secrets that it holds."""
    with listening(network, "0.0.0.0", "25", *secret):
        finding = wizard.port()
        assert finding["status"] == "fail"
        assert "listener.py" in finding["found"]
        assert "hunter2" not in words(finding)
        assert "hunter2" not in wizard.plain()
