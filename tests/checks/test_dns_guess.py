"""Where nobody has said the server's name, records are not to be made for what the machine calls itself."""

import pytest

from mailcow_wizard.checks import dns
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Probe, Probed
from mailcow_wizard.model import Settings
from tests.dns_world import OURS, OURS_V6, RESOLVER, World

CHECKS = {one.id: one for one in dns.CHECKS}


class Passing(World):
    """IPv6 passes."""

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        return tuple(Probed("open", 0.1) for _one in probes)


@pytest.mark.parametrize("id", ["dns.a", "dns.aaaa", "dns.ptr", "dns.mx"])
@pytest.mark.parametrize("said", ["", "mail.example.org"])
def test_the_name_comes_before_the_records(id: str, said: str) -> None:
    world = Passing({("example.org", "NS"): "ns.example.net.", ("ns.example.net", "A"): "192.0.2.1"})
    world.files["/opt/mailcow-dockerized/mailcow.conf"] = "IPV4_NETWORK=172.22.1\n"
    world.files["/etc/hosts"] = "127.0.1.1 mail.example.org mail\n"
    settings = Settings(hostname=said, addresses=(OURS, OURS_V6), resolver=RESOLVER)
    found = runner.look(CHECKS[id], Facts(world, settings))
    assert {one.status for one in found} <= {"fail", "warn"}, found
    for one in found:
        assert one.remedies[0].startswith("No name was chosen yet: mail.example.org is only") is (not said)
