"""A machine to install on: an engine with Compose, a registry, a repository, and the wizard among them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab import certificates, compose, engine, registry, stand_in
from lab.engine import Engine
from lab.inside import CHECKOUT, Inside, LabError, needs, running, wait_until

from mailcow_wizard.engine.lock import INSTALL

NAME = "mail.example.org"
_LONGEST_S = 240.0
# What the stand-in cannot do: it speaks no mail. The wizard says so, and is told that this is known.
KNOWN = ("mail.ports", "mail.certificate", "mail.containers", "mail.relay")
_SECRETS = r"^(?:DBPASS|DBROOT|REDISPASS|SOGO_URL_ENCRYPTION_KEY)=(.+)$"
_OVERLAY = """set -e
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/usr/local,upperdir=$1/upper,workdir=$1/work" /usr/local
mkdir -p /usr/local/sbin /usr/local/lib/docker/cli-plugins
ln -sf "$2" /usr/local/sbin/docker
cp "$3" /usr/local/lib/docker/cli-plugins/docker-compose
"""

# Shared, as those have it who only look: a holder is in the way of it, and a look is not taken for one.
_SNATCHES = """import fcntl, sys
lock = open(sys.argv[1], "wb")
seen = False
print("ready", flush=True)
while True:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        seen = True
        continue
    fcntl.flock(lock, fcntl.LOCK_UN)
    if seen:
        sys.exit("the lock was free")
