"""What the worker wrote down in English, in the language of the face that shows it."""

from __future__ import annotations

import re

from mailcow_wizard.engine.findings import retold_finding, status_word
from mailcow_wizard.install.standing import Progress, Stand, Standing
from mailcow_wizard.language import _, called
from mailcow_wizard.patterns import pattern
from mailcow_wizard.retelling import retold

REMEDY = "- "
"""What stands before a remedy in the log, and not before what a command says."""
_STAGE = pattern(r"== (.*)")
_DONE = pattern(r"done: (.*)")
_FINDING = pattern(r"(pass|warn|fail|unknown|skipped|crashed) (\S+(?: \[[^\]]*\])?): (.*)")
_STOPPED = pattern(r"stopped (?P<where>before|in) (?P<stage>[^;]+);(?: done: (?P<done>[^;]+);)?")


def standing(said: Standing) -> Standing:
    """An install as it stands."""
    return said._replace(
        error=error(said.error),
        remedies=tuple(map(retold, said.remedies)),
        notes=tuple(map(retold, said.notes)),
        findings=tuple(map(retold_finding, said.findings)),
        stages=tuple(map(_stand, said.stages)),
    )


def progress(said: Progress) -> Progress:
    """How far a stage is."""
    return said._replace(text=retold(said.text))


def error(said: str) -> str:
    """Why it stands still; the names of the stages in it are those of the log."""
    return retold(_STOPPED.sub(_named, said))


def line(said: str) -> str:
    """A line of the log; commands and what they say stay as they are, but for our own name."""
    stage, colon, text = said.partition(": ")
    if colon and text.startswith(REMEDY):
        return f"{stage}: {REMEDY}{retold(text.removeprefix(REMEDY))}"
    if colon and text.startswith("  "):
        return f"{stage}: {called(text)}"
    if not colon or text.startswith("$ ") or stage == "begin":
        return said
    if found := _STAGE.fullmatch(text):
        return f"{stage}: == {retold(found[1])}"
    if found := _DONE.fullmatch(text):
        return f"{stage}: {_('done: {note}', note=retold(found[1]))}"
    if found := _FINDING.fullmatch(text):
        return f"{stage}: {status_word(found[1])} {found[2]}: {retold(found[3])}"
    return f"{stage}: {error(text)}"


def _stand(said: Stand) -> Stand:
    return said._replace(note=retold(said.note))


def _named(found: re.Match[str]) -> str:
    stage, done = retold(found["stage"]), found["done"]
    if not done:
        return f"stopped {found['where']} {stage};"
    return f"stopped {found['where']} {stage}; done: {', '.join(map(retold, done.split(', ')))};"
