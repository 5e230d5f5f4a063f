"""What is said of a firewall beyond whole lists of rules: limits, lists that rules fill, and what decides
before rules do."""

from __future__ import annotations

import contextlib
import json

from mailcow_wizard.facts.firewall import early, iptables, nft
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Settings
from tests.fuzz.target import DEEP, Target, text
from tests.fuzz.targets_facts import Repeating

_DOORS = ((4, "eth0", "192.0.2.10"), (6, "br0", "2001:db8::10"))


def _early(data: bytes) -> None:
    """What ip says of interfaces and routes, and tc of filters."""
    words = text(data)
    links = {str(one.get("ifname")): one for one in early._rows(words)}
    early._with_lower("eth0", links), early._filters(words)
    facts = Facts(Repeating(data), Settings())
    with contextlib.suppress(HostError):
        early.early(facts, *_DOORS)
    early._of_strict(facts, 4, "eth0")


def _limits(data: bytes) -> None:
    """Rates and counts, as iptables writes them and nft lists them."""
    words = text(data)
    rule = f"-A INPUT -m limit --limit {words} -m hashlimit --hashlimit-above {words} --hashlimit-mode srcip"
    iptables.rules(f"*filter\n:INPUT ACCEPT\n{rule} -j DROP\nCOMMIT\n", "iptables-nft", 4, {})
    with contextlib.suppress(ValueError, RecursionError):
        filled = {**_FILLED, "stmt": [json.loads(data)]}
        rule_of = {**_OF_TABLE, "chain": "c", "handle": 2, "expr": [{"set": filled}, {"drop": None}]}
        nft.rules({"nftables": [_CHAIN, {"rule": rule_of}]}, dict, frozenset(), True)


_FILLED = {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "saddr"}}, "set": "@s"}
_OF_TABLE = {"family": "inet", "table": "t"}
_CHAIN = {"chain": {**_OF_TABLE, "name": "c", "type": "filter", "hook": "input", "prio": 0}}
_EARLY = (
    b'[{"ifname": "eth0", "link": "x", "xdp": {"mode": 2}}, {"ifname": "x", "master": "eth0"}]',
    b'[{"kind": "bpf", "options": {"direct-action": true}}]',
    b'[{"kind": "u32", "options": {"actions": [{"kind": "mirred", "to_dev": "ifb0", "control_action": '
    b'{"type": "stolen"}}, {"kind": "gact", "control_action": {"type": "drop"}}, 1]}}]',
    b"192.0.32.8 from 192.0.2.10 via 192.0.2.1 dev eth1 uid 0",
    DEEP,
)
_LIMITS = (
    b"3/hour --limit-burst 4",
    b"512kb/s",
    b"9" * 5000 + b"/hour",
    b'{"limit": {"rate": 1, "per": "day", "inv": true}}',
    b'{"ct count": {"val": 0, "inv": true}}',
    b'{"ct count": {"val": "x"}}',
    DEEP,
)


def targets() -> tuple[Target, ...]:
    """Of a firewall."""
    return Target("firewall early", _early, _EARLY), Target("firewall limits", _limits, _LIMITS)
