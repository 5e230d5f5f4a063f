"""The SSH sessions that come into this machine: who is connected, and to which address and port."""

from __future__ import annotations

import ipaddress
import re

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number
from mailcow_wizard.typed import NamedTuple

_CONNECTED = ("ss", "-Htnp", "state", "established")
_SERVERS = ("sshd", "sshd-session", "dropbear")
_MOST_ANCESTORS = 64
_VARIABLE = b"SSH_CONNECTION="


class Session(NamedTuple):
    """A session: the other side's address, and the address and port that it came to. `own`: the wizard runs
    in it."""

    peer: str
    address: str
    port: int
    own: bool = False


def sessions(facts: Facts) -> tuple[Session, ...]:
    """Every session, the wizard's own first. Raises HostError where it cannot be told who is connected."""
    own = _own(facts)
    listed = _listed(facts)
    if listed is None:
        if own is None:
            raise HostError(_("which SSH sessions there are is not known: the command ss is missing"))
        listed = ()
    others = [one for one in listed if own is None or one[:3] != own[:3]]
    return (own, *others) if own else tuple(others)


def _own(facts: Facts) -> Session | None:
    """What sshd told the shell that the wizard was started from; sudo takes it out of the environment, the
    processes above still have it."""
    found = _parsed(facts.host.variable("SSH_CONNECTION"))
    pid = "self"
    for _unused in range(_MOST_ANCESTORS):
        if found:
            return found
        try:
            status = facts.host.text(f"/proc/{pid}/status")
        except HostError:
            return None
        parent = re.search(r"(?m)^PPid:\s+([0-9]{1,10})\b", status)
        if not parent or int(parent[1]) < 2:
            return None
        pid = parent[1]
        try:
            environment = facts.host.read(f"/proc/{pid}/environ")
        except HostError:
            continue
        for one in environment.split(b"\0"):
            if one.startswith(_VARIABLE):
                found = _parsed(one.removeprefix(_VARIABLE).decode("ascii", "replace"))
    return None


def _parsed(said: str) -> Session | None:
    words = said.split()
    if len(words) != 4 or not is_number(words[3]):
        return None
    peer, address = _plain(words[0]), _plain(words[2])
    return Session(peer, address, int(words[3]), own=True) if peer and address else None


def _listed(facts: Facts) -> tuple[Session, ...] | None:
    """The connections of sshd that are established; None where nobody lists them."""
    try:
        ran = facts.host.run(_CONNECTED)
    except HostError:
        return None
    if ran.code:
        return None
    found = []
    for line in ran.out.splitlines():
        words = line.split()
        program = re.search(r'users:\(\("([^"]+)"', line)
        if len(words) < 5 or not program or program[1] not in _SERVERS:
            continue
        address, _unused, port = words[2].rpartition(":")
        peer = words[3].rpartition(":")[0]
        if is_number(port) and _plain(peer) and _plain(address):
            found.append(Session(_plain(peer), _plain(address), int(port)))
    return tuple(dict.fromkeys(found))


def _plain(address: str) -> str:
    """The address without brackets, interface and the form of IPv4 in IPv6; empty where it is none."""
    try:
        found = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
