"""What gets out, through a provider's router with rules of every kind: real packets, real servers."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import outside
from lab.outside import INTERCEPTOR, REFUSER, World
from lab.skip import or_skip

from tests.real.network_looks import look

ALL = (
    "outbound-25",
    "outbound-hosts",
    "recursion",
    "icmp",
    "ipv6",
    "mtu",
    "addresses",
    "subnet",
    "accept-ra",
    "hairpin",
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with or_skip(), outside.outside() as made:
        yield made


def test_where_all_passes_all_is_well_and_quick(world: World) -> None:
    seen = look(world, record="yes")
    bad = {name: one["summary"] for name, one in seen.checks.items() if one["status"] != "pass"}
    fuzzy = ("fuzzy.mailcow.email:11445", "fuzzy1.rspamd.com:11335", "fuzzy2.rspamd.com:11335")
    assert set(bad) == {f"outbound-hosts {one}/udp" for one in fuzzy}
    assert len(seen.checks) > 35
    assert seen.replayed
    assert "Google, Outlook, GMX and web.de answer" in seen.summary("outbound-25 v4")
    assert "answers no strangers" in seen.summary("outbound-hosts fuzzy.mailcow.email:11445/udp")
    # The sinks are silent, and so is nobody else.
    assert seen.seconds < 1.5


MAIL = [
    ("provider drops", "tcp dport 25 drop", "blocked on the way, most likely by the provider"),
    (
        "provider rejects",
        "tcp dport 25 reject with icmpx admin-prohibited",
        "refused over IPv4 by 192.88.99.1",
    ),
    ("provider resets", "tcp dport 25 reject with tcp reset", "refused over IPv4 by something on the way"),
    ("all is dropped", "tcp dport < 10000 tcp dport != 53 drop", "nothing gets out over IPv4"),
]


@pytest.mark.parametrize(("rule", "words"), [one[1:] for one in MAIL], ids=[one[0] for one in MAIL])
def test_port_25_that_the_provider_stops(world: World, rule: str, words: str) -> None:
    with world.rule(rule):
        seen = look(world, "outbound-25")
    assert seen.status("outbound-25 v4") == "fail"
    assert words in seen.summary("outbound-25 v4")
    assert seen.status("outbound-25 v6") in ("fail", "warn")
    # All servers together cost one waiting time.
    assert seen.seconds < 4.2


OWN = [
    ("drop", "tcp dport 25 drop"),
    ("reject", "tcp dport 25 reject"),
    ("reset", "tcp dport 25 reject with tcp reset"),
]


@pytest.mark.parametrize("rule", [one[1] for one in OWN], ids=[one[0] for one in OWN])
def test_port_25_that_this_machine_stops(world: World, rule: str) -> None:
    with world.rule(rule, where=world.server, hook="output"):
        seen = look(world, "outbound-25")
    for family in ("v4", "v6"):
        assert seen.status(f"outbound-25 {family}") == "fail"
        assert "this machine's own firewall" in seen.summary(f"outbound-25 {family}")
    assert seen.seconds < 2.0


def test_port_25_that_somebody_else_answers(world: World) -> None:
    with world.rule(f"meta nfproto ipv4 tcp dport 25 dnat ip to {INTERCEPTOR}", hook="prerouting"):
        seen = look(world, "outbound-25")
        assert seen.status("outbound-25 v4") == "fail"
        assert "somebody on the way answers" in seen.summary("outbound-25 v4")
        assert "filter.provider.net" in seen.summary("outbound-25 v4")
        assert seen.status("outbound-25 v6") == "pass"
        # A filter that leaves machines alone which are no mail servers is known by its greeting.
        with world.rule("ip daddr { 1.1.1.1, 8.8.8.8 } tcp dport 25 drop", where=world.server, hook="output"):
            seen = look(world, "outbound-25")
    assert seen.status("outbound-25 v4") == "fail"
    assert "all greet with '220 filter.provider.net ESMTP'" in seen.summary("outbound-25 v4")


def test_one_silent_mail_server_is_its_own_business(world: World) -> None:
    with world.rule("ip daddr 212.227.1.26 drop", "tcp dport 465 drop"):
        seen = look(world, "outbound-25")
    assert seen.status("outbound-25 v4") == "warn"
    assert "port 465 does not get out" in seen.summary("outbound-25 v4")
    with world.rule("ip daddr 212.227.1.26 drop"):
        assert look(world, "outbound-25").status("outbound-25 v4") == "pass"


NAMES = [
    ("udp", "fail", "over TCP they do", "udp dport 53 ip daddr != 192.88.99.153 drop"),
    ("answers", "fail", "over TCP they do", "udp sport 53 ip saddr != 192.88.99.153 drop"),
    ("tcp", "fail", "not over TCP", "tcp dport 53 drop"),
    ("large", "fail", "long answers over UDP", "udp sport 53 meta length > 540 drop"),
    (
        "both",
        "fail",
        "no root server answers",
        "meta l4proto { tcp, udp } th dport 53 ip daddr != 192.88.99.153 drop",
    ),
]


@pytest.mark.parametrize(
    ("status", "words", "rule"), [one[1:] for one in NAMES], ids=[one[0] for one in NAMES]
)
def test_name_servers(world: World, status: str, words: str, rule: str) -> None:
    with world.rule(rule):
        seen = look(world, "recursion")
    assert seen.status("recursion v4") == status
    assert words in seen.summary("recursion v4")
    assert seen.seconds < 3.2


def test_name_servers_that_somebody_else_plays(world: World) -> None:
    rule = f"meta nfproto ipv4 udp dport 53 ip daddr != 192.88.99.153 dnat ip to {REFUSER}"
    with world.rule(rule, hook="prerouting"):
        seen = look(world, "recursion")
    assert seen.status("recursion v4") == "fail"
    assert "in place of the root servers (UDP port 53)" in seen.summary("recursion v4")
    assert seen.status("recursion v6") == "pass"


def test_pings(world: World, tmp_path: Path) -> None:
    icmp = "icmp type echo-request drop"
    with world.rule(icmp, "icmpv6 type echo-request drop"):
        seen = look(world, "icmp", "ipv6", "mtu")
        assert seen.status("icmp v4") == "fail"
        assert "unbound will be unhealthy" in seen.summary("icmp v4")
        assert "SKIP_UNBOUND_HEALTHCHECK=y in mailcow.conf" in " ".join(seen.checks["icmp v4"]["remedies"])
        assert seen.status("icmp v6") == "warn"
        assert "take it for missing" in seen.summary("ipv6")
        assert seen.status("mtu") == "unknown"
        (tmp_path / "mailcow.conf").write_text("SKIP_UNBOUND_HEALTHCHECK=y\n")
        assert look(world, "icmp", conf=tmp_path).status("icmp v4") == "pass"
        (tmp_path / "mailcow.conf").write_text("SKIP_UNBOUND_HEALTHCHECK=Y\n")
        assert look(world, "icmp", conf=tmp_path).status("icmp v4") == "fail"
    with world.rule("ip daddr 8.8.8.8 drop"):
        seen = look(world, "icmp")
    assert seen.status("icmp v4") == "pass"
    assert "which the healthcheck forgives" in seen.summary("icmp v4")


def test_hosts(world: World) -> None:
    with world.rule("tcp dport 873 drop", "udp dport 11445 reject with icmpx admin-prohibited"):
        seen = look(world, "outbound-hosts")
    rsync = "outbound-hosts rsync.sanesecurity.net:873/tcp"
    assert seen.status(rsync) == "warn"
    assert "a firewall before this machine may stop port 873" in seen.summary(rsync)
    assert seen.status("outbound-hosts fuzzy.mailcow.email:11445/udp") == "warn"
    assert "192.88.99.1" in seen.summary("outbound-hosts fuzzy.mailcow.email:11445/udp")
    assert seen.status("outbound-hosts fuzzy1.rspamd.com:11335/udp") == "unknown"
    assert seen.status("outbound-hosts github.com:443/tcp") == "pass"


def test_a_dead_resolver_hides_nothing(world: World) -> None:
    with world.rule("ip daddr 192.88.99.153 drop"):
        seen = look(world, "outbound-hosts", "outbound-25")
    # Nobody answers as 1.1.1.1 here: no name is known, and that is said.
    assert seen.status("outbound-25 v4") == "unknown"
    assert seen.status("outbound-hosts github.com:443/tcp") == "fail"
    assert "cannot be looked up" in seen.summary("outbound-hosts github.com:443/tcp")


def test_names_are_asked_over_tcp_where_nobody_answers_over_udp(world: World) -> None:
    with world.rule("udp dport 53 drop"):
        seen = look(world, "outbound-hosts", "outbound-25")
    assert seen.status("outbound-25 v4") == "pass"
    assert seen.status("outbound-hosts github.com:443/tcp") == "warn"
    assert "own resolver gives no answer" in seen.summary("outbound-hosts github.com:443/tcp")
    assert seen.seconds < 4.2


def test_the_time(world: World) -> None:
    name = "outbound-hosts pool.ntp.org:123/udp"
    assert look(world, "outbound-hosts").status(name) == "pass"
    with world.rule("udp dport 123 drop"):
        seen = look(world, "outbound-hosts")
    assert seen.status(name) == "warn"
    assert "nothing comes back, while other things do get out" in seen.summary(name)


def test_nothing_passes(world: World) -> None:
    with world.rule("drop"):
        seen = look(world, *ALL)
    assert seen.seconds < 4.2
    statuses = {name: one["status"] for name, one in seen.checks.items()}
    assert statuses["recursion v4"] == statuses["icmp v4"] == "fail"
    assert statuses["outbound-25 v4"] == statuses["mtu"] == "unknown"


def test_without_root(world: World) -> None:
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if world.server.run([*user, sys.executable, "-c", ""], check=False).returncode:
        pytest.skip("this Python is not for everybody")
    ranges = "/proc/sys/net/ipv4/ping_group_range"
    world.server.run(["sh", "-c", f"echo 1 0 > {ranges}"])
    seen = look(world, "icmp", "outbound-25", "ipv6", user=user)
    assert seen.status("outbound-25 v4") == "pass"
    assert seen.status("icmp v4") == seen.status("icmp v6") == "unknown"
    assert seen.status("ipv6") == "pass"
    world.server.run(["sh", "-c", f"echo 0 65535 > {ranges}"])
    assert look(world, "icmp", user=user).status("icmp v4") == "pass"
