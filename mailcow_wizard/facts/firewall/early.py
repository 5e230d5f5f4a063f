"""What decides about packets besides all rules: programs and filters that are bound to an interface, which
see them first, and routes, by which the kernel drops what it could not answer the same way."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Ran
from mailcow_wizard.numerals import whole
from mailcow_wizard.patterns import pattern
from mailcow_wizard.requirements_network import ANYWHERE
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Literal

_PATIENCE_S = 3.0
_MOST = 1 << 22
_STRICT = 1
_DEVICE = pattern(r"\bdev (\S+)")
_NOWHERE = ("Network is unreachable", "Network unreachable")
_ENDS = (
    *("Invalid argument", "Permission denied", "No route to host", "Invalid cross-device link"),
    *("Host is unreachable", "Cross-device link"),
    *_NOWHERE,
)
"""How the kernel says that a route, or a rule for routes, stops packets, or that the way back is another, in
the words of glibc and of musl (Alpine); the last may also say that there is no route."""


class Bound(NamedTuple):
    """Something bound to an interface that may drop packets before rules see them: `xdp` or `tc`."""

    interface: str
    kind: Literal["xdp", "tc"]


class Route(NamedTuple):
    """A way that is not as it should be, of packets that come to an address by an interface. `kind` is what
    becomes of them: they are `dropped`, as the way back is another; they may be (`doubted`); they are `kept
    out`; the answers are `stopped`, or leave by another interface (`elsewhere`), which `said` names."""

    family: int
    address: str
    interface: str
    kind: Literal["dropped", "doubted", "kept out", "stopped", "elsewhere"]
    said: str = ""


class Early(NamedTuple):
    """All of that."""

    bound: tuple[Bound, ...] = ()
    routes: tuple[Route, ...] = ()


def early(facts: Facts, *doors: tuple[int, str, str]) -> Early:
    """Looks at the ways by which the world comes in: family, interface and address of each. What cannot be
    asked is not known to be there."""
    asked = [argv for door in doors for argv in (_inwards(*door), _answering(*door), (*_TC, door[1], _SIDE))]
    facts.begin((_ran, *_LINKS), *((_ran, *argv) for argv in asked))
    links = _links(facts)
    names = dict.fromkeys(name for door in doors for name in _with_lower(door[1], links))
    bound = [Bound(one, "xdp") for one in names if links.get(one, {}).get("xdp")]
    bound += [Bound(one, "tc") for one in names if _filters(_said(facts, *_TC, one, _SIDE))]
    routes = (_route(facts, *door) for door in doors)
    return Early(tuple(bound), tuple(one for one in routes if one))


_LINKS = ("ip", "-j", "link", "show")
_TC, _SIDE = ("tc", "-j", "filter", "show", "dev"), "ingress"


def _inwards(family: int, interface: str, address: str) -> tuple[str, ...]:
    """What asks the kernel of a packet that comes in."""
    from_world = ("from", ANYWHERE[family], "iif", interface)
    return "ip", f"-{family}", "route", "get", address, *from_world


def _answering(family: int, _interface: str, address: str) -> tuple[str, ...]:
    """The same of the answer."""
    return "ip", f"-{family}", "route", "get", ANYWHERE[family], "from", address


def _ran(facts: Facts, *argv: str) -> Ran:
    return facts.host.run(argv, _PATIENCE_S, _MOST)


def _said(facts: Facts, *argv: str) -> str:
    try:
        ran = facts.get(_ran, *argv)
    except HostError:
        return ""
    return "" if ran.code else ran.out


def _links(facts: Facts) -> dict[str, dict[str, Any]]:
    """What `ip` says of each interface, by name."""
    return {str(one["ifname"]): one for one in _rows(_said(facts, *_LINKS)) if "ifname" in one}


def _rows(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _with_lower(name: str, links: dict[str, dict[str, Any]]) -> Sequence[str]:
    """An interface, what it is built upon (as a VLAN is), and what is a port of it (of a bridge, a bond)."""
    upon = str(links.get(name, {}).get("link", ""))
    ports = [port for port, one in links.items() if one.get("master") == name]
    return [name, *([upon] if upon in links else []), *ports]


def _filters(text: str) -> bool:
    """Whether one of the filters may drop packets: a program, or an action that ends their way. Who shapes
    what comes in sends it through another device, or drops what is too much."""
    return any(_may_drop(one) for one in _rows(text))


def _may_drop(row: dict[str, Any]) -> bool:
    options = row.get("options")
    if not isinstance(options, dict):
        return False
    actions = options.get("actions")
    if not isinstance(actions, list):
        return row.get("kind") == "bpf"
    return any(isinstance(one, dict) and _ends_way(one) for one in actions)


def _ends_way(action: dict[str, Any]) -> bool:
    control, kind = action.get("control_action"), action.get("kind")
    ending = isinstance(control, dict) and control.get("type") in ("drop", "shot", "stolen", "trap", "queued")
    shaped = kind == "mirred" and str(action.get("to_dev", "")).startswith("ifb")
    return kind == "bpf" or (ending and kind != "police" and not shaped)


def _route(facts: Facts, family: int, interface: str, address: str) -> Route | None:
    argv = _answering(family, interface, address)
    said = _is_stopped(facts, *argv)
    if said in _NOWHERE and not _said(facts, *argv[:-2]):
        return None  # there is no way to the world at all
    kept_out = _is_stopped(facts, *_inwards(family, interface, address))
    if kept_out:
        strict = _of_strict(facts, family, interface)
        return Route(family, address, interface, strict or "kept out", "" if strict else kept_out)
    if said:
        return Route(family, address, interface, "stopped", said)
    leaves = _DEVICE.search(_said(facts, *argv))
    if leaves and leaves[1] != interface:
        return Route(family, address, interface, "elsewhere", leaves[1])
    return None


def _is_stopped(facts: Facts, *argv: str) -> str:
    """Why the kernel knows that the packet would be stopped; empty where it would not."""
    try:
        ran = facts.get(_ran, *argv)
    except HostError:
        return ""
    return next((one for one in _ENDS if ran.code and ran.err.strip().endswith(one)), "")


def _of_strict(facts: Facts, family: int, interface: str) -> Literal["dropped", "doubted", ""]:
    """Whether the kernel asks for the same way back (IPv4 alone); by marks it may find one after all."""
    if family == 6 or _greatest(facts, interface, "rp_filter") != _STRICT:
        return ""
    return "doubted" if _greatest(facts, interface, "src_valid_mark") else "dropped"


def _greatest(facts: Facts, interface: str, name: str) -> int:
    """A switch as it counts: the greater one of that for all and the interface's own."""
    found = [0]
    for one in ("all", interface):
        try:
            found.append(whole(facts.host.text(f"/proc/sys/net/ipv4/conf/{one}/{name}", 64).strip()))
        except HostError:
            continue
    return max(found)
