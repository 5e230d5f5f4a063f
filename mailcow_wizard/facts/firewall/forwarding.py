"""The kernel's switches for passing packets on, without which no rule lets any through to containers."""

from __future__ import annotations

from mailcow_wizard.facts.firewall.foreseen import BRIDGE
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.facts.store import Facts

_NET = "/proc/sys/net"
_ALL = {4: "ipv4/ip_forward", 6: "ipv6/conf/all/forwarding"}
_LONGEST = 64


class Switch(NamedTuple):
    """One that is off: the family that it is for, its name for sysctl, and its interface (empty: all)."""

    family: int
    name: str
    interface: str = ""


def switched_off(facts: Facts, family: int, outer: str) -> tuple[Switch, ...]:
    """Those that keep packets of a family from mailcow's containers, where they come in by `outer`, and the
    answers from it. One that cannot be read is not known to be off."""
    if not _is_off(facts, _ALL[family]):
        # IPv6 asks for itself as a whole, and then its interfaces only about routers' advertisements.
        some = (outer, BRIDGE) if family == 4 else ()
        places = ((one, f"ipv4/conf/{one}/forwarding") for one in some if one and "/" not in one)
        return tuple(Switch(family, sysctl_name(path), one) for one, path in places if _is_off(facts, path))
    if all(_passes_on(facts, family, one) for one in (outer, BRIDGE)):
        return ()
    return (Switch(family, sysctl_name(_ALL[family])),)


def _is_off(facts: Facts, path: str) -> bool:
    return _read(facts, path) == "0"


def _passes_on(facts: Facts, family: int, interface: str) -> bool:
    """Whether this interface passes packets on whatever counts for all: of IPv4 each is asked alone (what is
    for all sets them once), of IPv6 by a switch of its own (Linux 6.17, ip-sysctl)."""
    name = "forwarding" if family == 4 else "force_forwarding"
    return _read(facts, f"ipv{family}/conf/{interface}/{name}") == "1"


def _read(facts: Facts, path: str) -> str:
    try:
        return facts.host.text(f"{_NET}/{path}", _LONGEST).strip()
    except HostError:
        return ""


def sysctl_name(path: str) -> str:
    """A path below /proc/sys/net as sysctl(8) writes it: with slashes where a name has a dot (`eth0.5`)."""
    return f"net/{path}" if "." in path else f"net.{path.replace('/', '.')}"
