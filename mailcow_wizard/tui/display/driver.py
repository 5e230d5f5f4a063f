"""Textual's driver for this layer: what it is told to write goes through the model of the screen.

When it meets something that it does not know it steps aside: the terminal shows by then what Textual thinks
it shows, and from there on gets Textual's own output.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, cast

from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition, Resize

from mailcow_wizard.host.terminal.abilities import adds_returns
from mailcow_wizard.host.terminal.full_screen import ALTERNATE, bounded
from mailcow_wizard.host.terminal.keyboard import Keyboard, hang_up
from mailcow_wizard.tui.display.painter import REPEATED, Painter, can_repeat
from mailcow_wizard.tui.display.pens import CLEAR, RESET, NotUnderstood
from mailcow_wizard.tui.display.received import Received
from mailcow_wizard.tui.display.screen import BEGIN, END, Screen, sets_a_mode

if TYPE_CHECKING:
    from io import TextIOWrapper

    from textual.app import App
    from textual.message import Message

    from mailcow_wizard.host.terminal.abilities import Drawing
    from mailcow_wizard.host.terminal.full_screen import FullScreen

_WHOLE = "\x1b[?6l\x1b[r\x1b(B\x0f\x1b[?7l\x1b[?25l"
"""No margins, no line-drawing letters, no wrapping, no cursor: what other output may have changed."""
_PATIENCE_S = 0.004
_TICK_S = ESCAPE_DELAY
"""How long Textual's parser waits to tell the key Esc from the beginning of another."""
_QUIET_S = 5 * _TICK_S
_MOST_WAITING = 256
"""So many keys may wait in here; each takes 2.4 KiB."""
_ONE_PIECE = 256
"""An update of so few bytes arrives at once, and needs no sequence that says where it ends."""
_POINTER, _DEFAULT_POINTER = "\x1b]22;", "\x1b]22;default\x07"


class Outlet:
    """The terminal as a file; says when it has taken all that it was given."""

    def __init__(self, file: IO[str], taken: Callable[[], object]) -> None:
        self._file = file
        self._taken = taken
        self._lock = threading.Lock()
        self._given = self._written = 0
        self._empty = threading.Event()

    def give(self) -> None:
        """Notes that a text is on its way to `write`, from the thread that draws."""
        with self._lock:
            self._given += 1
            self._empty.clear()

    def write(self, text: str) -> None:
        """Writes; called by Textual's writing thread."""
        self._file.write(text)
        self._written += 1

    def flush(self) -> None:
        """Called by that thread when nothing more is waiting."""
        self._file.flush()
        if not self.busy:
            self._empty.set()
            self._taken()

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._file.fileno()

    @property
    def busy(self) -> bool:
        """Whether the terminal has not taken everything yet."""
        return self._given != self._written

    def wait(self, seconds: float) -> None:
        """Lets the writing thread go first, for so long at most."""
        self._empty.wait(seconds)


