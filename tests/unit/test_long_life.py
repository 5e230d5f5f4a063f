"""A day of following an install and of waiting for DNS, its time compressed: memory and descriptors stay."""

import gc
import os
import queue
import socket
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab.name_server import NameServer, reply

from mailcow_wizard import language
from mailcow_wizard.engine import lock
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.network.dns import Round, Silence
from mailcow_wizard.host.processes import detached
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.install import following
from mailcow_wizard.install.standing import Choices, Progress, Record, fresh
from mailcow_wizard.model import Settings
from mailcow_wizard.tui import book as screens
from mailcow_wizard.tui.install_run import InstallRun
from tests.demo_config import DIRECTORY
from tests.demo_machine import DemoMachine

DAY_S = 24 * 3600
SHORT_S = 300
MOST_GROWTH = 1 << 20
SLOWER = {"en": 1, "de": 10}
"""Saying it anew in another language takes its time, and memory tracing more of it."""
_TURNS_A_SECOND = 5
_ROUNDS_PER_LINE = 20


class Flat:
    """Memory of Python's objects, descriptors and threads, compared with what they were after the start."""

    def __init__(self) -> None:
        tracemalloc.start()
        self._before: tuple[int, int, int] | None = None

    def begin(self) -> None:
        """What is there now is what is needed."""
        self._before = self._now()

    def trouble(self, fewer: int = 0) -> str:
        """What grew; empty: nothing. `fewer` descriptors and threads are to be left."""
        memory, *left = self._now()
        tracemalloc.stop()
        assert self._before
        before, *wanted = self._before
        if memory - before > MOST_GROWTH:
            return f"memory grew by {(memory - before) >> 10} KiB"
        if left != [one - fewer for one in wanted]:
            return f"descriptors and threads were {wanted} and are {left}"
        return ""

    def _now(self) -> tuple[int, int, int]:
        gc.collect()
        return tracemalloc.get_traced_memory()[0], len(os.listdir("/proc/self/fd")), threading.active_count()


# --- following an install ---


