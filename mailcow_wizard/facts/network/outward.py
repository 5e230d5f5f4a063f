"""The hosts that mailcow talks to: which of them can be reached from here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts.firewall.leaving import Met, leaving
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.named_proxy import named_proxy
from mailcow_wizard.facts.network.interception import (
    PATIENCE_S,
    SAY_NOTHING,
    hello,
    intercepted,
    refused_tls,
    spoken,
)
from mailcow_wizard.facts.network.mirrors import mirrors
from mailcow_wizard.facts.network.names import (
    Clock,
    Looked,
    ask,
    astray,
    families,
    look_up,
    nobody_looks_up,
    nobodys_addresses,
    pinned,
    resolver_trouble,
    why_none,
)
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.network.conversation import Spoken
from mailcow_wizard.host.replies import Probe, Probed
from mailcow_wizard.typed import NamedTuple

_MOST_ADDRESSES = 2
_HTTPS = 443
_UDP_PATIENCE_S = PATIENCE_S
_CONTROL_PATIENCE_S = 1.0
_UDP_WORD = "00" * 8  # no fuzzy storage takes it for a question
_TIME_QUESTION = f"23{'00' * 47}"  # NTP version 4, from a client
_TIME_PATIENCE_S = 2.5
_MOST_TIME_SERVERS = 4


class Try(NamedTuple):
    """One attempt and what became of it; what it meets among this machine's own rules, and what the same of a
    container would (None: nobody knows). `taken` that somebody in between takes every such connection; what
    was `said` over TLS (None: it was not asked)."""

    probe: Probe
    result: Probed
    own: Met | None = None
    container: Met | None = None
    taken: bool = False
    said: Spoken | None = None

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.probe.address else 4

    @property
    def over_tls(self) -> bool:
        """Whether TLS tells who answers there; what it says of one port says nothing of another."""
        return self.probe.port == _HTTPS

    @property
    def returned(self) -> bool:
        """Whether something came back from out there: a refusal has been there, too."""
        outcome = self.result.outcome
        return outcome == "open" or (outcome == "refused" and not self.result.told_by)

    @property
    def cut(self) -> bool:
        """Whether it opened, and was ended when TLS had named the host."""
        return self.result.outcome == "open" and self.said is not None and refused_tls(self.said)

    @property
    def mute(self) -> bool:
        """Whether it opened, and nothing came back once TLS had named the host."""
        said = self.said
        opened = self.result.outcome == "open" and said is not None and bool(said.own)
        return opened and said is not None and said.outcome == "silent" and not said.tls

    @property
    def trusted(self) -> bool:
        """Whether who answered has a certificate of the host."""
        return self.said is not None and bool(self.said.tls) and not self.said.trouble

    @property
    def foreign(self) -> bool:
        """Whether who answered has no certificate of the host."""
        return self.said is not None and self.said.trouble not in ("", *SAY_NOTHING)

    @property
    def proves(self) -> bool:
        """Whether the host itself answered."""
        if self.result.outcome != "open" or self.cut or self.mute or self.foreign:
            return False
        return self.trusted or not self.taken


class Reached(NamedTuple):
    """One host that mailcow talks to, its addresses, the attempts; `needless` is the variable of mailcow.conf
    that turns off what needs it; `through` the proxy that it answers through, where it does not directly."""

    row: need.Outgoing
    looked: Looked
    tries: tuple[Try, ...]
    needless: str = ""
    through: str = ""


class Outward(NamedTuple):
    """All hosts, and the families that this machine has; why its own resolver gives no answer, empty where it
    does. `controls` are attempts to reach what passes wherever anything passes: few hosts have IPv6.
    `nameless`: this machine's own programs get no address of any name; `astray` are addresses that
    resolvers tell, and that are not those of the hosts."""

    hosts: tuple[Reached, ...]
    families: tuple[int, ...]
    resolver: str = ""
    controls: tuple[Try, ...] = ()
    nameless: bool = False
    astray: frozenset[str] = frozenset()


def control_probes(family: int) -> tuple[Probe, ...]:
    """What passes in a family wherever anything passes in it."""
    return tuple(
        Probe("tcp", address, _HTTPS, patience=_CONTROL_PATIENCE_S)
        for address in need.CONTROL_ADDRESSES[family]
    )


def outward(facts: Facts) -> Outward:
    """Looks all names up, then tries all addresses, each step at once; reads the rules meanwhile."""
    facts.begin((_tried,), (leaving,), (intercepted,))
    found = facts.get(_tried)
    hosts = (one._replace(tries=with_rules(facts, one.tries)) for one in found.hosts)
    return found._replace(hosts=tuple(hosts))


def with_rules(facts: Facts, tries: Sequence[Try]) -> tuple[Try, ...]:
    """The attempts, each with what it meets among this machine's own rules, where those can be read."""
    try:
        rules = facts.get(leaving)
    except HostError:
        return tuple(tries)
    return tuple(
        one._replace(own=rules.own(one.probe), container=rules.container(one.probe)) for one in tries
    )


