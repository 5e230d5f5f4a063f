"""What is published: a record as every server of its zone has it, and then as resolvers see it.

The zone's own servers come first; resolvers are asked only for what exists there, because asking them for a
record before it is published makes them remember for hours that there is none (RFC 2308).
"""

from __future__ import annotations

from mailcow_wizard.facts.dns.delegation import WAIT_S, Zone, resolvers, zone_of
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer, answer
from mailcow_wizard.facts.dns.resolvers import known_resolvers, public_resolvers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

_MOST_ASKED = 12
_MOST_NAMED = 3


class Wanted(NamedTuple):
    """A record to look for, and a name at or above it whose zone is the place to begin (a mail domain).

    A zone whose name has `enough` labels is asked for the record at once: it refers to a deeper one itself.
    """

    name: str
    type: str
    within: str
    enough: int = 0


class Seen(NamedTuple):
    """A record as it is seen: by each server of its zone, by public resolvers, by this machine's own.

    `local` is None where the system's resolvers were not asked, for the record does not exist.
    """

    name: str
    type: str
    zone: Zone
    own: tuple[Answer, ...] = ()
    public: tuple[Answer, ...] = ()
    local: Answer | None = None

    @property
    def answered(self) -> tuple[Answer, ...]:
        """The answers of the zone's own servers that count; where those were out of reach, those of public
        resolvers, else this machine's own."""
        return self.world or tuple(one for one in (self.local,) if one and is_answer(one))

    @property
    def world(self) -> tuple[Answer, ...]:
        """The answers that count without those of this machine's own resolver."""
        own = tuple(one for one in self.own if is_answer(one))
        return own or tuple(one for one in self.public if is_answer(one))

    @property
    def directly(self) -> bool:
        """Whether the zone's own servers have answered."""
        return any(is_answer(one) for one in self.own)

    @property
    def values(self) -> tuple[str, ...]:
        """Every value that any of the answers that count has, each once."""
        return tuple(
            dict.fromkeys(value for one in self.answered for value in values_at(one, self.name, self.type))
        )

    @property
    def aliases(self) -> tuple[str, ...]:
        """What the name is an alias of (CNAME), in the answers that count."""
        return tuple(
            dict.fromkeys(value for one in self.answered for value in values_at(one, self.name, "CNAME"))
        )

    @property
    def exists(self) -> bool:
        """Whether there is such a record, or an alias in its place."""
        return bool(self.values or self.aliases)

    @property
    def everywhere(self) -> bool:
        """Whether each of the answers that count has such a record, or an alias in its place."""
        return self.exists and all(
            values_at(one, self.name, self.type) or values_at(one, self.name, "CNAME")
            for one in self.answered
        )

    @property
    def trouble(self) -> str:
        """Why nothing is known, or not what is at the end of an alias; empty where it is."""
        return self._unfollowed if self.answered else self.silence

    @property
    def _unfollowed(self) -> str:
        """Why the end of an alias that leaves its zone, or leads in a circle, is not known: resolvers would
        have to follow it."""
        heard = [*self.public, *([self.local] if self.local else [])]
        if not self.aliases or any(one.values(self.type) for one in self.answered):
            return ""
        if any(map(is_answer, heard)):
            return ""
        errors = map(_why, heard)
        return _(
            "no resolver could follow its alias to {aliases} ({why})",
            aliases=", ".join(self.aliases),
            why=next(errors, _("no name server could be asked")),
        )

    @property
    def silence(self) -> str:
        """Why the world said nothing, where it did not."""
        silent = (one for one in (*self.own, *self.public) if not is_answer(one))
        errors = [_why(one) for one in silent]
        servers = self.zone.servers
        if servers and not self.zone.addresses and not self.zone.problem:
            named = ", ".join(one.name for one in servers[:_MOST_NAMED])
            return _("no address of its name servers ({named}) could be found", named=named)
        return self.zone.problem or next(iter(errors), _("no name server could be asked"))


def is_answer(heard: Answer) -> bool:
    """Whether a server says what there is, or that there is nothing: not an error, not a referral."""
    if heard.code not in (NOERROR, NXDOMAIN):
        return False
    return bool(heard.records) or heard.authoritative or not _referral(heard)


