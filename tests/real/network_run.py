"""Runs the checks of the network that are named as arguments, and prints what they find, as JSON.

The first argument is mailcow's directory, the second a machine's file to record into (or empty). `seconds`
are those that it takes with the processor to itself.
"""

import json
import os
import sys
import time

from mailcow_wizard.checks.network import CHECKS
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.recording.recorded import RecordedHost, RecordingHost
from mailcow_wizard.model import Settings

_PIECE_S = 0.03

directory, record, *names = sys.argv[1:]
host = RecordingHost(RealHost())
settings = Settings(directory=directory, hostname="mail.example.org")
chosen = tuple(one for one in CHECKS if one.id.partition(".")[2] in names or not names)


def found(facts: Facts) -> list[dict[str, object]]:
    """The findings as the contract's objects, as far as tests look at them."""
    return [
        {
            "id": one.id,
            "subject": one.subject,
            "status": one.status,
            "summary": one.summary,
            "remedies": one.remedies,
            "certainty": one.certainty,
            "ms": one.duration_ms,
        }
        for one in Run(chosen, facts, lambda event: None).run()
    ]


def slowness() -> float:
    """How many times longer than alone work takes at this moment: others want the processor, too."""
    begun, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < _PIECE_S:
        pass
    return max(1.0, (time.perf_counter() - begun) / (time.process_time() - used))


def worked() -> float:
    """The processor's time that this process and what it ran have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


before, own, begun = slowness(), worked(), time.monotonic()
seen = found(Facts(host, settings))
took, own = time.monotonic() - begun, worked() - own
# Without what it waited for the processor: a wait too many, or work too much, stays in it.
took -= own * ((before + slowness()) / 2 - 1)
again = (
    found(Facts(RecordedHost(json.loads(json.dumps(host.document(directory)))), settings)) if record else seen
)
for one in (*seen, *again):
    one.pop("ms", None)
print(json.dumps({"seconds": took, "checks": seen, "replayed": seen == again}))
