"""An install in words and rows for the screens. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from mailcow_wizard.engine.findings import from_fields
from mailcow_wizard.harmless import harmless
from mailcow_wizard.install.after import Section
from mailcow_wizard.install.outlook import Outlook
from mailcow_wizard.install.stages import ALWAYS, STAGES, Stage, title
from mailcow_wizard.install.standing import Stand, Standing
from mailcow_wizard.language import _, ngettext, own_names, pgettext
from mailcow_wizard.model import Finding, Listed, Status
from mailcow_wizard.sentences import capitalized
from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.planned import broken, labelled, moment, step_lines
from mailcow_wizard.tui.writing import Line

_MOST_STOPS = 4
TOLD = {"waiting": "waiting", "running": "working", "done": "pass", "failed": "fail"}
_STATUS: dict[str, Status] = {"done": "pass", "failed": "fail"}
_DOC = "https://docs.mailcow.email/getstarted/install/"
_GOES_ON = " \\"
"""How a shell is told that a command goes on in the next line."""


def rows(standing: Standing | None, running: bool, earlier: bool = False) -> list[Row]:
    """A row for each stage. `earlier`: of an install that was not followed to its end just now; what was seen
    of the machine then is told with the time, for it may be another by now."""
    known = {one.id: one for one in standing.stages} if standing else {}
    return [_row(stage, known.get(stage.id), standing, running, earlier) for stage in STAGES]


def nothing_to_do() -> Row:
    """The row of a machine where mailcow is already, and this wizard has installed nothing."""
    about = _("mailcow is here already: nothing is installed over it")
    check = Listed("install.present", _("Install"), about, "blocks")
    remedies = (_("i says where it is, the step Verify how it is."),)
    finding = Finding(
        check.id,
        None,
        "install",
        check.title,
        "skipped",
        "blocks",
        "proved",
        about,
        needed="",
        found="",
        why="",
        doc=_DOC,
        remedies=remedies,
    )
    return Row(check, finding)


def _row(stage: Stage, stand: Stand | None, standing: Standing | None, running: bool, earlier: bool) -> Row:
    state = stand.state if stand else "waiting"
    if state == "running" and not running:
        state = "waiting"
    check = Listed(f"install.{stage.id}", stage.title, stage.about, "blocks")
    failed = state == "failed" and standing is not None
    note = stand.note if stand else ""
    if stand and earlier and not running and (failed or (state == "done" and stage.id in ALWAYS)):
        note = _("at {moment}: {note}", moment=moment(stand.ended), note=note)
    finding = Finding(
        check.id,
        None,
        "install",
        stage.title,
        _STATUS.get(state, "skipped"),
        "blocks",
        "proved",
        note or stage.about,
        stage.about,
        "",
        "",
        _DOC,
        remedies=standing.remedies if failed and standing else (),
    )
    return Row(check, finding, TOLD[state])


def heading(standing: Standing | None, running: bool) -> str:
    """Where it is, in a few words."""
    if standing is None:
        return _("begins")
    if standing.state == "done":
        return pgettext("an install", "done")
    number = next(n for n, one in enumerate(STAGES, 1) if one.id == standing.stage)
    where = _(
        "stage {number} of {stages}, {title}",
        number=number,
        stages=len(STAGES),
        title=title(standing.stage),
    )
    return where if running else _("stopped in {where}", where=where)


def sentences(standing: Standing | None, running: bool, stopping: bool) -> list[str]:
    """How it stands, for the foot of its screen."""
    if running and stopping:
        return [_("It stops at the next place where nothing is half made.")]
    if running:
        return [_("It goes on by itself, also when the connection breaks.")]
    if standing is None:
        return [_("Nothing was begun.")]
    if standing.state == "done":
        found = map(from_fields, standing.findings)
        troubles = sum(one.status in ("fail", "warn") and one.acknowledged is None for one in found)
        look = ngettext("{n} finding is worth a look.", "{n} findings are worth a look.", troubles)
        return [_("mailcow is installed.{more}", more=f" {look}" if troubles else "")]
    said = [f"{capitalized(standing.error)}."]
    if not standing.remedies:
        return [*said, _("i goes on where it stopped.")]
    return [*said, *standing.remedies[:2], _("Then i goes on where it stopped.")]


def outlook_lines(some: Sequence[Outlook], width: int, stops: Sequence[Finding] = ()) -> list[Line]:
    """What would be done, stage by stage; before it what `stops` it at its first stage as things are."""
    lines = _stopping(stops, width)
    for number, one in enumerate(some, 1):
        heading = broken(f"{number}. {one.stage.title}: {one.stage.about}", width)
        lines += [Line("", part, "bold") for part in heading]
        if one.state == "done" and one.stage.id != STAGES[0].id:
            lines.append(Line("", "    " + _("done: {note}", note=one.note), "added"))
            continue
        lines += labelled(_("Interrupts"), one.interrupts, width, "warned")
        lines += [Line(line.label, f"  {line.text}", line.role) for line in step_lines(one.steps, width - 2)]
    return lines


def _stopping(stops: Sequence[Finding], width: int) -> list[Line]:
    if not stops:
        return []
    said = [harmless(one.summary, 600) for one in stops[:_MOST_STOPS]]
    if more := max(0, len(stops) - _MOST_STOPS):
        said.append(_("and {n} more", n=more))
    lines = labelled(_("In the way"), said[0], width, "warned")
    lines += [line for one in said[1:] for line in labelled("", one, width, "warned")]
    mend = _("As it looks now it stops at stage 1: mend them first (f), or accept them (a).")
    return [*lines, *labelled("", mend, width), Line("", "")]


def after_lines(sections: Sequence[Section], width: int) -> list[Line]:
    """The page after an install, in so many columns; a command that does not fit behind its sentence gets a
    line of its own."""
    lines: list[Line] = []
    for one in sections:
        lines.append(Line("", one.heading, "bold"))
        lines += [Line("", part) for line in one.lines for part in _wrapped(harmless(line, 600), width)]
        lines.append(Line("", ""))
    return lines[:-1]


def _wrapped(line: str, width: int) -> list[str]:
    """With two blanks before it; what follows on further lines has four. A line that begins with blanks is a
    command, and stays one when several lines of it are copied."""
    own, _as_root = own_names()
    sentence, mark, words = line.partition(f": {own} ")
    if mark and len(line) + 2 > width:
        return [*_wrapped(f"{sentence}:", width), *_wrapped(f"  {own} {words}", width)]
    words = line.lstrip()
    indent = " " * (2 + len(line) - len(words))
    goes_on = _GOES_ON if words != line and len(indent) + len(words) > width else ""
    lines = wrap(
        words, width - len(goes_on), initial_indent=indent, subsequent_indent=f"{indent}  ",
        break_long_words=False, break_on_hyphens=False,
    ) or [""]  # fmt: skip
    return [*(one + goes_on for one in lines[:-1]), lines[-1]]
