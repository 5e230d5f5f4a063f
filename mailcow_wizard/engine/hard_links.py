"""Files that have several names (hard links), in a plan.

A changed file takes the place of the one with its name, so that a kill leaves the old or the new one whole.
The other names keep the old one: snapshots are made of such links, and writing into it would change them all.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailcow_wizard.fixes import Offer
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit, Plan


def of_offers(host: Host, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """The offers, whose plans say it."""
    return tuple(_of_offer(host, one) for one in offers)


def _of_offer(host: Host, offer: Offer) -> Offer:
    return offer._replace(plan=lambda: told(host, offer.plan()))


def told(host: Host, plan: Plan) -> Plan:
    """The plan, which says it among its consequences."""
    said = tuple(sentences(host, plan))
    return plan._replace(consequence=" ".join(filter(None, (plan.consequence, *said)))) if said else plan


def sentences(host: Host, plan: Plan) -> Iterator[str]:
    """What becomes of the other names of each file that the plan changes; nothing where the machine does not
    tell, or is none that can be changed."""
    paths = dict.fromkeys(one.path for one in plan.steps if isinstance(one, Edit) and one.before != one.after)
    for path in paths:
        try:
            names = host.changing().names(path)
        except HostError:
            continue
        if names > 1:
            yield _(
                "{path} has {names} names (hard links): only this one changes, the others keep the old file.",
                path=path,
                names=names,
            )
