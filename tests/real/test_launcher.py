"""The launcher, really: a bare Debian 12, other interpreters, interrupted set-ups, pipes and terminals.

Every test works on a copy of the checkout; the `.venv` of the checkout itself is never touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("MAILCOW_WIZARD_TEST_CACHE", "/var/cache/mailcow-wizard-tests"))
VERSION = "mailcow-wizard 0.1.0"
LIMIT = 180


def copy_checkout(target: Path) -> Path:
    """What a clone of the present state would hold: tracked and new files, nothing that is ignored."""
    listed = None
    if shutil.which("git"):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed is None or listed.returncode != 0:  # an unpacked archive
        leave_out = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".test-cache")
        shutil.copytree(ROOT, target, symlinks=True, ignore=leave_out)
        return target
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    return target


def environment(**more: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("PYTHON", "VIRTUAL_ENV")} | more


def start(
    checkout: Path, *arguments: str, env: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """One start without a terminal."""
    return subprocess.run(
        [*prefix, str(checkout / "wizard"), *arguments],
        env=environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        start_new_session=True,
        check=False,
    )


def assert_version(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout.strip()) == (0, VERSION), done.stdout + done.stderr


class Terminal:
    """A shell command with a pseudo-terminal as its controlling terminal."""

    def __init__(self, command: str, cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self.master, slave = os.openpty()
        name = shlex.quote(os.ttyname(slave))
        # The first terminal that the leader of a session opens becomes its controlling one.
        self.process = subprocess.Popen(
            ["sh", "-c", f"exec <{name} >{name} 2>&1; {command}"],
            cwd=cwd,
            env=environment() if env is None else dict(env),
            start_new_session=True,
        )
        time.sleep(0.1)
        os.close(slave)
        self.seen = b""

    def read_until(self, text: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        os.set_blocking(self.master, False)
        while text.encode() not in self.seen and time.monotonic() < deadline:
            try:
                part = os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.02)
                continue
            except OSError:  # the other end is closed
                break
            self.seen += part
        return self.seen.decode(errors="replace").replace("\r\n", "\n")

    def write(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> tuple[int, str]:
        text = self.read_until("\0 never \0")
        code = self.process.wait(LIMIT)
        os.close(self.master)
        return code, text


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose first start is done; a test that damages it lets the launcher mend it."""
    checkout = copy_checkout(tmp_path_factory.mktemp("ready") / "mailcow-wizard")
    began = time.monotonic()
    done = start(checkout, "--version")
    assert_version(done)
    assert done.stderr.splitlines()[-1] == "Setting up (once, about half a minute)…"
    print(f"first start on this machine: {time.monotonic() - began:.1f} s")
    return checkout


# --- the second start ---


def test_second_start_installs_nothing(ready: Path) -> None:
    before = (ready / ".venv/setup.log").stat().st_mtime_ns
    done = start(ready, "--version")
    assert_version(done)
    assert done.stderr == ""
    assert (ready / ".venv/setup.log").stat().st_mtime_ns == before


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


# --- interrupted, and two at once ---


def kill_marked(mark: str) -> None:
    """SIGKILL for every process with this mark in its environment, as when the machine loses its power."""
    for _ in range(3):
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)


@pytest.mark.parametrize("what", ["the launcher", "everything", "everything, while updating"])
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


# --- what the program gets as its input ---

PROBE = """#!/bin/sh
[ -t 0 ] && echo "[$*] a terminal" || echo "[$*] $(cat)"
"""


@pytest.fixture
def probe(ready: Path) -> Iterator[Path]:
    """The checkout with a program that says what it was given."""
    program = ready / ".venv/bin/mailcow-wizard"
    real = program.read_text()
    program.write_text(PROBE)
    try:
        yield ready
    finally:
        program.write_text(real)


@pytest.mark.parametrize("shell", ["sh", "busybox sh"])
def test_terminal_through_a_pipe(probe: Path, shell: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"no {shell} here")
    for command, expected in [
        (f"{shell} < wizard", "[] a terminal"),
        (f"cat wizard | {shell} -s -- check --plain", "[check --plain] a terminal"),
        (f"echo data | {shell} wizard --demo", "[--demo] a terminal"),
        (f"echo data | {shell} wizard check --host /dev/stdin", "[check --host /dev/stdin] data"),
        (f"{shell} wizard check", "[check] a terminal"),
        (f"{shell} wizard --yes --demo", "[--demo] a terminal"),
        (f"{shell} wizard --yes fix x", "[--yes fix x] a terminal"),
    ]:
        code, text = Terminal(command, probe).end()
        assert (code, text.strip()) == (0, expected), command


