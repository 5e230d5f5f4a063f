"""The clock: how far off it is by several time servers, what keeps it right, its timezone, the hardware clock."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host, HostError, Missing, TimeAnswer

MOST_CONFIGURED = 6
ASK_TIMEOUT_S = 3.0
COMMAND_TIMEOUT_S = 2.5
ZONEINFO = "/usr/share/zoneinfo"

# --- what time servers say ------------------------------------------------------------------------------

_LENGTH = 48
_NTP_TO_UNIX_S = 2_208_988_800
_ERA_S = 1 << 32
# NTP's seconds wrap in 2036. No server is right about a time before 2020, so smaller values are after 2036.
_FIRST_SECOND = 1_577_836_800 + _NTP_TO_UNIX_S
_WORST_ROOT_DISTANCE_S = 3.0
_ERROR_FLOOR_S, _ERROR_CEILING_S = 0.05, 0.5
_SERVER_MODE = 4
_NOT_SYNCHRONISED = "not synchronised itself"
_KISSES = {
    "RATE": "kiss-of-death RATE: it is asked too often",
    "DENY": "kiss-of-death DENY: it refuses this machine",
    "RSTR": "kiss-of-death RSTR: it refuses this machine",
    "INIT": f"{_NOT_SYNCHRONISED} (kiss-of-death INIT: it has just started)",
    "STEP": f"{_NOT_SYNCHRONISED} (kiss-of-death STEP: its clock was just set)",
}


class Server(NamedTuple):
    """A time server's word about this machine's clock, or why it does not count.

    `ahead` is by how many seconds this clock is ahead of the server; `error` is how far off that may be.
    """

    name: str
    address: str
    ahead: float
    error: float
    stratum: int
    rejected: str
    identity: bytes = b""


class ClockOffset(NamedTuple):
    """All servers asked, those of the largest group that agrees, and whether there is no such group.

    `ahead` is the median of the group: positive where this clock is ahead.
    """

    servers: tuple[Server, ...]
    agreeing: tuple[Server, ...]
    tied: bool
    ahead: float


def offset(facts: Facts) -> ClockOffset:
    """Asks the machine's own time servers and the pool's at once, or only those of the settings."""
    names = facts.settings.ntp or (*facts.get(configured_servers), *need.NTP_POOL)
    timeout = min(ASK_TIMEOUT_S, 0.8 * (facts.settings.timeout or ASK_TIMEOUT_S * 2))
    return compare(facts.host.ask_time(tuple(dict.fromkeys(names)), timeout))


def compare(answers: Iterable[TimeAnswer]) -> ClockOffset:
    """Reads the answers and finds the group that agrees."""
    servers = tuple(map(read_answer, answers))
    agreeing, tied = largest_group(voters(servers))
    return ClockOffset(servers, agreeing, tied, median([server.ahead for server in agreeing]))


def read_answer(answer: TimeAnswer) -> Server:
    """One server's word. What a packet must be to count: RFC 5905, section 8 and appendix A.5.2."""
    reason = answer.error or why_rejected(answer)
    if reason:
        return Server(answer.server, answer.address, 0.0, 0.0, 0, reason)
    ahead, delay = ahead_and_delay(answer)
    error = min(max(delay / 2 + root_distance(answer.packet), _ERROR_FLOOR_S), _ERROR_CEILING_S)
    packet = answer.packet
    identity = packet[1:2] + packet[12:24]  # stratum, reference id and time: the same daemon by IPv4 and IPv6
    return Server(answer.server, answer.address, ahead, error, packet[1], "", identity)


def why_rejected(answer: TimeAnswer) -> str:
    """Why a packet does not count; empty if it does."""
    packet = answer.packet
    if len(packet) < _LENGTH:
        return f"truncated: {len(packet)} bytes instead of {_LENGTH}"
    leap, mode, stratum = packet[0] >> 6, packet[0] & 7, packet[1]
    if packet[24:32] != answer.nonce:
        return "wrong origin timestamp: it does not answer our question, perhaps it is forged"
    if mode != _SERVER_MODE:
        return f"not a server's answer (mode {mode} instead of {_SERVER_MODE})"
    if stratum == 0:
        code = packet[12:16].rstrip(b"\0").decode("ascii", "replace")
        if code.isalnum():
            return _KISSES.get(code, f"kiss-of-death {code}")
        return _NOT_SYNCHRONISED + (" (leap bits 3)" if leap == 3 else " (stratum 0)")
    if leap == 3:
        return f"{_NOT_SYNCHRONISED} (leap bits 3)"
    if stratum >= 16:
        return f"{_NOT_SYNCHRONISED} (stratum {stratum}; 15 is the farthest from a reference clock)"
    if not any(packet[40:48]) or not any(packet[32:40]):
        return "transmit timestamp is zero" if any(packet[32:40]) else "receive timestamp is zero"
    distance = root_distance(packet)
    if distance > _WORST_ROOT_DISTANCE_S:
        return f"too far from a reference clock (root distance {distance:.1f} s)"
    if ahead_and_delay(answer)[1] < -0.01:
        return "impossible times: it claims to have worked longer than the whole exchange took"
    return ""


