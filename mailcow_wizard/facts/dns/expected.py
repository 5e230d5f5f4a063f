"""What should be published for a server and its mail domains, and when what is published fulfils it. Pure.

The table of records is mailcow's own (its page DNS), with the ports of mailcow.conf.
"""

from __future__ import annotations

from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.dns import spf_check
from mailcow_wizard.facts.dns.dkim import public_key, usable
from mailcow_wizard.facts.dns.dmarc import mistakes, policies
from mailcow_wizard.facts.dns.domain_records import CLIENTS, PATHS, SERVICES, DomainRecords
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.published import Seen, values_at
from mailcow_wizard.facts.dns.signing import SigningKey
from mailcow_wizard.facts.dns.state import texts, values
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    from mailcow_wizard.facts.dns.state import Right

    Level = Literal["required", "recommended", "optional"]

TTL = 3600
PATH = "path=/SOGo/dav/"
_FAILS_MISSING = ("A", "MX", "PTR")  # without these no mail arrives, or others refuse what this server sends
_FAILS_WRONG = (*_FAILS_MISSING, "AAAA")  # a stale address is taken by whoever prefers IPv6
_WAITS_FOR_KEY = _("mailcow makes the key when the domain is added")


class Expected(NamedTuple):
    """A record to publish. `domain` is the mail domain that it is for, empty for the server's own records.

    `value` is in the zone file's form without quotes; empty where it cannot be known yet, and `note` says
    what it waits for.
    """

    domain: str
    name: str
    type: str
    value: str
    level: Level
    note: str = ""

    def fails(self, kind: str) -> bool:
        """Whether the check of this record fails, not just warns, on the state `missing` or `wrong`."""
        return self.type in (_FAILS_MISSING if kind == "missing" else _FAILS_WRONG)


def of_server(server: MailServer) -> tuple[Expected, ...]:
    """The server's own records: its addresses, and their names, which the provider publishes."""
    rows = [Expected("", server.name, "A", one, "required") for one in server.v4.named]
    if server.uses_v6:
        rows += [Expected("", server.name, "AAAA", one, "required") for one in server.v6.named]
    return tuple(rows)


def of_domain(server: MailServer, domain: str, key: SigningKey) -> tuple[Expected, ...]:
    """The records of a mail domain, in the order of need; `key` is the one that mailcow signs with."""
    name = server.name
    return (
        Expected(domain, domain, "MX", f"10 {name}.", "required"),
        *(Expected(domain, f"{one}.{domain}", "CNAME", f"{name}.", "required") for one in CLIENTS),
        Expected(domain, domain, "TXT", "v=spf1 mx a -all", "recommended"),
        Expected(
            domain,
            f"{key.selector}._domainkey.{domain}",
            "TXT",
            key.record,
            "recommended",
            "" if key.public else _WAITS_FOR_KEY,
        ),
        Expected(
            domain,
            f"_dmarc.{domain}",
            "TXT",
            f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}",
            "recommended",
        ),
        *(
            Expected(domain, f"{service}.{domain}", "SRV", f"{srv_value(server, port)}.", "optional")
            for service, port in SERVICES
        ),
        *(Expected(domain, f"{service}.{domain}", "TXT", PATH, "optional") for service in PATHS),
    )


def srv_value(server: MailServer, port: str) -> str:
    """Priority, weight, port and target of a service, as mailcow writes them, but for the final dot; `port`
    is a check's id. Of one that the world does not meet, that there is none (RFC 2782)."""
    number = server.ports[port]
    return f"0 1 {number} {server.name}" if number else "0 0 0 "


def right(server: MailServer, expected: Expected, seen: Seen) -> Right:
    """When what one server has fulfils an expected record; `seen` is the record as it is now."""
    if expected.type == "TXT":
        return _right_text(expected)
    if expected.type == "AAAA" and not server.may_have_v6:
        return no_address
    if expected.type in ("A", "AAAA"):
        return right_addresses(seen, server.v4 if expected.type == "A" else server.v6)
    if expected.type == "CNAME":
        return right_client(server, seen)
    if expected.type == "SRV":
        return right_service(expected.value.removesuffix("."))
    return right_mx(server) if expected.type == "MX" else right_name(server)


