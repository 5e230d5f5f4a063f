"""Every branch of the time checks, on machines made of a few lines."""

from collections.abc import Mapping, Sequence

import pytest

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.time import CHECKS, judge_offset
from mailcow_wizard.engine.runner import look
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time import PROPERTIES, read_tracking
from mailcow_wizard.facts.time_answers import (
    ClockOffset,
    compare,
    largest_group,
    median,
    nanoseconds,
    read_answer,
    voters,
)
from mailcow_wizard.facts.time_servers import configured_servers
from mailcow_wizard.host.door import Denied, HostError, NoAnswer, Process, Ran, TimeAnswer
from mailcow_wizard.model import Judgement, Settings
from tests.fake_host import FakeHost

NOW = 1_790_000_000.0
NONCE = b"question"
UNIX_TO_NTP = 2_208_988_800

Files = Mapping[str, str | bytes | HostError]
Commands = Mapping[str, Ran | str | HostError]


class Machine(FakeHost):
    """Also has time servers (`answers`) and processes (`processes`, by name)."""

    def __init__(
        self,
        files: Files | None = None,
        commands: Commands | None = None,
        links: Mapping[str, str] | None = None,
        answers: Sequence[TimeAnswer] = (),
        processes: Sequence[str] | HostError = (),
        tools: Sequence[str] = (),
    ) -> None:
        super().__init__({"/proc/1/comm": "init\n", **(files or {})}, commands, links, tools=tools, now=NOW)
        self.answers, self.processes = tuple(answers), processes
        self.servers: tuple[str, ...] = ()
        self.timeout = 0.0
        self.cgroup = "/system.slice/chrony.service"

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        self.servers, self.timeout = servers, timeout
        return self.answers

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        if isinstance(self.processes, HostError):
            raise self.processes
        found = [name for name in self.processes if name in names]
        return tuple(Process(100 + n, name, "root", (name,), "", self.cgroup) for n, name in enumerate(found))


def judge(check_id: str, machine: Machine, settings: Settings | None = None) -> Judgement:
    check = next(check for check in CHECKS if check.id == check_id)
    return look(check, Facts(machine, settings))


def test_ids_and_order() -> None:
    assert [check.id for check in CHECKS] == ["time.offset", "time.service", "time.timezone", "time.rtc"]
    assert [check.network for check in CHECKS] == [True, False, False, False]
    for check in CHECKS:
        assert check.needed
        assert check.why
        assert check.doc.startswith("https://")


