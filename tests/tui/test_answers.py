"""`w`: the answers so far in a file, shown as they were written."""

import pytest
from tui.scratch import SECRET, Scratch, open_step
from tui.scratch import scratch as scratch

from mailcow_wizard.answers.reading import read

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_answers_are_written_and_shown(scratch: Scratch) -> None:
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("w")
        text = terminal.wait_for("The answers so far were written", "answers.toml", "# The mail server.")
        assert "Esc close" in text
        terminal.keys("Escape")
        terminal.wait_for("File permissions")
    found = read(str(scratch.state / "answers/answers.toml"), None)
    assert found.answers[:2] == ("mail.example.org", ("example.org",))
    assert found.directory == str(scratch.directory)
    assert "TZ=Europe/Berlin" in found.conf
    assert SECRET not in (scratch.state / "answers/answers.toml").read_text()
