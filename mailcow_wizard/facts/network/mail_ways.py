"""Whether mail can leave: port 25 of unrelated operators' servers, and who greets there."""

from __future__ import annotations

import ipaddress

from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts.firewall.leaving import leaving
from mailcow_wizard.facts.network.names import (
    NO_ADDRESS,
    NO_SUCH_NAME,
    Clock,
    Looked,
    ask,
    astray,
    families,
    look_up,
    nobodys_addresses,
    own_address,
)
from mailcow_wizard.facts.network.outward import Try, control_probes, with_rules
from mailcow_wizard.facts.provider import provider
from mailcow_wizard.facts.providers import Provider
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Probe
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number
from mailcow_wizard.typed import NamedTuple

_DECOY_PATIENCE_S = 1.0
_NEAR = {4: 24, 6: 48}  # bits of a network that is taken for one operator's


class MailTry(NamedTuple):
    """An attempt to reach an operator's mail server, whose name in DNS is `server`."""

    operator: need.MailOperator
    server: str
    tried: Try

    @property
    def greeter(self) -> str:
        """The name in the greeting, in lower case; empty where nothing or something else was said."""
        words = self.tried.result.greeting.replace("-", " ", 1).split()
        return words[1].lower().rstrip(".") if len(words) > 1 and words[0].isdigit() else ""

    @property
    def fits(self) -> bool:
        """Whether the greeting names the operator, or the server that was asked for."""
        ends = (*self.operator.greets, ".".join(self.server.split(".")[-2:]))
        return any(self.greeter == one or self.greeter.endswith(f".{one}") for one in ends)


class MailWay(NamedTuple):
    """What was tried in one family: mail servers, port 465 of others, and machines that are none (`decoys`).

    `present` that this machine has the family; `control` that other ports pass, `controls` which were tried;
    `near` that the name in greetings that are all the same belongs to the network of the servers asked,
    `doubt` why that could not be looked up; `trouble` why no mail server's address is known; `astray` are
    addresses that resolvers tell, and that are none of these servers'; `provider` is whose this server is,
    where no mail server was reached and that is known.
    """

    family: int
    present: bool
    servers: tuple[MailTry, ...] = ()
    submission: tuple[Try, ...] = ()
    decoys: tuple[Try, ...] = ()
    controls: tuple[Try, ...] = ()
    near: bool = False
    doubt: str = ""
    trouble: str = ""
    astray: frozenset[str] = frozenset()
    provider: Provider | None = None

    @property
    def control(self) -> bool:
        """Whether anything else gets out."""
        return any(one.returned for one in self.controls)


def mail_ways(facts: Facts) -> tuple[MailWay, ...]:
    """Both families, tried together; the rules of this machine are read meanwhile."""
    facts.begin((_tried,), (leaving,), (nobodys_addresses,))
    return tuple(_with_rules(facts, one) for one in facts.get(_tried))


def _with_rules(facts: Facts, way: MailWay) -> MailWay:
    known = with_rules(facts, [one.tried for one in way.servers])
    servers = tuple(one._replace(tried=tried) for one, tried in zip(way.servers, known, strict=True))
    opened = any(one.tried.result.outcome == "open" for one in servers)
    own = "" if opened else facts.get(own_address, way.family)
    whose = provider(facts, own, ()) if own else None
    return way._replace(
        servers=servers,
        submission=with_rules(facts, way.submission),
        provider=whose.provider if whose else None,
    )


