"""Whether Spamhaus answers servers in this one's network, as mailcow itself asks."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError
from mailcow_wizard.typed import NamedTuple

_WAIT_S = 8.0
_V4 = 4


class AsnAnswer(NamedTuple):
    """The status that the page answers with (0: none, and `trouble` says why); `has_key` that a key for
    Spamhaus is set, and then nothing was asked."""

    has_key: bool
    status: int = 0
    trouble: str = ""


def asn(facts: Facts) -> AsnAnswer:
    """Fetches the page, over IPv4 as the lists are asked, unless a key makes the answer pointless."""
    try:
        has_key = bool(facts.get(mailcow_conf).get(need.DQS_KEY))
    except HostError:
        has_key = False
    if has_key:
        return AsnAnswer(True)
    try:
        return AsnAnswer(False, facts.host.fetch(need.ASN_CHECK, "/", _V4, _WAIT_S, True).status)
    except HostError as error:
        return AsnAnswer(False, trouble=str(error))
