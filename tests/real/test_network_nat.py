"""A server behind NAT: which address is its own, and does it reach itself under the public one."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import certificates as made
from lab import outside
from lab.inside import CHECKOUT, wait_until
from lab.mail_in_place import mail_in
from lab.outside import SERVER_V4, World
from lab.skip import or_skip

PRIVATE, GATEWAY = "10.20.30.10", "10.20.30.1"
_NAT = """table inet nat11 {{
chain pre {{
type nat hook prerouting priority dstnat;
{only} ip daddr {public} dnat ip to {private}
}}
chain post {{
type nat hook postrouting priority srcnat;
ip saddr {private} oifname != {wire} snat ip to {public}
ip saddr {private} ip daddr {private} snat ip to {public}
}}
chain through {{
type filter hook forward priority 0;
iifname {wire} ip daddr {public} drop
}}
}}
"""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with or_skip(), outside.outside() as made:
        yield made


@contextlib.contextmanager
def behind_nat(world: World, reflects: bool) -> Iterator[None]:
    """The server has a private address, and the router translates it, one to one."""
    name = world.server.run(["ip", "-o", "route", "show", "default"]).stdout.split()[4]
    wire = world.router.run(["ip", "-o", "route", "show", "192.88.99.0/25"]).stdout.split()[2]
    only = "" if reflects else f"iifname != {wire}"
    rules = _NAT.format(only=only, public=SERVER_V4, private=PRIVATE, wire=wire)
    private = (
        f"ip addr add {PRIVATE}/24 dev {name}",
        f"ip addr del {SERVER_V4}/25 dev {name}",
        f"ip route replace default via {GATEWAY}",
    )
    back = (
        f"ip addr add {SERVER_V4}/25 dev {name}",
        f"ip addr del {PRIVATE}/24 dev {name}",
        "ip route replace default via 192.88.99.1",
    )
    router = (f"ip addr add {GATEWAY}/24 dev {wire}",), (f"ip addr del {GATEWAY}/24 dev {wire}",)
    with world.changed(*router, where=world.router), world.changed(private, back):
        world.router.run(["nft", "-f", "-"], text=rules)
        try:
            yield
        finally:
            world.router.run(["nft", "delete", "table", "inet", "nat11"])


def check(world: World, *words: str) -> dict[str, Any]:
    """What the wizard finds, by check and subject."""
    wizard = (sys.executable, "-m", "mailcow_wizard", "check", "--json", "--dir", "/", *words)
    done = world.server.run(["env", f"PYTHONPATH={CHECKOUT}", *wizard], timeout=60, check=False)
    return {
        " ".join(filter(None, (one["id"], one["subject"]))): one for one in json.loads(done.stdout)["checks"]
    }


HAIRPIN = ("network.hairpin", "network.addresses", "ports.http", "--address", SERVER_V4)


def test_the_address_of_its_own(world: World) -> None:
    found = check(world, *HAIRPIN)
    assert found["network.hairpin v4"]["status"] == "pass"
    assert "this machine's own address" in found["network.hairpin v4"]["summary"]


def test_a_router_that_sends_back_and_one_that_does_not(world: World) -> None:
    with behind_nat(world, reflects=True):
        found = check(world, *HAIRPIN)
        assert found["network.hairpin v4"]["status"] == "pass", found
        assert "ports 80, 443 and 25" in found["network.hairpin v4"]["summary"]
        assert found["network.hairpin v4"]["certainty"] == "proved"
        assert found["network.addresses"]["status"] == "warn"
        assert f"this machine ({PRIVATE}) is behind NAT" in found["network.addresses"]["summary"]
        # The listener of our own is nobody's who is in the way.
        assert found["ports.http"]["status"] == "pass", found["ports.http"]
    with behind_nat(world, reflects=False):
        found = check(world, *HAIRPIN)
        assert found["network.hairpin v4"]["status"] == "fail"
        assert "nothing comes back" in found["network.hairpin v4"]["summary"]
        assert found["network.hairpin v4"]["stops"] == "way"


def test_a_router_that_sends_nothing_back_is_told_in_time_where_mailcow_listens(world: World) -> None:
    """Each port is waited for then; where mail gets out does not matter any more, and takes longest where it
    does not."""
    program = str(CHECKOUT / "tests" / "lab" / "far_side.py")
    lines = [f"greet 0.0.0.0 {port} 220 mail.example.org ESMTP" for port in (25, 80, 443)]
    servers = world.server.start([sys.executable, program, *lines])
    listens = ["ss", "-Hltn", "sport = :443"]
    assert wait_until(lambda: "LISTEN" in world.server.run(listens, check=False).stdout, 10.0)
    try:
        with (
            behind_nat(world, reflects=False),
            world.rule("ip protocol tcp tcp dport 25 drop", hook="prerouting"),
        ):
            found = check(world, "network.hairpin", "--address", SERVER_V4)["network.hairpin v4"]
    finally:
        servers.terminate()
        servers.wait()
    assert found["status"] == "fail", found
    assert "ports 80, 443 and 25: nothing comes back" in found["summary"]


def test_mails_port_that_does_not_come_back_is_the_providers_matter_or_the_routers(world: World) -> None:
    blocked = "ip protocol tcp tcp dport 25 drop"
    forgotten = f"ip daddr {SERVER_V4} tcp dport 25 drop"
    for rule, status, remedy in (
        (blocked, "warn", "Where network.outbound-25 says that port 25 is blocked"),
        (forgotten, "fail", "In the router: pass port 25 on to this machine, too."),
    ):
        with behind_nat(world, reflects=True), world.rule(rule, hook="prerouting"):
            found = check(world, *HAIRPIN)["network.hairpin v4"]
        assert "ports 80 and 443 come back, port 25 not (nothing comes back)" in found["summary"]
        assert (found["status"], found["remedies"][0].startswith(remedy)) == (status, True), found


def test_a_mail_server_that_listens_here_is_asked_as_it_is(world: World) -> None:
    program = str(CHECKOUT / "tests" / "lab" / "far_side.py")
    mail = world.server.start([sys.executable, program, "greet 0.0.0.0 25 220 mail.example.org ESMTP"])
    listens = ["ss", "-Hltn", "sport = :25"]
    assert wait_until(lambda: "LISTEN" in world.server.run(listens, check=False).stdout, 10.0)
    try:
        with behind_nat(world, reflects=True):
            found = check(world, *HAIRPIN)["network.hairpin v4"]
            assert found["status"] == "pass"
            assert "port 25: comes back to who listens here" in found["found"]
        # Port 25 of the public address leads elsewhere: to a filter, which greets with another name.
        rule = f"ip daddr {SERVER_V4} tcp dport 25 dnat ip to {outside.INTERCEPTOR}"
        with behind_nat(world, reflects=True), world.rule(rule, hook="prerouting"):
            found = check(world, *HAIRPIN)["network.hairpin v4"]
            assert found["status"] == "fail"
            assert "something else answers there on port 25" in found["summary"]
    finally:
        mail.terminate()
        mail.wait()


def test_postfix_greets_whom_it_knows_in_one_line(world: World, tmp_path: Path) -> None:
    """Strangers get a teaser first (postscreen), and under the public address this machine is one."""
    tmp_path.chmod(0o755)
    known = f"import smtplib; smtplib.SMTP('{PRIVATE}', 25, 'a.example', timeout=20).quit()"
    with or_skip():
        made.authority(tmp_path)
        pair = made.issued(tmp_path, "mail", "mail.example.org")
    with or_skip(), mail_in(world.server, pair, postscreen=True), behind_nat(world, reflects=True):
        world.server.run([sys.executable, "-c", known], timeout=30)
        found = check(world, *HAIRPIN)["network.hairpin v4"]
    assert "port 25: comes back to who listens here" in found["found"], found


def test_the_page_of_a_web_server_that_listens_here_is_known_again(world: World, tmp_path: Path) -> None:
    web = world.server.start([sys.executable, "-m", "http.server", "80", "--directory", str(tmp_path)])
    listens = ["ss", "-Hltn", "sport = :80"]
    assert wait_until(lambda: "LISTEN" in world.server.run(listens, check=False).stdout, 10.0)
    try:
        with behind_nat(world, reflects=True):
            found = check(world, *HAIRPIN)["network.hairpin v4"]
        assert found["status"] == "pass", found
        assert "port 80: shows the same page as who listens here" in found["found"]
    finally:
        web.terminate()
        web.wait()


def test_behind_a_proxy_the_ports_are_tried_that_the_world_knows(world: World, tmp_path: Path) -> None:
    """The provider lets 80 and 443 in, and not the ones that mailcow has on loopback."""
    conf = tmp_path / "mailcow.conf"
    web = ("HTTP_BIND=127.0.0.1\nHTTP_PORT=8080", "HTTPS_BIND=127.0.0.1\nHTTPS_PORT=8443")
    conf.write_text("\n".join(("MAILCOW_HOSTNAME=mail.example.org", *web, "")))
    for name in ("docker-compose.yml", "generate_config.sh"):
        (tmp_path / name).touch()
    rule = f"ip daddr {SERVER_V4} tcp dport {{ 8080, 8443 }} drop"
    with behind_nat(world, reflects=True), world.rule(rule, hook="prerouting"):
        found = check(world, *HAIRPIN, "--dir", str(tmp_path))["network.hairpin v4"]
    assert found["status"] == "pass", found
    assert "ports 80, 443 and 25" in found["summary"]


def test_pages_of_the_router_itself_are_not_taken_for_this_server(world: World) -> None:
    program = str(CHECKOUT / "tests" / "lab" / "far_side.py")
    # The router has the public address, and a page on port 80.
    page = world.router.start([sys.executable, program, "greet 0.0.0.0 80 HTTP/1.0 200 OK"])
    with behind_nat(world, reflects=False):
        do, undo = (f"ip addr {verb} {SERVER_V4}/32 dev lo" for verb in ("add", "del"))
        with world.changed([do], [undo], where=world.router):
            found = check(world, *HAIRPIN)["network.hairpin v4"]
    page.terminate()
    page.wait()
    assert found["status"] == "fail"
    assert "something else answers there on port 80, most likely the router itself" in found["summary"]


def test_names_are_asked_at_the_resolver_that_was_given(world: World) -> None:
    """The usual one is dead; and without one that was given it is said whose trouble it is."""
    argv = ("network.outbound-hosts", "network.outbound-25")
    with world.rule(f"ip daddr {outside.RESOLVER} drop"):
        root = world.far.run(["ip", "-o", "addr", "show", "dev", "lo"]).stdout
        assert "198.41.0.4" in root
        found = check(world, *argv, "--resolver", "198.41.0.4")
    assert found["network.outbound-25 v4"]["status"] == "pass"
    assert found["network.outbound-hosts github.com:443/tcp"]["status"] == "pass"


_ECHO = """
import http.server, sys
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write((sys.argv[2:] or self.client_address)[0].encode())
http.server.HTTPServer((sys.argv[1], 80), Echo).serve_forever()
"""
_TELLS = "192.88.99.171"


def test_the_public_address_is_asked_by_the_resolver_that_was_given(world: World) -> None:
    """This machine's own resolver is dead: who tells the address is found at the other one."""
    world.far.run(["ip", "addr", "add", f"{_TELLS}/32", "dev", "lo"])
    tells = world.far.start([sys.executable, "-c", _ECHO, _TELLS])
    listens = ["ss", "-Hltn", f"src {_TELLS}:80"]
    assert wait_until(lambda: "LISTEN" in world.far.run(listens, check=False).stdout, 20.0)
    astray = (
        f"ip daddr {outside.RESOLVER} drop",
        f"ip daddr {outside.WEB} tcp dport 80 dnat ip to {_TELLS}",
    )
    with behind_nat(world, reflects=True), world.rule(*astray, hook="prerouting"):
        found = check(world, "network.addresses")["network.addresses"]
        assert found["status"] == "unknown"
        assert "could not be found out" in found["summary"]
        found = check(world, "network.addresses", "--resolver", "198.41.0.4")["network.addresses"]
        assert (found["status"], found["severity"]) == ("warn", "advice")
        assert f"({PRIVATE}) is behind NAT: the world sees {SERVER_V4}" in found["summary"]
    tells.terminate()
    tells.wait()


