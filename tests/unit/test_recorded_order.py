"""A recorded machine is asked in another order each time: threads race, and walks to zones share what they
find. What is said of it must not depend on that."""

import itertools
import json
import random

import dns.flags
import dns.message
import dns.rrset
import pytest
from dns_world import DOMAIN
from fake_host import FakeHost

from mailcow_wizard.checks import of_topic
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.dns import delegation
from mailcow_wizard.facts.dns.delegation import walk_every_way, zone_of
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import NotRecorded
from mailcow_wizard.host.recording.recorded import DEMO, RecordedHost, RecordingHost, load
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Settings
from tests.demo_config import DIRECTORY


class Silent(FakeHost):
    """Nobody answers any more."""

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        return tuple(DnsReply(one.servers[0], "", b"", timeout, "no answer") for one in questions)


SETTINGS = Settings(directory=DIRECTORY)
SERVERS = {
    "org": {"a.org.example": "192.0.2.1"},
    DOMAIN: {"a.ns.example": "192.0.2.2", "b.ns.example": "192.0.2.3"},
}


class Turning(FakeHost):
    """The root, `org` and the domain, each of which refers to the next; whoever refers turns the servers'
    names round each time."""

    def __init__(self) -> None:
        super().__init__()
        self.turned = 0

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        return tuple(self._reply(one) for one in questions)

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        server = asked.servers[0]
        below = {"192.0.2.1": DOMAIN, "192.0.2.2": "", "192.0.2.3": ""}.get(server, "org")
        if below:
            self._refer(response, below)
        else:
            response.flags |= dns.flags.AA
            soa = f"a.ns.example. x.{DOMAIN}. 1 1 1 1 1"
            response.authority.append(dns.rrset.from_text(f"{DOMAIN}.", 60, "IN", "SOA", soa))
        return DnsReply(server, "udp", response.to_wire(), 0.01, "")

    def _refer(self, response: dns.message.Message, below: str) -> None:
        self.turned += 1
        names = list(SERVERS[below])
        turned = names[self.turned % len(names) :] + names[: self.turned % len(names)]
        # One set for each: a set would be put in order when it is made.
        for name in turned:
            response.authority.append(dns.rrset.from_text(f"{below}.", 60, "IN", "NS", f"{name}."))
            response.additional.append(dns.rrset.from_text(f"{name}.", 60, "IN", "A", SERVERS[below][name]))


@pytest.fixture(scope="module")
def walks() -> tuple[tuple[str, int], ...]:
    """Every name that the checks of DNS and of reputation walk to on the recorded machine."""
    known = Facts(load(DEMO), SETTINGS)
    Run((*of_topic("dns"), *of_topic("reputation")), known, lambda event: None).run()
    found = known.known(delegation._known)
    assert found
    return found.walks


def test_any_two_walks_in_both_orders(walks: tuple[tuple[str, int], ...]) -> None:
    assert {name for name, _enough in walks} >= {"org", "example.org"}
    machine = load(DEMO)
    alone = {walk: zone_of(Facts(machine, SETTINGS), *walk) for walk in walks}
    for first, second in itertools.permutations(walks, 2):
        known = Facts(machine, SETTINGS)
        zone_of(known, *first)
        assert zone_of(known, *second).servers == alone[second].servers, (first, second)


@pytest.mark.parametrize("seed", range(5))
def test_all_walks_in_any_order(walks: tuple[tuple[str, int], ...], seed: int) -> None:
    known = Facts(load(DEMO), SETTINGS)
    for one in random.Random(seed).sample(walks, len(walks)):
        assert not zone_of(known, *one).problem


def test_a_walk_that_another_one_has_spared() -> None:
    """The walk to the second name begins where the first has ended; alone it begins at the root."""
    name = f"mail.{DOMAIN}"
    recorder = RecordingHost(Turning())
    known = Facts(recorder, SETTINGS)
    zone_of(known, DOMAIN)
    zone_of(known, name)
    with pytest.raises(NotRecorded):
        zone_of(Facts(_replayed(recorder), SETTINGS), name)
    walk_every_way(known)
    assert zone_of(Facts(_replayed(recorder), SETTINGS), name).name == DOMAIN


def test_what_was_judged_is_not_asked_for_again() -> None:
    """Another answer by now, or none, would be replayed in the place of the one that was judged."""
    recorder = RecordingHost(Turning())
    known = Facts(recorder, SETTINGS)
    zone = zone_of(known, f"mail.{DOMAIN}")
    recorder._asked = Silent()
    recorder.settle()
    walk_every_way(known)
    assert zone_of(Facts(_replayed(recorder), SETTINGS), f"mail.{DOMAIN}") == zone


def _replayed(recorder: RecordingHost) -> RecordedHost:
    return RecordedHost(json.loads(json.dumps(recorder.document(DIRECTORY))))


def test_servers_whose_names_are_turned_round() -> None:
    """The questions to them stay the same ones."""
    host = Turning()
    zones = {zone_of(Facts(host, SETTINGS), f"mail.{DOMAIN}") for _unused in range(6)}
    assert len(zones) == 1
    assert [one.name for one in zones.pop().servers] == ["a.ns.example", "b.ns.example"]
