"""The state directory: whole or not at all, for its owner alone, and garbage in it does no harm."""

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost

from mailcow_wizard.engine.given import Given
from mailcow_wizard.engine.session import Answers, Session
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import state
from mailcow_wizard.host.files.state import StateDirectory, default_directory, write_private
from mailcow_wizard.model import Settings

ANSWERS = Answers("mail.example.org", ("example.org", "example.com"), "ports")


def mode(path: Path) -> int:
    """A file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def session(path: Path) -> Session:
    """A session that keeps its state there."""
    return Session(FakeHost(), Settings(), StateDirectory(str(path)))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    session(tmp_path / "state").keep(ANSWERS)
    assert session(tmp_path / "state").answers == ANSWERS
    assert session(tmp_path / "state").settings.domains == ANSWERS.domains
    assert session(tmp_path / "state").hostname().name == "mail.example.org"
    assert session(tmp_path / "state").hostname().origin == "saved"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_for_the_owner_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        session(tmp_path / "a" / "state").keep(ANSWERS)
        session(tmp_path / "a" / "state").keep(ANSWERS)
    finally:
        os.umask(before)
    assert mode(tmp_path / "a" / "state") == 0o700
    assert mode(tmp_path / "a" / "state" / "answers.json") == 0o600
    assert os.listdir(tmp_path / "a" / "state") == ["answers.json"]


def test_wide_open_file_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "answers.json"
    file.write_text("{}")
    file.chmod(0o666)
    session(tmp_path).keep(ANSWERS)
    assert mode(file) == 0o600


GARBAGE: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "not text": b"\xff\xfe\x00garbage",
    "null": b"null",
    "a number": b"1e999",
    "a list": b'["hostname"]',
    "deep": b"[" * 200_000,
    "wrong shapes": b'{"hostname": 5, "domains": {"a": 1}, "step": null}',
    "wrong shapes inside": b'{"hostname": ["x"], "domains": [1, null, ["x"]], "step": {}}',
    "more": b'{"unknown": 1, "host": "x"}',
    "half": json.dumps(ANSWERS._asdict()).encode()[:30],
    "huge": b'{"hostname": "' + b"x" * (5 << 20) + b'"}',
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_nothing_known(tmp_path: Path, name: str) -> None:
    (tmp_path / "answers.json").write_bytes(GARBAGE[name])
    made = session(tmp_path)
    assert made.answers == Answers()
    made.keep(ANSWERS)
    assert session(tmp_path).answers == ANSWERS


def test_part_of_the_answers(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text('{"hostname": "mail.example.org", "domains": ["a.org", 5]}')
    assert session(tmp_path).answers == Answers("mail.example.org", ("a.org",))


def test_what_mailcow_conf_is_to_hold(tmp_path: Path) -> None:
    """It is chosen bit by bit, is known to later sittings, and is nothing to remember once it is written."""
    first = session(tmp_path)
    first.choose({"SKIP_CLAMD": "y", "TZ": "Etc/UTC"})
    first.choose({"MAILCOW_HOSTNAME": "mail.example.net", "SKIP_CLAMD": "n", "LOG_LINES": "5=5"})
    chosen = ("SKIP_CLAMD=n", "TZ=Etc/UTC", "LOG_LINES=5=5")
    assert first.settings.conf == chosen
    later = session(tmp_path)
    assert (later.answers, later.settings.conf) == (Answers("mail.example.net", conf=chosen), chosen)
    later.chosen_is_written()
    assert session(tmp_path).answers == Answers("mail.example.net")


def test_a_name_that_is_chosen_takes_no_domain_away(tmp_path: Path) -> None:
    said = Session(FakeHost(), Settings(domains=("example.com",)), StateDirectory(str(tmp_path)))
    said.choose({"SKIP_CLAMD": "y"})
    assert (said.settings.domains, session(tmp_path).settings.domains) == (("example.com",), ())
    said.choose({"MAILCOW_HOSTNAME": "mail.example.org"})
    assert said.settings.domains == session(tmp_path).settings.domains == ("example.com",)


def test_a_file_of_answers_counts_more_than_what_was_chosen(tmp_path: Path) -> None:
    session(tmp_path).choose({"SKIP_CLAMD": "y", "SKIP_FTS": "y"})
    conf = ("SKIP_CLAMD=n",)
    by_file = Session(FakeHost(), Settings(conf=conf), StateDirectory(str(tmp_path)), given=Given(conf=conf))
    assert by_file.settings.conf == ("SKIP_CLAMD=n", "SKIP_FTS=y")
    by_file.take_over()
    assert session(tmp_path).settings.conf == ("SKIP_CLAMD=y", "SKIP_FTS=y")
    by_file.choose({"HTTP_PORT": "8080"})  # on the screen, beside the file
    assert by_file.settings.conf == ("SKIP_CLAMD=n", "SKIP_FTS=y", "HTTP_PORT=8080")
    assert session(tmp_path).settings.conf == ("SKIP_CLAMD=y", "SKIP_FTS=y", "HTTP_PORT=8080")


def test_what_is_no_setting_is_not_chosen(tmp_path: Path) -> None:
    saved = {"conf": ["SKIP_CLAMD=y", "x", 5, "lower=1", "A=1\nB=2", "=1"]}
    (tmp_path / "answers.json").write_text(json.dumps(saved))
    assert session(tmp_path).settings.conf == ("SKIP_CLAMD=y",)


def test_hostile_answers_are_harmless(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text(json.dumps({"hostname": "\x1b[2J\n\udc80" + "x" * 10_000}))
    name = session(tmp_path).hostname().name
    assert name.isprintable()
    assert len(name) <= 253


@pytest.mark.parametrize("what", ["a directory", "a pipe", "a link to itself"])
def test_something_else_in_the_place(tmp_path: Path, what: str) -> None:
    place = tmp_path / "answers.json"
    if what == "a directory":
        place.mkdir()
    elif what == "a pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(place)
    assert session(tmp_path).answers == Answers()
    if what == "a link to itself":
        session(tmp_path).keep(ANSWERS)
        assert session(tmp_path).answers == ANSWERS
    else:
        with pytest.raises(HostError):
            session(tmp_path).keep(ANSWERS)
    assert os.listdir(tmp_path) == ["answers.json"]


@pytest.mark.parametrize("place", ["file/state", "/proc/nothing", "/dev/null/x"])
def test_directory_that_cannot_be_made(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="could not be made"):
        session(tmp_path / place).keep(ANSWERS)


@pytest.mark.parametrize("where", ["dumps", "fsync", "replace"])
@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt(), SystemExit(143)]
)
def test_interrupted_save_leaves_the_old(
    tmp_path: Path, where: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    session(tmp_path).keep(ANSWERS)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(state.json if where == "dumps" else state.os, where, fail)
    expected = HostError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected):
        session(tmp_path).keep(Answers("other.example.org"))
    monkeypatch.undo()
    assert session(tmp_path).answers == ANSWERS
    assert os.listdir(tmp_path) == ["answers.json"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_interrupted_when_the_new_is_in_its_place(
    tmp_path: Path, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interruption is what ends it, and not the part that is no longer there."""
    real = os.replace

    def replaced(*names: Any) -> None:
        real(*names)
        raise error

    monkeypatch.setattr(state.os, "replace", replaced)
    with pytest.raises(error):
        write_private(str(tmp_path / "x.json"), {"x": 1})
    assert StateDirectory(str(tmp_path)).load("x") == {"x": 1}
    assert os.listdir(tmp_path) == ["x.json"]


