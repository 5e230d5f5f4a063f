"""Setting keys of mailcow.conf as somebody asks for: what is refused, and the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailcow_wizard.conf.document import Document
from mailcow_wizard.conf.layout import KEYS
from mailcow_wizard.conf.rule import LintFinding
from mailcow_wizard.conf.rules import lint
from mailcow_wizard.conf.rules_together import similar
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.surroundings import surroundings
from mailcow_wizard.facts.volumes import OF_DATABASE, database
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.mailcow_conf import changed, content, path_of
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit, Plan

CHECK = "config.values"
FIX = "conf-set"
# What these say is no fault of the value: it is right, and something else is in its way.
_NOT_THE_VALUE = ("exported-variable", "env-not-a-link")


class Unsuitable(NoPlan):
    """A value is refused; the text says which and why."""


def plan(facts: Facts, values: Mapping[str, str]) -> Plan:
    """The plan that gives these keys these values. Raises Unsuitable, NoPlan, HostError."""
    path, before = path_of(facts), content(facts)
    found = Document.read(before)
    try:
        document = changed(before, values)
    except Unwritable as error:
        raise Unsuitable(str(error)) from None
    different = [key for key in values if document.get(key) != found.get(key)]
    _refuse_database(facts, [key for key in different if key in OF_DATABASE])
    wrong = next(_against(facts, before, document.data, values), None)
    if wrong:
        raise Unsuitable(wrong.message)
    names = ", ".join(values) if len(values) < 4 else _("{number} settings", number=len(values))
    return Plan(
        CHECK,
        None,
        FIX,
        _("Set {names} in mailcow.conf", names=names),
        (Edit(path, before, document.data, 0o600),),
        "low",
        True,
        facts.host.info(path).uid == 0,
        _("mailcow.conf has these values; containers take them up when they are made anew."),
    )


def remarks(facts: Facts, change: Plan) -> tuple[LintFinding, ...]:
    """What the file has against itself after the change that it had not before, and keys that mailcow does
    not know."""
    (edit,) = (step for step in change.steps if isinstance(step, Edit))
    before, after = edit.before or b"", edit.after or b""
    found = tuple(_new(facts, before, after))
    told = {one.key for one in found}
    new = [key for key in Document.read(after).keys() if key not in Document.read(before).keys()]  # noqa: SIM118
    return found + tuple(_unknown(key) for key in new if key not in KEYS and key not in told)


def _unknown(key: str) -> LintFinding:
    meant = key.upper() if key.upper() in KEYS else similar(key)
    words = _("{key} is not one of mailcow's own keys", key=key)
    if meant:
        words = _("{key} is not one of mailcow's own keys; is {meant} meant?", key=key, meant=meant)
    return LintFinding(None, key, "key-misspelt", "advice", words)


def _against(facts: Facts, before: bytes, after: bytes, values: Mapping[str, str]) -> Iterator[LintFinding]:
    """Mistakes that one of these values is, or that they make somewhere else."""
    about = facts.get(surroundings)
    known = {(one.key, one.rule) for one in lint(before, about)}
    for one in lint(after, about):
        wrong = one.level == "error" and one.rule not in _NOT_THE_VALUE
        if wrong and (one.key in values or (one.key, one.rule) not in known):
            yield one


def _new(facts: Facts, before: bytes, after: bytes) -> Iterator[LintFinding]:
    about = facts.get(surroundings)
    known = {(one.key, one.rule) for one in lint(before, about)}
    yield from (one for one in lint(after, about) if (one.key, one.rule) not in known)


def _refuse_database(facts: Facts, keys: list[str]) -> None:
    """Raises Unsuitable unless it is certain that there is no database yet."""
    if not keys:
        return
    known = database(facts)
    if known.doubt:
        raise Unsuitable(_("{key} is kept: {doubt}", key=keys[0], doubt=known.doubt))
    if known.project:
        raise Unsuitable(
            _(
                "{key} is kept: the database of {project} was made with the value it has",
                key=keys[0],
                project=known.project,
            )
        )