def test_input_without_a_terminal(probe: Path) -> None:
    for command, expected in [
        ("sh < wizard", "[] "),
        ("cat wizard | sh -s -- --yes check", "[--yes check] "),
        ("echo data | ./wizard check", "[check] data"),
    ]:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=probe,
            capture_output=True,
            text=True,
            env=environment(),
            start_new_session=True,
            timeout=LIMIT,
            check=False,
        )
        assert (done.returncode, done.stdout.rstrip("\n")) == (0, expected), command


def test_piped_script_outside_its_checkout_says_where_to_go(tmp_path: Path) -> None:
    with (ROOT / "wizard").open() as script:
        done = subprocess.run(
            ["sh"], stdin=script, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    assert done.returncode == 64
    assert "Change into the folder that holds pyproject.toml" in done.stderr


# --- what the machine may lack ---


def need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces, chroot")


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


@pytest.mark.parametrize("minor", [10, 11, 12, 13, 14])
def test_other_interpreters(tmp_path: Path, minor: int) -> None:
    if minor == sys.version_info.minor:
        pytest.skip("the other tests' own interpreter")
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no python3.{minor} here")
    checkout = copy_checkout(tmp_path / "mailcow-wizard")
    assert_version(start(checkout, "--version", env=environment(PYTHON=python)))
    assert (checkout / f".venv/lib/python3.{minor}").is_dir()


# --- a bare Debian 12 ---


def debian_mirror() -> str:
    """Where this machine's apt fetches Debian 12 from, else Debian's own mirror."""
    with contextlib.suppress(OSError):
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
            capture_output=True,
            text=True,
            check=False,
        )
        for line in listed.stdout.splitlines():
            address, _, release = line.partition(" ")
            if release == "bookworm" and address.startswith("http"):
                return address
    return "http://deb.debian.org/debian"


def is_debian_12() -> bool:
    with contextlib.suppress(OSError):
        return "VERSION_CODENAME=bookworm" in Path("/etc/os-release").read_text()
    return False


@pytest.fixture(scope="module")
def bare_debian() -> Path:
    """Debian 12 with its own python3 and nothing besides; made once, kept outside the tree."""
    need_root()
    base = CACHE / "debian-12-python3"
    if not base.is_dir():
        if shutil.which("debootstrap") is None:
            pytest.skip("no debootstrap here")
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "debian-12-python3.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not base.is_dir():
                make_bare_debian(base)
    return base


