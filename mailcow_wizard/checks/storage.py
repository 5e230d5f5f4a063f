"""Judges of the place where Docker keeps its data."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.amounts import shown_down
from mailcow_wizard.facts import data_places, storage
from mailcow_wizard.host.replies import Space
from mailcow_wizard.language import _
from mailcow_wizard.model import Certainty, Check, Evidence, Judgement

_MORE_ROOM = (
    _("Enlarge the disk or the partition that holds it."),
    _('Put Docker\'s data on a larger disk before the install: "data-root" in /etc/docker/daemon.json.'),
    _('Docker 29 and newer keep images apart: "root" in /etc/containerd/config.toml moves those.'),
    _("Remove images that nothing uses: `docker image prune`."),
)


# `docker image prune` takes none that has a name, as those of mailcow's earlier versions have.
_OLD_IMAGES = _("Remove images of mailcow's earlier versions: `./update.sh --gc` in mailcow's directory.")


def _more_room(disk: data_places.DiskSpace) -> tuple[str, ...]:
    """What gives room; where Docker has data already, containers' logs may be what takes it (#518, #1000),
    and where mailcow's is among it, also of one that is gone, another data root would be an empty one."""
    root = disk.root
    if root.existing != root.path:
        return _MORE_ROOM
    logs = _(
        "See how much the containers' logs take: `du -sh {path}`. They grow without end, unless daemon.json "
        'has "log-opts": {{"max-size": "50m", "max-file": "3"}}; containers made after that keep to it.',
        path=_word(f"{root.path}/containers"),
    )
    if disk.mailcow:
        return (_OLD_IMAGES, _MORE_ROOM[-1], logs, _MORE_ROOM[0])
    if disk.left_over:
        return (_MORE_ROOM[0], _MORE_ROOM[-1], logs)
    return (*_MORE_ROOM, logs)


def _place(root: storage.DataRoot) -> str:
    """Names the data root, and the directory that stands for it while it does not exist."""
    words = (
        root.path
        if root.existing == root.path
        else _("{existing}, where {path} will be", existing=root.existing, path=root.path)
    )
    return f"{words} ({root.note})" if root.note else words


def _certainty(root: storage.DataRoot) -> Certainty:
    return "inferred" if root.assumed else "proved"


def _not_a_directory(root: storage.DataRoot) -> Judgement:
    """Something else stands where the data root, or a directory above it, must be."""
    where = (
        root.existing
        if root.existing == root.path
        else _("{existing}, on the way to {path},", existing=root.existing, path=root.path)
    )
    summary = _("{where} is a file, not a directory: Docker cannot start", where=where)
    word = _word(root.existing)
    return Judgement(
        "fail",
        summary,
        _("{existing} is not a directory", existing=root.existing),
        (Evidence(f"stat {word}", _("not a directory")),),
        (
            _(
                "Look at what it is (file {word}), then move it away: mv {word} {aside}",
                word=word,
                aside=_word(root.existing + ".old"),
            ),
        ),
        severity="blocks",
    )


def judge_disk(disk: data_places.DiskSpace) -> Judgement:
    """What an unprivileged user may still take counts, as the reserve of the file system is not for mail."""
    if disk.space is None:
        return _not_a_directory(disk.root)
    free, place = disk.space.free, _place(disk.root)
    gib = shown_down(free / need.GIB, 1)
    found = _(
        "{free:.1f} GiB free of {total:.1f} GiB in {place}",
        free=gib,
        total=disk.space.total / need.GIB,
        place=place,
    )
    evidence = (Evidence(f"df -B1 --output=avail {disk.root.existing}", str(free)),)
    amount = _("{free:.1f} GiB free in {place}", free=gib, place=place)
    if free < need.DISK.fails_below:
        words = (
            _("{amount}; once it is full, no mail is taken in, and the database stops", amount=amount)
            if disk.mailcow
            else _("{amount}; mailcow's images alone need 5 GiB", amount=amount)
        )
        return Judgement(
            "fail",
            words,
            found,
            evidence,
            _more_room(disk),
            severity="blocks",
        )
    if disk.images and disk.images.space.free < need.DISK.fails_below:
        return _images_full(disk, disk.images)
    if free < need.DISK.warns_below:
        return Judgement(
            "warn",
            _("{amount}; 20 GiB are advised, without mail", amount=amount),
            found,
            evidence,
            _more_room(disk),
        )
    return Judgement("pass", amount, found, evidence, certainty=_certainty(disk.root))