def ahead_and_delay(answer: TimeAnswer) -> tuple[float, float]:
    """By how much this clock is ahead of the server, and the time on the way, in seconds."""
    came, left = nanoseconds(answer.packet[32:40]), nanoseconds(answer.packet[40:48])
    behind = ((came - answer.sent) + (left - answer.received)) / 2
    delay = (answer.received - answer.sent) - (left - came)
    return -behind / 1e9, delay / 1e9


def nanoseconds(timestamp: bytes) -> int:
    """An NTP timestamp as nanoseconds since 1970, in the era that is possible."""
    seconds = int.from_bytes(timestamp[:4], "big")
    if seconds < _FIRST_SECOND:
        seconds += _ERA_S
    fraction = int.from_bytes(timestamp[4:8], "big")
    return (seconds - _NTP_TO_UNIX_S) * 1_000_000_000 + (fraction * 1_000_000_000 >> 32)


def root_distance(packet: bytes) -> float:
    """How far off the server itself may be: half the delay to its reference clock, and the dispersion."""
    delay, dispersion = int.from_bytes(packet[4:8], "big"), int.from_bytes(packet[8:12], "big")
    return (delay / 2 + dispersion) / (1 << 16)


def voters(servers: Iterable[Server]) -> tuple[Server, ...]:
    """The servers that count, each daemon once: one name's IPv4 and IPv6 are often the same machine."""
    seen: dict[tuple[str, bytes], Server] = {}
    for server in servers:
        if not server.rejected:
            seen.setdefault((server.name, server.identity), server)
    return tuple(seen.values())


def largest_group(servers: Sequence[Server]) -> tuple[tuple[Server, ...], bool]:
    """The largest set of servers whose possible offsets have a point in common (Marzullo's algorithm), and
    whether another set of the same size has nothing in common with it: then nobody can say who is right."""
    groups: list[tuple[Server, ...]] = []
    for point in sorted(server.ahead - server.error for server in servers):
        groups.append(tuple(one for one in servers if abs(one.ahead - point) <= one.error + 1e-9))
    if not groups:
        return (), False
    best = max(groups, key=len)
    tied = any(len(group) == len(best) and not set(group) & set(best) for group in groups)
    return (() if tied else best), tied


def median(values: Iterable[float]) -> float:
    """The middle value; 0 where there is none."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return 0.0
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


# --- which servers this machine is told to ask ------------------------------------------------------------

_CHRONY = ("/etc/chrony/chrony.conf", "/etc/chrony.conf")
_NTPD = ("/etc/ntpsec/ntp.conf", "/etc/ntp.conf", "/etc/openntpd/ntpd.conf", "/etc/ntpd.conf")
_TIMESYNCD = "timesyncd.conf"
_SYSTEMD = ("/usr/lib/systemd", "/usr/local/lib/systemd", "/run/systemd", "/etc/systemd")
_NETWORKD = "/run/systemd/netif/state"
_BUSYBOX = ("/etc/conf.d/ntpd", "/etc/default/busybox-ntpd")
_DEEPEST_INCLUDE = 4


def configured_servers(facts: Facts) -> tuple[str, ...]:
    """The time servers in the machine's own configuration, whichever program reads it; at most six."""
    host = facts.host
    found: list[str] = []
    for path in _CHRONY:
        found += _chrony(host, path, 0)
    for path in _NTPD:
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
    words = [word for line in text.splitlines() if line[:1] != "#" for word in line.split()]
    words = [word.strip("\"'") for word in words]
    return [after for word, after in zip(words, words[1:]) if word.rpartition('"')[2] == option]