# --- offset: packets --------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("ahead", [0.0, 0.5, -0.5, 93.0, -93.0, 86400.0 * 365, -86400.0 * 365])
def test_ahead_and_delay(ahead: float) -> None:
    server = read_answer(answer(ahead=ahead, delay=0.2))
    assert server.rejected == ""
    assert server.ahead == pytest.approx(ahead, abs=1e-5)
    assert server.error == pytest.approx(0.115, abs=0.001)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (answer()._replace(packet=b"x" * 47), "truncated: 47 bytes instead of 48"),
        (answer()._replace(packet=b""), "truncated: 0 bytes instead of 48"),
        (answer(origin=b"somebody"), "wrong origin timestamp"),
        (answer(origin=bytes(8)), "wrong origin timestamp"),
        (answer(first=0x23), "not a server's answer (mode 3 instead of 4)"),
        (answer(first=0x26), "not a server's answer (mode 6 instead of 4)"),
        (answer(stratum=0, code=b"RATE"), "kiss-of-death RATE: it is asked too often"),
        (answer(stratum=0, code=b"DENY", first=0xE4), "kiss-of-death DENY: it refuses this machine"),
        (answer(stratum=0, code=b"RSTR"), "kiss-of-death RSTR: it refuses this machine"),
        (answer(stratum=0, code=b"XYZ\0"), "kiss-of-death XYZ"),
        (answer(stratum=0, code=b"INIT", first=0xE4), "not synchronised itself (kiss-of-death INIT"),
        (answer(stratum=0, code=b"STEP", first=0xE4), "not synchronised itself (kiss-of-death STEP"),
        (answer(stratum=0, code=bytes(4), first=0xE4), "not synchronised itself (it says so: leap bits 3)"),
        (answer(stratum=0, code=bytes(4)), "not synchronised itself (stratum 0)"),
        (answer(stratum=0, code=b"\x1b[2J"), "not synchronised itself (stratum 0)"),
        (answer(first=0xE4), "not synchronised itself (it says so: leap bits 3)"),
        (answer(stratum=16), "not synchronised itself (stratum 16"),
        (answer(transmit=bytes(8)), "transmit timestamp is zero"),
        (answer(receive=bytes(8)), "receive timestamp is zero"),
        (answer(dispersion=3.1), "too far from a reference clock (root distance 3.1 s)"),
        (answer(root_delay=6.2), "too far from a reference clock (root distance 3.1 s)"),
        (answer(receive=stamp(NOW - 5)), "impossible times: it claims to have worked longer"),
        (answer(receive=stamp(NOW + 5)), "impossible times: it claims to have answered before"),
        (
            answer(receive=stamp(NOW + 1000), transmit=stamp(NOW - 1000)),
            "impossible times: it claims to have answered before",
        ),
        (answer(receive=b"\0\0\0\1\0\0\0\0"), "impossible times"),
        (answer(transmit=b"\0\0\0\1\0\0\0\0"), "impossible times"),
        (answer(receive=stamp(NOW + 0.02 + 0.011)), "impossible times"),
        (no_answer("refused"), "refused"),
    ],
)
def test_packets_that_do_not_count(one: TimeAnswer, reason: str) -> None:
    server = read_answer(one)
    assert server.rejected.startswith(reason)
    assert server.answered == (not one.error)


@pytest.mark.parametrize("apart", [-0.049, -0.02, 0.0, 0.009])
def test_stamps_a_little_apart_are_possible(apart: float) -> None:
    assert read_answer(answer(receive=stamp(NOW + 0.02 + apart))).rejected == ""


@pytest.mark.parametrize("first", [0x24, 0x64, 0xA4, 0x1C])
def test_leap_seconds_announced_and_version_3_count(first: int) -> None:
    assert read_answer(answer(first=first)).rejected == ""


@pytest.mark.parametrize("stratum", [1, 15])
def test_strata_that_count(stratum: int) -> None:
    assert read_answer(answer(stratum=stratum)).stratum == stratum


def test_the_seconds_of_ntp_wrap_in_2036() -> None:
    wrap = (1 << 32) - UNIX_TO_NTP
    assert nanoseconds(bytes(8)) == wrap * 10**9
    assert nanoseconds(b"\xff" * 4 + b"\x80\0\0\0") == (wrap - 1) * 10**9 + 500_000_000
    for now in (wrap - 0.01, wrap + 0.0, wrap + 12345.0):
        server = read_answer(answer(now=now, delay=0.04, ahead=93.0))
        assert server.ahead == pytest.approx(93.0, abs=1e-5)
    machine_at_1970 = read_answer(answer(now=100.0, ahead=100.0 - wrap - 5.0))
    assert machine_at_1970.ahead == pytest.approx(100.0 - wrap - 5.0, abs=1e-4)


# --- offset: who agrees -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aheads", "agreeing", "ahead"),
    [
        ((), 0, 0.0),
        ((0.003,), 1, 0.003),
        ((0.0, 0.004), 2, 0.002),
        ((0.0, 0.004, 0.02), 3, 0.004),
        ((0.0, 0.001, 93.0), 2, 0.0005),
        ((-1e9, 0.0, 0.001), 2, 0.0005),
        ((93.0, 93.001, 0.0), 2, 93.0005),
        ((0.0, 0.09, 0.18, 0.27), 4, 0.135),
        ((0.0, 10.0, 20.0, 20.01), 2, 20.005),
    ],
)
def test_the_median_of_the_largest_group(aheads: tuple[float, ...], agreeing: int, ahead: float) -> None:
    clock = compare(several(*aheads))
    assert len(clock.agreeing) == agreeing
    assert not clock.tied
    assert clock.ahead == pytest.approx(ahead, abs=1e-4)