def _images_full(disk: data_places.DiskSpace, images: data_places.ImageStore) -> Judgement:
    """The data root has room, and the images, which lie elsewhere, do not. Under a mailcow that is there they
    stay where they are: from an empty place no container of it starts."""
    free, place = shown_down(images.space.free / need.GIB, 1), _image_place(images)
    words = _("{free:.1f} GiB free in {place} for images, which need 5 GiB", free=free, place=place)
    remedies = (
        _(
            "Put the images on a larger disk: the line {line} at the top of "
            "/etc/containerd/config.toml, then restart containerd and Docker.",
            line='root = "/…/containerd"',
        ),
        _MORE_ROOM[0],
        _MORE_ROOM[-1],
    )
    if disk.mailcow and not images.foreseen:
        words = _(
            "{free:.1f} GiB free in {place} for images: an update brings new ones beside the old",
            free=free,
            place=place,
        )
        remedies = (_OLD_IMAGES, _MORE_ROOM[-1], _MORE_ROOM[0])
    return Judgement(
        "warn" if images.foreseen else "fail",
        words,
        _(
            "{free:.1f} GiB free of {total:.1f} GiB in {place}, apart from {root}",
            free=free,
            total=images.space.total / need.GIB,
            place=place,
            root=disk.root.path,
        ),
        (Evidence(f"df -B1 --output=avail {_word(images.existing)}", str(images.space.free)),),
        remedies,
        severity=None if images.foreseen else "blocks",
        certainty="inferred" if images.foreseen else "proved",
        why=_(
            "Docker 29 and newer, installed afresh, keep images in containerd's directory; data-root "
            "does not move them. When that disk is full, the download of mailcow's images stops."
        ),
    )


def _image_place(images: data_places.ImageStore) -> str:
    if images.existing == images.path:
        return images.path
    return _("{existing}, where {path} will be", existing=images.existing, path=images.path)


def judge_inodes(disk: data_places.DiskSpace) -> Judgement:
    """File systems without a fixed number (btrfs, zfs) report none at all and cannot run out."""
    if disk.space is None:
        return _not_a_directory(disk.root)
    space, place, existing, images = disk.space, _place(disk.root), disk.root.existing, disk.images
    if images and _has_fewer(images.space, space):
        space, place, existing = images.space, _image_place(images), images.existing
    evidence = (
        Evidence(
            f"df -i {existing}",
            _("{free_inodes} free of {inodes}", free_inodes=space.free_inodes, inodes=space.inodes),
        ),
    )
    if space.inodes == 0:
        words = _("no fixed number of files in {place}", place=place)
        return Judgement("pass", words, words, evidence, certainty=_certainty(disk.root))
    found = _("room for {free:,} more files in {place}", free=space.free_inodes, place=place)
    look = _("Look for directories full of small files: du --inodes -xd2 / | sort -n | tail.")
    move = _(
        "Put Docker's data on another file system; the number of inodes of ext4 is fixed when it is made."
    )
    # From another place mailcow would start empty.
    remedies: tuple[str, ...] = (look, _MORE_ROOM[-1]) if disk.mailcow or disk.left_over else (look, move)
    if disk.mailcow:
        remedies = (look, _OLD_IMAGES, _MORE_ROOM[-1])
    if space.free_inodes <= 0 and not (images and images.foreseen and space is images.space):
        summary = _("no inode left in {place}: not one file can be made", place=place)
        return Judgement("fail", summary, summary, evidence, remedies, severity="blocks")
    if space.free_inodes < need.INODES.warns_below:
        return Judgement("warn", _("{found}; 200,000 are advised", found=found), found, evidence, remedies)
    return Judgement("pass", found, found, evidence, certainty=_certainty(disk.root))


def _has_fewer(one: Space, other: Space) -> bool:
    """Whether files run out in one place, and before they do in the other."""
    runs_out = one.inodes > 0 and one.free_inodes < need.INODES.warns_below
    return runs_out and (other.inodes == 0 or one.free_inodes < other.free_inodes)


