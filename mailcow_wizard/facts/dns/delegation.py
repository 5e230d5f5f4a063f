"""Which zone a name is in and who serves it, found from the root servers down (RFC 1034, 5.3.3).

No resolver's cache takes part, so that a record that was published a minute ago is seen, and asking for
one that does not exist yet leaves nothing behind in a cache.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer, answer
from mailcow_wizard.facts.dns.resolvers import known_resolvers, public_resolvers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

WAIT_S = 2.0
# All thirteen are asked within this time; where none answers, a resolver takes their place.
_WAIT_FOR_ROOTS_S = 1.5
_MOST_SERVERS = 13
_MOST_ADDRESSES = 4
_MOST_CUTS = 12
_MOST_LABELS = 128


class NameServer(NamedTuple):
    """A name server: its name, and its addresses, none where they could not be found."""

    name: str
    addresses: tuple[str, ...]


class Zone(NamedTuple):
    """A zone: its name (the root is `.`), and who serves it.

    `problem` says why the walk ended above the name that was looked for; then this is the last zone that
    could be asked. `by_resolver` that a resolver named the servers because the roots did not answer.
    """

    name: str
    servers: tuple[NameServer, ...]
    problem: str = ""
    by_resolver: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every server's addresses: the first of each, then the second of each, and so on."""
        most = max((len(one.addresses) for one in self.servers), default=0)
        rows = (one.addresses[place : place + 1] for place in range(most) for one in self.servers)
        return tuple(dict.fromkeys(address for row in rows for address in row))


class _Known:
    """The zones found so far in this run, so that no walk begins at the root twice."""

    def __init__(self) -> None:
        pairs = zip("abcdefghijklm", need.ROOT_SERVERS_V4, need.ROOT_SERVERS_V6, strict=True)
        roots = tuple(NameServer(f"{letter}.root-servers.net", (v4, v6)) for letter, v4, v6 in pairs)
        self._zones: dict[str, Zone] = {".": Zone(".", roots)}
        self._walks: dict[tuple[str, int], None] = {}
        self._lock = threading.Lock()

    @property
    def zones(self) -> tuple[Zone, ...]:
        """What was found so far, and the root."""
        with self._lock:
            return tuple(self._zones.values())

    @property
    def walks(self) -> tuple[tuple[str, int], ...]:
        """The names that were walked to, with how many labels were enough."""
        with self._lock:
            return tuple(self._walks)

    def add(self, zone: Zone) -> None:
        with self._lock:
            self._zones[zone.name] = zone

    def begin(self, name: str, enough: int) -> Zone:
        """The zone closest above a name, or the name's own, where a walk to it begins."""
        with self._lock:
            self._walks[(name, enough)] = None
            while name not in self._zones:
                name = name.partition(".")[2] or "."
            return self._zones[name]


def _known(facts: Facts) -> _Known:
    return _Known()


def zone_of(facts: Facts, name: str, enough: int = _MOST_LABELS) -> Zone:
    """The zone that holds a name; the cut may be at the name itself. Raises HostError.

    A zone whose name has `enough` labels is taken without asking it whether there is a deeper one.
    """
    known = facts.get(_known)
    zone = known.begin(name, enough)
    for _unused in range(_MOST_CUTS):
        if zone.name.count(".") + 1 >= enough and zone.name != ".":
            return zone
        below = _below(facts, zone, name)
        if below is zone or below.problem:
            return below
        zone = below
        known.add(zone)
    return zone._replace(problem=_("the delegations to {name} do not end", name=name))


def walk_every_way(facts: Facts) -> None:
    """Asks what the walks of these facts would ask in any other order: they share what they find, so which
    name is asked for where depends on which came first, and a replay has another order."""
    known = facts.known(_known)
    names = known.walks if known else ()
    zones: dict[Zone, None] = dict.fromkeys(known.zones if known else ())
    done: set[tuple[Zone, str]] = set()
    for _unused in range(_MOST_CUTS):
        steps = {(zone, name) for zone in zones for name, enough in names if _leads(zone, name, enough)}
        ahead = tuple(sorted(steps - done))
        done |= steps
        facts.begin(*((_step, *one) for one in ahead))
        found = [facts.get(_step, *one) for one in ahead]
        zones.update(dict.fromkeys(one for one in found if one is not None))


def _leads(zone: Zone, name: str, enough: int) -> bool:
    """Whether a walk to the name asks in this zone."""
    far = zone.name != "." and zone.name.count(".") + 1 >= enough
    return not far and not zone.problem and _is_between(name, zone.name, name)


def _step(facts: Facts, zone: Zone, name: str) -> Zone | None:
    try:
        return _below(facts, zone, name)
    except HostError:
        return None


