"""From ways to mend something to the offers that this machine can keep."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.fixes import NoPlan, Offer
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Fix, Plan, Risk
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep


def fix_of(plan: Plan) -> Fix:
    """The fix that a plan stands for."""
    return Fix(plan.fix, plan.title, plan.risk, plan.reversible, plan.needs_root)


def for_root(
    check: str,
    fix: str,
    title: str,
    steps: tuple[PlanStep | None, ...],
    consequence: str,
    risk: Risk = "low",
    subject: str | None = None,
) -> Plan:
    """A plan for something that root owns and that can be taken back; steps that are not needed are None."""
    real = tuple(one for one in steps if one is not None)
    return Plan(check, subject, fix, title, real, risk, True, True, consequence)


def tried(build: Callable[[], Plan | None], instead: Fix | None = None) -> Offer | None:
    """An offer whose plan could be made just now: a machine on file that cannot answer gets none.

    `build` makes the plan anew each time, from what the machine says then; None: it makes no sense here.
    Where it raises NoPlan, whose text is worth reading, `instead` is offered. Raises HostError.
    """

    def plan() -> Plan:
        made = build()
        if made is None:
            raise NoPlan(
                _("There is nothing left to do here: the machine has changed since it was looked at.")
            )
        return made

    try:
        first = build()
    except NoPlan:
        return Offer(instead, plan) if instead else None
    return Offer(fix_of(first), plan) if first else None


def possible(*makers: Callable[[], Offer | None]) -> tuple[Offer, ...]:
    """The offers of these makers, in their order; one that the machine has no answer for is left out."""
    found: list[Offer] = []
    for maker in makers:
        try:
            offer = maker()
        except HostError:
            continue
        if offer:
            found.append(offer)
    return tuple(found)
