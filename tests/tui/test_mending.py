"""A finding mended and unmended by keys alone, in a real terminal, on real files."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from lab.inside import wait_until
from tui.scratch import OPEN, Scratch, open_step
from tui.scratch import scratch as scratch
from tui.tmux import PROMPT, SIZES, Terminal, wizard

from mailcow_wizard.engine import lock, mending
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.model import Command, Edit, Plan, Settings

TITLE = "Let only root read and change mailcow.conf"
CHMOD = "chmod 600"


def open_choices(terminal: Terminal) -> str:
    """The choices for mailcow.conf that everybody may read."""
    open_step(terminal)
    terminal.wait_for(f"▸ ✗ fails   {OPEN}", "f mend")
    terminal.keys("f")
    return terminal.wait_for("▸ 1", TITLE, "low risk, can be taken back, runs as root")


def open_plan(terminal: Terminal) -> str:
    """The plan of the first choice."""
    open_choices(terminal)
    terminal.wait_for("Nobody but root can read the passwords")
    terminal.keys("Enter")
    return terminal.wait_for("Do this?", "Effect", "Interrupts  nothing", CHMOD)


@SIZES
def test_no_changes_nothing_and_leads_back(scratch: Scratch, size: tuple[int, int]) -> None:
    with scratch.wizard(size) as terminal:
        open_plan(terminal)
        terminal.keys("Enter")  # the answer at hand is No
        terminal.wait_for("show the plan, changes nothing yet")
        terminal.keys("1")
        terminal.wait_for("Do this?")
        terminal.keys("n")
        terminal.wait_for("show the plan, changes nothing yet")
        terminal.keys("Enter")
        terminal.wait_for("Do this?")
        terminal.escape_to("show the plan, changes nothing yet")
        terminal.escape_to("f mend")
        terminal.keys("Enter")
        terminal.wait_for("Esc close  f mend")
        terminal.keys("f")
        terminal.wait_for("▸ 1", TITLE)
    assert scratch.mode == 0o644
    assert not Journal(StateDirectory(str(scratch.state))).list()


@SIZES
def test_yes_mends_and_undo_takes_it_back(scratch: Scratch, size: tuple[int, int]) -> None:
    with scratch.wizard(size) as terminal:
        open_plan(terminal)
        terminal.keys("y")
        terminal.wait_for("✓ Mode 600, only root may read it.", "Esc goes back to the list")
        assert scratch.mode == 0o600
        terminal.keys("y")  # nothing is asked here
        terminal.keys("u")
        terminal.wait_for("Take this back?")
        terminal.keys("n")
        terminal.wait_for(OPEN, "n next")
        assert scratch.mode == 0o600
        terminal.wait_for(f"▸ ✓ ok      {OPEN}")
        terminal.keys("u")
        terminal.wait_for(f"Take back: {TITLE}", "chmod 0644", "Take this back?")
        terminal.keys("Enter")
        terminal.wait_for(OPEN, "n next")
        assert scratch.mode == 0o600
        terminal.keys("u")
        terminal.wait_for("Take this back?")
        terminal.keys("Tab", "Enter")
        terminal.wait_for("Taken back: all is as it was before.", "fails")
        assert scratch.mode == 0o644
        terminal.escape_to(f"▸ ✗ fails   {OPEN}")
        terminal.keys("u")
        terminal.wait_for("There is nothing to take back")
        terminal.keys("U")
        text = terminal.wait_for("Changes on this machine", "– taken back", TITLE[:20], "Enter what was done")
        assert "u take back" not in text
        terminal.keys("Enter")
        terminal.wait_for("This was done, and taken back.", CHMOD)
        terminal.escape_to("Changes on this machine")
        terminal.keys("u")
        terminal.wait_for("was taken back already")
        terminal.escape_to("Changes on this machine")
        terminal.escape_to(OPEN)


def test_the_list_takes_back_the_selected_change(scratch: Scratch) -> None:
    make(scratch, edit_of(scratch, b"SKIP_FTS=n", b"SKIP_FTS=y"))
    make(scratch, edit_of(scratch, b"SKIP_CLAMD=n", b"SKIP_CLAMD=y"))
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("U")
        terminal.wait_for("✓ made", "SKIP_CLAMD=y", "SKIP_FTS=y")
        terminal.keys("Down", "u")
        terminal.wait_for("Take this back?", "-SKIP_FTS=y", "+SKIP_FTS=n")
        terminal.keys("y")
        terminal.wait_for("Taken back")
        terminal.escape_to("– taken back")
    conf = scratch.conf.read_text()
    assert "SKIP_FTS=n" in conf
    assert "SKIP_CLAMD=y" in conf


def test_lines_edited_since_are_not_overwritten(scratch: Scratch) -> None:
    make(scratch, edit_of(scratch, b"SKIP_FTS=n", b"SKIP_FTS=y"))
    edited = scratch.conf.read_text().replace("SKIP_FTS=y", "SKIP_FTS=Y")
    scratch.conf.write_text(edited)
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("u")
        text = terminal.wait_for("Take back: ", "Esc back")
        assert "Take this back?" not in text
        terminal.keys("y")
    assert scratch.conf.read_text() == edited


def test_another_wizard_is_named_and_looking_still_works(scratch: Scratch) -> None:
    held = lock.take(StateDirectory(str(scratch.state)))
    held.tell("")
    try:
        with scratch.wizard() as terminal:
            open_plan(terminal)
            terminal.keys("y")
            terminal.wait_for("Nothing was changed", str(os.getpid()))
            terminal.escape_to(OPEN)
    finally:
        held.close()
    assert scratch.mode == 0o644


def test_a_file_changed_behind_the_plan_is_not_overwritten(scratch: Scratch) -> None:
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("s")
        terminal.wait_for("Settings", "Full-text search")
        terminal.keys("Down", "Down", "Down", "Down", "Enter")
        terminal.wait_for("left out", "+SKIP_FTS=y")
        terminal.keys("s")
        terminal.wait_for("Do this?")
        scratch.conf.write_text(scratch.conf.read_text() + "# somebody else\n")
        terminal.keys("y")
        terminal.wait_for("Nothing was changed", "changed since")
    assert "SKIP_FTS=n" in scratch.conf.read_text()


def test_without_root_there_is_the_plan_and_what_to_type(scratch: Scratch) -> None:
    with scratch.wizard(before=("unshare", "-U")) as terminal:
        open_step(terminal)
        terminal.keys("f")
        terminal.wait_for("needs root")
        terminal.keys("Enter")
        text = terminal.wait_for(CHMOD, "Only root can do this.", "As root: sudo ./wizard", "Esc back")
        assert "Yes" not in text
        # In as many lines as it needs, a long path in pieces.
        again = f"--dir{scratch.directory}--state-dir{scratch.state}fixconfig.permissionsconf-mode"
        assert f"Asroot:sudo./wizard{again}" in "".join(text.split())
        terminal.keys("y", "Tab", "y")
        time.sleep(0.5)
        terminal.wait_for("Only root can do this.")
    assert scratch.mode == 0o644


def test_a_recorded_machine_shows_plans_and_cannot_be_changed(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for("Full name")
        terminal.keys("Enter", "n", "n")
        terminal.wait_for("exim4 is listening", "f mend")
        terminal.keys("f")
        terminal.wait_for("▸ 1", "risk")
        terminal.keys("2")
        text = terminal.wait_for("Effect", "recorded machine cannot be changed")
        assert "Yes" not in text
        # There it is no recording, and what is known of it is kept at the usual place.
        assert "On the machine itself: sudo ./wizard fix ports.smtp bind-address" in text
        terminal.escape_to("show the plan, changes nothing yet")


def test_a_finding_without_fixes_says_what_to_do_by_hand(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for("Full name")
        terminal.keys("Enter")
        terminal.wait_for("▸ ✗ blocks  Tools")
        terminal.keys("Home")
        terminal.wait_for("▸ ? unknown Processor clock")
        terminal.go_down("▸ ! warning Disk space")
        terminal.keys("f")
        terminal.wait_for("By hand (Enter shows all): ", "▸ ! warning Disk space")
        # Typed faster than it is told that the cursor rests.
        terminal.keys("Up", "Up", "Down", "Down", "f")
        terminal.wait_for("By hand (Enter shows all): ", "▸ ! warning Disk space")
        time.sleep(0.5)
        assert "By hand (Enter shows all): " in terminal.text()
        terminal.keys("n", "n")
        terminal.wait_for("exim4 is listening")
        terminal.keys("Down")
        terminal.wait_for("▸ ✓ ok      SMTPS")
        terminal.keys("f")
        terminal.wait_for("There is nothing to mend here.")


def session_of(scratch: Scratch) -> Session:
    """A session as another face would have it."""
    settings = Settings(directory=str(scratch.directory), offline=True)
    return Session(RealHost(), settings, StateDirectory(str(scratch.state)))


def plan_of(title: str, *steps: Edit | Command) -> Plan:
    """A plan for a check that is quick."""
    return Plan("config.present", None, "test", title, steps, "low", True, False, "Something is different.")


def edit_of(scratch: Scratch, before: bytes, after: bytes) -> Plan:
    """A plan that replaces a part of mailcow.conf."""
    now = scratch.conf.read_bytes()
    edit = Edit(str(scratch.conf), now, now.replace(before, after))
    return plan_of(f"Write {after.decode()}", edit)


def make(scratch: Scratch, plan: Plan) -> None:
    """Makes a change as another face would."""
    outcome = mending.apply(session_of(scratch), plan, lambda said: None)
    assert outcome.state == "applied", outcome


@contextmanager
def under_way(scratch: Scratch, plan: Plan) -> Iterator[int]:
    """A change that another face began and that goes on; gives the number of its process."""
    session = session_of(scratch)

    def work() -> None:
        with suppress(HostError):
            mending.apply(session, plan, lambda said: None)

    threading.Thread(target=work, daemon=True).start()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        holder = lock.holder(session.state)
        changes = Journal(session.state).list()
        if holder and holder.pid not in (0, os.getpid()) and changes and changes[0].state == "applying":
            break
        time.sleep(0.05)
    else:
        pytest.fail("the work never began")
    yield holder.pid


def slow_plan(scratch: Scratch) -> Plan:
    """A quick edit, then a step that takes until the gate is open, then another edit."""
    now = scratch.conf.read_bytes()
    first = now.replace(b"SKIP_FTS=n", b"SKIP_FTS=y")
    second = first.replace(b"SKIP_CLAMD=n", b"SKIP_CLAMD=y")
    path = str(scratch.conf)
    return plan_of("Do something slow", Edit(path, now, first), scratch.gate.step, Edit(path, first, second))


@SIZES
@pytest.mark.parametrize("answer", ["f", "u", "n"])
def test_interrupted_work_is_asked_about_at_the_start(
    scratch: Scratch, size: tuple[int, int], answer: str
) -> None:
    before = scratch.conf.read_text()
    with under_way(scratch, slow_plan(scratch)) as process:
        assert wait_until(lambda: "SKIP_FTS=y" in scratch.conf.read_text(), 60)
        os.kill(process, signal.SIGKILL)
        scratch.gate.open()
    with scratch.wizard(size) as terminal:
        text = terminal.wait_for("Interrupted: Do something slow", "What now?", "Later", "Finish it")
        assert "tail --pid" in text
        terminal.keys(answer)
        if answer == "n":
            terminal.wait_for("It stays as it is until you decide")
            terminal.keys("Enter")
            terminal.wait_for(OPEN)
            terminal.keys("U")
            terminal.wait_for("! interrupted", "f finish")
            assert "SKIP_FTS=y" in scratch.conf.read_text()
        elif answer == "f":
            terminal.wait_for("Finish: Do something slow", "✓")
            assert wait_until(lambda: "SKIP_CLAMD=y" in scratch.conf.read_text(), 60)
        else:
            terminal.wait_for("Taken back")
            assert scratch.conf.read_text() == before


def test_the_work_goes_on_when_the_wizard_is_left_and_the_next_start_shows_it(scratch: Scratch) -> None:
    with under_way(scratch, slow_plan(scratch)) as process:
        with scratch.wizard() as terminal:
            terminal.wait_for("Do something slow", "Step 2 of 3", "tail --pid", "It goes on even if")
            terminal.escape_to("Full name")
            terminal.keys("q")
            terminal.wait_for("A change is under way", "Leave the wizard?")
            terminal.keys("n")
            terminal.wait_for("Full name")
            terminal.keys("q")
            terminal.wait_for("Leave the wizard?")
            terminal.keys("y")
            terminal.wait_for(f"{PROMPT} 0")
        os.kill(process, 0)
    scratch.gate.open()
    assert wait_until(lambda: "SKIP_CLAMD=y" in scratch.conf.read_text(), 60)


def test_work_that_is_stopped_is_taken_back(scratch: Scratch) -> None:
    before = scratch.conf.read_text()
    with under_way(scratch, slow_plan(scratch)), scratch.wizard() as terminal:
        terminal.wait_for("Step 2 of 3")
        terminal.keys("s")
        terminal.wait_for("Stops after this step")
        scratch.gate.open()
        terminal.wait_for("Taken back")
    assert scratch.conf.read_text() == before


def test_what_fails_halfway_is_offered_to_be_taken_back(scratch: Scratch) -> None:
    before = scratch.conf.read_text()
    now = scratch.conf.read_bytes()
    edit = Edit(str(scratch.conf), now, now.replace(b"SKIP_FTS=n", b"SKIP_FTS=y"))
    plan = plan_of("Fail halfway", edit, scratch.gate.step, Command(("false",)))
    with under_way(scratch, plan), scratch.wizard() as terminal:
        terminal.wait_for("Step 2 of 3")
        scratch.gate.open()
        terminal.wait_for("It did not work", "Take it back?", "y take it back")
        terminal.keys("y")
        terminal.wait_for("Taken back")
    assert scratch.conf.read_text() == before


def test_secrets_are_on_no_screen_and_in_no_listing(scratch: Scratch) -> None:
    plan = edit_of(scratch, b"hunter2hunter2root", b"hunter3hunter3root")
    make(scratch, plan._replace(title="Another password"))
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("U")
        terminal.wait_for("Another password")
        terminal.keys("Enter")
        seen = terminal.wait_for("DBROOT=", "This was done.")
        terminal.escape_to("Changes on this machine")
        terminal.keys("u")
        seen += terminal.wait_for("Take this back?")
    assert "hunter" not in seen
    listed = [one._asdict() for one in Journal(StateDirectory(str(scratch.state))).list()]
    assert "hunter" not in json.dumps(listed)


@pytest.mark.parametrize("damage", ["file", "garbage", "empty"])
def test_a_journal_that_cannot_be_read_does_no_harm(scratch: Scratch, damage: str) -> None:
    changes = scratch.state / "changes"
    if damage == "file":
        changes.write_text("no directory")
    else:
        make(scratch, edit_of(scratch, b"SKIP_FTS=n", b"SKIP_FTS=y"))
        (changes / "1" / "progress.json").write_text("" if damage == "empty" else '{"state": 7}')
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("u")
        terminal.wait_for(OPEN)
        terminal.keys("U")
        time.sleep(0.5)
        assert terminal.pid_of_wizard()
        assert "Traceback" not in terminal.text()
        assert "mistake" not in terminal.text()


def test_ctrl_c_leaves_and_the_work_goes_on(scratch: Scratch) -> None:
    with under_way(scratch, slow_plan(scratch)) as process, scratch.wizard() as terminal:
        terminal.wait_for("Step 2 of 3")
        terminal.keys("C-c")
        terminal.wait_for(f"{PROMPT} 130")
        os.kill(process, 0)
