"""`reach` between namespaces, with a provider's firewall between them: real listeners, real knocks."""

import json
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab.inside import end, wait_until
from lab.netns import Namespace
from lab.provider import FAR, FAR_V6, MAIL_OF_OTHERS, SERVER, Provider, provider
from lab.skip import or_skip

from mailcow_wizard.report.schema import schema
from tests.json_schema import faults
from tests.real.reach_sides import BOTH, PORTS, V4, WAYS, WIZARD, findings, near, states


@pytest.fixture(scope="module")
def world() -> Iterator[Provider]:
    with or_skip(), provider() as made:
        yield made


@contextmanager
def serving(place: Namespace, ports: Sequence[int], address: str = "") -> Iterator[None]:
    """Something that serves ports there, of one address or of all of both families."""
    program = (
        "import selectors, socket\n"
        "selector, links = selectors.DefaultSelector(), []\n"
        f"family = socket.AF_INET if {address!r} else socket.AF_INET6\n"
        f"for port in {tuple(ports)}:\n"
        f"    both = not {address!r}\n"
        f"    one = socket.create_server(({address!r}, port), family=family, dualstack_ipv6=both)\n"
        "    selector.register(one, selectors.EVENT_READ)\n"
        "while True:\n"
        "    for key, _ in selector.select():\n"
        "        link, _ = key.fileobj.accept()\n"
        "        links.append(link)\n"  # closed at once it would take back what it said
        "        link.sendall(b'220 mail.example.org ESMTP\\r\\n')\n"
    )
    process = place.start([sys.executable, "-c", program])
    listening = ["ss", "-Hltn", f"sport = :{ports[-1]}"]
    assert wait_until(lambda: "LISTEN" in place.run(listening).stdout, 30.0)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("way", WAYS)
def test_each_port_is_told_as_it_is(world: Provider, tmp_path: Path, way: str) -> None:
    before = world.rules(world.router, "forward", "tcp dport 465 drop", "tcp dport 110 reject with tcp reset")
    own = world.rules(world.server, "input", "tcp dport 993 drop", "tcp dport 143 reject with tcp reset")
    web = serving(world.server, (80,))
    with before, own, web, near(world.server, tmp_path, addresses=BOTH) as side:
        told = side.ask(world.far, way)
        document = side.document()
    for family in ("v4", "v6"):
        seen = states(document, family)
        assert seen.pop(465) == "never arrived"
        assert seen.pop(110) == "refused on the way"
        assert {seen.pop(993), seen.pop(143)} == {"closed here"}
        assert set(seen.values()) == {"arrived"}
    assert side.process.returncode == 1
    assert document["summary"] == {"arrived": 6, "blocked": 4, "unknown": 0}
    assert {one["peer"] for one in document["ports"] if one["state"] == "arrived"} == {FAR, FAR_V6}
    assert {one["how"] for one in document["ports"] if one["port"] == 80} == {"packet"}
    assert re.search(r"465 .* never arrived", told)
    assert re.search(r" 993 .*IPv4 closed here, IPv6 closed here", told)
    assert re.search(r" 25 .*IPv4 arrived, IPv6 arrived", told)
    found = findings(world.server, tmp_path, BOTH)
    assert (found["465"]["status"], found["25"]["status"], found["993"]["status"]) == ("fail", "pass", "fail")
    assert "a firewall before this machine stops it" in found["465"]["summary"]
    assert "come to this machine, which does not take them" in found["993"]["summary"]
    assert found["25"]["certainty"] == "proved"
    assert FAR in found["25"]["summary"]
    assert "IPv4 and IPv6" in found["25"]["summary"]
    # Another address than that of the proof: it counts no more.
    moved = findings(world.server, tmp_path, ("--address", "192.88.99.77"))
    assert {one["status"] for one in moved.values()} == {"unknown"}


def test_all_is_green_and_what_was_proved_before_stays(world: Provider, tmp_path: Path) -> None:
    with near(world.server, tmp_path, addresses=BOTH) as side:
        side.ask(world.far)
        document = side.document()
    assert side.process.returncode == 0
    assert document["summary"] == {"arrived": 10, "blocked": 0, "unknown": 0}
    assert faults(schema()["$defs"]["reach"], document) == []
    assert faults(schema(), document) == []
    # Asked once more from a line without IPv6: nothing is known of it, and nothing is forgotten.
    world.far.run(["ip", "-6", "route", "del", "default"])
    try:
        with near(world.server, tmp_path, addresses=BOTH) as side:
            side.ask(world.far)
            document = side.document()
    finally:
        world.far.run(["ip", "-6", "route", "add", "default", "via", "2d00:113:2::1"])
    assert set(states(document, "v6").values()) == {"not asked: no way from there"}
    assert side.process.returncode == 3
    assert {one["status"] for one in findings(world.server, tmp_path, BOTH).values()} == {"pass"}


