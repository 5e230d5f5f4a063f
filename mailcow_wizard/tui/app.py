"""The full-screen wizard: one screen whose parts are refilled as the administrator goes from step to step."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.driver import Driver
from textual.events import DescendantBlur, DescendantFocus, Resize
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.timer import Timer

from mailcow_wizard.engine.session import Answers, Session
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Event, Listed
from mailcow_wizard.tui import exporting, returning
from mailcow_wizard.tui.background import cannot_begin, in_background
from mailcow_wizard.tui.board import INSTALL, SUMMARY, WELCOME, Row
from mailcow_wizard.tui.frame import LOW, is_wide
from mailcow_wizard.tui.greeting import greeting
from mailcow_wizard.tui.keys import keys_here
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.looking import Known, Looking, again, by_name, know, names
from mailcow_wizard.tui.places import bindings, open_place
from mailcow_wizard.tui.widgets.chrome import Breadcrumb, Heading, KeyLine, Rail, Rule
from mailcow_wizard.tui.widgets.details import Details
from mailcow_wizard.tui.widgets.findings import FindingList
from mailcow_wizard.tui.widgets.lines import Lines
from mailcow_wizard.tui.widgets.welcome import Welcome
from mailcow_wizard.tui.wizard import Wizard
from mailcow_wizard.tui.writing import logged, not_looked_at, verdict

_BURST_S = 0.05
_WRITTEN_S = 0.004


class WizardApp(Wizard):
    """Shows the board and runs checks; every decision about a finding was made before it came here."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    # Set here and not later: a change would style every widget twice before the first paint.
    theme: Reactive[str] = Reactive("ansi-dark")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "step(1)", _("Next step")),
        Binding("b", "step(-1)", _("Step before")),
        Binding("r", "again", _("Run this check again")),
        Binding("R", "step_again", _("Run this step again")),
        Binding("c", "visit('reading.copy')", _("Copy")),
        Binding("l", "visit('reading.show_log')", _("Log")),
        Binding("f", "visit('mending.choose')", _("Mend")),
        Binding("u", "visit('mending.undo_newest')", _("Take back the newest change")),
        Binding("U", "visit('mending.show_changes')", _("All changes")),
        *bindings(),
        Binding("a", "visit('acknowledging.acknowledge')", _("Acknowledge")),
        Binding("e", "visit('exporting.export')", _("Write a report")),
        Binding("f1,question_mark", "visit('reading.show_help')", _("Help")),
        Binding("ctrl+p", "palette", "All commands", show=False),
        Binding("q", "leave", _("Quit")),
        Binding("enter", "step(1, True)", "Next step", show=False),
        Binding("escape", "calm", "Leave the field", show=False),
        Binding("ctrl+q", "leave", "Quit", show=False),
    ]

    class Heard(Message):
        """Something that the runner said, carried into the app's own thread."""

        def __init__(self, said: Sequence[Event | Known], run: int = 0) -> None:
            super().__init__()
            self.said = said
            self.run = run

    def __init__(
        self,
        session: Session,
        facts: Facts,
        look: Look,
        looking: Looking | None = None,
        driver: type[Driver] | None = None,
    ) -> None:
        super().__init__(session, look, driver)
        self._facts = facts
        self._looking = looking
        self._redraw: Timer | None = None
        self._notice = ""
        self._noticed: tuple[str, ...] = ()
        self._answered = False
        self._complete = False

    def get_default_screen(self) -> Screen[object]:
        """The screen as its first step shows it, so that nothing is styled twice."""
        return Screen(id="_default", classes="on-welcome")

    def compose(self) -> ComposeResult:
        """What the first paint shows; each further widget would cost it time, and comes after it."""
        look = self.look
        yield Rail(look)
        with Vertical(id="main"):
            yield Breadcrumb(look)
            yield Heading(look)
            yield Welcome(look, greeting(self.session, self._facts, self.board.steps))
            yield KeyLine(look)

    def on_mount(self) -> None:
        """What the first paint shows."""
        self._fit(self.size)
        self.show_step(WELCOME.id)

    def on_ready(self) -> None:
        """After the first paint; a moment later, so that the thread that writes it comes first."""
        self.set_timer(_WRITTEN_S, self._show_found)

    def _show_found(self) -> None:
        """The second paint: all checks, with what was found so far."""
        import gc

        gc.freeze()
        gc.enable()
        if self._looking:
            self._take(self._looking.found())
            self._looking.follow(self._tell, lambda: self.call_later(self._look_at_rest))
        else:
            self._look_at_rest()
        if self.board.answered:
            exporting.remember(self)
        self.show_step(self.current)
        self.call_after_refresh(self.set_timer, _WRITTEN_S, self._complete_screen)

    def _look_at_rest(self) -> None:
        """Runs the checks that have no answer yet, where no process of its own could."""
        know(self.board)
        if left := self.board.left():
            self.look_again(left, self._facts)

    async def _complete_screen(self) -> None:
        """The third paint: the other steps' widgets, and the fields."""
        look = self.look
        others = (Lines(id="verdict"), FindingList(look, id="list"), Rule(look), Details(look, id="details"))
        base = self.screen_stack[0]
        await base.query_one("#main").mount_all(others, before="#keys")
        await base.query_one(Welcome).add_fields()
        self._complete = True
        self.show_step(self.current)
        await self.take_typed()
        in_background(self, "journal", lambda: returning.look(self))

    def look_again(self, some: Sequence[Listed], facts: Facts | None = None) -> None:
        """Runs checks in a thread of their own; what they find comes back as `Heard`."""
        run = self.board.ask(some)
        facts = facts or self.session.new_facts()
        try:
            again(self.session, [one.id for one in some], facts, lambda event: self._tell((event,), run))
        except HostError as error:
            self.board.keep(some)
            self.call_later(self.show_keys, cannot_begin(error))
        self._draw_soon()

    def _tell(self, said: Sequence[Event | Known], run: int = 0) -> None:
        self.post_message(self.Heard(said, run))

    @on(Heard)
    def _heard(self, message: Heard) -> None:
        self._take(message.said, message.run)
        # A burst of results is one redraw; the last one is drawn at once.
        if self.board.answered:
            self._draw_heard()
            exporting.remember(self)
        else:
            self._draw_soon()

    def _draw_soon(self) -> None:
        if self._redraw is None:
            self._redraw = self.set_timer(_BURST_S, self._draw_heard)

    def _take(self, said: Sequence[Event | Known], run: int = 0) -> None:
        for one in said:
            if isinstance(one, Known):
                self.board.add(one.checks)
                continue
            self.board.hear(one, run)
            self.events_log += [logged(finding) for finding in one.findings]

    def _draw_heard(self) -> None:
        if self._redraw:
            self._redraw.stop()
            self._redraw = None
        if not self.screen_stack:
            return  # it is being left
        self.show_step(self.current)
        for screen in self.screen_stack[1:]:
            if draw := getattr(screen, "draw_found", None):  # what it shows is of the board, too
                draw()

    def on_resize(self, event: Resize) -> None:
        """Wide screens get the rail, low ones only the list."""
        self._fit(event.size)
        self.call_after_refresh(self.show_step, self.current)

    def _fit(self, size: Size) -> None:
        base = self.screen_stack[0]
        base.set_class(is_wide(*size), "wide")
        base.set_class(size.height < LOW, "low")

    def show_step(self, step: str) -> None:
        """Fills the screen with a step; the cursor is where it was, or on what needs attention."""
        self.current = step
        base = self.screen_stack[0]
        base.set_class(step == WELCOME.id, "on-welcome")
        base.set_class(step == SUMMARY.id, "on-summary")
        here = next(one for one in self.board.steps if one.id == step)
        if step == INSTALL and self._complete and not (self.installing and self.installing.running):
            open_place(self, "installing.fill")
        base.query_one(Rail).show(self.board, step)
        base.query_one(Breadcrumb).show(self.board, step)
        base.query_one(Heading).show(here.title, here.about)
        if self._complete:
            self._show_rows(base, step)
        self._draw_keys()

    def _show_rows(self, base: Screen[object], step: str) -> None:
        if step == SUMMARY.id:
            style = self.look.state(self.board.state(step)) + self.look.bold
            lines = [[(f" {verdict(self.board)}", style)]]
            lines += [
                [(f" {self.look.text(line)}", self.look.plain)]
                for line in not_looked_at(self.board, self._main_width - 2)
            ]
            base.query_one("#verdict", Lines).put(lines)
        self._list.show(step, self.board.rows(step))
        self._moved()

    def row(self) -> Row | None:
        """The row under the cursor, where there is a list of checks."""
        return self._list.row if self._complete and self.current not in (WELCOME.id, INSTALL) else None

    @property
    def _main_width(self) -> int:
        return self.screen_stack[0].query_one("#main").size.width

    @property
    def _list(self) -> FindingList:
        return self.screen_stack[0].query_one("#list", FindingList)

    def show_keys(self, notice: str = "") -> None:
        """Draws the line of keys, or a notice in its place."""
        self._notice, self._noticed = notice, self._place
        self.screen_stack[0].query_one(KeyLine).show(keys_here(self, self.row()), notice)

    def _draw_keys(self) -> None:
        """The same again; what was said of this row, or of a step without one, stays while more is heard."""
        self.show_keys(self._notice if self._noticed == self._place else "")

    @property
    def _place(self) -> tuple[str, ...]:
        row = self._list.row if self._complete and self.current != WELCOME.id else None
        subject = row.finding.subject if row and row.finding else None
        return (self.current, row.check.id, subject or "", row.status) if row else (self.current,)

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _focus_changed(self) -> None:
        self.call_later(self.show_keys)

    @on(FindingList.Moved)
    def _moved(self) -> None:
        base = self.screen_stack[0]
        base.query_one("#details", Details).show(self._list.row)
        base.query_one(Rule).show(self._list.view)
        self._draw_keys()

    @on(FindingList.Opened)
    def _opened(self) -> None:
        if self.current == INSTALL:
            self.action_visit("installing.show")
            return
        from mailcow_wizard.tui import reading

        reading.show_details(self, self._list.row)

    def action_step(self, by: int, named: bool = False) -> None:
        """To the next step or the one before; from the first screen with its names, or only so (`named`)."""
        ids = [one.id for one in self.board.steps]
        to = ids.index(self.current) + by
        welcome = self.screen_stack[0].query_one(Welcome) if self.current == WELCOME.id and by > 0 else None
        if welcome and (names := welcome.answer()):
            self._answer(*names, goes_on=named)  # Enter goes on where the last session was left
        elif welcome and named:
            welcome.focus_wrong()
        elif 0 <= to < len(ids):
            self.go_to(ids[to])

    def go_to(self, step: str) -> None:
        """Shows a step and takes the keys to its list; remembers it for the next session."""
        self.show_step(step)
        if step == WELCOME.id:
            self.set_focus(None)
        else:
            self._list.focus()
        self._keep(self.session.answers._replace(step=step), named=False)

    @on(Welcome.Answered)
    def _answered_welcome(self, message: Welcome.Answered) -> None:
        self._answer(message.hostname, message.domain, goes_on=True)

    def _answer(self, hostname: str, domain: str, goes_on: bool) -> None:
        """Keeps the names; to where the last session was left if it goes on, else to the first step."""
        step = self.session.answers.step
        known = [one.id for one in self.board.steps[1:]]
        others = self.session.settings.domains[1:]
        before = names(self.session)
        self._keep(self.session.answers._replace(hostname=hostname, domains=(domain, *others)))
        if names(self.session) != before:
            self.look_again(by_name(self.board))
        goes_on = goes_on and not self._answered and step in known
        self._answered = True
        self.go_to(step if goes_on else known[0])

    def _keep(self, answers: Answers, named: bool = True) -> None:
        try:
            self.session.keep(answers, named)
        except HostError as error:
            self.show_keys(_("The answers are kept for this session only: {error}", error=error))

    def action_again(self) -> None:
        """Runs the check under the cursor once more, over fresh facts; not while it runs."""
        # Of keys in a burst the second comes before the row is drawn anew.
        if (row := self.row()) and row.finding and row.check not in self.board.unanswered():
            self.show_keys()
            self.look_again((row.check,))

    def action_step_again(self) -> None:
        """Runs all checks of the step once more, but for those that run; from the summary, of all steps."""
        steps = [one.id for one in self.board.steps] if self.current == SUMMARY.id else [self.current]
        running = {one.id for one in self.board.unanswered()}
        some = [one for step in steps for one in self.board.checks_of(step) if one.id not in running]
        if some:
            self.look_again(some)

    def action_palette(self) -> None:
        """Offers every step and every command by name."""
        from mailcow_wizard.tui import reading

        self.push_screen(reading.palette(self), self._chosen)

    async def _chosen(self, action: str | None) -> None:
        if action:
            await self.run_action(action)

    def action_go(self, step: str, check: str = "") -> None:
        """Goes straight to a step, there to a check."""
        if self._complete:
            self.go_to(step)
            if check:
                self._list.go_to(check)

    def action_visit(self, opens: str) -> None:
        """Opens a screen besides the list (see `places`)."""
        from mailcow_wizard.tui.mending import said

        with said(self):
            open_place(self, opens)

    def action_calm(self) -> None:
        """Esc: leaves a field, takes a notice away; never does harm."""
        self.set_focus(None if self.current == WELCOME.id else self._list)
        self.show_keys()

    def action_leave(self) -> None:
        """Leaves; asks first while something runs."""
        from mailcow_wizard.tui import leaving

        leaving.leave(self)

    def action_suspend(self) -> None:
        """Ctrl+Z: to the shell and back, but not out of the middle of a change."""
        from mailcow_wizard.tui import leaving

        leaving.suspend(self)
