"""Who else has addresses of mailcow's network of IPv6."""

import ipaddress

import pytest

from mailcow_wizard.checks.network_places import judge_subnet
from mailcow_wizard.facts.network.subnet import subnet
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Settings
from tests.checks.test_network_places import Docker


def two(first: str, second: str, ipv6: bool = True, name: str = "b") -> list[dict[str, object]]:
    """A network of Docker with addresses of both families."""
    pools = [{"Subnet": first}, {"Subnet": second}]
    return [{"Name": name, "EnableIPv6": ipv6, "IPAM": {"Config": pools}}]


CONF_V6 = {"/opt/mailcow-dockerized/mailcow.conf": "IPV6_NETWORK=fd00:1::/64\n"}
CONF_V4 = {"/opt/mailcow-dockerized/mailcow.conf": "ENABLE_IPV6=false\n"}
USUAL_V6 = "fd4d:6169:6c63:6f77::/64"


@pytest.mark.parametrize(
    ("listed", "files", "status", "free"),
    [
        (two("172.30.0.0/24", USUAL_V6), {}, "fail", "fd4d:6169:6c63:6f78::/64"),
        (two("172.30.0.0/24", "fd4d:6169:6c63:6f70::/60"), {}, "fail", "fd4d:6169:6c63:6f80::/64"),
        (two("172.30.0.0/24", USUAL_V6, ipv6=False), {}, "pass", ""),
        (two("172.30.0.0/24", USUAL_V6), CONF_V4, "pass", ""),
        (two("172.30.0.0/24", USUAL_V6), CONF_V6, "pass", ""),
        (two("172.30.0.0/24", "fd4d:6169::/129"), {}, "unknown", ""),
        (two("172.30.0.0/24", "fd00:1::/64"), CONF_V6, "fail", "fd00:1:0:1::/64"),
        (two("172.22.1.0/24", USUAL_V6, name="mailcowdockerized_mailcow-network"), {}, "pass", ""),
        (
            two("172.30.0.0/24", USUAL_V6),
            {"/opt/mailcow-dockerized/mailcow.conf": "IPV6_NETWORK=x\n"},
            "pass",
            "",
        ),
    ],
)
def test_mailcows_network_of_ipv6_is_its_own_too(
    listed: list[dict[str, object]], files: dict[str, str], status: str, free: str
) -> None:
    found = Facts(Docker(listed, {}, files), Settings()).get(subnet)
    judged = judge_subnet(found)
    assert (judged.status, found.free_v6) == (status, free)
    if status == "fail":
        assert "the Docker network b" in judged.summary
        assert f"IPV6_NETWORK={free}" in judged.remedies[0]


def row(network: str, bits: int, interface: str) -> str:
    """A line of /proc/net/ipv6_route."""
    place = ipaddress.IPv6Address(network).packed.hex()
    return f"{place} {bits:02x} {'0' * 32} 00 {'0' * 32} 00000100 00000001 00000000 00000001 {interface}\n"


@pytest.mark.parametrize(
    ("route", "conf", "status", "free"),
    [
        (row("fd4d:6169:6c63:6f77::", 64, "eth0"), {}, "fail", "fd4d:6169:6c63:6f78::/64"),
        (  # as the kernel lists an address: its network, and itself
            "".join(row(f"fd4d:6169:6c63:6f77::{end}", bits, "eth0") for end, bits in (("", 64), ("5", 128))),
            {},
            "fail",
            "fd4d:6169:6c63:6f78::/64",
        ),
        (row("fd4d:6169:6c63:6f77:1::", 80, "wg0"), {}, "fail", "fd4d:6169:6c63:6f78::/64"),
        (row("fd4d:6169:6c63:6f77::", 64, "eth0"), CONF_V4, "pass", ""),
        (row("fd4d:6169:6c63:6f77::", 64, "eth0"), CONF_V6, "pass", ""),
        (row("fd4d:6169:6c63:6f77::", 64, "br-mailcow"), {}, "pass", ""),
        (row("fd4d:6169:6c63:6f77::", 64, "br-0123456789ab"), {}, "pass", ""),  # Docker tells its own
        (row("fd00::", 8, "wg0") + row("::", 0, "eth0"), {}, "pass", ""),
    ],
)
def test_a_route_to_mailcows_network_of_ipv6(
    route: str, conf: dict[str, str], status: str, free: str
) -> None:
    """Docker makes a second route beside it, and answers go either way (tried with 28.5)."""
    found = Facts(Docker([], {}, {**conf, "/proc/net/ipv6_route": route}), Settings()).get(subnet)
    judged = judge_subnet(found)
    assert (judged.status, found.free_v6) == (status, free), judged
    if status == "fail":
        assert judged.summary.endswith(f"of IPv6, is in use: a route over {route.split()[-1]}")
        assert judged.evidence[0].what == "ip -6 route show table all"
