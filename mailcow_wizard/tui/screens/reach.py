"""The way in: the line to paste elsewhere, the time left, and each port as the knocks arrive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.binding import Binding, BindingType

from mailcow_wizard.checks.firewall_inbound import UNSURE
from mailcow_wizard.language import _
from mailcow_wizard.report.reach import STATES
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part, cut

if TYPE_CHECKING:
    from mailcow_wizard.engine.reach import Verdict
    from mailcow_wizard.tui.reach_proof import Row, ShownProof

_TICK_S = 1.0
_LOW = 20
_WIDE_FROM = 100
_SERVICE = (12, 21)
_MARKS = {
    "arrived": "pass",
    "never arrived": "fail",
    "refused on the way": "fail",
    "closed here": "fail",
    "waiting": "waiting",
}
_SHORT = {
    "refused on the way": _("refused before us"),
    "answered by something else": _("another answers"),
    "open, and nothing is heard": _("open, silent"),
    "open, and not known whose it is": _("open, whose?"),
    "not asked: no way from there": _("no way from there"),
    "not asked: that line lets no port 25 out": _("line blocks 25"),
    "not asked: that line may let no port 25 out": _("line may block 25"),
    "asked from this network only": _("asked from inside"),
}
PUT_ADDRESS = _("ADDRESS in this line: put this server's public address in its place.")
"""Where the server's own address is not known."""
_MEANS = {
    "never arrived": _(
        "it never arrived: a firewall before this machine drops it. See the "
        "provider's control panel, or the router."
    ),
    "refused on the way": _(
        "it was refused before it came here. See the firewall in the provider's control panel, or the router."
    ),
    "closed here": _(
        "it came to this machine, whose own rules or service did not take it: see the "
        "checks of the firewall and of the ports."
    ),
    "answered by something else": _(
        "somebody before this machine, or on the line that asked, "
        "answered in its place. Ask from another line."
    ),
    "open, and nothing is heard": _(
        "it opened, and no greeting came: something on the way takes connections in its place, or lets no "
        "answer through. Ask from another line."
    ),
    "open, and not known whose it is": _(
        "it is open, but whose server answered could not be told. Run the wizard with sudo, and ask again."
    ),
}


