"""The clock: how far off it is, what keeps it right, its timezone, the hardware clock."""

import shlex

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.containers import is_contained
from mailcow_wizard.facts.presence import has_command, is_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time_answers import NAMELESS, ClockOffset, compare, voters
from mailcow_wizard.facts.time_servers import configured_servers
from mailcow_wizard.facts.time_tracking import NOT_YET, read_tracking, read_variables, too_old
from mailcow_wizard.facts.time_web import web_clocks
from mailcow_wizard.facts.units import is_running
from mailcow_wizard.facts.virtualization import virtualization
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import NamedTuple

ASK_TIMEOUT_S = 3.0
COMMAND_TIMEOUT_S = 2.5


def offset(facts: Facts) -> ClockOffset:
    """Asks the machine's own time servers and the pool's at once, or only those of the settings; web servers
    where none of them helps."""
    names = facts.settings.ntp or (*facts.get(configured_servers), *need.NTP_POOL)
    timeout = min(ASK_TIMEOUT_S, 0.8 * (facts.settings.timeout or ASK_TIMEOUT_S * 2))
    clock = compare(facts.host.ask_time(tuple(dict.fromkeys(names)), timeout))
    if voters(clock.servers):
        return clock
    nameless = tuple(one.name for one in clock.servers if one.rejected.startswith(NAMELESS))
    if nameless:
        clock = _by_address(facts, clock, nameless, timeout)
    return clock if voters(clock.servers) else clock._replace(web=web_clocks(facts, bool(nameless)))


def _by_address(facts: Facts, clock: ClockOffset, names: tuple[str, ...], timeout: float) -> ClockOffset:
    """The same with what the servers of these names say, which this machine's own resolver does not find: by
    a wrong clock it may be that it finds nothing (DNSSEC)."""
    from mailcow_wizard.facts.network.names import families, look_up

    try:
        looked = look_up(facts, names, facts.get(families) or (4,))
        owner = {at: name for name, one in looked.items() for at in (*one.v4[:2], *one.v6[:2])}
        answers = facts.host.ask_time(tuple(owner), timeout / 2) if owner else ()
    except HostError:
        return clock
    found = compare(one._replace(server=owner.get(one.server, one.server)) for one in answers)
    others = tuple(one for one in clock.servers if one.name not in owner.values())
    return found._replace(servers=(*found.servers, *others), nameless=True) if found.servers else clock


# --- what keeps the clock right ---------------------------------------------------------------------------

# Best first: where several run, the first stays.
UNITS = ("chrony", "chronyd", "ntpsec", "ntp", "ntpd", "openntpd", "ntpd-rs", "systemd-timesyncd")
# The daemons' processes, and the units that run them.
_PROCESSES = {
    "chronyd": ("chrony", "chronyd"),
    "ntpd": ("ntpsec", "ntp", "ntpd", "openntpd"),
    "openntpd": ("openntpd",),
    "ntp-daemon": ("ntpd-rs",),
    "systemd-timesyn": ("systemd-timesyncd",),
}
PROPERTIES = "Id,LoadState,ActiveState,UnitFileState,ActiveEnterTimestampMonotonic,WantedBy,RequiredBy"
_INSTALLERS = ("apt-get", "dnf", "yum", "zypper", "pacman", "apk")
_TIMESYNCD_RUN = "/run/systemd/timesync"
_LAST_SYNC = f"{_TIMESYNCD_RUN}/synchronized"
_TRACKING = ("chronyc", "-n", "-c", "tracking")
_VARIABLES = ("ntpq", "-n", "-c", "rv 0 leap,stratum,refid,reftime,tc,rootdisp,offset")
_FIRST_PROCESS = "/proc/1/comm"


class Service(NamedTuple):
    """A synchronisation service: systemd's words for its state (`active`, `failed` …) and its start at boot
    (`enabled`, `masked` …), and for how many seconds it has run. `wanted`: another unit starts it; `process`
    is its number where it runs outside its unit, `unit` the one that it runs in then."""

    name: str
    state: str
    startup: str
    seconds: float | None
    wanted: bool = False
    process: int = 0
    unit: str = ""

    @property
    def running(self) -> bool:
        """It runs, or is about to."""
        return self.state in ("active", "activating", "reloading")


class Word(NamedTuple):
    """Whether the clock is synchronised (None: nobody could say), who said so and in which words, whether
    that is inferred, and the reason if it is not."""

    synchronised: bool | None
    told: tuple[tuple[str, str], ...]
    inferred: bool
    reason: str


class Synchronisation(NamedTuple):
    """The services there are, and what is said of the clock. `systemd`: it runs; `installer` is the package
    manager's command; `unread` what could not be asked and why. `borrowed`: none of them runs, and this is a
    container, of that kind, whose clock its host alone can set."""

    services: tuple[Service, ...]
    word: Word
    systemd: bool
    installer: str
    unread: tuple[str, ...]
    borrowed: str = ""


