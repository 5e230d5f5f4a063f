"""The clock: how far off it is, what keeps it right, its timezone, the hardware clock."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time_answers import ClockOffset, compare
from mailcow_wizard.facts.time_servers import configured_servers
from mailcow_wizard.host.door import Denied, Host, HostError, Missing
from mailcow_wizard.typed import NamedTuple

ASK_TIMEOUT_S = 3.0
COMMAND_TIMEOUT_S = 2.5


def offset(facts: Facts) -> ClockOffset:
    """Asks the machine's own time servers and the pool's at once, or only those of the settings."""
    names = facts.settings.ntp or (*facts.get(configured_servers), *need.NTP_POOL)
    timeout = min(ASK_TIMEOUT_S, 0.8 * (facts.settings.timeout or ASK_TIMEOUT_S * 2))
    return compare(facts.host.ask_time(tuple(dict.fromkeys(names)), timeout))


# --- what keeps the clock right ---------------------------------------------------------------------------

# Best first: where several run, the first stays.
UNITS = ("chrony", "chronyd", "ntpsec", "ntp", "ntpd", "openntpd", "systemd-timesyncd")
_PROCESSES = ("chronyd", "ntpd", "openntpd", "systemd-timesyn")
_CONTAINERS = ("docker", "libpod", "kubepods", "/lxc")  # in the path of a control group
_PROPERTIES = "Id,LoadState,ActiveState,UnitFileState,ActiveEnterTimestampMonotonic"
_INSTALLERS = ("apt-get", "dnf", "yum", "zypper", "pacman", "apk")
_LAST_SYNC = "/run/systemd/timesync/synchronized"
_TRACKING = ("chronyc", "-n", "-c", "tracking")
_OWN_CLOCK = "7F7F0101"  # 127.127.1.1: chronyd's `local` directive


class Service(NamedTuple):
    """A synchronisation service: systemd's words for its state (`active`, `failed` …) and its start at boot
    (`enabled`, `masked` …), and for how many seconds it has run."""

    name: str
    state: str
    startup: str
    seconds: float | None

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
    manager's command; `unread` what could not be asked and why."""

    services: tuple[Service, ...]
    word: Word
    systemd: bool
    installer: str
    unread: tuple[str, ...]


def synchronisation(facts: Facts) -> Synchronisation:
    """Asks systemd, or where that does not run the list of processes, then the service itself."""
    host = facts.host
    unread: list[str] = []
    systemd = booted_with_systemd(host)
    services = _services(host, systemd, unread)
    running = tuple(service.name for service in services if service.running)
    word = _word_of_the_service(facts, running, systemd, unread)
    installer = next((one for one in _INSTALLERS if _there(host, one)), "")
    return Synchronisation(services, word, systemd, installer, tuple(unread))


def _services(host: Host, systemd: bool, unread: list[str]) -> tuple[Service, ...]:
    """systemd's units; where none runs the processes too, for a daemon started by other means."""
    services: tuple[Service, ...] = ()
    if systemd:
        try:
            services = _units(host)
        except HostError as error:
            unread.append(f"systemctl: {error}")
    if not any(service.running for service in services):
        known = {service.name for service in services}
        try:
            services += tuple(one for one in _processes(host) if one.name not in known)
        except HostError as error:
            unread.append(f"processes: {error}")
    return services


def _word_of_the_service(facts: Facts, running: tuple[str, ...], systemd: bool, unread: list[str]) -> Word:
    """Whether the clock is synchronised: chronyd knows best, then the kernel by timedatectl."""
    told: list[tuple[str, str]] = []
    if any(name.startswith("chrony") for name in running):
        try:
            line = _output(facts.host, _TRACKING)
            told.append((" ".join(_TRACKING), line))
            synchronised, reason = read_tracking(line)
            if synchronised is not None:
                return Word(synchronised, tuple(told), False, reason)
        except HostError as error:
            unread.append(f"chronyc: {error}")
    if systemd and running:
        try:
            answer = facts.get(timedatectl)
            told.append(("timedatectl show", _said(answer, ("NTP", "NTPSynchronized"))))
            if answer.get("NTPSynchronized") in ("yes", "no"):
                return Word(answer["NTPSynchronized"] == "yes", tuple(told), False, "")
        except HostError as error:
            unread.append(f"timedatectl: {error}")
    if "systemd-timesyncd" in running and facts.host.exists(_LAST_SYNC):
        told.append((f"ls -l {_LAST_SYNC}", "there: systemd-timesyncd has been synchronised since the start"))
        return Word(True, tuple(told), True, "")
    return Word(None, tuple(told), False, "")


