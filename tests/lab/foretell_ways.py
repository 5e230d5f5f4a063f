"""Run inside a place: reads its rules, and says what becomes of what it sends, of what a container of it
sends, and of what comes from outside.

`python3 foretell_ways.py OWN UID SOURCE>ADDRESS… THINGS`: OWN are this machine's addresses by comma; things
as in leaving.py. Prints outcome, place and doubt in JSON.
"""

import ipaddress
import json
import sys

from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.reading import filters
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost

INSIDE = [ipaddress.ip_network(one) for one in ("172.22.1.0/24", "fd4d:6169:6c63:6f77::/64")]


def way(address: str) -> str:
    return "br-mailcow" if any(ipaddress.ip_address(address) in one for one in INSIDE) else "eth0"


def main(own: str, uid: str, *asked: str) -> None:
    """Each of `asked` but the last: SOURCE>ADDRESS."""
    known = filters(Facts(RealHost()))
    mine = frozenset(own.split(","))
    answers = []
    for one in asked[:-1]:
        source, address = one.split(">")
        family = 6 if ":" in address else 4
        outer = next(one for one in own.split(",") if (":" in one) == (family == 6))
        said = {}
        for thing in asked[-1].split(","):
            port, _, datagram = thing.partition("/")
            protocol = "icmp" if thing == "ping" else "udp" if datagram else "tcp"
            leaving = source in mine
            packet = Packet(family, source, address, 0 if thing == "ping" else int(port), "")
            packet = packet._replace(protocol=protocol, uid=int(uid), leaving=leaving)
            if not leaving:
                packet = packet._replace(interface=way(source))
            end = fate(known.rules, packet, way, mine, outer)
            said[thing] = (end.outcome, end.place.words if end.place else "", end.why)
        answers.append(said)
    print(json.dumps({"unread": known.rules.unread, "answers": answers}))


if __name__ == "__main__":
    main(*sys.argv[1:])
