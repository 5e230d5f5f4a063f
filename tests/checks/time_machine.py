"""Machines whose clock, time servers and services are made of a few lines of a test."""

from collections.abc import Mapping, Sequence

from mailcow_wizard.checks.time import CHECKS
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time import PROPERTIES
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply, Process, Ran, TimeAnswer
from mailcow_wizard.model import Judgement, Settings
from tests.fake_host import FakeHost
from tests.judged import look

NOW = 1_790_000_000.0
NONCE = b"question"
UNIX_TO_NTP = 2_208_988_800

Files = Mapping[str, str | bytes | HostError]
Commands = Mapping[str, Ran | str | HostError]


class Machine(FakeHost):
    """Also has time servers (`answers`), processes (`processes`, by name) and web servers (`pages`)."""

    def __init__(
        self,
        files: Files | None = None,
        commands: Commands | None = None,
        links: Mapping[str, str] | None = None,
        answers: Sequence[TimeAnswer] = (),
        processes: Sequence[str] | HostError = (),
        tools: Sequence[str] = (),
        pages: Mapping[str, HttpReply | HostError] | None = None,
    ) -> None:
        super().__init__({"/proc/1/comm": "init\n", **(files or {})}, commands, links, tools=tools, now=NOW)
        self.answers, self.processes = tuple(answers), processes
        self.pages = pages or {}
        self.fetched: list[str] = []
        self.servers: tuple[str, ...] = ()
        self.timeout = 0.0
        self.cgroup = "/system.slice/chrony.service"

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        self.servers, self.timeout = servers, timeout
        return self.answers

    def fetch(
        self, name: str, path: str, family: int = 0, timeout: float = 4.0,
        tls: bool = False, proxy: str = "", address: str = "",
    ) -> HttpReply:  # fmt: skip
        self.fetched.append(name)
        page = self.pages.get(name, HostError(f"{name} has no address that could be looked up"))
        if isinstance(page, HostError):
            raise page
        return page

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        raise HostError("no name server is there")

    def source_address(self, destination: str) -> str:
        raise HostError("no route")

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        if isinstance(self.processes, HostError):
            raise self.processes
        found = [name for name in self.processes if name in names]
        return tuple(Process(100 + n, name, "root", (name,), "", self.cgroup) for n, name in enumerate(found))


def judge(check_id: str, machine: Machine, settings: Settings | None = None) -> Judgement:
    check = next(check for check in CHECKS if check.id == check_id)
    return look(check, Facts(machine, settings))


def stamp(seconds: float) -> bytes:
    whole = int(seconds // 1)
    fraction = int((seconds - whole) * (1 << 32))
    return ((whole + UNIX_TO_NTP) & 0xFFFFFFFF).to_bytes(4, "big") + fraction.to_bytes(4, "big")


def answer(
    name: str = "ntp.example",
    ahead: float = 0.0,
    delay: float = 0.04,
    first: int = 0x24,
    stratum: int = 2,
    code: bytes = b"\xc0\x00\x02\x01",
    root_delay: float = 0.01,
    dispersion: float = 0.01,
    origin: bytes = NONCE,
    transmit: bytes | None = None,
    receive: bytes | None = None,
    address: str = "192.0.2.1",
    reference: float = 10.0,
    now: float = NOW,
) -> TimeAnswer:
    """What a server says to a machine whose clock is `ahead` seconds ahead of it."""
    server_time = now + delay / 2 - ahead
    packet = (
        bytes((first, stratum, 6, 0xE9))
        + int(root_delay * 65536).to_bytes(4, "big")
        + int(dispersion * 65536).to_bytes(4, "big")
        + code
        + stamp(server_time - reference)
        + origin
        + (stamp(server_time) if receive is None else receive)
        + (stamp(server_time) if transmit is None else transmit)
    )
    sent = round(now * 1e9)
    return TimeAnswer(name, address, sent, sent + round(delay * 1e9), NONCE, packet, "")


def several(*aheads: float) -> tuple[TimeAnswer, ...]:
    return tuple(
        answer(f"{n}.example", ahead, address=f"192.0.2.{n}", reference=n)
        for n, ahead in enumerate(aheads, 1)
    )


def no_answer(error: str, name: str = "ntp.example", address: str = "192.0.2.9") -> TimeAnswer:
    return TimeAnswer(name, address, 1, 0, NONCE, b"", error)


UNITS = "chrony chronyd ntpsec ntp ntpd openntpd ntpd-rs systemd-timesyncd"
SHOW = f"systemctl show -p {PROPERTIES} " + " ".join(f"{unit}.service" for unit in UNITS.split())
TRACKING = "chronyc -n -c tracking"
SYSTEMD: Files = {"/run/systemd/system/": "", "/proc/uptime": "1000.00 2000.00\n"}
GOOD_LINE = (
    "C0A80001,192.168.0.1,3,1790000000.1,0.000001,0.000002,0.00001,1.0,0.0,0.1,0.01,0.001,64.2,Normal\n"
)
LOST_LINE = "00000000,,0,0.000000000,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n"
OLD_LINE = GOOD_LINE.replace("1790000000.1", "1789967600.0")
OWN_LINE = "7F7F0101,,10,1790000000.1,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Normal\n"


def units(**states: str) -> str:
    """systemctl's answer; a state is `active`, `inactive`, `failed`, with the word for the start after it."""
    blocks = []
    for unit in UNITS.split():
        state, _, startup = states.get(unit.replace("-", "_"), "").partition(" ")
        load = "loaded" if state else "not-found"
        since = 400_000_000 if state == "active" else 0
        blocks.append(
            f"Id={unit}.service\nLoadState={load}\nActiveState={state or 'inactive'}\n"
            f"UnitFileState={startup}\nActiveEnterTimestampMonotonic={since}\n"
        )
    return "\n".join(blocks)


def timedatectl(**said: str) -> str:
    return "".join(f"{key}={value}\n" for key, value in {"Timezone": "UTC", **said}.items())
