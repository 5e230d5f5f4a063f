"""Plans and changes as lines of a screen, and how work ends in words."""

import shlex

import pytest

from mailcow_wizard.engine.journal import Change
from mailcow_wizard.engine.mending import Outcome, Progress
from mailcow_wizard.engine.readable import steps
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Command, Edit, Finding, Manual, Plan, Status
from mailcow_wizard.tui.planned import (
    back_lines,
    change_lines,
    command_lines,
    diff_lines,
    moment,
    plan_lines,
    side_by_side,
    step_lines,
)
from mailcow_wizard.tui.work import Work, asks_back, can_go_back, ending
from mailcow_wizard.tui.writing import Line

PLAN = Plan(
    "ports.smtp",
    None,
    "stop-service",
    "Stop exim4",
    (
        Command(("systemctl", "disable", "--now", "exim4.service")),
        Edit("/etc/new", None, b"a\n"),
        Edit("/etc/old", b"a\n", None),
        Edit("/etc/changed", b"a\nb\n", b"a\nc\n"),
        Manual("Tell the others."),
    ),
    "high",
    False,
    True,
    "Port 25 is free.",
)


def text(lines: list[Line]) -> str:
    return "\n".join(f"{line.label}|{line.text}" for line in lines)


def test_a_plan_says_everything_before_it_is_made() -> None:
    shown = text(plan_lines(PLAN, steps(PLAN), False, 70))
    for wanted in (
        "Effect|Port 25 is free.",
        "Interrupts|nothing",
        "Risk|high risk, cannot be taken back, needs root",
        "1. Run",
        "systemctl disable --now exim4.service",
        "2. Make /etc/new",
        "+a",
        "3. Remove /etc/old",
        "4. Change /etc/changed",
        "-b",
        "+c",
        "5. Note",
        "Tell the others.",
    ):
        assert wanted in shown


@pytest.mark.parametrize("width", [20, 40, 78, 118])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    edit = Edit("/etc/x", b"short\n" + b"l" * 300 + b"\n", b"short\n" + b"m" * 300 + b"\n")
    for line in step_lines(steps(PLAN._replace(steps=(edit,))), width)[1:]:
        assert len(line.text) <= width


def test_a_long_line_of_a_diff_is_seen_whole() -> None:
    edit = Edit("/etc/x", None, b"0123456789" * 30 + b"\n")
    diff = steps(PLAN._replace(steps=(edit,)))[0]["diff"]
    pieces = [line.text.strip() for line in diff_lines(diff, 40) if line.role == "added"]
    assert "".join(pieces) == "+" + "0123456789" * 30


@pytest.mark.parametrize("width", [24, 40, 78])
def test_a_long_command_can_be_copied(width: int) -> None:
    argv = ["apt-get", "install", "-y", *(f"package-number-{number}" for number in range(20)), "a b", "$x"]
    lines = command_lines(argv, width)
    assert len(lines) > 1
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == argv


@pytest.mark.parametrize("width", [20, 40, 75])
def test_a_word_that_is_longer_than_a_line_is_seen_whole(width: int) -> None:
    path = f"/var/cache/{'0123456789' * 9}/update.py"
    lines = command_lines(["/usr/bin/python3", path, "--zone", "example.org"], width)
    assert max(map(len, lines)) <= width
    assert path in "".join(line.strip() for line in lines)
    first = command_lines([path, "--zone", "example.org"], width)
    assert max(map(len, first)) <= width
    assert path in "".join(line.strip() for line in first)


def change(state: str, error: str = "", doing: str = "apply") -> Change:
    at = "2026-11-22T20:05:00Z"
    made = Change("1", at, "ports.smtp", None, "stop", "Stop exim4", state, True, steps(PLAN), error)  # type: ignore[arg-type]
    return made._replace(doing=doing)


@pytest.mark.parametrize(
    "state", ["planned", "applying", "applied", "undoing", "undone", "interrupted", "failed"]
)
def test_each_state_of_a_change_has_words(state: str) -> None:
    shown = text(change_lines(change(state, "it broke" if state == "failed" else ""), 70))
    assert "Change|1, ports.smtp" in shown
    assert "State|This" in shown
    assert ("it broke" in shown) is (state == "failed")
    assert "Was done" in text(back_lines(change(state), (), "", 70))


@pytest.mark.parametrize("state", ["interrupted", "failed"])
def test_what_stopped_while_it_was_taken_back_says_so(state: str) -> None:
    shown = text(change_lines(change(state, "it broke", "undo"), 70))
    assert "taken back" in shown
    assert "the steps before" not in shown


def test_a_time_that_is_none_is_shown_as_it_is() -> None:
    assert moment("yesterday") == "yesterday       "


def finding(status: Status, summary: str) -> Finding:
    return Finding(
        "ports.smtp", None, "ports", "SMTP (25)", status, "blocks", "proved", summary, "", "", "", ""
    )


