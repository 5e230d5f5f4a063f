"""`w`: writes what was answered so far into a file, for an install without questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailcow_wizard.answers.collecting import Collected, collect
from mailcow_wizard.answers.writing import save, text
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install.standing import Record
from mailcow_wizard.language import _, called_elsewhere, heard
from mailcow_wizard.tui.background import in_background, is_at_rest
from mailcow_wizard.tui.screens.text import TextScreen

if TYPE_CHECKING:
    from mailcow_wizard.tui.widgets.lines import Part
    from mailcow_wizard.tui.wizard import Wizard


def write(app: Wizard) -> None:
    """Asks the machine beside the screen, writes, and shows what was written."""
    app.show_keys(_("Writing down what was answered…"))

    def run() -> None:
        session = app.session
        try:
            standing = None if session.recorded else Record(session.state).look()
            choices = standing.choices if standing else session.given.choices
            found = collect(session, choices, standing.changes if standing else ())
            path = save(session.state, found)
        except HostError as error:
            app.call_later(app.show_keys, _("The answers could not be written: {why}", why=heard(error)))
        else:
            app.call_later(_show, app, found, path)

    in_background(app, "answers", run)


def _show(app: Wizard, found: Collected, path: str) -> None:
    from textwrap import wrap

    if not is_at_rest(app):
        app.show_keys(_("The answers were written: {path}", path=path))
        return
    app.show_keys()
    look, width = app.look, max(10, app.size.width - 3)
    lines: list[list[Part]] = [
        [(f" {_('The answers so far were written, without secrets:')}", look.plain)],
        [],
    ]
    lines += [[(f" {part}", look.bold)] for part in wrap(path, width)]
    lines.append([])
    line = called_elsewhere("./wizard install --answers answers.toml --yes")
    how = [_("Another server without questions: {line}", line=line)]
    if found.secrets:
        names = ", ".join(found.secrets)
        how.append(_("Secrets ({names}) are beside it, in a file that only root may read.", names=names))
    lines += [[(f" {part}", look.plain)] for one in how for part in wrap(one, width)]
    lines.append([])
    for line in text(found, "secrets.toml" if found.secrets else "").splitlines():
        style = look.dim if line.startswith("#") else look.plain
        lines += [[(f" {part}", style)] for part in wrap(look.text(line), width) or [""]]
    app.push_screen(TextScreen(look, _("Answers"), lines))
