"""Judges of the addresses that the server's name has in DNS."""

from __future__ import annotations

import ipaddress

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import (
    Record,
    evidence,
    is_address,
    judged,
    of_guess,
    unseen,
    values,
    with_fate,
)
from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.dns.certificate import HostTried, Verdict, by_address, host_tried
from mailcow_wizard.facts.dns.expected import right_addresses
from mailcow_wizard.facts.dns.host_records import HostRecords
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.state import State, state, texts
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Judgement


def judge_a(facts: HostTried) -> Judgement:
    """The name has the address that mail leaves from, and no other."""
    host = facts.host
    judgement = _judge(host, host.a, host.server.v4, "A")
    return with_fate(of_guess(host.server, judgement), _fate(facts))


def judge_aaaa(facts: HostTried) -> Judgement:
    """With IPv6: the address of that; without: none, for mailcow's certificate client would take it."""
    judgement = _aaaa(facts.host)
    if facts.nowhere and judgement.status in ("warn", "fail"):
        judgement = _not_now(facts.host, judgement)
    if judgement.status == "pass" and facts.host.aaaa.exists and facts.host.only_v4:
        judgement = _bound_to_v4(facts, judgement)
    return with_fate(of_guess(facts.host.server, judgement), _fate(facts))


def _not_now(host: HostRecords, judgement: Judgement) -> Judgement:
    """The same where IPv6 leads nowhere: a record would lead others astray, the right one as well."""
    if host.aaaa.values:
        return judgement._replace(remedies=(_remove(host.server),))
    first = _(
        'See "IPv6" first (`check network.ipv6`): publish the address once it works; where it is not '
        "to be used, none is needed."
    )
    if host.aaaa.exists:  # an alias, in whose place the check of A has an address published
        return judgement._replace(remedies=(first,))
    return judgement._replace(
        summary=_("{said}; none is to be as long as IPv6 leads nowhere", said=judgement.summary),
        remedies=(first,),
    )


def _fate(facts: HostTried) -> Verdict | None:
    host = facts.host
    if not facts.settings.asks:
        return None
    return by_address(host.server.name, (host.a, host.aaaa), host, facts.settings)


def _aaaa(facts: HostRecords) -> Judgement:
    server = facts.server
    if server.may_have_v6:
        judgement = _judge(facts, facts.aaaa, server.v6, "AAAA")
        absent = judgement.status == "fail" and facts.aaaa.answered and not facts.aaaa.exists
        # Without it mail takes IPv4; only a wrong one leads mail and certificates astray.
        return judgement._replace(status="warn", severity="degrades") if absent else judgement
    published = texts(facts.aaaa)
    found = state(facts.aaaa, lambda values: not any(map(is_address, values)))
    if published and facts.aaaa.aliases:
        # What is at the end of an alias the zone's own servers need not know.
        found = State("wrong")
    if found.holds or found.kind == "missing":
        return Judgement(
            "pass",
            _("{server} has no IPv6 address in DNS, and IPv6 is not used", server=server.name),
            found=_("no AAAA record"),
            evidence=evidence(facts.aaaa),
            subject=server.name,
        )
    remove = Record(
        _("the IPv6 address (AAAA) of {server}", server=server.name),
        _("no AAAA for {server}", server=server.name),
        "required",
    )
    judgement = judged(remove, facts.aaaa, found, "", server.name)
    if found.kind != "wrong":
        return judgement
    words = _(
        "{server} has the IPv6 address {values}, but this server does not use IPv6",
        server=server.name,
        values=", ".join(published),
    )
    remove_it = _remove(server)
    if server.unnamed:
        words = _(
            "{server} has the IPv6 address {values}, and of this server's none was named with --address",
            server=server.name,
            values=", ".join(published),
        )
        remove_it = _(
            "If this server uses IPv6, name its address too: --address {own}. Else remove the AAAA record.",
            own=server.v6.own,
        )
    return judgement._replace(
        summary=words,
        needed=_("no AAAA record as long as IPv6 is not used"),
        why=_(
            "Whoever prefers IPv6 finds nobody there, and mailcow's certificate client compares "
            "this address only: no certificate is issued."
        ),
        remedies=(remove_it,),
    )


def _remove(server: MailServer) -> str:
    return _("Remove the AAAA record of {server}, or bring IPv6 up.", server=server.name)


