"""The display layer: what it writes makes a terminal show what Textual's own output would, in fewer bytes."""

import hashlib
import inspect
import random

import pytest
from textual import _compositor, app, driver, strip
from textual.drivers import _writer_thread, linux_driver
from tui.emulator import Emulator

from mailcow_wizard.host.terminal.abilities import Drawing
from mailcow_wizard.tui.display.driver import DisplayDriver, OldTerminalDriver, driver_for
from mailcow_wizard.tui.display.moves import NOWHERE, Moves, Place
from mailcow_wizard.tui.display.painter import Painter
from mailcow_wizard.tui.display.pens import PLAIN, NotUnderstood
from mailcow_wizard.tui.display.screen import Screen, sets_a_mode

_STYLES = (
    *("", "", "1", "31", "1;31", "7", "4", "2", "3", "9", "44", "92", "107", "1;2"),
    *("38;5;12", "48;5;20", "38;2;1;2;3;48;2;4;5;6"),
)
_NARROW, _WIDE = "abc   ─✓é", ("漢", "e\u0301")
_INTERNALS = "79b462b37e371a6d"
SEEDS = range(150)


class Both:
    """What Textual would write goes to one terminal, what the layer makes of it to another."""

    def __init__(self, width: int, height: int, modern: bool = True) -> None:
        self.screen = Screen(width, height)
        self.painter = Painter(width, height, modern, "\n" if height % 2 else "\r\n")
        self.painter.repeats = modern and width % 2 == 0
        self.stock, self.ours = (Emulator(width, height) for _ in range(2))
        for one in (self.stock, self.ours):
            one.feed("\x1b[?7l\x1b[?25l")

    def write(self, output: str) -> str:
        """Returns what was written in its place."""
        before = self.screen.cursor
        self.stock.feed(output)
        assert not self.screen.feed(output)
        written = self.painter.paint(self.screen.rows, self.screen.cursor)
        # As the kernel sends it to a terminal.
        self.ours.feed(written if "\r\n" in written else written.replace("\n", "\r\n"))
        assert [*self.ours.unlike(self.stock)] == []
        if self.screen.cursor != before:
            assert self.ours.cursor == self.stock.cursor
        return written


class Chance:
    """Output as Textual may write it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.width, self.height = self.random.randint(2, 40), self.random.randint(1, 12)
        self.wide = self.random.random() < 0.4

    def output(self) -> str:
        """Some pieces of lines, then the cursor's place."""
        pieces = [self._piece() for _ in range(self.random.randint(1, 8))]
        return "".join([*pieces, self._move(self.random.randrange(self.width))])

    def _move(self, column: int) -> str:
        return f"\x1b[{self.random.randrange(self.height) + 1};{column + 1}H"

    def _piece(self) -> str:
        # Textual never divides a wide character; pieces that might are whole lines here.
        column = 0 if self.wide else self.random.randrange(self.width)
        left = self.width if self.wide else self.random.randint(1, self.width - column)
        out = [self._move(column)]
        while left:
            width = self.random.randint(1, left)
            text = " " * width if self.random.random() < 0.4 else self._text(width)
            style = self.random.choice(_STYLES)
            out.append(f"\x1b[{style}m{text}\x1b[0m" if style else text)
            left -= width
        return "".join(out)

    def _text(self, width: int) -> str:
        text, used = [], 0
        while used < width:
            wanted = self.random.choice(_WIDE if self.wide and self.random.random() < 0.2 else _NARROW)
            taken = 2 if wanted == "漢" else 1
            if used + taken <= width:
                text.append(wanted)
                used += taken
        return "".join(text)


@pytest.mark.seeded
@pytest.mark.parametrize("seed", SEEDS)
def test_any_output_looks_the_same(seed: int) -> None:
    chance = Chance(seed)
    both = Both(chance.width, chance.height, modern=chance.random.random() < 0.8)
    for _ in range(12):
        if chance.random.random() < 0.1:
            both.painter.forget()
            both.ours.feed("\x1b[H\x1b[7mrubbish of another program")
        both.write(chance.output())


