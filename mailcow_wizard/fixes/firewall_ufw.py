"""Opening ports in ufw, by a rule that is nobody else's: ufw keeps one rule for the same words, whatever its
verdict, and does not put it anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.host.programs.ufw_back import standing
from mailcow_wizard.language import _
from mailcow_wizard.model import Command
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_COMMENT = "mailcow-wizard"
_ASK_S = 10.0


def opening(facts: Facts, ports: str, interfaces: Iterable[str], first: bool) -> list[PlanStep]:
    """Rules that let everybody to these ports (by comma); `first`: before all others. Where somebody has a
    rule about just these ports, rules for the interfaces that the world comes by. Raises HostError, NoPlan
    where somebody has those, too."""
    listed = _added(facts)
    rules: Sequence[tuple[str, ...]] = ((f"{ports}/tcp",),)
    if _taken(listed, rules):
        rules = [("in", "on", one, "to", "any", "port", ports, "proto", "tcp") for one in sorted(interfaces)]
    if not rules or _taken(listed, rules):
        raise NoPlan(_("ufw has a rule about these ports already, and another one comes first."))
    begin = ("ufw", "prepend", "allow") if first else ("ufw", "allow")
    back = (*program("ufw_back"), _COMMENT)
    return [Command((*begin, *one, "comment", _COMMENT), ((*back, *one),)) for one in rules]


def _added(facts: Facts) -> str:
    said = facts.host.run(("ufw", "show", "added"), _ASK_S)
    if said.code:
        raise HostError(_("ufw does not show its rules"))
    return said.out


def _taken(listed: str, rules: Iterable[tuple[str, ...]]) -> bool:
    return any(standing(listed, " ".join(one)) for one in rules)
