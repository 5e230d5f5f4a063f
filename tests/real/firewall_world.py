"""Rules put in force, what is foretold of packets, and what really becomes of them."""

import json
import shlex
import sys

from lab.gate import BRIDGE, SERVER, SOURCES, Gate
from lab.inside import CHECKOUT

from tests.real.firewall_rules import RuleSet

_FORETELL = str(CHECKOUT / "tests" / "lab" / "foretell.py")
_PATIENT_S = 4.0


def put(world: Gate, rules: RuleSet) -> None:
    """Puts a rule set in force, in place of the one before."""
    world.clear()
    for program, text in rules:
        if program == "nft":
            ran = world.server.run(["nft", "-f", "-"], text=text, check=False)
        else:
            ran = world.server.run([program, *shlex.split(text)], check=False)
        assert ran.returncode == 0, (program, text, ran.stderr)


def foretold(world: Gate) -> list[dict[int, list[str]]]:
    """The outcome for each port, what decided, and why nobody knows; for every source."""
    ports = ",".join(map(str, world.ports))
    asked = [f"{source} {SERVER[family]} {ports}" for family, source in SOURCES]
    own = ",".join((*SERVER.values(), *BRIDGE.values()))
    ways = "172[.]22|fd4d=br-mailcow"
    argv = [sys.executable, _FORETELL, ways, own, *asked]
    said = json.loads(world.server.run(["env", f"PYTHONPATH={CHECKOUT}", *argv]).stdout)
    assert not said["unread"]
    return [{int(port): how for port, how in one.items()} for one in said["answers"]]


def disagreements(world: Gate) -> list[str]:
    """Where a packet was let through and should not have been, or the other way round. What looks so in a
    hurry is tried again with patience: on a busy machine an answer may take its time."""
    said = foretold(world)
    return _differing(said, world.tried()) and _differing(said, world.tried(_PATIENT_S))


def _differing(foretold: list[dict[int, list[str]]], tried: list[dict[int, str]]) -> list[str]:
    found = []
    for (_, source), said, ended in zip(SOURCES, foretold, tried, strict=True):
        for port, how in ended.items():
            outcome, place, why = said[port]
            if (outcome == "through") != (how == "open") or outcome == "unknown":
                found.append(f"{source} to {port}: foretold {outcome} by {place} {why}, was {how}")
    return found
