"""Setting keys of mailcow.conf as somebody asks for: what is refused, and the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailcow_wizard.conf.document import Document, Unwritable
from mailcow_wizard.conf.rules import LintFinding, lint
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.surroundings import projects, surroundings
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.mailcow_conf import content, path_of
from mailcow_wizard.host.door import HostError
from mailcow_wizard.model import Edit, Plan

CHECK = "config.values"
FIX = "conf-set"
DATABASE = ("DBNAME", "DBUSER", "DBPASS", "DBROOT", "COMPOSE_PROJECT_NAME")
"""Keys that belong to the database as it was made: another value looks like an empty server."""

# What these say is no fault of the value: it is right, and something else is in its way.
_NOT_THE_VALUE = ("exported-variable", "env-not-a-link")
# Two keys that name one port: whichever of them is set, it cannot work.
_OF_TWO_KEYS = ("port-twice",)


class Unsuitable(NoPlan):
    """A value is refused; the text says which and why."""


def plan(facts: Facts, values: Mapping[str, str]) -> Plan:
    """The plan that gives these keys these values. Raises Unsuitable, NoPlan, HostError."""
    path, before = path_of(facts), content(facts)
    document = found = Document.read(before)
    for key, value in values.items():
        try:
            document = document.set(key, value)
        except Unwritable as error:
            raise Unsuitable(str(error)) from None
    changed = [key for key in values if document.get(key) != found.get(key)]
    _refuse_database(facts, [key for key in changed if key in DATABASE])
    wrong = next(_against(facts, before, document.data, values), None)
    if wrong:
        raise Unsuitable(wrong.message)
    names = ", ".join(values) if len(values) < 4 else f"{len(values)} settings"
    return Plan(
        CHECK,
        None,
        FIX,
        f"Set {names} in mailcow.conf",
        (Edit(path, before, document.data, 0o600),),
        "low",
        True,
        facts.host.info(path).uid == 0,
        "mailcow.conf has these values; containers take them up when they are made anew.",
    )


def remarks(facts: Facts, change: Plan) -> tuple[LintFinding, ...]:
    """What the file has against itself after the change that it had not before."""
    (edit,) = (step for step in change.steps if isinstance(step, Edit))
    return tuple(_new(facts, edit.before or b"", edit.after or b""))


def _against(facts: Facts, before: bytes, after: bytes, values: Mapping[str, str]) -> Iterator[LintFinding]:
    """Mistakes that one of these values is, or makes."""
    for one in lint(after, facts.get(surroundings)):
        if one.level == "error" and one.key in values and one.rule not in _NOT_THE_VALUE:
            yield one
    yield from (one for one in _new(facts, before, after) if one.rule in _OF_TWO_KEYS)


def _new(facts: Facts, before: bytes, after: bytes) -> Iterator[LintFinding]:
    about = facts.get(surroundings)
    known = {(one.key, one.rule) for one in lint(before, about)}
    yield from (one for one in lint(after, about) if (one.key, one.rule) not in known)


def _refuse_database(facts: Facts, keys: list[str]) -> None:
    """Raises Unsuitable unless it is certain that there is no database yet."""
    if not keys:
        return
    try:
        known = projects(facts)
    except HostError as error:
        raise Unsuitable(
            f"{keys[0]} is kept: whether mailcow has a database here is not known ({error})"
        ) from None
    if known is None:
        raise Unsuitable(f"{keys[0]} is kept: Docker does not say whether mailcow has a database here")
    if known:
        raise Unsuitable(f"{keys[0]} is kept: the database of {known[0]} was made with the value it has")
