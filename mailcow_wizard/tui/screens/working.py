"""The live log of a change; then what the check says now, and what can be done next."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import ClassVar

from textual.binding import Binding, BindingType

from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.planned import broken, parts_of
from mailcow_wizard.tui.screens.log import Log
from mailcow_wizard.tui.widgets.lines import Part
from mailcow_wizard.tui.work import Work, asks_back, can_go_back, ending


class Working(Log[str]):
    """Ends with `back` when what was done is to be taken back, with `undo` when that is to be shown first,
    with nothing otherwise; the work goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,n", "dismiss", "close", show=False),
        Binding("q", "quit_wizard", "quit", show=False),
        Binding("y", "yes", "yes", show=False),
        Binding("u", "undo", "take back", show=False),
        Binding("s", "stop", "stop", show=False),
    ]

    def __init__(self, look: Look, work: Work, stop: Callable[[], None], keep: Callable[[], None]) -> None:
        super().__init__(look)
        self._work = work
        self._stop = stop
        self._keep = keep

    def title_parts(self) -> Sequence[Part]:
        """What is done."""
        return [(f" {self.look.text(self._work.title)}", self.look.bold)]

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """What the work said."""
        return [
            parts_of(line._replace(text=part), self.look)
            for line in tuple(self._work.lines)
            for part in broken(line.text, width)
        ]

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """How it stands, and the keys."""
        look = self.look
        state, sentences, keys = ending(self._work)
        glyph = look.glyph(state) if state else look.glyphs.running
        style = look.state(state)
        lines: list[list[Part]] = []
        for number, sentence in enumerate(sentences):
            for part in wrap(look.text(sentence), max(10, width - 2), break_on_hyphens=False):
                mark = f" {glyph} " if not lines else "   "
                lines.append([(mark, style), (part, style if number == 0 else look.plain)])
        return [*lines, self.keys(keys)]

    def draw(self) -> None:
        """Draws what is different now; a question that was seen here and closed is not brought up again."""
        super().draw()
        if self._work.confirming and self.has_parts:
            self._work.asked = True

    def action_yes(self) -> None:
        """A yes to the question whether all is well, or whether to take back what was done before a step
        failed: that ends it."""
        if self._work.confirming and not self._work.stopping:
            self._keep()
            self.draw()
        elif asks_back(self._work):
            self.dismiss("back")

    async def action_quit_wizard(self) -> None:
        """Asks whether to leave, where the work goes on; else back to the list."""
        if self._work.running:
            await self.app.run_action("leave")
        else:
            self.dismiss()

    def action_undo(self) -> None:
        """Ends with the wish to see what taking it back would do."""
        if can_go_back(self._work):
            self.dismiss("undo")

    def action_stop(self) -> None:
        """Asks the work to stop after the step that it is at; what takes back is not taken back midway, and
        what only looks again has no step left."""
        work = self._work
        if work.running and not (work.stopping or work.back or work.looking):
            self._work.stopping = True
            self._stop()
            self.draw()