def test_a_reader_never_sees_half(tmp_path: Path) -> None:
    kept = StateDirectory(str(tmp_path))
    kept.save("x", {"n": 0, "long": "x" * 100_000})
    over = threading.Event()
    seen: list[Any] = []

    def read() -> None:
        while not over.is_set():
            seen.append(kept.load("x"))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(30):
        kept.save("x", {"n": number, "long": "x" * 100_000})
    over.set()
    reader.join()
    assert seen
    assert all(one is not None and len(one["long"]) == 100_000 for one in seen)


def test_the_directory_is_flushed_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        done.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_replace(part: str, target: str) -> None:
        done.append("replace")
        replace(part, target)

    monkeypatch.setattr(state.os, "fsync", note_fsync)
    monkeypatch.setattr(state.os, "replace", note_replace)
    write_private(str(tmp_path / "x.json"), {})
    assert done == ["file", "replace", "directory"]


def test_part_of_a_killed_process_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / f"x.json.{os.getpid()}.part").write_text("half")
    write_private(str(tmp_path / "x.json"), {"a": 1})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": 1}


def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_private(str(tmp_path / "link"), {"a": 1})
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "target").read_text()) == {"a": 1}


def test_device_is_refused_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/null", str(tmp_path)):
        with pytest.raises(HostError, match="not a file"):
            write_private(path, {})
    assert pipe.is_fifo()
    assert Path("/dev/null").is_char_device()


def test_any_text_can_be_kept(tmp_path: Path) -> None:
    document = {"x": "\udc80 \ud800 \0 \x1b é 🐄"}
    write_private(str(tmp_path / "x.json"), document)
    assert StateDirectory(str(tmp_path)).load("x") == document


def test_who_stands_in_a_directory_that_is_gone_keeps_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after mailcow's directory was removed, to be cloned anew."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    write_private(str(tmp_path / "x.json"), {"x": 1})
    assert StateDirectory(str(tmp_path)).load("x") == {"x": 1}


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.os, "geteuid", lambda: 0)
    assert default_directory() == "/var/lib/mailcow-wizard"
    monkeypatch.setattr(state.os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert default_directory() == "/x/mailcow-wizard"
    for other in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", other)
        assert default_directory() == "/home/anna/.local/state/mailcow-wizard"
    # A user that nobody made, in a container: never a directory ~ in this one.
    monkeypatch.setattr(state.os.path, "expanduser", lambda path: path)
    assert default_directory() == "/.local/state/mailcow-wizard"


def test_what_another_session_has_kept_meanwhile_stays(tmp_path: Path) -> None:
    """The screens are open while a command, or a program, adds a domain."""
    screens, command = session(tmp_path), session(tmp_path)
    command.keep(command.answers._replace(domains=("example.org",)))
    screens.keep(screens.answers._replace(step="ports"), named=False)
    assert session(tmp_path).answers == Answers("", ("example.org",), "ports")
    screens.keep(screens.answers._replace(domains=()), named=False)
    assert session(tmp_path).answers == Answers("", (), "ports")


def test_what_could_not_be_kept_is_kept_with_the_next(tmp_path: Path) -> None:
    one = session(tmp_path / "state")
    (tmp_path / "state").write_text("")
    with pytest.raises(HostError):
        one.keep(ANSWERS)
    (tmp_path / "state").unlink()
    one.keep(one.answers._replace(step="dns"), named=False)
    assert session(tmp_path / "state").answers == ANSWERS._replace(step="dns")
