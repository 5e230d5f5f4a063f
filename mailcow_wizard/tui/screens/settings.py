"""The settings of mailcow.conf: a form, what speaks against each value beside it, and the diff."""

from collections.abc import Callable
from textwrap import wrap
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize

from mailcow_wizard.engine.settings import FIRST, Draft, Field, field
from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.planned import diff_lines, parts_of, side_by_side
from mailcow_wizard.tui.screens.modal import Modal
from mailcow_wizard.tui.screens.search import Search
from mailcow_wizard.tui.widgets.chrome import KeyLine, Rule
from mailcow_wizard.tui.widgets.form import Form, FormRow
from mailcow_wizard.tui.widgets.lines import Lines, Part

_BESIDE_FROM = 110
_LOW = 16
_UNCUT = 1000
_ABOUT_LINES = 3
_STATUS = {"error": "fail", "warning": "warn", "advice": "unknown"}


class SettingsScreen(Modal[None]):
    """`save` is called when the draft shall be saved; the draft stays as it is on Esc."""

    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = "#form"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "back", show=False),
        Binding("s,ctrl+s", "save", "save", show=False),
        Binding("slash", "search", "find a key", show=False),
        Binding("shift+up", "scroll(-1)", "scroll the diff", show=False),
        Binding("shift+down", "scroll(1)", "scroll the diff", show=False),
    ]

    def __init__(self, look: Look, draft: Draft, save: Callable[[], None]) -> None:
        super().__init__()
        self._look = look
        self._draft = draft
        self._save = save
        first = {one.key for one in FIRST}
        more = [field(key) for key in draft.changed() if key not in first]
        self._fields: list[Field] = [*FIRST, *more]

    def compose(self) -> ComposeResult:
        """Title, form and diff, what the key is for, keys."""
        yield Lines(id="title")
        with Vertical(id="sides"):
            yield Form(self._look, id="form")
            yield Rule(self._look)
            yield Lines(id="diff")
        yield Lines(id="about")
        yield KeyLine(self._look)

    def on_mount(self) -> None:
        """Draws everything."""
        new = ""
        if self._draft.for_install:
            new = _("for the install:") + " "
        elif self._draft.before is None:
            new = _("a new file:") + " "
        path = self._look.text(self._draft.path)
        self.query_one("#title", Lines).put(
            [[(" " + _("Settings"), self._look.bold), (f"  {new}", self._look.plain), (path, self._look.dim)]]
        )

    def on_resize(self, event: Resize) -> None:
        """Where there is room the diff stands beside the form, where there is little there is none."""
        self.set_class(event.size.width >= _BESIDE_FROM, "beside")
        self.set_class(event.size.height < _LOW, "low")
        self.call_after_refresh(self.draw)

    @property
    def _form(self) -> Form:
        return self.query_one("#form", Form)

    def draw(self) -> None:
        """Draws what is different now."""
        if not self.is_mounted:
            return
        self._form.show([self._row(one) for one in self._fields])
        self._draw_diff()
        self._moved()

    def _row(self, one: Field) -> FormRow:
        draft = self._draft
        problem = draft.problems().get(one.key)
        changed = draft.changed()
        status = _STATUS[problem.level] if problem else ""
        return FormRow(
            one.key,
            one.label,
            draft.value(one.key),
            one.choices,
            status,
            problem.text if problem else "",
            one.key in changed,
            one.secret,
        )

    def _draw_diff(self) -> None:
        pane = self.query_one("#diff", Lines)
        # The plan shows long lines whole; here they are cut.
        lines = list(diff_lines(self._draft.diff(), _UNCUT, ""))
        if not self.has_class("beside"):
            # In few lines only what differs has room, and of a new file only its values.
            lines = [line for line in side_by_side(lines) if line.text[1:2] not in "#"]
        nothing: list[list[Part]] = [[(" " + _("Nothing is changed yet."), self._look.dim)]]
        pane.put([parts_of(line, self._look) for line in lines] or nothing)

    def _draw_rule(self) -> None:
        """Says which rows are in view, what the lines below are, and which of those are in view."""
        words = self._below() if self._draft.diff() else ""
        between = f" {self._look.glyphs.rule * 2} "
        self.query_one(Rule).show(between.join(one for one in (self._form.view, words) if one))

    def _below(self) -> str:
        view = self.query_one("#diff", Lines).view
        new = self._draft.before is None
        words = _("what will be in the new file") if new else _("what will be different")
        return words + (_(", {view}: Shift and arrows", view=view) if view else "")

    @on(Form.Moved)
    def _moved(self) -> None:
        row = self._form.row
        look = self._look
        lines: list[list[Part]] = []
        if row:
            width = max(10, self.size.width - 2)
            problem = self._draft.problems().get(row.key)
            if problem:
                style = look.state(_STATUS[problem.level])
                said = look.text(f"{row.label}: {problem.text}.")
                lines += [[(f" {part}", style)] for part in wrap(said, width)]
            about = look.text(self._draft.about(row.key))
            key = "" if row.key in (row.label, "") or row.key.startswith("(") else f"{row.key}: "
            lines += [[(f" {part}", look.dim)] for part in wrap(key + about, width)]
            if len(lines) > _ABOUT_LINES:
                lines[_ABOUT_LINES - 1] = [(lines[_ABOUT_LINES - 1][0][0][: width - 4] + " ...", look.dim)]
        self.query_one("#about", Lines).put(lines[:_ABOUT_LINES])
        self._draw_rule()
        self._show_keys()

    def _show_keys(self, notice: str = "") -> None:
        form = self._form
        if form.typing:
            keys = [("Enter", _("keep")), ("Esc", _("as it was")), ("Ctrl+U", _("empty it"))]
        else:
            choose = form.row is not None and bool(form.row.choices)
            enter = ("Enter", _("other value") if choose else _("change"))
            told = _("keep for the install") if self._draft.for_install else _("save, shows the plan first")
            before = _("as it was") if self._draft.for_install else _("as in the file")
            save = [("s", told)] if self._draft.worth_saving else []
            keys = [enter, *save, ("Esc", _("back")), ("/", _("all other keys")), ("d", before)]
        self.query_one(KeyLine).show(keys, notice)

    @on(Form.Changed)
    def _changed(self, message: Form.Changed) -> None:
        self._draft.put(message.key, message.value)
        self.draw()

    @on(Form.TakenBack)
    def _as_before(self, message: Form.TakenBack) -> None:
        self._draft.take_back(message.key)
        self.draw()

    def action_scroll(self, by: int) -> None:
        """Scrolls the diff."""
        pane = self.query_one("#diff", Lines)
        pane.scroll_to(y=max(0, pane.scroll_offset.y + by), animate=False, force=True, immediate=True)
        self._draw_rule()

    def action_search(self) -> None:
        """Offers every key there is."""
        self.app.push_screen(Search(self._look, self._draft), self._found)

    def _found(self, key: str | None) -> None:
        if key is None:
            return
        if all(one.key != key for one in self._fields):
            self._fields.append(field(key))
        self.draw()
        self._form.go_to(key)
        self._moved()

    def action_save(self) -> None:
        """Asks to save; a value that cannot stay is shown instead."""
        key, _unused = self._draft.obstacle()
        if key:
            self._found(key)
            self._show_keys(
                _("{label} cannot be saved like this; the reason is beside it.", label=field(key).label)
            )
        elif not self._draft.worth_saving:
            self._show_keys(_("Nothing is changed, so there is nothing to save."))
        else:
            self._save()

    def say(self, notice: str) -> None:
        """Shows a notice in the place of what the key is for, or where it is short in the line of keys."""
        lines = wrap(self._look.text(notice), max(10, self.size.width - 2))
        if len(lines) > 1:
            self.query_one("#about", Lines).put([[(f" {line}", self._look.bold)] for line in lines])
        else:
            self._show_keys(notice)
