"""A clock that is far off is found whatever it brings about, and is named first there."""

from collections.abc import Callable

import pytest

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.by_clock import see_the_clock
from mailcow_wizard.checks.dns_local_view import judge_local_view
from mailcow_wizard.checks.dns_signatures import judge_dnssec
from mailcow_wizard.checks.docker_registry import judge_registries
from mailcow_wizard.checks.network_hosts import judge_hosts
from mailcow_wizard.checks.reputation import judge_asn
from mailcow_wizard.facts.dns.local_view import local_view
from mailcow_wizard.facts.dns.message import Answer
from mailcow_wizard.facts.dns.signatures import Opinion, Signed, signatures
from mailcow_wizard.facts.docker_registry import Registries, Registry
from mailcow_wizard.facts.network.names import Looked
from mailcow_wizard.facts.network.outward import Outward, Reached, Try
from mailcow_wizard.facts.reputation_asn import AsnAnswer
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply, Probe, Probed, TimeAnswer
from mailcow_wizard.model import Judgement, Settings
from mailcow_wizard.requirements import NTP_POOL
from tests.checks.time_machine import NOW, Machine, answer, judge, no_answer
from tests.dns_world import OURS, ZONE, Rows, World

YEAR = 365 * 86_400.0
POOL = NTP_POOL[0]
EXPIRED = "its certificate is not accepted: certificate has expired"
NAMES: Rows = {(POOL, "A"): ("192.0.2.1", "192.0.2.2"), ("ip4.mailcow.email", "A"): "192.0.2.8"}


class Unresolving(Machine):
    """Its own resolver finds nothing; public ones do."""

    def __init__(self, *answers: TimeAnswer, pages: dict[str, HttpReply] | None = None) -> None:
        super().__init__({"/etc/resolv.conf": "nameserver 127.0.0.1\n"}, pages=pages)
        self._world, self._there = World(NAMES), answers
        self.reached: list[str] = []

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        if servers[0] in NAMES[POOL, "A"]:
            return tuple(one._replace(server=one.address) for one in self._there if one.address in servers)
        words = "name does not resolve (no answer from the resolver)"
        return tuple(no_answer(words, one, "") for one in servers)

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        return self._world.ask_dns(questions, timeout)

    def source_address(self, destination: str) -> str:
        return self._world.source_address(destination)

    def fetch(self, name: str, *others: object, address: str = "", **more: object) -> HttpReply:
        self.reached.append(address)
        return super().fetch(name, "/")


def test_servers_whose_names_public_resolvers_alone_find_are_asked() -> None:
    there = tuple(answer("", -YEAR, address=one, reference=n) for n, one in enumerate(NAMES[POOL, "A"]))
    found = judge("time.offset", Unresolving(*there))
    assert (found.status, found.summary) == ("fail", "the clock is 365.0 days behind 2 time servers")
    assert "finds nothing while the clock is far off" in found.remedies[0]
    assert "date -u -s" in found.remedies[1]
    assert found.evidence[0].value.startswith(f"{POOL}: this clock is 365.0 days behind")
    right = tuple(one._replace(packet=answer("", 0.0, reference=3.0).packet) for one in there)
    assert judge("time.offset", Unresolving(*right)).status == "pass"


def test_web_servers_are_asked_at_the_addresses_that_public_resolvers_tell() -> None:
    page = HttpReply(200, b"", "Thu, 10 Sep 2026 00:00:00 GMT", NOW)
    machine = Unresolving(pages={"ip4.mailcow.email": page})
    assert judge("time.offset", machine).status == "unknown"
    assert machine.reached == ["192.0.2.8"]


@pytest.mark.parametrize(
    ("trouble", "see"),
    [
        (EXPIRED, True),
        ("certificate is not yet valid", True),
        ("SERVFAIL (dnssec bogus)", True),
        ("ghcr.io has an address, but this machine's own resolver gives none (SERVFAIL)", True),
        ("SERVFAIL (validation failure <github.com. A IN>: signature expired)", True),
        ("SERVFAIL (DNSSEC validation failure)", True),
        ("SERVFAIL (Signature expired)", True),
        ("SERVFAIL (dnskey missing: ./DNSKEY)", True),
        ("SERVFAIL (no reachable authority)", False),
        ("SERVFAIL (cached error; 192.0.2.1#53 rcode=REFUSED)", False),
        ("self-signed certificate", False),
        ("", False),
    ],
)
def test_which_troubles_may_come_of_it(trouble: str, see: bool) -> None:
    assert bool(see_the_clock(trouble)) is see


def _registry() -> Judgement:
    hosts = (Registry("ghcr.io", "untrusted", text=f"ghcr.io: {EXPIRED}"),)
    return judge_registries(Registries(hosts, (), ""))[0]


def _nameless_registry() -> Judgement:
    hosts = (Registry("ghcr.io", "unasked", text="no address here (SERVFAIL)"),)
    return judge_registries(Registries(hosts, (), ""))[0]


