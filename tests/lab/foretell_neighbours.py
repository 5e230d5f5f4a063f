"""Run inside a place: reads its rules, and says which messages of neighbour discovery they stop, in JSON.

`python3 foretell_neighbours.py INTERFACE,OWN,PEER,ASKS,TRACKED…`: the links; ASKS and TRACKED may be empty.
"""

import json
import sys

from mailcow_wizard.facts.firewall.neighbours import ANY_NEIGHBOUR, Link, lost
from mailcow_wizard.facts.firewall.reading import filters
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost


def main(*links: str) -> None:
    known = filters(Facts(RealHost()))
    answers = []
    for one in links:
        interface, own, peer, asks, tracked = one.split(",")
        found = lost(known.rules, Link(interface, own, peer, asks or ANY_NEIGHBOUR, tracked=bool(tracked)))
        answers.append(
            [
                {
                    "message": this.message,
                    "incoming": this.incoming,
                    "outcome": this.fate.outcome,
                    "by": this.fate.place.words if this.fate.place else "",
                    "why": this.fate.why,
                    "here": this.fate.packet.address if this.incoming else this.fate.packet.source,
                }
                for this in found
            ]
        )
    print(json.dumps({"unread": known.rules.unread, "answers": answers}))


if __name__ == "__main__":
    main(*sys.argv[1:])
