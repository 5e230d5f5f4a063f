"""Where this machine's package tool fetches from, as far as the installation has to install packages."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import package_sources
from mailcow_wizard.facts.package_sources import REPOSITORIES, SETTINGS, switched_on
from mailcow_wizard.facts.presence import path_of_command
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.tools import tools
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network import proxy_variables
from mailcow_wizard.names import NotAName, host_name
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

_PROXIED = pattern(
    r"""^(?:[^\n/#]*\bproxy(?:-auto-detect)?\s+"|\s*proxy\s*=\s*(?!_none_)\S)""", re.IGNORECASE | re.MULTILINE
)
_ADDRESS = pattern(r"(https?)://(?:[^/@\s]*@)?([A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?(?=[/\s,;]|$)")
_ONE_LINE = pattern(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)")
_OF_REPOSITORY = pattern(r"(?:baseurl|mirrorlist|metalink)\s*=\s*(.*)")
_PORTS = {"http": 80, "https": 443}
_MOST = 6


class Mirror(NamedTuple):
    """A server that packages come from, and its port."""

    host: str
    port: int


def mirrors(facts: Facts) -> tuple[Mirror, ...]:
    """The first few servers of the package tool's own configuration; none where Docker and all tools are
    there already, where a proxy is named that fetches instead, or where that cannot be read."""
    try:
        known = facts.get(tools)
        lacks = any(not path for name, path in known.paths if name not in need.TOOLS_ADVISED)
        if (
            known.packager not in REPOSITORIES
            or not (lacks or _without_docker(facts))
            or _through_proxy(facts, known.packager)
        ):
            return ()
        read = package_sources.texts(facts.host, REPOSITORIES[known.packager])
    except HostError:
        return ()
    named = {"apt": of_apt, "dnf": of_dnf, "apk": of_apk}[known.packager]
    return tuple(dict.fromkeys(one for text in read for one in named(text)))[:_MOST]


def of_apt(text: str) -> tuple[Mirror, ...]:
    """Of a sources.list, or of a file of deb822 stanzas (sources.list(5))."""
    found: list[Mirror] = []
    for lines in switched_on("apt", text):
        uris = False
        for line in lines:
            old = _ONE_LINE.match(line)
            uris = line.lower().startswith("uris:") or (uris and line[:1] in " \t")
            found += _named(old[1] if old else line if uris else "")
    return tuple(found)


def of_dnf(text: str) -> tuple[Mirror, ...]:
    """Of a .repo file: its sections that are not switched off (dnf.conf(5))."""
    found: list[Mirror] = []
    for lines in switched_on("dnf", text):
        for line in lines:
            named = _OF_REPOSITORY.match(line.strip())
            found += _named(named[1] if named else "")
    return tuple(found)


def of_apk(text: str) -> tuple[Mirror, ...]:
    """Of /etc/apk/repositories, a line each."""
    return tuple(one for lines in switched_on("apk", text) for line in lines for one in _named(line))


def _named(text: str) -> list[Mirror]:
    found = []
    for scheme, host, port in _ADDRESS.findall(text):
        number = int(port or _PORTS[scheme])
        try:
            name = host_name(host)
        except NotAName:
            continue
        if 0 < number < 1 << 16:
            found.append(Mirror(name, number))
    return found


def _without_docker(facts: Facts) -> bool:
    return not path_of_command(facts.host, "docker")


def _through_proxy(facts: Facts, packager: str) -> bool:
    if any(proxy_variables.variables(facts.host).values()):
        return True
    return any(_PROXIED.search(text) for text in package_sources.texts(facts.host, SETTINGS[packager]))