def test_what_is_there_already_is_not_written_again() -> None:
    both = Both(20, 3)
    both.write("\x1b[1;1H\x1b[1mhello\x1b[0m world\x1b[1;1H")
    assert both.write("\x1b[1;1H\x1b[1mhello\x1b[0m world\x1b[1;1H") == ""
    assert both.write("\x1b[1;1H\x1b[1mhellO\x1b[0m world\x1b[1;1H") == "\x1b[1mhellO"


def test_the_hidden_cursor_moves_only_when_it_has_another_place() -> None:
    both = Both(20, 3)
    both.write("\x1b[1;1Hfirst\x1b[3;9H")
    assert both.ours.cursor == (8, 2)
    assert both.write("\x1b[2;1Hsecond\x1b[3;9H") == "\x1b[2Hsecond"
    assert both.write("\x1b[3;10H")
    assert both.ours.cursor == (9, 2)
    both.write("\x1b[1;1H\x1b[1mfirst\x1b[0m\x1b[3;10H")
    assert both.painter.leave() == "\x1b[m\x1b[3;10H"


def test_what_becomes_empty_is_erased() -> None:
    both = Both(40, 2)
    both.write(f"\x1b[1;1H{'x' * 40}\x1b[1;1H")
    assert both.write(f"\x1b[1;1Hx{' ' * 39}\x1b[1;1H") == "x\x1b[K"
    both.write(f"\x1b[1;1H{'x' * 40}\x1b[1;1H")
    assert both.write(f"\x1b[1;1Hx{' ' * 30}{'x' * 9}\x1b[1;1H") == "\r\x1b[C\x1b[30X"


@pytest.mark.seeded
@pytest.mark.parametrize("seed", range(60))
def test_what_scrolls_looks_the_same_and_is_not_written_again(seed: int) -> None:
    chance = random.Random(seed)
    width, height = chance.randint(40, 90), chance.randint(8, 30)
    both = Both(width, height)
    side = chance.choice((0, 0, 12))
    first, top, end = 0, chance.randint(0, 2), height - chance.randint(0, 2)
    for _ in range(8):
        first = max(0, first + chance.choice((-3, -1, 1, 1, 2, 4)))
        lines = []
        for row in range(top, end):
            text = f"line {first + row} says {(first + row) ** 3 * 7919}"
            lines.append(
                f"\x1b[{row + 1};1H{f'step {row}':<{side}.{side}}{text:<{width - side}.{width - side}}"
            )
        both.write("".join([*lines, "\x1b[1;1H"]))


def test_a_scrolled_list_costs_its_new_line() -> None:
    both = Both(60, 20)
    for first in range(3):
        lines = (f"\x1b[{row + 1};1H{f'row {first + row} {(first + row) ** 9}':<60}" for row in range(18))
        written = both.write("".join([*lines, "\x1b[20;1H"]))
    assert "row 19" in written
    assert len(written) < 60


def test_what_is_the_same_is_repeated_where_the_terminal_can() -> None:
    both = Both(40, 2)
    assert both.write(f"\x1b[1;1Hab{'─' * 38}\x1b[1;1H").endswith("\x1b[Hab─\x1b[37b\r")
    both.painter.repeats = False
    assert both.write(f"\x1b[1;1Hab{'━' * 38}\x1b[1;1H").endswith(f"ab{'━' * 38}")


def test_a_terminal_older_than_the_vt220_gets_what_it_knows() -> None:
    both = Both(40, 3, modern=False)
    both.write(f"\x1b[1;1H{'x' * 40}\x1b[1;1H")
    written = both.write(f"\x1b[1;1Hx{' ' * 30}{'x' * 9}\x1b[3;9H")
    assert not {*"XGdML"} & {*written}


