"""Amounts as they are shown beside the figure that they are measured by."""

import math


def shown_down(amount: float, digits: int) -> float:
    """The amount with so many digits behind the point, never more than there is: what is just below a limit
    must not read as if it were the limit."""
    scale = 10.0**digits
    return math.floor(amount * scale) / scale
