"""Who is near: the kernel's tables of routes, whole and damaged."""

import pytest
from fake_host import FakeHost

from mailcow_wizard.facts.neighbours import is_near
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError
from mailcow_wizard.model import Settings

ROW = f"{0x2001_0DB8 << 96:032x} 40 {'0' * 32} 00 {'0' * 32} 00000100 00000001 00000000 00000001     eth0"


class Unreached(FakeHost):
    def source_address(self, destination: str) -> str:
        raise HostError("Network is unreachable")


@pytest.mark.parametrize("damaged", ["", "0", ROW.rpartition(" ")[0], ROW.replace("40", "zz", 1)])
def test_a_damaged_row_is_passed_over(damaged: str) -> None:
    files = {"/proc/net/ipv6_route": f"{damaged}\n{ROW}\n"}
    facts = Facts(Unreached(files=files), Settings())
    assert is_near(facts, "2001:db8::1")
    assert not is_near(facts, "2001:db8:1::1")
