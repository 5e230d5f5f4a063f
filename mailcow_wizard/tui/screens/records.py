"""All DNS records by domain, in the order of need; and the waiting until they are right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.timer import Timer

from mailcow_wizard.engine import watching
from mailcow_wizard.facts.dns.standing import Standing, standings
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.tui import record_words as words
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part, cut
from mailcow_wizard.typed import NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.tui.book import Book

_WIDE_FROM = 100
_LOW = 16
_MOST_NAME = 32
_TICK_S = 1.0
_SERVER_LINES = (6, 9)
_NAME_ROOM = (16, 30)


class _Place(NamedTuple):
    """A line that the cursor can be on: a domain's heading (empty: the server's), or one of its rows."""

    domain: str
    row: Row | None


class RecordsScreen(Sheet[None]):
    """A list with a cursor. `do` is told what a key asks for, the row under the cursor, and its domain."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "move(-10)", "page up", show=False),
        Binding("pagedown,space", "move(10)", "page down", show=False),
        Binding("home", "move(-9999)", "first", show=False),
        Binding("end", "move(9999)", "last", show=False),
        Binding("enter", "do('open')", "the record in full", show=False),
        Binding("c", "do('copy')", "copy the value", show=False),
        Binding("w", "do('watch')", "wait until all is right", show=False),
        Binding("v", "do('certificate')", "the names on the certificate", show=False),
        Binding("r", "do('again')", "ask again", show=False),
        Binding("f", "do('publish')", "publish", show=False),
        Binding("plus", "do('add')", "add a mail domain", show=False),
        Binding("minus", "do('remove')", "leave a mail domain out", show=False),
        Binding("f1,question_mark", "do('help')", "help", show=False),
        Binding("escape,q,t", "dismiss", "back", show=False),
    ]

    def __init__(self, look: Look, book: Book, do: Callable[[str, Row | None, str], None]) -> None:
        super().__init__(look)
        self._book = book
        self._do = do
        self._cursor = 0
        self._places: list[_Place] = []
        self._notice = ""
        self._seconds: Timer | None = None

    def on_mount(self) -> None:
        """Draws everything."""
        self._seconds = self.set_interval(_TICK_S, self._tick, pause=True)
        super().on_mount()

    def _tick(self) -> None:
        self._do("tick", None, "")

    def draw(self) -> None:
        """Draws what is different now; the clock runs only while something is waited for."""
        if not self.is_mounted:
            return
        self._fill()
        if self._seconds:
            (self._seconds.resume if self._book.watching else self._seconds.pause)()
        super().draw()

    def _fill(self) -> None:
        """Lists the lines anew; at first the cursor goes to a row that somebody has to do something about."""
        rows = self._book.rows
        new = not any(one.row for one in self._places)
        self._places = [_Place("", one) for one in rows if not one.expected.domain]
        self._places[:0] = [_Place("", None)] if self._places else []
        for domain in self._book.domains:
            self._places.append(_Place(domain, None))
            self._places += [_Place(domain, one) for one in rows if one.expected.domain == domain]
        if new and rows:
            hands = [n for n, one in enumerate(self._places) if one.row and words.needs_hands(one.row)]
            self._cursor = next(iter(hands), 1)
            self.call_after_refresh(self.see_cursor)
        self._cursor = max(0, min(self._cursor, len(self._places) - 1))

    @property
    def _here(self) -> _Place:
        return self._places[self._cursor] if self._places else _Place("", None)

    def say(self, notice: str) -> None:
        """Shows a notice in the place of the keys, until the cursor moves."""
        self._notice = notice
        self.draw_foot()

    def title_parts(self) -> Sequence[Part]:
        """What is to be done; while it waits, how far it is."""
        look, book = self.look, self._book
        if book.right_since is not None:
            said = " " + _("on every server that was asked. The checks run again.")
            return [(" " + _("All is right"), look.state("pass") + look.bold), (said, look.plain)]
        if book.watching and book.watch and not book.problem:
            return [(" " + _("Waiting") + "  ", look.bold), *((part, look.plain) for part in self._waited())]
        if book.problem:
            said = _("This could not be asked: {problem}", problem=harmless(heard(book.problem)))
        elif book.rows:
            said = words.to_do(book.rows)
        else:
            said = _("Asking the name servers…")
        return [(" " + _("DNS records"), look.bold), (f"  {look.text(said)}", look.plain)]

    def _waited(self) -> Sequence[str]:
        """In parts: of what changes each second only the digits are drawn."""
        watch, now = self._book.watch, self._book.now()
        if watch is None:
            return ()
        count = len(watching.waiting(watch))
        begin = ngettext(
            "one is not right yet", "{number} are not right yet", count, number=words.number(count)
        )
        at = watching.next_moment(watch)
        if self._book.asking or at is None or at <= now:
            return (begin, _("; asks now"))
        return (begin, _("; asks again in") + " ", words.duration(max(1, round(at - now))))

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """Headings and rows."""
        lines: list[list[Part]] = []
        self._lines_of: list[int] = []
        longest = max((len(one.expected.name) for one in self._book.rows), default=0)
        for number, place in enumerate(self._places):
            if place.row is None and number and self.size.height >= _LOW:
                lines.append([])
            self._lines_of.append(len(lines))
            here = number == self._cursor
            if place.row:
                lines.append(self._row(place.row, here, min(longest, _MOST_NAME)))
            else:
                lines.append(self._heading(place.domain, here))
        return lines

    def _heading(self, domain: str, here: bool) -> list[Part]:
        look = self.look
        rows = [one.row for one in self._places if one.row and one.domain == domain]
        title = domain or _("The server")
        return [
            (f" {look.glyphs.cursor} " if here else "   ", look.bold),
            (title, look.selected if here else look.bold),
            (f"  {words.counted(rows)}" if rows else "", look.dim),
        ]

    def _row(self, row: Row, here: bool, longest: int) -> list[Part]:
        look = self.look
        state = words.status(row)
        left = f"{self._glyph(state)} {words.state_word(row, self.size.width)} "
        name = set_cell_size(cut(row.expected.name, longest, look.glyphs.ellipsis), longest)
        parts: list[Part] = [
            (f" {look.glyphs.cursor} " if here else "   ", look.bold),
            (left, self._style(state)),
            (name, look.selected if here else look.plain),
            (f" {row.expected.type:<5} ", look.plain),
        ]
        used = sum(cell_len(text) for text, _unused in parts)
        if self._book.watching and row.state.kind != "right":
            return parts + self._servers(row)
        text = look.text(words.value_or_note(row))
        style = look.plain if row.value else look.dim
        return [*parts, (cut(text, self.size.width - used, look.glyphs.ellipsis), style)]

    def _servers(self, row: Row) -> list[Part]:
        """A mark for each server: the zone's own, then resolvers; and how long those may keep it."""
        look = self.look
        stand = standings(row.seen, row.right)
        zone = [one for one in stand if one.whose == "zone"]
        others = [one for one in stand if one.whose != "zone"]
        wide = self.size.width >= _WIDE_FROM
        parts: list[Part] = [(_("zone") + " " if zone and wide else "", look.dim), *self._marks(zone, row)]
        between = " " + _("others") + " " if wide else f" {look.glyphs.bar} "
        parts += [(between, look.dim), *self._marks(others, row)] if others else []
        kept = self._left(row, stand)
        return [*parts, (f" {words.duration(kept)}" if kept else "", look.plain)]

    def _marks(self, some: Sequence[Standing], row: Row) -> list[Part]:
        marks = [words.mark_of(one, row) for one in some]
        return [(self._glyph(one), self._style(one)) for one in marks]

    def _left(self, row: Row, stand: Sequence[Standing]) -> int:
        """For how long the slowest resolver may keep what is not right, counted down while it waits."""
        now = self._book.now() if self._book.watching else self._book.heard(row)
        return max((watching.left(one, self._book.heard(row), now) for one in stand), default=0)

    def _glyph(self, state: str) -> str:
        return self.look.glyphs.ellipsis if state == words.ON_ITS_WAY else self.look.glyph(state)

    def _style(self, state: str) -> Style:
        return self.look.state("warn" if state == words.ON_ITS_WAY else state)

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """About the record under the cursor; the keys."""
        look = self.look
        notice = wrap(look.text(self._notice), max(10, width), break_on_hyphens=False)
        keys = [[(f" {part}", look.bold)] for part in notice] or [self.keys(self._keys())]
        height = self.size.height
        if height < _LOW:
            return keys
        row = self._here.row
        count = _SERVER_LINES[height >= 2 * _LOW] if self._book.watching else 1
        about: list[list[Part]] = []
        if row:
            about = [[(f" {look.text(words.what(row))}", look.plain)]]
            about += [[(f" {look.text(words.value_or_note(row))}", look.bold if row.value else look.dim)]]
            if self._book.watching:
                about += server_lines(look, self._book, row, count, width)
            else:
                said = words.sentence(row, self._left(row, standings(row.seen, row.right)))
                about += [[(f" {look.text(said)}", self._style(words.status(row)))]]
        elif self._here.domain:
            about = [[(f" {look.text(self._of_domain(self._here.domain))}", look.plain)]]
        blank: list[list[Part]] = [[]] * (count + 2 - len(about))
        return [*about, *blank, *keys]

    def _of_domain(self, domain: str) -> str:
        rows = [one for one in self._book.rows if one.expected.domain == domain]
        return (
            f"{domain}: {words.to_do(rows)}"
            if rows
            else _("{domain}: nothing is known of it yet", domain=domain)
        )

    def _keys(self) -> list[tuple[str, str]]:
        row = self._here.row
        mine = [("Enter", _("in full")), ("c", _("copy"))] if row else []
        remove = [("-", _("leave out"))] if self._here.domain and len(self._book.domains) > 1 else []
        wait = [("w", _("stop waiting") if self._book.watching else _("wait until right"))]
        publish = [("f", _("publish"))] if self._book.can_publish else []
        rest = [("r", _("again")), ("Esc", _("back")), ("?", _("help")), ("v", _("cert"))]
        return [*mine, *wait, ("+", _("domain")), *remove, *publish, *rest]

    def action_move(self, by: int) -> None:
        """Moves the cursor; it stays in view."""
        self._cursor = max(0, min(self._cursor + by, len(self._places) - 1))
        self._notice = ""
        self.draw()
        self.see_cursor()

    def see_cursor(self) -> None:
        """The record under the cursor."""
        if not self._places:
            return
        # At the top the heading above it is seen too.
        self.keep_in_view(self._lines_of[self._cursor] if self._cursor > 1 else 0)

    def action_do(self, what: str) -> None:
        """Hands on what a key asks for."""
        self._notice = ""
        self._do(what, self._here.row, self._here.domain)
        if self.is_mounted:
            self.draw_foot()


