"""What is shut in DOCKER-USER: never what containers publish already, and nothing where that is not known."""

import pytest

from mailcow_wizard.fixes.firewall_docker_user import shut
from mailcow_wizard.host.door import HostError, HttpReply, Listeners
from mailcow_wizard.model import Edit
from tests.docker_machine import DockerHost, box, facts

SAVED = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:DOCKER-USER - [0:0]
:IN_public - [0:0]
-A INPUT -j IN_public
-A FORWARD -j DOCKER-USER
COMMIT
"""
ROUTE = "Iface Destination Gateway Flags RefCnt Use Metric Mask\neth0 00000000 010200C0 0003 0 0 0 "
SHOP = box(
    1,
    "shop",
    Ports=[
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8765, "Type": "tcp"},
        {"IP": "0.0.0.0", "PrivatePort": 51820, "PublicPort": 51821, "Type": "udp"},
        {"IP": "127.0.0.1", "PrivatePort": 53, "PublicPort": 53, "Type": "udp"},
    ],
)


class Walled(DockerHost):
    """A machine with firewalld, and a Docker whose list of containers has this status."""

    def __init__(self, status: int) -> None:
        super().__init__(
            {"/containers/json": [SHOP]},
            commands={
                "iptables --version": "iptables v1.8.9 (nf_tables)\n",
                "iptables-nft-save": SAVED,
                "ip6tables-nft-save": "",
            },
            files={"/run/systemd/system/": "", "/proc/net/route": f"{ROUTE}00000000\n"},
        )
        self.status = status

    def source_address(self, destination: str) -> str:
        if ":" in destination:
            raise HostError("no route")
        return "192.0.2.10"

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        found = super().http(socket_path, target, timeout)
        return found._replace(status=self.status) if target == "/containers/json" else found


def test_what_is_published_stays_open() -> None:
    made = shut(facts(Walled(200)))
    assert made is not None
    (unit,) = (one for one in made.steps if isinstance(one, Edit))
    assert b"-p tcp -m conntrack --ctstate DNAT --ctorigdstport 8765 -j RETURN" in (unit.after or b"")
    assert b"-p udp -m conntrack --ctstate DNAT --ctorigdstport 51821 -j RETURN" in (unit.after or b"")
    assert b" 53 " not in (unit.after or b"")
    assert " 8765, 51821/udp." in made.consequence


def test_where_docker_does_not_tell_what_is_published_nothing_is_shut() -> None:
    with pytest.raises(HostError):
        shut(facts(Walled(500)))
