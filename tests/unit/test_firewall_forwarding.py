"""The kernel's switches for passing packets on."""

import pytest

from mailcow_wizard.facts.firewall.forwarding import Switch, switched_off
from mailcow_wizard.facts.store import Facts
from tests.fake_host import FakeHost

_NET = "/proc/sys/net"
_V4 = f"{_NET}/ipv4/ip_forward"
_V6 = f"{_NET}/ipv6/conf/all/forwarding"


@pytest.mark.parametrize(
    ("family", "outer", "files", "found"),
    [
        (4, "eth0", {_V4: "1\n"}, ()),
        (4, "eth0", {_V4: "0\n"}, (Switch(4, "net.ipv4.ip_forward"),)),
        (
            4,
            "eth0",
            {_V4: "0\n"} | {f"{_NET}/ipv4/conf/{one}/forwarding": "1\n" for one in ("eth0", "br-mailcow")},
            (),
        ),
        (
            4,
            "eth0",
            {_V4: "0\n", f"{_NET}/ipv4/conf/eth0/forwarding": "1\n"},
            (Switch(4, "net.ipv4.ip_forward"),),
        ),
        (
            4,
            "eth0.5",
            {_V4: "1\n", f"{_NET}/ipv4/conf/eth0.5/forwarding": "0\n"},
            (Switch(4, "net/ipv4/conf/eth0.5/forwarding", "eth0.5"),),
        ),
        (
            4,
            "eth0",
            {_V4: "1\n", f"{_NET}/ipv4/conf/br-mailcow/forwarding": "0\n"},
            (Switch(4, "net.ipv4.conf.br-mailcow.forwarding", "br-mailcow"),),
        ),
        (6, "eth0", {_V6: "1\n", f"{_NET}/ipv6/conf/eth0/forwarding": "0\n"}, ()),
        (6, "eth0", {_V6: "0\n"}, (Switch(6, "net.ipv6.conf.all.forwarding"),)),
        (
            6,
            "eth0",
            {_V6: "0\n", f"{_NET}/ipv6/conf/eth0/force_forwarding": "1\n"},
            (Switch(6, "net.ipv6.conf.all.forwarding"),),
        ),
        (
            6,
            "eth0",
            {
                _V6: "0\n",
                f"{_NET}/ipv6/conf/eth0/force_forwarding": "1\n",
                f"{_NET}/ipv6/conf/br-mailcow/force_forwarding": "1\n",
            },
            (),
        ),
        # What the kernel does not say is not off.
        (4, "eth0", {}, ()),
        (6, "eth0", {_V6: "garbage"}, ()),
        (4, "../../x", {_V4: "1\n"}, ()),
    ],
)
def test_what_keeps_packets_from_containers(
    family: int, outer: str, files: "dict[str, str]", found: tuple[Switch, ...]
) -> None:
    assert switched_off(Facts(FakeHost(files, {})), family, outer) == found
