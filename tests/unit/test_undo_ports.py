"""What was stopped listens again when it is taken back: not while somebody else has its port."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from mended import NEW, OLD, Mailcow, document

from mailcow_wizard.cli.app import run
from mailcow_wizard.engine import mending
from mailcow_wizard.engine.journal import Mark, Standing
from mailcow_wizard.engine.mending import Outcome
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.undo.ports import Taken, keep_taken
from mailcow_wizard.facts import taken
from mailcow_wizard.facts.ports import Occupant
from mailcow_wizard.facts.taken import meet, places_of
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.recording.recorded import DEMO, load
from mailcow_wizard.host.replies import Holder, Listener
from mailcow_wizard.model import Command, Place, Plan, Settings
from tests.fake_host import FakeHost


@pytest.fixture
def mailcow(tmp_path: Path) -> Mailcow:
    """A small mailcow directory whose TZ is empty."""
    return Mailcow(tmp_path)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_it_waits_until_the_port_is_free(mailcow: Mailcow, listener: socket.socket) -> None:
    number = listener.getsockname()[1]
    places = [("postfix", "0.0.0.0", number), ("apache2", "0.0.0.0", 1)]
    done = mailcow.fix("--yes", run=[("true", "echo back")], places=places)
    assert done.returncode == 0
    for words, code in ((("--yes",), 73), ((), 73), (("--dry-run",), 0)):
        done = mailcow.run("undo", *words)
        said = done.stderr.decode()
        assert (done.returncode, done.stdout) == (code, b""), said
        words = f"nothing was changed: port {number} is taken ("
        assert said.startswith(f"mailcow-wizard: {words}")
        assert "), and postfix could not listen again; first" in said
    done = mailcow.run("undo", "1", "--yes", "--json")
    assert (done.returncode, document(done)["state"]) == (73, "applied")
    assert mailcow.changes()[0]["state"] == "applied"
    assert mailcow.conf.read_text() == NEW
    listener.close()
    assert mailcow.run("undo", "--yes").returncode == 0
    assert mailcow.conf.read_text() == OLD


@pytest.mark.parametrize(
    ("place", "there", "both"),
    [
        (Place((), "0.0.0.0", 25), ("0.0.0.0", 25, False), True),
        (Place((), "0.0.0.0", 25), ("127.0.0.1", 25, False), True),
        (Place((), "127.0.0.1", 25), ("192.88.99.10", 25, False), False),
        (Place((), "127.0.0.1", 25), ("0.0.0.0", 25, False), True),
        (Place((), "0.0.0.0", 25), ("0.0.0.0", 26, False), False),
        (Place((), "0.0.0.0", 25), ("::", 25, False), True),
        (Place((), "0.0.0.0", 25), ("::", 25, True), False),
        (Place((), "::", 25), ("192.88.99.10", 25, False), True),
        (Place((), "::", 25, True), ("0.0.0.0", 25, False), False),
        (Place((), "::", 25, True), ("::1", 25, True), True),
        (Place((), "::1", 25, True), ("2d00:113::10", 25, True), False),
    ],
)
def test_places(place: Place, there: tuple[str, int, bool], both: bool) -> None:
    address, port, v6only = there
    listener = Listener(6 if ":" in address else 4, address, port, v6only, "", 0, 1, 0)
    assert meet(place, listener) is both


def test_each_is_told_with_its_own_places() -> None:
    """Of two that have the port, at an address each."""

    def at(address: str, unit: str) -> Occupant:
        return Occupant(Listener(4, address, 80, False, "", 0, 1, 0), Holder(1, (), "", "root"), unit)

    both = at("127.0.0.1", "nginx.service"), at("192.88.99.10", "apache2.service")
    assert places_of(("nginx.service", "apache2.service"), both) == (
        Place(("nginx.service",), "127.0.0.1", 80),
        Place(("apache2.service",), "192.88.99.10", 80),
    )


@pytest.mark.parametrize(
    ("unit", "state", "back", "refused"),
    [
        ("apache2.service", "listening", "waiting", True),
        ("nginx.service", "listening", "waiting", False),  # who had it, and has it again
        ("apache2.service", "time-wait", "waiting", False),  # which ends by itself
        ("apache2.service", "listening", "done", False),  # it was started again
    ],
)
def test_who_is_in_the_way(
    unit: str, state: str, back: Mark, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Listener(4, "0.0.0.0", 80, False, "", 0, 1, 0, state)
    monkeypatch.setattr(
        taken,
        "holding",
        lambda facts, ports: (Occupant(there, Holder(1, (), "", "root"), unit),) * bool(ports),
    )
    stop = Command(("true",), (("true",),), places=(Place(("nginx.service",), "0.0.0.0", 80),))
    plan = Plan("ports.http", None, "stop-service", "Stop it", (stop,), "low", True, True, "It is free.")
    session = Session(FakeHost(), Settings(), StateDirectory(str(tmp_path)))
    with pytest.raises(Taken) if refused else contextlib.nullcontext():
        keep_taken(session, plan, Standing("applied", ("done",), (back,)))


def test_only_who_finds_the_place_taken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Listener(4, "192.88.99.10", 80, False, "", 0, 1, 0, "listening")
    holder = Occupant(there, Holder(1, (), "", "root"), "caddy.service")
    monkeypatch.setattr(taken, "holding", lambda facts, ports: (holder,))
    places = (Place(("nginx.service",), "127.0.0.1", 80), Place(("apache2.service",), "192.88.99.10", 80))
    stop = Command(("true",), (("true",),), places=places)
    plan = Plan("ports.http", None, "stop-service", "Stop it", (stop,), "low", True, True, "It is free.")
    session = Session(FakeHost(), Settings(), StateDirectory(str(tmp_path)))
    with pytest.raises(Taken, match=r"\(caddy\), and apache2 could not listen again"):
        keep_taken(session, plan, Standing("applied", ("done",), ("waiting",)))


@pytest.mark.parametrize(("check", "ports"), [("ports.smtp", {25}), ("ports.http", {80, 443})])
def test_a_plan_knows_where_who_is_stopped_listens(check: str, ports: set[int], tmp_path: Path) -> None:
    demo = load(DEMO)
    seen = mending.look(
        Session(demo, Settings(directory=demo.directory), StateDirectory(str(tmp_path))), check
    )
    plans = [one.plan() for one in seen.offers(seen.findings[0]) if one.fix.id == "stop-service"]
    commands = [step for step in plans[0].steps if isinstance(step, Command)]
    assert {place.port for place in commands[0].places} == ports


def test_one_that_could_not_be_written_stays_made(
    mailcow: Mailcow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mailcow.fix("--yes").returncode == 0
    said = Outcome("1", "applied", None, "its disk is full")
    monkeypatch.setattr(mending, "take_back", lambda *words: said)
    places = ["--dir", str(mailcow.directory), "--state-dir", str(mailcow.state), "--offline"]
    assert run(["undo", "--yes", "--json", *places]) == 73
    written = capsys.readouterr()
    assert "nothing was changed: its disk is full" in written.err
    assert json.loads(written.out)["state"] == "applied"


def test_one_that_could_not_be_written_down_says_so(
    mailcow: Mailcow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mailcow.fix("--yes").returncode == 0
    monkeypatch.setattr(mending, "take_back", lambda *words: Outcome("1", "undone", None, ""))
    places = ["--dir", str(mailcow.directory), "--state-dir", str(mailcow.state), "--offline"]
    assert run(["undo", "--yes", *places]) == 0
    assert "this could not be written down" in capsys.readouterr().err
    assert mailcow.run("undo", "--yes").stderr == b""


def test_one_that_failed_while_it_was_taken_back_is_gone_on_with(mailcow: Mailcow) -> None:
    assert mailcow.fix("--yes", run=[("true", "false")]).returncode == 0
    done = mailcow.run("undo", "--yes")
    assert done.returncode == 1
    said = done.stderr.decode()
    assert "undo 1` goes on taking it back" in said
    assert "--resume" not in said
