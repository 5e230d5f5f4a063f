"""What can be done about this machine's firewall."""

from __future__ import annotations

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import Offer, firewall_disable, firewall_docker_user, firewall_open
from mailcow_wizard.fixes.choices import possible, tried
from mailcow_wizard.model import Judgement


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    if judgement.status not in ("warn", "fail"):
        return ()
    if check == "firewall.local":
        return possible(
            lambda: tried(lambda: firewall_open.plan(facts)),
            lambda: tried(lambda: firewall_docker_user.let_through(facts)),
            lambda: (
                tried(lambda: firewall_disable.plan(facts, check), firewall_disable.fix(facts))
                if firewall_disable.is_in_the_way(facts)
                else None
            ),
        )
    if check == "firewall.backend":
        return possible(
            lambda: tried(lambda: firewall_docker_user.shut(facts)),
            lambda: tried(lambda: firewall_disable.plan(facts, check), firewall_disable.fix(facts)),
        )
    return ()
