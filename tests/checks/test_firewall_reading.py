"""Rules that may be in force where no command shows them."""

import json

import pytest

from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.reading import filters
from mailcow_wizard.facts.firewall.rules import Chain, Place, Table
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from tests.fake_host import FakeHost

LISTS = "/lib/modules/6.1.0-25-amd64/modules"
DEP, BUILTIN = f"{LISTS}.dep", f"{LISTS}.builtin"
NFT = "kernel/net/netfilter/nf_tables.ko"


@pytest.mark.parametrize(
    ("files", "words"),
    [  # the kernel does not say which tables there are
        ({"/proc/modules": "nf_tables 1 0 - Live 0x0\n"}, "nftables is loaded"),
        ({"/proc/modules": "ext4 1 0\n", BUILTIN: NFT, DEP: "kernel/net/veth.ko:"}, "built into the kernel"),
        ({}, "whether the kernel has nftables is not known"),
        ({"/proc/modules": "ext4 1 0\n", BUILTIN: "kernel/fs/ext4.ko", DEP: f"{NFT}:"}, ""),
        ({"/proc/modules": "ext4 1 0\n"}, ""),
    ],
)
def test_without_the_command_nft(files: "dict[str, str]", words: str) -> None:
    unread = Facts(FakeHost(files=files)).get(filters).rules.unread
    assert len(unread) == bool(words)
    assert all(words in one and "the command nft" in one for one in unread)


TABLE = {"family": "inet", "table": "filter"}
DROPS = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 25}}
LISTED = json.dumps(
    {
        "nftables": [
            {"table": {"family": "inet", "name": "filter"}},
            {"chain": {**TABLE, "name": "input", "type": "filter", "hook": "input", "prio": 0}},
            {"rule": {**TABLE, "chain": "input", "handle": 7, "expr": [DROPS, {"drop": None}]}},
        ]
    }
)
WRITTEN = """table inet filter { # handle 1
	chain input { # handle 2
		type filter hook input priority filter; policy accept;
		tcp dport 25 drop # handle 7
	}
}
"""
AS_TEXT = "nft -s -a list ruleset"


def ended(host: FakeHost, port: int) -> Fate:
    packet = Packet(4, "203.0.113.5", "192.0.2.10", port, "eth0")
    return fate(Facts(host).get(filters).rules, packet, lambda address: "eth0", frozenset({"192.0.2.10"}))


def test_nft_is_asked_for_its_words_where_a_rule_is_named() -> None:
    host = FakeHost(commands={"nft -s -j list ruleset": LISTED, AS_TEXT: WRITTEN})
    end = ended(host, 25)
    assert host.asked.count(AS_TEXT) == 1
    assert end.place
    assert end.place.words == "“tcp dport 25 drop” in chain input of table inet filter"
    assert host.asked.count(AS_TEXT) == 1


def test_nft_is_asked_for_no_words_where_none_is_named() -> None:
    host = FakeHost(commands={"nft -s -j list ruleset": LISTED, AS_TEXT: WRITTEN})
    assert ended(host, 443).outcome == "through"
    assert AS_TEXT not in host.asked


@pytest.mark.parametrize("said", [HostError("no"), "table inet filter {\n}\n"])
def test_without_nfts_words_the_expressions_stand_for_a_rule(said: "HostError | str") -> None:
    end = ended(FakeHost(commands={"nft -s -j list ruleset": LISTED, AS_TEXT: said}), 25)
    assert end.outcome == "dropped"
    assert end.place
    assert end.place.rule
    assert json.loads(end.place.rule.text) == [DROPS, {"drop": None}]


def test_a_command_that_shows_a_chain_can_be_pasted() -> None:
    """iptables takes almost any name."""
    chain = Chain(Table("iptables-legacy", "ip6", "filter"), "a;b$c", ())
    assert Place(chain).command == "ip6tables-legacy -S 'a;b$c'"
