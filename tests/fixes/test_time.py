"""What is planned for the clock: one service, its servers, the timezone; and how each is put back."""

import pytest

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import offers
from mailcow_wizard.fixes.time_servers import directory_of, pool_of
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Ran
from mailcow_wizard.model import Command, Edit, Judgement, Manual, Plan, Settings
from tests.checks.time_machine import (
    GOOD_LINE,
    LOST_LINE,
    SHOW,
    SYSTEMD,
    TRACKING,
    Commands,
    Files,
    Machine,
    judge,
    timedatectl,
    units,
)

NO_WORD: Commands = {"timedatectl show": timedatectl(NTP="no", NTPSynchronized="no")}
LOST: Commands = {**NO_WORD, TRACKING: LOST_LINE}
ENABLE, SERVERS, SECOND, ZONE = "enable-ntp", "set-ntp-servers", "stop-second-ntp", "set-timezone"


def ids(machine: Machine, settings: Settings | None = None, check: str = "time.service") -> list[str]:
    return [fix.id for fix in judge(check, machine, settings).fixes]


def plan(machine: Machine, fix: str, settings: Settings | None = None, check: str = "time.service") -> Plan:
    facts = Facts(machine, settings)
    judgement = judge(check, machine, settings)
    return next(one.plan() for one in offers(check, judgement, facts) if one.fix.id == fix)


def commands(made: Plan) -> list[str]:
    return [" ".join(step.argv) for step in made.steps if isinstance(step, Command)]


def undos(made: Plan) -> list[str]:
    """What takes it back, in the order in which it runs."""
    steps = [step for step in reversed(made.steps) if isinstance(step, Command)]
    return [" ".join(argv) for step in steps for argv in step.undo]


def edit(made: Plan) -> Edit:
    (found,) = [step for step in made.steps if isinstance(step, Edit)]
    return found


def systemd(said: Commands = NO_WORD, files: Files | None = None, **states: str) -> Machine:
    return Machine({**SYSTEMD, **(files or {})}, {**said, SHOW: units(**states)})


# --- one service ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "done", "back"),
    [
        (
            "inactive disabled",
            ["systemctl enable chrony", "systemctl start chrony"],
            ["systemctl stop chrony", "systemctl disable chrony"],
        ),
        ("inactive enabled", ["systemctl start chrony"], ["systemctl stop chrony"]),
        ("failed enabled", ["systemctl start chrony"], ["systemctl stop chrony"]),
        ("inactive static", ["systemctl start chrony"], ["systemctl stop chrony"]),
        (
            "inactive masked",
            ["systemctl unmask chrony", "systemctl enable chrony", "systemctl start chrony"],
            ["systemctl stop chrony", "systemctl disable chrony", "systemctl mask chrony"],
        ),
        (
            "inactive masked-runtime",
            ["systemctl unmask --runtime chrony", "systemctl enable chrony", "systemctl start chrony"],
            ["systemctl stop chrony", "systemctl disable chrony", "systemctl mask --runtime chrony"],
        ),
    ],
)
def test_the_installed_one_is_started(state: str, done: list[str], back: list[str]) -> None:
    machine = systemd(chrony=state, systemd_timesyncd="inactive disabled")
    assert ids(machine) == [ENABLE]
    made = plan(machine, ENABLE)
    assert (commands(made), undos(made)) == (done, back)
    assert made.settle >= 10
    assert made.title == "Start chrony now and at every start"


def test_the_one_that_failed_is_the_one_that_was_chosen() -> None:
    machine = systemd(chrony="inactive disabled", systemd_timesyncd="failed enabled")
    assert commands(plan(machine, ENABLE)) == ["systemctl start systemd-timesyncd"]


@pytest.mark.parametrize(("startup", "first"), [("disabled", "enable"), ("masked", "unmask")])
def test_one_that_runs_is_started_at_boot_too(startup: str, first: str) -> None:
    machine = systemd({**NO_WORD, TRACKING: GOOD_LINE}, chrony=f"active {startup}")
    made = plan(machine, ENABLE)
    assert ids(machine) == [ENABLE]
    assert commands(made)[0] == f"systemctl {first} chrony"
    assert "systemctl start chrony" not in commands(made)
    assert made.settle == 0


APT = "apt-get -s install --no-install-recommends chrony"


