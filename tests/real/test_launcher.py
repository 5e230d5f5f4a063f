"""The launcher, really: second and interrupted starts, changed checkouts, what a machine may lack."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.real.launcher import (
    LIMIT,
    VERSION,
    Terminal,
    assert_version,
    copy_checkout,
    environment,
    need_root,
    start,
)

pytestmark = [pytest.mark.real, pytest.mark.slow]
LONG = pytest.mark.long


# --- the second start ---


def test_second_start_installs_nothing(ready: Path) -> None:
    before = (ready / ".venv/setup.log").stat().st_mtime_ns
    done = start(ready, "--version")
    assert_version(done)
    assert done.stderr == ""
    assert (ready / ".venv/setup.log").stat().st_mtime_ns == before


def test_nothing_but_the_locked_packages_is_installed(ready: Path) -> None:
    script = "import importlib.metadata as m; print(*(one.name for one in m.distributions()))"
    names = subprocess.check_output([str(ready / ".venv/bin/python"), "-I", "-c", script], text=True).split()
    locked = re.findall(r"^[\w-]+", (ready / "requirements.lock").read_text(), re.MULTILINE)
    canonical = {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    assert canonical - set(locked) == {"pip", "mailcow-wizard"}


def test_second_start_needs_no_network(ready: Path) -> None:
    need_root()
    done = start(ready, "--version", prefix=("unshare", "--net"))
    assert_version(done)
    assert done.stderr == ""


def test_second_start_is_as_fast_as_the_program(ready: Path) -> None:
    def once(program: Path) -> float:
        began = time.perf_counter()
        subprocess.run([str(program), "--version"], stdout=subprocess.DEVNULL, check=True, env=environment())
        return (time.perf_counter() - began) * 1000

    pairs = [(once(ready / ".venv/bin/mailcow-wizard"), once(ready / "wizard")) for _ in range(25)]
    direct, launched = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"--version: program {direct:.1f} ms, launcher {launched:.1f} ms, adds {launched - direct:.1f} ms")
    assert launched < 2.5 * direct


def test_a_start_does_without_site(ready: Path, tmp_path: Path) -> None:
    assert_without_site(ready, tmp_path)


def assert_without_site(checkout: Path, folder: Path) -> None:
    """site takes a fifth of a start, and would run what it finds in the environment's folders."""
    (folder / "sitecustomize.py").write_text("print('site')\n")
    done = subprocess.run(
        [str(checkout / ".venv/bin/mailcow-wizard"), "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(PYTHONPATH=str(folder)),
    )
    assert_version(done)


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash --posix"])
def test_any_folder_any_link_any_shell(ready: Path, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"no {shell} here")
    (tmp_path / "first").symlink_to(ready / "wizard")
    (tmp_path / "second link").symlink_to("first")
    (ready / "link").symlink_to("wizard")
    try:
        for folder, script in [
            (tmp_path, "./second link"),
            (ready, "wizard"),
            (ready, "link"),
            (ready / "tests", "../wizard"),
        ]:
            done = subprocess.run(
                [*shell.split(), script, "--version"],
                cwd=folder,
                capture_output=True,
                text=True,
                env=environment(),
                timeout=LIMIT,
                check=False,
            )
            assert_version(done)
            assert done.stderr == ""
    finally:
        (ready / "link").unlink()


# --- what makes it set up again ---


def wants_set_up(checkout: Path) -> bool:
    """With an impossible PYTHON a set-up ends at once, before it has changed anything."""
    done = start(checkout, "--version", env=environment(PYTHON="/nonexistent"))
    return done.returncode == 64 and "PYTHON=/nonexistent" in done.stderr


def test_moved_checkout_or_vanished_interpreter_is_noticed(ready: Path) -> None:
    assert not wants_set_up(ready)
    moved = ready.with_name("moved")
    ready.rename(moved)
    try:
        assert wants_set_up(moved)
    finally:
        moved.rename(ready)
    assert not wants_set_up(ready)
    link = next(p for p in (ready / ".venv/bin").glob("python3*") if os.readlink(p).startswith("/"))
    target = os.readlink(link)
    link.unlink()
    link.symlink_to("/usr/bin/python3.0-gone")
    try:
        assert wants_set_up(ready)
    finally:
        link.unlink()
        link.symlink_to(target)
    assert not wants_set_up(ready)


def test_changed_pyproject_installs_again(ready: Path) -> None:
    with (ready / "pyproject.toml").open("a") as file:
        file.write("\n# changed\n")
    done = start(ready, "--version")
    assert_version(done)
    assert "pyproject.toml has changed" in done.stderr
    assert start(ready, "--version").stderr == ""


def test_package_that_is_not_the_locked_one_is_not_installed(ready: Path) -> None:
    python = ready / ".venv/bin/python"
    lock, project = ready / "requirements.lock", ready / "pyproject.toml"
    before = lock.read_text(), project.read_text()
    subprocess.run([python, "-m", "pip", "uninstall", "--yes", "--quiet", "mdurl"], check=True)
    lock.write_text(re.sub(r"(?m)^(mdurl==\S+ --hash=sha256:).{8}", r"\g<1>00000000", before[0]))
    project.write_text(before[1] + "\n# changed too\n")
    done = start(ready, "--version")
    assert done.returncode == 64
    assert "not the one that requirements.lock names" in done.stderr
    assert subprocess.run([python, "-c", "import mdurl"], stderr=subprocess.DEVNULL, check=False).returncode
    lock.write_text(before[0])
    assert_version(start(ready, "--version"))
    subprocess.run([python, "-c", "import mdurl"], check=True)


# --- interrupted, and two at once ---


def kill_marked(mark: str) -> None:
    """SIGKILL for every process with this mark in its environment, as when the machine loses its power."""
    for _ in range(3):
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)