def _right_text(expected: Expected) -> Right:
    if expected.value == PATH:
        return right_path
    below = expected.name.removesuffix(expected.domain)
    if below.endswith("._domainkey."):
        return right_key(public_key(expected.value))
    return right_policy if below == "_dmarc." else right_sender


def right_addresses(seen: Seen, ours: Addresses) -> Right:
    """Addresses of the server and no others, at a name that is no alias. Where mail was told to leave with
    another address than this machine's own packets, that one is among them: its name leads back to it."""
    told = {ours.sent} if ours.sent and ours.chosen else set()

    def right(values: tuple[str, ...]) -> bool:
        return bool(values) and told <= set(values) <= set(ours.every) and not seen.aliases

    return right


def no_address(values: tuple[str, ...]) -> bool:
    """None of IPv6: it is not used."""
    return not any(":" in one for one in values)


def right_mx(server: MailServer) -> Right:
    """The server, at whatever priority, and nobody else."""
    return lambda values: bool(values) and {one.partition(" ")[2] for one in values} == {server.name}


def right_name(server: MailServer) -> Right:
    """The server's name and no other."""
    return lambda values: values == (server.name,)


def right_client(server: MailServer, seen: Seen) -> Right:
    """An alias of the server's name, whatever that has, or nothing but the server's addresses."""
    known = {*server.v4.every, *_ours_v6(server)}
    every = [one for one in (*seen.own, *seen.public, seen.local) if one]
    by_alias = {values(seen, one) for one in every if values_at(one, seen.name, "CNAME") == (server.name,)}

    def right(values: tuple[str, ...]) -> bool:
        if not values:
            return False
        return values == (server.name,) or values in by_alias or set(values) <= known

    return right


def right_service(value: str) -> Right:
    """The server and port of a service; priority and weight are free, and so is to say that it is off."""
    wanted = value.split()[2:]

    def fits(said: str) -> bool:
        words = said.split()
        return len(words) == 4 and (words[2:] == wanted or words[3] == ".")

    return lambda values: bool(values) and all(fits(one) for one in values)


def right_path(values: tuple[str, ...]) -> bool:
    """The path that mailcow's groupware has."""
    return PATH in values


def right_sender(values: tuple[str, ...]) -> bool:
    """One SPF record; whether it lets this server send is told where it is evaluated."""
    return len(spf_check.policies(values)) == 1


def right_policy(values: tuple[str, ...]) -> bool:
    """One valid policy of DMARC; other texts beside it do no harm."""
    own = policies(values)
    return len(own) == 1 and not mistakes(own[0])


def right_key(public: str) -> Right:
    """One DKIM key that can be used; mailcow's own, where that is known."""

    def right(values: tuple[str, ...]) -> bool:
        return len(values) == 1 and usable(values[0]) and public in ("", public_key(values[0]))

    return right


def _ours_v6(server: MailServer) -> tuple[str, ...]:
    """The server's addresses of IPv6; this machine's own where others were named, and none of that family."""
    return (*(server.v6.every if server.uses_v6 else ()), *((server.v6.own,) if server.unnamed else ()))


def client_record(server: MailServer, records: DomainRecords, client: str) -> Seen:
    """What a client's name is: its IPv4 side, or the other where it has only that, or has somebody else's
    address, which programs try first. Of a name that is no alias a side that could not be asked comes first:
    what the other has is not the whole."""
    v4, v6 = records.at(client, "A"), records.at(client, "AAAA")
    if v4.values and not v4.aliases and not v6.answered:
        return v6
    astray = server.v6 not in server.unseen and not set(texts(v6)) <= set(_ours_v6(server))
    if astray and v6.aliases != (server.name,):
        return v6
    return v4 if v4.exists or not v4.answered or not v6.values else v6
