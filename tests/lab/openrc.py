"""A Debian 13 whose services OpenRC starts, as Alpine has it, with Debian's own init scripts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .cache import bootstrap, cache, made_once, mirror
from .inside import CHECKOUT, in_own_namespaces, needs
from .machine import CHECKOUT_INSIDE, Machine, nspawned

SUITE = "trixie"
_PACKAGES = (
    *("sysvinit-core", "openrc", "initscripts", "python3", "iproute2", "procps"),
    *("nginx-light", "exim4-daemon-light", "chrony"),
)
_TOOLS = ("mmdebstrap", "systemd-nspawn", "nsenter", "unshare", "setpriv")
# As lab.machine boots its own; nspawn itself would choose systemd, which some package brings along.
_BOOT = """set -e
scratch=$1 base=$2; shift 2
if mountpoint -q /sys/fs/cgroup; then umount -R /sys/fs/cgroup; fi
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/up" "$scratch/work" "$scratch/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$scratch/up,workdir=$scratch/work" "$scratch/root"
mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn -D "$scratch/root" "$@" /sbin/init
"""


def base() -> Path:
    """The base system, made the first time (60 s of one processor)."""
    place = cache() / f"openrc-{SUITE}-1"
    with made_once(place) as part:
        if part:
            bootstrap(SUITE, part, mirror(), *_PACKAGES)
            terminals = part / "etc/inittab"
            lines = terminals.read_text().splitlines(keepends=True)
            terminals.write_text("".join(one for one in lines if "getty" not in one))
            # The clock is that of this machine, and may not be set.
            (part / "etc/default/chrony").write_text('DAEMON_OPTS="-F 1 -x"\n')
            (part / "etc/hostname").write_text("mail\n")
            (part / "etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.1.1\tmail.example.org mail\n")
    return place


@contextmanager
def booted() -> Iterator[Machine]:
    """A fresh machine: nginx, exim and chrony run. Raises LabError where it cannot be."""
    needs(*_TOOLS)
    with nspawned("openrc", _command, "init", _is_up) as made:
        yield made


def _command(scratch: str) -> list[str]:
    nspawn = (
        *("--quiet", "--register=no", "--keep-unit", "--machine=openrc", "--private-network"),
        *("--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"),
        f"--bind-ro={CHECKOUT}:{CHECKOUT_INSIDE}",
    )
    return [*in_own_namespaces(), "sh", "-c", _BOOT, "boot", scratch, str(base()), *nspawn]


def _is_up(machine: Machine) -> bool:
    listening = machine.run(["ss", "-Hltn"]).stdout
    level = machine.run(["cat", "/run/openrc/softlevel"]).stdout.strip()
    return level == "default" and ":80 " in listening and ":25 " in listening