@pytest.mark.parametrize("aheads", [(0.0, 93.0), (0.0, 0.001, 93.0, 93.001), (0.0, 5.0, 10.0)])
def test_equally_many_on_each_side(aheads: tuple[float, ...]) -> None:
    clock = compare(several(*aheads))
    assert clock.tied
    assert clock.agreeing == ()
    judgement = judge_offset(clock)
    assert judgement.status == "unknown"
    assert "disagree" in judgement.summary


def test_a_liar_that_claims_to_know_nothing_for_sure_cannot_join_everybody() -> None:
    liar = answer("liar.example", 2.0, dispersion=2.9, address="192.0.2.99")
    clock = compare((liar, *several(0.0, 0.001)))
    assert len(clock.agreeing) == 2
    assert abs(clock.ahead) < 0.01


def test_one_daemon_over_both_families_has_one_voice() -> None:
    both = [answer("dual.example", 93.0, address=address) for address in ("192.0.2.50", "2001:db8::50")]
    clock = compare((*both, *several(0.0, 0.001)))
    assert not clock.tied
    assert abs(clock.ahead) < 0.01
    assert len(voters(clock.servers)) == 3


def test_another_name_with_the_same_identity_keeps_its_voice() -> None:
    servers = [read_answer(answer(name)) for name in ("a.example", "b.example")]
    assert len(voters(servers)) == 2


def test_nobody() -> None:
    assert largest_group(()) == ((), False)
    assert median(()) == 0.0
    assert median((3.0, 1.0, 2.0)) == 2.0


# --- offset: the judgement --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aheads", "status", "certainty", "summary"),
    [
        ((0.003, 0.003, 0.0031), "pass", "proved", "the clock is within 3 ms of 3 time servers"),
        ((0.0,), "pass", "inferred", "the clock is within 1 ms of one time server, 1.example"),
        ((0.99, 0.99), "pass", "proved", "the clock is within 990 ms of 2 time servers"),
        ((1.5, 1.5), "warn", "proved", "the clock is 1.5 s ahead of 2 time servers"),
        ((-1.05, -1.05), "warn", "proved", "the clock is 1.05 s behind 2 time servers"),
        ((30.04, 30.04), "fail", "proved", "the clock is 30.04 s ahead of 2 time servers"),
        ((-1.5, -1.5), "warn", "proved", "the clock is 1.5 s behind 2 time servers"),
        ((29.9, 29.9), "warn", "proved", "the clock is 29.9 s ahead of 2 time servers"),
        ((93.0,) * 4, "fail", "proved", "the clock is 93.0 s ahead of 4 time servers"),
        ((-93.0,) * 4, "fail", "proved", "the clock is 93.0 s behind 4 time servers"),
        ((3600.0,) * 2, "fail", "proved", "the clock is 60.0 minutes ahead of 2 time servers"),
        ((-7300.0,) * 2, "fail", "proved", "the clock is 2.0 hours behind 2 time servers"),
        ((864_000.0,), "fail", "inferred", "the clock is 10.0 days ahead of one time server, 1.example"),
        (
            (0.0, 0.0, 93.0),
            "pass",
            "proved",
            "the clock is within 1 ms of 2 time servers; 1 other says something else",
        ),
        (
            (0.0, 0.0, 93.0, -5.0, 1e6),
            "pass",
            "inferred",
            "the clock is within 1 ms of 2 time servers; 3 others say something else",
        ),
    ],
)
def test_offset(aheads: tuple[float, ...], status: str, certainty: str, summary: str) -> None:
    judgement = judge("time.offset", Machine(answers=several(*aheads)))
    assert (judgement.status, judgement.certainty, judgement.summary) == (status, certainty, summary)
    assert len(judgement.evidence) == len(aheads)
    assert bool(judgement.remedies) == (status in ("warn", "fail"))


