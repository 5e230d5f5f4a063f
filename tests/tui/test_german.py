"""The German screens on 80 columns: what has one line there has room in it, and every screen opens."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogues import ROOT
from tui.tmux import WIZARD, Terminal

# Measured in a process of its own: modules make their sentences when they are imported.
MEASURE = """
from mailcow_wizard.language import use
use("{tongue}")
from rich.cells import cell_len
from mailcow_wizard.checks import all_checks
from mailcow_wizard.model import STEPS
from mailcow_wizard.tui import planned, writing
from mailcow_wizard.tui.board import SUMMARY, WELCOME
from mailcow_wizard.tui.help import help_lines
from mailcow_wizard.tui.look import WORD_WIDTH, WORDS, Look
from mailcow_wizard.tui.places import PLACES
from mailcow_wizard.tui.widgets.findings import _NARROW_TITLE
from mailcow_wizard.language import _

def line(text, room):
    if cell_len(text) > room:
        print(cell_len(text), room, text)

for word in WORDS.values():
    line(word, WORD_WIDTH)
for step in (WELCOME, *STEPS, SUMMARY):
    line(f" {{step.title}}  {{step.about}}", 80)
    line(step.title, 14)
for check in all_checks():
    line(check.title, _NARROW_TITLE)
for parts in help_lines(Look(False, True)):
    line("".join(text for text, _style in parts), 80)
for label in (_("Found"), _("Needed"), _("Why"), _("See"), _("State"), _("More"), _("Mend")):
    line(label, writing._LABEL_WIDTH - 1)
for label in (_("Effect"), _("Interrupts"), _("Risk"), _("Was done"), _("When"), _("State"), _("Why")):
    line(label, planned.LABEL_WIDTH - 1)
for place in PLACES:
    line(place.label, 18)
"""


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_what_has_one_line_has_room_in_it(tongue: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(tongue=tongue)],
        env={**os.environ, "PYTHONPATH": str(ROOT.parent)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.stdout.splitlines(), done.stderr) == ([], "")


@pytest.fixture
def wizard(tmp_path: Path) -> Iterator[Terminal]:
    """The German wizard on the demo machine."""
    terminal = Terminal(80, 24)
    words = (*WIZARD, "--demo", "--lang", "de", "--state-dir", str(tmp_path))
    variables = {"TERM": "xterm-256color", "PYTHONPATH": os.getcwd(), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    terminal.start(" ".join(words), variables)
    try:
        terminal.wait_for("Voller Name des Mailservers", "q Ende")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.slow
def test_every_step_is_german_and_shows_its_keys(wizard: Terminal) -> None:
    steps = ("System", "Kernel", "Ports", "Netzwerk", "DNS", "Zeit", "Docker", "Konfiguration")
    wizard.keys("Enter")
    for step in steps:
        wizard.wait_for(f"\n {step}  ", "n weiter", "b zurück", "Enter Details", "Enter zeigt alles")
        wizard.keys("n")
    wizard.wait_for("\n Installation  ", "i Installation", "q Ende")
    wizard.keys("n")
    wizard.wait_for("\n Nachweis  ", "n weiter", "q Ende")
    wizard.keys("n")
    wizard.wait_for("\n Ergebnis  ", "Befunde verhindern die Installation. Zuerst beheben.")
    wizard.keys("?")
    wizard.wait_for(" Hilfe\n", "Esc schließen", "Pfeile blättern")
    wizard.escape_to("Ergebnis")
    wizard.keys("q")
    wizard.wait_for("left with 0")
