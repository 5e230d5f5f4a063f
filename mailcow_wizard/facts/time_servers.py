"""Which time servers this machine is told to ask: chrony, ntpd, OpenNTPD, systemd-timesyncd, BusyBox."""

import itertools
from collections.abc import Iterator

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError

MOST_CONFIGURED = 6
CHRONY = ("/etc/chrony/chrony.conf", "/etc/chrony.conf")
NTPD = {
    "ntpsec": ("/etc/ntpsec/ntp.conf", "/etc/ntp.conf"),
    "ntp": ("/etc/ntpsec/ntp.conf", "/etc/ntp.conf"),
    "ntpd": ("/etc/ntp.conf", "/etc/ntpsec/ntp.conf"),
    "openntpd": ("/etc/openntpd/ntpd.conf", "/etc/ntpd.conf"),
}
"""By service, the file that it reads first."""
_TIMESYNCD = "timesyncd.conf"
_SYSTEMD = ("/usr/lib/systemd", "/usr/local/lib/systemd", "/run/systemd", "/etc/systemd")
_NETWORKD = "/run/systemd/netif/state"
_BUSYBOX = ("/etc/conf.d/ntpd", "/etc/default/busybox-ntpd")
_DEEPEST_INCLUDE = 4


def configured_servers(facts: Facts) -> tuple[str, ...]:
    """The time servers in the machine's own configuration, whichever program reads it; at most six."""
    host = facts.host
    found: list[str] = []
    for path in CHRONY:
        found += _chrony(host, path, 0)
    for path in dict.fromkeys(itertools.chain(*NTPD.values())):
        found += _ntpd(host, path, 0)
    found += _timesyncd(host)
    found += [name for key, names in _settings(_text(host, _NETWORKD)) if key == "NTP" for name in names]
    for path in _BUSYBOX:
        found += _after_option(_text(host, path), "-p")
    return tuple(dict.fromkeys(name for name in found if _is_server(name)))[:MOST_CONFIGURED]


def _is_server(name: str) -> bool:
    """A host name or an address, and no reference clock (127.127.t.u) of ntpd's."""
    plain = name.isascii() and all(character.isalnum() or character in ".-_:%" for character in name)
    return plain and 0 < len(name) < 254 and name[0] not in "-." and not name.startswith("127.127.")


def _text(host: Host, path: str) -> str:
    """A configuration file's text; empty where there is none that can be read."""
    try:
        return host.text(path)
    except HostError:
        return ""


def _matching(host: Host, pattern: str) -> list[str]:
    """The files that a pattern with at most one `*`, in its last part, stands for."""
    directory, _, name = pattern.rpartition("/")
    before, star, after = name.partition("*")
    if not star:
        return [pattern]
    try:
        names = host.names(directory)
    except HostError:
        return []
    fit = [one for one in names if one.startswith(before) and one.endswith(after)]
    return [f"{directory}/{one}" for one in fit if len(one) >= len(before) + len(after)]


def _chrony(host: Host, path: str, depth: int) -> Iterator[str]:
    """server, pool and peer lines of chrony.conf, and of what it includes."""
    for line in _text(host, path).splitlines():
        words = line.split()
        if len(words) < 2 or words[0][0] in "#!;%":
            continue
        directive, arguments = words[0].lower(), words[1:]
        if directive in ("server", "pool", "peer"):
            yield arguments[0]
        elif depth < _DEEPEST_INCLUDE:
            patterns = {
                "include": arguments[:1],
                "confdir": [f"{one}/*.conf" for one in arguments],
                "sourcedir": [f"{one}/*.sources" for one in arguments],
            }.get(directive, [])
            for pattern in patterns:
                for included in _matching(host, pattern):
                    yield from _chrony(host, included, depth + 1)


def _ntpd(host: Host, path: str, depth: int) -> Iterator[str]:
    """server, servers, pool and peer lines of ntp.conf and OpenNTPD's ntpd.conf, and of what they include."""
    for line in _text(host, path).splitlines():
        words = [word for word in line.partition("#")[0].split() if word not in ("-4", "-6")]
        if len(words) < 2:
            continue
        if words[0] in ("server", "servers", "pool", "peer"):
            yield words[1]
        elif words[0] == "includefile" and depth < _DEEPEST_INCLUDE:
            name = words[1].strip('"')
            included = name if name.startswith("/") else f"{path.rpartition('/')[0]}/{name}"
            yield from _ntpd(host, included, depth + 1)


def _timesyncd(host: Host) -> list[str]:
    """NTP= of timesyncd.conf and its drop-ins, or where that is empty FallbackNTP=."""
    drop_ins: dict[str, str] = {}
    for place in _SYSTEMD:
        for path in _matching(host, f"{place}/{_TIMESYNCD}.d/*.conf"):
            drop_ins[path.rpartition("/")[2]] = path
    main = [path for path in (f"{place}/{_TIMESYNCD}" for place in reversed(_SYSTEMD)) if _text(host, path)]
    servers: dict[str, list[str]] = {"NTP": [], "FallbackNTP": []}
    for path in [*main[:1], *(drop_ins[name] for name in sorted(drop_ins))]:
        for key, names in _settings(_text(host, path)):
            if key in servers:
                servers[key] = servers[key] + names if names else []
    return servers["NTP"] or servers["FallbackNTP"]


def _settings(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and key[:1] not in "#;":
            yield key.strip(), value.split()


def _after_option(text: str, option: str) -> list[str]:
    """What follows each `option` in a shell file's assignments such as NTPD_OPTS="-N -p pool.ntp.org"."""
    found: list[str] = []
    last = ""
    for line in text.splitlines():
        for word in line.split() if line[:1] != "#" else ():
            if last == option:
                found.append(word.strip("\"'"))
            last = word.rpartition("=")[2].lstrip("\"'")
    return found
