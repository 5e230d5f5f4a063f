"""The server whose records are judged: its name, its mail domains, its addresses, its ports."""

from __future__ import annotations

from collections.abc import Mapping

from mailcow_wizard.facts.addresses import Addresses, addresses, configured_v6, uses_v6
from mailcow_wizard.facts.bindings import bindings
from mailcow_wizard.facts.identity import SAY_HOSTNAME, Hostname, domain_of, hostname
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.names import NotAName, host_name
from mailcow_wizard.typed import NamedTuple


class NoName(HostError):
    """The server has no name yet that DNS could hold."""

    remedies = (SAY_HOSTNAME,)


class MailServer(NamedTuple):
    """Whose records these are. `ports` by check id (`ports.imap`), as the world meets them (None: it does
    not); `unseen` are the families that mail may leave by with an address that nobody could say; `unnamed`:
    this machine has IPv6, and of the public addresses that were named none is of it; `guessed` that nobody
    said the name, which is only what this machine calls itself."""

    name: str
    domains: tuple[str, ...]
    v4: Addresses
    v6: Addresses
    uses_v6: bool
    ports: Mapping[str, int | None]
    unseen: tuple[Addresses, ...] = ()
    unnamed: bool = False
    guessed: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """The public addresses that mail leaves from, or is meant to; of IPv6 only where it is used."""
        return self.v4.senders + (self.v6.senders if self.uses_v6 else ())

    @property
    def may_have_v6(self) -> bool:
        """Whether the name may have an address of IPv6: it is used, or nobody could say."""
        return (self.uses_v6 and bool(self.v6.public or self.v6.own)) or self.v6 in self.unseen

    @property
    def untold(self) -> tuple[Addresses, ...]:
        """The families that mail leaves by with an address that is not known: nobody could say it, or
        mailcow.conf has IPv6 on and none of it was named."""
        return (*self.unseen, *((self.v6,) if self.unnamed and self.uses_v6 else ()))

    @property
    def within(self) -> str:
        """The name that its zone is found by: the one above its own, unless that is a top level."""
        return domain_of(self.name)


def mail_server(facts: Facts) -> MailServer:
    """The server by the contract's precedence. Raises NoName."""
    known = facts.get(hostname)
    name = _name(known)
    domains = facts.settings.domains or (domain_of(name),)
    conf = facts.get(mailcow_conf)
    ports = {one.port.id: one.public_number for one in bindings(conf.values, conf.odd)}
    v4, v6 = facts.get(addresses, 4), facts.get(addresses, 6)
    used = (v4,) if configured_v6(facts) is False else (v4, v6)
    return MailServer(
        name,
        domains,
        v4,
        v6,
        facts.get(uses_v6),
        ports,
        tuple(one for one in used if one.unseen),
        v6 in used and v6.origin == "option" and bool(v6.own) and not v6.public,
        known.origin == "guess",
    )


def _name(known: Hostname) -> str:
    try:
        name = host_name(known.name)
    except NotAName as error:
        raise NoName(
            _("'{known}' is no name for a mail server: {error}", known=known.name, error=error)
        ) from None
    if "." not in name:
        raise NoName(
            _(
                "this machine is called '{name}', and a mail server needs a full name, such as "
                "mail.example.org",
                name=name,
            )
        )
    return name
