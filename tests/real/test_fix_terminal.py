"""`fix` and `undo` at a real terminal: the plan, the question, No at hand, and what happens meanwhile."""

from pathlib import Path

import pytest
from lab.inside import wait_until
from mended import CHECK, FIX, NEW, OLD, Mailcow, Typist

from mailcow_wizard.engine import lock
from mailcow_wizard.host.files.state import StateDirectory

QUESTION = "Do this? [y/N] "


@pytest.fixture
def mailcow(tmp_path: Path) -> Mailcow:
    """A small mailcow directory whose TZ is empty."""
    return Mailcow(tmp_path)


def asked(mailcow: Mailcow, *words: str, **more: object) -> Typist:
    """The wizard has shown its plan and asks."""
    typist = Typist(mailcow.argv("fix", CHECK, FIX, *words, **more))
    typist.wait_for(QUESTION)
    return typist


@pytest.mark.parametrize("answer", ["\n", "n\n", "No\n", "\x04", "maybe\n\n"])
def test_no_is_at_hand(answer: str, mailcow: Mailcow) -> None:
    typist = asked(mailcow)
    assert "+TZ=Etc/UTC" in typist.seen
    typist.type(answer)
    assert typist.code() in (1, 2)
    assert "Nothing was changed." in typist.seen
    assert mailcow.conf.read_text() == OLD
    assert mailcow.changes() == []


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_yes(answer: str, mailcow: Mailcow) -> None:
    typist = asked(mailcow, run=[["echo working", "true"]])
    typist.type(answer)
    assert typist.code() == 0
    assert "    working\n" in typist.seen
    assert mailcow.conf.read_text() == NEW
    typist = Typist(mailcow.argv("undo"))
    typist.wait_for(QUESTION)
    typist.type("y\n")
    assert typist.code() == 0
    assert "Change 1 was taken back." in typist.seen
    assert mailcow.conf.read_text() == OLD


def test_ctrl_c_at_the_question(mailcow: Mailcow) -> None:
    typist = asked(mailcow)
    typist.type("\x03")
    assert typist.code() == 130
    assert mailcow.conf.read_text() == OLD


def test_changed_between_question_and_answer_is_refused_and_shown_again(mailcow: Mailcow) -> None:
    typist = asked(mailcow)
    edited = OLD.replace("SKIP_CLAMD=n", "SKIP_CLAMD=y")
    mailcow.conf.write_text(edited)
    typist.type("y\n")
    assert typist.code() == 73
    said = typist.seen.partition(QUESTION)[2]
    assert f"nothing was changed: {mailcow.conf} was changed since it was shown" in said
    assert "+TZ=Etc/UTC" in said
    assert " SKIP_CLAMD=y" in said
    assert mailcow.conf.read_text() == edited
    assert mailcow.changes() == []


@pytest.mark.parametrize(("answer", "code", "state"), [("\n", 73, "undone"), ("n\n", 1, "interrupted")])
def test_what_failed_is_taken_back_if_wanted(answer: str, code: int, state: str, mailcow: Mailcow) -> None:
    typist = asked(mailcow, run=[["exit 3", "true"]])
    typist.type("y\n")
    typist.wait_for("Take back what was done? [Y/n] ")
    assert "it was stopped: sh failed with exit code 3" in typist.seen
    typist.type(answer)
    assert typist.code() == code
    assert mailcow.changes()[0]["state"] == state
    assert mailcow.conf.read_text() == (OLD if state == "undone" else NEW)


def test_ctrl_c_at_work_takes_back(mailcow: Mailcow) -> None:
    typist = asked(mailcow, run=[["echo begun; sleep 1; echo ended", "true"], ["echo second", "true"]])
    typist.type("y\n")
    typist.wait_for("    begun")
    typist.type("\x03")
    assert typist.code() == 130
    # The command under way came to its end, and no further one began.
    assert "    ended" in typist.seen
    assert "    second" not in typist.seen
    assert "change 1 is undone" in typist.seen
    assert mailcow.conf.read_text() == OLD


def test_lost_line_loses_nothing(mailcow: Mailcow) -> None:
    typist = asked(mailcow, run=[["echo begun; sleep 1", "true"]])
    typist.type("y\n")
    typist.wait_for("    begun")
    typist.hang_up()
    state = StateDirectory(str(mailcow.state))
    assert wait_until(lambda: lock.holder(state) is None, 60)
    assert mailcow.changes()[0]["state"] == "applied"
    assert mailcow.conf.read_text() == NEW


def test_json_is_asked_about_on_stderr(mailcow: Mailcow, tmp_path: Path) -> None:
    argv = mailcow.argv("fix", CHECK, FIX, "--json")
    out = tmp_path / "out"
    typist = Typist(["/bin/sh", "-c", f'exec "$@" >{out}', "sh", *argv])
    typist.wait_for(QUESTION)
    assert "+TZ=Etc/UTC" in typist.seen
    typist.type("y\n")
    assert typist.code() == 0
    assert out.read_text().count("\n") == 1
    assert out.read_text().startswith('{"schema": 1')
