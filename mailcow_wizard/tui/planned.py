"""A plan in words and lines for the screens. Lines with roles, no widgets.

It is written from the plan's steps in the contract's form, where secrets are hidden already; a change of the
journal has the same form.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

from rich.style import Style

from mailcow_wizard.engine.journal import Change
from mailcow_wizard.engine.undo.target import Conflict
from mailcow_wizard.language import _, pgettext
from mailcow_wizard.model import Fix, Plan
from mailcow_wizard.report.plan import RISKS
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.writing import Line

LABEL_WIDTH = 12
_INDENT = "    "
_STEP = {"command": pgettext("a step", "Run"), "manual": pgettext("a step", "Note")}
_STATE = {
    "planned": _("This is about to begin."),
    "applying": _("This is under way."),
    "applied": _("This was done."),
    "undoing": _("This is being taken back."),
    "undone": _("This was done, and taken back."),
    "interrupted": _("This was under way when the work was ended; a part of it may be done."),
    "failed": _("This was tried and failed; the steps before the one that failed are done."),
}


_GOING_BACK = {
    "interrupted": _("This was being taken back when the work was ended; a part of it may be gone."),
    "failed": _("This could not be taken back as a whole; a part of it may be gone."),
}


def _state(change: Change) -> str:
    told = _GOING_BACK.get(change.state) if change.doing == "undo" else None
    return told or _STATE[change.state]


def terms(fix: Fix | Plan, root: bool) -> str:
    """What kind of change it is: `low risk, can be taken back, needs root`."""
    parts = [RISKS[fix.risk], _("can be taken back") if fix.reversible else _("cannot be taken back")]
    if fix.needs_root:
        parts.append(_("runs as root") if root else _("needs root"))
    return ", ".join(parts)


def is_calm(fix: Fix | Plan) -> bool:
    """Whether its terms need no colour."""
    return fix.reversible and fix.risk != "high"


def plan_lines(plan: Plan, steps: Sequence[Mapping[str, Any]], root: bool, width: int) -> list[Line]:
    """A plan in full, wrapped to `width` cells."""
    return [
        *labelled(_("Effect"), plan.consequence, width),
        *labelled(_("Interrupts"), plan.interrupts or _("nothing"), width),
        *labelled(_("Risk"), terms(plan, root), width, "said" if is_calm(plan) else "warned"),
        Line("", ""),
        *step_lines(steps, width),
    ]


def back_lines(change: Change, steps: Sequence[Mapping[str, Any]], interrupts: str, width: int) -> list[Line]:
    """What taking a change back does now, and what it interrupts."""
    done = (
        _state(change)
        if change.state != "applied"
        else _("{change}, at {moment}", change=change.title, moment=moment(change.at))
    )
    nothing = _words(_("Nothing of it is left: it is only marked as taken back."), width)
    return [
        *labelled(_("Was done"), done, width),
        *labelled(_("Interrupts"), interrupts, width, "warned"),
        Line("", ""),
        *(step_lines(steps, width) or nothing),
    ]


def moment(at: str) -> str:
    """An ISO 8601 time as this machine's clock shows it: `2026-11-22 21:05`."""
    try:
        return f"{datetime.fromisoformat(at.replace('Z', '+00:00')).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return f"{at[:16]:<16}"


def step_lines(steps: Sequence[Mapping[str, Any]], width: int) -> list[Line]:
    """The steps, numbered as the work names them: commands as they run, edits as diffs, words."""
    lines: list[Line] = []
    for number, step in enumerate(steps, 1):
        lines.append(Line("", f"{number}. {_heading(step)}", "bold"))
        lines += _body(step, width)
        lines.append(Line("", ""))
    return lines[:-1]


def change_lines(change: Change, width: int) -> list[Line]:
    """A change of the journal: what was done, and what taking it back means."""
    failed = labelled(_("Why"), change.error, width)
    about = f"{change.check} [{change.subject}]" if change.subject else change.check
    return [
        *labelled(_("Change"), f"{change.id}, {about}", width),
        *labelled(_("When"), moment(change.at), width),
        *labelled(_("State"), _state(change), width),
        *failed,
        Line("", ""),
        *step_lines(change.steps, width),
    ]