def test_a_private_address_is_not_what_the_world_sees(world: World) -> None:
    """Whoever answers with one is no server outside."""
    world.far.run(["ip", "addr", "add", f"{_PORTAL}/32", "dev", "lo"])
    tells = world.far.start([sys.executable, "-c", _ECHO, _PORTAL, PRIVATE])
    listens = ["ss", "-Hltn", f"src {_PORTAL}:80"]
    assert wait_until(lambda: "LISTEN" in world.far.run(listens, check=False).stdout, 20.0)
    astray = f"ip daddr {outside.WEB} tcp dport 80 dnat ip to {_PORTAL}"
    with behind_nat(world, reflects=True), world.rule(astray, hook="prerouting"):
        found = check(world, "network.addresses")["network.addresses"]
    assert found["status"] == "unknown", found["summary"]
    assert f"ip4.mailcow.email answers {PRIVATE}, which is not public" in found["summary"]
    tells.terminate()
    tells.wait()


_PORTAL = "192.88.99.172"


def test_nothing_is_sent_offline(world: World) -> None:
    found = check(world, "network.", "--offline")
    sends = {one["status"] for name, one in found.items() if name.split()[0] not in _READ}
    assert sends == {"skipped"}


_READ = ("network.addresses", "network.accept-ra", "network.subnet")

# What a provider may let pass alone, and the checks that then still pass.
ALONE = [
    ("mail alone", "tcp dport { 25, 465 } accept", {"network.outbound-25 v4"}),
    ("UDP alone", "meta l4proto udp accept", set()),
    ("ICMP alone", "meta l4proto { icmp, ipv6-icmp } accept", {"network.icmp v4", "network.mtu"}),
]


@pytest.mark.parametrize(("rule", "passes"), [one[1:] for one in ALONE], ids=[one[0] for one in ALONE])
def test_a_provider_that_lets_one_thing_pass(world: World, rule: str, passes: "set[str]") -> None:
    names = "udp dport 53 ip daddr 192.88.99.153 accept"
    with world.rule(rule, names, "ct state established accept", "drop"):
        found = check(world, "network.")
    wanted = ("network.outbound-25 v4", "network.recursion v4", "network.icmp v4", "network.mtu")
    assert {name for name in wanted if found[name]["status"] == "pass"} == passes, found[wanted[0]]["summary"]
    assert found["network.outbound-hosts github.com:443/tcp"]["status"] == "fail"
    assert found["network.recursion v4"]["status"] == "fail"
    assert not [name for name, one in found.items() if one["status"] == "crashed"]
