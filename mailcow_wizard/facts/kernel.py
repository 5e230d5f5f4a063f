"""What the kernel is and how it is set: version, control groups, security modules, limits, IPv6."""

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import storage
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.presence import is_there, path_of_command
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Layout = Literal["v1", "v2", "hybrid", "none"]
    Enforcement = Literal["off", "permissive", "enforcing"]
else:
    Layout = Enforcement = str

_SELINUX = "/sys/fs/selinux"
_NET = "/proc/sys/net"
_DIGITS = r"[0-9]{1,15}"


class Version(NamedTuple):
    """The kernel's release and its numbers; `build` is what a distribution counts behind the dash, or -1."""

    release: str
    numbers: tuple[int, int, int]
    build: int


class Cgroups(NamedTuple):
    """Control groups: which versions are mounted (`hybrid`: both), and the controllers of all of them."""

    layout: Layout
    controllers: frozenset[str]


class Security(NamedTuple):
    """SELinux and AppArmor: what is on, and what of their container support is installed."""

    selinux: Enforcement
    container_policy: bool
    apparmor: bool
    apparmor_parser: bool


class Limits(NamedTuple):
    """Limits on watched and open files. `own_hard` is the hard limit of this program, or for who is not root
    that of the machine's first process (None: none), asked for only where it binds: where root may not raise
    it."""

    instances: int
    watches: int
    nr_open: int
    own_hard: int | None


class Ipv6(NamedTuple):
    """Whether the kernel has IPv6 and whether it is switched off, and what mailcow.conf says of it.

    `wanted` is None where there is no mailcow.conf; read only where IPv6 is off.
    """

    built: bool
    disabled: bool
    configuration: str
    wanted: bool | None


def version(facts: Facts) -> Version:
    """The running kernel; raises HostError where its release is no version."""
    return parse_release(facts.host.uname().release)


def parse_release(release: str) -> Version:
    """`4.15.0-58-generic` to its numbers."""
    found = re.match(
        r"([0-9]{1,4})\.([0-9]{1,4})(?![0-9])(?:\.([0-9]{1,5}))?(?:[^-]{0,80}?-([0-9]{1,6})\b)?", release
    )
    if not found:
        raise HostError(_("the kernel's release is not a version number"))
    major, minor, patch, build = found.groups()
    return Version(release, (int(major), int(minor), int(patch or 0)), int(build or -1))


def cgroups(facts: Facts) -> Cgroups:
    """Which versions are mounted, and which controllers they offer."""
    old: set[str] = set()
    new: set[str] = set()
    has_old = has_new = False
    for mount in facts.get(storage.mounts):
        if mount.kind == "cgroup":
            has_old = True
            old |= mount.super_options
        elif mount.kind == "cgroup2" and not has_new:
            has_new = True
            new |= set(facts.host.text(f"{mount.point}/cgroup.controllers", 4096).split())
    if has_old:
        old &= _enabled(facts.host)
    layouts: dict[tuple[bool, bool], Layout] = {
        (True, False): "v1",
        (False, True): "v2",
        (True, True): "hybrid",
        (False, False): "none",
    }
    return Cgroups(layouts[has_old, has_new], frozenset(old | new))


def _enabled(host: Host) -> set[str]:
    """Controllers of version 1 that are not switched off, from /proc/cgroups."""
    rows = [line.split() for line in host.text("/proc/cgroups", 65536).splitlines()]
    enabled = {row[0] for row in rows if len(row) == 4 and row[3] == "1"}
    if not enabled:
        raise HostError(_("/proc/cgroups lists no controllers"))
    return enabled


def security(facts: Facts) -> Security:
    """Whether SELinux or AppArmor are on, and whether Docker can work with them."""
    host = facts.host
    host.info("/sys/kernel")  # without /sys nothing can be said
    selinux: Enforcement = "off"
    if is_there(host, f"{_SELINUX}/enforce"):
        selinux = "enforcing" if _number(host, f"{_SELINUX}/enforce", {0, 1}) else "permissive"
    policy = selinux == "enforcing" and any(is_there(host, path) for path in need.SELINUX_CONTAINER_POLICY)
    apparmor = is_there(host, "/sys/kernel/security/apparmor") and _apparmor_is_on(host)
    parser = apparmor and bool(path_of_command(host, "apparmor_parser"))
    return Security(selinux, policy, apparmor, parser)


def _apparmor_is_on(host: Host) -> bool:
    path = "/sys/module/apparmor/parameters/enabled"
    try:
        said = host.text(path, 64).strip()
    except Missing:
        return False
    if said not in ("Y", "N"):
        raise HostError(_("{path} says neither Y nor N", path=path))
    return said == "Y"


def overcommit(facts: Facts) -> int:
    """vm.overcommit_memory: 0, 1 or 2."""
    return _number(facts.host, "/proc/sys/vm/overcommit_memory", {0, 1, 2})


def limits(facts: Facts) -> Limits:
    """inotify's limits, and how many files a process may open at most."""
    host, user = facts.host, facts.host.user()
    # A user's own limits say nothing about Docker's; those of the first process, which started it, do.
    own = "/proc/self" if user.uid == 0 else "/proc/1"
    may = user.capabilities if user.uid == 0 else capabilities_of_root(host.text(f"{own}/status", 65536))
    bound = not may >> need.CAP_SYS_RESOURCE & 1
    return Limits(
        _number(host, "/proc/sys/fs/inotify/max_user_instances"),
        _number(host, "/proc/sys/fs/inotify/max_user_watches"),
        _number(host, "/proc/sys/fs/nr_open"),
        hard_limit(host.text(f"{own}/limits", 65536)) if bound else None,
    )


def capabilities_of_root(text: str) -> int:
    """What root may do at most, from /proc/1/status: its effective set as a bit mask."""
    found = re.search(r"^CapEff:[ \t]*([0-9a-f]{1,16})$", text, re.MULTILINE)
    if not found:
        raise HostError(_("/proc/1/status does not say what root may do"))
    return int(found[1], 16)


def hard_limit(text: str) -> int | None:
    """The hard limit for open files in /proc/PID/limits; None where there is none."""
    found = re.search(
        rf"^Max open files +(?:{_DIGITS}|unlimited) +({_DIGITS}|unlimited)\b", text, re.MULTILINE
    )
    if not found:
        raise HostError(_("/proc/self/limits has no line for open files"))
    return None if found[1] == "unlimited" else int(found[1])


def ipv6(facts: Facts) -> Ipv6:
    """Whether IPv6 is there and on; mailcow.conf is only asked where it is not."""
    host = facts.host
    host.info(f"{_NET}/ipv4")  # without it /proc/sys itself is missing, which says nothing of IPv6
    built = is_there(host, f"{_NET}/ipv6/conf/all")
    disabled = built and _number(host, f"{_NET}/ipv6/conf/all/disable_ipv6", {0, 1}) == 1
    if built and not disabled:
        return Ipv6(built, disabled, "", None)
    conf = facts.get(mailcow_conf)
    wanted = conf.ipv6 != "false"
    return Ipv6(built, disabled, conf.path, wanted if conf.exists else None)


def _number(host: Host, path: str, allowed: set[int] | None = None) -> int:
    """The number that a file holds, one of those allowed; raises HostError for anything else."""
    text = host.text(path, 4096).strip()
    if not re.fullmatch(_DIGITS, text) or (allowed and int(text) not in allowed):
        raise HostError(_("{path} does not hold a number that makes sense", path=path))
    return int(text)
