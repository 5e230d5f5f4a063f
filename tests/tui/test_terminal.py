"""The wizard in a real terminal: walked by keys, ended by signals, in few colours and little room."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tui.tmux import PATIENCE, PROMPT, WIZARD, Terminal, wizard

from mailcow_wizard.host.recording.recorded import DEMO

WELCOME = "Full name of the mail server"
SUMMARY = "6 findings block the install"
COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|[34]8;[25])[0-9;]*m")


def walk_to_summary(terminal: Terminal) -> str:
    """Through all screens by keys alone; returns the last one."""
    terminal.wait_for(WELCOME, "mail.example.org")
    terminal.keys("Enter")
    terminal.wait_for("Operating system")
    for wanted in ("Kernel version", "exim4 is listening"):
        terminal.keys("n")
        terminal.wait_for(wanted)
    return go_on_to(terminal, SUMMARY)


def into_a_field(terminal: Terminal) -> None:
    """Tab, as soon as there are fields."""
    terminal.wait_for_silence(0.5)
    for _ in range(10):
        terminal.keys("Tab")
        end = time.monotonic() + 6  # a second Tab that is not needed would leave the field again
        while time.monotonic() < end:
            if "leave the field" in terminal.text():
                return
            time.sleep(0.05)
    pytest.fail(f"there was no field:\n{terminal.text()}")


def go_on_to(terminal: Terminal, wanted: str, key: str = "n") -> str:
    """From step to step until one shows what is wanted."""
    for _ in range(14):
        before = terminal.text()
        terminal.keys(key)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            text = terminal.text()
            if wanted in text:
                return text
            if text != before:  # what a step shows comes with its name, or a little later
                end = min(end, time.monotonic() + 0.3)
                before = text
            time.sleep(0.05)
    pytest.fail(f"no step showed {wanted!r}:\n{terminal.text()}")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_all_screens_are_reached_and_left_by_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    with wizard(width=size[0], height=size[1], state=str(tmp_path)) as terminal:
        walk_to_summary(terminal)
        terminal.keys("Down", "Enter")
        terminal.wait_for("systemctl disable", "exim4-daemon-light", "blocks the install")
        terminal.escape_to(SUMMARY)
        terminal.keys("?")
        terminal.wait_for("next step")
        terminal.escape_to(SUMMARY)
        terminal.keys("C-p")
        terminal.wait_for("Go to Ports")
        terminal.keys("k", "e", "r", "n", "Enter")
        terminal.wait_for("version, modules, limits")  # what the palette finds has the names of checks, too
        terminal.keys("q")
        assert "icanon" in terminal.wait_for(f"{PROMPT} 0", "echo")


@pytest.mark.parametrize(
    ("term", "variables", "words"),
    [
        ("xterm-256color", {}, ()),
        ("xterm", {}, ()),
        ("linux", {}, ()),
        ("tmux-256color", {}, ()),
        ("vt100", {}, ("--no-color",)),
        ("xterm-256color", {"NO_COLOR": "1"}, ()),
        ("xterm-256color", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, ()),
        ("xterm-256color", {}, ("--ascii",)),
    ],
    ids=["256", "16", "linux", "tmux", "no-color", "NO_COLOR", "C-locale", "ascii"],
)
def test_every_terminal_gets_states_that_can_be_read(
    tmp_path: Path, term: str, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    with wizard("--demo", *words, state=str(tmp_path), term=term, **variables) as terminal:
        text = walk_to_summary(terminal)
        drawn = terminal.text(escapes=True)
        assert "fails" in text
        terminal.keys("End")  # what fails comes first, and fills the screen
        text += terminal.wait_for("warning")
    without_colour = "NO_COLOR" in variables or "--no-color" in words
    assert bool(COLOUR.search(drawn)) is not without_colour
    if term == "linux" or "--ascii" in words or variables.get("LC_ALL") == "C":
        assert text.isascii()


def test_small_and_changing_windows_do_no_harm(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        walk_to_summary(terminal)
        for width, height in ((20, 5), (40, 10), (200, 60), (21, 6), (80, 24)):
            terminal.resize(width, height)
            time.sleep(0.3)
            terminal.keys("b", "Enter", "Escape", "n", "Down")
        time.sleep(1.0)
        assert terminal.pid_of_wizard()
        assert "mistake of the wizard" not in terminal.text()


def test_twenty_by_five_still_shows_the_worst_finding(tmp_path: Path) -> None:
    with wizard(width=20, height=5, state=str(tmp_path)) as terminal:
        terminal.wait_for("Looks at this")
        terminal.keys("Enter")
        terminal.wait_for("blocks")
        for wanted in ("Memory …", "SMTP"):
            terminal.keys("n")
            terminal.wait_for(wanted)
        assert "blocks" in go_on_to(terminal, "Tools")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (0, 130)]
)
def test_signals_leave_the_terminal_sane(tmp_path: Path, number: int, code: int) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for(WELCOME)
        if number:
            os.kill(terminal.pid_of_wizard(), number)
        else:
            terminal.keys("C-c")
        text = terminal.wait_for(f"{PROMPT} {code}", "echo")
        assert "-icanon" not in text
        assert "-echo" not in text
        assert terminal.tmux("display-message", "-p", "#{alternate_on}").strip() == "0"


def test_a_mistake_of_ours_leaves_the_terminal_sane_and_says_so(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text(
        "import sys\n"
        "from mailcow_wizard.tui import app\n"
        "def broken(self, what): secret = 'hunter2'; raise RuntimeError('oh')\n"
        "app.WizardApp.action_visit = broken\n"
        "from mailcow_wizard.__main__ import main\n"
        "sys.exit(main())\n"
    )
    terminal = Terminal(80, 24)
    line = f"{sys.executable} {script} --demo --state-dir {tmp_path}"
    terminal.start(line, {"TERM": "xterm-256color", "PYTHONPATH": os.getcwd(), "LC_ALL": "C.UTF-8"})
    try:
        terminal.wait_for(WELCOME)
        terminal.keys("Enter")
        terminal.wait_for("Operating system")
        terminal.keys("l")
        text = terminal.wait_for(f"{PROMPT} 70", "a mistake of the wizard")
        assert "hunter2" not in text
        assert "a defect of the wizard in broken.py:3: RuntimeError: oh" in text
        assert "-icanon" not in text
    finally:
        terminal.close()


def test_names_are_asked_once_and_the_next_start_goes_on(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for(WELCOME)
        into_a_field(terminal)
        terminal.keys("C-e", "C-u")
        terminal.wait_for("a name is needed")
        terminal.keys("m", "x", ".", "o", "r", "g", "Enter")
        terminal.wait_for("mailcow.conf says mail.example.org", "a name is needed")
        terminal.keys("C-c")
        terminal.wait_for(f"{PROMPT} 130")
    with wizard(state=str(tmp_path)) as terminal:
        walk_to_summary(terminal)
        go_on_to(terminal, "clock, synchronisation", "b")
        terminal.keys("q")
        terminal.wait_for(f"{PROMPT} 0")
    saved = json.loads((tmp_path / "answers.json").read_text())
    assert saved == {"hostname": "mail.example.org", "domains": ["example.org"], "step": "time", "conf": []}
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for("Welcome back")
        terminal.keys("Enter")
        terminal.wait_for("Clock offset")
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for("Welcome back")
        terminal.keys("n")
        terminal.wait_for("Operating system")


def test_text_of_strangers_is_shown_harmlessly(tmp_path: Path) -> None:
    recorded = json.loads(Path(DEMO).read_text())
    evil = "ex\x1b]0;pwned\x07im\x1b[2J[bold red]\n\u202e4[/]"
    as_text = json.dumps(recorded).replace('"exim4"', json.dumps(evil))
    machine = tmp_path / "evil.json"
    machine.write_text(as_text)
    with wizard("--host", str(machine), state=str(tmp_path)) as terminal:
        terminal.wait_for(WELCOME)
        terminal.keys("Enter", "n", "n")
        text = terminal.wait_for("listening", "[bold red]")
        assert "\\x1b]0;pwned" in text
        assert terminal.tmux("display-message", "-p", "#{pane_title}").strip() != "pwned"
        terminal.keys("Enter")
        terminal.wait_for("State", "[bold red]")
        terminal.escape_to("SMTPS (465)")
        terminal.keys("c")
        terminal.wait_for("Sent to the clipboard")


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_without_a_terminal_it_says_what_to_run_instead(stream: str) -> None:
    main, other = pty.openpty()
    streams: dict[str, int] = {"stdin": other, "stdout": other, "stderr": other, stream: subprocess.PIPE}
    try:
        process = subprocess.Popen([*WIZARD, "--demo"], env={**os.environ, "TERM": "xterm"}, **streams)
        assert process.wait(PATIENCE) == 64
        errors = process.stderr.read() if process.stderr else os.read(main, 4096)
        assert b"check --plain" in errors
    finally:
        os.close(main)
        os.close(other)


def test_a_mute_terminal_is_refused(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path), term="dumb") as terminal:
        terminal.wait_for("Run this instead", f"{PROMPT} 64")


def test_idle_it_writes_nothing(tmp_path: Path) -> None:
    main, other = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    words = [*WIZARD, "--demo", "--state-dir", str(tmp_path)]
    process = subprocess.Popen(words, stdin=other, stdout=other, stderr=other, env=environment)
    try:
        assert any(_read(main, 4.0) > 500 for _ in range(15))
        assert any(_read(main, 3.0) == 0 for _ in range(20))
    finally:
        process.terminate()
        process.wait(PATIENCE)
        os.close(main)
        os.close(other)


def _read(descriptor: int, seconds: float) -> int:
    """How many bytes come within a time."""
    count = 0
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([descriptor], [], [], left)[0]:
            count += len(os.read(descriptor, 65536))
    return count


def test_the_field_with_the_cursor_is_in_sight_in_little_room(tmp_path: Path) -> None:
    with wizard(width=20, height=5, state=str(tmp_path)) as terminal:
        terminal.wait_for("Looks at this")
        terminal.wait_for_silence(1.0)
        terminal.keys("Tab", "Tab")
        terminal.wait_for("Mail domain", "\n  example.org")
        terminal.keys("C-e", "C-u", "x", "y", "z")
        terminal.wait_for("xyz")


def test_an_empty_field_shows_no_example_inside(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for(WELCOME)
        into_a_field(terminal)
        terminal.keys("Tab", "C-e", "C-u")
        text = terminal.wait_for("such as example.org", "a name is needed")
        assert not re.search(r"^ *example\.org", text, re.M)


def test_on_a_low_screen_the_last_row_and_the_keys_have_room(tmp_path: Path) -> None:
    with wizard(width=60, height=8, state=str(tmp_path)) as terminal:
        terminal.wait_for("Full name")
        terminal.keys("Enter")
        terminal.wait_for("▸ ✗ blocks  Tools", "q quit")
        terminal.wait_until_looked()
        terminal.keys("End")
        terminal.wait_for("▸ ✓ ok      Privileges", "q quit")
