"""Installing packages: which ones come along, the commands, and how exactly those are removed again."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.fixes import NoPlan, packages_apk
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Command
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailcow_wizard.model import Edit, PlanStep

_PATIENCE_S = 60.0  # a package manager may fetch its lists before it answers
_INSTALL_S = 900.0
_LISTS = "/var/lib/apt/lists"
_STALE_S = 7 * 86_400.0
_UNATTENDED = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1")
KEEP = ("-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold")
_APK = ("add", "--no-cache", "--upgrade")  # without the last it leaves an old version that is there
_COMMANDS = {"apt": ("apt-get",), "dnf": ("dnf", "yum"), "apk": ("apk",), "zypper": ("zypper",)}


class Coming(NamedTuple):
    """What an installation brings.

    `command` is the package manager's; `wanted` what is asked for; `new` all packages that were not there
    before (None: its lists are missing, so nobody knows yet); `newer` those that are replaced by a newer
    version; `left` those of `new` whose settings were left behind by an earlier installation and stay;
    `refresh`: its lists are fetched first; `kept` those of `wanted` that somebody had asked for already;
    `repository`: a change that has a repository read first.
    """

    command: str
    wanted: tuple[str, ...]
    new: tuple[str, ...] | None
    newer: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    refresh: bool = False
    kept: tuple[str, ...] = ()
    repository: Edit | None = None


def command(host: Host, packager: str) -> str:
    """The command of a package manager; raises Missing."""
    names = _COMMANDS.get(packager, (packager,))
    for name in names:
        try:
            host.which(name)
        except Missing:
            continue
        return name
    raise Missing(_("the command {names} is not installed", names=names[0]))


def packages_of(packager: str, tools: tuple[str, ...]) -> tuple[str, ...]:
    """The packages that hold these tools, each once."""
    names = (need.PACKAGES.get(f"{packager} {one}") or need.PACKAGES.get(one, one) for one in tools)
    return tuple(dict.fromkeys(names))


def coming(host: Host, command: str, wanted: tuple[str, ...]) -> Coming:
    """Asks the package manager what would come, and changes nothing. Raises NoPlan, HostError."""
    ask = {"apt-get": _apt, "dnf": _dnf, "yum": _dnf, "apk": _apk, "zypper": _zypper, "pacman": _pacman}
    return ask[command](host, command, wanted)


def steps(coming: Coming) -> tuple[PlanStep, ...]:
    """The commands that install it, each with what takes it back."""
    made: list[PlanStep] = [coming.repository] if coming.repository else []
    if coming.refresh:
        made.append(Command(("apt-get", "update"), timeout=_INSTALL_S))
    install: dict[str, tuple[str, ...]] = {
        "apt-get": (*_UNATTENDED, "apt-get", "install", "-y", "--no-install-recommends", *KEEP),
        "dnf": ("dnf", "install", "-y", "--setopt=install_weak_deps=False"),
        "yum": ("yum", "install", "-y"),
        "apk": ("apk", *_APK),
        "zypper": ("zypper", "--non-interactive", "install", "--no-recommends"),
        "pacman": ("pacman", "-S", "--needed", "--noconfirm"),
    }
    made.append(Command((*install[coming.command], *coming.wanted), _removal(coming), _INSTALL_S))
    return tuple(made)


def _removal(coming: Coming) -> tuple[tuple[str, ...], ...]:
    """Removes what was new, and nothing that something else has come to need: these tools then refuse."""
    if coming.command == "apk":  # which knows what was asked for, and keeps what others need
        named = tuple(one for one in coming.wanted if one not in coming.kept)
        return (("apk", "del", *named),) if named else ()
    new = coming.wanted if coming.new is None else coming.new
    if not new:
        return ()
    if coming.command == "apt-get":
        whole = tuple(one for one in new if one not in coming.left)
        removal = [(*_UNATTENDED, "dpkg", "--remove", *coming.left)] if coming.left else []
        return (*removal, (*_UNATTENDED, "dpkg", "--purge", *whole)) if whole else tuple(removal)
    if coming.command == "pacman":
        return (("pacman", "-Rn", "--noconfirm", *new),)
    return (("rpm", "-e", *new),)


def consequence(coming: Coming) -> str:
    """What is different afterwards, in one or two sentences."""
    if coming.new is None:
        return ngettext(
            "{wanted} will be installed with what it needs. apt has no lists of packages yet, so "
            "what comes along is not known; taking it back removes the named one only.",
            "{wanted} will be installed with what they need. apt has no lists of packages yet, so "
            "what comes along is not known; taking it back removes the named ones only.",
            len(coming.wanted),
            wanted=", ".join(coming.wanted),
        )
    besides = [one for one in coming.new if one not in coming.wanted]
    words = _("New packages: {names}.", names=", ".join(coming.new) or _("none"))
    if besides and len(coming.new) > 12:
        words = _(
            "New packages: {wanted}, and {number} that they need.",
            wanted=", ".join(coming.wanted),
            number=len(besides),
        )
    if coming.repository:
        words = _(
            "{file} will name the repository community too. {words}", file=coming.repository.path, words=words
        )
    if coming.newer:
        words += _(" Brought to a newer version, and left there: {newer}.", newer=", ".join(coming.newer))
    return words


# --- what each package manager says -----------------------------------------------------------------------


def _ask(host: Host, *argv: str) -> tuple[int, str]:
    ran = host.run(argv, _PATIENCE_S)
    return ran.code, f"{ran.out}\n{ran.err}"


def _refuse(names: list[str]) -> None:
    """No package is removed to make room for another: somebody may use it."""
    if names:
        raise NoPlan(
            _(
                "Installing this would remove {names}: see what that is, and do it by hand.",
                names=", ".join(names),
            )
        )


def _failed(command: str, said: str) -> NoPlan:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = next((line for line in lines if re.match(r"E:|ERROR|error|Error", line)), "")
    return NoPlan(
        _(
            "{command} cannot install this: {reason}.",
            command=command,
            reason=(line or (lines or [_("it does not say why")])[-1])[:200],
        )
    )


def _apt(host: Host, command: str, wanted: tuple[str, ...]) -> Coming:
    try:
        lists = host.names(_LISTS)
    except Missing:
        lists = ()
    if not any("_Packages" in name for name in lists):
        return Coming(command, wanted, None, refresh=True)
    code, said = _ask(host, "apt-get", "-s", "install", "--no-install-recommends", *wanted)
    refresh = _stale(host)
    if code != 0:
        if refresh and "Unable to locate package" in said:
            return Coming(command, wanted, None, refresh=True)
        raise _failed(command, said)
    new, newer, removed = parse_apt(said)
    _refuse(removed)
    return Coming(command, wanted, tuple(new), tuple(newer), _left_behind(host, new), refresh)


def _stale(host: Host) -> bool:
    """Whether the lists were fetched long ago; their own dates are the server's, the directory's are not."""
    newest = 0.0
    for path in (f"{_LISTS}/partial", _LISTS, "/var/lib/apt/periodic/update-success-stamp"):
        try:
            newest = max(newest, host.info(path).mtime)
        except Missing:
            continue
    return host.now() - newest > _STALE_S


def parse_apt(said: str) -> tuple[list[str], list[str], list[str]]:
    """`apt-get -s`: new packages, those that get a newer version, those that are removed."""
    new, newer, removed = list[str](), list[str](), list[str]()
    for line in said.splitlines():
        found = re.match(r"(Inst|Remv|Purg) ([a-z0-9][a-z0-9+.:-]*)( \[)?", line)
        if found and found[1] == "Inst":
            (newer if found[3] else new).append(found[2])
        elif found:
            removed.append(found[2])
    return new, newer, removed


def _left_behind(host: Host, names: list[str]) -> tuple[str, ...]:
    """Packages that were removed once while their settings stayed."""
    return in_dpkg(host, names, "config-files")


def in_dpkg(host: Host, names: Sequence[str], state: str) -> tuple[str, ...]:
    """Which of these packages have this state in dpkg's list: `installed`, `config-files`…"""
    if not names:
        return ()
    said = host.run(("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names)).out
    rows = [line.split() for line in said.splitlines()]
    return tuple(name for name in names if [name.partition(":")[0], state] in rows)


def _dnf(host: Host, command: str, wanted: tuple[str, ...]) -> Coming:
    weak = ("--setopt=install_weak_deps=False",) if command == "dnf" else ()
    _unused, said = _ask(host, command, "install", "--assumeno", *weak, *wanted)
    parts = parse_dnf(said)
    if not any(parts.values()):
        raise _failed(command, said)
    _refuse(parts["removed"])
    return Coming(command, wanted, tuple(parts["new"]), tuple(parts["newer"]))


def parse_dnf(said: str) -> dict[str, list[str]]:
    """The table of dnf 4, dnf 5 and yum: headings at the margin, packages one space further in."""
    parts: dict[str, list[str]] = {"new": [], "newer": [], "removed": []}
    part = ""
    for line in said.splitlines():
        if re.match(r"[A-Z][A-Za-z -]+:\s*$", line):
            heading = line.lower()
            part = (
                "new"
                if heading.startswith("installing")
                else "newer"
                if heading.startswith(("upgrading", "updating", "downgrading", "reinstalling"))
                else "removed"
                if heading.startswith("removing")
                else ""
            )
        elif line.startswith("Transaction Summary"):
            part = ""
        elif part and (found := re.match(r" ([A-Za-z0-9][\w+.-]*)(\s|$)", line)):
            parts[part].append(found[1])
    return parts


def _apk(host: Host, command: str, wanted: tuple[str, ...]) -> Coming:
    ask = (command, *_APK, "--simulate")
    code, said = _ask(host, *ask, *wanted)
    beside = packages_apk.community(host, said) if code != 0 else None
    if beside:
        code, more = _ask(host, *ask, "--repository", beside.address, *wanted)
        said = more if code == 0 else said
    if code != 0:
        raise _failed(command, packages_apk.reason(said) or said)
    new = packages_apk.steps(said, "Installing")
    newer = packages_apk.steps(said, "Upgrading", "Replacing", "Downgrading")
    _refuse(list(packages_apk.steps(said, "Purging")))
    before = packages_apk.chosen(host)
    kept = tuple(one for one in wanted if one in before)
    return Coming(command, wanted, new, newer, kept=kept, repository=beside.edit if beside else None)


def _zypper(host: Host, command: str, wanted: tuple[str, ...]) -> Coming:
    ask = ("zypper", "--non-interactive", "--xmlout", "install", "--dry-run", "--no-recommends")
    code, said = _ask(host, *ask, *wanted)
    if code != 0 or "<install-summary" not in said:
        raise _failed(command, re.sub(r"<[^>]*>", " ", said).replace("&apos;", "'"))
    _refuse(_solvables(said, "to-remove"))
    newer = [*_solvables(said, "to-upgrade"), *_solvables(said, "to-downgrade")]
    return Coming(command, wanted, tuple(_solvables(said, "to-install")), tuple(newer))


def _solvables(xml: str, element: str) -> list[str]:
    """The packages that zypper names in one part of its summary."""
    names = []
    for part in re.findall(rf"<{element}>(.*?)</{element}>", xml, re.DOTALL):
        for attributes in re.findall(r"<solvable\b([^>]*)>", part):
            fields = dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
            if fields.get("type", "package") == "package" and fields.get("name"):
                names.append(fields["name"])
    return names


def _pacman(host: Host, command: str, wanted: tuple[str, ...]) -> Coming:
    code, said = _ask(host, "pacman", "-S", "--needed", "--print", "--print-format", "%n", *wanted)
    if code != 0:
        raise _failed(command, said)
    names = [line for line in said.split() if re.fullmatch(r"[a-z0-9@_+][a-z0-9@._+-]*", line)]
    try:
        there = set(host.run(("pacman", "-Qq")).out.split())
    except HostError:
        there = set()
    new = tuple(one for one in names if one not in there)
    return Coming(command, wanted, new, tuple(one for one in names if one in there))
