"""Records of which a part could not be asked: neither well nor wrong, unless the rest decides it."""

import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, Rows, facts

from mailcow_wizard.checks import dns
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.dns.domain_records import PATHS, SERVICES
from mailcow_wizard.model import Judgement

CHECKS = {one.id: one for one in dns.CHECKS}
PORTS = {"_imap": 143, "_pop3": 110, "_sieve": 4190, "_smtps": 465, "_submission": 587, "_imaps": 993}
SILENT_SERVICES: Rows = {(f"{one}.{DOMAIN}", "SRV"): "silence" for one, _unused in SERVICES}
SILENT_PATHS: Rows = {(f"{one}.{DOMAIN}", "TXT"): "silence" for one in PATHS}
RIGHT_SERVICE: Rows = {(f"_imaps._tcp.{DOMAIN}", "SRV"): f"0 1 993 {NAME}."}


def judged(id: str, records: Rows, **settings: tuple[str, ...]) -> dict[str | None, Judgement]:
    found = runner.look(CHECKS[id], facts(records, **settings))
    return {one.subject: one for one in found}


@pytest.mark.parametrize(
    ("records", "status", "words"),
    [
        ({**SILENT_SERVICES, **SILENT_PATHS}, "unknown", f"the service records of {DOMAIN} could not be"),
        (
            {**SILENT_SERVICES, **SILENT_PATHS, **RIGHT_SERVICE},
            "unknown",
            "12 of example.org's 13 service records could not be asked (_autodiscover._tcp.example.org SRV)",
        ),
        (
            {**SILENT_SERVICES, (f"_imaps._tcp.{DOMAIN}", "SRV"): "0 1 993 other.example."},
            "warn",
            "point elsewhere: _imaps._tcp",
        ),
        ({}, "pass", "has none of 13 service records"),
        (RIGHT_SERVICE, "pass", "has 1 of 13 service records"),
    ],
)
def test_services(records: Rows, status: str, words: str) -> None:
    found = judged("dns.srv", records)[DOMAIN]
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert found.certainty == ("untested" if status == "unknown" else "proved")
    assert bool(found.remedies) or status == "pass"


OTHER, ALLOWED = '0 issue "other.example"', '0 issue "letsencrypt.org"'
# A tag that authorities must know, and mailcow does not look for.
STRANGE = '128 strange "x"'


@pytest.mark.parametrize(
    ("records", "status", "words"),
    [
        (
            {(NAME, "CAA"): "silence", (DOMAIN, "CAA"): ALLOWED},
            "unknown",
            f"CAA at {NAME} could not be asked",
        ),
        (
            {(NAME, "CAA"): "silence", (DOMAIN, "CAA"): STRANGE},
            "unknown",
            f"CAA at {NAME} could not be asked",
        ),
        ({(NAME, "CAA"): "silence"}, "unknown", f"CAA at {NAME} could not be asked"),
        ({(NAME, "CAA"): "silence", (DOMAIN, "CAA"): OTHER}, "fail", f"mailcow leaves {NAME} out"),
        ({(NAME, "CAA"): ALLOWED, (DOMAIN, "CAA"): "silence"}, "pass", "lets Let's Encrypt issue"),
        ({(DOMAIN, "CAA"): STRANGE}, "fail", "known to no authority"),
        ({("org", "CAA"): "silence"}, "pass", "no CAA record restricts"),
    ],
)
def test_authorities(records: Rows, status: str, words: str) -> None:
    found = judged("dns.caa", records)[NAME]
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert bool(found.remedies) or status == "pass"


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ({"A": "silence", "AAAA": OURS_V6}, "unknown"),
        ({"A": OURS, "AAAA": "silence"}, "unknown"),
        ({"A": OURS, "AAAA": OURS_V6}, "pass"),
        ({"A": OURS}, "pass"),
        ({"AAAA": OURS_V6}, "pass"),
        ({"CNAME": f"{NAME}.", "AAAA": "silence"}, "pass"),
    ],
)
def test_one_side_of_a_client(records: dict[str, str], status: str) -> None:
    found = judged(
        "dns.autodiscover", {(f"autodiscover.{DOMAIN}", type): one for type, one in records.items()}
    )
    assert found[DOMAIN].status == status
