"""What time servers answered: which packets count, which servers agree, how far off this clock is."""

from collections.abc import Iterable

from mailcow_wizard.facts.time_web import WebClock
from mailcow_wizard.host.replies import TimeAnswer
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

NAMELESS = "name does not resolve"
"""What the door's reason begins with where a server's name has no address."""

_LENGTH = 48
_NTP_TO_UNIX_S = 2_208_988_800
_ERA_S = 1 << 32
# NTP's seconds wrap in 2036. No server is right about a time before 2020, so smaller values are after 2036.
_FIRST_SECOND = 1_577_836_800 + _NTP_TO_UNIX_S
_WORST_ROOT_DISTANCE_S = 3.0
_ERROR_FLOOR_S, _ERROR_CEILING_S = 0.05, 0.5
_WIDER_FLOOR_S = 0.25
_STAMPS_APART_S = 0.01  # stamps are taken at different places, and clocks are slewed
_SERVER_MODE = 4
_KISSES = {
    "RATE": _("kiss-of-death RATE: it is asked too often"),
    "DENY": _("kiss-of-death DENY: it refuses this machine"),
    "RSTR": _("kiss-of-death RSTR: it refuses this machine"),
    "INIT": _("not synchronised itself (kiss-of-death INIT: it has just started)"),
    "STEP": _("not synchronised itself (kiss-of-death STEP: its clock was just set)"),
}


class Server(NamedTuple):
    """A time server's word about this machine's clock, or why it does not count.

    `ahead` is by how many seconds this clock is ahead of the server; `error` is how far off that may be,
    for finding who agrees; `doubt` the same without a floor and a ceiling.
    `answered`: a packet came, whether it counts or not.
    """

    name: str
    address: str
    ahead: float
    error: float
    stratum: int
    rejected: str
    answered: bool = True
    identity: bytes = b""
    doubt: float = 0.0


class ClockOffset(NamedTuple):
    """All servers asked, those of the largest group that agrees, and whether there is no such group.

    `ahead` is the median of the group: positive where this clock is ahead. `web`: what web servers say of
    the time, where no time server's word counts. `nameless`: this machine's own resolver does not find the
    servers.
    """

    servers: tuple[Server, ...]
    agreeing: tuple[Server, ...]
    tied: bool
    ahead: float
    web: tuple[WebClock, ...] = ()
    nameless: bool = False


def compare(answers: Iterable[TimeAnswer]) -> ClockOffset:
    """Reads the answers and finds the group that agrees."""
    servers = tuple(map(read_answer, answers))
    agreeing, tied = largest_group(voters(servers))
    return ClockOffset(servers, agreeing, tied, median([server.ahead for server in agreeing]))


def read_answer(answer: TimeAnswer) -> Server:
    """One server's word. What a packet must be to count: RFC 5905, section 8 and appendix A.5.2."""
    reason = answer.error or why_rejected(answer)
    if reason:
        return Server(answer.server, answer.address, 0.0, 0.0, 0, reason, not answer.error)
    ahead, delay = ahead_and_delay(answer)
    doubt = delay / 2 + root_distance(answer.packet)
    error = min(max(doubt, _ERROR_FLOOR_S), _ERROR_CEILING_S)
    packet = answer.packet
    identity = packet[1:2] + packet[12:24]  # stratum, reference id and time: the same daemon by IPv4 and IPv6
    return Server(answer.server, answer.address, ahead, error, packet[1], "", True, identity, doubt)


def why_rejected(answer: TimeAnswer) -> str:
    """Why a packet does not count; empty if it does."""
    packet = answer.packet
    if len(packet) < _LENGTH:
        return _("truncated: {number} bytes instead of {length}", number=len(packet), length=_LENGTH)
    leap, mode, stratum = packet[0] >> 6, packet[0] & 7, packet[1]
    if packet[24:32] != answer.nonce:
        return _("wrong origin timestamp: it does not answer our question, perhaps it is forged")
    if mode != _SERVER_MODE:
        return _(
            "not a server's answer (mode {mode} instead of {server_mode})",
            mode=mode,
            server_mode=_SERVER_MODE,
        )
    if stratum == 0:
        code = packet[12:16].rstrip(b"\0").decode("ascii", "replace")
        if code.isalnum():
            return _KISSES.get(code, f"kiss-of-death {code}")
        if leap == 3:
            return _("not synchronised itself (it says so: leap bits 3)")
        return _("not synchronised itself (stratum 0)")
    if leap == 3:
        return _("not synchronised itself (it says so: leap bits 3)")
    if stratum >= 16:
        return _(
            "not synchronised itself (stratum {stratum}; 15 is the farthest from a reference clock)",
            stratum=stratum,
        )
    if not any(packet[40:48]) or not any(packet[32:40]):
        return _("transmit timestamp is zero") if any(packet[32:40]) else _("receive timestamp is zero")
    distance = root_distance(packet)
    if distance > _WORST_ROOT_DISTANCE_S:
        return _("too far from a reference clock (root distance {distance:.1f} s)", distance=distance)
    delay, took = ahead_and_delay(answer)[1], (answer.received - answer.sent) / 1e9
    if delay < -_STAMPS_APART_S:
        return _("impossible times: it claims to have worked longer than the whole exchange took")
    if delay > took + _STAMPS_APART_S:
        return _("impossible times: it claims to have answered before our question came")
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


def join_groups(clock: ClockOffset) -> ClockOffset:
    """The same after a tie, with more room for error: servers that far apart agree for most purposes."""
    wider = [one._replace(error=max(one.error, _WIDER_FLOOR_S)) for one in voters(clock.servers)]
    agreeing, tied = largest_group(wider)
    return clock._replace(agreeing=agreeing, tied=tied, ahead=median(one.ahead for one in agreeing))


def largest_group(servers: Iterable[Server]) -> tuple[tuple[Server, ...], bool]:
    """The largest group of servers that agree, and whether another one is as large: then nobody can say
    who is right, and the group is empty."""
    found = groups(servers)
    tied = len(found) > 1 and len(found[0]) == len(found[1])
    return (found[0] if found and not tied else ()), tied


def groups(servers: Iterable[Server]) -> tuple[tuple[Server, ...], ...]:
    """Who agrees, the largest group first. Neighbours agree when their possible offsets overlap."""
    found: list[list[Server]] = []
    reach = 0.0
    for server in sorted(servers, key=lambda one: one.ahead - one.error):
        if found and server.ahead - server.error <= reach:
            found[-1].append(server)
            reach = max(reach, server.ahead + server.error)
        else:
            found.append([server])
            reach = server.ahead + server.error
    return tuple(map(tuple, sorted(found, key=len, reverse=True)))


def median(values: Iterable[float]) -> float:
    """The middle value; 0 where there is none."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return 0.0
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
