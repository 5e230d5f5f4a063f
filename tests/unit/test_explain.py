"""Every check is explained, and shells complete commands, options and ids."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from json_schema import faults

from mailcow_wizard import checks
from mailcow_wizard.report.schema import schema


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "mailcow_wizard", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("topic", checks.TOPICS)
def test_checks_of_every_topic_are_explained(topic: str) -> None:
    check = checks.of_topic(topic)[0]
    done = run("explain", check.id, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert not faults(schema(), document)
    assert (document["check"], document["why"], document["doc"]) == (check.id, check.why, check.doc)
    assert document["example"]
    text = run("explain", check.id).stdout
    assert check.needed in text


def test_a_fix_of_another_check_is_not_named() -> None:
    """The topic has one, and an open relay is not mended by a new password."""
    assert json.loads(run("explain", "mail.relay", "--json").stdout)["fix_ids"] == []
    text = run("explain", "mail.relay").stdout
    assert "reset-admin" not in text
    assert "fix mail.relay lists those that make sense here" in text
    assert "stop-service" in json.loads(run("explain", "ports.smtp", "--json").stdout)["fix_ids"]


@pytest.mark.parametrize("words", [(), ("ports",), ("nothing",), ("ports.smtp", "ports.http")])
def test_what_is_no_check_is_not_explained(words: tuple[str, ...]) -> None:
    done = run("explain", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)


def complete(script: Path, *words: str) -> set[str]:
    """What bash offers for the last of these words."""
    program = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_LINE="$*" COMP_CWORD=$(($# - 1)); _mailcow_wizard; '
    )
    argv = ["bash", "-c", f"{program}printf '%s\\n' \"${{COMPREPLY[@]}}\"", "x", str(script), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_bash_completes_commands_options_and_ids(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(run("completion", "bash").stdout)
    assert complete(script, "mailcow-wizard", "che") == {"check"}
    assert complete(script, "mailcow-wizard", "check", "ports.sm") == {"ports.smtp", "ports.smtps"}
    assert complete(script, "mailcow-wizard", "--demo", "fix", "time.off") == {"time.offset"}
    assert complete(script, "mailcow-wizard", "check", "--pl") == {"--plain"}
    assert complete(script, "mailcow-wizard", "conf", "l") == {"lint"}
    (tmp_path / "box.json").touch()
    assert complete(script, "mailcow-wizard", "--host", f"{tmp_path}/box") == {f"{tmp_path}/box.json"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_reads_its_script(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(run("completion", shell).stdout)
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    assert subprocess.run([shell, "-n", str(script)], capture_output=True).returncode == 0


def test_other_shells_have_none() -> None:
    for words in ((), ("tcsh",), ("bash", "zsh")):
        assert run("completion", *words).returncode == 64
