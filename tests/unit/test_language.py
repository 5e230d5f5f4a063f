"""The languages: how one is chosen, and what is never translated."""

import gc
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from catalogues import ROOT

from mailcow_wizard import __main__, language
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.dns_push import decided
from mailcow_wizard.cli.making import Talk
from mailcow_wizard.host import entrance
from mailcow_wizard.host.terminal import asking

CHECKOUT = ROOT.parent


# --- choosing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "DE_at@euro"}, "de"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "den_CA"}, "en"),
        ({"LC_MESSAGES": "en_GB.UTF-8", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "de_DE.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "de"),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "fr:de:en"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "en_US"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "fr"}, "en"),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"}, "en"),
        ({"LANGUAGE": "de"}, "en"),
        ({"LANG": "\udcff"}, "en"),
    ],
)
def test_the_locale_says_the_language_as_for_gettext(environ: dict[str, str], chosen: str) -> None:
    assert language.of_locale(environ) == chosen


@pytest.mark.parametrize(
    ("line", "chosen"),
    [
        ("check", "de"),
        ("check --lang en", "en"),
        ("--lang=en check", "en"),
        ("check --lang de --lang en", "en"),
        ("check --json", "en"),
        ("check --lang de --json", "en"),
        ("check --format nagios", "en"),
        ("check --format=prometheus", "en"),
        ("report --format html", "de"),
        ("schema", "en"),
        ("schema --help", "de"),
        ("check --json -h", "de"),
        ("conf get -- --json", "de"),
        ("check --lang", "de"),
    ],
)
def test_the_line_comes_before_the_locale_and_programs_read_english(line: str, chosen: str) -> None:
    language.choose(line.split(), {"LANG": "de_DE.UTF-8"})
    assert language.current() == chosen


# --- speaking ---------------------------------------------------------------------------------------------


class Spoken:
    """Translations of a test's own."""

    def __init__(self, **words: str) -> None:
        self.words = words

    def gettext(self, text: str) -> str:
        """By the sentence's first word."""
        return self.words.get(text.partition(" ")[0], text)


@pytest.fixture
def german() -> None:
    """German is spoken."""
    language.use("de")


