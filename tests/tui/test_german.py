"""The German screens on 80 columns: what has one line there has room in it, and every screen opens."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import catalogues
import pytest
from catalogues import PARTS, ROOT
from rich.style import Style
from textual.app import App, ComposeResult
from tui.tmux import WIZARD, Terminal

from mailcow_wizard.tui.widgets.lines import Lines

ROOM = 79

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
from mailcow_wizard.tui.places import PLACES, keys_of
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
for parts in help_lines(Look(False, True), 200):
    line("".join(text for text, _style in parts), 80)
for label in (_("Found"), _("Needed"), _("Why"), _("See"), _("State"), _("More"), _("Mend")):
    line(label, writing._LABEL_WIDTH - 1)
for label in (_("Effect"), _("Interrupts"), _("Risk"), _("Was done"), _("When"), _("State"), _("Why")):
    line(label, planned.LABEL_WIDTH - 1)
for place in PLACES:
    line(place.label, 18)
moves = [("n", _("next")), ("b", _("back")), ("Enter", _("details"))]
rest = [("r", _("again")), ("?", _("help")), ("q", _("quit"))]
for step in STEPS:
    # Beside what the step of the network has alone there is no room for one key more.
    mend = [("f", _("mend"))] if len(keys_of(step.id)) < 2 and step.id != "install" else []
    keys = [*moves, *mend, *keys_of(step.id), *rest]
    line("".join(f" {{key}} {{does}} " for key, does in keys), 80)
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


def test_a_notice_has_room_in_its_line() -> None:
    """What takes the place of the keys, in both languages; what has values in it may be longer."""
    german = {one: words for part in PARTS for one, words in catalogues.read("de", part).items()}
    notices = set()
    for path in (ROOT / "tui").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        calls = [one for one in nodes if isinstance(one, ast.Call)]
        told: list[ast.AST] = [
            one.args[0] for one in calls if getattr(one.func, "attr", "") == "show_keys" and one.args
        ]
        # A notice may come from a function of the same file.
        makers = {getattr(one.func, "id", "") for one in told if isinstance(one, ast.Call)}
        told += [one for one in nodes if isinstance(one, ast.FunctionDef) and one.name in makers]
        for below in (below for one in told for below in ast.walk(one)):
            if isinstance(below, ast.Constant) and isinstance(below.value, str):
                notices.add(below.value)
    assert len(notices) > 10
    said = {word for one, words in german.items() if one.text in notices for word in (one.text, *words)}
    assert [one for one in said if "{" not in one and len(one) > ROOM] == []


class OneLine(App[None]):
    """A line with no room for all of it."""

    def compose(self) -> ComposeResult:
        """Nothing else."""
        lines = Lines()
        lines.styles.height = 1
        yield lines


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        (("a word", " and more"), "a word an…"),
        (("a word and",), "a word and"),
        (("a word", "        "), "a word    "),
        (("ein Übermaß", ""), "ein Überm…"),
        (("日本語日本語",), "日本語日 …"),
    ],
)
async def test_what_is_cut_says_so(parts: tuple[str, ...], shown: str) -> None:
    app = OneLine()
    async with app.run_test(size=(10, 3)):
        lines = app.query_one(Lines)
        lines.put([[(one, Style()) for one in parts]])
        assert lines.render_line(0).text == shown


@contextmanager
def started(tmp_path: Path, *words: str) -> Iterator[Terminal]:
    """The German wizard on the demo machine."""
    terminal = Terminal(80, 24)
    words = (*WIZARD, "--demo", "--lang", "de", "--state-dir", str(tmp_path), *words)
    variables = {"TERM": "xterm-256color", "PYTHONPATH": os.getcwd(), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    terminal.start(" ".join(words), variables)
    try:
        terminal.wait_for("Voller Name des Mailservers", "q Ende")
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def wizard(tmp_path: Path) -> Iterator[Terminal]:
    """The same, as it is by itself."""
    with started(tmp_path) as terminal:
        yield terminal


@pytest.mark.slow
def test_in_ascii_no_umlaut_is_left(tmp_path: Path) -> None:
    with started(tmp_path, "--ascii") as terminal:
        assert terminal.text().isascii()
        terminal.keys("Enter")
        for key, wanted in (
            ("n", "Kernel-Version"),
            ("n", "SMTP (25)"),
            ("f", "laesst sich zuruecknehmen"),
            ("Escape", "n weiter  b zurueck"),
            ("?", "naechster Schritt"),
            ("Escape", "n weiter  b zurueck"),
            ("a", "zaehlt nicht mehr"),
        ):
            if key in "nfa?":
                terminal.wait_until_looked()
            terminal.keys(key)
            text = terminal.wait_for(wanted)
            assert text.isascii(), text
            terminal.wait_for_silence(0.5)


@pytest.mark.slow
def test_every_step_is_german_and_shows_its_keys(wizard: Terminal) -> None:
    steps = ("System", "Kernel", "Ports", "Netzwerk", "DNS", "Zeit", "Docker", "Konfiguration")
    wizard.keys("Enter")
    for step in steps:
        wizard.wait_for(f"\n {step}  ", "n weiter", "b zurück", "Enter mehr", "Enter zeigt alles")
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


def english() -> list[str]:
    """What no German screen may show: whole sentences, and of those with values the longest piece."""
    found = []
    for part in PARTS:
        for sentence, words in catalogues.read("de", part).items():
            pieces = re.split(r"\{\w*[^}]*\}|\n", sentence.text)
            longest = " ".join(max(pieces, key=len).split())
            german = " ".join(" ".join(words).split())
            if (
                len(longest.split()) >= LEAST_WORDS
                and len(longest) >= LEAST_LETTERS
                and longest not in german
            ):
                found.append(longest)
    return found


LEAST_WORDS, LEAST_LETTERS = 3, 14
# Keys, and what the screen shows that they lead to.
OF_SUMMARY = {
    "e": " Bericht\n",
    "U": " Änderungen auf diesem Rechner",
    "f": "Esc zurück",
    "w": " Antworten\n",
    "c": " In die Zwischenablage",
    "l": " Was ausgeführt wurde",
    "Enter": "Esc schließen",
}
OF_STEPS = {
    "Nachweis": {},
    "Installation": {"i": " mailcow installieren: mail.example.org"},
    "Konfiguration": {"Enter": "Esc schließen", "s": "Enter ändern"},
    "Docker": {"Enter": "Esc schließen"},
    "Zeit": {"Enter": "Esc schließen", "f": "Esc zurück"},
    "DNS": {"Enter": "Esc schließen", "t": "Esc zurück  ? Hilfe"},
    "Netzwerk": {"Enter": "Esc schließen", "o": " Was hinausgelangt"},
    "Ports": {"Enter": "Esc schließen", "f": "Esc zurück"},
    "Kernel": {"Enter": "Esc schließen"},
    "System": {"Enter": "Esc schließen"},
}


@pytest.mark.slow
def test_no_screen_shows_english(wizard: Terminal) -> None:
    seen = [wizard.text()]
    wizard.keys("Enter")
    for step in reversed(OF_STEPS):
        wizard.wait_for(f"\n {step}  ")
        wizard.keys("n")
    seen.append(wizard.wait_for("\n Ergebnis  ", "Befunde verhindern die Installation"))
    for key, title in OF_SUMMARY.items():
        wizard.keys(key)
        seen.append(wizard.wait_for(title))
        wizard.escape_to("\n Ergebnis  ")
    wizard.keys("u")
    seen.append(wizard.wait_for("zurückzunehmen"))
    for step, places in OF_STEPS.items():
        wizard.keys("b")
        seen.append(wizard.wait_for(f"\n {step}  "))
        for key, title in places.items():
            wizard.keys(key)
            seen.append(wizard.wait_for(title))
            wizard.escape_to(f"\n {step}  ")
    words = english()
    assert len(words) > 1500
    for screen in seen:
        flat = " ".join(screen.split())
        assert [one for one in words if one in flat] == [], screen


@pytest.mark.slow
def test_a_plan_and_what_is_in_its_way_are_german(wizard: Terminal) -> None:
    wizard.keys("Enter")
    for step in ("System", "Kernel"):
        wizard.wait_for(f"\n {step}  ", "Enter zeigt alles")
        wizard.keys("n")
    wizard.wait_for("\n Ports  ", "exim4 lauscht auf")
    wizard.keys("f")
    wizard.wait_for("exim4 stoppen und deaktivieren", "Enter Plan zeigen")
    wizard.keys("Enter")
    wizard.wait_for("systemctl stop exim4.service", "Ein aufgezeichneter Rechner kann nicht geändert werden.")