def test_half_of_a_wide_character_is_written_whole() -> None:
    both = Both(10, 1)
    both.write("\x1b[1;1H漢字 ok    \x1b[1;1H")
    assert "漢" in both.write("\x1b[1;1Ha漢b ok    \x1b[1;1H")
    both.write("\x1b[1;1H漢字 ok    \x1b[1;1H")


def test_after_a_character_of_doubtful_width_no_move_is_relative() -> None:
    moves = Moves(by_column=True)
    assert moves.shortest(Place(0, 95), 104, 0) == "\x1b[9C"
    assert moves.shortest(Place(0, 21), 20, 0) == "\b"
    assert moves.shortest(Place(0, 21, counted=False), 20, 0) == "\x1b[21G"
    assert moves.shortest(Place(0, None), 20, 0) == "\x1b[21G"
    assert moves.shortest(NOWHERE, 20, 0) == "\x1b[1;21H"
    assert moves.shortest(Place(3, 5), 0, 4) == "\r\n"
    assert moves.shortest(Place(3, 5), 5, 4) == "\x1b[B"


@pytest.mark.parametrize("before", _STYLES)
def test_styles_follow_each_other(before: str) -> None:
    for after in _STYLES:
        terminal, expected = Emulator(3, 1), Emulator(3, 1)
        pens = [PLAIN.after(style) for style in (before, after)]
        terminal.feed(f"{PLAIN.to(pens[0])}x{pens[0].to(pens[1])}x")
        expected.feed(f"\x1b[{before}mx\x1b[m\x1b[{after}mx")
        assert [*terminal.unlike(expected)] == []


@pytest.mark.parametrize("output", ["\x1b[3J", "\x1b]8;;https://x\x1b\\x", "\x1b[4:3mx", "\t", "\x1b[38;7mx"])
def test_what_is_not_known_is_said(output: str) -> None:
    with pytest.raises(NotUnderstood):
        Screen(10, 2).feed(f"\x1b[1;1H{output}")


def test_what_scrolls_is_not_modelled() -> None:
    with pytest.raises(NotUnderstood):
        Screen(10, 2).feed("\x1b[2;1Hx\n")


def test_what_draws_nothing_is_passed_on() -> None:
    screen = Screen(10, 2)
    assert screen.feed("\x1b]52;c;eA==\x07\x1b[1;1Hx\x1b[?25l") == ["\x1b]52;c;eA==\x07", "\x1b[?25l"]
    assert sets_a_mode("\x1b[?2004h")
    assert sets_a_mode("\x1b[?2026$p")
    assert not sets_a_mode("\x1b[?2026h")
    assert not sets_a_mode("\x1b[?25lx")


def test_the_terminal_chooses_the_driver() -> None:
    assert driver_for(Drawing(plain=False, modern=True)) is DisplayDriver
    assert driver_for(Drawing(plain=False, modern=False)) is OldTerminalDriver
    assert driver_for(Drawing(plain=True, modern=True)) is None


def test_a_textual_that_is_built_otherwise_draws_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_driver.LinuxDriver, "start_application_mode", lambda self: None)
    assert driver_for(Drawing(plain=False, modern=True)) is None


def test_the_parts_of_textual_that_this_stands_on_are_those_that_were_read() -> None:
    """When this fails: read what changed, run test_display_beside_stock.py with its long tests, renew it."""
    parts = (
        *(app.App._display, app.App._begin_update, app.App._end_update, app.App.suspend),
        *(linux_driver.LinuxDriver, _writer_thread.WriterThread, driver.Driver.suspend_application_mode),
        *(_compositor.LayoutUpdate.render_segments, _compositor.ChopsUpdate.render_segments),
        *(strip.Strip.render_ansi, strip.Strip.render_style, strip.Strip.render),
    )
    source = "".join(map(inspect.getsource, parts))
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == _INTERNALS
