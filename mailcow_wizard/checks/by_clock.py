"""What a wrong clock brings about elsewhere: nothing that is signed is good then."""

import re

from mailcow_wizard.facts.network.interception import DATES
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

_REFUSED = pattern(
    r"SERVFAIL(?! \()|SERVFAIL \(.*(?:dnssec|dnskey|rrsig|nsec|signature|zone key|validat)", re.IGNORECASE
)
"""Of a resolver that checks signatures: what it explains otherwise has nothing to do with the clock."""
_SEE = _(
    "See the clock first (`check time.offset`): while it is far off no certificate is good, and a resolver "
    "that checks signatures (DNSSEC) says SERVFAIL."
)


def see_the_clock(*troubles: str) -> tuple[str, ...]:
    """What to look at before anything else, where one of these troubles may come of a wrong clock."""
    return (_SEE,) if any(_may_be_it(one) for one in troubles) else ()


def _may_be_it(trouble: str) -> bool:
    return any(one in trouble for one in DATES) or bool(_REFUSED.search(trouble))