def _tried(facts: Facts) -> Outward:
    clock = Clock()
    mine = facts.get(families)
    rows = _rows(facts)
    texts = tuple(dict.fromkeys(one.host for one in rows if one.protocol == "txt"))
    names = tuple(dict.fromkeys(one.host for one in rows if one.protocol != "txt"))
    addresses, others = (names, mine or (4,)), tuple((one, "TXT") for one in texts)
    facts.begin((look_up, *addresses), (ask, others), (nobodys_addresses,))
    looked = {**facts.get(look_up, *addresses)}
    for name, heard in zip(texts, facts.get(ask, others), strict=True):
        trouble = "" if heard.of("TXT") else why_none(heard)
        looked[name] = Looked(name, trouble=trouble, unanswered=() if heard.code else (4,))
    looked |= pinned(facts, tuple(dict.fromkeys(one.host for one in rows if one.by_machine)))
    told = [one for one in looked.values() if not one.pinned and one.name not in (*one.v4, *one.v6)]
    lies = astray(facts, [address for one in told for address in (*one.v4, *one.v6)])
    resolver = facts.get(resolver_trouble)
    facts.begin((nobody_looks_up,))
    probes = [[_probe(one, to) for to in _addresses(one, looked[one.host])] for one in rows]
    # Several names may lead to one server: it is tried once.
    controls = tuple(probe for family in mine for probe in control_probes(family))
    different = tuple(dict.fromkeys((*(one for row in probes for one in row), *controls)))
    named = tuple(
        (to.address, one.host) for one, row in zip(rows, probes, strict=True) if _needs_tls(one) for to in row
    )
    # Who is silent is waited for as long: TLS costs no time of its own.
    left = clock.left
    facts.begin((_results, different, left), (hello, *named))
    results = facts.get(_results, different, left)
    said = facts.get(hello, *named)
    off = _switched_off(facts)
    found = [
        Reached(
            one,
            looked[one.host],
            tuple(
                Try(
                    probe,
                    results[probe],
                    said=said.get((probe.address, one.host)) if _needs_tls(one) else None,
                )
                for probe in row
            ),
            one.unless if one.unless in off else "",
        )
        for one, row in zip(rows, probes, strict=True)
    ]
    tried = tuple(Try(probe, results[probe]) for probe in controls)
    asked = _by_whom(facts, found, lies, clock)
    reached = tuple(_with_proxy(facts, asked, clock))
    return Outward(reached, mine, resolver, tried, facts.get(nobody_looks_up), lies)


def _results(facts: Facts, probes: tuple[Probe, ...], left: float) -> dict[Probe, Probed]:
    return dict(zip(probes, facts.host.probe(probes, left), strict=True))


def _needs_tls(row: need.Outgoing) -> bool:
    """Whether an install stops where no TLS comes about with this host."""
    return row.level == "required" and row.protocol == "tcp" and row.port == _HTTPS


