"""What is told to do about a record mends it: nothing that is there already, nor what cannot stand there."""

from dns_world import DOMAIN, NAME

from mailcow_wizard.checks import dns_caa
from tests.checks.test_dns_beyond import all_of

CAA = dns_caa.CHECKS[0]


def test_beside_a_critical_tag_that_nobody_knows_no_other_record_helps() -> None:
    good = '0 issue "letsencrypt.org"'
    found = all_of(CAA, {(NAME, "CAA"): (good, '128 tbs "x"')})[NAME]
    assert found.status == "fail"
    assert found.remedies[0].startswith(f"Take the CAA record with the tag tbs away from {NAME}, or")
    assert all_of(CAA, {(NAME, "CAA"): (good, '0 tbs "x"')})[NAME].status == "pass"
    assert all_of(CAA, {(NAME, "CAA"): good})[NAME].status == "pass"


def test_no_record_is_told_to_stand_beside_an_alias() -> None:
    """RFC 1034, 3.6.2: who has a CNAME has no other record."""
    client = f"autodiscover.{DOMAIN}"
    foreign = {(client, "CNAME"): f"{NAME}.", (client, "A"): (), (NAME, "CAA"): '0 issue "digicert.com"'}
    found = all_of(CAA, foreign)[client]
    assert found.status == "fail"
    assert found.summary.startswith(f"CAA at {NAME} keeps Let's Encrypt from issuing for {client}")
    assert found.remedies[0] == f'Publish besides: {NAME}. CAA 0 issue "letsencrypt.org"'
