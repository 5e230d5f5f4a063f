"""A program on a pseudo-terminal in 256 colours: what it writes, when, and what that looks like."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bench.measure import Command

_ENVIRONMENT = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
_GONE = ("SSH_CONNECTION", "SSH_TTY", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES")
_SEQUENCE = re.compile(r"\x1b\[(?P<args>[0-9;?<>=$]*)[ -/]*(?P<kind>[@-~])|\x1b[^\[]|[\r\n\b]|[^\x1b\r\n\b]+")
_ASKS_FOR_UPDATES = "\x1b[?2026$p"
_MOVES = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}
_WAIT_S = 20.0
_PAUSE_S = 0.03  # what comes after that is another burst


class Screen:
    """The text that a terminal would show; knows the sequences that Textual and the wizard write."""

    def __init__(self, columns: int, lines: int) -> None:
        self._columns, self._lines = columns, lines
        self._cells = [[" "] * columns for _ in range(lines)]
        self._row = self._column = 0
        self._margins = (0, lines)
        self._rest = self._last = self._answers = ""

    def feed(self, data: str) -> str:
        """Takes output, of which a sequence may be cut in two; returns what the terminal answers."""
        data = self._rest + data
        cut = data.rfind("\x1b")
        whole = cut < 0 or _SEQUENCE.match(data, cut)
        data, self._rest = (data, "") if whole else (data[:cut], data[cut:])
        self._answers = ""
        for found in _SEQUENCE.finditer(data):
            self._take(found)
        return self._answers

    def _take(self, found: "re.Match[str]") -> None:
        text, kind = found[0], found["kind"]
        if kind and found["args"].replace(";", "").isdigit() | (not found["args"]):
            self._control(kind, [int(part) for part in found["args"].split(";") if part])
        elif text == "\b":
            self._column -= 1
        elif text == "\r":
            self._column = 0
        elif text == "\n":
            self._row += 1
        elif text[0] != "\x1b":
            self._show(text)
        elif text == _ASKS_FOR_UPDATES:
            self._answers += "\x1b[?2026;2$y"

    def _show(self, text: str) -> None:
        for character in text:
            if 0 <= self._row < self._lines and 0 <= self._column < self._columns:
                self._cells[self._row][self._column] = character
            self._column += 1
        self._last = text[-1]

    def _control(self, kind: str, numbers: list[int]) -> None:
        first = numbers[0] if numbers else 1
        if kind in ("H", "f"):
            self._row, self._column = first - 1, numbers[1] - 1 if len(numbers) > 1 else 0
        elif kind in _MOVES:
            self._row += _MOVES[kind][0] * first
            self._column += _MOVES[kind][1] * first
        elif kind == "b":
            self._show(self._last * first)
        elif kind == "n":
            self._answers += f"\x1b[{self._row + 1};{self._column + 1}R"
        elif kind == "G":
            self._column = first - 1
        elif kind == "d":
            self._row = first - 1
        elif kind == "r":
            self._margins = (first - 1, numbers[1]) if len(numbers) > 1 else (0, self._lines)
            self._row = self._column = 0
        elif kind in ("M", "L"):
            self._scroll(first if kind == "M" else -first)
        elif kind == "J":
            self._cells = [[" "] * self._columns for _ in range(self._lines)]
        elif kind in ("K", "X"):
            end = self._column + first if kind == "X" else self._columns
            for place in range(self._column, min(end, self._columns)):
                self._cells[self._row][place] = " "

    def _scroll(self, by: int) -> None:
        """Deletes lines where the cursor is, or inserts them."""
        empty = [[" "] * self._columns for _ in range(abs(by))]
        band = self._cells[self._row : self._margins[1]]
        self._cells[self._row : self._margins[1]] = [*band[by:], *empty] if by > 0 else [*empty, *band[:by]]

    @property
    def lines(self) -> list[str]:
        """The lines of the screen."""
        return ["".join(line).rstrip() for line in self._cells]


class Shown(Protocol):
    """What takes a program's output and knows what it looks like."""

    def feed(self, data: str) -> str:
        """Takes output; returns what the terminal answers."""

    @property
    def lines(self) -> list[str]:
        """The lines of the screen."""


