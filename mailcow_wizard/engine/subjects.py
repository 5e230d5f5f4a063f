"""What tells the results of a check apart where nothing could be looked at: the same as where it could."""

from mailcow_wizard.facts.identity import Hostname, hostname
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError

_OF_FAMILIES = ("network.outbound-25", "network.icmp", "network.recursion", "network.hairpin")
_OF_NAME = ("dns.a", "dns.aaaa", "dns.tlsa")
_OF_DOMAINS = (
    *("dns.mx", "dns.autodiscover", "dns.autoconfig", "dns.spf", "dns.dkim", "dns.dmarc", "dns.srv"),
    *("dns.dnssec", "dns.mta-sts"),
)


def known_beforehand(check: str, facts: Facts, ask: bool = True) -> tuple[str | None, ...]:
    """The subjects of a check that has no answer, None where they are not known; raises nothing.

    Without `ask` nothing is read for it: what hangs already is not waited for once more.
    """
    if check in _OF_FAMILIES:
        return ("v4", "v6")
    if check not in (*_OF_NAME, *_OF_DOMAINS):
        return (None,)
    name = _name(facts, ask)
    if check in _OF_NAME:
        return (name or None,)
    return facts.settings.domains or (name.partition(".")[2] if name.count(".") > 1 else name or None,)


def _name(facts: Facts, ask: bool) -> str:
    try:
        known: Hostname | None = facts.get(hostname) if ask else facts.known(hostname)
    except HostError:
        return ""
    return known.name.lower() if known and "." in known.name else ""