def followed(place: Path, seconds: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What grew while a screen followed an install that takes so long, and says something all the time."""
    state = StateDirectory(str(place))
    record, flat, turns = Record(state), Flat(), 0
    held = lock.take(state)
    held.tell(lock.INSTALL)
    standing = fresh("run", "2026-01-02T03:04:05Z", "mail.example.org", {"directory": DIRECTORY}, Choices())
    record.save(standing)
    total = seconds * _TURNS_A_SECOND
    # What is kept to be shown is full by then.
    warm = min(total // 2, 2500 * _ROUNDS_PER_LINE)

    def turn(_seconds: float) -> None:
        nonlocal turns
        turns += 1
        if turns % _ROUNDS_PER_LINE == 0:
            with open(record.log_path, "a") as log:
                log.write(f"2026-01-02T03:04:05Z pull: layer {turns} of 18 images took {turns / 7:.1f} s\n")
        record.save_progress(
            Progress("pull", f"{turns} of {total} MB, {turns % 977} kB a second", turns, total)
        )
        if turns == warm:
            flat.begin()
        if turns == total:
            record.save(standing._replace(state="done"))
            held.close()

    monkeypatch.setattr(detached, "pause", turn)
    made = InstallRun(None)
    drawn: list[int] = [0]

    def draw() -> None:
        drawn[0] += 1

    ended = threading.Event()

    def work(listen: following.Listen) -> Any:
        session = Session(DemoMachine(), Settings(directory=DIRECTORY), state)
        try:
            return following.follow(session, listen)
        finally:
            ended.set()

    Path(record.log_path).write_text("2026-01-02T03:04:05Z begin: run\n")
    made.start(work, draw)
    assert ended.wait(3600)
    while made.running:
        ended.wait(0.01)
    assert (made.refused, made.standing and made.standing.state) == ("", "done")
    assert turns == total
    assert drawn[0] > turns // 2
    for thread in [one for one in threading.enumerate() if one.name == "install"]:
        thread.join(5)
    # The thread that followed is over, and the lock is given back.
    return flat.trouble(fewer=1)


@pytest.fixture(params=["en", "de"])
def spoken(request: pytest.FixtureRequest) -> Any:
    """Follows in this language."""
    language.use(request.param)
    return request.param


def test_an_install_is_followed(spoken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert followed(tmp_path, SHORT_S // SLOWER[spoken], monkeypatch) == ""


@pytest.mark.long
def test_an_install_is_followed_for_a_day(
    spoken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert followed(tmp_path, DAY_S // SLOWER[spoken], monkeypatch) == ""


def test_what_was_heard_is_not_kept_for_ever() -> None:
    language.use("de")
    for number in range(5_000):
        assert language.heard(f"{number} is no sentence of ours") != ""
    assert len(language._known) <= language._MOST_KNOWN


# --- waiting for records ---


class Face:
    """What a book of records needs of the application."""

    def __init__(self, place: Path) -> None:
        settings = Settings(directory=DIRECTORY, hostname="mail.example.org", domains=("example.org",))
        self.session = Session(DemoMachine(), settings, StateDirectory(str(place)))
        self._later: queue.SimpleQueue[tuple[Callable[..., object], tuple[object, ...]]] = queue.SimpleQueue()

    def call_later(self, call: Callable[..., object], *arguments: object) -> None:
        """Has the application's own thread do something."""
        self._later.put((call, arguments))

    def settle(self, book: screens.Book) -> None:
        """Does what was asked for, until nothing is on its way."""
        while book.asking:
            call, arguments = self._later.get(timeout=60)
            call(*arguments)


def waited(place: Path, seconds: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """How often was asked, and what grew, while records were waited for that never become right."""
    now, rounds = 0.0, 0
    monkeypatch.setattr(screens, "clock", lambda: now)
    face = Face(place)
    book, flat = screens.Book(face.session, face.call_later, lambda: None), Flat()
    book.read()
    face.settle(book)
    assert book.problem == ""
    book.begin()
    while now < seconds:
        now += 1.0
        book.tick()
        rounds += book.asking
        face.settle(book)
        if now == seconds // 4:
            for one in [one for one in threading.enumerate() if one.name == "records"]:
                one.join(5)
            flat.begin()
    for one in [one for one in threading.enumerate() if one.name == "records"]:
        one.join(5)
    return rounds, flat.trouble()


def test_records_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, trouble = waited(tmp_path, SHORT_S, monkeypatch)
    assert trouble == ""
    assert rounds >= SHORT_S // 30


@pytest.mark.long
def test_records_are_waited_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, trouble = waited(tmp_path, DAY_S, monkeypatch)
    assert trouble == ""
    assert rounds >= DAY_S // 30


def asked(rounds: int) -> str:
    """What grew while servers were asked so often: one answers one name of two, the other is not there."""
    flat, silence, answered = Flat(), Silence(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.53.1", 0))
        port = probe.getsockname()[1]

    def answer(packet: bytes, transport: str) -> list[bytes]:
        return [reply(packet, ("192.88.99.10",))] if b"\x04good" in packet else []

    with NameServer("127.0.53.1", port, answer) as server:
        for number in range(rounds):
            questions = tuple(
                DnsQuestion(f"{name}.example.org", "A", (server,))
                for name, server in (("good", "127.0.53.1"), ("bad", "127.0.53.1"), ("good", "127.0.53.9"))
            )
            replies = Round(questions, 0.05, silence, port).replies()
            answered += bool(replies[0].packet)
            assert replies[1].error
            server.asked.clear()  # it keeps what it was asked, and is no part of what is measured
            if number == rounds // 4:
                flat.begin()
        assert answered > rounds // 4  # a crowded machine is late now and then
        return flat.trouble()


def test_name_servers_are_asked_again_and_again() -> None:
    assert asked(40) == ""


@pytest.mark.long
def test_name_servers_are_asked_for_a_day() -> None:
    assert asked(DAY_S // 10) == ""