def booted_with_systemd(host: Host) -> bool:
    """Whether systemd is the first process, as sd_booted(3) finds out."""
    return host.exists("/run/systemd/system")


def timedatectl(facts: Facts) -> dict[str, str]:
    """What `timedatectl show` says; raises HostError where it cannot."""
    if not booted_with_systemd(facts.host):
        raise Missing("systemd does not run here")
    return dict(
        line.partition("=")[::2] for line in _output(facts.host, ("timedatectl", "show")).splitlines()
    )


def read_tracking(line: str) -> tuple[bool | None, str]:
    """Whether chronyd is synchronised, from the one line of `chronyc -c tracking`, and the reason if not."""
    fields = line.strip().split(",")
    if len(fields) < 14:
        return None, ""
    if fields[0] == _OWN_CLOCK:
        return False, "it follows this machine's own clock (`local` in chrony.conf), no time server"
    if fields[13] == "Not synchronised" or fields[2] == "0":
        return False, "it has not agreed with a time server yet"
    return True, ""


def _units(host: Host) -> tuple[Service, ...]:
    uptime = _uptime(host)
    command = ("systemctl", "show", "-p", _PROPERTIES, *(f"{unit}.service" for unit in UNITS))
    found: dict[str, Service] = {}
    for block in _output(host, command).split("\n\n"):
        unit = dict(line.partition("=")[::2] for line in block.splitlines())
        name = unit.get("Id", "").removesuffix(".service")
        if name not in UNITS or unit.get("LoadState") in ("not-found", None):
            continue
        since = unit.get("ActiveEnterTimestampMonotonic", "")
        seconds = uptime - int(since) / 1e6 if since.isdigit() and int(since) and uptime else None
        state, startup = unit.get("ActiveState", ""), unit.get("UnitFileState", "")
        found[name] = Service(name, state, startup, seconds)  # aliases share an Id
    return tuple(sorted(found.values(), key=lambda service: UNITS.index(service.name)))


def _processes(host: Host) -> tuple[Service, ...]:
    """Daemons that run outside containers: one inside keeps no clock but its own."""
    processes = [one for one in host.running(_PROCESSES) if not any(c in one.cgroup for c in _CONTAINERS)]
    names = dict.fromkeys(process.name for process in processes)
    whole = {"systemd-timesyn": "systemd-timesyncd"}
    return tuple(Service(whole.get(name, name), "active", "", None) for name in names)


def _output(host: Host, command: tuple[str, ...]) -> str:
    """A command's output; raises HostError with its complaint where it fails."""
    ran = host.run(command, COMMAND_TIMEOUT_S)
    if ran.code != 0:
        raise HostError((ran.err or ran.out).strip() or f"exit {ran.code}")
    return ran.out


def _said(answer: dict[str, str], keys: tuple[str, ...]) -> str:
    return " ".join(f"{key}={answer[key]}" for key in keys if key in answer) or "nothing about NTP"


def _there(host: Host, command: str) -> bool:
    try:
        return bool(host.which(command))
    except HostError:
        return False


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
        seconds = int(host.text(f"{_RTC}/{device}/since_epoch", 64))
    except ValueError:
        return HardwareClock(device, local, told, None, "it tells no number of seconds")
    except HostError as error:
        return HardwareClock(device, local, told, None, str(error))
    return HardwareClock(device, local, told, seconds - host.now(), "")


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
    if len(lines) > 2:
        return lines[2].strip() == "LOCAL", (f"sed -n 3p {_ADJTIME}", lines[2])
    return False, (f"sed -n 3p {_ADJTIME}", "nothing, so UTC is meant")
