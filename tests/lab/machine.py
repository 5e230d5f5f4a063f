"""A whole Debian 12 with a real systemd as pid 1, booted fresh in namespaces of its own.

Its root is an overlay on a cached base system, the upper layer lies in memory: nothing that happens inside
outlives it. It shares the kernel and the clock of this machine, so it may not set the time or load modules.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

from .cache import bootstrap, cache, made_once, mirror, must, with_own_mounts
from .cgroup import joining, own_cgroup
from .inside import (
    CHECKOUT,
    Inside,
    LabError,
    children,
    command_name,
    end_namespaces,
    in_own_namespaces,
    last_words,
    needs,
    wait_until,
)

SUITE = "bookworm"
_PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "iproute2",
    "procps",
    "python3",
    "postfix",
    "nginx-light",
    "openssh-server",
    "chrony",
)
# Nothing listens until a test wants it, and the boot is not slowed by what no test looks at.
_NOT_AT_BOOT = (
    "postfix.service",
    "nginx.service",
    "ssh.service",
    "chrony.service",
    "e2scrub_reap.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
)
# What looks for more units whenever they are read, and finds none in a machine without disks.
_NO_GENERATORS = tuple(
    f"systemd-{name}-generator"
    for name in (
        *("bless-boot", "cryptsetup", "debug", "getty", "gpt-auto", "hibernate-resume", "integritysetup"),
        *("rc-local", "run", "system-update", "veritysetup"),
    )
)
_TOOLS = ("mmdebstrap", "systemd-nspawn", "nsenter", "unshare", "setpriv")
_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wdns=/root")
# Where the machine sees this checkout, and modules that it is lent.
CHECKOUT_INSIDE = "/opt/mailcow-wizard"
_LIBRARIES_INSIDE = "/opt/mailcow-wizard-libraries"
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": f"{CHECKOUT_INSIDE}:{_LIBRARIES_INSIDE}",
}
_DROPPED = "CAP_SYS_TIME,CAP_SYS_MODULE"
_SYSTEMD = "systemd"

# systemd's own cgroup tree is all that the machine sees; /run/systemd is nspawn's working place, never the
# host's.
_BOOT = """set -e
scratch=$1 layers=$2 often=$3; shift 3
if mountpoint -q /sys/fs/cgroup; then umount -R /sys/fs/cgroup; fi
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/up" "$scratch/work" "$scratch/root"
mount -t overlay overlay -o "lowerdir=$layers,upperdir=$scratch/up,workdir=$scratch/work" "$scratch/root"
mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
if [ "$often" = once ]; then exec systemd-nspawn -D "$scratch/root" "$@"; fi
mkdir "$scratch/docker"
while :; do
    systemd-nspawn -D "$scratch/root" --bind="$scratch/docker:/var/lib/docker" "$@" || sleep 0.1
