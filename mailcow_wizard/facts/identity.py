"""What the server is called."""

from __future__ import annotations

from mailcow_wizard.facts import system
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Origin = Literal["option", "mailcow.conf", "saved", "guess"]

SAY_HOSTNAME = _(
    "Say what the server shall be called: `--hostname mail.example.org`, or on the first screen."
)
"""What mends a name that is missing or cannot be used."""


class Hostname(NamedTuple):
    """The server's full name and where it comes from; a guess is only the machine's own name."""

    name: str
    origin: Origin


def hostname(facts: Facts) -> Hostname:
    """By precedence (contract): option, mailcow.conf, saved answers, the machine's own full name."""
    if facts.settings.hostname:
        return Hostname(facts.settings.hostname, "option")
    try:
        configured = facts.get(mailcow_conf).get("MAILCOW_HOSTNAME")
    except HostError:
        configured = ""
    if configured:
        return Hostname(harmless(configured, 253), "mailcow.conf")
    if facts.settings.saved_hostname:
        return Hostname(harmless(facts.settings.saved_hostname, 253), "saved")
    return Hostname(harmless(facts.get(own_name), 253), "guess")


def domain_of(name: str) -> str:
    """The mail domain that follows from a server's name, where none was said: what is above it, unless that
    is a top level."""
    return name.partition(".")[2] if name.count(".") > 1 else name


def own_name(facts: Facts) -> str:
    """The machine's full name as /etc/hosts has it, else its node name. Asks no resolver."""
    node = facts.host.uname().node.rstrip(".").lower()
    if "." in node:
        return node
    try:
        lines = facts.host.text("/etc/hosts").splitlines()
    except HostError:
        return node
    for line in lines:
        names = line.partition("#")[0].lower().split()[1:]
        if node in names:
            return next((name for name in names if "." in name and not name.startswith("localhost")), node)
    return node


def machine_line(facts: Facts) -> str:
    """The machine in one line: system, kernel, processor type, memory; what is unknown is left out."""
    parts = []
    for words in (_system, _kernel, _memory):
        try:
            parts.append(words(facts))
        except HostError:
            continue
    return harmless(", ".join(parts), 120)


def _system(facts: Facts) -> str:
    return facts.get(system.os_release).name


def _kernel(facts: Facts) -> str:
    uname = facts.host.uname()
    return _("{machine}, kernel {release}", machine=uname.machine, release=uname.release)


def _memory(facts: Facts) -> str:
    return _("{total:.1f} GiB memory", total=facts.get(system.memory).total / (1 << 30))
