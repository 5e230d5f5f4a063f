"""Prints the median time in ms of 70 look-ups at the servers named, all at once, in rounds of their own.

`--chained`: half of them are asked when the others are answered; `--dead`: none is answered.
"""

import sys
import time
from statistics import median

from mailcow_wizard.host.network.dns import Round, Silence
from mailcow_wizard.host.replies import DnsQuestion

_NAMES = 70
_ROUNDS = 9
_ROUNDS_DEAD = 3


def main(kind: str, servers: tuple[str, ...]) -> None:
    """Each round knows nothing of the one before."""
    times = []
    at_once = _NAMES // 2 if kind == "--chained" else _NAMES
    for turn in range(_ROUNDS_DEAD if kind == "--dead" else _ROUNDS):
        names = [f"n{turn}-{number}.example.org" for number in range(_NAMES)]
        start = time.perf_counter()
        for begin in range(0, _NAMES, at_once):
            questions = tuple(DnsQuestion(name, "A", servers) for name in names[begin : begin + at_once])
            answered = [bool(one.packet) for one in Round(questions, 3.0, Silence()).replies()]
            if any(answered) if kind == "--dead" else not all(answered):
                sys.exit(f"{sum(answered)} of {len(answered)} were answered")
        times.append((time.perf_counter() - start) * 1e3)
    print(median(times))


kinds = [one for one in sys.argv[1:] if one.startswith("--")]
main(kinds[0] if kinds else "", tuple(one for one in sys.argv[1:] if one not in kinds))
