"""Which service keeps the clock right, and whether it is synchronised."""

import pytest

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import offers
from mailcow_wizard.host.errors import Denied, HostError, NoAnswer
from mailcow_wizard.host.replies import Ran
from mailcow_wizard.model import Judgement
from tests.checks.time_machine import (
    GOOD_LINE,
    LOST_LINE,
    OWN_LINE,
    SHOW,
    SYSTEMD,
    TRACKING,
    Commands,
    Machine,
    judge,
    timedatectl,
    units,
)

TOO_FAR = Judgement("fail", "the clock is 40 s behind")


@pytest.mark.parametrize(
    ("commands", "status", "certainty", "summary"),
    [
        (
            {SHOW: units(chrony="active enabled"), TRACKING: GOOD_LINE},
            "pass",
            "proved",
            "chrony runs and is synchronised",
        ),
        (
            {SHOW: units(chrony="active enabled"), TRACKING: LOST_LINE},
            "warn",
            "proved",
            "chrony runs but is not synchronised, 10.0 minutes after its start: "
            "it has not agreed with a time server yet",
        ),
        (
            {SHOW: units(chronyd="active enabled"), TRACKING: OWN_LINE},
            "warn",
            "proved",
            "chronyd runs but is not synchronised, 10.0 minutes after its start: "
            "it follows this machine's own clock "
            "(`local` in chrony.conf), no time server",
        ),
        (
            {
                SHOW: units(chrony="active enabled"),
                TRACKING: Ran(1, "", "506 Cannot talk to daemon\n"),
                "timedatectl show": timedatectl(NTP="yes", NTPSynchronized="yes"),
            },
            "pass",
            "proved",
            "chrony runs and is synchronised",
        ),
        (
            {
                SHOW: units(chrony="active enabled"),
                TRACKING: NoAnswer("no answer within 2.5 s"),
                "timedatectl show": NoAnswer("no answer within 2.5 s"),
            },
            "unknown",
            "untested",
            "chrony runs; whether it is synchronised could not be found out "
            "(chronyc: no answer within 2.5 s; "
            "timedatectl: no answer within 2.5 s)",
        ),
        (
            {
                SHOW: units(systemd_timesyncd="active enabled"),
                "timedatectl show": timedatectl(NTP="yes", NTPSynchronized="yes"),
            },
            "pass",
            "proved",
            "systemd-timesyncd runs and is synchronised",
        ),
        (
            {
                SHOW: units(systemd_timesyncd="active enabled"),
                "timedatectl show": timedatectl(NTP="yes", NTPSynchronized="no"),
            },
            "warn",
            "proved",
            "systemd-timesyncd runs but is not synchronised, 10.0 minutes after its start",
        ),
        (
            {SHOW: units(systemd_timesyncd="active enabled"), "timedatectl show": timedatectl(NTP="yes")},
            "unknown",
            "untested",
            "systemd-timesyncd runs; whether it is synchronised could not be found out",
        ),
        (
            {
                SHOW: units(ntpsec="active enabled", systemd_timesyncd="inactive disabled"),
                "timedatectl show": timedatectl(NTPSynchronized="yes"),
            },
            "pass",
            "proved",
            "ntpsec runs and is synchronised",
        ),
        (
            {SHOW: units(chrony="active enabled", systemd_timesyncd="active enabled"), TRACKING: GOOD_LINE},
            "warn",
            "proved",
            "chrony and systemd-timesyncd run at the same time and pull at one clock",
        ),
        (
            {SHOW: units()},
            "warn",
            "proved",
            "nothing keeps the clock right: no synchronisation service was found",
        ),
        (
            {SHOW: units(systemd_timesyncd="inactive disabled")},
            "warn",
            "proved",
            "nothing keeps the clock right: systemd-timesyncd is disabled and does not run",
        ),
        (
            {SHOW: units(chrony="failed enabled")},
            "warn",
            "proved",
            "nothing keeps the clock right: chrony has failed",
        ),
        (
            {SHOW: units(systemd_timesyncd="inactive enabled")},
            "warn",
            "proved",
            "nothing keeps the clock right: systemd-timesyncd is installed and does not run",
        ),
        (
            {SHOW: units(chrony="failed enabled", systemd_timesyncd="inactive disabled")},
            "warn",
            "proved",
            "nothing keeps the clock right: chrony has failed",
        ),
        (
            {SHOW: units(chrony="activating enabled"), TRACKING: GOOD_LINE},
            "pass",
            "proved",
            "chrony runs and is synchronised",
        ),
        (
            {SHOW: units(chrony="inactive masked")},
            "warn",
            "proved",
            "nothing keeps the clock right: chrony is masked and does not run",
        ),
        (
            {SHOW: NoAnswer("no answer within 2.5 s")},
            "unknown",
            "untested",
            "whether a synchronisation service runs could not be found out "
            "(systemctl: no answer within 2.5 s)",
        ),
        (
            {SHOW: "garbage\n\n=\n\n\x1b[31m"},
            "warn",
            "proved",
            "nothing keeps the clock right: no synchronisation service was found",
        ),
    ],
)
def test_service_with_systemd(commands: Commands, status: str, certainty: str, summary: str) -> None:
    judgement = judge("time.service", Machine(SYSTEMD, commands))
    assert (judgement.status, judgement.certainty, judgement.summary) == (status, certainty, summary)
    assert bool(judgement.remedies) == (status == "warn")


