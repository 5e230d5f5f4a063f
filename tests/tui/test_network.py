"""The picture of what gets out, on the demo machine: read at both sizes, with and without Unicode."""

import json
from pathlib import Path

from tui.tmux import SIZES, Terminal, wizard


def at_the_step(state: Path) -> str:
    """A state in which the wizard goes on at the network."""
    state.chmod(0o700)
    answers = {"hostname": "mail.example.org", "domains": ["example.org"], "step": "network"}
    (state / "answers.json").write_text(json.dumps(answers))
    return str(state)


def opened(terminal: Terminal) -> str:
    """Opens the picture."""
    terminal.wait_for("Full name of the mail server")
    terminal.keys("Enter")
    terminal.wait_for("o outgoing")
    terminal.keys("o")
    return terminal.wait_for("ways end too early", "Esc back")


def line_of(text: str, name: str) -> str:
    """The line of a way."""
    return next(one for one in text.splitlines() if name in one)


@SIZES
def test_where_it_stops_is_seen(size: tuple[int, int], tmp_path: Path) -> None:
    with wizard(width=size[0], height=size[1], state=at_the_step(tmp_path)) as terminal:
        text = opened(terminal)
        head = next(one for one in text.splitlines() if "on the way" in one)
        blocked, free = line_of(text, "port 25, IPv4"), line_of(text, "name servers, port 53, IPv4")
        assert blocked.rstrip().endswith("─✗")
        # It ends below its place, and what arrives goes further.
        assert head.index("on the way") <= blocked.rindex("✗") <= head.index("on the way") + len("on the way")
        assert free.index("▸") > blocked.rindex("✗")
        assert "Ask the provider to open outgoing port 25" in text
        terminal.keys("End")
        terminal.wait_for("This machine", "Container network")
        terminal.escape_to("o outgoing")


def test_without_unicode(tmp_path: Path) -> None:
    with wizard("--demo", "--ascii", state=at_the_step(tmp_path)) as terminal:
        text = opened(terminal)
        assert text.isascii()
        assert "*----------------x" in line_of(text, "port 25, IPv4")
