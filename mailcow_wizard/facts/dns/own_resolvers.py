"""The name servers of /etc/resolv.conf one by one: a silent one among several is felt at every look-up."""

from __future__ import annotations

from mailcow_wizard.facts.dns.delegation import WAIT_S
from mailcow_wizard.facts.dns.message import Answer, answer
from mailcow_wizard.facts.dns.resolvers import MOST_USED, nameservers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import NamedTuple

_PATIENCE_S, _MOST_PATIENCE_S = 5, 30
"""How long a program waits for one (RES_TIMEOUT), and the most that can be set (resolv.conf(5))."""


class OwnResolvers(NamedTuple):
    """What each said to a question for the root, in the order in which programs ask them; `patience` is the
    seconds that a program waits for one that is silent."""

    heard: tuple[Answer, ...] = ()
    patience: int = _PATIENCE_S

    @property
    def silent(self) -> tuple[Answer, ...]:
        """Those that give no answer, where others of them do."""
        silent = tuple(one for one in self.heard if not one.code)
        return silent if len(silent) < len(self.heard) else ()

    @property
    def delaying(self) -> bool:
        """Whether programs come to a silent one before one that answers."""
        return any(not one.code for one in self.heard[:1])


def own_resolvers(facts: Facts) -> OwnResolvers:
    """Asks each, where there are several; none where that cannot be, or others were named to ask instead."""
    if facts.settings.resolver or facts.settings.offline:
        return OwnResolvers()
    try:
        text = facts.host.text("/etc/resolv.conf")
        servers = nameservers(text, MOST_USED)
        if len(servers) < 2:
            return OwnResolvers()
        replies = facts.host.ask_dns(tuple(DnsQuestion(".", "NS", (one,)) for one in servers), WAIT_S)
    except HostError:
        return OwnResolvers()
    heard = tuple(
        answer(reply)._replace(server=server) for server, reply in zip(servers, replies, strict=True)
    )
    return OwnResolvers(heard, patience(text))


def patience(text: str) -> int:
    """The seconds that a resolv.conf lets a program wait for one server (`options timeout:n`)."""
    found = _PATIENCE_S
    for line in text.splitlines():
        words = line.split()
        for word in words[1:] if words[:1] == ["options"] else ():
            name, _colon, value = word.partition(":")
            if name == "timeout" and is_number(value):
                found = max(1, min(whole(value), _MOST_PATIENCE_S))
    return found
