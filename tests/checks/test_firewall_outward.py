"""What containers send to the world, where Docker 28 drops what is sent to them past this machine."""

import pytest

from mailcow_wizard.facts import docker_json
from mailcow_wizard.facts.firewall import iptables
from mailcow_wizard.facts.firewall.entries import outwards
from mailcow_wizard.facts.firewall.foreseen import Foreseen
from mailcow_wizard.facts.firewall.inward import Inward, net_of
from mailcow_wizard.facts.firewall.reading import Filters

OWN = "198.51.99.7"
SAVED = """*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 172.22.1.253/32 ! -i br-mailcow -j DROP
{raw}
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 172.22.1.0/24 ! -o br-mailcow -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
-A FORWARD -o br-mailcow -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i br-mailcow -j ACCEPT
-A DOCKER -d 172.22.1.253/32 -p tcp -m tcp --dport 25 -j ACCEPT
COMMIT
"""
DOCKER = docker_json.Rules(iptables=True, ip6tables=True, proxy=True, address="0.0.0.0")


@pytest.mark.parametrize(
    ("raw", "outcome", "answer"),
    [
        ("", "through", False),
        (f"-A PREROUTING -d {OWN}/32 -p tcp -m tcp --sport 443 -j DROP", "dropped", True),
        ("-A PREROUTING -i br-mailcow -j DROP", "dropped", False),
    ],
)
def test_an_answer_comes_to_this_machines_own_address(raw: str, outcome: str, answer: bool) -> None:
    rules = iptables.rules(SAVED.format(raw=raw), "iptables-nft", 4, {})
    nets = (net_of("172.22.1.0/24", "br-mailcow"),)
    ways = Inward(((4, "eth0", OWN),), frozenset({OWN, "172.22.1.1", "127.0.0.1"}), nets)
    later = Foreseen(Filters(rules, "iptables-nft"), ways, DOCKER, "172.22.1", False, False, True)
    end = outwards(later)
    assert end is not None
    assert (end.outcome, end.answer) == (outcome, answer)
