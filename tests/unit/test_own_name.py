"""What this program calls itself where it tells what to type: a name that can be typed where it is read."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import catalogues
import pytest

from mailcow_wizard import language
from mailcow_wizard.cli.arguments import parse
from mailcow_wizard.cli.repeating import finding_again
from mailcow_wizard.engine.memory import Memory
from mailcow_wizard.host import calling
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.install.spoken import line
from mailcow_wizard.language import _, called, called_elsewhere, ngettext
from mailcow_wizard.model import Finding
from mailcow_wizard.own_name import uncalled
from mailcow_wizard.report.document import of_run
from mailcow_wizard.retelling import retold, stored
from mailcow_wizard.tui.to_type import commands
from mailcow_wizard.wrapping import wrapped

FILE = "/srv/my {mail}/wizard.pyz"
NAMES = [
    ("./wizard", "sudo ./wizard"),
    ("mailcow-wizard", "sudo mailcow-wizard"),
    (f"python3 '{FILE}'", f"sudo python3 '{FILE}'"),
    ("mailcow-wizard --ssh anna@server", "mailcow-wizard --ssh root@server"),
    ("mailcow-wizard --ssh root@server", "mailcow-wizard --ssh root@server"),
]
COMMAND = r"(?:check|fix|undo|ack|conf|dns|reach|install|verify|report|answers|--\w)"


@pytest.fixture(params=("en", "de"))
def tongue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=NAMES)
def names(request: pytest.FixtureRequest, tongue: str) -> tuple[str, str]:
    language.choose(["--lang", tongue], {}, lambda: request.param)
    names: tuple[str, str] = request.param
    return names


def test_sentences_name_what_can_be_typed(names: tuple[str, str]) -> None:
    name, as_root = names
    assert _("Run the wizard as root: sudo ./wizard").endswith(f": {as_root}")
    values = _(
        "{elsewhere}: sudo ./wizard {words}", elsewhere="Elsewhere, ./wizard", words="fix {a} ./wizard"
    )
    assert values == f"Elsewhere, ./wizard: {as_root} fix {{a}} ./wizard", "values stay as they are"
    assert called("./wizard dns, sudo ./wizard undo") == f"{name} dns, {as_root} undo"


def test_the_log_of_an_install_names_what_can_be_typed(names: tuple[str, str]) -> None:
    """The worker that writes it does not know what who reads it calls the program."""
    said = "checks:   ./wizard fix ports.smtp stop-service: Stop and disable postfix"
    assert line(said) == f"checks:   {names[0]} fix ports.smtp stop-service: Stop and disable postfix"
    assert line("pull: $ ./wizard") == "pull: $ ./wizard", "commands stay as they are"


def test_numbers_have_their_sentences_with_the_name(names: tuple[str, str]) -> None:
    assert ngettext("{n}: ./wizard undo", "{n}: sudo ./wizard undo", 2) == f"2: {names[1]} undo"


def test_what_is_kept_is_told_by_the_name_that_the_reader_has(names: tuple[str, str]) -> None:
    name, as_root = names
    said = _("See ./wizard check network")
    assert f" {name} check network" in said
    kept = stored(said)
    assert kept == "See ./wizard check network"
    assert retold(kept) == said
    # Over ssh root's line is the same as the user's, or is known by its end.
    assert stored(called("sudo ./wizard")) == (name if name == as_root else "sudo ./wizard")


@pytest.mark.parametrize(
    "text",
    [
        "/etc/sysctl.d/60-mailcow-wizard.conf is written",
        "looked at by mailcow-wizard 1.0",
        "/opt/mailcow-wizard check",
        "mailcow-wizard-install.service",
    ],
)
def test_the_programs_name_alone_is_no_command(text: str) -> None:
    language.choose([], {}, lambda: NAMES[1])
    assert stored(text) == text


def test_programs_read_the_installed_commands_name() -> None:
    language.choose(["check", "--json"], {}, lambda: NAMES[2])
    assert _("Run the wizard as root: sudo ./wizard") == "Run the wizard as root: sudo mailcow-wizard"


def finding(*remedies: str) -> Finding:
    return Finding(
        *("ports.smtp", None, "ports", "SMTP", "fail", "blocks", "proved"),
        *("in use", "free", "in use", "", "https://docs.mailcow.email/"),
        remedies=remedies,
    )


def test_the_last_run_is_told_to_whoever_reads_it_later(tmp_path: Path) -> None:
    state = StateDirectory(str(tmp_path))
    remedies: dict[str, str] = {}
    for name, as_root in NAMES:
        language.choose([], {}, lambda one=(name, as_root): one)  # type: ignore[misc]
        told = Memory(state, recorded=False).run()
        if told:
            assert told["checks"][0]["remedies"] == [f"Look: {name} check ports", f"Then: `{name} conf lint`"]
        found = finding(called("Look: ./wizard check ports"), called("Then: `./wizard conf lint`"))
        remedies[name] = found.remedies[0]
        Memory(state, recorded=False).keep((), [found], of_run("mail.example.org", 0.0, 0.0, [found]))
        assert "wizard.pyz" not in (tmp_path / "last-run.json").read_text()
    language.choose([], {})
    assert len(set(remedies.values())) == len({name for name, _as_root in NAMES})


def test_commands_are_found_by_the_name(names: tuple[str, str]) -> None:
    name, as_root = names
    found = finding(
        called("Look: ./wizard check ports"),
        called("Run the wizard as root: sudo ./wizard"),
        "mailcow-wizardry check ports",
    )
    assert commands(found) == list(dict.fromkeys((f"{name} check ports", as_root)))


def test_a_command_stays_in_one_piece(names: tuple[str, str]) -> None:
    line = f"Make your mail domain and its first mailbox: {names[0]} verify --first-mailbox info@example.org"
    assert wrapped(line, 50)[-1] == line.rpartition(": ")[2]


def test_every_sentence_with_a_command_has_the_name_that_is_replaced() -> None:
    wrong = [
        text
        for part in catalogues.PARTS
        for sentence, told in catalogues.read("de", part).items()
        for text in (*filter(None, (sentence.text, sentence.plural)), *told)
        if re.search(rf"mailcow-wizard {COMMAND}\b|sudo mailcow-wizard|`mailcow-wizard`", text)
    ]
    assert wrong == []
    unlike = [
        sentence.text
        for part in catalogues.PARTS
        for sentence, told in catalogues.read("de", part).items()
        if told
        and (sentence.text.count("./wizard"), sentence.text.count("sudo ./wizard"))
        != (told[0].count("./wizard"), told[0].count("sudo ./wizard"))
    ]
    assert unlike == []


# --- options that are repeated ---

BEHIND = ("--dir '/srv/a {b}'", "--demo"), ("--dir '/srv/a {b}'",)
OWN, ROOT = " ".join(BEHIND[0]), BEHIND[1][0]


@pytest.fixture
def behind(request: pytest.FixtureRequest, tongue: str) -> tuple[str, str]:
    language.choose(["--lang", tongue], {}, lambda: request.param, lambda: BEHIND)
    names: tuple[str, str] = request.param
    return names


@pytest.mark.parametrize("behind", NAMES, indirect=True)
def test_options_stand_behind_the_name(behind: tuple[str, str]) -> None:
    name, as_root = behind
    assert called("./wizard dns, sudo ./wizard undo") == f"{name} {OWN} dns, {as_root} {ROOT} undo"
    assert _("Run the wizard as root: sudo ./wizard").endswith(f": {as_root} {ROOT}")
    values = _("{elsewhere}: sudo ./wizard {words}", elsewhere="./wizard", words="fix {a}")
    assert values == f"./wizard: {as_root} {ROOT} fix {{a}}"
    # Of a directory that the sentence itself names there is only one.
    there = _("Look there: `./wizard --dir {word}`", word="/opt/other")
    assert there.endswith(f"`{name} --demo --dir /opt/other`")
    assert called_elsewhere("./wizard install --answers FILE") == f"{name} install --answers FILE"


@pytest.mark.parametrize("behind", NAMES, indirect=True)
@pytest.mark.parametrize(
    "text",
    [
        "Look: `./wizard`",
        "Look: ./wizard check ports",
        "Look at ./wizard check, then ./wizard fix ports.smtp. At last ./wizard verify",
        "`./wizard --dir /opt/other check` and `./wizard --dir '/srv/a {b}/c' check`",
    ],
)
def test_what_is_kept_has_no_options(behind: tuple[str, str], text: str) -> None:
    said = called(text)
    assert said != text
    assert uncalled(said) == text
    assert called(uncalled(said)) == said


@pytest.mark.parametrize("behind", NAMES[:3], indirect=True)
@pytest.mark.parametrize("text", ["As root: sudo ./wizard", "sudo ./wizard. Or sudo ./wizard fix ports.smtp"])
def test_of_roots_line_neither(behind: tuple[str, str], text: str) -> None:
    assert ROOT in called(text)
    assert uncalled(called(text)) == text


def test_programs_read_no_options() -> None:
    language.choose(["check", "--json"], {}, lambda: NAMES[2], lambda: BEHIND)
    assert called("./wizard undo") == "mailcow-wizard undo"
    assert uncalled("mailcow-wizard undo") == "./wizard undo"


# --- how it was started ---


def start(monkeypatch: pytest.MonkeyPatch, program: str, path: str, **variables: str) -> tuple[str, str]:
    for name in ("NAME", "FROM", "FROM_ROOT"):
        monkeypatch.setenv(f"MAILCOW_WIZARD_{name}", variables.get(name, ""))
    monkeypatch.setenv("PATH", path)
    monkeypatch.setattr("sys.argv", [program])
    return calling.names()


@pytest.fixture
def command(tmp_path: Path) -> Path:
    made = tmp_path / "bin/mailcow-wizard"
    made.parent.mkdir()
    made.write_text("")
    made.chmod(0o755)
    return made


def test_by_the_launcher(monkeypatch: pytest.MonkeyPatch, command: Path) -> None:
    assert start(monkeypatch, str(command), "/bin", NAME="./wizard") == ("./wizard", "sudo ./wizard")
    name, as_root = start(monkeypatch, str(command), "/bin", NAME="/srv/a b/wizard")
    assert (name, as_root) == ("'/srv/a b/wizard'", "sudo '/srv/a b/wizard'")


def test_by_the_installed_command(monkeypatch: pytest.MonkeyPatch, command: Path) -> None:
    beside = f"/bin:{command.parent}"
    # sudo does not look into that directory.
    assert start(monkeypatch, str(command), beside) == ("mailcow-wizard", f"sudo {command}")
    assert start(monkeypatch, str(command), "/bin") == (str(command), f"sudo {command}")
    monkeypatch.setattr(calling, "_FOR_EVERYBODY", (str(command.parent),))
    assert start(monkeypatch, str(command), beside) == ("mailcow-wizard", "sudo mailcow-wizard")


def test_by_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    name, _as_root = start(monkeypatch, "/srv/mailcow_wizard/__main__.py", "/bin")
    assert name == f"{sys.executable} -m mailcow_wizard"


def test_by_the_one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Path) -> None:
    main = SimpleNamespace(__loader__=SimpleNamespace(archive=str(tmp_path / "w.pyz")))
    monkeypatch.setitem(sys.modules, "__main__", main)  # type: ignore[arg-type]
    python = tmp_path / "bin/python3"
    python.symlink_to(sys.executable)
    name, as_root = start(monkeypatch, str(tmp_path / "w.pyz"), str(python.parent))
    assert (name, as_root) == (f"python3 {tmp_path}/w.pyz", f"sudo {python} {tmp_path}/w.pyz")
    # Where python3 is another one, which may be too old, this one is named.
    python.unlink()
    python.symlink_to("/bin/true")
    name, _as_root = start(monkeypatch, str(tmp_path / "w.pyz"), str(python.parent))
    assert name == f"{sys.executable} {tmp_path}/w.pyz"
    # Kept on a server (--ssh --keep) it is a command.
    main.__loader__.archive = str(command)
    assert start(monkeypatch, str(command), str(command.parent))[0] == "mailcow-wizard"


def test_over_ssh_it_is_a_line_for_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {"FROM": "./wizard --ssh anna@server", "FROM_ROOT": "./wizard --ssh root@server"}
    assert start(monkeypatch, "/tmp/x/mailcow-wizard.pyz", "/bin", **lines) == tuple(lines.values())


def test_a_hint_can_be_pasted(tmp_path: Path) -> None:
    """The command that `check` ends with is run as it stands, and does what it says."""
    root = Path(__file__).resolve().parents[2]
    launcher = tmp_path / "start"
    launcher.write_text(f'#!/bin/sh\nMAILCOW_WIZARD_NAME=$0 exec {sys.executable} -m mailcow_wizard "$@"\n')
    launcher.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(root), "LANG": "C.UTF-8", "LC_ALL": "", "TERM": "xterm"}
    environment["XDG_STATE_HOME"] = str(tmp_path)
    run = {"cwd": root, "env": environment, "capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run(  # type: ignore[call-overload]
        [launcher, "fix", "config.permissions", "--demo", "--state-dir", tmp_path], **run
    )
    line = next(one for one in done.stdout.splitlines() if "What the first would do" in one)
    words = shlex.split(line.partition(": ")[2])
    assert words[0] == str(launcher)
    pasted = subprocess.run([*words, "--dry-run"], **run)  # type: ignore[call-overload]
    assert (pasted.returncode, "chmod" in pasted.stdout) == (0, True), pasted.stderr


def test_a_hint_has_what_was_said_of_the_server() -> None:
    """Else the line that is pasted looks at another server, or cannot publish."""
    said = (
        "fix dns.mx --hostname mail.example.org --domain a.example --domain b.example --tsig /k --timeout 3"
    )
    again = "--hostname mail.example.org --domain a.example --domain b.example --tsig /k"
    assert finding_again(parse(said.split())) == again.split()
    assert finding_again(parse(["fix", "dns.mx"])) == []
