"""What is typed in a real terminal: bytes that are not UTF-8, nothing for a while, and the end."""

import fcntl
import os
import pty
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from bench.terminal import Program, on_terminal
from lab.inside import wait_until

from mailcow_wizard.host.terminal.keyboard import Keyboard

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


def test_nothing_is_typed_where_another_process_was_quicker() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        keyboard = Keyboard(theirs.fileno())
        ours.send(b"x")
        seen, keyboard_ready = [], keyboard._ready

        def taken(patience: float | None) -> set[int]:
            ready = keyboard_ready(patience)
            seen.append(theirs.recv(1))  # between the look and the reading
            return ready

        keyboard._ready = taken  # type: ignore[method-assign]
        assert keyboard.wait(1) == b""
        assert seen == [b"x"]
        keyboard.close()


def test_the_end_of_a_line_is_not_the_end_of_the_terminal() -> None:
    ours, theirs = pty.openpty()  # set to lines, as another program may leave it
    keyboard = Keyboard(theirs)
    os.write(ours, b"\x04")
    assert keyboard.wait(1) == b""
    assert not keyboard.gone
    os.write(ours, b"x\n")
    assert keyboard.wait(1) == b"x\n"
    os.close(ours)
    assert keyboard.wait(None) is None
    assert keyboard.gone
    keyboard.close()
    os.close(theirs)


def test_descriptors_may_be_high() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    ours, theirs = pty.openpty()
    high = fcntl.fcntl(theirs, fcntl.F_DUPFD, 1100)
    keyboard = Keyboard(high)
    os.write(ours, b"x\n")
    assert keyboard.wait(1) == b"x\n"
    keyboard.close()
    for one in (ours, theirs, high):
        os.close(one)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_noise_on_the_line_is_no_end(tmp_path: Path) -> None:
    with on_terminal(_argv(tmp_path), {"PYTHONPATH": str(ROOT)}) as program:
        _shows(program, "Mail domain")
        program.settle(1)
        program.type("\x1b[57111411200u\x1b[:;:~\x1b[48;9999;9999;1;1t\x1b[<0;5;5M")
        program.settle(0.5)
        program.type("?")
        _shows(program, "Esc close")


def test_a_terminal_that_says_that_it_is_endless_takes_no_memory(tmp_path: Path) -> None:
    argv = ["prlimit", f"--as={1 << 30}", *_argv(tmp_path)]
    with on_terminal(argv, {"PYTHONPATH": str(ROOT)}, (65535, 65535), Blind()) as program:
        program.read_for(3)
        assert program.memory > 1  # it runs, and is no zombie


class Blind:
    """A terminal that nobody looks at."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def feed(self, data: str) -> str:
        """Answers nothing."""
        return ""


def _own_terminal(argv: list[str], theirs: int, controls: bool) -> "subprocess.Popen[bytes]":
    """The wizard on this terminal, which is that of its session, or of nobody's."""

    def begin() -> None:
        os.setsid()
        if controls:
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env, preexec_fn=begin)


def _read_until(terminal: int, what: bytes, seconds: float = 20.0) -> None:
    said, end = b"", time.monotonic() + seconds
    while what not in said:
        assert time.monotonic() < end, said[-500:]
        if select.select([terminal], [], [], 0.2)[0]:
            said += os.read(terminal, 1 << 16)
    while select.select([terminal], [], [], 1.0)[0]:
        os.read(terminal, 1 << 16)


def test_a_terminal_that_is_of_no_session_and_goes_away_ends_it_as_a_hangup(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = _own_terminal(_argv(tmp_path), theirs, controls=False)
    os.close(theirs)
    _read_until(ours, b"quit")
    os.close(ours)
    try:
        assert process.wait(20) == 129
    finally:
        process.kill()


def test_a_stop_that_nobody_hears_leaves_the_terminal_as_it_was_found(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    found = termios.tcgetattr(theirs)
    process = _own_terminal(_argv(tmp_path), theirs, controls=True)
    try:
        _read_until(ours, b"quit")
        threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
        for _ in range(2):
            process.send_signal(signal.SIGSTOP)
            termios.tcsetattr(theirs, termios.TCSANOW, found)  # as a shell does
            process.send_signal(signal.SIGCONT)
            _read_until(ours, b"quit")
        assert len(list(Path(f"/proc/{process.pid}/task").iterdir())) == threads
        os.write(ours, b"?")
        _read_until(ours, b"close")
        os.write(ours, b"\x1b")
        _read_until(ours, b"quit")
        os.write(ours, b"q")
        assert process.wait(20) == 0
        assert termios.tcgetattr(theirs)[:4] == found[:4]
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


def test_a_stop_is_one_at_once_while_a_text_stands_on_the_bare_terminal(tmp_path: Path) -> None:
    """Nothing is half drawn then; later it would stop the screens, which nobody asked for."""
    ours, theirs = pty.openpty()
    process = _own_terminal(_argv(tmp_path), theirs, controls=True)

    def is_stopped() -> bool:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    try:
        _read_until(ours, b"quit")
        os.write(ours, b"nc")
        _read_until(ours, b"show it whole")
        os.write(ours, b"p")
        _read_until(ours, b"Enter or Esc goes back")
        process.send_signal(signal.SIGTSTP)
        assert wait_until(is_stopped, 5)
        process.send_signal(signal.SIGCONT)
        os.write(ours, b"\r")
        _read_until(ours, b"show it whole")
        os.write(ours, b"\x1b")
        _read_until(ours, b"quit")
        assert not is_stopped()
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


@pytest.mark.slow
def test_signals_in_the_midst_of_drawing_neither_end_it_nor_make_it_wait_for_itself(tmp_path: Path) -> None:
    """As of a terminal that goes away, which says SIGHUP and SIGCONT."""
    ours, theirs = pty.openpty()
    process = _own_terminal(_argv(tmp_path), theirs, controls=True)
    try:
        _read_until(ours, b"quit")
        for number in range(600):
            if number % 6 == 0:
                os.write(ours, b"n" if number % 12 else b"b")
            process.send_signal(signal.SIGCONT)
            while select.select([ours], [], [], 0.002)[0]:
                os.read(ours, 1 << 16)
            assert process.poll() is None
        _read_until(ours, b"quit")
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGCONT)
        assert process.wait(20) == 129
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


@pytest.mark.long
def test_what_comes_faster_than_it_is_dealt_with_takes_no_memory(tmp_path: Path) -> None:
    left = b"x" * 60_000
    with on_terminal(_argv(tmp_path), {"PYTHONPATH": str(ROOT)}, screen=Blind()) as program:
        program.read_for(3)
        before = most = program.memory
        end = time.monotonic() + 90
        while left and time.monotonic() < end:
            if select.select([], [program._terminal], [], 0)[1]:
                left = left[os.write(program._terminal, left[:4000]) :]
            program.read_for(0.001)
            most = max(most, program.memory)
        assert not left
        assert most < before + 40
