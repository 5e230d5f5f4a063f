"""A server between the outside and a container, for rules of packet filters: what passes is tried.

outside (eth0: 192.88.99.1, other addresses on lo) — server (eth0: 192.88.99.10, br-mailcow: 172.22.1.1) —
box (172.22.1.253). Server and box listen on the same ports.
"""

import json
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .inside import LabError, needs, wait_until
from .netns import Namespace

SERVER = {4: "192.88.99.10", 6: "2d00:113::10"}
OUTSIDE = {4: ("192.88.99.1", "5.6.7.8", "203.0.114.9"), 6: ("2d00:113::1", "2a02:5::8")}
SOURCES = tuple((family, source) for family in (4, 6) for source in OUTSIDE[family])
BRIDGE = {4: "172.22.1.1", 6: "fd4d:6169:6c63:6f77::1"}
BOX = {4: "172.22.1.253", 6: "fd4d:6169:6c63:6f77::fd"}
MAILCOW = (25, 465, 587, 143, 993, 110, 995, 4190, 80, 443)
_HERE = Path(__file__).parent
_FORGET = _HERE / "forget_flows.py"
# What is restored takes the place of all that is there, chains of one's own included.
_NO_RULES = """*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
COMMIT
*nat
COMMIT
*mangle
COMMIT
*raw
COMMIT
"""


def some_ports(count: int, seed: int) -> tuple[int, ...]:
    """Mailcow's ports and others at random, small ones and those around 1024 more often."""
    chance = random.Random(seed)
    found = set(MAILCOW)
    while len(found) < count:
        found.add(
            chance.choice((chance.randint(1, 1100), chance.randint(1000, 9999), chance.randint(1, 65000)))
        )
    return tuple(sorted(found))


class Gate:
    """The three places. `ports` are those that are listened on."""

    def __init__(self, outside: Namespace, server: Namespace, box: Namespace, ports: Sequence[int]) -> None:
        self.outside, self.server, self.box, self.ports = outside, server, box, tuple(ports)

    def tried(self, seconds: float = 0.5) -> list[dict[int, str]]:
        """What becomes of a connection to each port within so many seconds, from every source: open, refused
        or silent."""
        ports = ",".join(map(str, self.ports))
        ways = [f"{source}>{SERVER[family]}" for family, source in SOURCES]
        said = self.outside.run(
            [sys.executable, str(_HERE / "knocking.py"), "try", str(seconds), *ways, ports]
        ).stdout
        return [{int(port): how for port, how in one.items()} for one in json.loads(said)]

    def introduce(self) -> None:
        """From now on all know where their neighbours are: a rule that drops all ICMPv6 then stops what it
        names, and no more."""
        for place, device, others in (
            (self.server, "eth0", (OUTSIDE[4][0], OUTSIDE[6][0])),
            (self.outside, "eth0", tuple(SERVER.values())),
            (self.server, "br-mailcow", tuple(BOX.values())),
            (self.box, "eth0", tuple(BRIDGE.values())),
        ):
            for one in others:
                place.run(["ping", "-c1", "-W5", one])
                place.run(["ip", "neigh", "change", one, "dev", device, "nud", "permanent"])

    def clear(self) -> None:
        """No rules any more, of any program, and nothing that they let through is remembered."""
        self.server.run(["nft", "flush", "ruleset"])
        for program in ("iptables-legacy-restore", "ip6tables-legacy-restore"):
            self.server.run([program], text=_NO_RULES)
        self.server.run([sys.executable, str(_FORGET)])


@contextmanager
def gate(ports: Sequence[int], box: bool = True, listening: bool = True) -> Iterator[Gate]:
    """Builds it; raises LabError where it cannot be built. Without a box there is no bridge to it either:
    Docker makes its own. `listening`: somebody listens on the server."""
    needs("ip", "nft")
    with Namespace.create() as outside, Namespace.create() as server, Namespace.create() as inner:
        _cable(outside, "eth0", server, "eth0")
        _set_up(server, _SERVER)
        _set_up(outside, _OUTSIDE)
        if box:
            _cable(inner, "eth0", server, "veth1")
            _set_up(server, _TO_BOX)
            _set_up(inner, _BOX)
        for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            server.run(["sh", "-c", f"echo 1 > /proc/sys/net/{setting}"])
        for place in (*([server] if listening else []), *([inner] if box else [])):
            place.start([sys.executable, str(_HERE / "knocking.py"), "listen", ",".join(map(str, ports))])
            if not wait_until(lambda place=place: _listens(place, ports[-1]), 30.0):  # type: ignore[misc]
                raise LabError("nobody listens in the namespaces")
        yield Gate(outside, server, inner, ports)


def _set_up(place: Namespace, lines: Sequence[str]) -> None:
    for line in lines:
        place.run(["ip", *line.split()])


def _listens(place: Namespace, port: int) -> bool:
    return "LISTEN" in place.run(["ss", "-Hltn", f"sport = :{port}"], check=False).stdout


def _cable(one: Namespace, name: str, other: Namespace, peer: str) -> None:
    one.run(["ip", "link", "add", name, "type", "veth", "peer", "name", peer, "netns", other.name])


_SERVER = (
    "link set eth0 up",
    f"addr add {SERVER[4]}/25 dev eth0",
    f"addr add {SERVER[6]}/64 dev eth0 nodad",
    f"route add default via {OUTSIDE[4][0]}",
    f"-6 route add default via {OUTSIDE[6][0]}",
)
_TO_BOX = (
    "link add br-mailcow type bridge",
    "link set veth1 master br-mailcow",
    "link set veth1 up",
    "link set br-mailcow up",
    f"addr add {BRIDGE[4]}/24 dev br-mailcow",
    f"addr add {BRIDGE[6]}/64 dev br-mailcow nodad",
)
_OUTSIDE = (
    "link set eth0 up",
    f"addr add {OUTSIDE[4][0]}/25 dev eth0",
    f"addr add {OUTSIDE[6][0]}/64 dev eth0 nodad",
    *(f"addr add {one}/32 dev lo" for one in OUTSIDE[4][1:]),
    *(f"addr add {one}/128 dev lo nodad" for one in OUTSIDE[6][1:]),
)
_BOX = (
    "link set eth0 up",
    f"addr add {BOX[4]}/24 dev eth0",
    f"addr add {BOX[6]}/64 dev eth0 nodad",
    f"route add default via {BRIDGE[4]}",
    f"-6 route add default via {BRIDGE[6]}",
)
