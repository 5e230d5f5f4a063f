"""What keeps modules from being loaded: `install` lines of modprobe's settings, and the kernel's own lock."""

from __future__ import annotations

from collections.abc import Iterator

from mailcow_wizard.facts.drop_ins import drop_ins
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.patterns import pattern

LOCK = "/proc/sys/kernel/modules_disabled"
# modprobe.d(5): of two files with one name the first place counts; files are read in the order of names.
_PLACES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
# Hardening guides have a command that does nothing in the place of loading.
_NOTHING = pattern(r"(?:(?:/usr)?/bin/)?(?:true|false)\b|:(?:\s|$)|exit\b")


def locked(host: Host) -> bool:
    """Whether the kernel loads no module any more until it starts anew (kernel.modules_disabled)."""
    try:
        return host.text(LOCK, 64).strip() == "1"
    except HostError:
        return False


def installs(host: Host) -> tuple[tuple[str, str, str], ...]:
    """The `install` lines: what is named, with * for any letters, the command that runs instead of loading,
    and the file; the first that fits counts."""
    files = drop_ins(host, _PLACES, "modprobe.d", passed_over=HostError)
    return tuple(found for path in files.values() for found in _of_file(host, path))


def _of_file(host: Host, path: str) -> Iterator[tuple[str, str, str]]:
    try:
        text = host.text(path)
    except HostError:
        return
    for name, command in parse_installs(text):
        yield name, command, path


def parse_installs(text: str) -> list[tuple[str, str]]:
    """`install NAME COMMAND` lines of a file in modprobe.d(5)'s form; a backslash joins two lines."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split(None, 2)
        if len(words) == 3 and words[0] == "install":
            found.append((words[1].replace("-", "_"), words[2]))
    return found


def forbids(name: str, lines: tuple[tuple[str, str, str], ...]) -> str:
    """The file whose line has nothing run in place of loading this module; empty: it can be loaded."""
    from fnmatch import fnmatchcase

    for named, command, path in lines:
        if fnmatchcase(name, named):
            return path if _NOTHING.match(command) else ""
    return ""
