"""Judges of memory, swap, operating system and privileges; all checks of the step."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks import cpu, storage, tools, virtualization
from mailcow_wizard.checks.amounts import shown_down
from mailcow_wizard.facts import system
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

_SWAP_FILE = _(
    "Make a swap file: `fallocate -l 2G /swapfile && chmod 600 /swapfile && mkswap /swapfile && "
    "swapon /swapfile`; and the line `/swapfile none swap sw 0 0` in /etc/fstab. (On btrfs: `btrfs "
    "filesystem mkswapfile --size 2g /swapfile`.)"
)


def judge_memory(memory: system.Memory) -> Judgement:
    """Total memory against both figures, each with the allowance for what firmware takes."""
    gib = shown_down(memory.total / need.GIB, 2)
    found = _("{total:.2f} GiB", total=gib)
    evidence: tuple[Evidence, ...] = (
        Evidence("grep MemTotal /proc/meminfo", f"{memory.total // need.KIB} kB"),
    )
    if memory.limit:
        found = _("{total:.2f} GiB (this container's limit)", total=gib)
        evidence = (Evidence(f"cat {memory.limit}", str(memory.total)),)
    more = _("Give the machine more memory: 6 GiB for mailcow with all its parts.")
    if memory.total < need.MEMORY.fails_below:
        summary = _("{found} of memory; mailcow does not start below 1 GiB", found=found)
        return Judgement("fail", summary, found, evidence, (more,), severity="blocks")
    if memory.total < need.MEMORY.warns_below:
        summary = _("{found} of memory; mailcow needs 6 GiB for all its parts", found=found)
        remedies: tuple[str, ...] = (more,)
        if memory.total <= need.SKIP_CLAMD_KIB * need.KIB and "SKIP_CLAMD" not in memory.left_out:
            summary = _(
                "{found} of memory; mailcow will propose to leave out ClamAV (SKIP_CLAMD=y)", found=found
            )
            remedies += (_("Without the virus scanner: SKIP_CLAMD=y in mailcow.conf."),)
        if "SKIP_FTS" not in memory.left_out:
            remedies += (_("Without full-text search: SKIP_FTS=y in mailcow.conf."),)
        if memory.left_out:
            from mailcow_wizard.checks.troubles import word

            evidence += (Evidence(f"grep ^SKIP_ {word(memory.conf)}", f"{'=y '.join(memory.left_out)}=y"),)
            names = {"SKIP_CLAMD": _("the virus scanner"), "SKIP_FTS": _("the full-text search")}
            summary += _(
                "; left out: {left_out}", left_out=_(" and ").join(names[key] for key in memory.left_out)
            )
        return Judgement("warn", summary, found, evidence, remedies)
    return Judgement("pass", _("{found} of memory", found=found), found, evidence)


def judge_swap(areas: tuple[system.SwapArea, ...]) -> Judgement:
    """Swap on a disk. Compressed memory is no place to put memory away."""
    real = sum(area.size for area in areas if not area.compressed)
    zram = sum(area.size for area in areas if area.compressed)
    shown = ", ".join(f"{area.name} {area.size // need.KIB} kB" for area in areas)
    evidence = (Evidence("cat /proc/swaps", shown or _("no swap in use")),)
    besides = _("; {zram:.2f} GiB of zram do not count", zram=zram / need.GIB) if zram else ""
    found = (
        _("{real:.2f} GiB of swap{besides}", real=real / need.GIB, besides=besides)
        if real
        else _("no swap{besides}", besides=besides)
    )
    if real < need.SWAP.warns_below:
        advice = "" if not real else _("; 1 GiB is advised")
        return Judgement("warn", f"{found}{advice}", found, evidence, (_SWAP_FILE,))
    return Judgement("pass", found, found, evidence)


def judge_os(release: system.OsRelease) -> Judgement:
    """The systems that mailcow's documentation names; every other one is merely not tested."""
    evidence = (Evidence(f"grep -E '^(ID|VERSION_ID|PRETTY_NAME)=' {release.path}", release.name),)
    for one in need.OPERATING_SYSTEMS:
        if one.id == release.id and _within(release.version, one):
            if one.limited:
                return Judgement(
                    "warn",
                    _("{release}: mailcow's support for it is limited", release=release.name),
                    release.name,
                    evidence,
                    (_("Better: {supported}.", supported=_supported()),),
                    why=_(
                        "mailcow runs on it, but its own authors test it less, and BusyBox's "
                        "tools must be replaced by GNU's."
                    ),
                )
            return Judgement("pass", release.name, release.name, evidence)
    remedies = (_("For a system that mailcow is tested on: {supported}.", supported=_supported()),)
    return Judgement(
        "warn", _("{release}: not tested by mailcow", release=release.name), release.name, evidence, remedies
    )