def server_lines(look: Look, book: Book, row: Row, most: int, width: int) -> list[list[Part]]:
    """How a record stands at each server, a line each; where there are too many, those that are behind."""
    stand = list(standings(row.seen, row.right))
    if len(stand) > most:
        behind = [one for one in stand if one.stands != "right"]
        stand = [*behind, *(one for one in stand if one.stands == "right")]
    heard, now = book.heard(row), book.now()
    longest = max((len(one.server) for one in stand), default=0)
    room = _NAME_ROOM[width >= _WIDE_FROM]
    lines: list[list[Part]] = []
    for one in stand[: most if len(stand) <= most else most - 1]:
        server, name, has = words.at_server(one)
        kept = watching.left(one, heard, now)
        mark = words.mark_of(one, row)
        lines.append(
            [
                (f" {look.glyph(mark)} ", look.state(mark)),
                (f"{server:<{longest}} {cut(name, room, look.glyphs.ellipsis):<{room}} ", look.plain),
                *([(_("for") + " ", look.plain), (words.duration(kept), look.plain)] if kept else []),
                (" " + _("still:") + " " if kept else "", look.plain),
                (look.text(has), look.plain),
            ]
        )
    if len(stand) > most:
        lines.append(
            [("   " + _("and {number} more; Enter shows all", number=len(stand) - most + 1), look.dim)]
        )
    return lines
