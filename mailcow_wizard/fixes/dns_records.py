"""Plans that publish DNS records: a command for each set of records, and one that takes exactly that back."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.facts.dns.decide import Entry, Left, grouped
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

FIX = "push-records"
TSIG_VARIABLE = "MAILCOW_WIZARD_TSIG"
"""Where the path of the key file stands if it is not given: in the environment."""

_UPDATE, _PROVIDER = "dns_update", "dns_provider"
_OTHERS = "--others-may-change"
# TCP and UDP are tried twice in the worst case, and the outcome is looked at.
_TIMEOUT_S = 60.0
# A secondary that is told of the change has it within a few seconds.
_SETTLE_S = 3.0


def key_file(facts: Facts) -> str:
    """The path of the TSIG key file; empty where none is known."""
    if facts.settings.tsig:
        return facts.settings.tsig
    try:
        return facts.host.variable(TSIG_VARIABLE)
    except HostError:
        return ""


def configured(facts: Facts) -> bool:
    """Whether there is a way to publish anything."""
    return bool(facts.settings.dns_provider or key_file(facts))


def plan(facts: Facts, entries: Sequence[Entry], left: Sequence[Left], about: tuple[str, str | None]) -> Plan:
    """Publishes these records; what is left to a person stands behind them in words. `about` is the check and
    subject that are looked at again. Raises NoPlan."""
    start = _start(facts)
    steps: list[PlanStep] = [_command(start, one) for one in entries]
    steps += [Manual(f"{', '.join(names)}: {words}") for words, names in grouped(left).items()]
    merged = any(one.old for one in entries)
    return Plan(
        *about,
        FIX,
        _title(entries),
        tuple(steps),
        "medium" if merged else "low",
        True,
        False,
        _consequence(merged) if entries else "",
        settle=_SETTLE_S,
    )


def _title(entries: Sequence[Entry]) -> str:
    """One record is named: in the list of changes it stands beside others of its zone."""
    if not entries:
        return _("Publish DNS records")
    zones = ", ".join(dict.fromkeys(one.zone for one in entries))
    count = sum(len(one.new) for one in entries)
    if count == 1:
        return _("Publish {type} of {name}", type=entries[0].type, name=entries[0].name)
    return _("Publish {n} records in {zones}", n=count, zones=zones)


def _consequence(merged: bool) -> str:
    if merged:
        return _("Records are added; of a text that is replaced all words go on. Nothing else is touched.")
    return _("Records are added. Nothing that is there is touched.")


def _start(facts: Facts) -> tuple[str, ...]:
    if facts.settings.dns_provider:
        return (*program(_PROVIDER), "--provider", facts.settings.dns_provider)
    path = key_file(facts)
    if not path:
        raise NoPlan(_("a key is needed: give the file that holds it with --tsig"))
    return (*program(_UPDATE), "--tsig", path)


def _command(start: tuple[str, ...], entry: Entry) -> Command:
    words = (*start, "--zone", entry.zone)
    if entry.server and "--tsig" in start:
        words = (*words, "--server", entry.server)
    return Command(
        (*words, *_there(entry), *_changes(entry)), ((*words, _OTHERS, *_back(entry)),), timeout=_TIMEOUT_S
    )


def _there(entry: Entry) -> list[str]:
    """What has to be so for the change to be made: nobody has changed these records since."""
    name = f"{entry.name}."
    if entry.type == "CNAME":
        return [f"prereq nxdomain {name}"]
    if entry.before:
        return [f"prereq yxrrset {name} {entry.type} {one}" for one in entry.before]
    return [f"prereq nxrrset {name} CNAME", f"prereq nxrrset {name} {entry.type}"]


def _changes(entry: Entry) -> list[str]:
    name = f"{entry.name}."
    gone = [f"update delete {name} {entry.type} {entry.old}"] if entry.old else []
    return [*gone, *(f"update add {name} {entry.ttl} {entry.type} {one}" for one in entry.new)]


def _back(entry: Entry) -> list[str]:
    name = f"{entry.name}."
    lines = [f"prereq yxrrset {name} {entry.type} {one}" for one in entry.after]
    lines += [f"update delete {name} {entry.type} {one}" for one in entry.new]
    return [*lines, f"update add {name} {entry.old_ttl} {entry.type} {entry.old}"] if entry.old else lines