def judge_mounts(held: storage.RootMount) -> Judgement:
    """The options of the mount that holds the data root."""
    root, mount = held.root, held.mount
    if mount is None:
        return _not_a_directory(root)
    place = _place(root)
    options = ",".join(sorted(mount.options))
    evidence = (Evidence(f"findmnt -T {root.existing}", f"{mount.point} {mount.kind} {options}"),)
    found = _(
        "{point} ({kind}, {options}) holds {place}",
        point=mount.point,
        kind=mount.kind,
        options=options,
        place=place,
    )
    if "ro" in mount.options | mount.super_options:
        return Judgement(
            "fail",
            _("{point} is read-only; it holds {place}", point=mount.point, place=place),
            found,
            evidence,
            (
                _("See why: dmesg | grep -i remount. A disk with errors is made read-only; then: fsck."),
                _(
                    "Where it was meant so: mount -o remount,rw {word}, and rw instead of ro in /etc/fstab.",
                    word=_word(mount.point),
                ),
            ),
            severity="blocks",
            why=_("Docker cannot store images or mail there."),
        )
    if mount.kind in ("tmpfs", "ramfs"):
        return Judgement(
            "warn",
            _("{point} holds {place}, in memory: gone at the next boot", point=mount.point, place=place),
            found,
            evidence,
            (_('Put Docker\'s data on a disk: "data-root" in /etc/docker/daemon.json, or mount one there.'),),
            severity="breaks",
            why=_("Mail, database and images would be lost with every restart of the server."),
        )
    bad = [option for option in ("noexec", "nodev") if option in mount.options]
    if bad:
        names = _(" and ").join(bad)
        return Judgement(
            "warn",
            _(
                "{point} is mounted with {names}; it holds {place}",
                point=mount.point,
                names=names,
                place=place,
            ),
            found,
            evidence,
            (
                f"mount -o remount,exec,dev {_word(mount.point)}",
                _("In the line for {point} in /etc/fstab, take out {names}.", point=mount.point, names=names),
            ),
        )
    if mount.kind == "overlay":
        return _overlay(mount, place, found, evidence)
    summary = _("{point} holds {place}, nothing in the way", point=mount.point, place=place)
    return Judgement("pass", summary, found, evidence, certainty=_certainty(root))


def _overlay(mount: storage.Mount, place: str, found: str, evidence: tuple[Evidence, ...]) -> Judgement:
    """A system that is started from an image, or made read-only with overlayroot."""
    return Judgement(
        "warn",
        _("{point} holds {place}, and is an overlay itself", point=mount.point, place=place),
        found,
        evidence,
        (
            _('Put Docker\'s data on a disk: mount one there, or name it as "data-root" in daemon.json.'),
            _('Where overlayroot is on, switch it off: overlayroot="" in /etc/overlayroot.conf, and reboot.'),
        ),
        severity="breaks",
        why=_(
            "What is written to an overlay is often in memory and gone at the next start, and Docker cannot "
            "lay its own layers (overlay2) on one."
        ),
    )


def _word(path: str) -> str:
    """The path as a word for a shell."""
    return "'" + path.replace("'", "'\\''") + "'" if set(path) & set(" \t\n'\"\\$`*?&;|<>()[]{}#!~") else path


DISK = Check(
    id="system.disk",
    title=_("Disk space"),
    needed=_("20 GiB free for Docker's data, without mail (5 GiB at the very least)"),
    why=_(
        "When the disk is full, the database stops and mail is refused or lost. 5 GiB were the "
        "minimum in 2017, 20 GiB since 2020, without the mail itself."
    ),
    doc=need.DOC_RESOURCES,
    severity="degrades",
    source=data_places.disk,
    judge=judge_disk,
)
INODES = Check(
    id="system.inodes",
    title=_("Room for files"),
    needed=_("200,000 free inodes (each file takes one) for Docker's data"),
    why=_(
        "Every mail is a file of its own, and mailcow's images hold about 150,000. Without inodes "
        "no file can be made although there is space."
    ),
    doc=need.DOC_RESOURCES,
    severity="degrades",
    source=data_places.disk,
    judge=judge_inodes,
)
MOUNTS = Check(
    id="kernel.mounts",
    title=_("Mount options"),
    needed=_("a writable mount without noexec and nodev under Docker's data"),
    why=_(
        "With noexec or nodev, programs and devices from volumes, and from images on the vfs and "
        "btrfs storage drivers, do not work; only overlay2 is not concerned."
    ),
    doc=need.DOC_DOCKER_DATA,
    severity="degrades",
    source=data_places.root_mount,
    judge=judge_mounts,
)
