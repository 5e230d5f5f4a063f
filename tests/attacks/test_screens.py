"""A recorded machine full of hostile text: a terminal is sent nothing that a friendly one would not send."""

import contextlib
import json
import os
import pty
import random
import re
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tui.tmux import WIZARD

from mailcow_wizard.host.recording.recorded import DEMO
from tests.attacks.payloads import PAYLOADS, trouble

_CONTROL = r"\x1b\[([?<>=]?)([0-9;:]*)([ -/]*[@-~])"
_STRING = r"\x1b[\]PX^_].*?(?:\a|\x1b\\)"
_SEQUENCE = re.compile(rf"{_CONTROL}|{_STRING}|\x1b[ -/]*[0-~]", re.DOTALL)
_ESCAPED = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4})")
"""How the gate writes what it lets nobody send; which of it is in sight depends on the seed."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.@/-]{2,}")
_ON_SCREENS = ("uname", "read /etc/os-release")
"""What stands on the first screens, whatever else is understood."""
_SHORT = [one for name, one in PAYLOADS.items() if name not in ("very long", "wide", "halves of pairs")]


def poisoned(seed: int, share: float) -> Any:
    """The demonstration's machine, where some of what strangers said holds hostile words. Each answer has its
    own chance, so that a new one changes none of the others."""
    document = json.loads(Path(DEMO).read_text())
    for question, answer in document["answers"].items():
        chance = random.Random(f"{seed} {question}")
        if "value" in answer and (question in _ON_SCREENS or chance.random() < share):
            answer["value"] = _leaves(answer["value"], chance)
        elif "text" in answer:
            answer["text"] += chance.choice(_SHORT)
    return document


def _leaves(said: Any, chance: random.Random) -> Any:
    if isinstance(said, dict):
        return {name: one if name == "base64" else _leaves(one, chance) for name, one in said.items()}
    if isinstance(said, list):
        return [_leaves(one, chance) for one in said]
    if not isinstance(said, str) or not (found := list(_WORD.finditer(said))):
        return said
    one = chance.choice(found)
    return said[: one.end()] + chance.choice(_SHORT) + said[one.end() :]


def seen(words: list[str], keys: str, silence: float) -> str:
    """All that a terminal of 100 by 40 is sent while these keys are pressed, each after a silence."""
    pid, terminal = pty.fork()
    if pid == 0:
        variables = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "HOME": "/nonexistent",
        }
        os.execve(WIZARD[0], [*WIZARD, *words], variables)  # noqa: S606
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    data = b""
    try:
        for key in ("", *keys):
            os.write(terminal, key.encode())
            data += b"".join(_until_silent(terminal, silence if data else 20.0, silence))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(OSError):
            data += b"".join(_until_silent(terminal, 5.0, 2.0))
        os.close(terminal)
        os.waitpid(pid, 0)
    return data.decode("utf-8", "surrogateescape")


def _until_silent(terminal: int, first: float, silence: float) -> Iterator[bytes]:
    end = time.monotonic() + 60
    wait = first
    while time.monotonic() < end and select.select([terminal], [], [], wait)[0]:
        try:
            yield os.read(terminal, 1 << 16)
        except OSError:
            return
        wait = silence


def _kind(found: "re.Match[str]") -> str:
    """A sequence without the numbers that say only where and in which colour."""
    private, numbers, end = found.groups()
    if end is None:
        return found[0]
    numbers = numbers if private or end not in "mHGdACBDXKPLMbr" else ""
    return f"CSI {private}{numbers}{end}"


def kinds(text: str) -> set[str]:
    """The kinds of control sequences in what a terminal was sent."""
    return {_kind(one) for one in _SEQUENCE.finditer(text)}


def plain(text: str) -> str:
    """What is left to be read."""
    return _SEQUENCE.sub("", text).replace("\r", "").replace("\x0f", "")


SCROLLED = {"CSI r", "CSI L", "CSI M", "CSI A", "CSI B"}
"""How lines are moved that stay the same from screen to screen, and how the cursor goes from the number of
one step to another's that changes with it; the demonstration may have none of these."""
WALK = "\r" + "n" * 13 + "\r\x1bf\x1bl\x1bbbb\rq"


@pytest.fixture(scope="module")
def friendly(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The kinds of sequences that the demonstration sends."""
    state = tmp_path_factory.mktemp("state")
    text = seen(["--demo", "--state-dir", str(state)], WALK, 0.6)
    assert trouble(plain(text)) == ""
    assert not _ESCAPED.search(plain(text))
    return kinds(text)


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.long)])
def test_screens(seed: int, friendly: set[str], tmp_path: Path) -> None:
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(poisoned(seed, 0.25)))
    text = seen(["--host", str(machine), "--state-dir", str(tmp_path / "state")], WALK, 0.6)
    assert trouble(plain(text)) == ""
    assert kinds(text) <= friendly | SCROLLED
    assert "mistake of the wizard" not in text
    assert _ESCAPED.search(plain(text))  # something arrived


LINES = (["check"], ["check", "--plain"], ["dns"], ["verify"], ["fix"], ["conf", "lint"], ["answers"])


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_commands_on_a_terminal(words: list[str], tmp_path: Path) -> None:
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(poisoned(3, 0.3)))
    text = seen([*words, "--host", str(machine), "--state-dir", str(tmp_path / "state")], "", 1.5)
    assert trouble(text.replace("\r\n", "\n"), colour=True) == ""
    assert "Traceback" not in text
    assert len(text) > 40
