"""What `--help` and the man page say: every command and option, and lines that can be typed as they stand."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from mailcow_wizard.cli import arguments
from mailcow_wizard.cli.help import help_text
from mailcow_wizard.cli.usage import COMMANDS, EXAMPLES, EXIT_CODES, GENERAL, Usage

BY_NAME = {usage.command: usage for usage in COMMANDS}
GENERAL_OPTIONS = {word.split()[0].removeprefix("--") for word, _ in GENERAL}
LINES = [words for words, _ in EXAMPLES] + [words for usage in COMMANDS for words, _ in usage.examples]


def options_of(usage: Usage) -> set[str]:
    """The names of a command's own options."""
    return {word.split()[0].removeprefix("--") for word, _ in usage.options}


def test_each_command_is_described() -> None:
    assert set(BY_NAME) == set(arguments.COMMANDS)


@pytest.mark.parametrize("option", [*arguments.FLAG_NAMES, *arguments.VALUE_NAMES])
def test_each_option_is_described_where_it_can_be_used(option: str) -> None:
    of_commands = {command for command, usage in BY_NAME.items() if option in options_of(usage)}
    allowed = set(arguments.ONLY_FOR.get(option, arguments.COMMANDS))
    assert of_commands <= allowed
    assert option in GENERAL_OPTIONS or option == "yes" or of_commands == allowed


@pytest.mark.parametrize("line", LINES)
def test_each_example_is_understood(line: str) -> None:
    words = shlex.split(line.partition(" > ")[0].partition(" | ")[0])
    arguments.parse(words)


@pytest.mark.parametrize("command", ["", *BY_NAME])
def test_help_fits_the_screen(command: str) -> None:
    text = help_text(command)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("\n") <= 80
    if command:
        usage = BY_NAME[command]
        assert all(form in text for form in usage.forms)
        assert all(words in text for words, _ in usage.examples)
    else:
        assert all(f"  {one.command}" in text for one in COMMANDS)
        flat = " ".join(text.split())
        assert all(f"{code} {what}" in flat for code, what in EXIT_CODES)


@pytest.mark.parametrize("command", BY_NAME)
def test_a_command_shows_its_own(command: str) -> None:
    for words in ((command, "--help"), ("--help", command)):
        done = subprocess.run(
            [sys.executable, "-m", "mailcow_wizard", *words], capture_output=True, text=True, check=True
        )
        assert done.stdout == help_text(command)


@pytest.mark.parametrize("command", ["", *BY_NAME])
def test_german_help_fits_the_screen(command: str) -> None:
    words = ("--lang=de", *filter(None, [command]), "--help")
    text = subprocess.run(
        [sys.executable, "-m", "mailcow_wizard", *words],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        check=True,
    ).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "Exit-Codes: 0 alles in Ordnung; " in text
    assert all(form in text for form in (BY_NAME[command].forms if command else ()))
    english = {meaning for _, meaning in GENERAL}
    assert not english & {line[22:] for line in text.splitlines()}


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_the_german_man_page_is_one() -> None:
    page = subprocess.run(
        [sys.executable, "-m", "mailcow_wizard", "man", "--lang", "de"], capture_output=True, check=True
    ).stdout
    assert page.isascii()
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style"], input=page, capture_output=True, check=False
    )
    assert (lint.returncode, lint.stdout) == (0, b"")
    shown = subprocess.run(["mandoc", "-T", "utf8"], input=page, capture_output=True, check=True).stdout
    plain = " ".join(without_overstrikes(shown.decode()).split())
    assert "ÜBERSICHT" in plain
    assert "der Schlüssel, der Änderungen unterschreibt" in plain


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_the_man_page_is_one() -> None:
    page = subprocess.run(
        [sys.executable, "-m", "mailcow_wizard", "man"], capture_output=True, text=True, check=True
    ).stdout
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style"], input=page, capture_output=True, text=True, check=False
    )
    assert (lint.returncode, lint.stdout) == (0, "")
    shown = subprocess.run(
        ["mandoc", "-T", "ascii", "-O", "width=200"], input=page, capture_output=True, text=True, check=True
    ).stdout
    plain = " ".join(part for part in without_overstrikes(shown).split())
    for usage in COMMANDS:
        assert all(" ".join(form.replace("…", "...").split()) in plain for form in usage.forms)
        assert all(meaning.replace("…", "...") in plain for _, meaning in (*usage.options, *usage.examples))
    assert 'ack network.outbound-25 --reason "mail leaves by a relay"' in plain


def without_overstrikes(text: str) -> str:
    """Bold is a letter, a backspace and the letter again."""
    kept: list[str] = []
    for letter in text:
        if letter == "\b":
            kept.pop()
        else:
            kept.append(letter)
    return "".join(kept)
