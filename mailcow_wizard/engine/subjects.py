"""What tells the results of a check apart where nothing could be looked at: the same as where it could."""

from mailcow_wizard.facts.identity import Hostname, domain_of, hostname
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Check


def known_beforehand(check: Check, facts: Facts, ask: bool = True) -> tuple[str | None, ...]:
    """The subjects of a check that has no answer, None where they are not known; raises nothing.

    Without `ask` nothing is read for it: what hangs already is not waited for once more.
    """
    if check.per == "family":
        return ("v4", "v6")
    if not check.per:
        return (None,)
    name = _name(facts, ask)
    if check.per == "name":
        return (name or None,)
    return facts.settings.domains or (domain_of(name) or None,)


def _name(facts: Facts, ask: bool) -> str:
    try:
        known: Hostname | None = facts.get(hostname) if ask else facts.known(hostname)
    except HostError:
        return ""
    return known.name.lower() if known and "." in known.name else ""
