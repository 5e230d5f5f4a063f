"""What this machine itself believes of its names: its resolver and /etc/hosts against the world."""

from __future__ import annotations

from mailcow_wizard.facts.dns.host_records import HostRecords, host_records
from mailcow_wizard.facts.dns.own_resolvers import OwnResolvers, own_resolvers
from mailcow_wizard.facts.hosts_file import addresses_in_hosts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Missing, NotRecorded
from mailcow_wizard.typed import NamedTuple


class LocalView(NamedTuple):
    """The records of the server's name in the world, the addresses that /etc/hosts has for it, and what this
    machine's own resolvers answer."""

    records: HostRecords
    hosts: tuple[str, ...]
    resolvers: OwnResolvers = OwnResolvers()


def local_view(facts: Facts) -> LocalView:
    """The server's name as programs on this machine see it. Raises HostError."""
    facts.begin((host_records,), (own_resolvers,))
    records = facts.get(host_records)
    try:
        text = facts.host.text("/etc/hosts")
    except (Missing, NotRecorded):
        text = ""
    return LocalView(records, addresses_in_hosts(text, records.server.name), facts.get(own_resolvers))
