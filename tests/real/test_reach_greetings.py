"""`reach` where real servers have mailcow's ports already: asked as they are, and told from whatever stands
between."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.certificates import self_signed
from lab.mail_in_place import mail_in
from lab.mail_server import Pair
from lab.provider import SERVER, Provider, provider
from lab.skip import or_skip

from tests.real.reach_sides import BOTH, V4, WAYS, WIZARD, findings, near, states

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    place = tmp_path_factory.mktemp("certificates")
    place.chmod(0o755)
    place.parent.chmod(0o755)
    return tuple(self_signed(place, one, f"/CN={one}.example.org") for one in ("mail", "box"))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def world(pairs: tuple[Pair, Pair]) -> Iterator[Provider]:
    with or_skip(), provider() as made, mail_in(made.server, pairs[0]):
        yield made


@contextmanager
def led_astray(world: Provider, *ports: int) -> Iterator[None]:
    """The router answers in the server's place."""
    listed = ", ".join(str(one) for one in ports)
    rule = f"ip daddr {SERVER} tcp dport {{ {listed} }} redirect"
    chain = f"chain c {{\ntype nat hook prerouting priority dstnat;\n{rule}\n}}"
    world.router.run(["nft", "-f", "-"], text=f"table ip between {{\n{chain}\n}}\n")
    try:
        yield
    finally:
        world.router.run(["nft", "delete", "table", "ip", "between"])


def answers(said: str) -> dict[int, str]:
    """What a far side told of each port over IPv4, in a report that nobody took."""
    report = re.search(r"4:([^;'\"]+)", said)
    assert report, said
    return {int(re.match(r"\d+", one)[0]): one.lstrip("0123456789") for one in report[1].split(".")}  # type: ignore[index]


@pytest.mark.parametrize("way", WAYS)
def test_servers_that_run_already_are_asked_as_they_are(world: Provider, tmp_path: Path, way: str) -> None:
    with near(world.server, tmp_path, addresses=BOTH) as side:
        side.ask(world.far, way)
        document = side.document()
    assert set(states(document).values()) == set(states(document, "v6").values()) == {"arrived"}
    assert {one["how"] for one in document["ports"]} == {"packet"}
    assert {one["status"] for one in findings(world.server, tmp_path, BOTH).values()} == {"pass"}


@pytest.mark.parametrize("way", WAYS)
def test_what_the_far_side_hears(world: Provider, tmp_path: Path, way: str) -> None:
    # The port that takes the report is closed: it is shown there.
    closed = world.rules(world.router, "forward", "tcp dport > 5000 tcp sport > 5000 reject")
    with closed, near(world.server, tmp_path) as side:
        heard = answers(side.ask(world.far, way))
    assert heard[25].startswith("o~220_mail,example,org_ESMTP")
    assert heard[587].startswith("o~220_mail,example,org_ESMTP")
    assert heard[143].startswith("o~*_OK_Dovecot")
    assert heard[110].startswith("o~+OK_Dovecot")
    assert heard[4190].startswith("o~_IMPLEMENTATION")
    assert heard[80].startswith("o~HTTP_1,1_301_nginx")
    certificates = {heard[one] for one in (465, 993, 995, 443)}
    if way == "bash":
        assert certificates == {"t"}
    else:
        assert len(certificates) == 1
        assert re.fullmatch("t~[0-9a-f]{16}", *certificates)


@pytest.mark.parametrize("way", WAYS)
def test_another_server_in_between_is_told_from_this_one(
    world: Provider, pairs: tuple[Pair, Pair], tmp_path: Path, way: str
) -> None:
    ports = (25, 143, 443, 80)
    with (
        mail_in(world.router, pairs[1], "box.example.net"),
        led_astray(world, *ports),
        near(world.server, tmp_path) as side,
    ):
        side.ask(world.far, way)
        document = side.document()
    seen = states(document)
    assert {seen.pop(one) for one in ports} == {"answered by something else"}
    assert set(seen.values()) == {"arrived"}
    said = {one["port"]: one["said"] for one in document["ports"]}
    assert said[25].startswith("220 box.example.net ESMTP")
    found = findings(world.server, tmp_path)
    assert found["25"]["status"] == "unknown"
    assert "220 box.example.net ESMTP" in found["25"]["summary"]
    # The box is gone: it is asked once more, and green.
    with near(world.server, tmp_path) as side:
        side.ask(world.far, way)
        side.document()
    assert {one["status"] for one in findings(world.server, tmp_path).values()} == {"pass"}


def result(world: Provider, state: Path, report: str) -> dict[int, str]:
    """What is made of a report that is typed in."""
    argv = [
        *WIZARD,
        "reach",
        "--json",
        *V4,
        "--state-dir",
        str(state),
        "--dir",
        str(state),
        "--result",
        report,
    ]
    done = world.server.run(argv, check=False)
    return states(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("port", "told", "state"),
    [
        (25, "o~220_mail,example,org_ESMTP_Postfix", "arrived"),
        (25, "o~220_________________", "answered by something else"),
        (443, "t~0123456789abcdef", "answered by something else"),
    ],
)
def test_what_is_typed_in_is_judged_by_what_this_machine_hears(
    world: Provider, tmp_path: Path, port: int, told: str, state: str
) -> None:
    assert result(world, tmp_path, f"4:{port}{told}")[port] == state


def test_a_port_that_opens_and_says_nothing_is_not_green(world: Provider, tmp_path: Path) -> None:
    # Only what the server says is lost: a firewall that inspects, or a hole for large packets.
    lost = ("ip saddr 192.88.99.10 tcp sport 587 tcp flags & psh == psh drop",)
    with world.rules(world.router, "forward", *lost), near(world.server, tmp_path) as side:
        side.ask(world.far)
        document = side.document()
    assert states(document)[587] == "open, and nothing is heard"
    found = findings(world.server, tmp_path)["587"]
    assert found["status"] == "unknown"
    assert "nothing is heard" in found["summary"]


@pytest.fixture
def postscreened(pairs: tuple[Pair, Pair]) -> Iterator[Provider]:
    with or_skip(), provider() as made, mail_in(made.server, pairs[0], postscreen=True):
        yield made


@pytest.mark.parametrize("way", [pytest.param("bash", marks=pytest.mark.long), "wizard"])
def test_a_mail_server_that_lets_strangers_wait(postscreened: Provider, tmp_path: Path, way: str) -> None:
    with near(postscreened.server, tmp_path) as side:
        side.ask(postscreened.far, way)
        document = side.document()
    assert set(states(document).values()) == {"arrived"}
