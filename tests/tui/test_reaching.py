"""The screen of the way in: in a terminal on a server behind a provider's firewall, asked from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.inside import CHECKOUT, wait_until
from lab.provider import FAR, FAR_V6, SERVER, SERVER_V6, Provider, provider
from lab.skip import or_skip
from tui.tmux import PATIENCE, WIZARD, Terminal, wizard

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def world() -> Iterator[Provider]:
    with or_skip(), provider() as made:
        yield made


@contextmanager
def opened(world: Provider, state: Path, *words: str, size: tuple[int, int] = (80, 24)) -> Iterator[Terminal]:
    """The wizard on the server, with the screen open and listening."""
    state.chmod(0o700)
    answers = {"hostname": "mail.example.org", "domains": ["example.org"], "step": "network"}
    (state / "answers.json").write_text(json.dumps(answers))
    terminal = Terminal(*size)
    enter = ("ip", "netns", "exec", world.server.name, *WIZARD, "--address", SERVER, "--address", SERVER_V6)
    places = ("--dir", str(state), "--state-dir", str(state))
    environment = {"TERM": "xterm-256color", "PYTHONPATH": CHECKOUT, "LC_ALL": "C.UTF-8"}
    terminal.start(" ".join((*enter, *places, *words)), environment)
    try:
        terminal.wait_for("Full name of the mail server")
        terminal.keys("Enter")
        terminal.wait_for("addresses, routes, firewall")
        terminal.keys("i")
        terminal.wait_for("listening, ends in 9:", "Paste this on Linux or macOS")
        yield terminal
    finally:
        terminal.close()


def whole_line(terminal: Terminal, back: str = "Enter") -> str:
    """The line to paste, as `p` shows it: whole, on the bare terminal, which joins what it wrapped."""
    terminal.keys("p")
    terminal.wait_for("Enter or Esc goes back to the wizard.")
    shown = terminal.tmux("capture-pane", "-p", "-J").splitlines()
    terminal.keys("Up", back)
    terminal.wait_for("Paste this on")
    return next(one for one in shown if " reach " in one)


def listening(world: Provider) -> str:
    """The ports on which somebody listens on the server."""
    return world.server.run(["ss", "-Hltn"]).stdout


@pytest.mark.parametrize(
    ("size", "words", "rule", "said"),
    [
        ((80, 24), (), "drop", "never arrived"),
        ((120, 40), ("--ascii",), "reject with tcp reset", "refused before us"),
    ],
    ids=["80x24", "120x40, ASCII"],
)
def test_ports_turn_green_as_the_knocks_arrive(
    world: Provider, tmp_path: Path, size: tuple[int, int], words: tuple[str, ...], rule: str, said: str
) -> None:
    passed, failed = ("+", "x") if words else ("✓", "✗")
    with opened(world, tmp_path, *words, size=size) as terminal:
        text = terminal.wait_for(" 4190 ManageSieve", "v4 waiting", "Esc stop listening")
        assert not words or text.isascii()
        line = whole_line(terminal)
        assert line.startswith("LC_ALL=C bash -c '")
        with world.rules(world.router, "forward", f"tcp dport 465 {rule}"):
            world.far.run(["bash", "-c", line], timeout=60)
        text = terminal.wait_for(f"{failed}   465 ", said, "Port 465, IPv4: it ")
        row = next(one for one in text.splitlines() if "   25 " in one)
        assert row.startswith(f" {passed}    25 SMTP")
        assert f"v4 from {FAR}" in row
        assert f"v6 from {FAR_V6}" in row
        # The firewall was mended: the same line once more.
        world.far.run(["bash", "-c", line], timeout=60)
        text = terminal.wait_for("All ports are reached from outside", f"{passed}   465 ", "Esc back")
        assert text.count(f" {passed} ") == 10
        assert f" {failed} " not in text
        terminal.keys("Escape")
        terminal.wait_for("i incoming")
        terminal.wait_until_looked()
        assert wait_until(lambda: listening(world) == "", PATIENCE)

        def is_last() -> bool:
            # The check of what was proved may still run: the row of port 4190 comes with its end.
            terminal.keys("End")
            return f"port 4190 was reached from {FAR} just now" in terminal.text()

        assert wait_until(is_last, PATIENCE, 0.3), terminal.text()


# Knocks at a port each time that it reads a line; says when it had sent its words.
_KNOCKER = """
import socket, sys, time
for port in sys.stdin:
    one = socket.create_connection((sys.argv[1], int(port)))
    one.sendall(f"MW1 {sys.argv[2]} {port}".encode())
    print(time.monotonic(), flush=True)
