"""What is told to do about a record mends it: nothing that is there already, nor what cannot stand there."""

import pytest
from dns_world import DOMAIN, NAME, OURS, Rows

from mailcow_wizard.checks import dns_addresses, dns_caa, dns_dmarc, dns_mx, dns_services, dns_spf
from tests.checks.test_dns_beyond import all_of

_CHECKS = (dns_addresses, dns_caa, dns_mx, dns_dmarc, dns_spf, dns_services)
A, CAA, MX, DMARC, SPF, SRV = (one.CHECKS[0] for one in _CHECKS)


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


@pytest.mark.parametrize(
    ("more", "status"), [("20 mx.example.net.", "fail"), ("0 .", "fail"), (f"20 also.{DOMAIN}.", "warn")]
)
def test_a_mail_exchanger_too_many_is_told_to_go(more: str, status: str) -> None:
    here = {(f"also.{DOMAIN}", "A"): OURS, (DOMAIN, "MX"): (f"10 {NAME}.", more)}
    found = all_of(MX, here)[DOMAIN]
    assert found.status == status, found
    assert found.remedies[0] == f"Remove: {DOMAIN}. MX {more}"
    assert all_of(MX, {**here, (DOMAIN, "MX"): (f"10 {NAME}.",)})[DOMAIN].status == "pass"


def test_a_mail_exchanger_elsewhere_is_told_what_to_be() -> None:
    found = all_of(MX, {(DOMAIN, "MX"): "10 mx.example.net."})[DOMAIN]
    assert found.remedies == (f"Publish: {DOMAIN}. MX 10 {NAME}.",)


def test_a_record_at_a_hoster_is_mended_there_or_in_place_of_the_alias() -> None:
    name, far = f"_dmarc.{DOMAIN}", "far.hoster.example"
    found = all_of(DMARC, {(name, "CNAME"): f"{far}.", (name, "TXT"): (), (far, "TXT"): "v=DMARC1"})[DOMAIN]
    assert found.status == "warn", found
    assert f"Mend it at {far}" in found.remedies[0]
    assert f"in place of the alias: {name}. TXT" in found.remedies[0]


@pytest.mark.parametrize(
    ("here", "remedy"),
    [
        ({(NAME, "A"): (OURS, "203.0.113.9")}, f"Remove: {NAME}. A 203.0.113.9"),
        ({(NAME, "A"): "203.0.113.9"}, f"Publish: {NAME}. A {OURS}"),
        (
            {(NAME, "CNAME"): f"far.{DOMAIN}.", (NAME, "A"): (), (f"far.{DOMAIN}", "A"): OURS},
            f"Publish in place of the alias: {NAME}. A {OURS}",
        ),
    ],
)
def test_what_mends_the_address(here: Rows, remedy: str) -> None:
    found = all_of(A, here)[NAME]
    assert (found.status, found.remedies) == ("fail", (remedy,)), found


def test_who_else_sends_for_a_domain_is_not_told_to_go() -> None:
    """An SPF record is joined, never replaced."""
    found = all_of(SPF, {(DOMAIN, "TXT"): "v=spf1 include:nobody.example mx -all"})[DOMAIN]
    assert found.status == "fail", found
    assert "where nobody else sends for it" in found.remedies[0]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("v=spf1 mx include:nobody.example -all", "Take what is not valid out"),
        ("v=spf1 mx a:x.example a:y.example a:z.example -all", "Shorten the TXT record"),
    ],
)
def test_what_is_not_valid_for_others_goes(text: str, remedy: str) -> None:
    found = all_of(SPF, {(DOMAIN, "TXT"): text})[DOMAIN]
    assert (found.status, found.remedies[0].startswith(remedy)) == ("warn", True), found


def test_another_name_of_this_server_is_accepted_once_its_certificate_has_it() -> None:
    """Who insists on the right name finds it then; the check goes on naming the other one."""
    name = f"also.{DOMAIN}"
    found = all_of(MX, {(name, "A"): OURS, (DOMAIN, "MX"): f"10 {name}."}, conf=f"ADDITIONAL_SAN={name}\n")[
        DOMAIN
    ]
    assert (found.status, "acknowledge" in found.remedies[1]) == ("warn", True), found


@pytest.mark.parametrize(
    ("name", "type", "here", "remedy"),
    [
        ("_imaps._tcp", "SRV", f"0 1 1993 {NAME}.", f"Publish: _imaps._tcp.{DOMAIN}. SRV 0 1 993 {NAME}."),
        (
            "_imaps._tcp",
            "SRV",
            (f"0 1 993 {NAME}.", "9 1 993 old.example."),
            f"Remove: _imaps._tcp.{DOMAIN}. SRV 9 1 993 old.example.",
        ),
        (
            "_caldavs._tcp",
            "TXT",
            "path=/dav/",
            f'Publish: _caldavs._tcp.{DOMAIN}. TXT "path=/SOGo/dav/"',
        ),
    ],
)
def test_a_service_is_told_as_a_zone_file_has_it(
    name: str, type: str, here: str | tuple[str, ...], remedy: str
) -> None:
    found = all_of(SRV, {(f"{name}.{DOMAIN}", type): here})[DOMAIN]
    assert (found.status, found.remedies) == ("warn", (remedy,)), found


def test_a_service_that_the_world_does_not_meet_is_none() -> None:
    name, conf = f"_pop3._tcp.{DOMAIN}", "POP_PORT=127.0.0.1:110\n"
    for here, status in ((f"0 1 110 {NAME}.", "warn"), ("0 0 0 .", "pass"), ((), "pass")):
        found = all_of(SRV, {(name, "SRV"): here}, conf=conf)[DOMAIN]
        assert found.status == status, found
        if here != "0 0 0 .":
            assert any(f"{name}. SRV 0 0 0 ." in one for one in found.remedies), found.remedies
    moved = all_of(SRV, {(name, "SRV"): f"0 1 1110 {NAME}."}, conf="POP_PORT=1110\n")[DOMAIN]
    assert moved.status == "pass", moved
