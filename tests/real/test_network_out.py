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
    *("outbound-25", "outbound-hosts", "recursion", "icmp", "ipv6"),
    *("mtu", "addresses", "subnet", "accept-ra", "hairpin"),
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
    ("all is dropped", "tcp dport < 10000 tcp dport != 53 drop", "no connection gets out over IPv4"),
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
    ("drop", "output", "tcp dport 25 drop", "does not let port 25 out"),
    ("reject", "output", "tcp dport 25 reject", "does not let port 25 out"),
    ("reset", "output", "tcp dport 25 reject with tcp reset", "does not let port 25 out"),
    ("late", "postrouting", "tcp dport 25 drop", "does not let port 25 out"),
    ("answers", "input", "tcp sport 25 drop", "does not let the answer in"),
]


@pytest.mark.parametrize(("hook", "rule", "words"), [one[1:] for one in OWN], ids=[one[0] for one in OWN])
def test_port_25_that_this_machine_stops(world: World, hook: str, rule: str, words: str) -> None:
    with world.rule(rule, where=world.server, hook=hook):
        seen = look(world, "outbound-25")
    for family in ("v4", "v6"):
        found = seen.checks[f"outbound-25 {family}"]
        assert found["status"] == "fail"
        assert f"this machine's own firewall {words}" in found["summary"]
        assert f"“{rule} in chain c of table inet fault" in found["summary"].replace("”", "")
        assert "nft list chain inet fault c" in found["remedies"][0]
    assert seen.seconds < (2.0 if hook == "output" else 4.3)


@pytest.mark.parametrize("program", ["iptables-nft", "iptables-legacy"])
def test_a_rule_of_iptables_that_stops_port_25(world: World, program: str) -> None:
    rule = "OUTPUT -p tcp -m tcp --dport 25 -m owner --uid-owner 0 -j DROP"
    with world.changed([f"{program} -A {rule}"], [f"{program} -D {rule}"]):
        seen = look(world, "outbound-25")
    found = seen.checks["outbound-25 v4"]
    assert found["status"] == "fail"
    assert "does not let port 25 out (IPv4): “-A OUTPUT -p tcp" in found["summary"]
    assert "-I OUTPUT -p tcp --dport 25 -j ACCEPT" in found["remedies"][0]
    assert "containers send passes other rules" in found["remedies"][1]
    assert seen.status("outbound-25 v6") == "pass"


CONTAINERS = [
    ("tcp dport 25 drop", ("outbound-25 v4",), "port 25 is free for this machine, but"),
    ("udp dport 53 reject", ("recursion v4",), "root servers answer this machine, but"),
    ("icmp type echo-request drop", ("icmp v4",), "answer this machine, but"),
    ("icmp type echo-reply drop", ("icmp v4",), "gets no answer, which is stopped by"),
    (
        "tcp dport 873 drop",
        ("outbound-hosts rsync.sanesecurity.net:873/tcp",),
        "can be reached by this machine, but",
    ),
]


@pytest.mark.parametrize(("rule", "names", "words"), CONTAINERS, ids=[one[0] for one in CONTAINERS])
def test_what_this_machine_would_stop_of_its_containers(
    world: World, rule: str, names: tuple[str, ...], words: str
) -> None:
    """Nothing is green that only the machine itself, and no container of it, can reach."""
    with world.rule(f"meta nfproto ipv4 {rule}", where=world.server, hook="forward"):
        seen = look(world, "outbound-25", "recursion", "icmp", "outbound-hosts")
    for name in names:
        assert seen.status(name) in ("fail", "warn")
        assert words in seen.summary(name)
        assert "in chain c of table inet fault" in seen.summary(name)
    assert seen.status("outbound-hosts github.com:443/tcp") == "pass"


def test_what_this_machine_sends_elsewhere(world: World) -> None:
    rule = "OUTPUT -p tcp --dport 25 -j DNAT --to-destination 192.88.99.199"
    with world.changed([f"iptables-nft -t nat -A {rule}"], [f"iptables-nft -t nat -D {rule}"]):
        seen = look(world, "outbound-25")
    assert seen.status("outbound-25 v4") == "fail"
    assert "own firewall sends port 25 to 192.88.99.199 port 25: “-A OUTPUT" in seen.summary("outbound-25 v4")