@pytest.mark.parametrize("broken", ["{other} Dateien", "{number} {", "{number.real.x}", "{0}", "{number:q}"])
def test_a_broken_translation_is_english(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    monkeypatch.setattr(language, "_spoken", Spoken(there=broken))
    assert language._("there are {number} files", number=3) == "there are 3 files"


def test_numbers_are_written_as_in_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = "{size:.1f} GiB, {bytes:,} bytes, {port}, {version}"
    values: dict[str, Any] = {"size": 1.5, "bytes": 1234567, "port": 5353, "version": "4.15"}
    assert language._(sentence, **values) == "1.5 GiB, 1,234,567 bytes, 5353, 4.15"
    monkeypatch.setattr(language, "_spoken", Spoken())
    assert language._(sentence, **values) == "1,5 GiB, 1.234.567 bytes, 5353, 4.15"


def test_a_value_is_no_form(german: None) -> None:
    assert language._("{name} and {name}", name="{0.x}") == "{0.x} and {0.x}"


def test_what_the_door_said_is_known_by_its_form(german: None) -> None:
    said = language.heard("the command chronyc is not installed")
    assert said == "der Befehl chronyc ist nicht installiert"
    within = language.heard("/etc/adjtime could not be written: Permission denied")
    assert within == "/etc/adjtime konnte nicht geschrieben werden: Keine Berechtigung"
    assert language.heard("no answer within 3 s") == "keine Antwort binnen 3 s"
    assert language.heard("no answer within 0.6 s") == "keine Antwort binnen 0,6 s"
    assert (
        language.heard("/etc/hosts is larger than 1,048,576 bytes")
        == "/etc/hosts ist größer als 1.048.576 Bytes"
    )
    assert (
        language.heard("it was not there after 20 s (250 2.0.0 Ok)")
        == "sie war nach 20 s nicht da (250 2.0.0 Ok)"
    )
    assert (
        language.heard("name does not resolve within 3 s") == "der Name ließ sich binnen 3 s nicht auflösen"
    )
    longer = language.heard("its answer is too long for UDP, and over TCP: refused")
    assert longer == "seine Antwort ist zu lang für UDP, und über TCP: abgelehnt"
    assert language.heard("chronyc: 506 Cannot talk to daemon") == "chronyc: 506 Cannot talk to daemon"
    assert language._("systemctl: {error}", error=OSError("it has no secret")).endswith("kein Geheimnis")


@pytest.mark.parametrize("line", ["answers", "dns --zone", "report --format html", "report"])
def test_a_document_is_utf8_in_every_locale(tmp_path: Path, line: str) -> None:
    """TOML and a page that says so itself are read as UTF-8."""
    known = ("--demo", "--offline", "--address", "192.88.99.10", "--state-dir", str(tmp_path))
    assert run("check", "time", *known, **GERMAN).returncode < 4
    unicode = run(*line.split(), *known, **GERMAN)
    latin = run(*line.split(), *known, LANG="de_DE.ISO-8859-1", PYTHONIOENCODING="latin-1")
    assert not unicode.stdout.isascii()
    assert latin.stdout == unicode.stdout
    ascii = run(*line.split(), *known, "--ascii", **GERMAN)
    assert ascii.stdout.isascii()


# --- what programs read, and what it costs ----------------------------------------------------------------


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command line, run to its end."""
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(CHECKOUT), **variables}
    return subprocess.run(
        [sys.executable, "-m", "mailcow_wizard", *words],
        env=environ,
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


GERMAN = {"LANG": "de_DE.UTF-8", "PYTHONUTF8": "1"}


def test_german_is_spoken_by_locale_and_by_option(tmp_path: Path) -> None:
    line = ("check", "time", "--demo", "--plain", "--state-dir", str(tmp_path))
    english = run(*line, LANG="C.UTF-8")
    assert "the timezone is" in english.stdout
    by_locale = run(*line, **GERMAN)
    assert "die Zeitzone ist" in by_locale.stdout
    assert run(*line, "--lang", "de", LANG="C.UTF-8").stdout == by_locale.stdout
    assert run(*line, "--lang=en", **GERMAN).stdout == english.stdout
    assert by_locale.returncode == english.returncode


def test_an_unknown_language_is_refused() -> None:
    done = run("check", "--lang", "fr", LANG="C.UTF-8")
    assert done.returncode == 64
    assert done.stderr == "mailcow-wizard: --lang 'fr' is none of: en, de\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chekc", "unbekannter Befehl 'chekc'; es gibt: check, fix, "),
        ("undo a b", "undo nimmt eine Änderung, aber da ist 'b'\n"),
        ("install --branch ..a", "--branch '..a' ist kein Name eines Zweigs\n"),
        ("check --host /nowhere", "--host /nowhere: nicht lesbar: Datei oder Verzeichnis nicht gefunden\n"),
    ],
)
def test_a_line_that_cannot_be_understood_is_answered_in_its_language(line: str, said: str) -> None:
    done = run(*line.split(), **GERMAN)
    assert done.returncode == 64
    assert done.stderr.startswith(f"mailcow-wizard: {said}")


def test_programs_read_in_english_what_is_wrong_with_a_line() -> None:
    done = run("undo", "a", "b", "--json", **GERMAN)
    assert json.loads(done.stdout)["error"] == "undo takes one change, but there is 'b'"


def test_a_question_takes_the_answers_of_its_language(monkeypatch: pytest.MonkeyPatch, german: None) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(sys, "stdin", io.StringIO("vielleicht\nja\nN\nyes\n"))
    assert asking.ask("Das schreiben?")
    assert not asking.ask("Zurücknehmen?", otherwise=True)
    assert asking.ask("Das schreiben?")
    again = "Das schreiben? [j/N] "
    assert shown.getvalue() == f"{again}{again}Zurücknehmen? [J/n] {again}"


def test_the_letters_for_a_record_mean_the_same_in_every_language(
    monkeypatch: pytest.MonkeyPatch, german: None
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\nj\nn\na\nq\n"))
    talk = Talk(Options(), shown.write)
    assert [decided(talk) for _answer in range(4)] == ["y", "n", "a", "q"]
    assert shown.getvalue() == "Das veröffentlichen? [j/n/a/q] " * 5


def test_programs_read_the_same_in_every_language(tmp_path: Path) -> None:
    def document(*words: str, **variables: str) -> Any:
        read = json.loads(
            run("check", "--demo", "--json", "--state-dir", str(tmp_path), *words, **variables).stdout
        )
        for one in read["checks"]:
            del one["duration_ms"]
        return read["checks"]

    english = document(LANG="C.UTF-8")
    assert document("--lang", "de", **GERMAN) == english


def test_english_costs_nothing() -> None:
    code = (
        "import os, sys; from mailcow_wizard import __main__; "
        "__main__._run(['check', 'ports', '--demo', '--plain', '--state-dir', '/proc/nonexistent']); "
        "sys.stderr.write(str({'gettext', 'locale'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr.endswith("set()")


def test_a_process_of_its_own_speaks_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, german: None
) -> None:
    from mailcow_wizard.host.processes import detached

    said = tmp_path / "said"
    (tmp_path / "speaker.py").write_text(
        "from mailcow_wizard import language\n"
        "def main(words):\n"
        "    open(words[0], 'w').write(language.current())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = detached.start("speaker", (str(said),), ())
    while not process.ended():
        detached.pause(0.02)
    assert said.read_text() == "de"


@pytest.mark.parametrize("language_of", ["C", "de_DE.ISO-8859-1"])
def test_the_first_line_can_be_read_on_every_terminal(
    monkeypatch: pytest.MonkeyPatch, language_of: str
) -> None:
    """It is written before anybody looks what the terminal can show."""
    said: list[bytes] = []
    monkeypatch.setattr(entrance, "is_for_screens", lambda: True)
    monkeypatch.setattr(entrance, "write", said.append)
    monkeypatch.setattr(entrance, "environment", lambda: {"LC_ALL": language_of})
    monkeypatch.setattr("mailcow_wizard.cli.app.run", lambda words: 0)
    try:
        assert __main__._run(["--demo"]) == 0
    finally:
        gc.enable()
        language.use("en")
    (line,) = said
    assert line.isascii(), line
    assert (b"sieht sich" in line) == language_of.startswith("de")
