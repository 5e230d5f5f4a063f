"""Where package tools fetch from: their files, and the repositories in them that are switched on."""

from __future__ import annotations

import re

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple


class Places(NamedTuple):
    """Files, and directories with the endings of the files that are read there."""

    files: tuple[str, ...] = ()
    directories: tuple[tuple[str, tuple[str, ...]], ...] = ()


REPOSITORIES = {
    "apt": Places(("/etc/apt/sources.list",), (("/etc/apt/sources.list.d", (".list", ".sources")),)),
    "dnf": Places((), (("/etc/yum.repos.d", (".repo",)),)),
    "apk": Places(("/etc/apk/repositories",)),
}
SETTINGS = {
    "apt": Places(("/etc/apt/apt.conf",), (("/etc/apt/apt.conf.d", ("",)),)),
    "dnf": Places(("/etc/dnf/dnf.conf",), (("/etc/yum.repos.d", (".repo",)),)),
    "apk": Places(),
}
# What is between two repositories in a file: sources.list(5), dnf.conf(5); apk has a line each.
_BETWEEN = {
    "apt": pattern(r"\n[ \t]*\n"),
    "dnf": pattern(r"^[ \t]*\[", re.MULTILINE),
    "apk": pattern(r"\n"),
}
_OFF = pattern(r"^\s*enabled\s*[:=]\s*(?:no|false|off|0)\s*$", re.IGNORECASE | re.MULTILINE)


def texts(host: Host, places: Places, all: bool = True) -> list[str]:
    """The files that are there; of a directory those with these endings, in their order. What cannot be read
    raises HostError, or is passed over where not `all` are needed."""
    passed = Missing if all else HostError
    paths = list(places.files)
    for directory, endings in places.directories:
        try:
            names = host.names(directory)
        except passed:
            continue
        paths += [f"{directory}/{name}" for name in sorted(names) if name.endswith(endings)]
    found = []
    for path in paths:
        try:
            found.append(host.text(path))
        except passed:
            continue
    return found


def switched_on(packager: str, text: str) -> list[list[str]]:
    """Of a file the lines of each repository that is switched on, without comments."""
    return [
        [line for line in part.splitlines() if not line.lstrip().startswith("#")]
        for part in _BETWEEN[packager].split(text)
        if not _OFF.search(part)
    ]
