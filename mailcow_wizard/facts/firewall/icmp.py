"""Messages of ICMP: their numbers, and nftables' names for them (IANA's registries "ICMP Type Numbers" and
"ICMPv6 Type Numbers")."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ECHO = {4: (8, 0), 6: (128, 129)}
"""By family: an echo request, and its answer."""
ROUTER_SOLICIT, ROUTER_ADVERT, NEIGHBOUR_SOLICIT, NEIGHBOUR_ADVERT = 133, 134, 135, 136
"""Neighbour discovery (RFC 4861, section 4)."""
LISTENER_QUERY, LISTENER_REPORT = 130, 143
"""Who listens to which multicast group (RFC 3810, section 5)."""
NAMES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "icmp type": {
            "echo-reply": 0,
            "destination-unreachable": 3,
            "source-quench": 4,
            "redirect": 5,
            "echo-request": 8,
            "router-advertisement": 9,
            "router-solicitation": 10,
            "time-exceeded": 11,
            "parameter-problem": 12,
            "timestamp-request": 13,
            "timestamp-reply": 14,
            "info-request": 15,
            "info-reply": 16,
            "address-mask-request": 17,
            "address-mask-reply": 18,
        },
        "icmp code": {
            "net-unreachable": 0,
            "host-unreachable": 1,
            "prot-unreachable": 2,
            "port-unreachable": 3,
            "frag-needed": 4,
            "net-prohibited": 9,
            "host-prohibited": 10,
            "admin-prohibited": 13,
        },
        "icmpv6 type": {
            "destination-unreachable": 1,
            "packet-too-big": 2,
            "time-exceeded": 3,
            "parameter-problem": 4,
            "echo-request": 128,
            "echo-reply": 129,
            "mld-listener-query": LISTENER_QUERY,
            "mld-listener-report": 131,
            "mld-listener-done": 132,
            "mld-listener-reduction": 132,
            "nd-router-solicit": ROUTER_SOLICIT,
            "nd-router-advert": ROUTER_ADVERT,
            "nd-neighbor-solicit": NEIGHBOUR_SOLICIT,
            "nd-neighbor-advert": NEIGHBOUR_ADVERT,
            "nd-redirect": 137,
            "router-renumbering": 138,
            "ind-neighbor-solicit": 141,
            "ind-neighbor-advert": 142,
            "mld2-listener-report": LISTENER_REPORT,
        },
        "icmpv6 code": {
            "no-route": 0,
            "admin-prohibited": 1,
            "addr-unreachable": 3,
            "port-unreachable": 4,
            "policy-fail": 5,
            "reject-route": 6,
        },
    }
)
"""By the property of a packet: nft's names for its numbers."""