class DisplayDriver(LinuxDriver):
    """Writes to the terminal what changed."""

    modern = True
    """Whether the terminal knows what the VT220 knew."""
    painted: tuple[FullScreen, Painter] | None = None
    """The terminal as it was taken over, and what it shows already."""
    _continues = False

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._outlet = Outlet(cast("IO[str]", self._file), self._taken)
        self._file = cast("TextIOWrapper", self._outlet)
        self._screen = Screen(0, 0)
        self._painter = Painter(0, 0)
        self._stock = False
        self._shown = False
        self._due = self._late = False
        self._asked = not self.modern
        self._repeats = False
        self._line_feed = "\r\n"
        self._pointer = _DEFAULT_POINTER
        self._first = False
        self._keyboard: Keyboard | None = None
        self._size = self._size or self._get_terminal_size()

    def start_application_mode(self) -> None:
        """Whatever the terminal showed before, it is drawn whole; unless the first screen is there."""
        self._keyboard = Keyboard(self.fileno)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._line_feed = "\n" if adds_returns(self._outlet.fileno()) else "\r\n"
        self._shown = True
        if self.painted:
            self._take_over(*self.painted)
            self.painted = None
        else:
            self._painter = self._new_painter()
            self.redraw()

    def _take_over(self, terminal: FullScreen, painter: Painter) -> None:
        """Goes on from there, and gives the terminal back as it was before all that."""
        self.attrs_before = terminal.attributes
        self._screen = Screen(terminal.columns, terminal.rows)
        self._painter = painter
        # The answer may have been read already.
        painter.repeats = self._repeats
        self._asked = True
        self._first = True
        terminal.hand_over()

    def disable_input(self) -> None:
        """Ends the thread that reads at once: Textual's own notices a tenth of a second later."""
        if self._keyboard:
            self._keyboard.end()
        super().disable_input()
        if self._keyboard:
            self._keyboard.close()
            self._keyboard = None

    def run_input_thread(self) -> None:
        """Hears what is typed. Textual's own wakes ten times a second, and ends the application with a
        traceback at a byte that is not UTF-8, as a terminal that is set to Latin-1 sends."""
        keyboard = self._keyboard
        if not keyboard:
            return
        received = Received(self._debug)
        quiet: float = _QUIET_S
        while (typed := keyboard.wait(_TICK_S if quiet < _QUIET_S else None)) is not None:
            quiet = 0.0 if typed else quiet + _TICK_S
            for message in received.messages(typed):
                self.process_message(message)
            while self._is_behind() and keyboard.rest(_PATIENCE_S):
                pass
        if keyboard.gone:
            hang_up()

    def _is_behind(self) -> bool:
        """Whether the application still has more to deal with than anybody types."""
        try:
            pumps = tuple(self._app._registry)
        except RuntimeError:  # a screen opens at this moment
            return True
        return sum(one.message_queue_size for one in (self._app, *pumps)) > _MOST_WAITING

    def resume_application_mode(self) -> None:
        """Goes on after a stop. One that cannot be heard of (SIGSTOP) left the screen and its thread as they
        were, and the terminal perhaps not."""
        if self._shown:
            self.suspend_application_mode()
        super().resume_application_mode()

    def _sigtstp_application(self, *_unused: object) -> None:
        if self._auto_restart:
            self._between_steps(super()._sigtstp_application)
        else:  # the bare terminal has another text, and no step goes on before that is closed
            super()._sigtstp_application()

    def _sigcont_application(self, *_unused: object) -> None:
        # A terminal that goes away sends SIGHUP and this.
        if self._auto_restart and not self._continues:
            self._continues = True
            self._between_steps(self._go_on)

    def _go_on(self) -> None:
        self._continues = False
        if not self._app._exit:
            super()._sigcont_application()

    def _between_steps(self, act: Callable[[], object]) -> None:
        """Does what a signal asks for when no step of the application is half done: in the midst of one that
        has the lock of the output it would wait for itself."""
        with contextlib.suppress(RuntimeError):  # the application has ended
            self._loop.call_soon_threadsafe(act)

    def stop_application_mode(self) -> None:
        """What was not drawn yet is of no interest any more."""
        if self._shown:
            self._shown = False
            self._send(self._painter.leave())
        super().stop_application_mode()

    def process_message(self, message: Message) -> None:
        """Hears of the input, in a thread of its own."""
        if isinstance(message, CursorPosition):
            self._repeats = self._painter.repeats = (message.x, message.y) == REPEATED
        elif not isinstance(message, Resize):
            super().process_message(message)
        elif self._in_band_window_resize:  # else it was not asked to tell its size
            size = bounded(message.size.width, message.size.height)
            super().process_message(Resize.from_dimensions(size, message.pixel_size))

    def _get_terminal_size(self) -> tuple[int, int]:
        return bounded(*super()._get_terminal_size())

    def write(self, data: str) -> None:
        """Takes Textual's output."""
        if self.painted and data == ALTERNATE:
            return
        if self._stock or sets_a_mode(data):
            self._send(data)
            return
        self._fit()
        try:
            others = self._screen.feed(data)
        except NotUnderstood:
            self._step_aside()
            self._send(data)
            return
        for one in others:
            if one.startswith(_POINTER):
                # Textual sets the shape of the mouse's pointer again with every screen.
                if one == self._pointer:
                    continue
                self._pointer = one
            self._send(one)

    def flush(self) -> None:
        """Textual has drawn something."""
        if not self._due and not self._loop.is_closed():
            self._due = True
            self._loop.call_soon_threadsafe(self._paint)

    def resized(self, columns: int, rows: int) -> None:
        """The terminal may have moved what it shows, or thrown it away; not when this is its first size."""
        if not self._first or (columns, rows) != (self._screen.width, self._screen.height):
            self.redraw()

    def redraw(self, whole: bool = False) -> None:
        """Draws everything again; `whole`: other output may have changed how the terminal draws."""
        self._painter.forget()
        if whole and self._shown:
            self._send(_WHOLE)
        self.flush()

    def _fit(self) -> None:
        width, height = self._app.size
        if (width, height) != (self._screen.width, self._screen.height):
            self._screen = self._screen.of_size(width, height)
            self._painter = self._new_painter()

    def _new_painter(self) -> Painter:
        painter = Painter(self._screen.width, self._screen.height, self.modern, self._line_feed)
        painter.repeats = self._repeats
        return painter

    def _paint(self) -> None:
        self._due = False
        if self._stock or not self._shown or not self._screen.drawn:
            return
        # Over a line that is slower than the wizard only the newest state is of interest.
        self._late = self._outlet.busy
        if self._late:
            return
        try:
            update = self._painter.paint(self._screen.rows, self._screen.cursor)
            self._first = False
        except Exception:
            self._stock = True
            self._send(RESET + CLEAR)
            self._app.refresh(layout=True)
            return
        if not self._asked:
            self._asked = True
            update = can_repeat() + update
        self._send_update(update)
        self._outlet.wait(_PATIENCE_S)

    def _send_update(self, update: str) -> None:
        if len(update) > _ONE_PIECE and self._screen.sync:
            update = f"{BEGIN}{update}{END}"
        self._send(update)

    def _send(self, data: str) -> None:
        if data:
            self._outlet.give()
            super().write(data)

    def _taken(self) -> None:
        """Called by the writing thread: what was drawn meanwhile can follow."""
        if self._late:
            self.flush()

    def _step_aside(self) -> None:
        self._stock = True
        if self._shown:
            self._send(self._painter.paint(self._screen.rows, self._screen.cursor) + self._painter.leave())