def test_chrony_is_installed_where_there_is_none() -> None:
    said: Commands = {
        **NO_WORD,
        APT: "Inst libedit2 (1 Debian)\nInst chrony (4.3 Debian)\n",
        "dpkg-query -W -f ${Package} ${db:Status-Status}\n libedit2 chrony": "",
    }
    machine = systemd(said, {"/var/lib/apt/lists/x_Packages": ""})
    assert ids(machine) == [ENABLE]
    made = plan(machine, ENABLE)
    assert [line.split()[-1] for line in commands(made)] == ["update", "chrony", "chrony"]
    assert commands(made)[-1] == "systemctl enable --now chrony"
    assert undos(made)[0] == "systemctl disable --now chrony"
    assert undos(made)[1].endswith("dpkg --purge libedit2 chrony")


def test_no_package_is_removed_for_it() -> None:
    machine = systemd(
        {**NO_WORD, APT: "Remv ntpsec [1]\nInst chrony (4 Debian)\n"}, {"/var/lib/apt/lists/x_Packages": ""}
    )
    with pytest.raises(HostError, match="would remove ntpsec"):
        plan(machine, ENABLE)


def test_where_nobody_knows_nothing_is_installed() -> None:
    machine = Machine(SYSTEMD, {**NO_WORD, SHOW: HostError("no answer")}, tools=("apt-get",))
    assert ids(machine) == []
    assert ids(systemd({"timedatectl show": timedatectl(NTPSynchronized="yes")})) == []


def test_openrc() -> None:
    alpine: Files = {"/etc/init.d/ntpd": "", "/etc/init.d/chronyd": ""}
    machine = Machine(alpine, {}, tools=("rc-service", "apk"))
    made = plan(machine, ENABLE)
    assert commands(made) == ["rc-update add chronyd default", "rc-service chronyd start"]
    assert undos(made) == ["rc-service chronyd stop", "rc-update del chronyd default"]
    listed = Machine({**alpine, "/etc/runlevels/default/chronyd": ""}, {}, tools=("rc-service",))
    assert commands(plan(listed, ENABLE)) == ["rc-service chronyd start"]
    said: Commands = {"apk add --no-cache --upgrade --simulate chrony": "(1/1) Installing chrony (4.5-r0)\n"}
    none = Machine({"/etc/apk/world": ""}, said, tools=("rc-service",))
    assert commands(plan(none, ENABLE)) == [
        "apk add --no-cache --upgrade chrony",
        "rc-update add chronyd default",
        "rc-service chronyd start",
    ]
    assert ids(Machine({}, {}, tools=("apk",))) == []  # nothing starts services there
    debian = Machine({"/etc/init.d/chrony": ""}, {}, tools=("rc-service", "apt-get"))
    assert commands(plan(debian, ENABLE)) == ["rc-update add chrony default", "rc-service chrony start"]


# --- two of them ------------------------------------------------------------------------------------------


def test_the_better_one_stays() -> None:
    machine = systemd(
        {**NO_WORD, TRACKING: GOOD_LINE}, chrony="active enabled", systemd_timesyncd="active enabled"
    )
    assert ids(machine)[0] == SECOND
    made = plan(machine, SECOND)
    assert commands(made) == ["systemctl disable --now systemd-timesyncd"]
    assert undos(made) == ["systemctl enable --now systemd-timesyncd"]
    assert made.title == "Keep chrony, stop systemd-timesyncd"
    assert "most exact" in made.consequence
    assert "systemd-timesyncd" in made.interrupts
    assert ENABLE not in ids(machine)
    assert SERVERS not in ids(machine)


@pytest.mark.parametrize(
    ("startup", "done", "back", "told"),
    [
        ("disabled", ["systemctl stop ntpsec"], ["systemctl start ntpsec"], False),
        (
            "enabled-runtime",
            ["systemctl stop ntpsec", "systemctl disable --runtime ntpsec"],
            ["systemctl enable --runtime ntpsec", "systemctl start ntpsec"],
            False,
        ),
        ("static", ["systemctl stop ntpsec"], ["systemctl start ntpsec"], True),
    ],
)
def test_a_second_one(startup: str, done: list[str], back: list[str], told: bool) -> None:
    machine = systemd({TRACKING: GOOD_LINE}, chrony="active enabled", ntpsec=f"active {startup}")
    made = plan(machine, SECOND)
    assert (commands(made), undos(made)) == (done, back)
    assert any(isinstance(step, Manual) for step in made.steps) is told


def test_one_that_was_started_by_hand_cannot_be_put_back() -> None:
    said: Commands = {TRACKING: GOOD_LINE, SHOW: units(chrony="active enabled")}
    machine = Machine(SYSTEMD, said, processes=("ntpd",))
    machine.cgroup = "/user.slice"
    assert judge("time.service", machine).status == "warn"
    assert ids(machine) == []
    machine.cgroup = "/system.slice/myntp.service"
    machine.commands["systemctl is-enabled myntp"] = Ran(0, "enabled\n", "")
    assert commands(plan(machine, SECOND)) == ["systemctl disable --now myntp"]


