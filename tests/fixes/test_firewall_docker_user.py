"""What is shut in DOCKER-USER: never what containers publish already, and nothing where that is not known."""

import pytest

from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.firewall import offers
from mailcow_wizard.fixes.firewall_docker_user import let_through, shut
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import HttpReply, Listeners
from mailcow_wizard.model import Command, Edit, Judgement
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

    def __init__(self, status: int, nat: str = "") -> None:
        super().__init__(
            {"/containers/json": [SHOP]},
            commands={
                "iptables --version": "iptables v1.8.9 (nf_tables)\n",
                "iptables-nft-save": f"{SAVED}{nat}",
                "ip6tables-nft-save": "",
            },
            files={
                "/run/systemd/system/": "",
                "/proc/net/route": f"{ROUTE}00000000\n",
                "/proc/net/fib_trie": "Local:\n     |-- 192.0.2.10\n        /32 host LOCAL\n",
            },
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


NAT = """*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-INGRESS - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER-INGRESS
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A PREROUTING -p tcp --dport 100 -j REDIRECT --to-ports 101
-A DOCKER-INGRESS -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.18.0.2:8081
-A DOCKER-INGRESS -p udp -m udp --dport 8082 -j DNAT --to-destination 172.18.0.2:8082
-A DOCKER-INGRESS -j RETURN
{more}COMMIT
"""


def test_what_swarm_and_others_send_on_stays_open() -> None:
    """No container says of a port of Swarm's that it publishes it."""
    forwards = "-A PREROUTING -p tcp -m multiport --dports 2222,9000:9100 -j DNAT --to-destination 10.9.8.7\n"
    made = shut(facts(Walled(200, NAT.format(more=forwards))))
    assert made is not None
    (unit,) = (one for one in made.steps if isinstance(one, Edit))
    for ports in ("tcp 8081", "udp 8082", "tcp 2222", "tcp 9000:9100", "tcp 8765"):
        kind, port = ports.split()
        rule = f"-p {kind} -m conntrack --ctstate DNAT --ctorigdstport {port} -j RETURN"
        assert rule.encode() in (unit.after or b""), ports
    assert b"ctorigdstport 100 " not in (unit.after or b"")
    assert " 8081, 8082/udp, 8765, 9000-9100, 51821/udp." in made.consequence


@pytest.mark.parametrize(
    "rule",
    [
        "-A PREROUTING -d 192.0.2.11 -j DNAT --to-destination 10.9.8.7",
        "-A PREROUTING -p tcp ! --dport 22 -j DNAT --to-destination 10.9.8.7",
        "-A PREROUTING -d 192.0.2.0/24 -j NETMAP --to 10.9.8.0/24",
    ],
)
def test_where_a_rule_sends_all_ports_on_nothing_is_shut(rule: str) -> None:
    with pytest.raises(NoPlan, match="would be cut off"):
        shut(facts(Walled(200, NAT.format(more=f"{rule}\n"))))


DROPPING = SAVED.replace(
    "COMMIT", "-A DOCKER-USER -i eth0 -m conntrack --ctstate DNAT --ctdir ORIGINAL -j DROP\nCOMMIT"
)


@pytest.mark.parametrize("drops", [True, False])
def test_a_unit_that_is_there_lets_more_pass(drops: bool) -> None:
    """What it let pass stays open, and what it shut stays shut."""
    made = shut(facts(Walled(200)))
    assert made is not None
    (edit,) = (one for one in made.steps if isinstance(one, Edit))
    unit = (edit.after or b"").replace(b"ctorigdstport 993 -j", b"ctorigdstport 9000:9100 -j")
    if not drops:
        unit = b"\n".join(line for line in unit.split(b"\n") if not line.endswith(b"-j DROP"))
    host = Walled(200)
    host.files[edit.path] = unit
    host.commands["iptables-nft-save"] = DROPPING
    again = let_through(facts(host))
    assert again is not None
    stop, change, _reload, start = again.steps
    assert isinstance(stop, Command)
    assert isinstance(start, Command)
    assert isinstance(change, Edit)
    assert (stop.argv[1], start.argv[1]) == ("stop", "start")
    assert change.before == unit
    for port in (b"993", b"8765", b"9000:9100"):
        assert b"-p tcp -m conntrack --ctstate DNAT --ctorigdstport %s -j RETURN" % port in (
            change.after or b""
        )
    assert (b"--ctdir ORIGINAL -j DROP" in (change.after or b"")) == drops
    host.files[edit.path] = change.after or b""
    assert let_through(facts(host)) is None


@pytest.mark.parametrize(
    ("saved", "named"),
    [
        (DROPPING, False),
        (SAVED.replace("-A INPUT -j IN_public", "-A INPUT -j IN_public\n-A IN_public -j DROP"), True),
    ],
)
def test_a_firewall_that_stops_nothing_is_not_switched_off(saved: str, named: bool) -> None:
    """The rule that does may be the administrator's, in DOCKER-USER."""
    host = Walled(200)
    host.commands.update({"iptables-nft-save": saved, "ss -Htnp state established": ""})
    found = [one.fix.id for one in offers("firewall.local", Judgement("fail", "", "", ()), facts(host))]
    assert ("disable-firewall" in found) == named, found