def refused_lines(change: Change, why: Exception, width: int) -> list[Line]:
    """A change that is not taken back: both versions of the lines that stand in the way, then the change."""
    lines: list[Line] = []
    if isinstance(why, Conflict) and (why.mine or why.theirs):
        for words, version in (
            (_("As it is now:"), why.mine),
            (_("As it was before the change:"), why.theirs),
        ):
            lines.append(Line("", words))
            room = width - len(_INDENT)
            lines += [Line("", _INDENT + part) for one in version for part in pieces(one, room)]
        lines.append(Line("", ""))
    return [*lines, *change_lines(change, width)]


def _heading(step: Mapping[str, Any]) -> str:
    if step["kind"] != "edit":
        return _STEP[step["kind"]]
    lines = step["diff"].split("\n", 2)
    new, gone = lines[0] == "--- /dev/null", lines[1:2] == ["+++ /dev/null"]
    path = step["path"]
    if new:
        return _("Make {path}", path=path)
    return _("Remove {path}", path=path) if gone else _("Change {path}", path=path)


def _body(step: Mapping[str, Any], width: int) -> Iterator[Line]:
    if step["kind"] == "edit":
        yield from diff_lines(step["diff"], width)
    elif step["kind"] == "command":
        yield from (Line("", _INDENT + part) for part in command_lines(step["argv"], width - len(_INDENT)))
    else:
        yield from (Line("", _INDENT + one.text) for one in _words(step["text"], width - len(_INDENT)))


def diff_lines(diff: str, width: int, indent: str = _INDENT) -> Iterator[Line]:
    """A unified diff, its lines cut into parts where they are longer than `width`; without file names."""
    for line in diff.splitlines():
        if line.startswith(("--- ", "+++ ")):
            continue
        role = {"+": "added", "-": "removed", "@": "hunk", "\\": "dim"}.get(line[:1], "")
        yield from (Line("", indent + part, role) for part in pieces(line, width - len(indent)))


def side_by_side(lines: Sequence[Line]) -> list[Line]:
    """The removed and added lines of a diff alone, each old line before its new one."""
    paired: list[Line] = []
    removed: list[Line] = []
    for line in lines:
        if line.role == "removed":
            removed.append(line)
            continue
        paired += [*(removed[:1] if line.role == "added" else removed)]
        removed = removed[1:] if line.role == "added" else []
        paired += [line] if line.role == "added" else []
    return [*paired, *removed]


def command_lines(argv: Sequence[str], width: int) -> list[str]:
    """A command as a shell takes it; where it is long it goes on behind a backslash, so it can be copied.
    A word that is longer than a line stands in pieces."""
    first, *others = [shlex.quote(one) for one in argv] or [""]
    lines = list(pieces(first, width - 2))
    for word in others:
        if len(lines[-1]) + len(word) + 3 > width:
            lines[-1] += " \\"
            lines += [f"  {part}" for part in pieces(word, width - 4)]
        else:
            lines[-1] += f" {word}"
    return lines


def pieces(line: str, width: int) -> Iterator[str]:
    """A line as it is, or in pieces: all of it must be seen."""
    width = max(10, width)
    yield line[:width]
    for start in range(width, len(line), width - 1):
        yield " " + line[start : start + width - 1]


def broken(line: str, width: int) -> list[str]:
    """A line as it is, or broken between its words; what follows is set in deeper."""
    indent = " " * (len(line) - len(line.lstrip()))
    return wrap(line, max(10, width), subsequent_indent=f"{indent}  ", break_on_hyphens=False) or [""]


def labelled(label: str, text: str, width: int, role: str = "said") -> list[Line]:
    """A text behind its label, wrapped to `width` cells; nothing where there is none."""
    parts = wrap(text, max(10, width - LABEL_WIDTH), break_on_hyphens=False)
    return [Line("" if number else label, part, role) for number, part in enumerate(parts)]


def parts_of(line: Line, look: Look) -> list[tuple[str, Style]]:
    """A line with its label, as styled parts."""
    text = look.text(line.text)
    if line.role in ("said", "warned"):
        style = look.plain if line.role == "said" else look.state("warn")
        return [(f" {line.label:<{LABEL_WIDTH}}", look.dim), (text, style)]
    return [(f" {text}", look.role(line.role))]


def _words(text: str, width: int) -> list[Line]:
    return [Line("", part) for part in wrap(text, max(10, width), break_on_hyphens=False)]
