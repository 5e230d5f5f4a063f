"""The timezone in its two files, and mailcow's."""

from collections.abc import Mapping

import pytest
from fake_host import FakeHost

from mailcow_wizard.conf.rules import lint
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.surroundings import surroundings
from mailcow_wizard.host.errors import Denied, HostError, NotRecorded
from mailcow_wizard.model import Settings
from tests.checks.time_machine import Files, Machine, judge

BERLIN, UTC, PARIS = b"TZif2berlin", b"TZif2utc", b"TZif2paris"
ZONES: Files = {
    "/usr/share/zoneinfo/Europe/Berlin": BERLIN,
    "/usr/share/zoneinfo/Europe/Paris": PARIS,
    "/usr/share/zoneinfo/Etc/UTC": UTC,
    "/usr/share/zoneinfo/UCT": UTC,
    "/usr/share/zoneinfo/tzdata.zi": "# version",
}
TO_BERLIN = {"/etc/localtime": "/usr/share/zoneinfo/Europe/Berlin"}
TO_UTC = {
    "/etc/localtime": "/usr/share/zoneinfo/UTC",
    "/usr/share/zoneinfo/UTC": "/usr/share/zoneinfo/Etc/UTC",
}


@pytest.mark.parametrize(
    ("files", "links", "status", "summary"),
    [
        ({"/etc/timezone": "Europe/Berlin\n"}, TO_BERLIN, "pass", "the timezone is Europe/Berlin"),
        ({}, TO_BERLIN, "pass", "the timezone is Europe/Berlin"),
        ({"/etc/timezone": "UTC\n"}, TO_UTC, "pass", "the timezone is UTC"),
        ({"/etc/timezone": "UCT\n"}, TO_UTC, "pass", "the timezone is UCT"),
        (
            {"/etc/timezone": "Europe/Paris\n"},
            TO_BERLIN,
            "warn",
            "/etc/timezone says Europe/Paris, /etc/localtime is Europe/Berlin",
        ),
        (
            {"/etc/timezone": "Europe/Berlin", "/etc/localtime": BERLIN},
            {},
            "pass",
            "the timezone is Europe/Berlin; "
            "/etc/localtime is a plain copy, so the name comes from /etc/timezone",
        ),
        (
            {"/etc/timezone": "Europe/Berlin", "/etc/localtime": PARIS},
            {},
            "warn",
            "/etc/timezone says Europe/Berlin, /etc/localtime is another zone",
        ),
        (
            {"/etc/timezone": "Europe/Berlin", "/opt/zone": BERLIN},
            {"/etc/localtime": "/opt/zone"},
            "pass",
            "the timezone is Europe/Berlin; "
            "/etc/localtime is a link to a copy, so the name comes from /etc/timezone",
        ),
        (
            {"/etc/timezone": "Europe/Berlin", "/opt/zone": PARIS},
            {"/etc/localtime": "/opt/zone"},
            "warn",
            "/etc/timezone says Europe/Berlin, /etc/localtime is another zone",
        ),
        (
            {"/etc/timezone": "Europe/Berlin", "/etc/hostname": "mail"},
            {"/etc/localtime": "/etc/hostname"},
            "warn",
            "/etc/timezone says Europe/Berlin, /etc/localtime is another zone",
        ),
        (
            {"/etc/localtime": BERLIN},
            {},
            "warn",
            "no timezone can be read from /etc/timezone or /etc/localtime",
        ),
        ({}, {}, "warn", "no timezone can be read from /etc/timezone or /etc/localtime"),
        (
            {"/etc/timezone": "\n"},
            TO_BERLIN,
            "warn",
            "no timezone can be read from /etc/timezone or /etc/localtime",
        ),
        ({"/etc/timezone": "Etc/UTC"}, {}, "pass", "the timezone is Etc/UTC"),
        (
            {"/etc/timezone": "Europe/Berlin"},
            {},
            "warn",
            "/etc/timezone says Europe/Berlin, /etc/localtime is UTC",
        ),
        (
            {"/etc/timezone": "Europe/Nowhere"},
            TO_BERLIN,
            "warn",
            "Europe/Nowhere is no timezone of this machine",
        ),
        (
            {"/etc/timezone": "../../etc/passwd"},
            TO_BERLIN,
            "warn",
            "../../etc/passwd is no timezone of this machine",
        ),
        ({"/etc/timezone": "tzdata.zi"}, TO_BERLIN, "warn", "tzdata.zi is no timezone of this machine"),
        ({"/etc/timezone": "a\x1b[31mb"}, TO_BERLIN, "unknown", "could not look: /etc/timezone holds"),
        ({"/etc/timezone": b"\xff\xfe\0\1"}, TO_BERLIN, "unknown", "could not look: /etc/timezone holds"),
        (
            {"/etc/timezone": "Europe/Berlin"},
            {"/etc/localtime": "/usr/share/zoneinfo/Gone"},
            "warn",
            "/etc/timezone says Europe/Berlin, /etc/localtime is nothing",
        ),
        (
            {"/etc/timezone": Denied("it may not be read")},
            TO_BERLIN,
            "unknown",
            "needs root: it may not be read",
        ),
        ({"/etc/timezone": "x" * 70_000}, TO_BERLIN, "unknown", "could not look: /etc/timezone is larger"),
        (
            {"/etc/timezone": "Europe/Berlin", "/opt/mailcow-dockerized/mailcow.conf": "TZ=Europe/Paris\n"},
            TO_BERLIN,
            "pass",
            "the timezone is Europe/Berlin; mailcow uses Europe/Paris (its TZ)",
        ),
        (
            {"/etc/timezone": "Europe/Berlin", "/opt/mailcow-dockerized/mailcow.conf": "TZ=Europe/Berlin\n"},
            TO_BERLIN,
            "pass",
            "the timezone is Europe/Berlin",
        ),
        (
            {"/etc/timezone": "Europe/Berlin", "/opt/mailcow-dockerized/mailcow.conf": Denied("secret")},
            TO_BERLIN,
            "pass",
            "the timezone is Europe/Berlin",
        ),
    ],
)
def test_timezone(files: Files, links: Mapping[str, str], status: str, summary: str) -> None:
    judgement = judge("time.timezone", Machine({**ZONES, **files}, links=links))
    assert judgement.status == status
    assert judgement.summary.startswith(summary)
    if status == "pass":
        assert judgement.summary == summary
    assert bool(judgement.remedies) == (status == "warn" or "needs root" in summary)