class ReachScreen(Sheet[None]):
    """`do` is told what a key asks for, and the line that is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "do('copy')", "copy the line", show=False),
        Binding("p", "do('whole')", "the whole line, to select it", show=False),
        Binding("t", "do('typed')", "type in what the other machine shows", show=False),
        Binding("tab,o", "other", "the line for another kind of machine", show=False),
        Binding("escape,q", "do('leave')", "stop listening", show=False),
    ]

    def __init__(self, look: Look, shown: ShownProof, do: Callable[[str, str], None]) -> None:
        super().__init__(look)
        self._shown = shown
        self._do = do
        self._kind = 0
        self._notice = ""

    def on_mount(self) -> None:
        """Draws everything; then the clock, once a second."""
        super().on_mount()
        self.set_interval(_TICK_S, self._tick)

    def _tick(self) -> None:
        if self._shown.listening and self.is_mounted:
            self.draw()

    def title_parts(self) -> Sequence[Part]:
        """What it is, and how long it goes on."""
        look, shown = self.look, self._shown
        if shown.listening:
            minutes, seconds = divmod(shown.seconds_left, 60)
            if shown.all_arrived:
                said = [(_("All ports are reached from outside"), look.state("pass") + look.bold)]
            else:
                said = [(_("listening, ends in") + " ", look.plain), (f"{minutes}:{seconds:02}", look.bold)]
            return [(" " + _("Reached from outside") + "  ", look.bold), *said]
        if shown.problem:
            return [(f" {look.text(shown.problem)}", look.state("warn"))]
        over = _("the listeners have ended") if shown.rows else _("opening the ports…")
        return [(" " + _("Reached from outside") + "  ", look.bold), (look.text(over), look.plain)]

    @property
    def _line(self) -> str:
        lines = self._shown.lines
        return lines[self._kind % len(lines)].text if lines else ""

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """The line to paste, and the ports."""
        look, shown = self.look, self._shown
        lines: list[list[Part]] = []
        roomy = self.size.height >= _LOW
        if shown.lines and shown.listening:
            kind = shown.lines[self._kind % len(shown.lines)]
            lines.append(
                [
                    (" " + _("Paste this on") + " ", look.plain),
                    (kind.title, look.bold),
                    (" " + _("outside this network:"), look.plain),
                ]
            )
            lines.append(
                [(" ", look.plain), (cut(kind.text, width, look.glyphs.ellipsis), look.state("unknown"))]
            )
            if not shown.address_known:
                lines.append([(f" {PUT_ADDRESS}", look.bold)])
            lines += [[]] if roomy else []
        return [*lines, *(self._row(row, width) for row in shown.rows)]

    def _row(self, row: Row, width: int) -> list[Part]:
        look = self.look
        room = _SERVICE[self.size.width >= _WIDE_FROM]
        service = row.target.service.removeprefix("Postfix ").removeprefix("Dovecot ")
        states = {_MARKS.get(one.state, "unknown") for _unused, one in row.verdicts}
        state = next((one for one in ("fail", "waiting", "unknown") if one in states), "pass")
        parts: list[Part] = [
            (f" {self._glyph(state)}", self._style(state)),
            (f" {row.target.port:>5} ", look.bold),
            (set_cell_size(cut(service, room, look.glyphs.ellipsis), room), look.plain),
        ]
        left = width - sum(cell_len(text) for text, _unused in parts)
        each = max(12, left // max(1, len(row.verdicts)))
        for family, verdict in row.verdicts:
            mark = _MARKS.get(verdict.state, "unknown")
            said = f"v{family} {look.text(_said(verdict))}" if len(row.verdicts) > 1 else _said(verdict)
            parts.append(
                (set_cell_size(cut(f" {said}", each, look.glyphs.ellipsis), each), self._style(mark))
            )
        return parts

    def _glyph(self, state: str) -> str:
        return self.look.glyph("running" if state == "waiting" else state)

    def _style(self, state: str) -> Style:
        return self.look.dim if state == "waiting" else self.look.state(state)

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """What the worst of it means, notes, the keys."""
        look = self.look
        keys = [[(f" {look.text(self._notice)}", look.bold)]] if self._notice else [self.keys(self._keys())]
        if self.size.height < _LOW:
            return keys
        said = self._explained() or self._hint()
        lines = [one for text in said for one in wrap(look.text(text), max(20, width))][:3]
        shown: list[list[Part]] = [[(f" {one}", look.plain)] for one in lines]
        return [*shown, *([[]] * (3 - len(shown))), *keys]

    def _explained(self) -> list[str]:
        """What the first port that is not reached means, and what else there is to say."""
        for row in self._shown.rows:
            for family, one in row.verdicts:
                if one.state in _MEANS:
                    said = [_("What answered said: “{said}”", said=one.said)] if one.said else []
                    return [
                        _(
                            "Port {port}, IPv{family}: {means}",
                            port=row.target.port,
                            family=family,
                            means=(UNSURE if one.how == "told" else {}).get(one.state) or _MEANS[one.state],
                        ),
                        *said,
                        *self._shown.notes,
                    ]
        return list(self._shown.notes)

    def _hint(self) -> list[str]:
        if self._shown.all_arrived:
            return [_("Every port was asked from outside, and answered. The check says so for seven days.")]
        if not self._shown.listening or self._shown.told:
            return []
        if self._shown.desk:
            return [_("The machine where --ssh was started knocks by itself now.")]
        return [
            _(
                "Any machine with another line will do: a rented server, a computer at home. Only "
                "whoever has this line is answered. If it says there that nothing arrived: t, and paste it."
            )
        ]

    def _keys(self) -> list[tuple[str, str]]:
        if not self._shown.listening:
            return [("Esc", _("back"))]
        end = _("back") if self._shown.all_arrived else _("stop listening")
        return [
            ("c", _("copy")),
            ("p", _("show it whole")),
            ("Esc", end),
            ("Tab", _("other machine")),
            ("t", _("its report")),
        ]

    def action_other(self) -> None:
        """The line for the next kind of machine."""
        self._kind += 1
        self._notice = ""
        self.draw()

    def action_do(self, what: str) -> None:
        """Hands on what a key asks for."""
        line = self._line
        if what != "leave" and not line:
            return
        self._notice = ""
        if what == "copy":
            self._notice = _("Sent to the clipboard, where the terminal allows it; p shows it whole.")
            if not self._shown.address_known:
                self._notice = PUT_ADDRESS
        self._do(what, line)
        if self.is_mounted:
            self.draw()


def _said(verdict: Verdict) -> str:
    if verdict.state == "arrived":
        return _("from {peer}", peer=verdict.peer) if verdict.peer else _("arrived")
    return _SHORT.get(verdict.state) or STATES.get(verdict.state, verdict.state)
