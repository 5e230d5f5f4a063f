"""The command `fix` as its users start it: real processes, a real file, the real check again."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from subprocess import PIPE

import pytest
from lab.inside import wait_until
from mended import CHECK, FIX, NEW, OLD, SECRET, Mailcow, document, fits

from mailcow_wizard.engine import lock
from mailcow_wizard.host.files.state import StateDirectory

PYTHON = "/usr/bin/python3"
NOBODY = 65534


@pytest.fixture
def mailcow(tmp_path: Path) -> Mailcow:
    """A small mailcow directory whose TZ is empty."""
    return Mailcow(tmp_path)


def untouched(mailcow: Mailcow) -> bool:
    """Nothing was changed, and nothing is said to have been."""
    return mailcow.conf.read_text() == OLD and not (mailcow.state / "changes").exists()


# --- looking ---


def test_what_can_be_done(mailcow: Mailcow) -> None:
    done = mailcow.run("fix", CHECK)
    assert (done.returncode, done.stderr) == (0, b"")
    first, second, third = done.stdout.decode().splitlines()
    assert CHECK in first
    assert third.endswith(f": ./wizard fix {CHECK} {FIX}")
    assert second == f"  {FIX}: Set the timezone (low risk, can be taken back)"
    done = mailcow.run("fix", CHECK, "--json")
    fits(done, "offers")
    assert [one["id"] for one in document(done)["fixes"]] == [FIX]
    assert untouched(mailcow)


def test_dry_run_shows_the_plan(mailcow: Mailcow) -> None:
    done = mailcow.fix("--dry-run", run=[["echo 'it works'", "true"]])
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode()
    assert "\n-TZ=\n+TZ=Etc/UTC\n" in shown
    assert f"--- {mailcow.conf}\n+++ {mailcow.conf}\n" in shown
    assert """run: sh -c 'echo '"'"'it works'"'"''""" in shown
    assert "DBPASS=••••" in shown
    assert SECRET not in shown
    done = mailcow.fix("--dry-run", "--json", run=[["true", "true"]])
    assert (done.returncode, done.stderr) == (0, b"")
    fits(done, "fix")
    said = document(done)
    assert [one["kind"] for one in said["plan"]["steps"]] == ["edit", "command"]
    assert (said["applied"], said["change"], said["result"]) == (False, None, None)
    assert untouched(mailcow)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fix",), "fix needs the id of a check"),
        (("fix", "config"), "'config' is not the id of a check"),
        (("fix", "config.nothing"), "'config.nothing' is not the id of a check"),
        (("fix", CHECK, "nothing"), f"{CHECK} has no fix 'nothing' now; there are: {FIX}"),
        (("fix", CHECK, FIX[:-1]), f"; did you mean {FIX}?"),
        (("fix", "config.permision"), "; did you mean config.permissions?"),
        (("fix", CHECK, "\x1b[2J"), r"no fix '\x1b[2J'"),
        (("fix", CHECK, FIX, "more"), "fix takes a check and one of its fixes, but there is 'more'"),
        (("fix", CHECK, FIX, "--subject", "x"), f"{CHECK} has no subject 'x'; there are: none"),
        (("fix", CHECK, FIX, "--yes", "--dry-run"), "--dry-run and --yes exclude each other"),
        (("fix", "--resume", "7"), "there is no change '7'"),
        (("fix", CHECK, "--resume", "7"), "fix --resume takes the change alone"),
        (("check", "--dry-run"), "--dry-run goes with the command fix or undo or conf"),
    ],
)
def test_what_cannot_be_understood(words: tuple[str, ...], said: str, mailcow: Mailcow) -> None:
    done = mailcow.run(*words)
    assert (done.returncode, done.stdout) == (64, b"")
    assert said in done.stderr.decode()
    assert untouched(mailcow)


def test_yes_without_a_fix_does_nothing_and_does_not_look_done(mailcow: Mailcow) -> None:
    done = mailcow.run("fix", CHECK, "--yes")
    assert done.returncode == 0  # it is a list, says the contract
    assert f"  {FIX}: " in done.stdout.decode()
    assert "nothing was changed" in done.stderr.decode()
    assert done.stderr.decode().endswith(f"./wizard fix {CHECK} {FIX} --yes\n")
    assert untouched(mailcow)
    mailcow.conf.write_text(NEW)
    assert mailcow.run("fix", CHECK, "--yes").returncode == 0


def test_nothing_to_do(mailcow: Mailcow) -> None:
    mailcow.conf.write_text(NEW)
    done = mailcow.fix("--yes", "--json")
    assert done.returncode == 0
    fits(done, "fix")
    said = document(done)
    assert (said["applied"], said["plan"]["steps"], said["result"]["status"]) == (False, [], "pass")
    assert mailcow.run("fix", CHECK, "conf-", "--yes").returncode == 64
    assert mailcow.run("fix", CHECK, "nonsense", "--yes").returncode == 64
    mailcow.conf.write_text(OLD)
    done = mailcow.fix("--yes", replace=["no such text", "x"])
    assert done.returncode in (1, 2)
    assert b"stays as it is" in done.stdout
    assert untouched(mailcow)


# --- who may, and who is asked ---


def test_without_a_terminal_it_takes_yes(mailcow: Mailcow) -> None:
    for words in ((), ("--plain",)):
        done = mailcow.fix(*words)
        assert done.returncode == 64
        assert b"+TZ=Etc/UTC" in done.stdout
        assert b"nothing was changed: without a terminal to ask on it takes --yes" in done.stderr
    done = mailcow.fix("--json")
    assert done.returncode == 64
    fits(done, "fix")
    assert untouched(mailcow)


def test_without_root(mailcow: Mailcow) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    version = subprocess.run([PYTHON, "-c", "import sys; print(sys.version_info >= (3, 10))"], stdout=PIPE)
    if version.stdout != b"True\n":
        pytest.skip("nobody needs a Python of the system, 3.10 or newer")
    mailcow.directory.chmod(0o755)
    mailcow.conf.chmod(0o644)
    for path in mailcow.directory.parents:
        if path.stat().st_mode & 0o055 != 0o055 and path.is_relative_to("/tmp"):
            path.chmod(0o755)
    done = mailcow.run("fix", CHECK, FIX, "--yes", user=NOBODY, python=PYTHON, root=True)
    assert done.returncode == 77
    assert b"+TZ=Etc/UTC" in done.stdout
    assert b"this needs root. Run: sudo " in done.stderr
    mailcow.conf.chmod(0o600)
    done = mailcow.run("fix", CHECK, FIX, "--yes", user=NOBODY, python=PYTHON, root=True)
    assert (done.returncode, done.stdout) == (77, b"")
    assert b"this needs root. Run: sudo " in done.stderr
    assert untouched(mailcow)


@pytest.mark.parametrize("words", [("--yes",), ()])
def test_recorded_machine_is_not_changed(words: tuple[str, ...], mailcow: Mailcow, tmp_path: Path) -> None:
    record = str(tmp_path / "machine.json")
    assert mailcow.run("check", CHECK, "--record", record).returncode in (1, 2)
    conf = mailcow.conf.read_bytes()
    mailcow.conf.unlink()
    done = mailcow.fix("--dry-run", "--host", record)
    assert done.returncode == 0
    assert b"+TZ=Etc/UTC" in done.stdout
    done = mailcow.fix("--host", record, *words)
    assert done.returncode == 64
    assert b"nothing was changed: a recorded machine cannot be changed" in done.stderr
    mailcow.conf.write_bytes(conf)
    assert untouched(mailcow)
    assert SECRET not in Path(record).read_text()


# --- doing ---


def test_applied_and_looked_at_again(mailcow: Mailcow) -> None:
    done = mailcow.fix("--yes", run=[["echo one; echo two >&2", "true"]])
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[-1].startswith(f"ok       {CHECK}: ")
    assert "    one" in lines
    assert "    two" in lines
    assert mailcow.conf.read_text() == NEW
    assert mailcow.conf.stat().st_mode & 0o777 == 0o600
    assert (mailcow.directory / ".env").is_symlink()
    assert [(one["id"], one["state"], one["fix"]) for one in mailcow.changes()] == [("1", "applied", FIX)]


def test_applied_with_json(mailcow: Mailcow) -> None:
    done = mailcow.fix("--yes", "--json", run=[["echo one", "true"]])
    assert done.returncode == 0
    fits(done, "fix")
    said = document(done)
    assert (said["applied"], said["change"], said["result"]["status"]) == (True, "1", "pass")
    assert b"one" in done.stderr


def test_only_the_check_says_that_it_helped(mailcow: Mailcow) -> None:
    done = mailcow.fix("--yes", "--json", replace=["TZ=\n", "TZ=No/Where\n"])
    said = document(done)
    assert (said["applied"], said["result"]["status"]) == (True, "fail" if done.returncode == 1 else "warn")
    assert done.returncode in (1, 2)


def test_check_runs_again_until_it_passes(mailcow: Mailcow) -> None:
    late = f"(sleep 1; sed -i s,^TZ=.*,TZ=Etc/UTC, {mailcow.conf}) >/dev/null 2>&1 &"
    done = mailcow.fix("--yes", replace=["TZ=\n", "TZ=No/Where\n"], run=[[late, "true"]], settle=20)
    assert done.returncode == 0
    start = time.monotonic()
    mailcow.conf.write_text(OLD)
    done = mailcow.fix("--yes", replace=["TZ=\n", "TZ=No/Where\n"], settle=1)
    assert done.returncode in (1, 2)
    assert 1 < time.monotonic() - start < 10


def test_what_somebody_sets_back_at_once_has_not_helped(mailcow: Mailcow) -> None:
    """A watchdog starts what was stopped, say."""
    late = f"(sleep 1; sed -i s,^TZ=.*,TZ=No/Where, {mailcow.conf}) >/dev/null 2>&1 &"
    done = mailcow.fix("--yes", "--json", run=[[late, "true"]], settle=5)
    said = document(done)
    assert done.returncode in (1, 2)
    assert said["applied"]
    assert said["result"]["status"] != "pass"


def test_failing_step_is_taken_back(mailcow: Mailcow, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    steps = [
        [f"echo first >>{trace}", f"echo first back >>{trace}"],
        [f"echo {SECRET}; echo no room; echo second >>{trace}; exit 7", f"echo second back >>{trace}"],
        [f"echo third >>{trace}", f"echo third back >>{trace}"],
    ]
    for words in (("--yes",), ("--yes", "--json")):
        trace.write_text("")
        done = mailcow.fix(*words, run=steps)
        assert done.returncode == 73
        assert trace.read_text().splitlines() == ["first", "second", "second back", "first back"]
        assert mailcow.conf.read_text() == OLD
        assert b"sh failed with exit code 7; what was changed was taken back" in done.stderr
        assert b"no room" in done.stdout + done.stderr
        assert SECRET.encode() not in done.stdout + done.stderr
    fits(done, "fix")
    assert (document(done)["applied"], document(done)["result"]["status"] != "pass") == (False, True)
    assert {one["state"] for one in mailcow.changes()} == {"undone"}


def test_what_fails_behind_env_is_named_and_not_env(mailcow: Mailcow) -> None:
    done = mailcow.fix("--yes", run=[["exit 7", "true"]], words=["env", "A=b", "C="])
    assert done.returncode == 73
    assert b"sh failed with exit code 7; what was changed was taken back" in done.stderr


def test_reader_who_leaves_does_not_stop_it(mailcow: Mailcow) -> None:
    process = mailcow.start("fix", CHECK, FIX, "--yes", run=[["sleep 0.3; echo x", "true"]])
    assert process.stdout
    process.stdout.close()
    assert process.wait(20) == 0
    assert mailcow.changes()[0]["state"] == "applied"


# --- others at the same time ---


def test_second_wizard_waits_outside(mailcow: Mailcow) -> None:
    wrong = ["TZ=\n", "TZ=No/Where\n"]
    go_on = mailcow.state.parent / "go-on"
    waits = f"until [ -e {go_on} ]; do sleep 0.1; done"
    first = mailcow.start("fix", CHECK, FIX, "--yes", run=[[waits, "true"]], replace=wrong)
    state = StateDirectory(str(mailcow.state))
    assert wait_until(lambda: bool((held := lock.holder(state)) and held.change), 60)
    for words in (("fix", CHECK, FIX, "--yes"), ("undo", "1", "--yes")):
        done = mailcow.run(*words, replace=["SKIP_CLAMD=n", "SKIP_CLAMD=y"])
        assert done.returncode == 75, done
        said = r"another wizard is changing this machine: process \d+ \(change 1\)"
        assert re.search(said, done.stderr.decode())
    assert mailcow.changes()[0]["state"] == "applying"
    assert mailcow.run("check", CHECK).returncode == 1
    go_on.touch()
    assert first.wait(20) in (1, 2)
    assert mailcow.changes()[0]["state"] == "applied"


def test_killed_face_stops_nothing(mailcow: Mailcow) -> None:
    process = mailcow.start("fix", CHECK, FIX, "--yes", run=[["sleep 1", "true"]])
    state = StateDirectory(str(mailcow.state))
    assert wait_until(lambda: bool((held := lock.holder(state)) and held.change), 60)
    time.sleep(0.3)
    process.kill()
    process.wait()
    assert wait_until(lambda: lock.holder(state) is None, 60)
    assert mailcow.changes()[0]["state"] == "applied"


def test_work_that_is_killed_before_it_looked_again_has_not_helped(mailcow: Mailcow) -> None:
    words = ("fix", CHECK, FIX, "--yes", "--json")
    process = mailcow.start(*words, replace=["TZ=\n", "TZ=No/Where\n"], settle=60)
    log = mailcow.state / "changes" / "1" / "log"
    assert wait_until(lambda: log.exists() and b'"check"' in log.read_bytes(), 60)
    held = lock.holder(StateDirectory(str(mailcow.state)))
    assert held
    os.kill(held.pid, signal.SIGKILL)
    out, told = process.communicate(timeout=20)
    said = json.loads(out)
    assert process.returncode == 3
    assert (said["applied"], said["result"], said["change"]) == (True, None, "1")
    assert b"nobody looked whether it helped (the work was ended from outside)" in told
    assert f"./wizard check {CHECK}" in said["error"] + told.decode()


def test_no_secret_anywhere(mailcow: Mailcow) -> None:
    said = b""
    tell = [[f"cat {mailcow.conf}; echo {SECRET}", f"cat {mailcow.conf}"]]
    for words in (("--dry-run",), (), ("--yes",), ("--yes", "--json")):
        mailcow.conf.write_text(OLD)
        log = str(mailcow.state.parent / "log")
        done = mailcow.fix(*words, "--log", log, run=tell, replace=["TZ=\n", "#\nTZ=\n#\n"])
        said += done.stdout + done.stderr
    mailcow.conf.write_text(OLD)
    mailcow.fix("--yes", replace=[f"DBPASS={SECRET}", "DBPASS=another2another2"])
    for words in (("undo", "--list"), ("undo", "--dry-run"), ("undo", "--yes"), ("undo", "--list", "--json")):
        done = mailcow.run(*words)
        said += done.stdout + done.stderr
    said += Path(log).read_bytes()
    kept = {"before", "after", "back"}
    for path in mailcow.state.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        if path.is_file() and path.name.rpartition(".")[2] not in kept and path.name != "steps.json":
            said += path.read_bytes()
    assert SECRET.encode() not in said
    assert b"another2another2" not in said
    assert "••••".encode() in said


def test_nothing_secret_in_the_processes(mailcow: Mailcow) -> None:
    process = mailcow.start("fix", CHECK, FIX, "--yes", run=[["sleep 1", "true"]])
    state = StateDirectory(str(mailcow.state))

    def working() -> Path:
        held = lock.holder(state)
        return Path(f"/proc/{held.pid if held else 0}")

    assert wait_until(
        lambda: working().is_dir() and b"engine.worker" in (working() / "cmdline").read_bytes(), 10
    )
    place = working()
    assert SECRET.encode() not in (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
    assert process.wait(20) == 0


def test_commands_have_an_environment_of_their_own(mailcow: Mailcow, tmp_path: Path) -> None:
    out = tmp_path / "out"
    argv = mailcow.argv("fix", CHECK, FIX, "--yes", run=[[f"env >{out}; cat; pwd; umask >>{out}", "true"]])
    hostile = {"PATH": os.environ["PATH"], "LD_PRELOAD": "", "HTTP_PROXY": "x", "DBPASS": "x", "LC_ALL": "C"}
    said = subprocess.DEVNULL
    subprocess.run(argv, env=hostile, umask=0o077, stdin=said, capture_output=True, timeout=30, check=True)
    lines = out.read_text().splitlines()
    names = {line.partition("=")[0] for line in lines[:-1]}
    assert names <= {"PATH", "HOME", "LANG", "LC_ALL", "TERM", "MAILCOW_WIZARD_CHANGE", "PWD", "_", "SHLVL"}
    assert lines[-1] == "0022"
    assert "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" in lines