def worked(outcome: Outcome | None, refused: str = "", back: bool = False) -> Work:
    work = Work("Stop exim4", "ports.smtp", 3, lambda listen: Outcome("1", "applied", None, ""), back)
    work.outcome, work.refused = outcome, refused
    return work


@pytest.mark.parametrize(
    ("outcome", "back", "status", "first", "again"),
    [
        (
            Outcome("1", "applied", finding("pass", "port 25 is free"), ""),
            False,
            "pass",
            "Port 25 is free.",
            True,
        ),
        (Outcome("1", "applied", finding("fail", "held"), ""), False, "fail", "Done, but the check", True),
        (Outcome("1", "applied", None, ""), False, "pass", "Done.", True),
        (Outcome("1", "applied", None, "killed"), False, "warn", "It is made, and nobody looked", True),
        (Outcome("1", "failed", None, "exit 1"), False, "fail", "It did not work: exit 1.", True),
        (Outcome("1", "interrupted", None, "killed"), False, "fail", "It did not work: killed.", True),
        (Outcome("1", "undone", None, ""), True, "pass", "Taken back", False),
        (Outcome("1", "undone", None, "exit 1"), False, "pass", "Taken back, because exit 1", False),
        (Outcome("1", "failed", None, "exit 1"), True, "fail", "It did not work", False),
        (Outcome("1", "applied", None, "disk full"), True, "warn", "Nothing was changed: disk full.", False),
    ],
)
def test_how_work_ends(outcome: Outcome, back: bool, status: str, first: str, again: bool) -> None:
    work = worked(outcome, back=back)
    shown, sentences, keys = ending(work)
    assert shown == status
    assert sentences[0].startswith(first)
    halfway = back and outcome.state == "failed"
    assert ("u in the list of changes (U) goes on" in " ".join(sentences)) is halfway
    assert keys
    assert can_go_back(work) is again
    assert asks_back(work) is (again and outcome.state != "applied")


def test_what_was_refused_changed_nothing() -> None:
    work = worked(None, "another wizard is at work: process 7")
    assert ending(work)[1] == ["Nothing was changed: another wizard is at work: process 7."]
    assert not can_go_back(work)


def test_under_way_it_says_where_it_is_and_that_it_goes_on() -> None:
    work = worked(None)
    assert ending(work)[1] == ["Step 1 of 3. It goes on even if the connection breaks."]
    assert ("s", "stop and take back") in ending(work)[2]
    # What is taken back comes from the last step on: a number would stand still at the first.
    assert ending(worked(None, back=True))[1] == ["It goes on even if the connection breaks."]
    work.stopping = True
    assert "takes back" in ending(work)[1][0]


def test_when_all_steps_are_made_it_says_that_it_looks_again() -> None:
    """No step is left to stop at, and looking takes longest where it did not help."""
    work = worked(None)
    work._heard(Progress("step", 2, "start it"))
    work._heard(Progress("check", -1, "ports.smtp"))
    assert ending(work)[1] == ["Looking again what the check says; this can take a minute."]
    assert [key for key, _what in ending(work)[2]] == ["Esc"]


def test_a_flood_of_lines_is_told_once_until_it_is_drawn() -> None:
    told: list[int] = []

    def do(listen: object) -> Outcome:
        for number in range(10_000):
            listen(Progress("output", 0, str(number)))  # type: ignore[operator]
        raise HostError("no more")

    work = Work("Flood", "ports.smtp", 1, do)
    work._tell = lambda: told.append(1)
    work._run()
    assert len(told) == 2  # the first line, and the end
    assert len(work.lines) == 2000
    assert work.refused == "no more"


@pytest.mark.parametrize("reversible", [True, False])
def test_what_cannot_be_taken_back_does_not_offer_it(reversible: bool) -> None:
    done = Outcome("1", "applied", None, "")
    work = Work("Remove exim4", "ports.smtp", 1, lambda listen: done, reversible=reversible)
    work.outcome = done
    assert can_go_back(work) == reversible
    assert ("u" in [key for key, _what in ending(work)[2]]) == reversible
    work.outcome = Outcome("1", "failed", None, "it did not end")
    assert can_go_back(work)


def test_a_mistake_in_the_work_is_said_and_shows_no_values() -> None:
    def do(listen: object) -> Outcome:
        raise ValueError("hunter2")

    work = Work("Mistake", "ports.smtp", 1, do)
    work._run()
    assert "ValueError" in work.refused
    assert "hunter2" not in work.refused


def test_old_and_new_lines_stand_side_by_side() -> None:
    diff = "@@ -1,3 +1,3 @@\n-a=1\n-b=1\n+a=2\n+b=2\n c\n-d\n@@ -9,0 +9,1 @@\n+e\n"
    shown = [line.text for line in side_by_side(list(diff_lines(diff, 40, "")))]
    assert shown == ["-a=1", "+a=2", "-b=1", "+b=2", "-d", "+e"]
