"""Who is near: the kernel's tables of routes, whole and damaged."""

import pytest
from fake_host import FakeHost

from mailcow_wizard.facts.firewall.inward import _default_v4, _routes_v6
from mailcow_wizard.facts.neighbours import is_near
from mailcow_wizard.facts.network.routes import defaults_v6
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Settings

ROW = f"{0x2001_0DB8 << 96:032x} 40 {'0' * 32} 00 {'0' * 32} 00000100 00000001 00000000 00000001     eth0"

DEFAULT = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 00000001 00000000 00000003     eth0"


class Unreached(FakeHost):
    def source_address(self, destination: str) -> str:
        raise HostError("Network is unreachable")


@pytest.mark.parametrize("damaged", ["", "0", ROW.rpartition(" ")[0], ROW.replace("40", "zz", 1)])
def test_a_damaged_row_is_passed_over(damaged: str) -> None:
    files = {"/proc/net/ipv6_route": f"{damaged}\n{ROW}\n"}
    facts = Facts(Unreached(files=files), Settings())
    assert is_near(facts, "2001:db8::1")
    assert not is_near(facts, "2001:db8:1::1")
    assert _routes_v6(facts) == [("2001:db8::/64", "eth0")]


@pytest.mark.parametrize("damaged", ["", "0", DEFAULT.rpartition(" ")[0], DEFAULT.replace("00", "zz", 1)])
def test_a_damaged_way_out_is_passed_over(damaged: str) -> None:
    facts = Facts(Unreached(files={"/proc/net/ipv6_route": f"{damaged}\n{DEFAULT}\n"}), Settings())
    assert [one.interface for one in defaults_v6(facts)] == ["eth0"]


def test_a_damaged_metric_is_none() -> None:
    row = "eth0 00000000 010200C0 0003 0 0 {} 00000000 0 0 0\n"
    facts = Facts(Unreached(files={"/proc/net/route": f"Iface\n{row.format('x')}"}), Settings())
    assert _default_v4(facts) == "eth0"