def _by_whom(facts: Facts, found: Sequence[Reached], lies: frozenset[str], clock: Clock) -> list[Reached]:
    """The same; where somebody in between takes every connection, or names may lead to somebody else, with
    what is said over TLS: who shows another's certificate for one host may be told for others, too."""
    taken = facts.get(intercepted)
    doubtful = lies | {one.probe.address for host in found for one in host.tries if one.foreign}

    def is_taken(one: Try) -> bool:
        return (one.family, one.probe.port) in taken and _is_open(one)

    def is_unasked(one: Try) -> bool:
        doubted = is_taken(one) or (one.probe.address in doubtful and _is_open(one))
        return doubted and one.over_tls and one.said is None

    asked = [_spoken_of(host, one) for host in found for one in host.tries if is_unasked(one)]
    said = spoken(facts, tuple(dict.fromkeys(asked)), clock.left)
    return [
        host._replace(
            tries=tuple(
                one._replace(
                    taken=is_taken(one),
                    said=said.get(_spoken_of(host, one)) if is_unasked(one) else one.said,
                )
                for one in host.tries
            )
        )
        for host in found
    ]


def _is_open(one: Try) -> bool:
    return one.probe.kind == "tcp" and one.result.outcome == "open"


def _spoken_of(host: Reached, one: Try) -> tuple[str, str]:
    """Where TLS is spoken, and with whom."""
    return one.probe.address, host.row.host


def _with_proxy(facts: Facts, found: Sequence[Reached], clock: Clock) -> Iterator[Reached]:
    """The same; what the machine itself asks, and not a container, is asked through the proxy that the
    administrator names, where it does not answer directly."""
    silent = False
    for one in found:
        asks = one.row.by_machine and one.row.protocol == "tcp" and one.row.port == _HTTPS
        if silent or not asks or any(each.proves for each in one.tries):
            yield one
            continue
        named = facts.get(named_proxy)
        try:
            if named.address:
                facts.host.fetch(one.row.host, "/", 0, max(0.5, clock.left), True, named.url)
        except HostError as error:
            silent = isinstance(error, NoAnswer)
            yield one
            continue
        yield one._replace(through=named.address)


def _rows(facts: Facts) -> tuple[need.Outgoing, ...]:
    """Every host, of time servers those that were given instead of the usual ones, and package mirrors."""
    others = tuple(one for one in need.OUTGOING if one.protocol != "ntp")
    usual = next(one for one in need.OUTGOING if one.protocol == "ntp")
    given = tuple(usual._replace(host=one) for one in dict.fromkeys(facts.settings.ntp))
    known = {one.subject for one in others}
    packages = (need.mirror(*one) for one in facts.get(mirrors))
    return (
        *others,
        *(given[:_MOST_TIME_SERVERS] or (usual,)),
        *(one for one in packages if one.subject not in known),
    )


def _addresses(row: need.Outgoing, looked: Looked) -> tuple[str, ...]:
    if row.protocol == "txt":
        return ()
    wanted = (row.family,) if row.family else (4, 6)
    return tuple(address for family in wanted for address in looked.of(family)[:_MOST_ADDRESSES])


def _probe(row: need.Outgoing, address: str) -> Probe:
    if row.protocol == "udp":
        return Probe("udp", address, row.port, _UDP_WORD, patience=_UDP_PATIENCE_S)
    if row.protocol == "ntp":
        return Probe("udp", address, row.port, _TIME_QUESTION, patience=_TIME_PATIENCE_S)
    return Probe("tcp", address, row.port)


def _switched_off(facts: Facts) -> set[str]:
    """The variables of mailcow.conf, of those that make hosts needless, that are y there."""
    try:
        conf = facts.get(mailcow_conf)
    except HostError:
        return set()
    keys = {one.unless for one in need.OUTGOING if one.unless}
    return {key for key in keys if conf.yes(key)}
