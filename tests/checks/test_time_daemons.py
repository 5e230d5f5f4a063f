"""Time daemons beside units and in containers, their start at boot, chronyd's word, and the remedies."""

from collections.abc import Sequence

import pytest

from mailcow_wizard.facts.time_tracking import read_tracking
from mailcow_wizard.host.errors import Denied, HostError, NoAnswer
from tests.checks.time_machine import (
    GOOD_LINE,
    NOW,
    OLD_LINE,
    SHOW,
    SYSTEMD,
    TRACKING,
    Files,
    Machine,
    judge,
    timedatectl,
    units,
)


@pytest.mark.parametrize(
    ("startup", "more", "status", "summary", "command"),
    [
        (
            "disabled",
            "",
            "warn",
            "chrony runs, but is not started at boot (disabled)",
            "`systemctl enable chrony`",
        ),
        ("disabled", "WantedBy=multi-user.target\n", "pass", "chrony runs and is synchronised", ""),
        ("disabled", "RequiredBy=ipa.service\n", "pass", "chrony runs and is synchronised", ""),
        (
            "masked",
            "",
            "warn",
            "chrony runs, but is not started at boot (masked)",
            "`systemctl unmask chrony && systemctl enable chrony`",
        ),
        *(
            (startup, "", "pass", "chrony runs and is synchronised", "")
            for startup in ("enabled", "enabled-runtime", "static", "generated", "alias", "linked", "")
        ),
    ],
)
def test_a_service_that_is_not_started_at_boot(
    startup: str, more: str, status: str, summary: str, command: str
) -> None:
    block = units(chrony=f"active {startup}").split("\n\n")[0]
    judgement = judge("time.service", Machine(SYSTEMD, {SHOW: f"{block}\n{more}", TRACKING: GOOD_LINE}))
    assert (judgement.status, judgement.summary) == (status, summary)
    assert [command in remedy for remedy in judgement.remedies] == ([True] if command else [])


@pytest.mark.parametrize(
    ("unit", "process", "cgroup", "summary", "command"),
    [
        ("chrony", "chronyd", "/system.slice/chrony.service", "chrony runs and is synchronised", ""),
        ("chrony", "chronyd", "", "chrony runs and is synchronised", ""),
        ("chrony", "chronyd", "/", "chrony runs and is synchronised", ""),
        ("chrony", "ntpd", "/user.slice/a.scope", "chrony and ntpd run at the same time", "`kill 100`"),
        ("chrony", "ntpd", "", "chrony and ntpd run at the same time", "`kill 100`"),
        ("chrony", "ntpd", "/docker/0123", "chrony runs and is synchronised", ""),
        (
            "chrony",
            "ntpd",
            "/system.slice/mine.service",
            "chrony and ntpd run at the same time",
            "`systemctl disable --now mine`",
        ),
        ("chrony", "chronyd", "/user.slice/a.scope", "chrony and chronyd run at the same time", "`kill 100`"),
    ],
)
def test_a_daemon_beside_a_unit(unit: str, process: str, cgroup: str, summary: str, command: str) -> None:
    commands = {SHOW: units(**{unit: "active enabled"}), TRACKING: GOOD_LINE}
    machine = Machine(SYSTEMD, commands, processes=[process])
    machine.cgroup = cgroup
    judgement = judge("time.service", machine)
    assert judgement.summary.startswith(summary)
    assert command in "".join(judgement.remedies)
    assert bool(judgement.remedies) == bool(command)


@pytest.mark.parametrize("files", [{}, SYSTEMD])
@pytest.mark.parametrize("first", [Denied("hidden"), NoAnswer("gone")])
def test_hidden_processes_are_no_proof(files: Files, first: HostError) -> None:
    machine = Machine({**files, "/proc/1/comm": first}, {SHOW: units()})
    judgement = judge("time.service", machine)
    assert judgement.status == "unknown"
    assert judgement.summary.startswith("whether a synchronisation service runs could not be found out (proc")


@pytest.mark.parametrize("processes", [(), ("ntp-daemon",)])
def test_ntpd_rs(processes: Sequence[str]) -> None:
    commands = {"timedatectl show": timedatectl(NTPSynchronized="yes"), SHOW: units()}
    if not processes:
        commands[SHOW] = units(ntpd_rs="active enabled")
    judgement = judge("time.service", Machine(SYSTEMD, commands, processes=processes))
    assert (judgement.status, judgement.summary) == ("pass", "ntpd-rs runs and is synchronised")