"""


class Place:
    """What is there, and what the wizard does with it."""

    python = sys.executable
    registry = registry.HOST

    def __init__(self, machine: Inside, root: Path, repository: str, speaks: bool = False) -> None:
        self.speaks = speaks
        self.network: tuple[str, ...] = ("--offline", "--timeout", "20" if speaks else "2.5")
        self.machine = machine
        self.root = root
        self.repository = repository

    @property
    def directory(self) -> Path:
        """mailcow's directory, as it is seen from here."""
        return self.root / "opt/mailcow"

    @property
    def state(self) -> Path:
        """What the wizard keeps, as it is seen from here."""
        return self.root / "state"

    @property
    def log(self) -> Path:
        """The log of the install."""
        return self.state / "install.log"

    def inside(self, path: Path) -> str:
        """A path as it is called on the machine."""
        return str(path)

    def words(self, *more: str) -> list[str]:
        """The command line of an install."""
        said = ["--dir", self.inside(self.directory), "--state-dir", self.inside(self.state)]
        said += ["--hostname", NAME, *self.network]
        return [self.python, "-m", "mailcow_wizard", *more, *said]

    def docker(self, *words: str) -> str:
        """Runs the Docker client and returns what it printed."""
        return self.machine.run(["docker", *words], check=True).stdout.strip()

    def wizard(self, *more: str, timeout: float = 120.0) -> "subprocess.CompletedProcess[str]":
        """Runs another command of the wizard, which may send packets."""
        said = ["--dir", self.inside(self.directory), "--state-dir", self.inside(self.state)]
        argv = [self.python, "-m", "mailcow_wizard", *more, *said, "--address", "192.0.2.1"]
        return self.machine.run(argv, timeout=timeout, env=self.env())

    def env(self) -> dict[str, str]:
        """Its environment."""
        return {"PYTHONPATH": str(CHECKOUT), "MAILCOW_WIZARD_NAME": "./wizard"}

    def install(self, *more: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Installs to the end, with these variables in the environment."""
        words = self.words("install", "--repository", self.repository, *(more or ("--yes",)))
        return self.machine.run(words, timeout=_LONGEST_S, env={**self.env(), **variables})

    def unattended(self, answers: Path, *more: str) -> "subprocess.CompletedProcess[str]":
        """Installs by a file of answers alone."""
        said = ["--state-dir", self.inside(self.state), "--offline", "--timeout", "2.5"]
        words = [self.python, "-m", "mailcow_wizard", "install", *said, "--answers", self.inside(answers)]
        return self.machine.run([*words, "--yes", *more], timeout=_LONGEST_S, env=self.env())

    def begin(self) -> "subprocess.Popen[bytes]":
        """Begins an install; the caller ends what follows it."""
        words = self.words("install", "--repository", self.repository, "--yes")
        return self.machine.start(words, env=self.env())

    def document(self, *more: str) -> dict[str, object]:
        """Installs, and the one document."""
        said: dict[str, object] = json.loads(self.install("--yes", "--json", *more).stdout)
        return said

    def standing(self) -> dict[str, object]:
        """The install's own record; empty where there is none yet."""
        try:
            said: dict[str, object] = json.loads((self.state / "install.json").read_text())
        except (OSError, ValueError):
            return {}
        return said

    def stages(self) -> dict[str, str]:
        """The state of each stage."""
        rows = self.standing().get("stages")
        return {one["id"]: one["state"] for one in rows} if isinstance(rows, list) else {}

    def wait_for_stage(self, stage: str, seconds: float = 90.0) -> bool:
        """Whether the stage was begun in time."""
        return wait_until(lambda: self.stages().get(stage) not in (None, "waiting"), seconds, 0.01)

    def worker(self) -> int:
        """The number of the process at work, as its own namespace counts; 0 where there is none."""
        done = self.machine.run(["pgrep", "-f", "install.worker import main"])
        numbers = [int(one) for one in done.stdout.split()]
        return numbers[0] if numbers else 0

    def holds_the_lock(self) -> bool:
        """Whether the process at work is the one that may change the machine."""
        try:
            held: dict[str, object] = json.loads((self.state / "lock").read_text())
        except (OSError, ValueError):
            return False
        return held.get("change") == INSTALL and held.get("pid") == self.worker()

    @contextmanager
    def snatched_at(self) -> Iterator["subprocess.Popen[bytes]"]:
        """A process that tries to have the lock, again and again; it ends when it has it after somebody else
        held it."""
        lock = self.state / "lock"
        lock.parent.mkdir(mode=0o700, exist_ok=True)
        lock.touch(mode=0o600)
        with running(self.machine.start([self.python, "-c", _SNATCHES, self.inside(lock)])) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process

    def kill(self) -> bool:
        """Kills the process at work; whether there was one."""
        number = self.worker()
        return bool(number) and self.machine.run(["kill", "-9", str(number)]).returncode == 0

    def secrets(self) -> tuple[str, ...]:
        """The passwords of mailcow.conf; none where there is no such file."""
        try:
            text = (self.directory / "mailcow.conf").read_text()
        except OSError:
            return ()
        return tuple(re.findall(_SECRETS, text, re.MULTILINE))

    def made_secrets(self) -> tuple[str, ...]:
        """The passwords that were made for a mailcow.conf that is not written yet."""
        try:
            said = json.loads((self.state / "install-secrets.json").read_text())
        except (OSError, ValueError):
            return ()
        names = ("DBPASS", "DBROOT", "REDISPASS", "SOGO_URL_ENCRYPTION_KEY")
        return tuple(said[name] for name in names) if said else ()

    def containers(self) -> dict[str, str]:
        """The state of each service."""
        form = '{{.Label "com.docker.compose.service"}} {{.State}}'
        rows = self.docker("ps", "-a", "--format", form).split("\n")
        return dict(sorted(row.split() for row in rows if row))

    def look(self) -> dict[str, object]:
        """What an install leaves, without what differs from one to the next."""
        files = {
            str(path.relative_to(self.directory)): path.stat().st_mode & 0o777
            for path in sorted(self.directory.rglob("*"))
            if ".git" not in path.parts and path.is_file()
        }
        conf = (self.directory / "mailcow.conf").read_text()
        for secret in self.secrets():
            conf = conf.replace(secret, "…")
        return {
            "files": files,
            "conf": conf,
            "containers": self.containers(),
            "stages": self.stages(),
            "findings": self._findings(),
            "aside": sorted(path.name for path in self.directory.parent.iterdir()),
        }

    def _findings(self) -> list[str]:
        """The checks that verified it; where an answer comes too late there is one finding of a check
        in the place of one for each port."""
        rows = self.standing()["findings"]
        assert isinstance(rows, list)
        return sorted({one["id"] for one in rows})

    def progress(self) -> str:
        """How far the stage under way is, as it is written down; empty where nothing is yet."""
        try:
            return (self.state / "install-progress.json").read_text()
        except OSError:
            return ""

    def faults(self, **faults: object) -> None:
        """What is wrong with the registry from now on; nothing without a word."""
        (self.root / "registry/faults.json").write_text(json.dumps(faults))

    def reset(self, known: bool = True) -> None:
        """As it was: nothing is installed, no image is here; `known`: what the stand-in lacks is accepted."""
        self.faults()
        while self.kill():
            wait_until(lambda: not self.worker(), 5)
        for command in (
            "docker ps -aq | xargs -r docker rm -f",
            "docker volume ls -q | xargs -r docker volume rm -f",
            "docker network prune -f",
            f"docker images -q '{self.registry}/*/*' | sort -u | xargs -r docker rmi -f",
        ):
            self.machine.run(["sh", "-c", command])
        for path in (self.directory.parent, self.state):
            shutil.rmtree(path, ignore_errors=True)
        self.directory.mkdir(parents=True)
        for one in () if self.speaks or not known else KNOWN:
            words = ["ack", one, "--reason", "the stand-in", "--state-dir", self.inside(self.state)]
            argv = [self.python, "-m", "mailcow_wizard", *words]
            self.machine.run(argv, env=self.env(), check=True)


@contextmanager
def place(root: Path, suite: str = engine.SUITES[0], speaks: bool = False) -> Iterator[Place]:
    """A machine of its own; one that `speaks` is a real mail server in the end, and trusted."""
    needs("git", "openssl", "pgrep", "busybox")
    with ExitStack() as stack:
        machine = stack.enter_context(engine.started(suite))
        binary = compose.program(suite)
        client = engine.unpacked(suite) / "usr/bin/docker"
        layer = machine.run(["mktemp", "-d", "-p", "/run"], check=True).stdout.strip()
        made = machine.run(["sh", "-c", _OVERLAY, "overlay", layer, str(client), str(binary)])
        if made.returncode:
            raise LabError(f"no overlay can be mounted: {made.stderr.strip()}")
        busybox = Path(os.path.realpath(str(shutil.which("busybox"))))
        images = stand_in.SPEAKING_IMAGES if speaks else stand_in.IMAGES
        registry.make(root / "registry", images, busybox)
        words = [sys.executable, registry.__file__, str(root / "registry"), str(registry.PORT)]
        server = stack.enter_context(running(machine.start(words)))
        assert server.stdout is not None
        if not server.stdout.readline():
            raise LabError("the registry did not start")
        pair = _trusted(machine, root) if speaks else None
        yield Place(machine, root, stand_in.make(root / "repository", certificate=pair), speaks)


def _trusted(machine: Engine, root: Path) -> tuple[Path, Path]:
    """A certificate for the server, of an authority that this machine alone trusts."""
    (root / "ca").mkdir()
    authority = certificates.authority(root / "ca")
    hashed = machine.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(authority)], check=True
    ).stdout.strip()
    layer = machine.run(["mktemp", "-d", "-p", "/run"], check=True).stdout.strip()
    machine.run(["mkdir", f"{layer}/upper", f"{layer}/work"], check=True)
    machine.run(["cp", str(authority), f"{layer}/upper/{hashed}.0"], check=True)
    place = "/etc/ssl/certs"
    options = f"lowerdir={place},upperdir={layer}/upper,workdir={layer}/work"
    machine.run(["mount", "-t", "overlay", "overlay", "-o", options, place], check=True)
    return certificates.issued(root / "ca", "server", NAME)


def failed_stage(document: dict[str, object]) -> str:
    """The stage that failed; empty where none did."""
    rows = document["stages"]
    assert isinstance(rows, list)
    return next((one["id"] for one in rows if one["state"] == "failed"), "")


def said(document: dict[str, object]) -> str:
    """Why it stands still, and what helps."""
    remedies = document["remedies"]
    assert isinstance(remedies, Sequence)
    return "\n".join([str(document["error"]), *map(str, remedies)])
