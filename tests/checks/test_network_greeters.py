"""One name greets for several operators' mail servers: a neighbour, somebody between, or not known."""

import pytest
from dns_world import Rows, World

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_hosts import judge_hosts
from mailcow_wizard.checks.network_mail import judge_mail
from mailcow_wizard.facts.network.mail_ways import mail_ways
from mailcow_wizard.facts.network.outward import outward
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.network.conversation import Dialogue, Spoken
from mailcow_wizard.host.replies import Probe, Probed
from mailcow_wizard.model import Settings

NAME = "mx.shared.example"
RECORDS: Rows = {
    ("gmail.com", "MX"): "5 mx.google.test.",
    ("web.de", "MX"): "5 mx.web.test.",
    ("mx.google.test", "A"): "192.0.2.1",
    ("mx.web.test", "A"): "192.0.2.2",
}

NO_NAME = "nobody.example.com"


class OneGreeter(World):
    """Every mail server greets with the same name; nothing else takes connections on port 25."""

    def probe(self, probes: tuple[Probe, ...], timeout: float = 3.0) -> tuple[Probed, ...]:
        own = ("192.0.2.1", "192.0.2.2")
        return tuple(
            Probed("open", 0.1, f"220 {NAME} ESMTP") if one.address in own else Probed("silent", 1.0)
            for one in probes
        )


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("192.0.2.9", "pass", "port 25 is free"),
        ("203.0.113.9", "fail", "in place of other mail servers"),
        ((), "fail", "in place of other mail servers"),
        ("SERVFAIL", "unknown", f"{NAME} cannot be looked up: the resolver says SERVFAIL"),
        ("silence", "unknown", f"{NAME} cannot be looked up: no resolver answers"),
    ],
)
def test_one_name_for_all(address: "str | tuple[str, ...]", status: str, words: str) -> None:
    host = OneGreeter({**RECORDS, (NAME, "A"): address})
    first = judge_mail(mail_ways(Facts(host, Settings(resolver="192.0.2.53"))))[0]
    assert (first.subject, first.status) == ("v4", status), first.summary
    assert words in first.summary
    assert len(first.summary) <= 200


