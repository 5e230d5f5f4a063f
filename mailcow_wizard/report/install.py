"""An install as the contract's JSON and as lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from mailcow_wizard import __version__
from mailcow_wizard.harmless import harmless
from mailcow_wizard.install.after import Section
from mailcow_wizard.install.outlook import Outlook
from mailcow_wizard.install.stages import title
from mailcow_wizard.install.standing import Standing
from mailcow_wizard.language import _, pgettext
from mailcow_wizard.report.document import SCHEMA
from mailcow_wizard.typed import TYPE_CHECKING
from mailcow_wizard.wrapping import behind, wrapped

if TYPE_CHECKING:
    from typing import Any

_STATES = {
    "waiting": "…",
    "running": _("under way"),
    "done": pgettext("a stage", "done"),
    "failed": pgettext("a stage", "FAILED"),
}


def of_install(
    directory: str,
    hostname: str,
    state: str,
    stages: Sequence[dict[str, Any]],
    error: str,
    remedies: Sequence[str] = (),
    findings: Sequence[dict[str, Any]] = (),
    log: str = "",
) -> dict[str, Any]:
    """The document of `install`. `state` is planned, refused, running, stopped, failed, done or present."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "directory": directory,
        "hostname": hostname,
        "state": state,
        "stages": list(stages),
        "error": harmless(error, 1000),
        "remedies": [harmless(one, 800) for one in remedies],
        "findings": list(findings),
        "log": log,
    }


def of_outlook(some: Sequence[Outlook]) -> list[dict[str, Any]]:
    """The stages of an install that is only shown."""
    return [
        {
            "id": one.stage.id,
            "title": one.stage.title,
            "state": one.state,
            "note": one.note or one.stage.about,
            "steps": list(one.steps),
            "interrupts": harmless(one.interrupts),
        }
        for one in some
    ]


def of_stages(standing: Standing) -> list[dict[str, Any]]:
    """The stages of an install that was begun."""
    return [
        {
            "id": one.id,
            "title": title(one.id),
            "state": one.state,
            "note": harmless(one.note, 600),
            "steps": [],
            "interrupts": "",
        }
        for one in standing.stages
    ]


def outlook_lines(
    some: Sequence[Outlook], hostname: str, origin: str, directory: str, columns: int = 0
) -> Iterator[str]:
    """What would be done, for people; sentences are broken for so many columns (0: never)."""
    first = _(
        "mailcow for {hostname}{origin}, in {directory}, in these stages:",
        hostname=harmless(hostname),
        origin=origin,
        directory=harmless(directory),
    )
    yield from wrapped(first, columns)
    for number, one in enumerate(some, 1):
        state = (
            f" ({_STATES[one.state]}{f': {one.note}' if one.note else ''})" if one.state != "waiting" else ""
        )
        yield from wrapped(f"{number}. {one.stage.title}: {one.stage.about}{state}", columns, hanging=5)
        if one.state == "done" and one.stage.id != "preconditions":
            continue
        for step in one.steps:
            yield from _step(step, columns)
        if one.interrupts:
            interrupts = _("     interrupts: {interrupts}", interrupts=harmless(one.interrupts))
            yield from wrapped(interrupts, columns, hanging=2)


def _step(step: dict[str, Any], columns: int) -> Iterator[str]:
    if step["kind"] == "command":
        yield f"     $ {shlex.join(step['argv'])}"
    elif step["kind"] == "edit":
        yield _("     writes {path}", path=step["path"])
        yield from (f"       {line}" for line in step["diff"].splitlines()[2:])
    else:
        for line in step["text"].split("\n"):
            yield from wrapped(f"     {line}", columns)


def stage_lines(standing: Standing, columns: int = 0) -> Iterator[str]:
    """How each stage stands."""
    for one in standing.stages:
        note = f": {harmless(one.note, 600)}" if one.note else ""
        yield from behind(f"{_STATES[one.state]:<9} ", f"{title(one.id)}{note}", columns)


def after_lines(sections: Sequence[Section], columns: int = 0) -> Iterator[str]:
    """The page after an install."""
    for one in sections:
        yield ""
        yield one.heading
        for line in one.lines:
            if line[:2] == "  ":
                yield f"    $ {line.strip()}"
            else:
                yield from wrapped(f"  {harmless(line, 600)}", columns)
