"""`e`: writes a report of what was found. Also keeps a finished run, for `report` and `check --changes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _, heard
from mailcow_wizard.tui.background import in_background

if TYPE_CHECKING:
    from mailcow_wizard.model import Finding
    from mailcow_wizard.tui.wizard import Wizard


def document(app: Wizard, findings: Sequence[Finding]) -> dict[str, Any]:
    """What was found so far, as the document of a run."""
    from mailcow_wizard.host import invoker
    from mailcow_wizard.report.document import of_run

    took = max((one.duration_ms for one in findings), default=0) / 1000
    return of_run(app.session.hostname_if_known().name, invoker.now() - took, took, findings)


def remember(app: Wizard) -> None:
    """Keeps what was found, beside the screen; where it cannot be written there is only no report of it."""
    findings = app.board.findings()
    looked_at = {one.id for one in app.board.checks()}

    def keep() -> None:
        from mailcow_wizard.engine.memory import Memory

        Memory(app.session.state, app.session.recorded).keep(looked_at, findings, document(app, findings))

    in_background(app, "memory", keep)


def export(app: Wizard) -> None:
    """Writes the report in all its forms, and says where it lies."""
    from textwrap import wrap

    from mailcow_wizard.report.document import findings_of
    from mailcow_wizard.report.saved import FORMS, as_text
    from mailcow_wizard.tui.screens.text import TextScreen

    run = document(app, app.board.findings())
    stamp = run["started"].replace(":", "").replace("-", "")
    try:
        paths = [
            app.session.state.write_report(f"mailcow-{stamp}.{ending}", as_text(run, form))
            for form, ending in FORMS.items()
        ]
    except HostError as error:
        app.show_keys(_("The report could not be written: {why}", why=heard(error)))
        return
    look = app.look
    directory = paths[0].rpartition("/")[0]
    said = _(
        "A report of {number} findings was written, without passwords and keys:", number=len(findings_of(run))
    )
    masked = _("Addresses and names are in it. Without them: ./wizard report --mask")
    lines = [
        [(f" {said}", look.plain)],
        [],
        # A long path goes on in the next line: cut off, it could not be found.
        *([(f" {part}", look.bold)] for part in wrap(f"{directory}/", max(10, app.size.width - 3))),
        *([(f"   {path.rpartition('/')[2]}", look.bold)] for path in paths),
        [],
        [(" " + _("The .md is for a forum, the .html for a browser, the .json for programs."), look.plain)],
        *(
            [(f" {part}", look.plain)]
            for part in wrap(masked, max(10, app.size.width - 3), break_on_hyphens=False)
        ),
    ]
    app.push_screen(TextScreen(look, _("Report"), lines))