@pytest.mark.parametrize(
    ("apart", "made_up", "lies"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_names_that_all_lead_to_one_address(apart: bool, made_up: bool, lies: bool) -> None:
    """Who answers every question with its own address is no provider that blocks port 25."""
    domains = ("gmail.com", "web.de", "gmx.net", "outlook.com", "yahoo.com")
    rows: dict[tuple[str, str], str] = {(NO_NAME, "A"): "192.0.2.1"} if made_up else {}
    for number, domain in enumerate(domains):
        rows[domain, "MX"] = f"5 mx.{domain}."
        rows[f"mx.{domain}", "A"] = "192.0.2.2" if apart and not number else "192.0.2.1"
    first = judge_mail(mail_ways(Facts(OneGreeter(rows), Settings(resolver="192.0.2.53"))))[0]
    assert ("all lead to 192.0.2.1" in first.summary) is lies
    assert (first.status, first.certainty) == ("unknown", "untested") or not lies


class Portal(World):
    """Its resolver gives every name one address, where every port opens; `known` is at home there."""

    known: tuple[str, ...] = ()
    https = "open"

    def probe(self, probes: tuple[Probe, ...], timeout: float = 3.0) -> tuple[Probed, ...]:
        return tuple(Probed(self._becomes(one), 0.1) for one in probes)

    def _becomes(self, one: Probe) -> str:
        here = "open" if self.https == "mute" else self.https
        return (here if one.port == 443 else "open") if one.address == "192.0.2.1" else "silent"

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        if self.https != "open":
            outcome, own = ("silent", "192.0.2.9") if self.https == "mute" else (self.https, "")
            return tuple(Spoken(outcome, own=own) for _one in dialogues)
        return tuple(
            Spoken("open", tls="TLSv1.3", trouble="" if one.name in self.known else "self-signed certificate")
            for one in dialogues
        )


def _portal(address: str = "192.0.2.1", known: tuple[str, ...] = (), https: str = "open") -> Facts:
    names = [one.host for one in need.OUTGOING]
    portal = Portal({(name, "A"): address for name in (*names, NO_NAME)})
    portal.known, portal.https = known, https
    return Facts(portal, Settings(resolver="192.0.2.53"))


@pytest.mark.parametrize(
    ("address", "https"), [("192.0.2.1", "open"), ("192.0.2.1", "refused"), ("0.0.0.0", "silent")]
)
def test_hosts_whose_names_all_lead_to_one_address(address: str, https: str) -> None:
    """What opens there is none of them; nothing is asked of the provider."""
    judged = {one.subject: one for one in judge_hosts(outward(_portal(address, https=https)))}
    for subject, status in (
        ("github.com:443/tcp", "fail"),
        ("github.com:80/tcp", "warn"),
        ("hub.docker.com:443/tcp", "unknown"),
        ("fuzzy.mailcow.email:80/tcp", "unknown"),
        ("fuzzy.mailcow.email:11445/udp", "unknown"),
        ("pool.ntp.org:123/udp", "warn"),
    ):
        one = judged[subject]
        assert (one.status, f"leads to {address} here, which is not" in one.summary) == (status, True), one
        assert "/etc/resolv.conf" in one.remedies[0]
        assert one.stops == "names"


def test_a_host_that_is_at_home_at_the_portal_is_reached() -> None:
    """A proxy that goes by the name that TLS asks for."""
    judged = {one.subject: one for one in judge_hosts(outward(_portal(known=("ghcr.io",))))}
    assert judged["ghcr.io:443/tcp"].status == "pass"
    assert judged["github.com:443/tcp"].status == "fail"


def test_hosts_that_share_an_address_are_where_they_should_be() -> None:
    """Where no name is made up, one address is that of all, as in a laboratory."""
    seen = outward(_shared(tuple(one.host for one in need.OUTGOING)))
    assert not seen.astray
    judged = {one.subject: one for one in judge_hosts(seen)}
    assert judged["github.com:443/tcp"].status == judged["hub.docker.com:443/tcp"].status == "pass"
    assert not any("leads to" in one.summary for one in judged.values())


def test_who_is_not_one_host_is_asked_whether_it_is_another_one() -> None:
    """A filter that gives a few names its own address: what is no more than recommended leads there, too."""
    judged = {one.subject: one for one in judge_hosts(outward(_shared(("ghcr.io",))))}
    assert judged["github.com:443/tcp"].status == "fail"
    assert judged["hub.docker.com:443/tcp"].status == "warn"
    assert "shows no certificate that this machine trusts" in judged["hub.docker.com:443/tcp"].summary
    assert judged["ghcr.io:443/tcp"].status == "pass"


def _shared(known: tuple[str, ...]) -> Facts:
    """All hosts have one address; those that are `known` have their certificates there."""
    portal = Portal({(one.host, "A"): "192.0.2.1" for one in need.OUTGOING})
    portal.known = known
    return Facts(portal, Settings(resolver="192.0.2.53"))


class Halves(World):
    """Of each host's addresses some open, and TLS comes about at some of those."""

    def __init__(self, opens: str, speaks: str) -> None:
        rows: Rows = {}
        for place, one in enumerate(need.OUTGOING, 1):
            rows[one.host, "A"] = (f"10.0.1.{place}", f"10.0.2.{place}")
            rows[one.host, "AAAA"] = f"fd00::{place}"
        super().__init__(rows)
        self._opens, self._speaks = tuple(opens.split()), tuple(speaks.split())

    def probe(self, probes: tuple[Probe, ...], timeout: float = 3.0) -> tuple[Probed, ...]:
        return tuple(
            Probed("open" if one.address.startswith(self._opens) else "silent", 0.1) for one in probes
        )

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        own, silent = "192.0.2.1 4000", Spoken("silent")
        return tuple(
            Spoken("open", tls="TLSv1.3")
            if one.address.startswith(self._speaks)
            else Spoken("silent", own=own)
            if one.address.startswith("fd00:")
            else Spoken("failed", text="no TLS: connection reset by peer")
            if one.address.startswith(self._opens)
            else silent
            for one in dialogues
        )


V4A, V4B, V6 = "10.0.1.", "10.0.2.", "fd00:"


@pytest.mark.parametrize(
    ("opens", "speaks", "status", "words"),
    [
        (f"{V4A} {V4B} {V6}", f"{V4A} {V4B} {V6}", "pass", "github.com answers on port 443 (IPv4 and IPv6)"),
        (f"{V4B} {V6}", f"{V4B} {V6}", "pass", "github.com answers on port 443"),
        (V4B, V4B, "pass", "github.com answers on port 443 (IPv4)"),
        (V4B, "none", "fail", "no encryption comes about"),
        (f"{V4A} {V4B}", V4A, "fail", "no encryption comes about"),
        (f"{V4A} {V4B} {V6}", f"{V4A} {V4B}", "unknown", "nothing comes back once TLS has named it"),
    ],
)
def test_tls_is_asked_at_each_address(opens: str, speaks: str, status: str, words: str) -> None:
    """A program takes any that opens, and no other when TLS does not come about there."""
    seen = outward(Facts(Halves(opens, speaks), Settings(resolver="192.0.2.53")))
    found = {one.subject: one for one in judge_hosts(seen)}["github.com:443/tcp"]
    assert (found.status, words in found.summary) == (status, True), found


@pytest.mark.parametrize(("opens", "status"), [(V4A, "pass"), (f"{V4A} ::", "fail"), ("none", "fail")])
def test_an_address_at_which_nobody_answers_is_passed_over(opens: str, status: str) -> None:
    """As by a filter that gives every name ::, so that nobody takes IPv6."""
    world = Halves(opens, V4A)
    world.records |= {(name, "AAAA"): ("::",) for name in (NO_NAME, *(one.host for one in need.OUTGOING))}
    seen = outward(Facts(world, Settings(resolver="192.0.2.53")))
    found = {one.subject: one for one in judge_hosts(seen)}["github.com:443/tcp"]
    assert (found.status, "leads to :: here" in found.summary) == (status, status == "fail"), found
