"""The checks of the network as they see a world of three namespaces, for tests."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from lab.inside import CHECKOUT
from lab.outside import World

_RUN = str(Path(__file__).with_name("network_run.py"))


class Seen(NamedTuple):
    """What the checks found, by id (without `network.`) and subject, and how long they
    took, without waiting for the processor."""

    checks: dict[str, Any]
    seconds: float
    replayed: bool

    def status(self, name: str) -> str:
        return str(self.checks[name]["status"])

    def summary(self, name: str) -> str:
        return str(self.checks[name]["summary"])


def look(
    world: World, *names: str, record: str = "", user: tuple[str, ...] = (), conf: Path | None = None
) -> Seen:
    """The checks of these names, run on the server; `record` to judge what was recorded as well."""
    argv = ["env", f"PYTHONPATH={CHECKOUT}", *user, sys.executable, _RUN, str(conf or "/nonexistent"), record]
    said = json.loads(world.server.run([*argv, *names], timeout=60).stdout)
    rows = {
        " ".join(filter(None, (one["id"].partition(".")[2], one["subject"]))): one for one in said["checks"]
    }
    return Seen(rows, said["seconds"], said["replayed"])
