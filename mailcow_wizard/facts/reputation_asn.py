"""Whether Spamhaus answers servers in this one's network, as mailcow asks, and whom its resolver asks."""

from __future__ import annotations

import itertools
import re

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple

_WAIT_S = 8.0
_V4 = 4
_UNBOUND = "data/conf/unbound/unbound.conf"
_LARGEST = 1 << 16


class AsnAnswer(NamedTuple):
    """The status that the page answers with (0: none, and `trouble` says why); `has_key` that a key for
    Spamhaus is set, and then nothing was asked. `forwards` are the resolvers that everybody may use to which
    mailcow's own hands on all questions, by its settings (`place`)."""

    has_key: bool
    status: int = 0
    trouble: str = ""
    forwards: tuple[str, ...] = ()
    place: str = ""


def asn(facts: Facts) -> AsnAnswer:
    """Fetches the page, over IPv4 as the lists are asked, unless a key makes the answer pointless."""
    try:
        has_key = bool(facts.get(mailcow_conf).get(need.DQS_KEY))
    except HostError:
        has_key = False
    if has_key:
        return AsnAnswer(True)
    where = facts.settings.within(_UNBOUND)
    try:
        asked = forwarders(facts.host.text(where, _LARGEST))
    except HostError:
        asked = ()
    found = tuple(one for one in asked if one in need.OPEN_RESOLVERS)
    if found:
        return AsnAnswer(False, forwards=found, place=where)
    try:
        return AsnAnswer(False, facts.host.fetch(need.ASN_CHECK, "/", _V4, _WAIT_S, True).status)
    except HostError as error:
        return AsnAnswer(False, trouble=str(error))


def forwarders(text: str) -> tuple[str, ...]:
    """The addresses that an unbound.conf hands on the questions about all names to (forward-zone ".")."""
    found: list[str] = []
    # Blank lines before it are not part of a match: a search that begins anew at each of them takes seconds.
    for zone in re.split(r"(?m)^[ \t]*forward-zone:", text)[1:]:
        lines = [re.sub(r"#.*", "", line).strip() for line in zone.splitlines()]
        own = list(itertools.takewhile(lambda line: not re.fullmatch(r"[a-z-]+:", line), lines))
        if any(re.fullmatch(r"name:\s*[\"']?\.[\"']?", line) for line in own):
            addresses = (re.match(r"forward-addr:\s*[\"']?([0-9a-fA-F.:]+)", line) for line in own)
            found += [one[1].lower() for one in addresses if one]
    return tuple(dict.fromkeys(found))
