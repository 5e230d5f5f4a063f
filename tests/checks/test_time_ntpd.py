"""Whether ntpd and systemd-timesyncd are synchronised by their own word; the kernel repeats an older one."""

import pytest

from mailcow_wizard.facts.time_tracking import read_variables
from mailcow_wizard.host.errors import NoAnswer
from mailcow_wizard.host.replies import FileInfo
from tests.checks.time_machine import NOW, SHOW, SYSTEMD, Commands, Files, Machine, judge, timedatectl, units

NTPQ = "ntpq -n -c rv 0 leap,stratum,refid,reftime,tc,rootdisp,offset"
YES = {"timedatectl show": timedatectl(NTP="yes", NTPSynchronized="yes")}


def variables(**other: str) -> str:
    """As ntpsec 1.2.2 writes them; the measurement is four minutes old."""
    said = {"leap": "00", "stratum": "3", "rootdisp": "62.736", "refid": "10.99.0.2", **other}
    reftime = said.pop("reftime", f"{int(NOW) - 240 + 2_208_988_800:08x}.9c12e13f 2026-09-21T14:09:20.609Z")
    rest = {"tc": said.pop("tc", "10"), "offset": said.pop("offset", "-0.35")}
    first = ", ".join(f"{name}={value}" for name, value in said.items())
    return f"{first},\nreftime={reftime}, " + ", ".join(f"{name}={value}" for name, value in rest.items())


NEVER = variables(leap="11", stratum="16", refid="INIT", reftime="00000000.00000000 2036-02-07T06:28:16.000Z")
OWN = variables(stratum="11", refid="127.127.1.0", tc="3")
AGREED = "it has not agreed with a time server yet"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (variables(), (True, "")),
        (variables(leap="01"), (True, "")),
        (variables(stratum="1", refid=".GPS."), (True, "")),
        (variables(stratum="1", refid="127.127.28.0"), (True, "")),  # shared memory: gpsd
        (NEVER, (False, AGREED)),
        (variables(leap="11"), (False, AGREED)),
        (variables(stratum="16"), (False, AGREED)),
        (OWN, (False, "it follows this machine's own clock (127.127.1.0 in ntp.conf), no time server")),
        (
            variables(refid="LOCAL(0)"),
            (False, "it follows this machine's own clock (127.127.1.0 in ntp.conf), no time server"),
        ),
        (
            variables(stratum="5", refid="127.0.0.1"),  # orphan mode
            (False, "it follows this machine's own clock (127.127.1.0 in ntp.conf), no time server"),
        ),
        (
            variables(reftime=f"{int(NOW) - 32_400 + 2_208_988_800:08x}.00000000 x"),
            (False, "its last measurement is 9.0 hours away from now"),
        ),
        (variables(reftime=f"{int(NOW) - 32_400 + 2_208_988_800:08x}.00000000 x", tc="14"), (True, "")),
        (variables(offset="1500.0"), (False, "the clock is 1.5 s off by its own word")),
        (variables(rootdisp="7937.6"), (False, "it does not know the time better than within 7.9 s")),
        (variables(stratum="x"), (None, "")),
        (variables(reftime="zz.1"), (None, "")),
        ("***Request timed out\n", (None, "")),
        ("", (None, "")),
    ],
)
def test_variables(text: str, expected: tuple[bool | None, str]) -> None:
    assert read_variables(text, NOW) == expected


@pytest.mark.parametrize(
    ("unit", "commands", "status", "words"),
    [
        ("ntpsec", {NTPQ: variables(), **YES}, "pass", "ntpsec runs and is synchronised"),
        ("ntp", {NTPQ: OWN, **YES}, "warn", "own clock (127.127.1.0"),
        ("ntpd", {NTPQ: NEVER, **YES}, "warn", AGREED),
        ("ntpd", {NTPQ: variables()}, "pass", "ntpd runs and is synchronised"),
        ("ntpd", YES, "pass", "ntpd runs and is synchronised"),  # no ntpq
        ("ntpd", {NTPQ: "***Request timed out\n", **YES}, "pass", "ntpd runs and is synchronised"),
        ("ntpd", {NTPQ: NoAnswer("no answer within 2.5 s")}, "unknown", "(ntpq: no answer within 2.5 s"),
        ("openntpd", {NTPQ: NEVER, **YES}, "pass", "openntpd runs and is synchronised"),
    ],
)
def test_ntpd_is_asked_before_the_kernel(unit: str, commands: Commands, status: str, words: str) -> None:
    judgement = judge("time.service", Machine(SYSTEMD, {SHOW: units(**{unit: "active enabled"}), **commands}))
    assert (judgement.status, words in judgement.summary) == (status, True), judgement


def test_ntpd_is_asked_without_systemd_too() -> None:
    assert judge("time.service", Machine({}, {NTPQ: variables()}, processes=["ntpd"])).status == "pass"
    assert judge("time.service", Machine({}, {NTPQ: OWN}, processes=["ntpd"])).status == "warn"


class Measured(Machine):
    """systemd-timesyncd's last measurement is that many seconds old."""

    age = 60.0

    def info(self, path: str, follow: bool = True) -> FileInfo:
        return super().info(path, follow)._replace(mtime=NOW - self.age)


@pytest.mark.parametrize(
    ("files", "age", "status", "words"),
    [
        ({"/run/systemd/timesync/synchronized": ""}, 60.0, "pass", "is synchronised"),
        ({"/run/systemd/timesync/synchronized": ""}, 2 * 2048.0, "pass", "is synchronised"),
        ({"/run/systemd/timesync/synchronized": ""}, 7 * 3600.0, "warn", "its last measurement is 7.0 hours"),
        ({"/run/systemd/timesync/synchronized": ""}, -7 * 3600.0, "warn", "is 7.0 hours away"),
        ({"/run/systemd/timesync/": ""}, 60.0, "warn", AGREED),
        ({}, 60.0, "pass", "is synchronised"),  # systemd before 239
    ],
)
def test_the_kernels_yes_may_be_that_of_a_service_before(
    files: Files, age: float, status: str, words: str
) -> None:
    commands = {SHOW: units(systemd_timesyncd="active enabled"), **YES}
    machine = Measured({**SYSTEMD, **files}, commands)
    machine.age = age
    judgement = judge("time.service", machine)
    assert (judgement.status, words in judgement.summary) == (status, True), judgement
