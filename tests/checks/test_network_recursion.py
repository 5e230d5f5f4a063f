"""The names of unbound's healthcheck, from the root servers down: what the roots alone do not tell."""

from types import SimpleNamespace
from typing import Any

import pytest
from dns_world import OURS, RESOLVER, SERVER, World

from mailcow_wizard import requirements_dns
from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_names import judge_roots
from mailcow_wizard.facts.firewall.leaving import Met
from mailcow_wizard.facts.network.echoes import _recursion, echoes
from mailcow_wizard.facts.network.roots import Heard, Roots, roots
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, Probed
from mailcow_wizard.model import Settings

FUZZY, GITHUB, HUB = need.HEALTHCHECK_NAMES


def world(*silent: str) -> World:
    """One in which each name is a zone of its own; the servers of some do not answer."""
    records = {(name, "NS"): "ns.example.net." for name in need.HEALTHCHECK_NAMES}
    addresses = {(name, "A"): "silence" if name in silent else OURS for name in need.HEALTHCHECK_NAMES}
    made = World({**records, **addresses, ("ns.example.net", "A"): SERVER})
    made.files["/etc/resolv.conf"] = f"nameserver {RESOLVER}\n"
    return made


@pytest.mark.parametrize("silent", [(), (GITHUB,), (GITHUB, HUB)])
def test_names_are_looked_for_from_the_roots_down(silent: tuple[str, ...]) -> None:
    v4, v6 = Facts(world(*silent), Settings()).get(roots)
    assert tuple(name for name, _why in v4.lost) == silent
    assert all(why == "no answer within 2 s" for _name, why in v4.lost)
    assert v6.lost == ()


def test_where_a_resolver_shows_the_way_nothing_is_told_of_it() -> None:
    v4, _v6 = Facts(world(GITHUB, HUB), Settings(resolver=RESOLVER)).get(roots)
    assert v4.lost == ()


@pytest.mark.parametrize(("silent", "asked"), [((GITHUB,), True), ((GITHUB, HUB), None)])
def test_where_names_are_lost_the_healthcheck_is_not_to_be_skipped(
    silent: tuple[str, ...], asked: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be name servers in general that are out of reach: no test would then tell."""
    made = world(*silent)
    silence = tuple(Probed("silent", 2.5) for _unused in (*need.HEALTHCHECK_PINGS, *need.IPV6_PINGS))
    monkeypatch.setattr(made, "probe", lambda probes, timeout: silence)
    assert Facts(made, Settings()).get(echoes)[0].recursion is asked


@pytest.mark.parametrize(
    ("outcome", "asked"), [("through", True), ("dropped", False), ("unanswered", False), ("unknown", None)]
)
def test_what_containers_cannot_ask_is_not_asked_from_here(outcome: Any, asked: bool | None) -> None:
    """unbound is one of them: its healthcheck is right where this machine alone gets through."""
    heard = tuple(
        Heard("198.41.0.4", True, over, 1097, True, True, "", container=Met(outcome))
        for over in ("udp", "tcp")
    )
    known: Any = SimpleNamespace(get=lambda _source: (Roots(4, True, heard),))
    assert _recursion(known) is asked


class OverUdpAlone(World):
    """Nobody answers over TCP."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        reply = super()._reply(asked)
        return reply._replace(packet=b"", error="late") if asked.transport == "tcp" else reply


@pytest.mark.parametrize("mute", ["wholly", "over TCP"])
def test_where_the_roots_are_mute_no_name_is_asked(mute: str) -> None:
    """Each step down would be waited for."""
    made = OverUdpAlone({}) if mute == "over TCP" else world()
    if mute == "wholly":
        made.servers = dict.fromkeys(requirements_dns.ROOT_SERVERS_V4, "silence")
    Facts(made, Settings()).get(roots)
    assert not {one.name for asked in made.rounds for one in asked} & set(need.HEALTHCHECK_NAMES)


@pytest.mark.parametrize(
    ("lost", "status"),
    [((), "pass"), ((GITHUB,), "pass"), ((GITHUB, HUB), "unknown"), ((FUZZY, GITHUB, HUB), "unknown")],
)
def test_of_three_names_one_may_be_lost(lost: tuple[str, ...], status: str) -> None:
    """unbound's healthcheck lets one of them fail."""
    heard = tuple(Heard("198.41.0.4", True, transport, 1097, True, True, "") for transport in ("udp", "tcp"))
    reasons = tuple((name, "no answer within 2 s") for name in lost)
    (judged,) = judge_roots((Roots(4, True, heard, lost=reasons),))
    assert judged.status == status, judged
    if status == "unknown":
        assert f"from them to {lost[0]}" in judged.summary
        assert judged.evidence[-1].what == f"dig +trace {HUB} A"
