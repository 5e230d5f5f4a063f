"""A server whose name has one dot (#1572): what is above it is a top level, and none of its owner's."""

from dns_world import DOMAIN, OURS, RESOLVER, ZONE, World

from mailcow_wizard.checks import dns_signatures
from mailcow_wizard.engine.runner import look
from mailcow_wizard.facts.dns.table import table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Settings
from mailcow_wizard.report.dns import zone_files

OTHER = "example.com"
SETTINGS = Settings(hostname=OTHER, domains=(DOMAIN,), addresses=(OURS,), resolver=RESOLVER)


def test_its_own_signatures_count_and_not_those_of_the_top_level() -> None:
    found = look(dns_signatures.CHECKS[0], Facts(World(ZONE), SETTINGS))
    assert {one.subject for one in found} == {DOMAIN, OTHER}


def test_its_address_belongs_into_its_own_zone() -> None:
    files = "\n".join(zone_files(Facts(World({}), SETTINGS).get(table)))
    assert f"$ORIGIN {OTHER}.\n" in files
    assert "$ORIGIN com." not in files
    assert f"\n@ A {OURS}\n" in files
