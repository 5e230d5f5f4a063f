"""The records of the server's own name: its addresses, and the names of its addresses."""

from __future__ import annotations

from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.published import Seen, Wanted, look
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import NamedTuple


class HostRecords(NamedTuple):
    """The server, and what is published under its name."""

    server: MailServer
    a: Seen
    aaaa: Seen


def host_records(facts: Facts) -> HostRecords:
    """Asks for the server's A and AAAA together. Raises HostError."""
    server = facts.get(mail_server)
    a, aaaa = look(facts, tuple(Wanted(server.name, type, server.within) for type in ("A", "AAAA")))
    return HostRecords(server, a, aaaa)
