"""What can be done about a finding: the choices, best first, each with its consequence."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import ClassVar

from textual.binding import Binding, BindingType

from mailcow_wizard.fixes import Offer
from mailcow_wizard.language import _
from mailcow_wizard.model import Plan
from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.planned import is_calm, terms
from mailcow_wizard.tui.screens.decision import Asked, Decision
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part, cut
from mailcow_wizard.typed import NamedTuple

_INDENT = 6


class Planned(NamedTuple):
    """A choice's plan, or why there is none; neither while the machine is still asked."""

    plan: Plan | None = None
    problem: str = ""


class Choices(Sheet[Plan]):
    """Ends with the plan that was read and agreed to; with nothing on Esc. A no leads back to the choices."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("home", "move(-99)", "first", show=False),
        Binding("end", "move(99)", "last", show=False),
        Binding("enter", "choose", "show the plan", show=False),
        Binding("escape,q,f", "dismiss", "back", show=False),
        *(Binding(str(number), f"take({number})", "show this plan", show=False) for number in range(1, 10)),
    ]

    def __init__(self, look: Look, row: Row, root: bool, ask: Callable[[Plan], Asked]) -> None:
        super().__init__(look)
        self._row = row
        self._root = root
        self._ask = ask
        self._offers: Sequence[Offer] = ()
        self._plans: list[Planned] = []
        self._cursor = 0
        self._problem = ""
        self._wanted = False
        self._starts: list[int] = []

    def offer(self, offers: Sequence[Offer]) -> None:
        """Shows what is on offer."""
        self._offers = offers
        self._plans = [Planned() for _unused in offers]
        self.draw()

    def planned(self, number: int, planned: Planned) -> None:
        """Shows what one of the choices would do."""
        self._plans[number] = planned
        self.draw()
        if self._wanted and number == self._cursor:
            self._show_plan(planned)

    def failed(self, problem: str) -> None:
        """Says why there is nothing to choose."""
        self._problem = problem
        self.draw()

    def title_parts(self) -> Sequence[Part]:
        """The finding that it is about."""
        finding = self._row.finding
        style = self.look.state(self._row.status)
        summary = self.look.text(finding.summary) if finding else ""
        glyph = self.look.glyph(self._row.status)
        title = f" {self._row.check.title} "
        room = max(0, self.size.width - len(title) - 4)
        return [(title, self.look.bold), (f" {glyph} {cut(summary, room, self.look.glyphs.ellipsis)}", style)]

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """For each choice its name, what it would do, what kind of change it is."""
        look = self.look
        if self._problem:
            return [[], *([(f" {one}", look.plain)] for one in _wrapped(look.text(self._problem), width))]
        if not self._offers:
            return [[], [(" " + look.text(_("Looking at what can be done…")), look.plain)]]
        lines: list[list[Part]] = []
        self._starts = []
        for number, (offer, planned) in enumerate(zip(self._offers, self._plans, strict=True)):
            here = number == self._cursor
            lines += [[]] if number else []
            self._starts.append(len(lines))
            title = _wrapped(look.text(offer.fix.title), width)
            marks: list[Part] = [
                (f" {look.glyphs.cursor} " if here else "   ", look.bold),
                (f"{number + 1}  ", look.bold),
            ]
            for part in title:
                lines.append([*marks, (part, look.selected if here else look.bold)])
                marks = [(" " * _INDENT, look.plain)]
            style = look.dim if is_calm(offer.fix) else look.state("warn")
            said = (
                (self._consequence(planned), look.plain),
                (look.text(terms(offer.fix, self._root)), style),
            )
            lines += [[(" " * _INDENT + one, style)] for text, style in said for one in _wrapped(text, width)]
        self._starts.append(len(lines))
        return lines

    def _consequence(self, planned: Planned) -> str:
        if planned.plan:
            return self.look.text(planned.plan.consequence)
        return self.look.text(planned.problem or _("Looking at what it would do…"))

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """The keys."""
        if not self._offers:
            return [self.keys([("Esc", _("back to the list"))])]
        keys = [
            ("Enter", _("show the plan, changes nothing yet")),
            (_("arrows"), _("move")),
            ("Esc", _("back")),
        ]
        return [self.keys(keys)]

    def action_move(self, by: int) -> None:
        """Moves the cursor; the choice under it stays in view."""
        if not self._offers:
            return
        self._cursor = max(0, min(self._cursor + by, len(self._offers) - 1))
        self._wanted = False
        self.draw()
        self.see_cursor()

    def see_cursor(self) -> None:
        """The choice under the cursor."""
        self.draw_rule()
        if not self._offers or not self._starts:
            return
        top, height = self.text.scroll_offset.y, self.text.size.height
        first, end = self._starts[self._cursor], self._starts[self._cursor + 1]
        if first < top:
            self.scroll_text(first)
        elif end > top + height:
            self.scroll_text(min(first, end - height))

    def action_take(self, number: int) -> None:
        """Takes a choice by its number."""
        if number <= len(self._offers):
            self.action_move(number - 1 - self._cursor)
            self.action_choose()

    def action_choose(self) -> None:
        """Shows the plan under the cursor, as soon as it is known."""
        if self._offers:
            self._wanted = True
            self._show_plan(self._plans[self._cursor])

    def _show_plan(self, planned: Planned) -> None:
        plan = planned.plan
        if plan is None or not self.is_current:
            return
        self._wanted = False

        def answered(answer: str | None) -> None:
            if answer == "y":
                self.dismiss(plan)

        self.app.push_screen(Decision(self.look, self._ask(plan)), answered)


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, max(10, width - _INDENT), break_on_hyphens=False)
