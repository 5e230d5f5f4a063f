"""The log of installs, followed while it is written: also a long one of many runs, and an emptied one."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.inside import wait_until

from mailcow_wizard.engine import lock
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.log import LogFile
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.install import following
from mailcow_wizard.install.standing import Choices, Record, fresh
from mailcow_wizard.model import Settings

STAMP = "2026-11-27T17:00:00Z"
PIECE = 8 << 20
"""So much is read at once."""


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    """Where an install is under way, by its record."""
    made = StateDirectory(str(tmp_path / "state"))
    settings = Settings(str(tmp_path), offline=True)
    Record(made).save(fresh("run", STAMP, "mail.example.org", settings._asdict(), Choices()))
    return made


def fill(record: Record, size: int, text: str = "pull: old") -> None:
    """Adds lines of so many bytes in all."""
    line = f"{STAMP} {text}\n"
    with open(record.log_path, "a") as file:
        file.write(line * (size // len(line)))


def add(record: Record, *lines: str) -> None:
    with open(record.log_path, "a") as file:
        file.writelines(f"{STAMP} {one}\n" for one in lines)


@pytest.mark.parametrize("size", [0, 1000, PIECE - 20, PIECE, PIECE + 20, 2 * PIECE + 4711])
def test_what_is_old_is_not_told(size: int, state: StateDirectory) -> None:
    record = Record(state)
    fill(record, size)
    at = record.log_end()
    add(record, "begin: mailcow-wizard", "pull: new")
    assert record.log_begin() == at
    lines, end = record.log_lines(at)
    assert lines == ("begin: mailcow-wizard", "pull: new")
    assert end == Path(record.log_path).stat().st_size == record.log_end()


@pytest.mark.parametrize("size", [0, PIECE - 100, 2 * PIECE])
def test_where_the_last_run_begins(size: int, state: StateDirectory) -> None:
    """What a command says about a beginning is none; a run may be longer than what is read at once."""
    record = Record(state)
    add(record, "begin: mailcow-wizard 1, run a", "pull: old")
    at = record.log_end()
    add(record, "begin: mailcow-wizard 1, run b", "pull:   they begin: now", "pull: begin: x")
    fill(record, size, "pull: new")
    assert record.log_begin() == at


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_it_begins_where_two_pieces_meet(place: int, state: StateDirectory) -> None:
    record = Record(state)
    add(record, "begin: mailcow-wizard 1, run a")
    at = record.log_end()
    begin = f"{STAMP} begin: mailcow-wizard 1, run b\n"
    text = f"{STAMP} pull: "
    rest = PIECE - place - len(text) - 1
    with open(record.log_path, "a") as file:
        file.write(begin + text + "x" * rest + "\n")
    assert record.log_begin() == at


def followed(session: Session, done: Callable[[list[str]], object]) -> list[str]:
    """All that is told of an install that `done` writes."""
    heard: list[str] = []
    held = lock.take(session.state, lock.INSTALL)
    told = threading.Thread(
        target=following.follow, args=(session, lambda some: heard.extend(some.lines)), daemon=True
    )
    told.start()
    done(heard)
    record = Record(session.state)
    standing = record.load()
    assert standing
    record.save(standing._replace(state="done"))
    held.close()
    told.join(30)
    assert not told.is_alive()
    return heard


def test_all_is_told_however_much_it_is(state: StateDirectory) -> None:
    record = Record(state)
    session = Session(RealHost(), Settings(offline=True), state)
    fill(record, PIECE + 100)
    add(record, "begin: mailcow-wizard 1, run b")
    fill(record, 2 * PIECE + 100, f"pull: {'new ' * 100}")
    add(record, "pull: the last")

    heard = followed(session, lambda heard: wait_until(lambda: bool(heard), 20))
    assert heard[0].startswith("begin: mailcow-wizard 1, run b")
    assert heard[-1] == "pull: the last"
    assert sum(len(one) + len(STAMP) + 2 for one in heard) > 2 * PIECE
    assert not any("old" in one for one in heard)


def test_a_log_that_is_emptied_meanwhile_is_read_from_its_beginning(state: StateDirectory) -> None:
    """As logrotate's copytruncate does."""
    record = Record(state)
    session = Session(RealHost(), Settings(offline=True), state)
    fill(record, 4000)
    add(record, "begin: mailcow-wizard 1, run b")

    def rotated(heard: list[str]) -> None:
        assert wait_until(lambda: bool(heard), 20)
        Path(record.log_path).write_text("")
        LogFile(record.log_path, "pull: goes on")
        assert wait_until(lambda: "pull: goes on" in heard, 10)

    assert followed(session, rotated)[-1] == "pull: goes on"
