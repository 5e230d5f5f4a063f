"""What can be done about DNS: records are published where a key for the zone's server is known."""

from __future__ import annotations

from mailcow_wizard.facts.dns.push import push
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import Offer, dns_records
from mailcow_wizard.fixes.choices import possible, tried
from mailcow_wizard.model import Judgement, Plan


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    if judgement.status not in ("warn", "fail") or not dns_records.configured(facts):
        return ()
    return possible(lambda: tried(lambda: _push(check, judgement.subject, facts)))


def _push(check: str, subject: str | None, facts: Facts) -> Plan | None:
    found = facts.get(push)
    entries = [one for one in found.entries if (one.check, one.subject) == (check, subject)]
    left = [one for one in found.left if (one.check, one.subject) == (check, subject)]
    return dns_records.plan(facts, entries, left, (check, subject)) if entries else None
