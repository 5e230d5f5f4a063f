"""What the server is called."""

from typing import Literal, NamedTuple

from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError

Origin = Literal["option", "mailcow.conf", "saved", "guess"]


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
        return Hostname(configured, "mailcow.conf")
    if facts.settings.saved_hostname:
        return Hostname(facts.settings.saved_hostname, "saved")
    return Hostname(facts.get(own_name), "guess")


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
