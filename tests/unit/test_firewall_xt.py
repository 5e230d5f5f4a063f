"""Matches of iptables: as nft shows them, as ipset's sets are asked, as a packet is judged by them. Against
real packets in tests/real/test_firewall_packets.py."""

import pytest

from mailcow_wizard.facts.firewall import nft
from mailcow_wizard.facts.firewall import statements as parts
from mailcow_wizard.facts.firewall.ipsets import IpSet, asking, ipsets
from mailcow_wizard.facts.firewall.iptables import statements
from mailcow_wizard.facts.firewall.nft_xt import translated
from mailcow_wizard.facts.firewall.packet import Packet, fits
from mailcow_wizard.facts.firewall.statements import (
    Key,
    Limit,
    Mark,
    Masked,
    Nat,
    Opaque,
    Span,
    Untrack,
    Verdict,
)

_MAIL = Packet(4, "5.6.7.8", "192.88.99.10", 25, "eth0")


def _match(name: str, text: str) -> object:
    return translated({"type": "match", "name": name}, text)


def _target(name: str, text: str) -> object:
    return translated({"type": "target", "name": name}, text)


def test_matches_that_their_text_explains() -> None:
    assert _match("comment", "tcp dport 25  accept") == []
    assert _match("conntrack", "ct state ! invalid,new counter accept") == [
        parts.Test((Key("ct state"),), (("invalid",), ("new",)), True)
    ]
    assert _match("multiport", "meta l4proto tcp tcp dport != { 80, 900-1200 } accept") == [
        parts.Test((Key("dport"),), ((Span(80, 80),), (Span(900, 1200),)), True)
    ]
    assert _match("addrtype", "fib daddr type != local drop") == [
        parts.Test((Key("dst-type"),), (("local",),), True)
    ]
    assert _match("connmark", "ct mark and 0xf == 0x1 accept") == [
        parts.Test((Key("ct mark", 15),), ((Span(1, 1),),), False)
    ]
    assert _match("hashlimit", "meter d { ip saddr limit rate over 10/second } drop") == [Limit(over=True)]
    assert _match("icmp", "meta l4proto icmp icmp type echo-request accept") == [
        parts.Test((Key("icmp type"),), ((Span(8, 8),),), False)
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("recent", "tcp dport 25 xt match recent counter"),
        ("conntrack", "xt match conntrack accept"),
        ("conntrack", 'log prefix "ct state new" accept'),
        ("conntrack", "ct state new ct original proto-src 5 accept"),
        ("conntrack", "ct status dnat accept"),
        ("conntrack", "ct state new accept…"),
        ("addrtype", "fib daddr . iif type local accept"),
        ("addrtype", "fib daddr type { local, multicast } accept"),
        ("multiport", "tcp sport . tcp dport { 0-65535 . 100, 100 . 0-65535 } drop"),
        ("icmp", "icmp type unheard-of drop"),
        ("owner", "xt match owner counter accept"),
    ],
)
def test_what_the_text_leaves_open_is_named_and_unknown(name: str, text: str) -> None:
    assert _match(name, text) == [Opaque(f"“xt match {name}”")]


def test_targets() -> None:
    assert _target("LOG", "limit rate 3/minute log") == []
    assert _target("REJECT", "counter reject") == [Verdict("drop", softly=True)]
    assert _target("SNAT", "counter snat to 1.2.3.4") == [Masked()]
    assert _target("CT", "counter notrack") == [Untrack()]
    assert _target("MARK", "counter meta mark set 0x5") == [Mark("mark", 0, 5)]
    assert _target("DNAT", "tcp dport 25 dnat to 1.2.3.4:26") == [Nat("1.2.3.4", 26)]
    assert _target("DNAT", "dnat to [fd00::1]:26") == [Nat("fd00::1", 26)]
    assert _target("REDIRECT", "redirect to :25") == [Nat("", 25, here=True)]
    assert _target("NFQUEUE", "queue num 0 bypass") == [Opaque("“xt target NFQUEUE”", verdict=True)]
    assert _target("DNAT", "dnat to 1.2.3.4-1.2.3.9") == [Nat("", 0, unknown=True)]
    assert translated(None, "") == [Opaque("“xt”", verdict=True)]


def test_nft_without_the_text_of_rules() -> None:
    rule = {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 4}
    document = {
        "nftables": [
            {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "hook": "input", "prio": 0}},
            {"rule": {**rule, "expr": [{"xt": {"type": "target", "name": "CT"}}]}},
        ]
    }
    (chain,) = nft.rules(document, dict, ()).chains.values()
    assert chain.rules[0].statements == (Opaque("“xt target CT”", verdict=True),)


def _asked(line: str, packet: Packet, sets: "dict[str, IpSet] | None" = None) -> "list[bool | None]":
    made = statements(f"-A INPUT {line}", packet.family, sets or {})
    return [fits(one, packet) for one in made if isinstance(one, parts.Test)]


_SETS = {"mixed": IpSet("hash:ip,port", ("5.6.7.8,tcp:25", "5.6.7.8,udp:53", "5.6.7.8,tcp:80-90")),
         "ports": IpSet("bitmap:port", ("25", "100-200"))}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "side", "protocol", "port", "is_in"),
    [
        ("mixed", "src,dst", "tcp", 25, True),
        ("mixed", "src,dst", "udp", 25, False),
        ("mixed", "src,dst", "udp", 53, True),
        ("mixed", "src,dst", "tcp", 53, False),
        ("mixed", "src,dst", "tcp", 85, True),
        ("mixed", "dst,dst", "tcp", 25, False),
        ("ports", "dst", "udp", 150, True),
        ("ports", "dst", "tcp", 26, False),
    ],
)
def test_sets_with_protocols(name: str, side: str, protocol: str, port: int, is_in: bool) -> None:
    packet = _MAIL._replace(protocol=protocol, port=port)
    assert _asked(f"-m set --match-set {name} {side} -j DROP", packet, _SETS) == [is_in]
    assert _asked(f"-m set ! --match-set {name} {side} -j DROP", packet, _SETS) == [not is_in]