@LONG
@pytest.mark.parametrize("what", ["everything", "the launcher", "everything, while updating"])
def test_killed_set_up_is_repaired(ready: Path, tmp_path: Path, what: str) -> None:
    updating = what.endswith("updating")
    checkout = ready if updating else copy_checkout(tmp_path / "mailcow-wizard")
    if updating:
        with (checkout / "pyproject.toml").open("a") as file:
            file.write("\n# changed once more\n")
    for instant in sorted(random.uniform(0.1, 1.5 if updating else 6.0) for _ in range(2)):
        mark = f"LAUNCHER_TEST={uuid.uuid4()}"
        process = subprocess.Popen(
            [str(checkout / "wizard"), "--version"],
            env=environment(LAUNCHER_TEST=mark.partition("=")[2]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(instant)
        state = "still running" if process.poll() is None else "was done"
        print(f"killed after {instant:.2f} s: {what}, {state}")
        process.kill()
        process.wait()
        if what != "the launcher":
            kill_marked(mark)
    assert_version(start(checkout, "--version"))
    assert start(checkout, "--version").stderr == ""


def test_control_c_is_repaired_by_two_starts_at_once(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "mailcow-wizard")
    terminal = Terminal("exec ./wizard --version", checkout)  # the outer shell would die of the same signal
    terminal.read_until("Setting up (once")
    time.sleep(random.uniform(0.1, 3.0))
    terminal.write("\x03")
    code, text = terminal.end()
    assert (code, text.splitlines()[-1]) == (130, "Interrupted. The next start sets up again."), text

    both = [
        subprocess.Popen(
            [str(checkout / "wizard"), "--version"],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=LIMIT) for process in both]
    assert [out.strip() for out, _ in ends] == [VERSION, VERSION], ends
    assert sorted("waiting for it" in err for _, err in ends) == [False, True], ends


# --- what the machine may lack ---


def test_read_only_checkout(tmp_path: Path) -> None:
    need_root()
    checkout = shlex.quote(str(copy_checkout(tmp_path / "mailcow-wizard")))
    mounts = f"mount --bind {checkout} {checkout} && mount -o remount,bind,ro {checkout}"
    script = f"{mounts} && {checkout}/wizard --version"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 73, done.stderr
    assert "cannot write to" in done.stderr


def interpreter(minor: int) -> str | None:
    """A working python3.N from PATH or from a version manager's folder."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [
        shutil.which(f"python3.{minor}"),
        *map(str, sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python3.{minor}"))),
    ]
    for path in filter(None, found):
        if subprocess.run([path, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0:
            return path
    return None


@pytest.mark.parametrize("minor", [10, *(pytest.param(one, marks=LONG) for one in (11, 12, 13)), 14])
def test_other_interpreters(tmp_path: Path, minor: int) -> None:
    if minor == sys.version_info.minor:
        pytest.skip("the other tests' own interpreter")
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no python3.{minor} here")
    checkout = copy_checkout(tmp_path / "with a blank/mailcow-wizard")
    assert_version(start(checkout, "--version", env=environment(PYTHON=python)))
    assert (checkout / f".venv/lib/python3.{minor}").is_dir()
    assert_without_site(checkout, tmp_path)