class Program:
    """A program on a terminal of its own."""

    def __init__(
        self, argv: Command, env: Mapping[str, str], size: tuple[int, int], screen: Shown | None
    ) -> None:
        self.begun = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            for name in _GONE:
                os.environ.pop(name, None)
            os.execvpe(argv[0], list(argv), {**os.environ, **_ENVIRONMENT, **env})  # noqa: S606
        self.resize(*size)
        self.screen = screen or Screen(*size)
        self.bytes = self.burst = self._running = 0
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._read_at = self.begun

    def resize(self, columns: int, lines: int) -> None:
        """Gives the terminal another size; the screen has to be told by itself."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))

    def wait(self, seen: Callable[[list[str]], object]) -> float:
        """Reads until the screen looks so; the time in ms from the program's start."""
        deadline = time.perf_counter() + _WAIT_S
        while not seen(self.screen.lines):
            self._read(0.5)
            if time.perf_counter() > deadline:
                raise TimeoutError("\n".join(self.screen.lines))
        return (self._read_at - self.begun) * 1e3

    def first_byte(self) -> float:
        """The time in ms from the program's start to the first byte that it writes."""
        self._read(_WAIT_S)
        return (self._read_at - self.begun) * 1e3

    def press(self, keys: str, quiet: float = 0.25, first: float = 0.0) -> int:
        """Presses a key and counts the bytes that come, until none came for `quiet` seconds; the first may
        take longer."""
        before = self.bytes
        self.type(keys)
        if self._read(max(quiet, first)):
            self.settle(quiet)
        return self.bytes - before

    def answer(self, keys: str) -> float:
        """Presses a key; the time in ms to the first byte that comes then."""
        begun = time.perf_counter()
        self.type(keys)
        self._read(_WAIT_S)
        return (self._read_at - begun) * 1e3

    def type(self, keys: str) -> None:
        """Presses keys, or answers as a terminal does; a surrogate is a byte that is not UTF-8."""
        os.write(self._terminal, keys.encode("utf-8", "surrogateescape"))

    def settle(self, quiet: float) -> None:
        """Reads until nothing came for `quiet` seconds."""
        while self._read(quiet):
            pass

    def rest(self, quiet: float) -> float:
        """Reads until nothing came for `quiet` seconds; the time in ms from the program's start to what came
        last."""
        self.settle(quiet)
        return (self._read_at - self.begun) * 1e3

    def read_for(self, seconds: float) -> None:
        """Reads for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:  # the program has ended
            return False
        now = time.perf_counter()
        self._running = len(data) + (self._running if now - self._read_at < _PAUSE_S else 0)
        self.burst = max(self.burst, self._running)
        self._read_at = now
        self.bytes += len(data)
        answer = self.screen.feed(self._decode(data))
        if answer:
            self.type(answer)
        return True

    @property
    def flags(self) -> int:
        """How the terminal treats what is typed (local modes of termios)."""
        modes: int = termios.tcgetattr(self._terminal)[3]
        return modes

    @property
    def memory(self) -> float:
        """Resident memory in MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    @property
    def processor(self) -> float:
        """Processor time used so far, in seconds."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(one.read_text().split()[0]) for one in threads) / 1e9

    def end(self) -> None:
        """Kills the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


@contextmanager
def on_terminal(
    argv: Command,
    env: Mapping[str, str] | None = None,
    size: tuple[int, int] = (80, 24),
    screen: Shown | None = None,
) -> Iterator[Program]:
    """A started program, killed at the end."""
    program = Program(argv, env or {}, size, screen)
    try:
        yield program
    finally:
        program.end()