def test_a_service_with_an_alias_is_one_service() -> None:
    block = units(ntpsec="active enabled").split("\n\n")[2]
    machine = Machine(
        SYSTEMD, {SHOW: f"{block}\n\n{block}", "timedatectl show": timedatectl(NTPSynchronized="yes")}
    )
    assert judge("time.service", machine).status == "pass"


def test_timesyncd_leaves_a_trace_when_it_is_synchronised() -> None:
    files = {**SYSTEMD, "/run/systemd/timesync/synchronized": ""}
    commands = {SHOW: units(systemd_timesyncd="active enabled"), "timedatectl show": timedatectl(NTP="yes")}
    judgement = judge("time.service", Machine(files, commands))
    assert (judgement.status, judgement.certainty) == ("pass", "inferred")
    commands[SHOW] = units(ntpsec="active enabled")
    assert judge("time.service", Machine(files, commands)).status == "unknown", "another service's trace"


@pytest.mark.parametrize(
    ("processes", "commands", "status", "summary"),
    [
        (["chronyd"], {TRACKING: GOOD_LINE}, "pass", "chronyd runs and is synchronised"),
        (
            ["chronyd"],
            {TRACKING: LOST_LINE},
            "warn",
            "chronyd runs but is not synchronised: it has not agreed",
        ),
        (
            ["chronyd"],
            {},
            "unknown",
            "chronyd runs; whether it is synchronised could not be found out (chronyc: ",
        ),
        (
            ["ntpd", "ntpd", "ntpd"],
            {},
            "unknown",
            "ntpd runs; whether it is synchronised could not be found out",
        ),
        (["systemd-timesyn"], {}, "unknown", "systemd-timesyncd runs; whether"),
        (["chronyd", "ntpd"], {TRACKING: GOOD_LINE}, "warn", "chronyd and ntpd run at the same time"),
        ([], {}, "warn", "nothing keeps the clock right: no synchronisation service was found"),
        (
            Denied("/proc is hidden"),
            {},
            "unknown",
            "whether a synchronisation service runs could not be found out (proc",
        ),
    ],
)
def test_service_without_systemd(
    processes: list[str] | HostError, commands: Commands, status: str, summary: str
) -> None:
    judgement = judge("time.service", Machine({}, commands, processes=processes))
    assert judgement.status == status
    assert judgement.summary.startswith(summary)


def test_a_daemon_that_systemd_does_not_know_is_found_by_its_process() -> None:
    machine = Machine(SYSTEMD, {SHOW: units(), TRACKING: GOOD_LINE}, processes=["chronyd"])
    assert judge("time.service", machine).summary == "chronyd runs and is synchronised"


def test_what_told_nothing_is_shown_as_evidence() -> None:
    (one,) = judge("time.service", Machine({}, {}, processes=["chronyd"])).evidence
    assert one.what == "chronyc"
    assert one.value


@pytest.mark.parametrize("kind", ["lxc", "openvz"])
@pytest.mark.parametrize("states", [{}, {"systemd_timesyncd": "inactive enabled"}])
def test_a_container_has_its_hosts_clock(kind: str, states: dict[str, str]) -> None:
    machine = Machine({**SYSTEMD, "/run/systemd/container": f"{kind}\n"}, {SHOW: units(**states)})
    judgement = judge("time.service", machine)
    assert (judgement.status, judgement.certainty) == ("unknown", "untested")
    assert "container is its host's" in judgement.summary
    assert judgement.remedies
    assert not judgement.fixes
    assert not any(one.fix.id == "enable-ntp" for one in offers("time.offset", TOO_FAR, Facts(machine)))


def test_a_service_that_runs_in_a_container_speaks_for_itself() -> None:
    machine = Machine(
        {**SYSTEMD, "/run/systemd/container": "lxc\n"},
        {SHOW: units(chrony="active enabled"), TRACKING: GOOD_LINE},
    )
    assert judge("time.service", machine).status == "pass"