def test_sets_that_are_not_understood() -> None:
    assert asking([("--match-set", False, ("gone", "src"))], 4, _SETS) == [Opaque("the set gone")]
    counted = [("--match-set", False, ("ports", "dst")), ("--packets-gt", False, ("5",))]
    assert asking(counted, 4, _SETS)[1] == Opaque("“-m set --packets-gt”")


@pytest.mark.parametrize(
    "line", ["-p tcp -m socket -j DROP", "-m eui64 -j DROP", "-m mark --mark 024 -j DROP"]
)
def test_a_match_that_is_not_read_is_not_one_for_everything(line: str) -> None:
    assert any(isinstance(one, Opaque) for one in statements(f"-A INPUT {line}", 4, {}))
    assert not any(isinstance(one, Opaque) for one in statements("-A INPUT -p tcp -m tcp -j DROP", 4, {}))


@pytest.mark.parametrize("line", ["--connlimit-above 0", "! --connlimit-upto 0"])
def test_more_connections_than_none_has_everybody(line: str) -> None:
    assert statements(f"-A INPUT -m connlimit {line} -j DROP", 4, {}) == (parts.Verdict("drop"),)


SAVED = """create few hash:ip family inet hashsize 1024 maxelem 65536
add few 10.1.2.0
create wide hash:ip family inet hashsize 1024 maxelem 65536 netmask 24
add wide 10.1.2.0
create half bitmap:ip range 10.0.0.0/16 netmask 24
add half 10.0.3.0
create masked hash:ip family inet bitmask 255.255.0.0
add masked 10.1.0.0
"""


def test_an_element_that_stands_for_a_network_is_not_one_address() -> None:
    """ipset(8), netmask: the elements are saved without it."""
    known = ipsets(SAVED)
    asked = {name: asking([("--match-set", False, (name, "src"))], 4, known)[0] for name in known}
    assert {name for name, one in asked.items() if isinstance(one, Opaque)} == {"wide", "half", "masked"}


@pytest.mark.parametrize(
    ("line", "packet", "answer"),
    [
        ("-m conntrack --ctstatus ASSURED", _MAIL, False),
        ("-m conntrack --ctstatus ASSURED", _MAIL._replace(reply=True), False),
        ("-m conntrack --ctstatus ASSURED", _MAIL._replace(follows=True), True),
        ("-m connlimit --connlimit-upto 0", _MAIL, False),
        ("-m length --length 0:39", _MAIL, False),
        ("-m length --length 40:80", _MAIL, True),
        ("-m length --length 60", _MAIL, None),
        ("-m length --length 0:59", _MAIL._replace(family=6, source="2a02::8", address="2a02::1"), False),
        ("-m length --length 0:100", _MAIL._replace(protocol="udp"), None),
        ("-m owner --gid-owner 0", _MAIL, False),
        ("-m owner --gid-owner 0", _MAIL._replace(leaving=True, uid=0), True),
        ("-m owner --gid-owner 33", _MAIL._replace(leaving=True, uid=33), None),
        ('-m string --string "wordpress" --algo bm', _MAIL, False),
        ('-m string --string "wordpress" --algo bm', _MAIL._replace(protocol="udp"), None),
        ("-m policy --dir in --pol ipsec", _MAIL, False),
        ("-m policy --dir in --pol none", _MAIL, True),
        ("-m recent --rcheck --name a", _MAIL, False),
        ("-m recent --rcheck --name a", _MAIL._replace(seen=frozenset("a")), True),
        ("-m recent ! --update --name a --seconds 5", _MAIL, True),
        ("-m multiport --ports 1:30", _MAIL, True),
        ("-m multiport --ports 1:20", _MAIL, False),
        ("-m multiport --ports 40000", _MAIL, None),
        ("-m multiport --ports 25", _MAIL._replace(protocol="icmp"), False),
        ("-m addrtype --dst-type LOCAL,MULTICAST", _MAIL, True),
        ("-m addrtype --dst-type LOCAL,MULTICAST", _MAIL._replace(family=6), False),
        ("-m addrtype ! --dst-type LOCAL,MULTICAST", _MAIL._replace(family=6), True),
    ],
)  # fmt: skip
def test_how_a_packet_is_judged(line: str, packet: Packet, answer: "bool | None") -> None:
    assert _asked(f"{line} -j DROP", packet) == [answer]


@pytest.mark.parametrize(
    "line",
    [
        "-m string --string x --algo bm", '-m string --hex-string "|dead|" --algo bm', "-m u32 --u32 0=0",
        "-m recent --rcheck --rdest --name a", "-m policy --dir in --pol ipsec --pol none",
        "-m geoip --source-country CN", "-m statistic --mode random --probability 0.5", "-m ttl --ttl-lt 5",
        "-m time --timestart 10:00:00", "-m mac --mac-source 00:11:22:33:44:55", "-m tos --tos 0x10/0xff",
        "-m tcpmss --mss 0:500", "-m connbytes --connbytes 0:5", "-m owner --socket-exists",
    ],
)  # fmt: skip
def test_what_stays_unknown_says_what_it_is(line: str) -> None:
    opaque, *_more, verdict = statements(f"-A INPUT -p tcp {line} -j DROP", 4, {})[1:]
    assert isinstance(opaque, Opaque)
    assert opaque.text.startswith(f"“{' '.join(line.split()[:2])}")
    assert not opaque.verdict
    assert verdict == Verdict("drop")