def test_a_machine_without_zones_needs_tzdata() -> None:
    judgement = judge("time.timezone", Machine({"/etc/timezone": "Europe/Berlin"}))
    assert judgement.status == "warn"
    assert "tzdata" in judgement.remedies[0]


def test_each_zone_is_offered_where_two_differ() -> None:
    machine = Machine({**ZONES, "/etc/timezone": "Europe/Paris"}, links=TO_BERLIN)
    remedies = judge("time.timezone", machine).remedies
    assert [("Europe/Paris" in one, "Europe/Berlin" in one) for one in remedies] == [
        (True, False),
        (False, True),
    ]


class _Silent(FakeHost):
    """It lists its zones, and this one cannot be looked at."""

    def __init__(self, error: HostError) -> None:
        super().__init__({"/usr/share/zoneinfo/UTC": b"TZif", "/usr/share/zoneinfo/Europe/Paris": error})


@pytest.mark.parametrize("error", [Denied("no"), NotRecorded("not asked")])
def test_a_zone_that_cannot_be_looked_at_is_not_said_to_be_none(error: HostError) -> None:
    about = surroundings(Facts(_Silent(error), Settings()))
    assert about.is_zone is not None
    assert [about.is_zone(one) for one in ("UTC", "Europe/Paris", "Europe/Pariss")] == [True, None, False]
    assert "timezone-unknown" in {one.rule for one in lint(b"TZ=Europe/Pariss\n", about)}
    assert "timezone-unknown" not in {one.rule for one in lint(b"TZ=Europe/Paris\n", about)}