"""


def test_a_knock_shows_within_a_fifth_of_a_second(world: Provider, tmp_path: Path) -> None:
    with opened(world, tmp_path) as terminal:
        token = whole_line(terminal).rpartition("' reach ")[2].split()[0]
        enter = ["ip", "netns", "exec", world.far.name, sys.executable, "-c", _KNOCKER, SERVER, token]
        took = []
        with subprocess.Popen(enter, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as far:
            assert far.stdin is not None
            assert far.stdout is not None
            for port in (25, 143, 465, 993, 4190):
                far.stdin.write(f"{port}\n")
                far.stdin.flush()
                begun = float(far.stdout.readline())
                while f"v4 from {FAR}" not in _row(terminal.text(), port):
                    assert time.monotonic() - begun < PATIENCE
                took.append(time.monotonic() - begun)
            far.stdin.close()
    # Whatever else this machine does meanwhile is not ours.
    assert min(took) < 0.2, took


def _row(text: str, port: int) -> str:
    return next(one for one in text.splitlines() if f" {port:>5} " in one)


def test_the_lines_for_other_machines_and_the_clipboard(world: Provider, tmp_path: Path) -> None:
    with opened(world, tmp_path) as terminal:
        terminal.keys("c")
        terminal.wait_for("Sent to the clipboard")
        terminal.keys("Tab")
        terminal.wait_for("Paste this on Windows", "$t='")
        terminal.keys("Tab")
        terminal.wait_for("a machine with this wizard", f"reach --from {SERVER},{SERVER_V6} ")
        line = whole_line(terminal, back="Escape")
        argv = ["env", f"PYTHONPATH={CHECKOUT}", *WIZARD, *line.split()[1:]]
        world.far.run(argv, timeout=60)
        terminal.wait_for("All ports are reached from outside")
        terminal.keys("q")
        terminal.wait_for("i incoming")


def test_a_report_that_could_not_be_brought_is_pasted(world: Provider, tmp_path: Path) -> None:
    with opened(world, tmp_path) as terminal:
        line = whole_line(terminal, back="C-c")
        with world.rules(
            world.router, "forward", "tcp dport 465 drop", "meta l4proto tcp reject with tcp reset"
        ):
            said = world.far.run(["bash", "-c", line], timeout=60).stdout
        assert "Nothing arrived" in said
        terminal.keys("t")
        terminal.wait_for("What it shows:", "paste the line with --result")
        terminal.tmux("set-buffer", "4:443a;rm -rf /")
        terminal.tmux("paste-buffer", "-p")
        terminal.wait_for("that is no report of reach")
        terminal.keys("C-u")
        terminal.tmux("set-buffer", said)
        terminal.tmux("paste-buffer", "-p")
        terminal.wait_for("20 ports, 0 open there")
        terminal.keys("Enter")
        text = terminal.wait_for("✗   465 ", "never arrived", "✗   110 ", "refused before us")
        assert "line may block 25" in text or "line blocks 25" in text
        # Nothing of it was seen here: it may be this machine's own doing.
        terminal.wait_for("was refused, by this machine's own")
        # A firewall that was mended is seen by the same line.
        world.far.run(["bash", "-c", line], timeout=60)
        terminal.wait_for("All ports are reached from outside")


def test_leaving_asks_while_somebody_may_still_knock(world: Provider, tmp_path: Path) -> None:
    with opened(world, tmp_path) as terminal:
        assert ":25 " in listening(world)
        terminal.keys("Escape")
        terminal.wait_for("Stop listening? What has arrived is kept.")
        terminal.keys("n")
        terminal.wait_for("Esc stop listening")
        assert ":25 " in listening(world)
        terminal.keys("q")
        terminal.wait_for("Stop listening?")
        terminal.keys("y")
        terminal.wait_for("i incoming")
        assert wait_until(lambda: listening(world) == "", PATIENCE)
        # And once more: there is a new token.
        terminal.keys("i")
        terminal.wait_for("listening, ends in 9:")


def test_the_listeners_end_with_the_wizard(world: Provider, tmp_path: Path) -> None:
    with opened(world, tmp_path) as terminal:
        assert ":25 " in listening(world)
        os.kill(terminal.pid_of_wizard(), signal.SIGKILL)
        terminal.wait_for("left with")
        assert wait_until(lambda: listening(world) == "", PATIENCE)


def test_a_port_that_this_machine_closes_says_so(world: Provider, tmp_path: Path) -> None:
    with (
        world.rules(world.server, "input", "tcp dport 993 reject with tcp reset"),
        opened(world, tmp_path) as terminal,
    ):
        world.far.run(["bash", "-c", whole_line(terminal)], timeout=60)
        terminal.wait_for("✗   993 IMAPS", "closed here", "it came to this machine, whose own rules")


def test_a_recorded_machine_cannot_be_reached(tmp_path: Path) -> None:
    answers = {"hostname": "mail.example.org", "domains": ["example.org"], "step": "network"}
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for("Full name of the mail server")
        terminal.keys("Enter")
        terminal.wait_for("i incoming")
        # What is found meanwhile draws the keys again, in the notice's place.
        terminal.wait_until_looked()
        terminal.keys("i")
        terminal.wait_for("A recorded machine cannot be reached")
