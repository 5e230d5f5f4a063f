"""What the command line says to who is lost: help, a run that is not kept, a file that is not there."""

import subprocess
from pathlib import Path

import pytest
import recorded_machines as machines
from unit.this_checkout import ENVIRONMENT, WIZARD


def run(*words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([*WIZARD, *words], env=ENVIRONMENT, capture_output=True, timeout=30)


@pytest.mark.parametrize(
    ("words", "same"),
    [(("help",), ("--help",)), (("help", "check"), ("check", "--help")), (("help", "help"), ("--help",))],
)
def test_help_is_a_word_too(words: tuple[str, ...], same: tuple[str, ...]) -> None:
    done = run(*words)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == run(*same).stdout


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("check --jsno", "--json"),
        ("undo --dryrun", "--dry-run"),
        ("check --plian=1", "--plain"),
        ("report --format htm", "html"),
        ("check --format nagois", "nagios"),
        ("ports", "check ports"),
        ("ports.smtp", "check ports.smtp"),
        ("version", "--version"),
        ("fix stop-service ports.smtp", "fix ports.smtp stop-service"),
        ("check --domain https://example.org/", "example.org"),
        ("check --hostname root@mail.example.org", "mail.example.org"),
    ],
)
def test_a_word_that_is_nearly_right_is_known_again(line: str, right: str) -> None:
    done = run(*line.split())
    assert done.returncode == 64
    assert done.stderr.decode().endswith(f"; did you mean {right}?\n")


def test_a_part_of_a_value_is_as_harmless_as_the_whole() -> None:
    done = run("verify", "--api-key", "192.0.2.1,\x1b[31mhere")
    assert done.returncode == 64
    assert b"\x1b" not in done.stderr
    assert b"\\x1b[31mhere is no address" in done.stderr


def test_a_step_without_checks_is_not_offered_as_a_selector() -> None:
    done = run("check", "install", "--demo")
    assert done.returncode == 64
    assert b"did you mean" not in done.stderr


@pytest.mark.parametrize("form", [(), ("--json",), ("--changes",)])
def test_a_run_that_is_not_remembered_says_so(form: tuple[str, ...], tmp_path: Path) -> None:
    done = run(
        "check",
        "ports",
        *form,
        "--host",
        machines.write(tmp_path / "host.json", machines.FREE),
        "--state-dir",
        "/proc/nope",
    )
    assert done.returncode == 0
    assert b"this run is not remembered: /proc/nope could not be made" in done.stderr.splitlines()[0]


def test_who_has_no_file_is_told_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "mailcow.conf").symlink_to("nowhere")
    done = run("conf", "lint", "--dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (64, b"")
    assert done.stderr.decode().endswith(f"mailcow.conf; `./wizard --dir {tmp_path} conf new` makes it\n")
    for words in (("--dir", str(tmp_path / "link")), ("other.conf", "--dir", str(tmp_path))):
        done = run("conf", "lint", *words)
        assert done.returncode == 64
        assert b"conf new" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dir", "/no/such"), b"--dir /no/such does not exist"),
        (("--host", "/no/such.json"), b"--host /no/such.json: it could not be read"),
        (("--answers", "/no/such.toml"), b"/no/such.toml"),
    ],
)
def test_what_is_named_beside_a_list_has_to_be_there(words: tuple[str, str], said: bytes) -> None:
    """The contract makes no difference: a directory that does not exist, a bad file named on the line."""
    done = run("check", "--list", *words)
    assert (done.returncode, done.stdout) == (64, b"")
    assert said in done.stderr
    assert run("check", "--list", "--dir", "/").returncode == 0


def test_a_far_password_that_is_not_there_is_told_before_anything_is_tried() -> None:
    done = run("verify", "--far-mailbox", "me@example.net", "--far-password-file", "/no/such/file")
    assert (done.returncode, done.stdout) == (64, b"")
    assert done.stderr == b"mailcow-wizard: --far-password-file /no/such/file does not exist\n"


def test_a_directory_for_a_new_mailcow_is_to_be_made_first() -> None:
    """A check of what is not there was mistyped; an installation may be meant to go there."""
    make = "; for a new mailcow make it first: mkdir -p '/no/such one'"
    for words, hint in ((("check", "--offline"), ""), (("install", "--dry-run"), make)):
        done = run(*words, "--dir", "/no/such one")
        assert (done.returncode, done.stdout) == (64, b"")
        assert done.stderr.decode().endswith(f"--dir /no/such one does not exist{hint}\n")


def test_from_a_directory_that_is_gone(tmp_path: Path) -> None:
    """As mailcow's is, to be cloned anew: what is named whole works, what is not is said not to be there."""
    machine = machines.write(tmp_path / "host.json", machines.FREE)
    state = ("--state-dir", str(tmp_path / "state"))

    def from_nowhere(*words: str) -> "subprocess.CompletedProcess[bytes]":
        script = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'
        argv = ["sh", "-c", script, str(tmp_path / "gone"), *WIZARD, *words]
        return subprocess.run(argv, env=ENVIRONMENT, capture_output=True, timeout=30)

    done = from_nowhere("check", "ports", "--host", machine, *state)
    assert (done.returncode, done.stderr) == (0, b"")
    assert list((tmp_path / "state").glob("last-run*.json"))
    for words in (
        ("check", "ports", "--host", machine, "--state-dir", "here"),
        ("conf", "lint", "here", *state),
    ):
        done = from_nowhere(*words)
        assert (done.returncode, done.stdout) == (64, b""), words
        assert b"the working directory is not there" in done.stderr