def test_one_family_alone_is_no_proof_of_the_other(world: Provider, tmp_path: Path) -> None:
    with near(world.server, tmp_path) as side:
        side.ask(world.far)
        side.document()
    assert {one["status"] for one in findings(world.server, tmp_path).values()} == {"pass"}
    found = findings(world.server, tmp_path, BOTH)
    assert {one["status"] for one in found.values()} == {"unknown"}
    assert "over IPv6: unverified" in found["25"]["summary"]
    assert "over IPv4 it was reached" in found["25"]["summary"]


def test_a_line_that_lets_no_port_25_out_is_not_the_servers_fault(world: Provider, tmp_path: Path) -> None:
    with world.rules(world.far, "output", "tcp dport 25 drop"), near(world.server, tmp_path) as side:
        side.ask(world.far, "bash")
        document = side.document()
    seen = states(document)
    assert seen.pop(25) == "not asked: that line lets no port 25 out"
    assert set(seen.values()) == {"arrived"}
    assert side.process.returncode == 3
    assert findings(world.server, tmp_path)["25"]["status"] == "unknown"


@pytest.mark.parametrize("way", [pytest.param("bash", marks=pytest.mark.long), "wizard"])
def test_a_provider_who_lets_no_port_25_in_is_told_from_that(
    world: Provider, tmp_path: Path, way: str
) -> None:
    drop = world.rules(world.router, "forward", "tcp dport 25 drop")
    with drop, serving(world.router, (25,)), near(world.server, tmp_path) as side:
        side.ask(world.far, way)
        document = side.document()
    assert states(document)[25] == "never arrived"
    found = findings(world.server, tmp_path)["25"]
    assert (found["status"], found["severity"]) == ("fail", "breaks")
    assert "a firewall before this machine stops it" in found["summary"]


@contextmanager
def without_ipv4(world: Provider) -> Iterator[None]:
    """The far side has IPv6 alone for a while."""
    device = world.far.run(["ip", "-o", "route", "show", "default"]).stdout.split()[4]
    world.far.run(["ip", "addr", "del", f"{FAR}/24", "dev", device])
    try:
        yield
    finally:
        world.far.run(["ip", "addr", "add", f"{FAR}/24", "dev", device])
        world.far.run(["ip", "route", "add", "default", "via", MAIL_OF_OTHERS[0]])


@pytest.mark.parametrize("way", [pytest.param("bash", marks=pytest.mark.long), "wizard"])
def test_a_line_without_ipv4_asks_others_over_ipv6(world: Provider, tmp_path: Path, way: str) -> None:
    drop = world.rules(world.router, "forward", "tcp dport 25 drop")
    both = near(world.server, tmp_path, addresses=BOTH)
    with drop, serving(world.router, (25,)), without_ipv4(world), both as side:
        side.ask(world.far, way)
        document = side.document()
    assert states(document, "v6")[25] == "never arrived"
    assert states(document)[143] == "not asked: no way from there"


@pytest.mark.parametrize("way", ["bash", "wizard"])
def test_where_names_of_others_do_not_resolve_nothing_is_known_of_that_line(
    world: Provider, tmp_path: Path, way: str
) -> None:
    hosts = Path("/etc/netns") / world.far.name / "hosts"
    known = hosts.read_text()
    hosts.write_text("127.0.0.1 localhost\n")
    try:
        drop = world.rules(world.router, "forward", "tcp dport 25 drop")
        with drop, near(world.server, tmp_path) as side:
            side.ask(world.far, way)
            document = side.document()
    finally:
        hosts.write_text(known)
    assert states(document)[25] == "not asked: that line may let no port 25 out"


def test_knocks_from_this_network_prove_nothing(world: Provider, tmp_path: Path) -> None:
    with near(world.server, tmp_path) as side:
        said = side.ask(world.server)
        assert "nothing is proved" in said
        assert side.process.poll() is None
        side.process.send_signal(signal.SIGTERM)
        side.process.wait(30)
    assert side.process.returncode == 143
    assert {one["status"] for one in findings(world.server, tmp_path).values()} == {"unknown"}


