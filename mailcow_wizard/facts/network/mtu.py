"""The largest packet that gets out of here and back, found by sending packets that may not be cut."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.conf.compose_override import Strange, option
from mailcow_wizard.facts.compose_files import override_path, override_text
from mailcow_wizard.facts.docker import networks
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.names import own_address
from mailcow_wizard.facts.network.subnet import network_name
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.replies import Probe, Probed
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

_ROUND_S = 1.2
_SMALL = 1000  # less than any link that carries Internet traffic refuses
_STEP = 10
_TARGETS = {4: need.HEALTHCHECK_PINGS, 6: need.IPV6_PINGS}
OPTION = ("networks", need.MAILCOW_NETWORK, "driver_opts", need.MTU_OPTION)
"""Where the size stands in it."""


class PathMtu(NamedTuple):
    """The largest packet of one family in bytes, 0 where it could not be found out and `trouble` says why.

    `told` that somebody reports what is too large (ICMP), so that connections adapt; `by` who does; `here`
    that it is this machine's own interface that is smaller.
    """

    family: int
    mtu: int = 0
    told: bool = False
    by: str = ""
    here: bool = False
    trouble: str = ""


class Mtu(NamedTuple):
    """Both families, and what is set for mailcow's network: `set` in `override`, 0 where nothing is; `made`
    is what the network has that is there already, 0 where none is, None where Docker does not tell; `uses_v6`
    whether mailcow may send over IPv6."""

    paths: tuple[PathMtu, ...]
    override: str
    set: int
    made: int | None = 0
    uses_v6: bool = True

    @property
    def smallest(self) -> int:
        """The smaller of what was found; 0 where nothing was."""
        return min((one.mtu for one in self.paths if one.mtu), default=0)


def mtu(facts: Facts) -> Mtu:
    """Both families that this machine has. Raises HostError where there is none."""
    mine = [one for one in (4, 6) if facts.get(own_address, one)]
    if not mine:
        raise HostError(_("this machine has no way out"))
    path, value = override(facts)
    return Mtu(_paths(facts, mine), path, value, _made(facts), _uses_v6(facts))


def _uses_v6(facts: Facts) -> bool:
    try:
        return facts.get(mailcow_conf).ipv6 != "false"
    except HostError:
        return True


def _paths(facts: Facts, families: list[int]) -> tuple[PathMtu, ...]:
    """Three rounds at most, for both families together: the usual size, then steps, then single bytes."""
    first = _sent(facts, dict.fromkeys(families, (need.MTU, _SMALL)))
    known = {family: _judged(family, first[family]) for family in families}
    open_ones = [one for one in families if known[one].mtu == 0 and not known[one].trouble]
    bounds = dict.fromkeys(open_ones, (_SMALL, need.MTU))
    for sizes in (_coarse, _fine):
        if not open_ones:
            break
        asked = {one: sizes(*bounds[one], _named(first[one])) for one in open_ones}
        heard = _sent(facts, {one: row for one, row in asked.items() if row})
        for one, results in heard.items():
            for size, rows in results.items():
                first[one].setdefault(size, []).extend(rows)
            bounds[one] = _bounds(first[one])
        open_ones = [one for one in open_ones if bounds[one][1] - bounds[one][0] > 1]
    for one, (low, _unused) in bounds.items():
        known[one] = _reported(known[one]._replace(mtu=low), first[one])
    return tuple(known[one] for one in families)


def _judged(family: int, results: dict[int, list[Probed]]) -> PathMtu:
    """What the first round says: the usual size passes, nothing passes, or there is more to find out."""
    path = PathMtu(family)
    if any(one.outcome == "open" for one in results[need.MTU]):
        return path._replace(mtu=need.MTU)
    if not any(one.outcome == "open" for one in results[_SMALL]):
        outcomes = {one.outcome for one in results[_SMALL]}
        if "not allowed" in outcomes:
            return path._replace(trouble=_("this user may not send echo requests; root may"))
        return path._replace(trouble=_("no echo request (ping) is answered, so its size cannot be tried"))
    return path


def _named(results: dict[int, list[Probed]]) -> int:
    """The size that somebody on the way, or this machine, named as the largest."""
    return min((one.mtu for rows in results.values() for one in rows if one.mtu), default=0)


def _coarse(low: int, high: int, named: int) -> tuple[int, ...]:
    """What is named and one more, or steps between the bounds."""
    if low < named < high:
        return (named, named + 1)
    return tuple(range(low + _STEP, high, _STEP))


def _fine(low: int, high: int, named: int) -> tuple[int, ...]:
    return tuple(range(low + 1, high)) if high - low <= 2 * _STEP else _coarse(low, high, 0)


def _bounds(results: dict[int, list[Probed]]) -> tuple[int, int]:
    """The largest size that passed, and the smallest above it that did not."""
    low = max(size for size, rows in results.items() if any(one.outcome == "open" for one in rows))
    return low, min(size for size in results if size > low)


def _reported(path: PathMtu, results: dict[int, list[Probed]]) -> PathMtu:
    large = [one for rows in results.values() for one in rows if one.outcome == "too large"]
    by = next((one.told_by for one in large if one.told_by), "")
    return path._replace(told=bool(large), by=by, here=bool(large) and not by)


def _sent(facts: Facts, sizes: dict[int, tuple[int, ...]]) -> dict[int, dict[int, list[Probed]]]:
    """Every size to every target of its family."""
    probes = [
        Probe("ping", target, size=size)
        for family, row in sizes.items()
        for size in row
        for target in _TARGETS[family]
    ]
    found: dict[int, dict[int, list[Probed]]] = {
        family: {size: [] for size in row} for family, row in sizes.items()
    }
    if probes:
        for probe, result in zip(probes, facts.host.probe(tuple(probes), _ROUND_S), strict=True):
            found[6 if ":" in probe.address else 4][probe.size].append(result)
    return found


def _made(facts: Facts) -> int | None:
    """The largest packet of mailcow's network as Docker made it; 0 where it is not made, None where nobody
    tells."""
    try:
        name = network_name(facts.get(mailcow_conf))
        own = next((one for one in facts.get(networks) if one.get("Name") == name), None)
    except Missing:
        return 0  # no Docker, no network of it
    except HostError:
        return None
    if own is None:
        return 0
    options = own.get("Options")
    value = str(options.get(need.MTU_OPTION, "")) if isinstance(options, dict) else ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else need.MTU


def override(facts: Facts) -> tuple[str, int]:
    """The override file of mailcow's directory, and the size that it sets for mailcow's network."""
    path = override_path(facts)
    try:
        value = option(override_text(facts), OPTION)
    except (HostError, Strange):
        return path, 0
    return path, int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0