def _host() -> Judgement:
    row = next(one for one in need.OUTGOING if one.subject == "github.com:443/tcp")
    tried = Try(Probe("tcp", "192.0.2.7", 443), Probed("open", 0.1))
    reached = Reached(row, Looked(row.host, ("192.0.2.7",)), (tried,))
    return judge_hosts(Outward((reached,), (4,), resolver="SERVFAIL"))[0]


def _own_resolver() -> Judgement:
    fine, bad = Answer("9.9.9.9", "NOERROR", authenticated=True), Answer("127.0.0.1", "SERVFAIL")
    opinions = (Opinion(fine, fine, True), Opinion(bad, fine, blind=True))
    return judge_dnssec((Signed("example.org", "example.org", True, opinions),))[0]


@pytest.mark.parametrize(
    "judged",
    [
        _registry,
        _nameless_registry,
        _host,
        _own_resolver,
        lambda: judge_asn(AsnAnswer(False, trouble=EXPIRED)),
    ],
)
def test_it_is_named_before_all_else(judged: Callable[[], Judgement]) -> None:
    found = judged()
    assert found.status != "pass"
    assert "check time.offset" in found.remedies[0]


def test_the_zone_is_not_blamed_for_what_this_machines_own_resolver_finds() -> None:
    found = _own_resolver()
    assert "this machine's own resolver (127.0.0.1) takes them for broken" in found.summary
    assert not any("registrar" in one or "dnsviz" in one for one in found.remedies)


FINE, GOOD = Answer("9.9.9.9", "NOERROR"), Answer("9.9.9.9", "NOERROR", authenticated=True)

BAD, MUTE = Answer("127.0.0.1", "SERVFAIL"), Answer("9.9.9.9", "", error="no answer")


@pytest.mark.parametrize(
    ("other", "blind", "status", "words"),
    [
        (Opinion(MUTE, MUTE), True, "unknown", "takes the signatures of example.org for broken"),
        (Opinion(FINE, FINE), True, "unknown", "takes the signatures of example.org for broken"),
        (Opinion(MUTE, MUTE), False, "fail", "the signatures (DNSSEC) of example.org are broken"),
        (Opinion(GOOD, FINE, True), False, "warn", "valid for some resolvers and broken for others"),
        (Opinion(BAD, FINE, True), True, "fail", "the signatures (DNSSEC) of example.org are broken"),
    ],
)
def test_where_the_root_is_good_it_is_the_zone(other: Opinion, blind: bool, status: str, words: str) -> None:
    """By a clock that is far off no signature is."""
    own = Opinion(BAD, FINE, blind=blind)
    (found,) = judge_dnssec((Signed("example.org", "example.org", True, (other, own)),))
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert ("check time.offset" in found.remedies[0]) is (status == "unknown")


@pytest.mark.parametrize(
    ("named", "root", "blind"),
    [
        ("127.0.0.1", "SERVFAIL", True),
        ("::1", "SERVFAIL", True),
        ("::1", "silence", True),  # which of the two it is nobody knows then
        ("127.0.0.1", (), False),  # it only passes on what another one, which checks, says of the zone
        ("9.9.9.9", "SERVFAIL", False),  # that one goes by a clock of its own
        ("192.0.2.53", "SERVFAIL", False),
    ],
)
def test_a_resolver_on_this_machine_that_does_not_tell_the_root(
    named: str, root: str | tuple[str, ...], blind: bool
) -> None:
    world = World({**ZONE, (".", "SOA"): root})
    world.files["/etc/resolv.conf"] = f"nameserver {named}\n"
    settings = Settings(hostname="mail.example.org", domains=("example.org",), addresses=(OURS,))
    (signed,) = Facts(world, settings).get(signatures)
    assert {one.checked.server for one in signed.opinions if one.blind} == ({named} if blind else set())


@pytest.mark.parametrize(
    ("code", "most", "first"),
    [("", 3, "check time.offset"), ("SERVFAIL", 3, "see dns.dnssec"), ("SERVFAIL", 1, "check time.offset")],
)
def test_a_name_that_other_resolvers_do_not_tell_either(code: str, most: int, first: str) -> None:
    world = World({**ZONE, ("mail.example.org", "AAAA"): ()})
    world.files["/etc/resolv.conf"] = "nameserver 127.0.0.1\n"
    world.servers["127.0.0.1"] = "SERVFAIL"
    view = Facts(world, Settings(hostname="mail.example.org", addresses=(OURS,))).get(local_view)
    if code:
        said = tuple(one._replace(code=code) for one in view.records.a.public[:most])
        refused = view.records.a._replace(own=view.records.a.public, public=said)
        view = view._replace(records=view.records._replace(a=refused))
    found = judge_local_view(view)
    assert (found.status, first in found.remedies[0]) == ("unknown", True), found
