"""What opens to be read and copied: it says how much more there is, and is to be had whole."""

from pathlib import Path

from tui.tmux import Terminal, wizard

LONG = "systemctl disable exim4.service && systemctl stop exim4.service"


def _go_to_the_ports(terminal: Terminal) -> None:
    terminal.wait_for("Full name")
    terminal.keys("Enter")
    terminal.wait_for("▸ ✗ blocks  Tools")
    for wanted in ("Kernel version", "SMTP (25)"):
        terminal.keys("n")
        terminal.wait_for(wanted)
    terminal.wait_until_looked()


def test_a_long_text_says_how_much_of_it_is_in_view(tmp_path: Path) -> None:
    with wizard(width=60, height=12, state=str(tmp_path)) as terminal:
        _go_to_the_ports(terminal)
        terminal.keys("Enter")
        text = terminal.wait_for("Esc close", "1 to 10 of ")
        whole = int(text.rpartition(" of ")[2].split()[0])
        terminal.keys("End")
        terminal.wait_for(f"{whole - 9} to {whole} of {whole}", "https://")
        terminal.keys("Home")
        terminal.wait_for("1 to 10 of ")
        terminal.tmux("resize-window", "-x", "120", "-y", "40")
        terminal.wait_for("https://", "Esc close")
        terminal.wait_for_silence(0.5)
        assert " of " not in terminal.text().splitlines()[-1]


def test_what_is_copied_is_shown_whole(tmp_path: Path) -> None:
    with wizard(width=50, height=20, state=str(tmp_path)) as terminal:
        _go_to_the_ports(terminal)
        terminal.keys("c")
        assert LONG not in terminal.wait_for("p show it whole")
        terminal.keys("p")
        terminal.wait_for("goes back to the wizard")
        assert LONG in terminal.tmux("capture-pane", "-p", "-J")
        terminal.keys("Up", "Escape")
        terminal.wait_for("p show it whole")
        terminal.escape_to("▸")
