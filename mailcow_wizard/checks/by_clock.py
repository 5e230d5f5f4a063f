"""What a wrong clock brings about elsewhere: nothing that is signed is good then."""

from mailcow_wizard.facts.network.interception import DATES
from mailcow_wizard.language import _

_SIGNS = (*DATES, "SERVFAIL")
_SEE = _(
    "See the clock first (`check time.offset`): while it is far off no certificate is good, and a resolver "
    "that checks signatures (DNSSEC) says SERVFAIL."
)


def see_the_clock(*troubles: str) -> tuple[str, ...]:
    """What to look at before anything else, where one of these troubles may come of a wrong clock."""
    return (_SEE,) if any(sign in one for one in troubles for sign in _SIGNS) else ()
