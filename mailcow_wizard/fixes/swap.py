"""A swap file: how large, where, made how, and a line in /etc/fstab."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import data_places, kernel, storage, system, units, virtualization
from mailcow_wizard.facts.presence import path_of_command, read_if_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, Offer
from mailcow_wizard.fixes.choices import tried
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Fix, Plan
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

DIRECTORIES = ("/", "/var")
"""Where a swap file may lie, best first."""

_FSTAB = "/etc/fstab"
_MIB = 1 << 20
_STEP = 512 * _MIB  # sizes are whole multiples of this; a MiB more is none, as mkswap takes 4 KiB
_ELSEWHERE_FREE = need.GIB  # stays free on a file system that does not hold Docker's data
_NAMES = ("swapfile", "swapfile-mailcow", *(f"swapfile-mailcow-{number}" for number in range(2, 10)))
_SLOWEST_DISK = 10 * _MIB  # bytes a second
_XFS_FALLOCATE = (4, 18)  # swapon(8)
_BTRFS = (5, 0)  # btrfs(5), "Swapfile support"
_WRITTEN = ("ext2", "ext3")  # file systems that cannot reserve space without writing it
_KNOWN = ("ext4", "xfs", "btrfs", *_WRITTEN)
_UNFIT = {
    "zfs": _("is on ZFS, where swapping to a file can bring the whole machine to a halt"),
    "tmpfs": _("lies in memory itself"),
    "ramfs": _("lies in memory itself"),
    "overlay": _("is an overlay, which the kernel does not swap to"),
    "squashfs": _("cannot be written"),
    "nfs": _("lies on another machine"),
    "nfs4": _("lies on another machine"),
}


class Room(NamedTuple):
    """Where a swap file fits: the directory, the kind of its file system, and how large the file will be."""

    directory: str
    kind: str
    size: int


def swapfile(check: str, facts: Facts) -> Offer | None:
    """An offer to make a swap file, for a finding of this check; None where it makes no sense. Raises
    HostError."""
    if lacking(facts) <= 0 or facts.get(virtualization.virtualization).containers:
        return None  # in a container, swapping is the business of the machine outside
    who = facts.get(system.privileges)
    if who.user.uid == 0 and not who.whole_range:
        return None
    title = _("Make a swap file")
    return tried(lambda: plan(check, facts), Fix("swapfile", title, "low", True, True))


def lacking(facts: Facts) -> int:
    """How many bytes of swap are missing: to what is advised, and to what mailcow needs with the memory."""
    memory = facts.get(system.memory).total
    real = _real(facts)
    both = need.MEMORY.warns_below + need.SWAP.warns_below
    if real >= need.SWAP.warns_below and memory + real >= both:
        return 0
    return max(need.SWAP.today - real, need.MEMORY.today + need.SWAP.today - memory - real)


def _real(facts: Facts) -> int:
    return sum(area.size for area in facts.get(system.swap) if not area.compressed)


def plan(check: str, facts: Facts, directories: tuple[str, ...] = DIRECTORIES) -> Plan:
    """The plan of a swap file in the first of these directories that is fit for one. Raises HostError."""
    place = room(facts, directories)
    host = facts.host
    for command in ("mkswap", "swapon", "swapoff"):
        host.which(command)
    fstab = read_if_there(host, _FSTAB)
    path = free_name(host, place.directory)
    size = gib(place.size)
    steps: list[PlanStep] = [*_made(host, path, place, facts), Command(("mkswap", path))]
    if host.exists("/sys/fs/selinux/enforce") and path_of_command(host, "chcon"):
        steps.append(Command(("chcon", "-t", "swapfile_t", path)))
    # Somebody may have switched it off since; while it is in use the kernel keeps it from being removed.
    steps.append(Command(("swapon", path), (("swapoff", path),), 600.0, undo_optional=True))
    if not is_listed(fstab, path):
        steps.append(Edit(_FSTAB, fstab, with_line(fstab, path)))
    openrc = not units.is_running(facts) and path_of_command(host, "rc-update")
    if openrc and not host.exists("/etc/runlevels/boot/swap") and host.exists("/etc/init.d/swap"):
        steps.append(Command(("rc-update", "add", "swap", "boot"), (("rc-update", "del", "swap", "boot"),)))
    written = place.kind in (*_WRITTEN, "btrfs")
    return Plan(
        check,
        None,
        "swapfile",
        _("Make a swap file of {size}", size=size),
        tuple(steps),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "When memory is short, the kernel can put {size} of it away in {path}, now "
            "and after every start.",
            size=size,
            path=path,
        )
        + (_(" Writing {size} keeps the disk busy for a while.", size=size) if written else ""),
    )


def _made(host: Host, path: str, place: Room, facts: Facts) -> list[PlanStep]:
    """The file: nobody else may read it, and it has no holes. Its first step fails where one is there."""
    steps: list[PlanStep] = []
    if not host.resolve(host.which("dd")).endswith("busybox"):  # whose dd has no `excl`
        steps.append(Command(("dd", "if=/dev/null", f"of={path}", "conv=excl")))
    else:
        steps.append(Command(("touch", path)))
    steps.append(Command(("chmod", "600", path), (("rm", "-f", path),)))
    by_writing = place.kind in _WRITTEN or not path_of_command(host, "fallocate")
    if place.kind == "xfs" and facts.get(kernel.version).numbers[:2] < _XFS_FALLOCATE:
        by_writing = True
    if place.kind == "btrfs":
        # Only an empty file takes the attribute; the kernel swaps to no file that is copied on write.
        steps.append(Command(("chattr", "+C", path)))
        by_writing = True
    timeout = 120 + place.size / _SLOWEST_DISK
    if by_writing:
        count = place.size // _MIB
        dd = ("dd", "if=/dev/zero", f"of={path}", "bs=1M", f"count={count}", "conv=notrunc,fsync")
        steps.append(Command(dd, timeout=timeout))
    else:
        steps.append(Command(("fallocate", "-l", f"{place.size // _MIB}M", path), timeout=timeout))
    return steps


def room(facts: Facts, directories: tuple[str, ...] = DIRECTORIES) -> Room:
    """The first directory that is fit for a swap file; raises NoPlan with what is wrong with the first."""
    reasons: list[str] = []
    seen: set[str] = set()
    for directory in directories:
        try:
            mount = storage.holding(facts, directory)
        except Missing:
            continue
        if mount.point in seen:
            continue
        seen.add(mount.point)
        reason = _unfit(facts, directory, mount)
        if not reason:
            free = facts.host.space(directory).free - _reserve(facts, mount)
            size = fitting(lacking(facts), need.SWAP.today - _real(facts), free)
            if size:
                return Room(directory, mount.kind, size)
            reason = _(
                "{directory} has no room for one: {free} are free, and {reserve} have to stay free",
                directory=directory,
                free=gib(max(0, facts.host.space(directory).free)),
                reserve=gib(_reserve(facts, mount)),
            )
        reasons.append(reason)
    raise NoPlan(
        _(
            "No swap file can be made: {reason}.",
            reason=reasons[0] if reasons else _("no file system was found"),
        )
    )


def fitting(wanted: int, least: int, free: int) -> int:
    """The size of the file in bytes, at most what is free and at least what is advised; 0: does not fit."""
    wanted, least = (-(-max(size - _MIB, 1) // _STEP) * _STEP for size in (wanted, least))
    size = min(wanted, free // _STEP * _STEP)
    return size if size >= least else 0


def _unfit(facts: Facts, directory: str, mount: storage.Mount) -> str:
    """Why the kernel would not swap to a file there; empty: it would."""
    if "ro" in mount.options | mount.super_options:
        return _("{directory} is mounted read-only", directory=directory)
    if mount.kind not in _KNOWN:
        why = _UNFIT.get(mount.kind, _("is on {kind}, for which no safe way is known here", kind=mount.kind))
        return _(
            "{directory} {why}; use a partition or a disk of its own for swap", directory=directory, why=why
        )
    if mount.kind == "btrfs":
        if facts.get(kernel.version).numbers[:2] < _BTRFS:
            return _(
                "{directory} is on btrfs, and this kernel cannot swap there (5.0 and newer can)",
                directory=directory,
            )
        if _devices(facts.host, mount.source) > 1:
            return _(
                "{directory} is on btrfs over several disks, where the kernel does not swap",
                directory=directory,
            )
        if not path_of_command(facts.host, "chattr"):
            return _(
                "{directory} is on btrfs, and the command chattr (package e2fsprogs) is missing",
                directory=directory,
            )
    return ""


def _devices(host: Host, source: str) -> int:
    """How many disks the btrfs on this one has; 1 where the machine does not tell."""
    try:
        name = host.resolve(source).rpartition("/")[2]
        for volume in host.names("/sys/fs/btrfs"):
            devices = host.names(f"/sys/fs/btrfs/{volume}/devices") if "-" in volume else ()
            if name in devices:
                return len(devices)
    except HostError:
        pass
    return 1


def _reserve(facts: Facts, mount: storage.Mount) -> int:
    """What has to stay free there, in bytes: mailcow's images alone take 5 GiB where Docker's data lies."""
    try:
        held = facts.get(data_places.root_mount).mount
    except HostError:
        held = None
    return need.DISK.minimum if held is None or held.point == mount.point else _ELSEWHERE_FREE


def free_name(host: Host, directory: str) -> str:
    """A path in the directory where nothing is yet."""
    for name in _NAMES:
        path = f"{directory.rstrip('/')}/{name}"
        try:
            host.info(path, follow=False)
        except Missing:
            return path
    raise NoPlan(
        _(
            "There are too many swap files in {directory} already: remove those that nothing uses.",
            directory=directory,
        )
    )


def is_listed(fstab: bytes | None, path: str) -> bool:
    """Whether fstab swaps to this path already (the file was removed, its line was not)."""
    rows = [line.split() for line in (fstab or b"").splitlines()]
    return any(row[:1] == [path.encode()] and row[2:3] == [b"swap"] for row in rows)


def with_line(fstab: bytes | None, path: str) -> bytes:
    """fstab with the swap file's line at its end."""
    before = fstab or b""
    end = b"" if not before or before.endswith(b"\n") else b"\n"
    return before + end + f"{path} none swap sw 0 0\n".encode()


def gib(size: int) -> str:
    """A size in GiB, as short as it can be said."""
    amount = round(size / need.GIB, 1)
    return (
        _("{amount:.0f} GiB", amount=amount) if amount.is_integer() else _("{amount:.1f} GiB", amount=amount)
    )
