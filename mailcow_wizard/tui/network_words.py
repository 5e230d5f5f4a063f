"""What gets out, as rows: each way that packets take, and where it ends. No widgets, and no judgement."""

from collections.abc import Iterable, Sequence

from mailcow_wizard.language import _
from mailcow_wizard.model import Finding, Stops
from mailcow_wizard.tui.board import Row
from mailcow_wizard.typed import NamedTuple

MAIL, NAMES, HOSTS, HERE = _("Mail"), _("Name servers and pings"), _("Hosts"), _("This machine")
_GROUPS = {
    "network.outbound-25": MAIL,
    "network.recursion": NAMES,
    "network.icmp": NAMES,
    "network.outbound-hosts": HOSTS,
}
_TITLES = {
    "network.outbound-25": _("port 25"),
    "network.recursion": _("name servers, port 53"),
    "network.icmp": "ping",
}
_FAMILIES = {"v4": "IPv4", "v6": "IPv6"}
_NOT_WELL = ("crashed", "fail", "warn", "unknown", "running", "noted")
# What is no way of packets, but a state of this machine.
_NO_WAY = ("network.addresses", "network.accept-ra", "network.subnet")
_PLACES = ("here", "way", "there")
_MOST_WORDS = {
    "here": _("on this machine"),
    "way": _("on the way"),
    "there": _("at the far side"),
    "names": _("no name"),
}


class Way(NamedTuple):
    """One way out: its name, how it is marked, where it ends, what is said of it, and what mends it where it
    is not well. `no_way`: it is a state of this machine, which has no line."""

    name: str
    status: str
    stops: Stops = ""
    summary: str = ""
    remedy: str = ""
    no_way: bool = False


def groups(rows: Iterable[Row]) -> list[tuple[str, list[Way]]]:
    """All ways by group. Hosts that answer are counted by port; those that do not come first."""
    found: dict[str, list[Way]] = {MAIL: [], NAMES: [], HOSTS: [], HERE: []}
    well: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        group = _GROUPS.get(row.check.id, HERE)
        if group == HOSTS and row.finding and row.status not in _NOT_WELL:
            host, _unused, port = (row.finding.subject or "").partition(":")
            well.setdefault((row.status, port), []).append(host)
            continue
        found[group].append(_way(row))
    found[HOSTS].sort(key=lambda one: _NOT_WELL.index(one.status))
    found[HOSTS] += [_counted(status, port, hosts) for (status, port), hosts in sorted(well.items())]
    return [(name, some) for name, some in found.items() if some]


def _way(row: Row) -> Way:
    finding = row.finding
    if finding is None:
        return Way(_title(row.check.id, row.check.title, ""), row.status)
    name = _title(finding.id, finding.title, finding.subject or "")
    remedy = finding.remedies[0] if finding.remedies and row.status in _NOT_WELL else ""
    if finding.id == "network.outbound-hosts" and row.status == "unknown":
        return Way(name, row.status, "there")  # the line says it all: it leaves, and nobody answers
    return Way(name, row.status, finding.stops, finding.summary, remedy, finding.id in _NO_WAY)


def _title(check: str, title: str, subject: str) -> str:
    if check == "network.outbound-hosts" and subject:
        return subject.replace(":", " ", 1)
    family = _FAMILIES.get(subject, "")
    return f"{_TITLES.get(check, title)}{f', {family}' if family else ''}"


def _counted(status: str, port: str, hosts: list[str]) -> Way:
    if status == "skipped":
        name = (
            f"{hosts[0]} {port}"
            if len(hosts) == 1
            else _("{number} hosts {port}", number=len(hosts), port=port)
        )
        return Way(name, status, "", _("not needed here"))
    return Way(
        f"{hosts[0]} {port}" if len(hosts) == 1 else _("{number} hosts {port}", number=len(hosts), port=port),
        status,
    )


def drawn(one: Way, width: int, line: str, marks: tuple[str, str, str]) -> str:
    """The way as a line from here over the way to there; `marks` are its start, its end, and where it stops.

    A way that is not well and that nobody knows the end of has no line.
    """
    start, arrow, stop = marks
    if one.no_way:
        return ""
    if one.status == "pass":
        return start + line * (width - 2) + arrow
    if one.stops not in _PLACES:
        return ""
    ends = {"here": width // 6, "way": width // 2, "there": width - 1}[one.stops]
    return start + line * (ends - 1) + stop


def ends(one: Way) -> str:
    """Where it ends, in words; for those who do not see the line."""
    return _MOST_WORDS.get(one.stops, "")


def counted(findings: Sequence[Finding]) -> str:
    """What is to be said first: how many ways end somewhere."""
    ways = [one for one in findings if one.id not in _NO_WAY and one.status != "skipped"]
    bad = sum(one.status in ("fail", "warn", "crashed") and bool(one.stops) for one in ways)
    unknown = sum(one.status == "unknown" for one in ways)
    if not ways:
        return _("nothing was tried")
    said = (
        _("{bad} of {number} ways end too early", bad=bad, number=len(ways))
        if bad
        else _("no way ends too early")
    )
    parts = [said]
    return ", ".join([*parts, *([_("{unknown} cannot be told", unknown=unknown)] if unknown else [])])