def synchronisation(facts: Facts) -> Synchronisation:
    """Asks systemd, or where that does not run the list of processes, then the service itself."""
    host = facts.host
    unread: list[str] = []
    systemd = is_running(facts)
    services = _services(host, systemd, unread)
    running = tuple(service.name for service in services if service.running)
    word = _word_of_the_service(facts, running, systemd, unread)
    installer = next((one for one in _INSTALLERS if has_command(host, one)), "")
    borrowed = "" if running else _borrowed(facts)
    return Synchronisation(services, word, systemd, installer, tuple(unread), borrowed)


def _borrowed(facts: Facts) -> str:
    """The kind of container, where the clock is its host's: LXC takes sys_time from those inside
    (lxc.container.conf, common.conf), OpenVZ likewise, and systemd-timesyncd does not start there."""
    kinds = (sign.name for sign in facts.get(virtualization).containers)
    return next((need.REFUSED_VIRTUALIZATION[one] for one in kinds if one in need.REFUSED_VIRTUALIZATION), "")


def _services(host: Host, systemd: bool, unread: list[str]) -> tuple[Service, ...]:
    """systemd's units, and the processes of daemons that were started by other means."""
    services: tuple[Service, ...] = ()
    if systemd:
        try:
            services = _units(host)
        except HostError as error:
            unread.append(f"systemctl: {error}")
    running = tuple(service.name for service in services if service.running)
    try:
        found = _processes(host, running)
        if not running and not found:
            host.text(_FIRST_PROCESS)  # where not even this one is to be seen, others may be hidden too
        services += found
    except HostError as error:
        if not running:
            unread.append(f"processes: {error}")
    return services


def _word_of_the_service(facts: Facts, running: tuple[str, ...], systemd: bool, unread: list[str]) -> Word:
    """Whether the clock is synchronised: chronyd and ntpd know best, then the kernel by timedatectl."""
    told: list[tuple[str, str]] = []
    asked = _asked_itself(facts.host, running, told, unread)
    if asked:
        return asked
    if systemd:
        try:
            answer = facts.get(timedatectl)
            told.append(("timedatectl show", _said(answer, ("NTP", "NTPSynchronized"))))
            doubt = _doubt_of_timesyncd(facts.host, told) if running == ("systemd-timesyncd",) else ""
            if answer.get("NTPSynchronized") in ("yes", "no"):
                yes = answer["NTPSynchronized"] == "yes"
                return Word(yes and not doubt, tuple(told), not running, doubt if yes else "")
        except HostError as error:
            if running:
                unread.append(f"timedatectl: {error}")
    if "systemd-timesyncd" in running and facts.host.exists(_LAST_SYNC):
        told.append(
            (f"ls -l {_LAST_SYNC}", _("there: systemd-timesyncd has been synchronised since the start"))
        )
        return Word(True, tuple(told), True, "")
    return Word(None, tuple(told), False, "")


def _asked_itself(
    host: Host, running: tuple[str, ...], told: list[tuple[str, str]], unread: list[str]
) -> Word | None:
    """The daemon's own word; None where it has none, or none that makes sense."""
    for names, command, read in (
        (("chrony", "chronyd"), _TRACKING, read_tracking),
        (("ntpsec", "ntp", "ntpd"), _VARIABLES, read_variables),
    ):
        if not set(names).intersection(running):
            continue
        try:
            said = _output(host, command)
        except Missing as error:
            if command is _TRACKING:  # BusyBox has an ntpd too, and no ntpq
                unread.append(f"{command[0]}: {error}")
            continue
        except HostError as error:
            unread.append(f"{command[0]}: {error}")
            continue
        synchronised, reason = read(said, host.now())
        told.append((shlex.join(command), " ".join(said.split())))
        if synchronised is not None:
            return Word(synchronised, tuple(told), False, reason)
    return None


def _doubt_of_timesyncd(host: Host, told: list[tuple[str, str]]) -> str:
    """Why the kernel's word is not that of systemd-timesyncd: for nine hours it repeats what a service before
    it has found. Empty where nothing says so."""
    try:
        if not is_there(host, _TIMESYNCD_RUN):  # versions before 239 have none
            return ""
        if is_there(host, _LAST_SYNC):
            return too_old(abs(host.now() - host.info(_LAST_SYNC).mtime))
    except HostError:
        return ""
    told.append((f"ls -l {_LAST_SYNC}", _("not there")))
    return NOT_YET


def timedatectl(facts: Facts) -> dict[str, str]:
    """What `timedatectl show` says; raises HostError where it cannot."""
    if not is_running(facts):
        raise Missing(_("systemd does not run here"))
    return dict(
        line.partition("=")[::2] for line in _output(facts.host, ("timedatectl", "show")).splitlines()
    )