class OldTerminalDriver(DisplayDriver):
    """The same for a terminal that is older than the VT220."""

    modern = False


def driver_for(
    drawing: Drawing, painted: tuple[FullScreen, Painter] | None = None
) -> type[DisplayDriver] | None:
    """The driver to use; None for Textual's own, also where that is not built as this layer expects.
    `painted`: the terminal that shows the first screen already."""
    if drawing.plain or not _is_as_expected():
        return None
    kind = DisplayDriver if drawing.modern else OldTerminalDriver
    # Textual makes its driver itself, and knows no argument for this.
    return type(kind.__name__, (kind,), {"painted": painted}) if painted else kind


def _is_as_expected() -> bool:
    """Whether Textual's driver has the parts that are used and replaced here."""
    parts = (
        *("write", "flush", "stop_application_mode", "resume_application_mode", "suspend_application_mode"),
        *("disable_input", "run_input_thread", "process_message", "_get_terminal_size"),
    )
    if not all(callable(getattr(LinuxDriver, name, None)) for name in parts):
        return False
    used = (LinuxDriver.__init__, LinuxDriver.start_application_mode, LinuxDriver.run_input_thread)
    names = {name for one in used for name in one.__code__.co_names}
    return {"_file", "WriterThread", "_run_input_thread", "XTermParser", "_in_band_window_resize"} <= names