def _bound_to_v4(facts: HostTried, judgement: Judgement) -> Judgement:
    """The address is this server's, and mailcow does not listen there."""
    name, bound = facts.host.server.name, facts.host.only_v4
    web = any(one.port.id == "ports.http" for one in bound)
    breaks = web and facts.settings.asks and not facts.settings.by_dns
    return judgement._replace(
        status="fail" if breaks else "warn",
        severity="breaks" if breaks else "degrades",
        summary=_(
            "{name} has an IPv6 address, where nobody answers: mailcow.conf binds to IPv4 alone ({places})",
            name=name,
            places=", ".join(one.where for one in bound),
        ),
        why=_(
            "Where there is an AAAA record mailcow asks itself over IPv6 alone before it asks for a "
            "certificate, and others try IPv6 first."
        )
        if breaks
        else judgement.why,
        remedies=(
            _("Take the addresses out of these lines of mailcow.conf: mailcow then listens on both."),
            _("Or bind them to IPv6 too, in docker-compose.override.yml: {page}", page=need.DOC_BINDINGS),
            _("Or remove the AAAA record of {server}.", server=name),
        ),
        certainty="inferred",
    )


def _judge(facts: HostRecords, seen: Seen, ours: Addresses, type: str) -> Judgement:
    server = facts.server
    kind = "IPv4" if type == "A" else "IPv6"
    line = _(" and ").join(f"{server.name}. {type} {one}" for one in ours.named)
    record = Record(
        _("the {kind} address ({type}) of {server}", kind=kind, type=type, server=server.name),
        line,
        "required",
    )
    if not ours.public:
        return _unknown(server.name, seen, ours)

    found = state(seen, right_addresses(seen, ours))
    judgement = judged(
        record,
        seen,
        found,
        _("{server} is {values}", server=server.name, values=_(" and ").join(seen.values)),
        server.name,
    )
    if found.kind == "wrong":
        return judgement._replace(
            summary=_wrong(server.name, seen, ours, kind), remedies=_mends(record, seen, ours)
        )
    return judgement


def _unknown(name: str, seen: Seen, ours: Addresses) -> Judgement:
    """What is published cannot be compared with an address that is not known."""
    published = _("published: {value}", value=values(seen) or _("nothing"))
    return unseen(ours, name)._replace(found=published, evidence=evidence(seen))


def _wrong(name: str, seen: Seen, ours: Addresses, kind: str) -> str:
    if seen.aliases:
        return _(
            "{name} is an alias (CNAME) of {aliases}; a mail server's name must not be",
            name=name,
            aliases=", ".join(seen.aliases),
        )
    foreign = [one for one in seen.values if one not in ours.every]
    if not foreign:
        return _(
            "{name} is {values}, and mail leaves with {sent}, which is not among them",
            name=name,
            values=", ".join(seen.values),
            sent=ours.sent,
        )
    if len(foreign) < len(seen.values):
        return _(
            "{name} has besides its own {kind} address another: {foreign}",
            name=name,
            kind=kind,
            foreign=", ".join(foreign),
        )
    named = ", ".join(f"{one}{_kind_of(one)}" for one in foreign)
    return _(
        "{name} points to {named}, but this server is {public}",
        name=name,
        named=named,
        public=", ".join(ours.every),
    )


def _kind_of(address: str) -> str:
    """What an address is known as, where it can be no mail server's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if _is_proxied(address):
        return _(" (Cloudflare's proxy)")
    if parsed.is_loopback:
        return _(" (this machine itself: loopback)")
    return "" if parsed.is_global else _(" (a private address)")


def _is_proxied(address: str) -> bool:
    """Whether an address is one of Cloudflare's proxies."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    networks = map(ipaddress.ip_network, need.CLOUDFLARE)
    return any(parsed in one for one in networks if one.version == parsed.version)


def _mends(record: Record, seen: Seen, ours: Addresses) -> tuple[str, ...]:
    if any(map(_is_proxied, seen.values)):
        return (
            _("Set the record to DNS only: a web proxy carries no mail."),
            _("Publish: {line}", line=record.line),
        )
    if seen.aliases:
        return (_("Publish in place of the alias: {line}", line=record.line),)
    if right_addresses(seen, ours)(tuple(one for one in seen.values if one in ours.every)):
        foreign = [one for one in seen.values if one not in ours.every]
        return tuple(_("Remove: {line}", line=f"{seen.name}. {seen.type} {one}") for one in foreign)
    return (_("Publish: {line}", line=record.line),)


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.a",
        title=_("IPv4 address (A)"),
        needed=_("the server's name has its public IPv4 address, and is no alias"),
        why=_(
            "Other mail servers and people's programs find the server by this record; without it "
            "no mail arrives and no certificate is issued."
        ),
        doc=need.DOC_DNS,
        severity="breaks",
        source=host_tried,
        judge=judge_a,
        per="name",
        network=True,
        deadline=12.0,
    ),
    Check(
        id="dns.aaaa",
        title=_("IPv6 address (AAAA)"),
        needed=_("the server's IPv6 address where IPv6 is used, and none where it is not"),
        why=_("Many servers prefer IPv6: a wrong address here loses mail that the IPv4 address would get."),
        doc=need.DOC_DNS,
        severity="breaks",
        source=host_tried,
        judge=judge_aaaa,
        per="name",
        network=True,
        deadline=12.0,
    ),
)
