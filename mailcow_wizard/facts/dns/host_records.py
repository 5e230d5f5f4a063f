"""The records of the server's own name: its addresses, and the names of its addresses."""

from __future__ import annotations

from mailcow_wizard.facts.bindings import Binding, bindings
from mailcow_wizard.facts.compose_files import override_text
from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.published import Seen, Wanted, look
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

# A port that is published at an address of IPv6, as mailcow's manual has it; or in the long form.
_V6_BOUND = pattern(r"\[[0-9A-Fa-f:]*:[0-9A-Fa-f:]*\]:|host_ip:\s*[\"']?[0-9A-Fa-f]*:")
_OF_STRANGERS = ("ports.smtp", "ports.http", "ports.https")


class HostRecords(NamedTuple):
    """The server, and what is published under its name; `only_v4` are mailcow's places of the ports that
    others come to where these are bound to IPv4 alone."""

    server: MailServer
    a: Seen
    aaaa: Seen
    only_v4: tuple[Binding, ...] = ()


def host_records(facts: Facts) -> HostRecords:
    """Asks for the server's A and AAAA together. Raises HostError."""
    server = facts.get(mail_server)
    a, aaaa = look(facts, tuple(Wanted(server.name, type, server.within) for type in ("A", "AAAA")))
    return HostRecords(server, a, aaaa, _only_v4(facts))


def _only_v4(facts: Facts) -> tuple[Binding, ...]:
    """What an address in mailcow.conf binds is IPv4, unless the override adds IPv6 by hand."""
    try:
        conf = facts.get(mailcow_conf)
    except HostError:
        return ()
    every = (one for one in bindings(conf.values, conf.odd) if one.port.id in _OF_STRANGERS)
    bound = tuple(one for one in every if one.address and not one.address.startswith("127."))
    if not bound:
        return ()
    try:
        more = override_text(facts)
    except HostError:
        return bound
    return () if _V6_BOUND.search(more) else bound
