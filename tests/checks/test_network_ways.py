"""Why attempts to get out ended as they did, where packets end, and how to let them out."""

import pytest

from mailcow_wizard.checks.network_ways import allowing, let_out, way
from mailcow_wizard.facts.firewall.foreseen import USER_CHAIN
from mailcow_wizard.facts.firewall.leaving import Met
from mailcow_wizard.facts.firewall.tools import FIREWALLD, IPTABLES, UFW
from mailcow_wizard.facts.network.outward import Try
from mailcow_wizard.host.replies import Probe, Probed

WEB = Probe("tcp", "192.0.2.7", 443)
DROPS = Met("dropped", "“tcp dport 443 drop”", "nft list chain inet x out", "out", "nftables")
PASSES = Met("through")


def tries(*outcomes: str, own: Met | None = None, told_by: str = "") -> list[Try]:
    return [Try(WEB, Probed(one, 0.1, told_by=told_by), own) for one in outcomes]


@pytest.mark.parametrize(
    ("some", "control", "kind", "stops", "words"),
    [
        (tries("silent", "open"), False, "open", "", "answers"),
        (tries("silent", own=DROPS), True, "blocked here", "here", "own firewall does not let it out"),
        (tries("blocked"), True, "blocked here", "here", "own firewall does not let it out"),
        (tries("not allowed"), True, "not allowed", "", "this user may not"),
        (tries("silent"), True, "dropped", "way", "while other things are answered"),
        (tries("silent"), False, "dead", "way", "nor from anything else"),
        (tries("refused"), True, "refused", "way", "nobody listens there"),
        (tries("refused", told_by="192.0.2.7"), True, "refused", "way", "nobody listens there"),
        (tries("refused", told_by="10.0.0.1"), True, "rejected", "way", "refuses it (10.0.0.1)"),
        (tries("no route"), True, "no route", "here", "no way there"),
        (tries("no route", told_by="10.0.0.1"), True, "no route", "way", "a router on the way"),
        (tries("reset"), True, "cut", "way", "cut off at once"),
        (tries("failed"), True, "untried", "", "could not be tried"),
    ],
)
def test_one_verdict_over_attempts(some: list[Try], control: bool, kind: str, stops: str, words: str) -> None:
    found = way(some, control)
    assert (found.kind, found.stops, words in found.words) == (kind, stops, True), found


def test_what_can_be_done_about_the_rule_that_stops_it() -> None:
    (held,) = tries("silent", own=DROPS)
    assert len(let_out(held)) == 1
    assert "passes other rules" in let_out(held._replace(container=PASSES))[1]
    assert way([held._replace(own=DROPS._replace(answer=True))], True).words.startswith(
        "this machine's own firewall does not let the answer in"
    )


PING = Probe("ping", "2001:db8::7")


@pytest.mark.parametrize(
    ("met", "probe", "words"),
    [
        (DROPS, WEB, "Put a rule that accepts before it"),
        (DROPS._replace(answer=True), WEB, "ct state established,related accept"),
        (DROPS._replace(answer=True, owner=IPTABLES), WEB, "--ctstate ESTABLISHED,RELATED -j ACCEPT"),
        (DROPS._replace(parted=True), WEB, "connection tracking"),
        (DROPS._replace(owner=IPTABLES), WEB, "iptables -I out -p tcp --dport 443 -j ACCEPT"),
        (DROPS._replace(owner=IPTABLES), PING, "ip6tables -I out -p ipv6-icmp -j ACCEPT"),
        (DROPS._replace(owner=IPTABLES, chain=USER_CHAIN), WEB, "-p tcp --dport 443 -j RETURN"),
        (DROPS._replace(owner=UFW), WEB, "ufw allow out 443/tcp"),
        (
            DROPS._replace(owner=UFW, chain="ufw-user-forward"),
            WEB,
            "ufw route allow proto tcp to any port 443",
        ),
        (DROPS._replace(owner=UFW), PING, "before.rules"),
        (DROPS._replace(owner=FIREWALLD), WEB, "firewall-cmd --list-all-policies"),
        (DROPS._replace(owner="csf"), WEB, "That rule is csf's"),
    ],
)
def test_how_a_packet_is_let_out(met: Met, probe: Probe, words: str) -> None:
    said = allowing(met, probe)
    assert said.startswith("See it: nft list chain inet x out."), said
    assert words in said, said