def _why(heard: Answer) -> str:
    """Why an answer is none."""
    if heard.code == NOERROR:
        return _("{server} only refers to other servers", server=heard.server)
    return heard.error or heard.explained or heard.code


def values_at(heard: Answer, name: str, type: str) -> tuple[str, ...]:
    """The values of one type at this very name, not at the end of an alias."""
    return tuple(one.value for one in heard.records if one.type == type and one.name == name)


def _referral(heard: Answer) -> bool:
    return any(one.type == "NS" for one in heard.authority)


def look(facts: Facts, wanted: tuple[Wanted, ...]) -> tuple[Seen, ...]:
    """Looks for records, all at once; one answer each, in their order. Raises HostError."""
    seen = _at_own_servers(facts, wanted)
    # A name may be a zone of its own, which the servers above tell by referring to it.
    cuts = [place for place, one in enumerate(seen) if one.own and all(_refers(a) for a in one.own if a.code)]
    lower = tuple(
        Wanted(wanted[place].name, wanted[place].type, wanted[place].name)
        for place in cuts
        if _coded(seen[place])
    )
    again = dict(
        zip((p for p in cuts if _coded(seen[p])), _at_own_servers(facts, lower), strict=True) if lower else ()
    )
    seen = tuple(again.get(place, one) for place, one in enumerate(seen))
    return _at_resolvers(facts, seen)


def _coded(seen: Seen) -> bool:
    return any(one.code for one in seen.own)


def _refers(heard: Answer) -> bool:
    return heard.code == NOERROR and not heard.records and not heard.authoritative and _referral(heard)


def _at_own_servers(facts: Facts, wanted: tuple[Wanted, ...]) -> tuple[Seen, ...]:
    # One question has one answer in the store, so what is not said is not given.
    walks = [(one.within, one.enough) if one.enough else (one.within,) for one in wanted]
    facts.begin(*((zone_of, *one) for one in walks))
    zones = [facts.get(zone_of, *one) for one in walks]
    rows = [zone.addresses[:_MOST_ASKED] if not zone.problem else () for zone in zones]
    questions = tuple(
        DnsQuestion(one.name, one.type, (server,), recursive=False)
        for one, servers in zip(wanted, rows, strict=True)
        for server in servers
    )
    heard = iter(facts.host.ask_dns(questions, WAIT_S) if questions else ())
    return tuple(
        Seen(one.name, one.type, zone, tuple(_served(answer(next(heard))) for _unused in servers))
        for one, zone, servers in zip(wanted, zones, rows, strict=True)
    )


def _served(heard: Answer) -> Answer:
    """What a server of the zone says; an empty answer that is not its own word (no AA, no SOA) is none: it
    does not serve the zone, and resolvers ask another one."""
    own = heard.authoritative or heard.records or heard.authority
    if heard.code != NOERROR or own:
        return heard
    return Answer(heard.server, "", error=_("it does not serve the zone"), seconds=heard.seconds)


def _at_resolvers(facts: Facts, seen: tuple[Seen, ...]) -> tuple[Seen, ...]:
    """Adds what resolvers see of the records that exist, or may: the zone's servers were out of reach.

    Of a record that one of the zone's servers does not have yet no resolver is asked: it might ask that one.
    """
    asked = [one for one in seen if one.everywhere or not one.directly]
    public, local = public_resolvers(facts), known_resolvers(facts)
    sets = [*((one,) for one in public), *((local,) if local and local != public else ())]
    questions = tuple(DnsQuestion(one.name, one.type, servers) for one in asked for servers in sets)
    heard = iter([answer(one) for one in facts.host.ask_dns(questions, WAIT_S)] if questions else ())
    found = {}
    for one in asked:
        answers = tuple(next(heard) for _unused in sets)
        found[one.name, one.type] = one._replace(
            public=answers[: len(public)], local=answers[-1] if local and answers else None
        )
    return tuple(found.get((one.name, one.type), one) for one in seen)


def look_up(facts: Facts, names: tuple[tuple[str, str], ...]) -> tuple[Answer, ...]:
    """What the resolvers say, each question once: for names of others, which exist long since."""
    servers = resolvers(facts)
    questions = tuple(DnsQuestion(name, type, servers) for name, type in names)
    return tuple(answer(one) for one in facts.host.ask_dns(questions, WAIT_S)) if questions else ()