@pytest.mark.parametrize(
    ("said", "state", "status", "summary"),
    [
        ("yes", {}, "pass", "the kernel says synchronised, by a service that is not known here"),
        ("no", {}, "warn", "nothing keeps the clock right: no synchronisation service was found"),
        ("yes", {"chrony": "failed enabled"}, "warn", "nothing keeps the clock right: chrony has failed"),
    ],
)
def test_the_kernels_word_without_a_service(
    said: str, state: dict[str, str], status: str, summary: str
) -> None:
    commands = {"timedatectl show": timedatectl(NTPSynchronized=said), SHOW: units(**state)}
    judgement = judge("time.service", Machine(SYSTEMD, commands))
    assert (judgement.status, judgement.summary) == (status, summary)
    assert judgement.certainty == ("inferred" if status == "pass" else "proved")


def test_a_daemon_in_a_container_does_not_count() -> None:
    machine = Machine(SYSTEMD, {SHOW: units(), TRACKING: GOOD_LINE}, processes=["chronyd"])
    machine.cgroup = "/system.slice/docker-0123456789ab.scope"
    assert judge("time.service", machine).summary.startswith("nothing keeps the clock right")


@pytest.mark.parametrize(
    ("tools", "command"),
    [
        (["apt-get"], "`apt-get install -y chrony`"),
        (["dnf", "yum"], "`dnf install -y chrony && systemctl enable --now chronyd`"),
        (["yum"], "`yum install -y chrony && systemctl enable --now chronyd`"),
        (["apk"], "`apk add chrony && rc-update add chronyd default && rc-service chronyd start`"),
        (["zypper"], "`zypper install -y chrony && systemctl enable --now chronyd`"),
        (["pacman"], "`pacman -S --noconfirm chrony && systemctl enable --now chronyd`"),
        ([], "the package is called chrony"),
    ],
)
def test_the_command_that_installs_a_service(tools: list[str], command: str) -> None:
    assert command in judge("time.service", Machine(tools=tools)).remedies[0]


@pytest.mark.parametrize(
    ("machine", "command"),
    [
        (
            Machine(SYSTEMD, {SHOW: units(chrony="active", systemd_timesyncd="active"), TRACKING: GOOD_LINE}),
            "Keep chrony, stop systemd-timesyncd: `systemctl disable --now systemd-timesyncd`",
        ),
        (Machine(processes=["chronyd", "ntpd"]), "`rc-service ntpd stop && rc-update del ntpd`"),
        (
            Machine(SYSTEMD, {SHOW: units(systemd_timesyncd="inactive disabled")}),
            "`systemctl enable --now systemd-timesyncd`",
        ),
        (
            Machine(SYSTEMD, {SHOW: units(chrony="inactive masked")}),
            "`systemctl unmask chrony && systemctl enable --now chrony`",
        ),
    ],
)
def test_the_command_that_mends_a_service(machine: Machine, command: str) -> None:
    assert command in judge("time.service", machine).remedies[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (GOOD_LINE, (True, "")),
        (GOOD_LINE.replace("Normal", "Insert second"), (True, "")),
        (OLD_LINE, (False, "its last measurement is 9.0 hours away from now")),
        (
            GOOD_LINE.replace("1790000000.1", "0.0"),
            (False, "its last measurement is 20717.6 days away from now"),
        ),
        (
            GOOD_LINE.replace("1790000000.1", "1790040000.0"),
            (False, "its last measurement is 11.1 hours away from now"),
        ),
        (GOOD_LINE.replace("1790000000.1", "1789990000.0"), (True, "")),
        (OLD_LINE.replace("64.2", "16000.0"), (True, "")),
        (GOOD_LINE.replace("0.000001", "-1.5"), (False, "the clock is 1.5 s off by its own word")),
        (GOOD_LINE.replace("0.000001", "0.9"), (True, "")),
        (
            GOOD_LINE.replace("0.001,", "12.5,"),
            (False, "it does not know the time better than within 12.5 s"),
        ),
        (GOOD_LINE.replace("0.001,", "x,"), (None, "")),
        ("", (None, "")),
        ("506 Cannot talk to daemon", (None, "")),
    ],
)
def test_tracking(line: str, expected: tuple[bool | None, str]) -> None:
    assert read_tracking(line, NOW) == expected
