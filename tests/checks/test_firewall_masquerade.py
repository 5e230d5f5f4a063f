"""Rules that hide who connects, also where what they stand behind is not understood."""

import pytest

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.firewall_masquerade import judge_masquerade
from mailcow_wizard.facts.firewall import iptables
from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.entries import Entries, Entry
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.state import State
from mailcow_wizard.facts.firewall.tools import Tools
from mailcow_wizard.model import Judgement

OWN = "198.51.100.7"
SAVED = """*raw
:PREROUTING ACCEPT [0:0]
{early}
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:INNER - [0:0]
-A PREROUTING -p tcp -m tcp --dport 25 -j DNAT --to-destination 172.22.1.253:25
-A POSTROUTING -s 172.22.1.0/24 ! -o br-mailcow -j MASQUERADE
{mask}
COMMIT
*filter
:FORWARD ACCEPT [0:0]
{forward}
COMMIT
"""
ODD = '-A {chain} -m u32 --u32 "0>>22" -j {target}'
DROP = ODD.format(chain="FORWARD", target="DROP")
EARLY = ODD.format(chain="PREROUTING", target="DROP")
WIDE = "-A POSTROUTING -s 0.0.0.0/1 -j MASQUERADE"
INNER = "-A POSTROUTING -o eth0 -j INNER\n-A INNER -j MASQUERADE"
UNSURE = "hides who connects is not known: “-m u32 --u32 0>>22” is not understood"


def judged(mask: str = "", forward: str = "", early: str = "") -> Judgement:
    """What is said of a packet to port 25, which is sent on to postfix."""
    rules = iptables.rules(SAVED.format(mask=mask, forward=forward, early=early), "iptables-nft", 4, {})

    def way(address: str) -> str:
        return "br-mailcow" if address.startswith("172.22.") else "eth0"

    end = fate(rules, Packet(4, "45.33.32.156", OWN, 25, "eth0"), way, frozenset({OWN}))
    entry = Entry(need.PORTS[0], 25, 4, OWN, "eth0", "container", end)
    tools = Tools(None, False, (), (), (), "iptables-nft")
    return judge_masquerade(State(rules, tools, Entries((entry,), rules.unread, True, None, ())))


@pytest.mark.parametrize(
    ("mask", "forward", "early", "status", "words"),
    [
        ("", "", "", "pass", "no rule hides"),
        (WIDE, "", "", "fail", "postfix takes strangers for neighbours"),
        (WIDE, DROP, "", "unknown", UNSURE),
        (WIDE, "", EARLY, "unknown", UNSURE),
        (ODD.format(chain="POSTROUTING -s 0.0.0.0/1", target="MASQUERADE"), "", "", "unknown", UNSURE),
        # What is not understood is of no matter where nothing hides anybody, or somebody else.
        ("", DROP, "", "pass", "no rule hides"),
        ("", "", EARLY, "pass", "no rule hides"),
        ("-A POSTROUTING -s 10.8.0.0/24 -j MASQUERADE", DROP, "", "pass", "no rule hides"),
        (INNER, DROP, "", "warn", "names no sender"),
        # Nor where the packet does not get that far.
        (WIDE, "-A FORWARD -j DROP", "", "pass", "no rule hides"),
        (
            ODD.format(chain="POSTROUTING", target="MASQUERADE"),
            "-A FORWARD -j DROP",
            "",
            "warn",
            "names no sender",
        ),
    ],
)
def test_who_connects(mask: str, forward: str, early: str, status: str, words: str) -> None:
    found = judged(mask, forward, early)
    assert found.status == status
    assert words in found.summary
    if status in ("fail", "warn", "unknown"):
        assert "Give it the network that it is for" in found.remedies[0]
