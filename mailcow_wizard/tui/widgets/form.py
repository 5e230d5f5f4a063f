"""Rows with values that can be changed in their place, each with what speaks against it beside it."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.message import Message

from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.typing_line import TypingLine
from mailcow_wizard.tui.widgets.lines import Lines, Part

_LABEL = 20
_LONGEST_LABEL = 30
_LEAST_VALUE = 16
_LONGEST_VALUE = 40
_HIDDEN = "••••••••"


class FormRow(NamedTuple):
    """A row as it is drawn. `choices` are values and words, none where any text is possible; `status` is how
    the remark is drawn; `changed` says that the value is not the file's."""

    key: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    status: str = ""
    remark: str = ""
    changed: bool = False
    secret: bool = False

    @property
    def word(self) -> str:
        """The value in words."""
        if self.secret:
            return _HIDDEN if self.value else ""
        return dict(self.choices).get(self.value, self.value)


_MOVES = {
    **dict.fromkeys(("up", "k", "shift+tab"), -1),
    **dict.fromkeys(("down", "j", "tab"), 1),
    "pageup": -10,
    "pagedown": 10,
    "home": -9999,
    "end": 9999,
}
_CHOOSES = {"space": 1, "right": 1, "left": -1}


class Form(Lines, can_focus=True):
    """One line a row. Enter types or chooses; what is typed is told at each key.

    No bindings: they are looked up later than keys are typed, so that of keys that follow each other fast
    some would overtake others.
    """

    class Moved(Message):
        """The cursor is on another row, or typing began or ended."""

    class TakenBack(Message):
        """A row shall have the value that it had."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Changed(Message):
        """A row has another value."""

        def __init__(self, key: str, value: str) -> None:
            super().__init__()
            self.key = key
            self.value = value

    def __init__(self, look: Look, id: str | None = None) -> None:
        super().__init__(id=id)
        self._look = look
        self._rows: Sequence[FormRow] = ()
        self.cursor = 0
        self._typing: TypingLine | None = None
        self._before = ""

    @property
    def row(self) -> FormRow | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def typing(self) -> bool:
        """Whether a value is typed at this moment."""
        return self._typing is not None

    def show(self, rows: Sequence[FormRow]) -> None:
        """Shows rows; the cursor stays on its row."""
        self._rows = rows
        self.cursor = max(0, min(self.cursor, len(rows) - 1))
        self._redraw()

    def go_to(self, key: str) -> None:
        """Puts the cursor on a row, without a message."""
        self.cursor = next((place for place, row in enumerate(self._rows) if row.key == key), self.cursor)
        self._redraw()

    def on_resize(self) -> None:
        """Remarks take the room that there is."""
        self._redraw()

    def _redraw(self) -> None:
        if self.size.width:
            self.put([self._line(number, row) for number, row in enumerate(self._rows)])
            self.keep_in_view(self.cursor)

    def _line(self, number: int, row: FormRow) -> list[Part]:
        look = self._look
        here = number == self.cursor
        typing = self._typing if here else None
        longest = max((len(one.label) for one in self._rows), default=0)
        label = max(_LABEL, min(longest, _LONGEST_LABEL))
        value = max(_LEAST_VALUE, min((self.size.width - label - 6) // 2, _LONGEST_VALUE))
        room = max(0, self.size.width - label - value - 6)
        remark = look.text(row.remark)
        if cell_len(remark) > room - 2:
            remark = set_cell_size(remark, max(0, room - 3)).rstrip() + look.glyphs.ellipsis
        mark = f"{look.glyph(row.status)} " if row.status else "  "
        return [
            (f"{look.glyphs.cursor} " if here else "  ", look.bold),
            (
                set_cell_size(look.text(row.label), label),
                look.selected if here and not typing else look.plain,
            ),
            (" * " if row.changed else "   ", look.bold),
            *(self._typed(row, typing, value) if typing else self._value(row, value)),
            (" ", look.plain),
            (mark + remark if room > 2 else "", look.state(row.status) if row.status else look.dim),
        ]

    def _value(self, row: FormRow, width: int) -> list[Part]:
        look = self._look
        word = look.text(row.word)
        if cell_len(word) > width:
            word = set_cell_size(word, width - 1) + look.glyphs.ellipsis
        return [(set_cell_size(word, width), look.bold if row.changed else look.plain)]

    def _typed(self, row: FormRow, typing: TypingLine, width: int) -> list[Part]:
        """The text around the cursor, underlined."""
        look = self._look
        shown = "*" * len(typing.text) if row.secret else look.text(typing.text) + " "
        start = max(0, typing.place - width + 1)
        shown = shown.ljust(start + width)[start : start + width]
        place = typing.place - start
        return [
            (shown[:place], look.underlined),
            (shown[place : place + 1], look.selected),
            (shown[place + 1 :], look.underlined),
        ]

    def on_key(self, event: events.Key) -> None:
        """Takes the form's keys; all keys while a value is typed."""
        if self._typing is not None:
            self._key_typed(event, self._typing)
        elif event.key in _MOVES:
            self._move(_MOVES[event.key])
        elif event.key in _CHOOSES:
            self._choose(_CHOOSES[event.key])
        elif event.key == "enter":
            self._change()
        elif event.key == "d" and self.row:
            self.post_message(self.TakenBack(self.row.key))
        else:
            return
        event.stop()
        event.prevent_default()

    def _key_typed(self, event: events.Key, typing: TypingLine) -> None:
        if event.key in ("enter", "tab", "down", "up", "shift+tab"):
            self._end()
            self._move(_MOVES.get(event.key, 0))
        elif event.key == "escape":
            self._tell(self._before)
            self._end()
        elif event.is_printable and event.character:
            self._type(typing.typed(event.character))
        else:
            self._type(typing.key(event.key) or typing)

    def on_paste(self, event: events.Paste) -> None:
        """Takes pasted text while a value is typed."""
        if self._typing is not None:
            event.stop()
            self._type(self._typing.typed(event.text.strip()))

    def _type(self, typing: TypingLine) -> None:
        told = self._typing is not None and typing.text != self._typing.text
        self._typing = typing
        if told:
            self._tell(typing.text)
        self._redraw()

    def _tell(self, value: str) -> None:
        if self.row:
            self.post_message(self.Changed(self.row.key, value))

    def _end(self) -> None:
        self._typing = None
        self._redraw()
        self.post_message(self.Moved())

    def _move(self, by: int) -> None:
        """Moves the cursor."""
        to = max(0, min(self.cursor + by, len(self._rows) - 1))
        if to != self.cursor:
            self.cursor = to
            self._redraw()
            self.post_message(self.Moved())

    def _change(self) -> None:
        """Begins to type, or takes the next choice. What is typed of a secret begins empty."""
        row = self.row
        if row and row.choices:
            self._choose(1)
        elif row:
            self._before = row.value
            self._typing = TypingLine.of("" if row.secret else row.value)
            self._redraw()
            self.post_message(self.Moved())

    def _choose(self, by: int) -> None:
        """Takes another choice."""
        row = self.row
        if row and row.choices:
            values = [value for value, _unused in row.choices]
            place = values.index(row.value) if row.value in values else -1
            self._tell(values[(place + by) % len(values)])
