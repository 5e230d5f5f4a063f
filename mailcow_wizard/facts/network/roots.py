"""Whether this machine can ask the root servers, over UDP and TCP, and whether it is they who answer."""

from __future__ import annotations

from mailcow_wizard import requirements_dns
from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts.dns.delegation import ask, zone_of
from mailcow_wizard.facts.dns.message import NOERROR, answer
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.resolvers import known_resolvers
from mailcow_wizard.facts.firewall.leaving import Leaving, Met, leaving
from mailcow_wizard.facts.network.names import own_address
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, Probe
from mailcow_wizard.typed import NamedTuple

_WAIT_S = 3.0
_ALL = {4: requirements_dns.ROOT_SERVERS_V4, 6: requirements_dns.ROOT_SERVERS_V6}
# Name, type, with signatures, transport: a large and a small question over UDP, two large ones over TCP.
_QUESTIONS = (
    ("NS", True, "udp"),
    ("SOA", False, "udp"),
    ("NS", True, "tcp"),
    ("DNSKEY", True, "tcp"),
)


class Heard(NamedTuple):
    """One question to one root server. `size` of the answer in bytes, 0 where there is none and `error` says
    why; `own` that it is the server's own word (the AA bit), `signed` that signatures came along. `met` is
    what the question meets among this machine's own rules, `container` what the same of a container would."""

    server: str
    large: bool
    transport: str
    size: int
    own: bool
    signed: bool
    error: str
    met: Met | None = None
    container: Met | None = None


class Roots(NamedTuple):
    """What the root servers answer in one family; `resolver` is whether this machine's own resolver does.
    `lost` are the names of unbound's healthcheck to which no way leads down from the roots, each with why: of
    either family, told with IPv4."""

    family: int
    present: bool
    heard: tuple[Heard, ...] = ()
    resolver: bool = False
    lost: tuple[tuple[str, str], ...] = ()

    def of(self, transport: str, large: bool | None = None) -> tuple[Heard, ...]:
        """The questions over one transport, of one size."""
        return tuple(one for one in self.heard if one.transport == transport and large in (None, one.large))


def roots(facts: Facts) -> tuple[Roots, ...]:
    """Both families, asked together; the rules of this machine are read meanwhile."""
    facts.begin((_asked,), (leaving,))
    asked = tuple(_with_names(facts, one) for one in facts.get(_asked))
    try:
        rules = facts.get(leaving)
    except HostError:
        return asked
    return tuple(one._replace(heard=tuple(_met(rules, each) for each in one.heard)) for one in asked)


def _met(rules: Leaving, heard: Heard) -> Heard:
    probe = Probe("udp" if heard.transport == "udp" else "tcp", heard.server, 53)
    return heard._replace(met=rules.own(probe), container=rules.container(probe))


def _asked(facts: Facts) -> tuple[Roots, ...]:
    present = {family: bool(facts.get(own_address, family)) for family in (4, 6)}
    servers = {family: [_ALL[family][place] for place in need.ROOTS_ASKED] for family in (4, 6)}
    questions = [
        DnsQuestion(".", type, (server,), recursive=False, dnssec=large, transport=transport)
        for family in (4, 6)
        if present[family]
        for server in servers[family]
        for type, large, transport in _QUESTIONS
    ]
    known = known_resolvers(facts)
    resolver = (DnsQuestion(".", "NS", known),) if known else ()
    replies = facts.host.ask_dns((*questions, *resolver), _WAIT_S) if questions or resolver else ()
    heard = [_heard(asked, reply) for asked, reply in zip(questions, replies, strict=False)]
    works = bool(resolver) and answer(replies[-1]).code == NOERROR
    return tuple(
        Roots(
            family,
            present[family],
            tuple(one for one in heard if (":" in one.server) == (family == 6)),
            works,
        )
        for family in (4, 6)
    )


def _with_names(facts: Facts, asked: Roots) -> Roots:
    """With the names that are not found below; where the roots are mute over UDP or TCP, that is enough."""
    speaks = all(any(one.own for one in asked.of(transport)) for transport in ("udp", "tcp"))
    if asked.family != 4 or not speaks:
        return asked
    facts.begin(*((_lost, name) for name in need.HEALTHCHECK_NAMES))
    reasons = ((name, facts.get(_lost, name)) for name in need.HEALTHCHECK_NAMES)
    return asked._replace(lost=tuple(one for one in reasons if one[1]))


def _lost(facts: Facts, name: str) -> str:
    """Why the way from the roots to a name ends before its address; empty where it does not, and where it was
    a resolver that showed the way."""
    try:
        zone = facts.get(zone_of, name)
        answers = (ask(facts, name, "A", zone.addresses),) if zone.addresses and not zone.problem else ()
    except NotRecorded:
        return ""
    except HostError as error:
        return str(error)
    seen = Seen(name, "A", zone, answers)
    return "" if zone.by_resolver or seen.directly else seen.silence


def _heard(asked: DnsQuestion, reply: DnsReply) -> Heard:
    said = answer(reply)
    return Heard(
        asked.servers[0],
        asked.dnssec,
        asked.transport,
        len(reply.packet),
        said.authoritative,
        bool(said.of("RRSIG")),
        said.error or ("" if said.code == NOERROR else said.code),
    )
