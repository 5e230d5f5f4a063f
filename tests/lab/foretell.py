"""Run inside a place: reads its rules, and says what becomes of a packet to each port, in JSON.

`python3 foretell.py BRIDGED…=INTERFACE SOURCE ADDRESS PORTS`: `BRIDGED` are the beginnings of addresses that
the interface leads to. Prints for each port the outcome, and what decided.
"""

import json
import re
import sys

from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.reading import filters
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost


def main(ways: str, own: str, *asked: str) -> None:
    """Each of `asked`: SOURCE ADDRESS PORTS, separated by blanks."""
    known = filters(Facts(RealHost()))
    begin, _, bridge = ways.partition("=")

    def way(address: str) -> str:
        return bridge if re.match(begin, address) else "eth0"

    answers = []
    for one in asked:
        source, address, ports = one.split()
        said = {}
        for port in ports.split(","):
            packet = Packet(6 if ":" in address else 4, source, address, int(port), "eth0", uid=0)
            end = fate(known.rules, packet, way, frozenset(own.split(",")))
            said[port] = (end.outcome, end.place.words if end.place else "", end.why)
        answers.append(said)
    print(json.dumps({"unread": known.rules.unread, "answers": answers}))


if __name__ == "__main__":
    main(*sys.argv[1:])
