"""A real Docker engine in namespaces of its own, with one tiny image made here: containers, proxies, labels.

Its packages come from newer Debian suites and are unpacked into the cache, never installed. Everything that
the engine writes lies in memory. It makes no firewall rules: a published port has its proxy all the same.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .cache import cache, made_once, unpack
from .cgroup import joining, own_cgroup
from .inside import (
    CHECKOUT,
    Inside,
    LabError,
    children,
    end_namespaces,
    in_own_namespaces,
    last_words,
    needs,
    wait_until,
)

# Debian 13 has Docker 26, where the proxy opens its port; its successor 28, where the engine opens it and
# hands it over; Ubuntu 26.04 has 29, which keeps images with containerd.
SUITES = ("trixie", "forky", "resolute")
IMAGE = "lab:latest"
_PACKAGES = {"resolute": ("docker.io", "containerd")}
_DEBIAN_PACKAGES = ("docker.io", "docker-cli", "containerd")
_TOOLS = ("nsenter", "unshare", "setpriv", "runc", "busybox", "apt-get", "dpkg-deb")
_NAMESPACES = ("--mount", "--net", "--pid", "--cgroup")

# The shell stays as pid 1, which buries what containers leave behind.
_START = """set -e
scratch=$1; shift
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs "$scratch"
echo "{}" > "$scratch/daemon.json"
ip link set lo up
"$@" &
wait
"""


def unpacked(suite: str) -> Path:
    """The engine's programs of a suite, fetched with apt the first time (about 10 s)."""
    place = cache() / f"docker-{suite}-1"
    with made_once(place) as part:
        if part:
            unpack(suite, _PACKAGES.get(suite, _DEBIAN_PACKAGES), part)
            for name in ("dockerd", "docker-proxy"):  # Ubuntu has them elsewhere
                if not (part / "usr/sbin" / name).exists():
                    (part / "usr/sbin").mkdir(exist_ok=True)
                    (part / "usr/sbin" / name).symlink_to(f"../bin/{name}")
    return place


class Engine(Inside):
    """A running engine. `pid` is the first process of its namespaces; `version` is what it says."""

    def __init__(self, pid: int, programs: Path, version: str = "") -> None:
        """Commands run in the engine's network, with its client on the path."""
        path = f"{programs}/usr/bin:{programs}/usr/sbin:{os.environ.get('PATH', '/usr/bin')}"
        super().__init__(
            ["nsenter", "-t", str(pid), *_NAMESPACES, "--"],
            {"PATH": path, "LANG": "C.UTF-8", "HOME": "/root"},
        )
        self.pid = pid
        self.version = version

    def docker(self, *arguments: str) -> str:
        """Runs the Docker client and returns what it printed."""
        return self.run(["docker", *arguments], check=True).stdout.strip()

    @contextmanager
    def container(self, name: str, *options: str) -> Iterator[str]:
        """A container that does nothing but hold its published ports; its id."""
        identifier = self.docker("run", "-d", "--name", name, *options, IMAGE, "/bin/busybox", "sleep", "600")
        try:
            yield identifier
        finally:
            self.run(["docker", "rm", "-f", name])

    def wizard(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Runs the wizard of this checkout in the engine's namespaces."""
        argv = [sys.executable, "-m", "mailcow_wizard", *arguments]
        return self.run(argv, env={"PYTHONPATH": str(CHECKOUT), **(env or {})})


@contextmanager
def started(suite: str = SUITES[0], *options: str) -> Iterator[Engine]:
    """An engine with nothing but the image `IMAGE`; `options` are dockerd's."""
    needs(*_TOOLS)
    with ExitStack() as stack:
        programs = unpacked(suite)
        group = stack.enter_context(own_cgroup())
        prefix = f"mailcow-wizard-engine-{os.getpid()}-"
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
        log = stack.enter_context(tempfile.TemporaryFile())
        argv = joining(group, _command(programs, scratch, options))
        env = {**os.environ, "PATH": f"{programs}/usr/bin:{programs}/usr/sbin:{os.environ['PATH']}"}
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        stack.callback(end_namespaces, process)
        engine = _answering(process, programs)
        if not engine:
            raise LabError(f"the engine did not start: {last_words(log)}")
        _import_image(engine, Path(scratch))
        yield engine


def _command(programs: Path, scratch: str, options: tuple[str, ...]) -> list[str]:
    daemon = [
        f"{programs}/usr/sbin/dockerd",
        f"--data-root={scratch}/data",
        f"--exec-root={scratch}/exec",
        f"--pidfile={scratch}/docker.pid",
        f"--config-file={scratch}/daemon.json",
        "--host=unix:///run/docker.sock",
        "--group=root",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        "--iptables=false",
        "--ip6tables=false",
        *options,
    ]
    return [*in_own_namespaces("--net"), "sh", "-c", _START, "start", scratch, *daemon]


def _answering(process: "subprocess.Popen[bytes]", programs: Path) -> Engine | None:
    """The engine as soon as it answers; None when it ended or stays silent."""
    found: list[Engine] = []

    def answers() -> bool:
        if process.poll() is not None:
            return True
        for pid in children(process.pid)[:1]:
            engine = Engine(pid, programs)
            asked = engine.run(["docker", "version", "--format", "{{.Server.Version}}"])
            if asked.returncode == 0:
                found.append(Engine(pid, programs, asked.stdout.strip()))
        return bool(found)

    wait_until(answers, 60, pause=0.1)
    return found[0] if found else None


def picture(place: Path) -> Path:
    """Writes an image for `docker import` into a directory; the file. Debian's statically linked busybox is
    all that a container needs here."""
    file = place / "image.tar"
    with tarfile.open(file, mode="w") as archive:
        archive.add(os.path.realpath(str(shutil.which("busybox"))), "bin/busybox")
    return file


def _import_image(engine: Engine, scratch: Path) -> None:
    picture(Path(f"/proc/{engine.pid}/root{scratch}"))
    engine.docker("import", str(scratch / "image.tar"), IMAGE)
