"""The command line on a terminal: colours, and lines that break where they may."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest
import recorded_machines as machines
from unit.this_checkout import ENVIRONMENT, WIZARD


def on_terminal(*words: str, env: dict[str, str] | None = None, columns: int = 0) -> tuple[int, str]:
    """The exit code, and what a terminal got to see."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    argv = [*WIZARD, *words]
    with subprocess.Popen(
        argv, env={**ENVIRONMENT, "TERM": "xterm", **(env or {})}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:
                break
            if not part:
                break
            seen += part
    os.close(ours)
    return process.returncode, seen.decode()


def test_colours_on_a_terminal(tmp_path: Path) -> None:
    host = machines.write(tmp_path / "host.json", machines.POSTFIX)
    code, seen = on_terminal("check", "ports", "--host", host)
    assert code == 1
    assert "\x1b[1;31mFAIL" in seen
    assert "why: Docker cannot start Postfix" in seen
    assert "mend: " in seen


@pytest.mark.parametrize("columns", [0, 80])
def test_what_is_not_right_has_its_id(columns: int) -> None:
    _code, plain = on_terminal("check", "--demo", "--plain", columns=columns)
    _code, seen = on_terminal("check", "--demo", columns=columns)
    shown = re.findall(r"\x1b\[2m\(([a-z0-9.-]+(?: \[[^]]+\])?)\)\x1b\[0m", seen)
    wanted = re.findall(r"^(?:FAIL|warning|unknown|CRASHED) +([^:\[]+(?:\[[^]]+\])?):", plain, re.MULTILINE)
    assert len(wanted) > 20
    assert shown == wanted
    _code, plain = on_terminal("check", "--demo", "--no-color", columns=columns)
    assert all(f" ({one})" in plain for one in wanted)


def test_the_next_command_is_named_where_something_can_be_mended(tmp_path: Path) -> None:
    demo = ("--demo", "--state-dir", str(tmp_path))
    code, seen = on_terminal("check", "ports", *demo)
    assert code == 1
    again = f"--state-dir {tmp_path} --demo fix ports.smtp"
    assert seen.splitlines()[-1] == f"Next: ./wizard {again} shows what can be done"
    long = {"MAILCOW_WIZARD_NAME": "/srv/where it lies/far away/and with a long name/wizard"}
    _code, seen = on_terminal("check", "ports", *demo, env=long, columns=80)
    assert seen.splitlines()[-3:] == [
        "Next:",
        f"`'{long['MAILCOW_WIZARD_NAME']}' {again}`",
        "shows what can be done",
    ]
    _code, seen = on_terminal("check", "dns.ptr", *demo)
    assert "FAIL" in seen
    assert "Next: " not in seen  # nothing that the wizard could do
    _code, seen = on_terminal("check", "ports", "--plain", *demo)
    assert "Next: " not in seen
    on_terminal("ack", "ports.smtp", "--reason", "known", *demo)
    _code, seen = on_terminal("check", "ports.smtp", *demo)
    assert "acknowledged" in seen
    assert "Next: " not in seen


@pytest.mark.parametrize(
    ("words", "env"), [(("--no-color",), {}), ((), {"NO_COLOR": "1"}), (("--plain",), {}), (("--json",), {})]
)
def test_no_colours_on_a_terminal(words: tuple[str, ...], env: dict[str, str], tmp_path: Path) -> None:
    host = machines.write(tmp_path / "host.json", machines.POSTFIX)
    code, seen = on_terminal("check", "ports", *words, "--host", host, env=env)
    assert code == 1
    assert "\x1b" not in seen
    assert "FAIL" in seen or '"fail"' in seen


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("language", ["en", "de"])
def test_lines_break_between_words(language: str, columns: int) -> None:
    code, seen = on_terminal("check", "--demo", "--lang", language, columns=columns)
    assert code == 1
    assert {*re.findall(r"\x1b\[([0-9;]+)m", seen)} >= {"32", "33", "1;31", "36", "2", "0"}
    text = re.sub(r"\x1b\[[0-9;]+m", "", seen)
    assert "\\x1b" not in text
    lines = text.splitlines()
    assert len(lines) > 100
    broken_between_words(lines, columns)


@pytest.mark.parametrize("language", ["en", "de"])
def test_an_explanation_breaks_between_words(language: str) -> None:
    for check in ("system.swap", "network.outbound-25", "dns.spf"):
        code, seen = on_terminal("explain", check, "--lang", language, columns=80)
        assert code == 0
        broken_between_words(seen.splitlines(), 80)


def broken_between_words(lines: list[str], columns: int) -> None:
    # A command is copied whole, and a name is one word.
    assert [one for one in lines if len(one) > columns and not re.fullmatch(r" *(`[^`]*`|\S)+", one)] == []
    assert max(map(len, lines)) > columns * 0.9
    for line in lines:
        assert line.count("`") % 2 == 0, line


def is_a_command(line: str) -> object:
    """What is copied stays in one piece, whatever its length: commands, lines of diffs, records."""
    record = re.search(r" (?:A|AAAA|PTR|MX|CNAME|TXT|SRV) +\S", line)
    is_run = re.match(r"\d+\. (?:run|ausführen): ", line)
    return line.lstrip().startswith(("$ ", "+", "-")) or line.startswith("  ./wizard ") or is_run or record


@pytest.mark.parametrize("tongue", ["en", "de"])
@pytest.mark.parametrize(
    "line",
    [
        "check ports --list",
        "fix ports.smtp",
        "fix ports.http proxy-mode --dry-run",
        "fix ports.smtp stop-service --dry-run",
        "fix network.subnet choose-subnet --dry-run",
        "conf lint",
        "dns",
        "install --dry-run",
    ],
)
def test_sentences_break_between_words_on_a_terminal(tmp_path: Path, line: str, tongue: str) -> None:
    words = (*line.split(), "--demo", "--state-dir", str(tmp_path), "--lang", tongue)
    narrow, wide = (on_terminal(*words, "--no-color", columns=columns)[1] for columns in (60, 0))
    shown = narrow.splitlines()
    assert len(shown) > len(wide.splitlines())
    assert [one for one in shown if len(one) > 60 and " " in one.strip() and not is_a_command(one)] == []
    assert narrow.split() == wide.split()
    piped = subprocess.run([*WIZARD, *words], env=ENVIRONMENT, capture_output=True, text=True)
    assert piped.stdout.splitlines() == wide.splitlines()


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_narration_breaks_between_words_on_a_terminal(tongue: str) -> None:
    words = ("dns", "--offline", "--demo", "--lang", tongue)
    _code, wide = on_terminal(*words)
    _code, narrow = on_terminal(*words, columns=50)
    lines = narrow.splitlines()
    assert len(wide.splitlines()) == 1 < len(lines)
    assert max(map(len, lines)) <= 50
    assert all(line.startswith("  ") for line in lines[1:])
    assert narrow.split() == wide.split()
    _code, plain = on_terminal(*words, "--plain", columns=50)
    assert plain == wide


def test_a_command_in_the_narration_stays_in_one_piece(tmp_path: Path) -> None:
    name = {"MAILCOW_WIZARD_NAME": "/srv/where/it/lies/wizard"}
    _code, seen = on_terminal("--json", env={**name, "TERM": "dumb"}, columns=40)
    assert "/srv/where/it/lies/wizard check --json" in [line.strip() for line in seen.splitlines()], seen
