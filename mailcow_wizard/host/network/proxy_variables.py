"""The variables that tell commands which proxy leads further than this machine gets itself."""

from __future__ import annotations

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.patterns import pattern

FILE = "/etc/environment"
NAMES = ("https_proxy", "http_proxy", "no_proxy")
"""Their names, which are also written in capitals."""
_ASSIGNED = pattern(
    r"""\s*(?:export\s+)?([A-Za-z_]{1,40})=("[^"]{0,1000}"|'[^']{0,1000}'|[^\s"']{0,1000})\s*(?:#.*)?"""
)
_MOST_OF_FILE = 1 << 18


def variables(host: Host) -> dict[str, str]:
    """What commands that download are told, by names in small letters: from the environment of who started
    the wizard, else from /etc/environment."""
    found = {name: host.variable(name) or host.variable(name.upper()) for name in NAMES}
    # http_proxy in capitals may be what a client of a web server has sent (CVE-2016-5385).
    found["http_proxy"] = host.variable("http_proxy")
    if not any(found.values()):
        try:
            found = named(host.text(FILE, _MOST_OF_FILE))
        except HostError:
            return {}
    return {name: value for name, value in found.items() if value and value.isprintable()}


def named(text: str) -> dict[str, str]:
    """The proxies that /etc/environment names."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _ASSIGNED.fullmatch(line)
        if match and match[1].lower() in NAMES:
            value = match[2]
            found[match[1].lower()] = value[1:-1] if value[:1] in "\"'" and value else value
    return found