def _tried(facts: Facts) -> tuple[MailWay, ...]:
    clock = Clock()
    mine = facts.get(families)
    servers, trouble = _servers(facts)
    controls = tuple(name for name, _unused in need.CONTROL_NAMES)
    looked = look_up(
        facts, (*(name for _unused, name in servers), *controls, *need.SUBMISSION_HOSTS), mine or (4,)
    )
    plans = {family: _Plan(family, servers, looked) for family in mine}
    probes = tuple(probe for one in plans.values() for probe in one.probes)
    results = facts.host.probe(probes, clock.left) if probes else ()
    tries = iter([Try(probe, result) for probe, result in zip(probes, results, strict=True)])
    ways = []
    for family in (4, 6):
        if family not in plans:
            ways.append(MailWay(family, False))
            continue
        plan = plans[family]
        way = MailWay(
            family,
            True,
            tuple(MailTry(operator, name, next(tries)) for operator, name, _unused in plan.servers),
            tuple(next(tries) for _unused in plan.submission),
            tuple(next(tries) for _unused in plan.decoys),
            tuple(next(tries) for _unused in plan.controls),
            trouble=trouble,
            astray=astray(facts, [one.address for _operator, _name, one in plan.servers]),
        )
        ways.append(_with_neighbour(facts, way))
    return tuple(ways)


class _Plan:
    """What is tried in one family."""

    def __init__(
        self, family: int, servers: tuple[tuple[need.MailOperator, str], ...], looked: dict[str, Looked]
    ) -> None:
        self.servers: list[tuple[need.MailOperator, str, Probe]] = []
        for operator, name in servers:
            addresses = looked[name].of(family)
            if addresses and operator not in [one[0] for one in self.servers]:
                self.servers.append((operator, name, Probe("greeting", addresses[0], need.SMTP)))
        self.submission = [
            Probe("tcp", address, need.SMTPS)
            for name in need.SUBMISSION_HOSTS
            for address in looked[name].of(family)[:1]
        ]
        self.decoys = [
            Probe("greeting", address, need.SMTP, patience=_DECOY_PATIENCE_S)
            for address in need.NO_MAIL_SERVERS[family]
        ]
        named = [
            Probe("tcp", address, port)
            for name, port in need.CONTROL_NAMES
            for address in looked[name].of(family)[:1]
        ]
        self.controls = [*named, *control_probes(family)]

    @property
    def probes(self) -> tuple[Probe, ...]:
        """All, in the order in which the results are taken."""
        return (
            *(one[2] for one in self.servers),
            *self.submission,
            *self.decoys,
            *self.controls,
        )


def _servers(facts: Facts) -> tuple[tuple[tuple[need.MailOperator, str], ...], str]:
    """The names of the operators' mail servers, the preferred first; or why none is known."""
    found: list[tuple[need.MailOperator, str]] = []
    trouble = ""
    asked = tuple((one.domain, "MX") for one in need.MAIL_OPERATORS)
    for operator, heard in zip(need.MAIL_OPERATORS, ask(facts, asked), strict=True):
        rows = sorted(
            (int(preference), name)
            for preference, _unused, name in (value.partition(" ") for value in heard.values("MX"))
            if is_number(preference) and name not in ("", ".")
        )
        found += [(operator, name) for _unused, name in rows[:2]]
        if not rows and not trouble:
            trouble = heard.error or _("{domain} has no MX ({code})", domain=operator.domain, code=heard.code)
    return tuple(found), "" if found else trouble


def _with_neighbour(facts: Facts, way: MailWay) -> MailWay:
    """Whether one name greets for several operators because it is their neighbour, not somebody between."""
    greeters = {one.greeter for one in way.servers if one.greeter and not one.fits}
    if len(greeters) != 1 or "." not in next(iter(greeters)):
        return way
    name = greeters.pop()
    bits = _NEAR[way.family]
    try:
        found = look_up(facts, (name,), (way.family,))[name]
    except HostError as error:
        return way._replace(doubt=str(error))
    if found.trouble not in ("", NO_SUCH_NAME, NO_ADDRESS):
        return way._replace(doubt=found.trouble)
    own = {ipaddress.ip_network((address, bits), strict=False) for address in found.of(way.family)}
    greeting = (one.tried.probe.address for one in way.servers if one.greeter == name)
    return way._replace(
        near=all(any(ipaddress.ip_address(one) in network for network in own) for one in greeting)
    )