@pytest.mark.parametrize(
    ("ahead", "delay", "status"),
    [
        (1.05, 2.2, "unknown"),
        (-1.05, 2.2, "unknown"),
        (3.0, 2.2, "warn"),
        (1.05, 0.04, "warn"),
        (0.1, 2.2, "pass"),
    ],
)
def test_a_long_way_proves_little(ahead: float, delay: float, status: str) -> None:
    answers = [answer(f"{n}.example", ahead, delay, reference=n, address=f"192.0.2.{n}") for n in (1, 2)]
    assert judge("time.offset", Machine(answers=answers)).status == status


@pytest.mark.parametrize(
    ("errors", "summary", "remedy"),
    [
        (["refused"], "no time server answered: refused", "--ntp HOST"),
        (
            ["no answer within 3 s"] * 3 + ["name does not resolve"],
            "no time server answered: no answer within 3 s (3 servers), name does not resolve",
            "provider's firewall",
        ),
        (["name does not resolve"] * 4, "name does not resolve (4 servers)", "resolver"),
        (["blocked by this machine's firewall (EPERM)"], "firewall (EPERM)", "nft list ruleset"),
        (["no route"], "no route", "ip route"),
    ],
)
def test_offset_without_an_answer_is_unknown_and_says_why(
    errors: list[str], summary: str, remedy: str
) -> None:
    judgement = judge("time.offset", Machine(answers=[no_answer(error) for error in errors]))
    assert judgement.status == "unknown"
    assert judgement.certainty == "untested"
    assert summary in judgement.summary
    assert remedy in judgement.remedies[0]
    assert len(judgement.evidence) == len(errors)


def test_offset_when_no_answer_counts() -> None:
    rejected = [answer(stratum=0, code=b"RATE"), answer(first=0xE4), no_answer("refused")]
    judgement = judge("time.offset", Machine(answers=rejected))
    assert judgement.status == "unknown"
    assert judgement.summary.startswith("no time server gave an answer that counts: kiss-of-death RATE")


def test_offset_with_nobody_to_ask() -> None:
    assert judge_offset(ClockOffset((), (), False, 0.0)).summary == "no time server is known"


def test_offset_shows_each_server() -> None:
    answers = (
        *several(93.0, 93.0),
        no_answer("name does not resolve", "x.example", ""),
        no_answer("refused", "192.0.2.9"),
    )
    evidence = judge("time.offset", Machine(answers=answers)).evidence
    assert evidence[0].what == "ntpdate -q 192.0.2.1"
    assert (
        evidence[0].value == "1.example: this clock is 93.0 s ahead; 2 steps from a reference clock (stratum)"
    )
    assert (evidence[2].what, evidence[2].value) == ("getent ahosts x.example", "name does not resolve")
    assert (evidence[3].what, evidence[3].value) == ("ntpdate -q 192.0.2.9", "refused")


def test_offset_asks_the_machines_own_servers_first_then_the_pool() -> None:
    machine = Machine({"/etc/chrony/chrony.conf": "server ntp.lan iburst\n"}, answers=several(0.0))
    judge("time.offset", machine)
    assert machine.servers == ("ntp.lan", *need.NTP_POOL)
    judge("time.offset", machine, Settings(ntp=("192.0.2.7",)))
    assert list(machine.servers) == ["192.0.2.7"]
    assert machine.timeout == 3.0
    judge("time.offset", machine, Settings(timeout=1.0))
    assert machine.timeout < 1.0


