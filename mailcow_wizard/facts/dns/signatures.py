"""Whether zones are signed, and whether the signatures hold (DNSSEC, RFC 4035), by validating resolvers.

A resolver that validates answers SERVFAIL where signatures are broken, and answers all the same when told
not to check: the two together tell broken signatures from a server that is down. Whether one validates at all
is told by what it says of the root, which is signed.
"""

from __future__ import annotations

import ipaddress

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.facts.dns.delegation import WAIT_S, zone_of
from mailcow_wizard.facts.dns.mail_server import mail_server
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, SERVFAIL, Answer, answer
from mailcow_wizard.facts.dns.resolvers import known_resolvers, public_resolvers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.numerals import whole
from mailcow_wizard.typed import NamedTuple


class Opinion(NamedTuple):
    """One resolver's answers to the zone's SOA, checked and unchecked; whether it checks signatures; `blind`:
    it runs on this machine, by whose clock it goes, and does not tell even the root, which is signed well."""

    checked: Answer
    unchecked: Answer
    validates: bool = False
    blind: bool = False

    @property
    def verdict(self) -> str:
        """`valid`, `broken`, `unsigned` (or a resolver that does not validate), or empty: no answer."""
        if self.checked.code in (NOERROR, NXDOMAIN):
            return "valid" if self.checked.authenticated else "unsigned"
        if self.checked.code == SERVFAIL and self.unchecked.code in (NOERROR, NXDOMAIN):
            return "broken"
        return ""


class Signed(NamedTuple):
    """A mail domain or the server's name, its zone, whether the zone above says that it is signed (None: not
    known), what each resolver says of it, and the DS records: key tag, algorithm, digest type, digest."""

    name: str
    zone: str
    delegated: bool | None
    opinions: tuple[Opinion, ...]
    signers: tuple[str, ...] = ()

    @property
    def strange(self) -> tuple[tuple[int, int], ...]:
        """Algorithm and digest type of each DS record, where resolvers know none of them."""
        kinds = tuple(dict.fromkeys(_kind(one) for one in self.signers))
        known = any(
            algorithm in need.DNSSEC_ALGORITHMS and digest in need.DNSSEC_DIGESTS
            for algorithm, digest in kinds
        )
        return () if known else kinds


def _kind(signer: str) -> tuple[int, int]:
    _tag, algorithm, digest, *_rest = (*signer.split(" "), "", "", "")
    return whole(algorithm), whole(digest)


def signatures(facts: Facts) -> tuple[Signed, ...]:
    """Asks about the server's zone and those of its domains. Raises HostError."""
    facts.begin((mail_server,), (_roots,))
    server = facts.get(mail_server)
    names = tuple(dict.fromkeys((*server.domains, server.within)))
    zones = [_zone(facts, name) for name in names]
    servers, roots = _validators(facts), facts.get(_roots)
    rows = [
        DnsQuestion(zone, type, (one,), dnssec=True, checking_disabled=not checked)
        for zone in zones
        for one in servers
        for type, checked in (("SOA", True), ("SOA", False), ("DS", False))
    ]
    heard = iter([answer(one) for one in facts.host.ask_dns(tuple(rows), WAIT_S)] if rows else ())
    found = []
    for name, zone in zip(names, zones, strict=True):
        triples = [(next(heard), next(heard), next(heard)) for _ in servers]
        told = [bool(ds.of("DS")) for _, _, ds in triples if ds.code in (NOERROR, NXDOMAIN)]
        opinions = tuple(
            Opinion(checked, unchecked, root.authenticated, _is_loopback(one) and root.code != NOERROR)
            for one, root, (checked, unchecked, _) in zip(servers, roots, triples, strict=True)
        )
        signers = tuple(dict.fromkeys(value for _, _, ds in triples for value in ds.values("DS")))
        found.append(Signed(name, zone, any(told) if told else None, opinions, signers))
    return tuple(found)


def _zone(facts: Facts, name: str) -> str:
    """The zone that holds a name; the name itself where nobody could say, so that none above is taken for it:
    of a zone with broken signatures resolvers do not even say whose it is."""
    found = facts.get(zone_of, name)
    return name if found.problem else found.name


def _roots(facts: Facts) -> tuple[Answer, ...]:
    """What each of the resolvers says of the root, checked."""
    servers = _validators(facts)
    asked = tuple(DnsQuestion(".", "SOA", (one,), dnssec=True) for one in servers)
    try:
        return tuple(answer(one) for one in facts.host.ask_dns(asked, WAIT_S)) if asked else ()
    except HostError as error:
        return tuple(Answer(one, "", error=str(error)) for one in servers)


def _is_loopback(server: str) -> bool:
    return ipaddress.ip_address(server.partition("%")[0]).is_loopback


def _validators(facts: Facts) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*public_resolvers(facts), *known_resolvers(facts)[:1])))