done
"""

# Services of packages must not start in a chroot: policy-rc.d is Debian's way to say so.
_INSTALL = """set -e
base=$1 lists=$2 part=$3; shift 3
mkdir "$part/up" "$part/work" "$part/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$part/up,workdir=$part/work" "$part/root"
mount -t proc proc "$part/root/proc"
printf 'exit 101\\n' > "$part/root/usr/sbin/policy-rc.d"; chmod 755 "$part/root/usr/sbin/policy-rc.d"
cat /etc/resolv.conf > "$part/root/etc/resolv.conf"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
install="chroot $part/root apt-get -q -y --no-install-recommends install"
cp -r "$lists/." "$part/root/var/lib/apt/lists"
$install "$@" || { chroot "$part/root" apt-get -q update; $install "$@"; }
cd "$part/root"
rm -rf usr/sbin/policy-rc.d var/cache/apt/*.bin var/cache/apt/archives/*.deb var/lib/apt/lists/*
"""


def base() -> Path:
    """The base system, made the first time (35 s of one processor); apt's lists of then lie beside it."""
    place = cache() / f"machine-{SUITE}-3"
    with made_once(place) as part:
        if part:
            bootstrap(SUITE, part, mirror(), *_PACKAGES)
            must(["systemctl", f"--root={part}", "disable", *_NOT_AT_BOOT], "systemctl disable")
            masks = part / "etc/systemd/system-generators"
            masks.mkdir()
            for name in _NO_GENERATORS:
                (masks / name).symlink_to("/dev/null")
            shutil.rmtree(_lists(place), ignore_errors=True)
            (part / "var/lib/apt/lists").rename(_lists(place))
            (part / "var/lib/apt/lists/partial").mkdir(parents=True)
            (part / "etc/machine-id").write_text("")
            (part / "etc/hostname").write_text("mail\n")
            (part / "etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.1.1\tmail.example.org mail\n")
    return place


def _lists(base: Path) -> Path:
    return base.with_name(f"{base.name}-lists")


def layer(*packages: str) -> Path:
    """A layer upon the base where more packages are installed (and what conflicts with them removed)."""
    below = base()
    place = below.with_name(f"{below.name}-{'-'.join(packages)}")
    with made_once(place) as part:
        if part:
            script = ["sh", "-c", _INSTALL, "install", str(below), str(_lists(below)), str(part), *packages]
            must(with_own_mounts(script), f"installing {' '.join(packages)}")
    return place / "up"


class Machine(Inside):
    """A booted machine. `pid` is its systemd, seen from here."""

    def __init__(self, pid: int, outside: int = 0) -> None:
        """Commands run with a clean environment, as root, in every namespace of the machine; `outside` is the
        process around it."""
        super().__init__(["nsenter", "-t", str(pid), *_NAMESPACES, "--"], _ENVIRONMENT)
        self.pid = pid
        self._outside = outside

    def power_cut(self) -> None:
        """It ends at this instant, and boots again; only one that is booted `again` does. Raises LabError."""
        before = self.pid
        os.kill(before, signal.SIGKILL)
        if not wait_until(lambda: _init(self._outside, _SYSTEMD) not in (0, before), 60):
            raise LabError("the machine was not started again within 60 s")
        self._enter_at(_init(self._outside, _SYSTEMD))
        if not wait_until(lambda: _is_up(self), 60):
            raise LabError("the machine's systemd did not come up again within 60 s")

    def _enter_at(self, pid: int) -> None:
        self.pid = pid
        self._enter = ("nsenter", "-t", str(pid), *_NAMESPACES, "--")

    def wizard(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Runs the wizard of this checkout with the machine's own Python."""
        return self.run(["python3", "-m", "mailcow_wizard", *arguments], env=env)

    def write(self, path: str, text: str) -> None:
        """Writes a file of the machine."""
        target = Path(f"/proc/{self.pid}/root{path}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@contextmanager
def booted(
    *packages: str,
    network: str = "",
    libraries: str = "",
    lent: Mapping[str, str] = MappingProxyType({}),
    again: bool = False,
) -> Iterator[Machine]:
    """A fresh machine with the base's packages and these; in a network of its own, or in that of `network`
    (a path such as /run/netns/NAME). `libraries` is a directory of Python modules to lend it, `lent` are
    other directories with their places inside. `again`: when it ends it boots again, with the files that it
    had and the containers of its Docker."""
    needs(*_TOOLS)
    layers = ":".join([*([str(layer(*packages))] if packages else []), str(base())])
    binds = {**lent, **({libraries: _LIBRARIES_INSIDE} if libraries else {})}
    often = "again" if again else "once"

    def command(scratch: str) -> list[str]:
        return _boot_command(scratch, layers, often, network, binds)

    with nspawned("machine", command, _SYSTEMD, _is_up) as machine:
        yield machine


@contextmanager
def nspawned(
    kind: str, command: Callable[[str], list[str]], init: str, is_up: Callable[[Machine], bool]
) -> Iterator[Machine]:
    """What this command boots by systemd-nspawn in a scratch directory; its pid 1 is called `init`. Raises
    LabError where it does not come up."""
    with ExitStack() as stack:
        group = stack.enter_context(own_cgroup())
        prefix = f"mailcow-wizard-{kind}-{os.getpid()}-"
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
        log = stack.enter_context(tempfile.TemporaryFile())
        argv = joining(group, command(scratch))
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        stack.callback(end_namespaces, process)
        started = lambda: bool(_init(process.pid, init)) or process.poll() is not None  # noqa: E731
        if not wait_until(started, 60):
            raise LabError("systemd-nspawn did not start the machine within 60 s")
        if process.poll() is not None:
            raise LabError(f"the machine did not start: {last_words(log)}")
        machine = Machine(_init(process.pid, init), process.pid)
        if not wait_until(lambda: is_up(machine), 60):
            raise LabError(f"the machine's {init} did not come up within 60 s")
        yield machine


def _boot_command(scratch: str, layers: str, often: str, network: str, binds: Mapping[str, str]) -> list[str]:
    net = f"--network-namespace-path={network}" if network else "--private-network"
    nspawn = [
        "--register=no",
        "--keep-unit",
        "--machine=mail",
        net,
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--capability=all",
        f"--drop-capability={_DROPPED}",
        "--system-call-filter=add_key keyctl bpf",
        f"--bind-ro={CHECKOUT}:{CHECKOUT_INSIDE}",
        "--console=pipe",
        "-b",
    ]
    for place, inside in binds.items():
        nspawn.insert(0, f"--bind-ro={place}:{inside}")
    return [*in_own_namespaces(), "sh", "-c", _BOOT, "boot", scratch, layers, often, *nspawn]


def _init(pid: int, name: str) -> int:
    """The machine's pid 1: a child of nspawn, which is a child of `unshare` or of its shell."""
    for first in children(pid):
        for second in (first, *children(first)):
            for child in children(second):
                if command_name(child) == name:
                    return child
    return 0


def _is_up(machine: Machine) -> bool:
    said = machine.run(["systemctl", "is-system-running", "--wait"], timeout=60).stdout.strip()
    return said in ("running", "degraded")
