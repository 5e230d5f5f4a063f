"""Free ports and addresses for mailcow, and services that init scripts start."""

from types import MappingProxyType

import pytest
from fake_host import FakeHost

from mailcow_wizard.facts.bindings import Binding
from mailcow_wizard.facts.blockers import PROCESS, Blocker
from mailcow_wizard.facts.free_places import candidates, free_addresses, free_port, network_addresses
from mailcow_wizard.facts.mailcow_conf import MailcowConf
from mailcow_wizard.facts.ports import Occupant, PortFacts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes.port_scripts import script_of, stopping_script
from mailcow_wizard.host.replies import Holder, Listener, Listeners
from mailcow_wizard.model import Settings
from mailcow_wizard.requirements import PORTS, PORTS_RESERVED_IN_NGINX

BY_ID = {port.id.partition(".")[2]: port for port in PORTS}
TRIE = """Local:
     +-- 10.1.2.0/24 2 0 2
           |-- 10.1.2.3
              /32 host LOCAL
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
           |-- 172.17.0.1
              /32 host LOCAL
           |-- 172.20.5.1
              /32 host LOCAL
           |-- 198.51.100.7
              /32 host LOCAL
           |-- 203.0.113.9
              /32 host LOCAL
"""
# Interface, network and mask as the kernel writes them: words of this machine's byte order.
ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t006433C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
br-1a2b\t000514AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""


class Machine(FakeHost):
    """Its addresses and routes, and the ports where somebody listens."""

    def __init__(self, *taken: int, conf: str = "") -> None:
        super().__init__(
            {"/proc/net/fib_trie": TRIE, "/proc/net/route": ROUTES, "/srv/mailcow/mailcow.conf": conf}
        )
        self.taken = taken

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners(tuple(sock("0.0.0.0", one) for one in self.taken if one in ports), "netlink")


def sock(address: str, port: int = 25) -> Listener:
    """A listening socket."""
    return Listener(4, address, port, None, "", 0, 7, 0)


def facts(*taken: int, conf: str = "", **settings: tuple[str, ...]) -> Facts:
    """What is known of that machine."""
    return Facts(Machine(*taken, conf=conf), Settings(directory="/srv/mailcow", **settings))


def test_no_candidate_is_mailcows_or_reserved() -> None:
    used = {port.number for port in PORTS} | set(PORTS_RESERVED_IN_NGINX)
    for port in PORTS:
        assert candidates(port)
        assert not used & set(candidates(port))
        assert all(0 < one < 65536 for one in candidates(port))


@pytest.mark.parametrize(
    ("name", "taken", "conf", "expected"),
    [
        ("http", (), "", 8080),
        ("http", (8080,), "", 8180),
        ("http", (8080, 8180, 8280, 8380), "", 0),
        ("https", (), "IMAP_PORT=8443\n", 8543),
        ("mysql", (13307,), "", 13308),
        ("imap", (), "", 10143),
    ],
)
def test_free_port(name: str, taken: tuple[int, ...], conf: str, expected: int) -> None:
    assert free_port(facts(*taken, conf=conf), BY_ID[name]) == expected


def test_addresses_of_bridges_are_not_proposed() -> None:
    assert network_addresses(facts()) == ("10.1.2.3", "198.51.100.7", "203.0.113.9")


def port(address: str, *sockets: str) -> PortFacts:
    """Port 25 with these in the way."""
    conf = MailcowConf("", True, MappingProxyType({}))
    occupants = tuple(Occupant(sock(one), Holder(7, (), "", "root")) for one in sockets)
    return PortFacts(Binding(BY_ID["smtp"], address, 25), occupants, conf, True, "netlink")


@pytest.mark.parametrize(
    ("bound", "sockets", "said", "expected"),
    [
        ("", ("127.0.0.1",), (), ("198.51.100.7", "203.0.113.9", "10.1.2.3")),
        ("", ("127.0.0.1",), ("203.0.113.9",), ("203.0.113.9", "198.51.100.7", "10.1.2.3")),
        ("", ("198.51.100.7",), (), ("203.0.113.9", "10.1.2.3")),
        ("", ("198.51.100.7",), ("198.51.100.7",), ("203.0.113.9", "10.1.2.3")),
        ("", ("0.0.0.0",), (), ()),
        ("198.51.100.7", ("198.51.100.7",), (), ()),
    ],
)
def test_free_addresses(
    bound: str, sockets: tuple[str, ...], said: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert free_addresses(facts(addresses=said), port(bound, *sockets)) == expected


EXIM = Blocker(PROCESS, ("exim4",), "exim", "exim4-daemon-light", (sock("127.0.0.1"),), 5)


def test_script_is_looked_for_without_systemd_only() -> None:
    script = {"/etc/init.d/exim4": ""}
    assert script_of(Facts(FakeHost(script)), (EXIM,)) == "exim4"
    assert script_of(Facts(FakeHost({**script, "/run/systemd/system/": ""})), (EXIM,)) == ""
    assert script_of(Facts(FakeHost()), (EXIM,)) == ""
    assert script_of(Facts(FakeHost(script)), (EXIM, EXIM._replace(names=("x",)))) == ""
    assert script_of(Facts(FakeHost(script)), (EXIM._replace(names=("../x",), role="", package=""),)) == ""


def test_openrc() -> None:
    host = FakeHost(
        {
            "/etc/runlevels/default/exim4": "",
            "/etc/runlevels/boot/other": "",
            "/etc/init.d/exim4": "",
        },
        tools=("rc-service", "rc-update", "update-rc.d"),
    )
    assert [(one.argv, one.undo) for one in stopping_script(Facts(host), "exim4").commands] == [
        (("rc-update", "del", "exim4", "default"), (("rc-update", "add", "exim4", "default"),)),
        (("rc-service", "exim4", "stop"), (("rc-service", "exim4", "start"),)),
    ]


@pytest.mark.parametrize(("link", "count"), [("S20exim4", 2), ("K20exim4", 1), ("S20exim4-other", 1)])
def test_chkconfig(link: str, count: int) -> None:
    host = FakeHost({f"/etc/rc3.d/{link}": "", "/etc/init.d/exim4": ""}, tools=("chkconfig",))
    commands = stopping_script(Facts(host), "exim4").commands
    assert len(commands) == count
    assert commands[-1].argv == ("/etc/init.d/exim4", "stop")


def test_without_any_tool_a_person_keeps_it_off() -> None:
    (word,) = stopping_script(Facts(FakeHost()), "exim4").words
    assert "/etc/init.d/exim4" in word.text


def test_rows_that_are_no_routes_are_passed_over() -> None:
    head, _end, rows = ROUTES.partition("\n")
    odd = f"{head}\neth1\t100000000\t0\t1\t0\t0\t0\t0\t0\t0\t0\n{rows}"
    host = FakeHost(files={"/proc/net/route": odd, "/proc/net/fib_trie": TRIE})
    assert network_addresses(Facts(host, Settings())) == ("10.1.2.3", "198.51.100.7", "203.0.113.9")
