"""Completion in the shells themselves: by Tab in bash and zsh, and as programs ask fish."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tui.tmux import PATIENCE, Terminal

LINES = (
    ("check ports.sm", {"ports.smtp", "ports.smtps"}),
    ("check instal", set()),
    ("fix ports.smtp st", {"stop-service", "stop-container"}),
    ("fix time.off", {"time.offset"}),
    ("--lang de fix ports.smtp rem", {"remove-package"}),
    ("report --format m", {"markdown"}),
    ("check --format n", {"nagios"}),
    ("conf get SMTP", {"SMTP_PORT", "SMTPS_PORT"}),
    ("conf li", {"lint"}),
    ("report --mas", {"--mask"}),
    ("check --mas", set()),
    ("explain time.rt", {"time.rtc"}),
    ("completion z", {"zsh"}),
    ("--host box", {"box.json"}),
    ("--host=box", {"--host=box.json"}),
    ("report --format=m", {"--format=markdown"}),
    ("--lang=d", {"--lang=de"}),
    ("--dir /srv expl", {"explain"}),
    ("--state-dir=s fix ports.smtp rem", {"remove-package"}),
    ("--hostname mail.example.org fix time.off", {"time.offset"}),
    ("--address 2001:db8::1 check time.off", {"time.offset"}),
    ("--subject 25 fix firewall.inb", {"firewall.inbound"}),
    ("ack --reason 'it is so' time.off", {"time.offset"}),
    ("explain time.rtc time.off", set()),
    ("--state-dir state undo 471", {"4711", "4712"}),
    ("--state-dir=state fix --resume 472", {"4720"}),
    ("--state-dir theirs undo 481", {"4811", "4812"}),
    ("--state-dir=theirs fix --resume 48", {"4811", "4812"}),
)
SHELLS = {
    "bash": ("bash --norc --noprofile", "PS1='> '; bind 'set show-all-if-ambiguous on'; source ./script"),
    "zsh": (
        "zsh -f",
        "unsetopt beep list_ambiguous; autoload -U compinit; compinit -u -D; source ./script",
    ),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with one file that can be named."""
    (tmp_path / "box.json").touch()
    (tmp_path / "folder").mkdir()
    for change in ("4711", "4712", "4720", ".new-4721"):
        (tmp_path / "state" / "changes" / change).mkdir(parents=True)
    for change in (
        "4811",
        "4812",
        "$(touch ran)",
        "`touch ran`",
        "4813$(touch ran)",
        "*",
        "4814 x",
    ):
        (tmp_path / "theirs" / "changes" / change).mkdir(parents=True)
    (tmp_path / "two words").touch()
    return tmp_path


def script(place: Path, shell: str) -> str:
    argv = [sys.executable, "-m", "mailcow_wizard", "completion", shell]
    written = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    (place / "script").write_text(written)
    return written


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes(shell: str, place: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script(place, shell)
    start, set_up = SHELLS[shell]
    terminal = Terminal(200, 50)
    try:
        terminal.start(f"sh -c 'cd {place} && exec {start}'", {"TERM": "xterm"})
        terminal.tmux("send-keys", "-l", f"{set_up}; clear; echo rea''dy")
        terminal.keys("Enter")
        terminal.wait_for("ready")
        for line, wanted in LINES:
            terminal.keys("C-u", "C-l")
            terminal.tmux("send-keys", "-l", f"mailcow-wizard {line}")
            terminal.keys("Tab")
            wait_for_words(terminal, line, wanted)
    finally:
        terminal.close()
    assert not (place / "ran").exists(), "a name that somebody gave to a change was run"


def test_bash_knows_a_path_from_a_word(place: Path) -> None:
    script(place, "bash")
    start, set_up = SHELLS["bash"]
    terminal = Terminal(200, 50)
    try:
        terminal.start(f"sh -c 'cd {place} && exec {start}'", {"TERM": "xterm"})
        terminal.tmux("send-keys", "-l", f"{set_up}; clear; echo rea''dy")
        terminal.keys("Enter")
        terminal.wait_for("ready")
        for begun, wanted in (
            ("--host two", r"--host two\ words"),
            ("--record=two", r"--record=two\ words"),
            ("--dir fol", "--dir folder/"),
            ("conf lint tw", r"conf lint two\ words"),
        ):
            terminal.keys("C-u", "C-l")
            terminal.tmux("send-keys", "-l", f"mailcow-wizard {begun}")
            terminal.keys("Tab")
            terminal.tmux("send-keys", "-l", "|")
            terminal.wait_for("|")
            assert wanted in terminal.text()
    finally:
        terminal.close()


def wait_for_words(terminal: Terminal, line: str, wanted: set[str]) -> None:
    """Waits until these words are on the screen, none other that begins like them, and no error."""
    begun = line.rpartition(" ")[2]
    end = time.monotonic() + PATIENCE
    while True:
        shown = terminal.text()
        words = {word for word in shown.split() if word.startswith(begun)} - {begun, "mailcow-wizard"}
        if words >= wanted or time.monotonic() > end:
            break
        time.sleep(0.05)
    # Where only one fits it is in the line; where several do, so is what they have in common.
    assert words - wanted <= {one[:length] for one in wanted for length in range(len(one))}, shown
    assert words >= wanted, shown
    assert "_mailcow_wizard" not in shown


def test_fish_is_told(place: Path) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    script(place, "fish")
    for line, wanted in LINES:
        asked = "source ./script; complete -C $argv[1]"
        argv = ["fish", "--no-config", "-c", asked, f"mailcow-wizard {line}"]
        done = subprocess.run(argv, cwd=place, capture_output=True, text=True, timeout=60)
        assert (done.stderr, {one.partition("\t")[0] for one in done.stdout.split("\n") if one}) == (
            "",
            wanted,
        )
    assert not (place / "ran").exists()
