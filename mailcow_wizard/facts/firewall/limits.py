"""Limits of rules, and which of them everyday mail meets the end of."""

USUAL_BURST = 5
"""What nft and iptables take where a rule does not say."""
FEW_AT_ONCE = 5
"""Fewer connections than one mail program holds open."""
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def is_few(number: int, per: str, burst: int, each: bool = False) -> bool:
    """Whether a limit is below one in a minute. `each`: every sender has one of its own, and so many at first
    that it never meets the end.

    `per` is the unit: second, minute, hour, day, week, or how they begin.
    """
    seconds = _SECONDS.get(per[:1], 1)
    return number * 60 < seconds and not (each and burst >= USUAL_BURST)