# --- which servers the machine is told to ask -------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "servers"),
    [
        ({}, ()),
        (
            {
                "/etc/chrony/chrony.conf": "# server no.example\n! x\n% y\n; z\n"
                "pool 2.debian.pool.ntp.org iburst\n"
                "Server A.example\npeer 2001:db8::1\nserver\nrefclock SHM 0\nkeyfile /x\n"
                "confdir /etc/chrony/conf.d\nsourcedir /run/chrony-dhcp /etc/chrony/sources.d\n"
                "include /etc/chrony/more*.conf\n",
                "/etc/chrony/conf.d/a.conf": "server conf.example\n",
                "/etc/chrony/conf.d/a.off": "server off.example\n",
                "/etc/chrony/sources.d/b.sources": "server sources.example\n",
                "/etc/chrony/more1.conf": "server more.example\n",
            },
            (
                "2.debian.pool.ntp.org",
                "A.example",
                "2001:db8::1",
                "conf.example",
                "sources.example",
                "more.example",
            ),
        ),
        ({"/etc/chrony.conf": "include /etc/chrony.conf\nserver a.example\n"}, ("a.example",)),
        (
            {
                "/etc/ntpsec/ntp.conf": "pool 0.debian.pool.ntp.org iburst # first\nserver 127.127.1.0\n"
                'server -6 six.example\nincludefile ntp.d/x.conf\nincludefile "/etc/other"\nrestrict x\n',
                "/etc/ntpsec/ntp.d/x.conf": "server x.example\n",
                "/etc/other": "server other.example\n",
            },
            ("0.debian.pool.ntp.org", "six.example", "x.example", "other.example"),
        ),
        ({"/etc/ntp.conf": "server a.example\nserver a.example\n"}, ("a.example",)),
        ({"/etc/openntpd/ntpd.conf": "listen on *\nservers pool.example weight 5\n"}, ("pool.example",)),
        (
            {
                "/etc/systemd/timesyncd.conf": "[Time]\n#NTP=no.example\nNTP=a.example b.example\n"
                "FallbackNTP=f.example\n",
                "/usr/lib/systemd/timesyncd.conf.d/1.conf": "[Time]\nNTP=hidden.example\n",
                "/etc/systemd/timesyncd.conf.d/1.conf": "[Time]\nNTP=c.example\n",
            },
            ("a.example", "b.example", "c.example"),
        ),
        (
            {
                "/etc/systemd/timesyncd.conf": "[Time]\nNTP=a.example\n",
                "/run/systemd/timesyncd.conf.d/9.conf": "[Time]\nNTP=\nNTP=only.example\n",
            },
            ("only.example",),
        ),
        (
            {"/etc/systemd/timesyncd.conf": "[Time]\nFallbackNTP=f.example g.example\n"},
            ("f.example", "g.example"),
        ),
        (
            {"/run/systemd/netif/state": "OPER_STATE=routable\nNTP=192.0.2.5 ntp.lan\n"},
            ("192.0.2.5", "ntp.lan"),
        ),
        (
            {"/etc/conf.d/ntpd": '# -p no.example\nNTPD_OPTS="-N -p pool.ntp.org -p b.example"\n'},
            ("pool.ntp.org", "b.example"),
        ),
        ({"/etc/conf.d/ntpd": 'NTPD_OPTS="-p pool.ntp.org"\n'}, ("pool.ntp.org",)),
        (
            {"/etc/ntp.conf": "".join(f"server {n}.example\n" for n in range(9))},
            tuple(f"{n}.example" for n in range(6)),
        ),
        ({"/etc/chrony.conf": "server -x\nserver a;b\nserver \x1b[31m\nserver " + "a" * 300 + "\n"}, ()),
        ({"/etc/chrony.conf": Denied("no")}, ()),
        ({"/etc/chrony.conf": b"\xff\xfe\0server\0"}, ()),
    ],
)
def test_configured_servers(files: Files, servers: tuple[str, ...]) -> None:
    assert configured_servers(Facts(Machine(files))) == servers


# --- service ----------------------------------------------------------------------------------------------

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


# --- timezone ---------------------------------------------------------------------------------------------

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
            "the timezone is Europe/Berlin; mailcow uses Europe/Paris (TZ in mailcow.conf)",
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


# --- hardware clock ---------------------------------------------------------------------------------------

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