def test_a_second_one_of_openrc() -> None:
    files: Files = {"/etc/init.d/ntpd": "", "/etc/runlevels/default/ntpd": ""}
    machine = Machine(files, {TRACKING: GOOD_LINE}, processes=("chronyd", "ntpd"), tools=("rc-service",))
    made = plan(machine, SECOND)
    assert commands(made) == ["rc-update del ntpd default", "rc-service ntpd stop"]
    assert undos(made) == ["rc-service ntpd start", "rc-update add ntpd default"]


# --- its servers ------------------------------------------------------------------------------------------

DEBIAN: Files = {"/etc/os-release": "ID=debian\nVERSION_ID=12\n"}
OWN = Settings(ntp=("192.0.2.123", "ntp.example.net"))


@pytest.mark.parametrize(
    ("unit", "files", "path", "after"),
    [
        (
            "chrony",
            {
                "/etc/chrony/chrony.conf": "confdir /etc/chrony/conf.d\n"
                "sourcedir /run/x /etc/chrony/sources.d/\n"
            },
            "/etc/chrony/sources.d/mailcow-wizard.sources",
            "server 192.0.2.123 iburst\nserver ntp.example.net iburst\n",
        ),
        (
            "chrony",
            {"/etc/chrony/chrony.conf": "confdir /etc/chrony/conf.d\n"},
            "/etc/chrony/conf.d/mailcow-wizard.conf",
            "server 192.0.2.123 iburst\nserver ntp.example.net iburst\n",
        ),
        (
            "chronyd",
            {"/etc/chrony.conf": "pool 2.rocky.pool.ntp.org iburst"},
            "/etc/chrony.conf",
            "pool 2.rocky.pool.ntp.org iburst\nserver 192.0.2.123 iburst\nserver ntp.example.net iburst\n",
        ),
        (
            "ntpsec",
            {"/etc/ntpsec/ntp.conf": "driftfile x\n"},
            "/etc/ntpsec/ntp.conf",
            "driftfile x\nserver 192.0.2.123 iburst\nserver ntp.example.net iburst\n",
        ),
        (
            "openntpd",
            {"/etc/openntpd/ntpd.conf": "servers pool.ntp.org\n"},
            "/etc/openntpd/ntpd.conf",
            "servers pool.ntp.org\nservers 192.0.2.123\nservers ntp.example.net\n",
        ),
        (
            "systemd_timesyncd",
            {},
            "/etc/systemd/timesyncd.conf.d/60-mailcow-wizard.conf",
            "[Time]\nNTP=192.0.2.123 ntp.example.net\n",
        ),
    ],
)
def test_servers(unit: str, files: Files, path: str, after: str) -> None:
    machine = systemd(LOST, {**DEBIAN, **files}, **{unit: "active enabled"})
    assert ids(machine, OWN) == [SERVERS]
    made = plan(machine, SERVERS, OWN)
    name = unit.replace("_", "-")
    assert [type(step) for step in made.steps] == [Command, Edit, Command]
    assert commands(made) == [f"systemctl stop {name}", f"systemctl start {name}"]
    assert undos(made) == [f"systemctl stop {name}", f"systemctl start {name}"]
    found = edit(made)
    assert found.path == path
    assert found.after is not None
    assert (
        found.after.decode().removeprefix(
            "# Written by mailcow-wizard, which can take it back: mailcow-wizard undo\n"
        )
        == after
    )
    assert made.settle >= 10


def test_the_distributions_pool() -> None:
    machine = systemd(
        LOST, {**DEBIAN, "/etc/chrony/chrony.conf": "server 192.0.2.1\n"}, chrony="active enabled"
    )
    after = edit(plan(machine, SERVERS)).after
    assert after == b"server 192.0.2.1\npool 2.debian.pool.ntp.org iburst\n"
    named = systemd(
        LOST, {**DEBIAN, "/etc/chrony/chrony.conf": "pool 2.debian.pool.ntp.org\n"}, chrony="active enabled"
    )
    assert ids(named) == []


@pytest.mark.parametrize(
    ("release", "pool"),
    [
        ("ID=ubuntu\n", "2.ubuntu.pool.ntp.org"),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'\n", "2.ubuntu.pool.ntp.org"),
        ("ID=opensuse-leap\nID_LIKE='suse opensuse'\n", "2.opensuse.pool.ntp.org"),
        ("ID=alpine\n", "2.pool.ntp.org"),
        ("", "2.pool.ntp.org"),
    ],
)
def test_pools(release: str, pool: str) -> None:
    assert pool_of(Facts(Machine({"/etc/os-release": release}))) == pool


