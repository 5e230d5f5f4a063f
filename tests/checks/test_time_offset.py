"""The judgement of the clock's offset, and which servers are asked for it."""

import pytest

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.time_offset import judge_offset
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time_answers import ClockOffset
from mailcow_wizard.facts.time_servers import configured_servers
from mailcow_wizard.host.errors import Denied
from mailcow_wizard.model import Settings
from tests.checks.time_machine import Files, Machine, answer, judge, no_answer, several


@pytest.mark.parametrize(
    ("aheads", "status", "certainty", "summary"),
    [
        ((0.003, 0.003, 0.0031), "pass", "proved", "the clock is within 3 ms of 3 time servers"),
        ((0.0,), "pass", "inferred", "the clock is within 1 ms of one time server, 1.example"),
        ((0.9, 0.9), "pass", "proved", "the clock is within 900 ms of 2 time servers"),
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
        (0.9, 2.2, "unknown"),
        (-0.9, 2.2, "unknown"),
        (0.0, 2.2, "pass"),
        (0.4, 2.2, "pass"),
        (2.0, 2.2, "unknown"),
        (29.5, 2.2, "warn"),
        (30.5, 2.2, "fail"),
    ],
)
def test_a_long_way_proves_little(ahead: float, delay: float, status: str) -> None:
    answers = [answer(f"{n}.example", ahead, delay, reference=n, address=f"192.0.2.{n}") for n in (1, 2)]
    assert judge("time.offset", Machine(answers=answers)).status == status


@pytest.mark.parametrize(
    ("aheads", "delay", "status", "certainty"),
    [
        ((0.9, 0.9), 0.04, "pass", "proved"),
        ((0.99, 0.99), 0.04, "pass", "inferred"),
        ((-0.99, -0.99), 0.04, "pass", "inferred"),
        ((1.01, 1.01), 0.04, "warn", "inferred"),
        ((1.05, 1.05), 0.04, "warn", "proved"),
        ((0.9, 0.9), 0.4, "pass", "inferred"),
        ((1.1, 1.1), 0.4, "warn", "inferred"),
        ((0.1, 0.1), 2.2, "pass", "inferred"),
        ((3.0, 3.0), 2.2, "warn", "proved"),
        ((29.98, 29.98), 0.04, "warn", "inferred"),
        ((30.02, 30.02), 0.04, "fail", "inferred"),
        ((29.5, 29.5), 2.2, "warn", "inferred"),
        ((30.5, 30.5), 2.2, "fail", "inferred"),
        ((40.0, 40.0), 2.2, "fail", "proved"),
        ((0.93, 0.95, 1.01), 0.04, "pass", "inferred"),
        ((0.99, 0.99, 1.05), 0.04, "pass", "inferred"),
    ],
)
def test_an_error_that_reaches_over_a_figure_proves_nothing(
    aheads: tuple[float, ...], delay: float, status: str, certainty: str
) -> None:
    answers = [
        answer(f"{n}.example", ahead, delay, reference=n, address=f"192.0.2.{n}")
        for n, ahead in enumerate(aheads, 1)
    ]
    judgement = judge("time.offset", Machine(answers=answers))
    assert (judgement.status, judgement.certainty) == (status, certainty), judgement


@pytest.mark.parametrize(
    ("aheads", "status", "certainty"),
    [
        ((0.0, 0.15), "pass", "inferred"),
        ((0.0, 0.15, 0.3), "pass", "inferred"),
        ((-0.2, -0.2, 0.1, 0.1), "pass", "inferred"),
        ((2.0, 2.15), "warn", "inferred"),
        ((-93.0, -93.3), "fail", "inferred"),
        ((0.0, 0.6), "unknown", "untested"),
        ((5.0, 9.0), "unknown", "untested"),
        ((0.95, 1.1), "unknown", "untested"),
        ((29.9, 30.1), "unknown", "untested"),
        ((0.0, 0.15, 93.0), "unknown", "untested"),
        ((0.0, 0.15, 93.0, 93.15), "unknown", "untested"),
        ((-0.1, 0.1), "pass", "inferred"),
    ],
)
def test_servers_that_are_a_little_apart(aheads: tuple[float, ...], status: str, certainty: str) -> None:
    """A tie is no disagreement where each side gives the same verdict and a wider error joins them."""
    judgement = judge("time.offset", Machine(answers=several(*aheads)))
    assert (judgement.status, judgement.certainty) == (status, certainty), judgement
    if status == "pass":
        assert judgement.summary.endswith(f"of {len(aheads)} time servers")


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
