"""`a` and `e` in a real terminal: a finding is acknowledged with a reason, a report is written."""

import json
from pathlib import Path

from tui.tmux import SIZES, Terminal, wizard


def at_ports(terminal: Terminal) -> None:
    """The step Ports, with the cursor on port 25."""
    terminal.wait_for("Full name of the mail server")
    terminal.keys("Enter")
    terminal.wait_for("processor, memory, disk, operating system")
    terminal.keys("n")
    terminal.wait_for("version, modules, limits")
    terminal.keys("n")
    terminal.wait_for("▸ ✗ blocks  SMTP (25)")


@SIZES
def test_a_finding_is_acknowledged_and_counts_again(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    with wizard("--demo", width=width, height=height, state=str(tmp_path)) as terminal:
        at_ports(terminal)
        terminal.keys("a")
        terminal.wait_for("Why is it accepted?", "it stays shown")
        terminal.keys("Enter")
        terminal.wait_for("a reason is needed")
        terminal.keys("q", "x")  # letters are text here, and leave nothing
        terminal.wait_for("✓ qx")
        terminal.keys("Enter")
        terminal.wait_for("▸ • noted   SMTP (25)")
        (kept,) = json.loads((tmp_path / "acknowledgements.json").read_text())
        assert (kept["check"], kept["reason"], kept["until"]) == ("ports.smtp", "qx", None)
        terminal.keys("a")
        terminal.wait_for("Shall it count again?")
        terminal.keys("y")
        terminal.wait_for("▸ ✗ blocks  SMTP (25)")
        assert json.loads((tmp_path / "acknowledgements.json").read_text()) == []
        terminal.keys("Down")
        terminal.wait_for("▸ ✓ ok      SMTPS")
        terminal.keys("a")
        terminal.wait_for("nothing to acknowledge here")


def test_a_report_is_written_where_it_says(tmp_path: Path) -> None:
    with wizard("--demo", state=str(tmp_path)) as terminal:
        at_ports(terminal)
        terminal.keys("e")
        terminal.wait_for("A report of", "is for a forum")
    written = sorted((tmp_path / "reports").iterdir())
    assert [one.suffix for one in written] == [".html", ".json", ".md"]
    assert {one.stat().st_mode & 0o777 for one in written} == {0o600}
    assert "ports.smtp" in written[2].read_text()


def test_a_reason_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with wizard("--demo", state=str(blocked / "state")) as terminal:
        at_ports(terminal)
        terminal.keys("a")
        terminal.wait_for("Why is it accepted?")
        terminal.keys("x")
        terminal.wait_for("✓ x")
        terminal.keys("Enter")
        terminal.wait_for("This could not be kept")
