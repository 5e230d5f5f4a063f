"""What is typed in a real terminal: bytes that are not UTF-8, nothing for a while, and the end."""

import os
import pty
import sys
import threading
import time
from pathlib import Path

from bench.terminal import Program, on_terminal

from mailcow_wizard.host.keyboard import Keyboard

ROOT = Path(__file__).resolve().parents[2]
_SEARCH = "\x10"
_LATIN_1_U = "\udcfc"  # the byte of an ü


def _argv(directory: Path) -> list[str]:
    words = ["--demo", "--offline", "--lang=en", "--state-dir", str(directory / "state")]
    return [sys.executable, "-m", "mailcow_wizard", *words]


def _shows(program: Program, text: str) -> None:
    program.wait(lambda lines: any(text in line for line in lines))


def test_a_byte_that_is_not_utf_8_is_shown_as_such(tmp_path: Path) -> None:
    with on_terminal(_argv(tmp_path), {"PYTHONPATH": str(ROOT)}) as program:
        _shows(program, "Mail domain")
        program.settle(0.5)
        program.type(_LATIN_1_U)
        program.settle(0.3)
        program.type(_SEARCH)
        _shows(program, "Type a part of a name")
        program.type(f"m{_LATIN_1_U}ü")
        _shows(program, "m\N{REPLACEMENT CHARACTER}ü")


def test_a_letter_that_comes_in_two_pieces_is_one(tmp_path: Path) -> None:
    with on_terminal(_argv(tmp_path), {"PYTHONPATH": str(ROOT)}) as program:
        _shows(program, "Mail domain")
        program.settle(0.5)
        program.type(_SEARCH)
        _shows(program, "Type a part of a name")
        for byte in "mü".encode():
            program.type(bytes([byte]).decode("utf-8", "surrogateescape"))
            program.read_for(0.2)
        _shows(program, "mü")


def _woken(pid: int) -> int:
    """How often its threads slept and woke."""
    tasks = Path(f"/proc/{pid}/task").glob("*/status")
    lines = [line for one in tasks for line in one.read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def test_while_nothing_is_typed_nothing_wakes(tmp_path: Path) -> None:
    with on_terminal(_argv(tmp_path), {"PYTHONPATH": str(ROOT)}) as program:
        _shows(program, "Mail domain")
        program.settle(2)
        before = _woken(program.pid)
        time.sleep(3)
        assert _woken(program.pid) - before <= 2


def test_esc_is_told_from_the_beginning_of_another_key(tmp_path: Path) -> None:
    with on_terminal(_argv(tmp_path), {"PYTHONPATH": str(ROOT)}) as program:
        _shows(program, "Mail domain")
        program.settle(1)
        program.type("?")
        _shows(program, "Esc close")
        program.type("\x1b")
        program.wait(lambda lines: not any("Esc close" in line for line in lines))
        program.type("\x1b[B")
        program.settle(0.5)
        _shows(program, "Mail domain")


def test_whoever_waits_is_woken_at_the_end() -> None:
    ours, theirs = pty.openpty()
    keyboard = Keyboard(theirs)
    got: list[bytes | None] = []
    thread = threading.Thread(target=lambda: got.append(keyboard.wait(None)))
    thread.start()
    keyboard.end()
    thread.join(5)
    assert got == [None]
    assert keyboard.wait(None) is None
    keyboard.close()
    os.close(ours)
    os.close(theirs)


def test_what_is_typed_nothing_and_a_terminal_that_is_gone() -> None:
    ours, theirs = pty.openpty()
    keyboard = Keyboard(theirs)
    os.write(ours, b"x\n")
    assert keyboard.wait(1) == b"x\n"
    assert keyboard.wait(0.01) == b""
    os.close(ours)
    assert keyboard.wait(None) is None
    keyboard.close()
    os.close(theirs)