def _units(host: Host) -> tuple[Service, ...]:
    uptime = _uptime(host)
    command = ("systemctl", "show", "-p", PROPERTIES, *(f"{unit}.service" for unit in UNITS))
    found: dict[str, Service] = {}
    for block in _output(host, command).split("\n\n"):
        unit = dict(line.partition("=")[::2] for line in block.splitlines())
        name = unit.get("Id", "").removesuffix(".service")
        if name not in UNITS or unit.get("LoadState") in ("not-found", None):
            continue
        since = unit.get("ActiveEnterTimestampMonotonic", "")
        seconds = uptime - whole(since) / 1e6 if whole(since) and uptime else None
        state, startup = unit.get("ActiveState", ""), unit.get("UnitFileState", "")
        wanted = bool(unit.get("WantedBy") or unit.get("RequiredBy"))
        found[name] = Service(name, state, startup, seconds, wanted)  # aliases share an Id
    return tuple(sorted(found.values(), key=lambda service: UNITS.index(service.name)))


def _processes(host: Host, running: tuple[str, ...]) -> tuple[Service, ...]:
    """Daemons that run outside containers (one inside keeps no clock but its own) and outside the units that
    are known to run."""
    found: dict[str, Service] = {}
    for one in host.running(tuple(_PROCESSES)):
        if is_contained(one):
            continue
        units = {part.removesuffix(".service") for part in one.cgroup.split("/") if part.endswith(".service")}
        its_own = set(_PROCESSES[one.name]).intersection(running)
        if units.intersection(running) or (its_own and one.cgroup in ("", "/")):
            continue
        name = {"systemd-timesyn": "systemd-timesyncd", "ntp-daemon": "ntpd-rs"}.get(one.name, one.name)
        found.setdefault(name, Service(name, "active", "", None, False, one.pid, min(units, default="")))
    return tuple(found.values())


def _output(host: Host, command: tuple[str, ...]) -> str:
    """A command's output; raises HostError with its complaint where it fails."""
    ran = host.run(command, COMMAND_TIMEOUT_S)
    if ran.code != 0:
        raise HostError((ran.err or ran.out).strip() or _("exit {code}", code=ran.code))
    return ran.out


def _said(answer: dict[str, str], keys: tuple[str, ...]) -> str:
    return " ".join(f"{key}={answer[key]}" for key in keys if key in answer) or _("nothing about NTP")


def _uptime(host: Host) -> float:
    """Seconds since the start of the machine; 0 where it does not tell."""
    try:
        return float(host.text("/proc/uptime").split()[0])
    except (HostError, ValueError, IndexError):
        return 0.0


# --- the hardware clock -----------------------------------------------------------------------------------

_ADJTIME = "/etc/adjtime"
_RTC = "/sys/class/rtc"


class HardwareClock(NamedTuple):
    """The clock that runs while the machine is off.

    `local`: it is kept in local time; `told` is where that was looked up and what it said. `ahead` is by how
    many seconds it is ahead of the system's clock; None where it could not be read (`trouble` says why) or
    is not there.
    """

    device: str
    local: bool
    told: tuple[str, str]
    ahead: float | None
    trouble: str


def hardware_clock(facts: Facts) -> HardwareClock:
    """Reads the first real-time clock, and in which time it is kept."""
    host = facts.host
    local, told = _kept_in_local_time(facts)
    try:
        device = next((name for name in host.names(_RTC) if name.startswith("rtc")), "")
    except Missing:
        device = ""
    if not device:
        return HardwareClock("", local, told, None, "")
    try:
        said = host.text(f"{_RTC}/{device}/since_epoch", 64).strip()
    except HostError as error:
        return HardwareClock(device, local, told, None, str(error))
    if not is_number(said.removeprefix("-")):  # before 1970 it is negative
        return HardwareClock(device, local, told, None, _("it tells no number of seconds"))
    return HardwareClock(device, local, told, int(said) - host.now(), "")


def _kept_in_local_time(facts: Facts) -> tuple[bool, tuple[str, str]]:
    """Whether the clock holds local time: the third line of /etc/adjtime. systemd reads the same line, so it
    is asked only where this user may not."""
    try:
        lines = facts.host.text(_ADJTIME).splitlines()
    except Missing:
        lines = []
    except Denied:
        said = facts.get(timedatectl).get("LocalRTC", "")
        return said == "yes", ("timedatectl show -p LocalRTC", said)
    if lines and not _numbers(lines[0]):
        raise HostError(_("{adjtime} does not begin with the numbers that belong there", adjtime=_ADJTIME))
    if len(lines) > 2 and lines[2].strip():
        word = lines[2].strip().upper()
        if word not in ("UTC", "LOCAL"):
            raise HostError(_("the third line of {adjtime} is neither UTC nor LOCAL", adjtime=_ADJTIME))
        return word == "LOCAL", (f"sed -n 3p {_ADJTIME}", lines[2])
    return False, (f"sed -n 3p {_ADJTIME}", _("nothing, so UTC is meant"))


def _numbers(line: str) -> bool:
    """Whether a line is numbers and nothing else."""
    try:
        return all(float(word) < float("inf") for word in line.split())
    except ValueError:
        return False
