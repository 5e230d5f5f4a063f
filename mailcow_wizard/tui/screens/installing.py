"""The install while it goes on: its stages, how far the one under way is, its log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from mailcow_wizard.language import _
from mailcow_wizard.tui import install_words as words
from mailcow_wizard.tui.look import WORDS, Look
from mailcow_wizard.tui.planned import broken
from mailcow_wizard.tui.screens.log import Log
from mailcow_wizard.tui.widgets.chrome import Rule
from mailcow_wizard.tui.widgets.lines import Lines, Part, cut

if TYPE_CHECKING:
    from mailcow_wizard.tui.install_run import InstallRun

_LOW = 20
_BAR = 20
_TITLES = 14
"""The least cells of a stage's title, which the notes stand behind."""


class InstallScreen(Log[bool]):
    """Closing it leaves the install alone; True where what comes next is wanted: the page after it, or the
    question whether to go on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", show=False),
        Binding("enter", "next", "next", show=False),
        Binding("i", "go_on", "go on", show=False),
        Binding("q", "quit_wizard", "quit", show=False),
        Binding("s", "stop", "stop", show=False),
    ]

    def __init__(self, look: Look, installing: InstallRun, stop: Callable[[], object]) -> None:
        super().__init__(look)
        self._installing = installing
        self._stop = stop

    def compose(self) -> ComposeResult:
        """Title, stages, rule, log, foot."""
        yield Lines(id="title")
        yield Lines(id="stages")
        yield Rule(self.look)
        yield Lines(id="text")
        yield Lines(id="foot")

    def title_parts(self) -> Sequence[Part]:
        """Where it is."""
        made, look = self._installing, self.look
        said = made.refused or words.heading(made.standing, made.running)
        return [(" " + _("Install"), look.bold), (f"  {look.text(said)}", look.plain)]

    def draw(self) -> None:
        """Draws what is different now."""
        if self.is_mounted and self.size.width:
            lines = self._stages()
            stages = self.query_one("#stages", Lines)
            stages.styles.height = len(lines)
            stages.put(lines)
        super().draw()

    def _stages(self) -> list[list[Part]]:
        made, look = self._installing, self.look
        rows = words.rows(made.standing, made.running)
        if self.size.height < _LOW:
            rows = [row for row in rows if row.status in ("working", "fail")][:1] or rows[-1:]
        lines = []
        titles = max(_TITLES, *(len(row.check.title) for row in rows))
        for row in rows:
            note = row.finding.summary if row.finding and row.status in ("pass", "fail") else ""
            if row.status == "working":
                note = made.progress.text if row.check.id.endswith(f".{made.progress.stage}") else ""
                note = f"{self._bar()}{note}"
            lines.append(
                [
                    (f" {look.glyph(row.status)} {WORDS[row.status]:<6} ", look.state(row.status)),
                    (f"{row.check.title:<{titles}} ", look.bold if row.status == "working" else look.plain),
                    (
                        cut(look.text(note), max(0, self.size.width - titles - 12), look.glyphs.ellipsis),
                        look.plain,
                    ),
                ]
            )
        return lines

    def _bar(self) -> str:
        progress = self._installing.progress
        if not progress.whole or self.size.width < 100:
            return ""
        done = min(_BAR, _BAR * progress.done // progress.whole)
        full, empty = ("#", "-") if self.look.ascii_only else ("█", "░")
        return f"{full * done}{empty * (_BAR - done)} "

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """The log."""
        look = self.look
        return [
            [(f" {look.text(part)}", look.bold if line.startswith("== ") else look.plain)]
            for line in tuple(self._installing.lines)
            for part in broken(line, width)
        ]

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """How it stands, and the keys."""
        made, look = self._installing, self.look
        if made.refused:
            said = [_("Nothing was begun: {refused}.", refused=made.refused)]
        else:
            said = words.sentences(made.standing, made.running, self._installing.stopping)
        status = "" if made.running else "pass" if made.standing and made.standing.state == "done" else "fail"
        glyph = look.glyph(status) if status else look.glyphs.running
        lines: list[list[Part]] = []
        for sentence in said:
            for part in wrap(look.text(sentence), max(10, width - 2), break_on_hyphens=False):
                mark = f" {glyph} " if not lines else "   "
                lines.append([(mark, look.state(status)), (part, look.plain)])
        keys = [("Esc", _("back, it goes on")), ("s", _("stop")), ("q", _("quit, it goes on"))]
        if not made.running:
            keys = [("Esc", _("back"))]
            if self._is_done:
                keys.insert(0, ("Enter", _("what comes next")))
            elif self._has_stopped:
                keys.insert(0, ("i", _("go on")))
        return [*lines, self.keys(keys)]

    @property
    def _is_done(self) -> bool:
        made = self._installing
        return not made.running and made.standing is not None and made.standing.state == "done"

    @property
    def _has_stopped(self) -> bool:
        made = self._installing
        return not (made.running or made.refused or self._is_done)

    def action_go_on(self) -> None:
        """Leaves it, to go on where it stopped."""
        self.dismiss(self._has_stopped)

    def action_next(self) -> None:
        """Leaves it, for the page after it where it is done."""
        self.dismiss(self._is_done)

    def action_stop(self) -> None:
        """Asks it to stop at the next safe place."""
        if self._installing.running and not self._installing.stopping:
            self._installing.stopping = True
            self._stop()
            self.draw()

    async def action_quit_wizard(self) -> None:
        """Asks whether to leave; the install goes on."""
        await self.app.run_action("leave")
