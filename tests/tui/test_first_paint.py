"""The first screen before Textual is there: the same as Textual's, nothing typed is lost, the terminal is
given back."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.terminal import Program, on_terminal

ROOT = Path(__file__).resolve().parents[2]
_TOLD = """
import re
import sys
from mailcow_wizard.tui.display import painter
def paint(self, rows, cursor, paint=painter.Painter.paint, file=open({file!r}, "w")):
    update = paint(self, rows, cursor)
    repeats = bool(re.search(r"\\x1b\\[\\d+b", update))
    print(len(update), "textual.app" in sys.modules, repeats, file=file, flush=True)
    return update
painter.Painter.paint = paint
{more}
from mailcow_wizard.__main__ import main
sys.exit(main())
"""


@contextmanager
def _wizard(
    directory: Path, *words: str, size: tuple[int, int] = (80, 24), more: str = "", **env: str
) -> Iterator[Program]:
    """The wizard on the demo machine; what each paint wrote stands in the file `paints`."""
    script = directory / "told.py"
    script.write_text(_TOLD.format(file=str(directory / "paints"), more=more))
    argv = (sys.executable, str(script), "--demo", "--state-dir", str(directory / "state"), *words)
    with on_terminal(argv, {"PYTHONPATH": str(ROOT), **env}, size) as program:
        yield program


def _paints(directory: Path) -> list[list[str]]:
    return [line.split() for line in (directory / "paints").read_text().splitlines()]


def _there(lines: list[str]) -> bool:
    return any("mail.example.org" in line for line in lines) and bool(lines[-1].strip())


def _complete(lines: list[str]) -> bool:
    """With what was found: the demo machine has faults."""
    return _there(lines) and bool({*"".join(lines)} & {*"✗x"} - {*"".join(lines[-1])})


@pytest.mark.parametrize(
    ("size", "words", "env"),
    [
        ((80, 24), (), {}),
        ((120, 40), (), {}),
        ((100, 30), ("--lang=de",), {}),
        ((60, 15), ("--lang=de", "--ascii"), {}),
        ((40, 12), (), {}),
        ((80, 24), ("--hostname", "a" * 60 + ".example.org"), {"NO_COLOR": "1"}),
        ((200, 24), (), {"TERM": "vt100"}),
    ],
    ids=str,
)
def test_the_first_paint_of_textual_changes_nothing(
    tmp_path: Path, size: tuple[int, int], words: tuple[str, ...], env: dict[str, str]
) -> None:
    with _wizard(tmp_path, *words, size=size, **env) as program:
        program.wait(lambda lines: bool(lines[-1].strip()))
        while len(_paints(tmp_path)) < 3:
            program.read_for(0.2)
    first, textuals = _paints(tmp_path)[:2]
    assert int(first[0]) > 200
    assert first[1] == "False"
    assert textuals[:2] == ["0", "True"]


def test_that_the_terminal_repeats_is_heard(tmp_path: Path) -> None:
    with _wizard(tmp_path) as program:
        program.wait(_complete)
        program.settle(1.0)
    assert "True" in [repeats for _length, _textual, repeats in _paints(tmp_path)[1:]]


def test_what_is_typed_meanwhile_counts(tmp_path: Path) -> None:
    slow = "import time\nfrom mailcow_wizard.tui import lean\nload = lean.import_textual\n"
    slow += "lean.import_textual = lambda: (time.sleep(1), load())"
    with _wizard(tmp_path, more=slow) as program:
        program.wait(_there)
        program.type("n")
        program.type("n")
        program.wait(lambda lines: lines[1].startswith(" Kernel"))


def test_a_tab_typed_meanwhile_goes_to_the_field(tmp_path: Path) -> None:
    with _wizard(tmp_path) as program:
        program.wait(_there)
        program.type("\t")
        program.type("x")
        program.wait(lambda lines: any("mail.example.orgx" in line for line in lines))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_before_textual_is_there_the_terminal_is_as_it_was(
    tmp_path: Path, number: signal.Signals
) -> None:
    dies = "import os\nfrom mailcow_wizard.tui import lean\n"
    dies += f"lean.import_textual = lambda: os.kill(os.getpid(), {int(number)})"
    assert _left(tmp_path, dies) == -number


def test_a_mistake_before_textual_is_there_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    assert _left(tmp_path, "from mailcow_wizard.tui import lean\nlean.import_textual = lambda: 1 / 0") == 70


def test_left_with_q_the_terminal_is_as_it_was(tmp_path: Path) -> None:
    assert _left(tmp_path, "", "qy") == 0  # y: where checks still run, it asks


def test_ascii_holds_from_the_first_byte_to_the_last(tmp_path: Path) -> None:
    assert _left(tmp_path, "", "n?qqy", "--ascii") == 0


def _left(directory: Path, more: str, keys: str = "", *words: str) -> int:
    """Runs the wizard on a terminal of its own until it ends; its exit code (negative: the signal)."""
    script = directory / "told.py"
    script.write_text(_TOLD.format(file=str(directory / "paints"), more=more))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    before = termios.tcgetattr(theirs)
    os.write(ours, keys.encode())
    argv = [sys.executable, str(script), "--demo", "--state-dir", str(directory / "state"), *words]
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    written = b""
    os.set_blocking(ours, False)
    deadline = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < deadline:
        written += _read(ours)
        time.sleep(0.02)
    child.kill()
    child.wait()
    written += _read(ours)
    assert termios.tcgetattr(theirs) == before
    os.close(theirs)
    os.close(ours)
    assert written.count(b"\x1b[?1049h") == 1
    assert written.index(b"\x1b[?1049h") < written.rindex(b"\x1b[?1049l")
    assert b"\x1b[?25h" in written[written.rindex(b"\x1b[?1049l") :]
    assert written.isascii() or "--ascii" not in words
    return child.returncode


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""