def test_behind_nat_that_leads_back_only_others_count(world: Provider, tmp_path: Path) -> None:
    public = "192.88.99.77"
    device = world.router.run(["ip", "-o", "route", "get", SERVER]).stdout.split()[2]
    chains = (
        f"chain in {{\ntype nat hook prerouting priority dstnat;\nip daddr {public} dnat to {SERVER}\n}}\n"
        "chain out {\ntype nat hook postrouting priority srcnat;\n"
        f"ip saddr {SERVER} ip daddr {SERVER} snat to {public}\n}}\n"
    )
    nat = (["nft", "-f", "-"], f"table ip nat1 {{\n{chains}}}\n")
    world.router.run(["ip", "addr", "add", f"{public}/32", "dev", device])
    world.router.run(nat[0], text=nat[1])
    try:
        with near(world.server, tmp_path, addresses=("--address", public)) as side:
            # It comes back to itself from its own public address.
            assert f"comes from {public}, which is this server itself" in side.ask(world.server)
            side.ask(world.far)
            document = side.document()
    finally:
        world.router.run(["nft", "delete", "table", "ip", "nat1"])
        world.router.run(["ip", "addr", "del", f"{public}/32", "dev", device])
    assert set(states(document).values()) == {"arrived"}
    assert {one["peer"] for one in document["ports"]} == {FAR}


def test_a_listener_on_loopback_alone_is_not_in_the_way(world: Provider, tmp_path: Path) -> None:
    with serving(world.server, (25,), "127.0.0.1"), near(world.server, tmp_path) as side:
        side.ask(world.far)
        document = side.document()
    assert states(document)[25] == "arrived"
    assert next(one["listening"] for one in document["ports"] if one["port"] == 25)


@pytest.mark.long
def test_where_all_ports_are_in_use_one_more_takes_the_report(world: Provider, tmp_path: Path) -> None:
    with serving(world.server, PORTS):
        with near(world.server, tmp_path) as side:
            assert side.token.endswith("x")
            side.ask(world.far, "bash")
            document = side.document()
        assert set(states(document).values()) == {"arrived"}
        assert {one["how"] for one in document["ports"]} == {"packet"}
        assert {one["status"] for one in findings(world.server, tmp_path).values()} == {"pass"}
        # With that port closed on the way the report is typed in, and is what the far side says.
        closed = world.rules(world.router, "forward", "tcp dport > 5000 tcp sport > 5000 reject")
        with closed, near(world.server, tmp_path) as side:
            said = side.ask(world.far)
        report = re.search(r"reach --result '([^']+)'", said)
        assert report, said
        new = ("--dir", str(tmp_path), "--state-dir", str(tmp_path / "new"), "--result", report[1])
        done = world.server.run([*WIZARD, "reach", "--json", *V4, *new], check=False)
    assert done.returncode == 0, f"{done.stderr}\n{report[1]}"
    found = findings(world.server, tmp_path / "new")
    assert {(one["status"], one["certainty"]) for one in found.values()} == {("pass", "inferred")}


def test_somebody_in_between_who_answers_is_no_proof(world: Provider, tmp_path: Path) -> None:
    rule = f"ip daddr {SERVER} tcp dport {{ 443, 587 }} redirect to :443"
    chain = f"chain c {{\ntype nat hook prerouting priority dstnat;\n{rule}\n}}"
    world.router.run(["nft", "-f", "-"], text=f"table ip between {{\n{chain}\n}}\n")
    try:
        with (
            serving(world.server, (443,)),
            serving(world.router, (443,)),
            near(world.server, tmp_path) as side,
        ):
            side.ask(world.far)
            document = side.document()
    finally:
        world.router.run(["nft", "delete", "table", "ip", "between"])
    seen = states(document)
    assert {seen[443], seen[587]} == {"answered by something else"}
    assert findings(world.server, tmp_path)["443"]["status"] == "unknown"


def test_a_knock_shows_within_a_fifth_of_a_second(world: Provider, tmp_path: Path) -> None:
    with near(world.server, tmp_path) as side:
        knock = f"exec 3<>/dev/tcp/{SERVER}/587; echo 'MW1 {side.token} 587' >&3; read -rt5 a <&3; echo $a"
        begun = time.monotonic()
        assert f"MW1 OK {FAR} 587" in world.far.run(["bash", "-c", knock]).stdout
        assert side.process.stderr is not None
        line = next(one for one in side.process.stderr if "  587  " in one)
        took = time.monotonic() - begun
    assert f"arrived from {FAR}" in line
    # Starting bash in the namespace is within it.
    assert took < 0.2