def make_bare_debian(base: Path) -> None:
    part = base.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    made = subprocess.run(
        [
            "debootstrap",
            "--variant=minbase",
            "--include=python3,ca-certificates",
            "bookworm",
            str(part),
            debian_mirror(),
        ],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"debootstrap failed: {made.stdout[-300:]}")
    for package in (part / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    part.rename(base)


def pip_settings() -> dict[str, str]:
    """This machine's pip configuration, whichever files it comes from, as pip's own variables."""
    settings = {k: v for k, v in os.environ.items() if k.startswith("PIP_") or k.lower().endswith("_proxy")}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.partition(".")
        if section in ("global", "install"):
            settings.setdefault(
                "PIP_" + option.upper().replace("-", "_"),
                " ".join(value.strip("'\"").replace("\\n", " ").split()),
            )
    return settings


def certificates() -> Path | None:
    for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        if (path := Path(os.environ.get(name, "/nonexistent"))).is_file():
            return path
    path = Path("/etc/ssl/certs/ca-certificates.crt")
    return path if path.is_file() else None


class Machine:
    """A fresh bare machine: an overlay (or a copy) of the cached userland, in its own namespaces."""

    HOME = "/srv/mailcow-wizard"

    def __init__(self, base: Path, folder: Path) -> None:
        self.base, self.folder, self.root = base, folder, folder / "root"
        for name in ("root", "upper", "work"):
            (folder / name).mkdir()
        self.overlay = self._outside(":").returncode == 0
        if not self.overlay:
            subprocess.run(["cp", "-a", "--reflink=auto", f"{base}/.", str(self.root)], check=True)
        self.settings = pip_settings()
        copy_checkout((folder / "upper" if self.overlay else self.root) / self.HOME.strip("/"))
        done = self._outside(self._like_this_machine())
        assert done.returncode == 0, done.stderr

    def _like_this_machine(self) -> str:
        """Networks, package servers, keys and certificates as here, because nothing else is known to work."""
        root = shlex.quote(str(self.root))
        lines = [f"cp -L /etc/resolv.conf /etc/hosts {root}/etc/"]
        if is_debian_12():
            lines += [
                f"rm -rf {root}/etc/apt",
                f"cp -a /etc/apt {root}/etc/apt",
                f"cp -a /usr/share/keyrings/. {root}/usr/share/keyrings/",
                f"rm -rf {root}/var/lib/apt/lists/*",
            ]
        if (bundle := certificates()) is not None:
            lines.append(f"cp -L {shlex.quote(str(bundle))} {root}/etc/ssl/certs/ca-certificates.crt")
            if "PIP_CERT" in self.settings:
                self.settings["PIP_CERT"] = "/etc/ssl/certs/ca-certificates.crt"
        return "\n".join(lines)

    def _mounts(self) -> str:
        root = shlex.quote(str(self.root))
        lines = ["set -e"]
        if getattr(self, "overlay", True):
            layers = f"lowerdir={self.base},upperdir={self.folder}/upper,workdir={self.folder}/work"
            lines.append(f"mount -t overlay overlay -o {shlex.quote(layers)} {root}")
        lines += [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
        for word in " ".join(getattr(self, "settings", {}).values()).split():
            local = word.removeprefix("file://")
            if local.startswith("/") and os.path.isdir(local) and not (self.base / local.strip("/")).exists():
                # the folder above, because an index may refer to its neighbours
                above = shlex.quote(
                    os.path.dirname(local) if os.path.dirname(local).count("/") > 1 else local
                )
                lines.append(f"mkdir -p {root}{above} && mount --bind -o ro {above} {root}{above}")
        return "\n".join(lines)

    def _outside(self, script: str) -> subprocess.CompletedProcess[str]:
        command = [*self._namespaces(), "sh", "-c", f"{self._mounts()}\n{script}"]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)

    def _namespaces(self) -> list[str]:
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child"]

    def command(self, inside: str, user: str = "root") -> list[str]:
        """The argument list that runs a shell command on the machine, in the folder of the checkout."""
        variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root" if user == "root" else "/tmp",
            **self.settings,
        }
        entered = [
            *("chroot", f"--userspec={user}:{'root' if user == 'root' else 'nogroup'}", str(self.root)),
            *("env", "-i", *(f"{name}={value}" for name, value in variables.items())),
            *("sh", "-c", f"cd {self.HOME} && {inside}"),
        ]
        return [*self._namespaces(), "sh", "-c", f"{self._mounts()}\nexec {shlex.join(entered)}"]

    def run(self, inside: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(inside, user),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=LIMIT,
            check=False,
        )


@pytest.fixture
def machine(bare_debian: Path, tmp_path: Path) -> Iterator[Machine]:
    yield Machine(bare_debian, tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_bare_debian_first_start(machine: Machine) -> None:
    began = time.monotonic()
    done = machine.run("./wizard --version")
    print(f"first start on a bare Debian 12: {time.monotonic() - began:.1f} s")
    assert_version(done)
    assert done.stderr.splitlines() == [
        "Installing python3.11-venv…",
        "Setting up (once, about half a minute)…",
    ]
    again = machine.run("stat -c %y .venv/setup.log; ./wizard --yes --version; stat -c %y .venv/setup.log")
    before, version, after = again.stdout.splitlines()
    assert (before, version, again.stderr) == (after, VERSION, "")


def test_bare_debian_asks_on_the_terminal(machine: Machine, tmp_path: Path) -> None:
    terminal = Terminal(shlex.join(machine.command("./wizard --version")), tmp_path)
    assert (
        terminal.read_until("[Y/n]").strip()
        == "python3.11-venv is missing. Install it now with apt-get? [Y/n]"
    )
    terminal.write("n\n")
    code, text = terminal.end()
    assert code == 64
    assert "nothing was installed. By hand: apt-get" in text


def test_bare_debian_without_root(machine: Machine) -> None:
    assert machine.run("chown -R nobody .").returncode == 0
    done = machine.run("./wizard --version", user="nobody")
    assert done.returncode == 77, done.stderr
    assert done.stderr.rstrip().endswith("apt-get update && apt-get install -y python3.11-venv")
    assert len(done.stderr.splitlines()) == 1


def test_bare_debian_without_python(machine: Machine) -> None:
    done = machine.run("rm /usr/bin/python3*; ./wizard --version")
    assert done.returncode == 64, done.stderr
    assert "no Python 3.10 or newer was found. As root: apt-get install python3 python3-venv" in done.stderr
