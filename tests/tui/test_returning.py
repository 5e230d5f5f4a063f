"""What is asked at the start where an install and a change were both left half made."""

import os
import signal

import pytest
from lab.inside import wait_until
from tui.scratch import Scratch
from tui.scratch import scratch as scratch
from tui.test_mending import session_of, slow_plan, under_way

from mailcow_wizard.engine.given import Choices
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.install.standing import Record, fresh


@pytest.mark.parametrize("own", [False, True])
def test_a_change_is_asked_about_unless_it_is_the_installs_own(scratch: Scratch, own: bool) -> None:
    with under_way(scratch, slow_plan(scratch)) as process:
        assert wait_until(lambda: "SKIP_FTS=y" in scratch.conf.read_text(), 60)
        os.kill(process, signal.SIGKILL)
        scratch.gate.open()
    session = session_of(scratch)
    begun = fresh("1", "2026-01-01T00:00:00Z", "mail.example.org", session.settings._asdict(), Choices())
    change = Journal(session.state).list()[0].id if own else ""
    Record(session.state).save(begun._replace(state="stopped", error="stopped", change=change))
    with scratch.wizard() as terminal:
        if own:
            terminal.wait_for("i goes on with it")
            terminal.wait_for_silence(1.0)
            assert "What now?" not in terminal.text()
        else:
            terminal.wait_for("Interrupted: Do something slow", "What now?", "Later", "Finish it")