NAMED = [
    ("icmp v4", "icmp", "icmp type echo-request drop", "does not let it out: “icmp type"),
    ("recursion v4", "recursion", "udp dport 53 ip daddr != 192.88.99.153 drop", "port 53: “udp dport 53"),
    ("outbound-hosts github.com:443/tcp", "outbound-hosts", "tcp dport 443 reject", "“tcp dport 443 reject"),
    (
        "outbound-hosts fuzzy1.rspamd.com:11335/udp",
        "outbound-hosts",
        "udp dport 11335 drop",
        "“udp dport 11335",
    ),
]


@pytest.mark.parametrize(("name", "check", "rule", "words"), NAMED, ids=[one[0] for one in NAMED])
def test_the_rule_of_this_machine_is_named(
    world: World, name: str, check: str, rule: str, words: str
) -> None:
    with world.rule(rule, where=world.server, hook="output"):
        seen = look(world, check)
    assert seen.status(name) in ("fail", "warn")
    assert words in seen.summary(name)
    if name in ("icmp v4", "recursion v4"):  # mailcow's containers ask that, and this machine does not
        assert seen.status(name) == "warn"


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


def test_the_mirrors_of_this_machines_packages(world: World, tmp_path: Path) -> None:
    """Docker is not there: its packages' servers are asked, and judged as any other host."""
    lists = tmp_path / "sources.list.d"
    lists.mkdir()
    (tmp_path / "os-release").write_text("ID=debian\n")
    (tmp_path / "sources.list").write_text(
        "deb http://github.com/debian x main\ndeb http://no.example.invalid/debian x main\n"
    )
    hidden = "".join(f"mount --bind {one} /etc/{one.name};" for one in (tmp_path / "os-release",))
    hidden += f"mount --bind {tmp_path} /etc/apt;"
    docker = world.server.run(["sh", "-c", "command -v docker || true"]).stdout.strip()
    hidden += f"mount --bind /dev/null {docker};" if docker else ""
    script = f'{hidden} exec "$@"'
    seen = look(world, "outbound-hosts", user=("unshare", "-m", "sh", "-ec", script, "sh"))
    assert seen.status("outbound-hosts no.example.invalid:80/tcp") == "warn"
    assert "cannot be looked up" in seen.summary("outbound-hosts no.example.invalid:80/tcp")
    # What is asked already is asked once.
    assert sum("github.com:80" in name for name in seen.checks) == 1
    (tmp_path / "sources.list").write_text("deb http://ghcr.io/debian x main\n")
    again = look(world, "outbound-hosts", user=("unshare", "-m", "sh", "-ec", script, "sh"))
    assert again.status("outbound-hosts ghcr.io:80/tcp") == "pass"
    with world.rule("tcp dport 80 drop"):
        blocked = look(world, "outbound-hosts", user=("unshare", "-m", "sh", "-ec", script, "sh"))
    assert blocked.status("outbound-hosts ghcr.io:80/tcp") == "warn"
    assert "may stop port 80" in blocked.summary("outbound-hosts ghcr.io:80/tcp")


def test_a_dead_resolver_hides_nothing(world: World) -> None:
    with world.rule("ip daddr 192.88.99.153 drop"):
        seen = look(world, "outbound-hosts", "outbound-25")
    # Nobody answers as 1.1.1.1 here: no name is known, and that is said.
    assert seen.status("outbound-25 v4") == "unknown"
    assert seen.status("outbound-hosts github.com:443/tcp") == "unknown"
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
    assert "nothing comes back, while other things are answered" in seen.summary(name)


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
    assert seen.status("ipv6") == "pass", seen.summary("ipv6")
    world.server.run(["sh", "-c", f"echo 0 65535 > {ranges}"])
    assert look(world, "icmp", user=user).status("icmp v4") == "pass"
