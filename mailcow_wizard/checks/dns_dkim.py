"""Judge of the published DKIM keys."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import Record, judged
from mailcow_wizard.facts.dns.dkim import Dkim, dkim, key_of, trouble
from mailcow_wizard.facts.dns.domain_records import SELECTOR
from mailcow_wizard.facts.dns.expected import right_key
from mailcow_wizard.facts.dns.state import state
from mailcow_wizard.model import Check, Judgement

# RFC 8301, 3.2; and what mailcow makes.
ADVISED_BITS = 2048


def judge_dkim(facts: tuple[Dkim, ...]) -> tuple[Judgement, ...]:
    """One whole key for each domain. mailcow makes it when the domain is added, so none yet is a warning."""
    return tuple(_dkim(one) for one in facts)


def _dkim(facts: Dkim) -> Judgement:
    domain, seen = facts.domain, facts.seen
    name = f"{SELECTOR}._domainkey.{domain}"
    line = f"{name}. TXT, as mailcow shows it under Configuration, ARC/DKIM keys"
    record = Record(f"the DKIM key of {domain}", line, "recommended")
    found = state(seen, right_key)
    keys = [key_of(one) for one in seen.values]
    right = f"{domain} publishes a DKIM key of {keys[0].bits} bits" if keys else ""
    judgement = judged(record, seen, found, right, domain)
    if found.kind == "missing":
        return judgement._replace(
            summary=f"{domain} publishes no DKIM key yet",
            remedies=("After the install add the domain in mailcow and publish the key that it shows.",),
        )
    if found.kind == "wrong":
        several = f"{name} has {len(keys)} records, and must have one" if len(keys) > 1 else ""
        return judgement._replace(
            summary=several or f"the DKIM key at {name} cannot be used: {trouble(seen.values[0])}"
            if seen.values
            else f"{name} is not a key",
            severity="breaks",
        )
    if found.kind == "right" and keys[0].kind == "rsa" and keys[0].bits < ADVISED_BITS:
        return judgement._replace(
            status="warn",
            summary=f"the DKIM key of {domain} has {keys[0].bits} bits; {ADVISED_BITS} are advised",
            severity="advice",
        )
    if found.kind == "right" and "y" in keys[0].flags:
        return judgement._replace(
            status="warn",
            summary=f"the DKIM key of {domain} is marked as a test (t=y): receivers ignore it",
            severity="degrades",
            remedies=(f"Remove y from t= in the record {name}.",),
        )
    return judgement


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.dkim",
        title="Signing key (DKIM)",
        needed="a whole DKIM key of at least 1024 bits for each mail domain, the one that mailcow signs with",
        why="Receivers trust signed mail; with a wrong key every mail looks forged.",
        doc=need.DOC_DNS,
        severity="degrades",
        source=dkim,
        judge=judge_dkim,
        network=True,
        deadline=12.0,
    ),
)
