"""What can be done about the clock: one service that keeps it, its servers, the timezone."""

from __future__ import annotations

from mailcow_wizard.facts import time
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import Offer, time_servers, time_service, time_zone
from mailcow_wizard.fixes.choices import possible, tried
from mailcow_wizard.model import Judgement


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    if judgement.status not in ("warn", "fail"):
        return ()
    if check == "time.timezone":
        return possible(lambda: tried(lambda: time_zone.plan(facts)))
    if check == "time.offset":
        return possible(lambda: _kept(check, facts), lambda: tried(lambda: time_servers.plan(check, facts)))
    if check == "time.service":
        return possible(
            lambda: tried(lambda: time_service.one_only(facts)),
            lambda: _kept(check, facts),
            lambda: tried(lambda: time_servers.plan(check, facts)),
        )
    return ()


def _kept(check: str, facts: Facts) -> Offer | None:
    """A service that is installed is started; where there is none, one is installed."""
    state = facts.get(time.synchronisation)
    if state.borrowed:
        return None
    running = [one for one in state.services if one.running]
    unsure = any(one.startswith(("systemctl", "processes")) for one in state.unread)
    if running or state.services or time_service.installed(facts):
        return tried(lambda: time_service.kept(check, facts))
    return None if unsure or state.word.synchronised else time_service.chrony(check, facts)