def test_two_wizards_prove_each_other(world: Provider, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    with near(world.server, here) as one, near(world.far, there, addresses=("--address", FAR)) as other:
        one.ask(world.far)
        other.ask(world.server)
        assert set(states(one.document()).values()) == {"arrived"}
        assert set(states(other.document()).values()) == {"arrived"}


def test_without_a_proof_nothing_is_green(world: Provider, tmp_path: Path) -> None:
    found = findings(world.server, tmp_path)
    assert len(found) == len(PORTS)
    assert {one["status"] for one in found.values()} == {"unknown"}


def test_a_report_of_nothing_is_typed_in(world: Provider, tmp_path: Path) -> None:
    report = "4:" + ".".join(f"{one}s" for one in PORTS) + ";c:s"
    argv = [*WIZARD, "reach", "--json", *V4, "--state-dir", str(tmp_path), "--result", report]
    done = world.server.run(argv, check=False)
    assert done.returncode == 1
    found = findings(world.server, tmp_path)
    assert (found["25"]["status"], found["143"]["status"]) == ("unknown", "fail")
    assert "or its own" in found["143"]["summary"]


@pytest.mark.parametrize("more", [(), ("--result", "4:25o.80n.143s;c:o")], ids=["asked", "typed in"])
def test_who_may_not_listen_is_told_so_and_no_port_is_closed(
    world: Provider, tmp_path: Path, more: tuple[str, ...]
) -> None:
    # As a user who is not root: neither what is free nor what is in use can be told.
    argv = ["setpriv", "--bounding-set=-net_bind_service", *WIZARD, "reach", *V4, *more]
    done = world.server.run([*argv, "--state-dir", str(tmp_path), "--dir", str(tmp_path)], check=False)
    assert (done.returncode, done.stdout) == (77, "")
    assert "only root may listen on mailcow's ports" in done.stderr
    assert {one["status"] for one in findings(world.server, tmp_path).values()} == {"unknown"}


@pytest.mark.parametrize("files", [12, 22])
def test_what_this_machine_lacks_closes_no_port(world: Provider, tmp_path: Path, files: int) -> None:
    report = "4:" + ".".join(f"{one}r" for one in PORTS if one != 25)
    argv = ["prlimit", f"--nofile={files}:{files}", *WIZARD, "reach", "--plain", *BOTH, "--result", report]
    done = world.server.run([*argv, "--state-dir", str(tmp_path), "--dir", str(tmp_path)], check=False)
    assert "Too many open files" in done.stdout
    assert "closed here" not in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_what_is_closed_here_is_told_while_the_far_side_reports_nothing(
    world: Provider, tmp_path: Path
) -> None:
    """Whoever asked went away before his report; what he asked for was seen all the same."""
    own = world.rules(world.server, "input", "tcp dport 993 drop")
    with own, near(world.server, tmp_path, "--minutes", "1") as side:
        begun = time.monotonic()
        program = (
            "import socket\n"
            f"one = socket.create_connection(({SERVER!r}, 80))\n"
            f"one.sendall(b'MW1 {side.token} 80\\n')\n"
            f"socket.create_connection(({SERVER!r}, 993), 40)\n"
        )
        asking = world.far.start([sys.executable, "-c", program])
        try:
            assert side.process.stderr is not None
            said = next(one for one in side.process.stderr if " 993  Dovecot" in one)
        finally:
            end(asking)
    assert f"closed here: {FAR} came, and was not let in" in said
    assert time.monotonic() - begun < 40, "at the end of the minute all is told"


@pytest.mark.parametrize(
    "words",
    [
        ("reach", "x"),
        ("reach", "--from", SERVER),
        ("reach", "--from", SERVER, "garbage"),
        ("reach", "--from", SERVER, "A" * 20 + "-0"),
        ("reach", "--from", SERVER, "A" * 20 + "-99999"),
        ("reach", "--minutes", "0"),
        ("reach", "--result", "nonsense"),
        ("reach", "--offline"),
        ("reach", "--demo"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    world: Provider, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = world.server.run([*WIZARD, *words, *V4, "--state-dir", str(tmp_path)], check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)


def test_meanwhile_its_own_listeners_are_no_conflict(world: Provider, tmp_path: Path) -> None:
    state = ["--state-dir", str(tmp_path / "other"), "--dir", str(tmp_path)]

    def found() -> dict[str, Any]:
        said = world.server.run([*WIZARD, "check", "ports", "--json", *state], check=False).stdout
        return {one["id"]: one for one in json.loads(said)["checks"]}

    with near(world.server, tmp_path):
        meanwhile = found()
        with serving(world.server, (7654,), "127.0.0.1"):
            assert found()["ports.redis"]["status"] == "fail"
    own = meanwhile["ports.smtp"]
    assert own["status"] == "unknown", own["summary"]
    assert "the wizard itself listens on port 25" in own["summary"]
    assert own["fixes"] == []
    assert meanwhile["ports.redis"]["status"] == "pass"
    assert found()["ports.smtp"]["status"] == "pass"