def _within(version: tuple[int, ...], supported: need.Supported) -> bool:
    """Compares as many parts as the table names: 8.10 is AlmaLinux 8."""
    if not version or version < supported.first:
        return False
    return supported.last is None or version[: len(supported.last)] <= supported.last


def _supported() -> str:
    return ", ".join(one.name for one in need.OPERATING_SYSTEMS if not one.limited)


def judge_privileges(privileges: system.Privileges) -> Judgement:
    """Root of the whole machine sees all; everybody else is told what stays hidden."""
    user = privileges.user
    evidence = (Evidence("id -un; grep CapEff /proc/self/status", f"{user.name} {user.capabilities:016x}"),)
    if user.uid != 0:
        return Judgement(
            "warn",
            _("runs as {user}: programs behind ports, the firewall and Docker stay hidden", user=user.name),
            _("user {user} ({uid})", user=user.name, uid=user.uid),
            evidence,
            (_("Run the same command with sudo in front of it."),),
        )
    lacking = [
        name
        for name, bit in (("CAP_SYS_ADMIN", need.CAP_SYS_ADMIN), ("CAP_NET_ADMIN", need.CAP_NET_ADMIN))
        if not user.capabilities >> bit & 1
    ]
    if lacking or not privileges.whole_range:
        reason = (
            _("without {lacking}", lacking=_(" and ").join(lacking))
            if lacking
            else _("inside a user namespace")
        )
        return Judgement(
            "warn",
            _("root in name only: {reason}, much of the machine cannot be seen or changed", reason=reason),
            _("root {reason}", reason=reason),
            (
                *evidence,
                Evidence(
                    "cat /proc/self/uid_map", _("the whole range") if privileges.whole_range else _("a part")
                ),
            ),
            (_("Run the wizard as root of the machine itself, outside of containers."),),
        )
    return Judgement("pass", _("runs as root"), "root", evidence)


MEMORY = Check(
    id="system.memory",
    title=_("Memory"),
    needed=_("6 GiB (1 GiB at the very least)"),
    why=_(
        "ClamAV, SOGo and the full-text search alone take about 3 GiB; when memory runs out the "
        "kernel ends processes at random. 1 GiB was enough in 2017, 2 in 2019, 4 in mid-2020, 6 "
        "since the end of 2020."
    ),
    doc=need.DOC_RESOURCES,
    severity="degrades",
    source=system.memory_and_parts,
    judge=judge_memory,
)
SWAP = Check(
    id="system.swap",
    title=_("Swap"),
    needed=_("1 GiB on a disk (zram does not count)"),
    why=_(
        "A short peak, as when ClamAV loads new signatures, then ends in a slow minute instead of "
        "a killed database. Advised since 2017, 1 GiB since 2020."
    ),
    doc=need.DOC_RESOURCES,
    severity="degrades",
    source=system.swap,
    judge=judge_swap,
)
OS = Check(
    id="system.os",
    title=_("Operating system"),
    needed=_("Debian 11 to 13, Ubuntu 22.04 or newer, AlmaLinux 8 or 9, Rocky Linux 9"),
    why=_(
        "mailcow is tested on these. Others often work, but nobody promises it, and Docker's own "
        "packages may not exist for them."
    ),
    doc=need.DOC_OS,
    severity="advice",
    source=system.os_release,
    judge=judge_os,
)
PRIVILEGES = Check(
    id="system.privileges",
    title=_("Privileges"),
    needed=_("root, to see all and to install"),
    why=_(
        "Without root the wizard judges what it can read and calls the rest unknown. mailcow "
        "itself is installed by root."
    ),
    doc=need.DOC_INSTALL,
    severity="advice",
    source=system.privileges,
    judge=judge_privileges,
)

CHECKS: tuple[Check, ...] = (
    *cpu.CHECKS,
    MEMORY,
    SWAP,
    storage.DISK,
    storage.INODES,
    OS,
    *virtualization.CHECKS,
    tools.TOOLS,
    PRIVILEGES,
)