def _below(facts: Facts, above: Zone, name: str) -> Zone:
    """The next zone on the way to a name; the same where there is none."""
    if name == above.name:
        return above
    if above.by_resolver or (above.name == "." and facts.settings.resolver):
        return _by_resolver(facts, above, name)
    heard = ask(facts, name, "NS", above.addresses)
    if heard.error and above.name == ".":
        return _by_resolver(facts, above, name)
    if heard.error:
        return above._replace(
            problem=_(
                "the name servers of {called} give no answer: {error}",
                called=_called(above),
                error=heard.error,
            )
        )
    if heard.code not in (NOERROR, NXDOMAIN):
        said = heard.explained or heard.code
        return above._replace(
            problem=_(
                "{server}, a name server of {called}, does not serve it ({said})",
                server=heard.server,
                called=_called(above),
                said=said,
            )
        )
    return _read(facts, above, name, heard)


def _read(facts: Facts, above: Zone, name: str, heard: Answer) -> Zone:
    """The zone that an answer leads to: by a referral, or as one that the same servers have too."""
    cuts = [one.name for one in (*heard.authority, *heard.records) if one.type == "NS"]
    cut = next((one for one in cuts if _is_between(one, above.name, name)), "")
    if cut:
        named = (one for one in (*heard.authority, *heard.records) if one.type == "NS" and one.name == cut)
        names = _in_order(one.value for one in named)
        return Zone(cut, _with_addresses(facts, names, heard))
    held = next((one.name for one in heard.authority if one.type == "SOA"), "")
    if _is_between(held, above.name, name) and held != name:
        return _below(facts, above, held)
    if not heard.authoritative:
        return above._replace(
            problem=_(
                "{server}, a name server of {called}, knows nothing of it",
                server=heard.server,
                called=_called(above),
            )
        )
    return above


def _is_between(cut: str, above: str, name: str) -> bool:
    """Whether a zone's name lies below one zone and at or above a name."""
    inside = above == "." or cut.endswith(f".{above}")
    return cut not in ("", above) and inside and (name == cut or name.endswith(f".{cut}"))


def _by_resolver(facts: Facts, above: Zone, name: str) -> Zone:
    """The zone and its servers as a resolver knows them, where the way from the roots is blocked."""
    heard = ask(facts, name, "NS", resolvers(facts), recursive=True)
    if heard.error or heard.code not in (NOERROR, NXDOMAIN):
        said = heard.error or heard.explained or heard.code
        return above._replace(problem=_("resolvers give no answer: {said}", said=said), by_resolver=True)
    names = _in_order(one.value for one in heard.of("NS") if one.name == name)
    if names:
        return Zone(name, _with_addresses(facts, names, heard), by_resolver=True)
    held = next((one.name for one in heard.authority if one.type == "SOA"), "")
    if _is_between(held, above.name, name) and held != name:
        return _by_resolver(facts, above, held)
    return (
        above
        if above.by_resolver
        else above._replace(problem=_("no zone holds {name}", name=name), by_resolver=True)
    )


def _with_addresses(facts: Facts, names: tuple[str, ...], heard: Answer) -> tuple[NameServer, ...]:
    """The servers with their addresses: those that came along, else those that a resolver knows."""
    glue: dict[str, list[str]] = {name: [] for name in names}
    for record in heard.additional:
        if record.name in glue and record.type in ("A", "AAAA"):
            glue[record.name].append(record.value)
    without = tuple(name for name in names if not glue[name])
    if without:
        for name, found in zip(without, addresses_of(facts, without), strict=True):
            glue[name] += found
    return tuple(NameServer(name, _in_order(glue[name], _MOST_ADDRESSES)) for name in names)


def _in_order(said: Iterable[str], most: int = _MOST_SERVERS) -> tuple[str, ...]:
    """Names or addresses, IPv4 first: servers turn them round with each answer, and a question is another
    one where it goes to other servers first."""
    return tuple(sorted(set(said), key=lambda one: (":" in one, one))[:most])


def addresses_of(facts: Facts, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The addresses of names of servers, IPv4 first, as resolvers know them: they exist long since."""
    servers = resolvers(facts)
    questions = tuple(DnsQuestion(name, type, servers) for name in names for type in ("A", "AAAA"))
    heard = [answer(one) for one in facts.host.ask_dns(questions, WAIT_S)]
    pairs = zip(heard[::2], heard[1::2], strict=True)
    return tuple((*v4.values("A"), *v6.values("AAAA")) for v4, v6 in pairs)


def resolvers(facts: Facts) -> tuple[str, ...]:
    """The system's resolvers, then public ones: whichever answers."""
    return tuple(dict.fromkeys((*known_resolvers(facts)[:2], *public_resolvers(facts))))


def ask(facts: Facts, name: str, type: str, servers: tuple[str, ...], recursive: bool = False) -> Answer:
    """One answer, of the first server that has one."""
    wait = _WAIT_FOR_ROOTS_S if servers[:1] == need.ROOT_SERVERS_V4[:1] else WAIT_S
    return answer(facts.host.ask_dns((DnsQuestion(name, type, servers, recursive),), wait)[0])


def _called(zone: Zone) -> str:
    return _("the root") if zone.name == "." else zone.name
