"""What a switch of mailcow.conf says."""

import re

from mailcow_wizard.patterns import pattern

# As mailcow's scripts read a switch: in large letters as well.
_YES = pattern(r"(?:yes|y)+", re.IGNORECASE)


def is_yes(value: str) -> bool:
    """Whether mailcow takes the value for on."""
    return bool(_YES.fullmatch(value))