def test_no_servers_for_one_that_is_synchronised_unknown_or_by_hand() -> None:
    good = systemd({**NO_WORD, TRACKING: GOOD_LINE}, DEBIAN, chrony="active enabled")
    assert ids(good, OWN) == []
    assert ids(systemd(LOST, DEBIAN, ntpd_rs="active enabled"), OWN) == []
    assert ids(systemd(LOST, DEBIAN, chrony="active enabled"), OWN) == []  # no configuration to be found
    strange = Settings(ntp=("-x", "a b", "a\nb"))
    conf: Files = {**DEBIAN, "/etc/chrony/chrony.conf": ""}
    assert ids(systemd(LOST, conf, chrony="active enabled"), strange) == []


def test_directories_of_chrony() -> None:
    assert directory_of(b"#sourcedir /etc/a\nSOURCEDIR /etc/b/\n", "sourcedir") == "/etc/b"
    assert directory_of(b"confdir /usr/share/x\n\n", "confdir") == ""


def test_the_offset_has_them_too() -> None:
    machine = systemd(chrony="inactive disabled")
    assert [one.fix.id for one in offers("time.offset", Judgement("fail", ""), Facts(machine))] == [ENABLE]
    assert offers("time.offset", Judgement("unknown", ""), Facts(machine)) == ()
    assert offers("time.rtc", Judgement("warn", ""), Facts(machine)) == ()


# --- the timezone -----------------------------------------------------------------------------------------

ZONEINFO = "/usr/share/zoneinfo"
ZONES: Files = {f"{ZONEINFO}/{name}": f"TZif {name}" for name in ("UTC", "Europe/Berlin", "Asia/Tokyo")}
CONF = "/opt/mailcow-dockerized/mailcow.conf"
LINKED = {"/etc/localtime": f"{ZONEINFO}/UTC"}
READLINK = "readlink /etc/localtime"


def zoned(
    written: str, conf: str = "", said: Commands | None = None, linked: bool = True, **files: str
) -> Machine:
    more: Files = {CONF: conf} if conf else {}
    return Machine(
        {**ZONES, **more, "/etc/timezone": written, **{f"/etc/{name}": text for name, text in files.items()}},
        {READLINK: f"{ZONEINFO}/UTC\n", **(said or {})},
        LINKED if linked else {},
    )


def zone(machine: Machine) -> Plan:
    return plan(machine, ZONE, check="time.timezone")


def test_mailcows_zone() -> None:
    made = zone(zoned("Europe/Berlin\n", "TZ=Asia/Tokyo\n"))
    assert edit(made) == Edit("/etc/timezone", b"Europe/Berlin\n", b"Asia/Tokyo\n")
    assert commands(made) == [f"ln -sfn {ZONEINFO}/Asia/Tokyo /etc/localtime"]
    assert undos(made) == [f"ln -sfn {ZONEINFO}/UTC /etc/localtime"]


def test_without_a_choice_the_clock_keeps_its_zone() -> None:
    made = zone(zoned("Europe/Berlin\n", "TZ=Mars/Olympus\n"))
    assert (edit(made).after, commands(made)) == (b"UTC\n", [])
    assert "as the clock does already" in made.consequence


def test_a_plain_file_waits_aside() -> None:
    machine = zoned("Europe/Berlin\n", "TZ=Europe/Berlin\n", linked=False, localtime="TZif other")
    made = zone(machine)
    assert commands(made) == [
        "cp -a /etc/localtime /etc/localtime.mailcow-wizard",
        f"ln -sfn {ZONEINFO}/Europe/Berlin /etc/localtime",
    ]
    assert undos(made) == [
        "mv -f /etc/localtime.mailcow-wizard /etc/localtime",
        "rm -f /etc/localtime.mailcow-wizard",
    ]
    assert ids(zoned("Asia/Tokyo\n", linked=False, localtime="TZif other"), check="time.timezone") == []


def test_a_gap_stays_a_gap_when_taken_back() -> None:
    made = zone(zoned("Europe/Berlin\n", linked=False))
    assert commands(made) == [f"ln -sfn {ZONEINFO}/Europe/Berlin /etc/localtime"]
    assert undos(made) == ["rm -f /etc/localtime"]


def test_nobody_says_which_zone() -> None:
    assert ids(Machine(ZONES), check="time.timezone") == []
    unread = zoned("Europe/Berlin\n", "TZ=Asia/Tokyo\n", {READLINK: Ran(1, "", "")})
    assert ids(unread, check="time.timezone") == []
