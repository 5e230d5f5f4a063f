"""The hardware clock: in UTC, near the system's."""

import pytest

from mailcow_wizard.host.errors import Denied, HostError, NoAnswer
from tests.checks.time_machine import NOW, SYSTEMD, Commands, Files, Machine, judge, timedatectl

SINCE = "/sys/class/rtc/rtc0/since_epoch"


@pytest.mark.parametrize(
    ("files", "commands", "status", "summary"),
    [
        ({SINCE: f"{NOW:.0f}\n"}, {}, "pass", "the hardware clock is kept in UTC and agrees with the clock"),
        (
            {SINCE: f"{NOW + 59:.0f}\n"},
            {},
            "pass",
            "the hardware clock is kept in UTC and agrees with the clock",
        ),
        ({SINCE: f"{NOW + 90:.0f}\n"}, {}, "warn", "the hardware clock is 90.0 s ahead of the system clock"),
        ({SINCE: f"{NOW - 90:.0f}\n"}, {}, "warn", "the hardware clock is 90.0 s behind the system clock"),
        (
            {SINCE: f"{NOW + 7201:.0f}\n"},
            {},
            "warn",
            "the hardware clock is 2.0 hours ahead of the system clock: whole hours, it may hold local time",
        ),
        (
            {SINCE: f"{NOW + 7200:.0f}\n", "/etc/adjtime": "0.0 0 0.0\n0\nLOCAL\n"},
            {},
            "warn",
            "the hardware clock is kept in local time",
        ),
        (
            {SINCE: f"{NOW:.0f}\n", "/etc/adjtime": "0.0 0 0.0\n0\nUTC\n"},
            {},
            "pass",
            "the hardware clock is kept",
        ),
        (
            {**SYSTEMD, SINCE: f"{NOW:.0f}\n", "/etc/adjtime": Denied("no")},
            {"timedatectl show": timedatectl(LocalRTC="yes")},
            "warn",
            "the hardware clock is kept in local time",
        ),
        (
            {**SYSTEMD, SINCE: f"{NOW:.0f}\n", "/etc/adjtime": Denied("no")},
            {"timedatectl show": timedatectl(LocalRTC="no")},
            "pass",
            "the hardware clock is kept in UTC",
        ),
        (
            {**SYSTEMD, SINCE: f"{NOW:.0f}\n", "/etc/adjtime": Denied("no")},
            {"timedatectl show": NoAnswer("no answer within 2.5 s")},
            "unknown",
            "could not look: no answer within 2.5 s",
        ),
        ({SINCE: f"{'9' * 60}\n"}, {}, "unknown", "the hardware clock could not be read: it tells no number"),
        ({SINCE: "-86400\n"}, {}, "warn", "the hardware clock is 20718.6 days behind the system clock"),
        ({}, {}, "pass", "there is no hardware clock; the time comes from the network at boot"),
        ({"/sys/class/rtc/": ""}, {}, "pass", "there is no hardware clock"),
        ({"/etc/adjtime": "0.0 0 0.0\n0\nLOCAL\n"}, {}, "warn", "the hardware clock is kept in local time"),
        (
            {SINCE: HostError("Input/output error")},
            {},
            "unknown",
            "the hardware clock could not be read: Input/output",
        ),
        (
            {SINCE: "soon\n"},
            {},
            "unknown",
            "the hardware clock could not be read: it tells no number of seconds",
        ),
        (
            {"/etc/adjtime": Denied("it may not be read")},
            {},
            "unknown",
            "could not look: systemd does not run here",
        ),
        (
            {"/etc/adjtime": "garbage", SINCE: f"{NOW:.0f}"},
            {},
            "unknown",
            "could not look: /etc/adjtime does",
        ),
        ({"/etc/adjtime": b"\x7fELF\0\xff\n\n\n"}, {}, "unknown", "could not look: /etc/adjtime does not"),
        (
            {"/etc/adjtime": "0.0 0 0.0\n0\nMOON\n"},
            {},
            "unknown",
            "could not look: the third line of /etc/adj",
        ),
        ({"/etc/adjtime": "0.0 0 0.0\n0\nlocal\n"}, {}, "warn", "the hardware clock is kept in local time"),
        (
            {"/etc/adjtime": "0.0 0 0.0\n", SINCE: f"{NOW:.0f}"},
            {},
            "pass",
            "the hardware clock is kept in UTC",
        ),
        ({"/etc/adjtime": "", SINCE: f"{NOW:.0f}"}, {}, "pass", "the hardware clock is kept in UTC"),
    ],
)
def test_rtc(files: Files, commands: Commands, status: str, summary: str) -> None:
    judgement = judge("time.rtc", Machine(files, commands))
    assert judgement.status == status
    assert judgement.summary.startswith(summary)
    assert bool(judgement.remedies) == (status == "warn")
