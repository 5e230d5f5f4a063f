"""mailcow's containers: how each one fares, since when, and what the one that struggles says."""

from __future__ import annotations

import json
import re

from mailcow_wizard.facts.containers import docker_socket
from mailcow_wizard.facts.docker import seconds
from mailcow_wizard.facts.mail.installed import Installed, Listed, installed
from mailcow_wizard.facts.mail.services import of_mailcow, services
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

STEADY_S = 30.0
"""So long a container has to run before it counts: one that crashes at its start does so by then."""
RESTARTED_LATELY_S = 600.0
WATCHED_S = 3600
"""So far back the watchdog's log is read (s): it restarts one that is ill every six minutes or more."""
WAITS_LONG_S = 300.0
"""So long start scripts may wait for one another: a first start makes the database and all its tables."""
_PATIENCE_S = 45.0
_LOOK_EVERY_S = 2.0
# One that ends again and again also writes what it does at each start: clamd's alone are some fifteen lines.
_LINES = 60
_LONGEST_LINE = 240
_WATCHDOG_LINES = 2000
_RESTART = pattern(r"Sending restart command to ([0-9a-zA-Z-]{4,64})\b")


class Box(NamedTuple):
    """A container. `age` is how long it has been running (or stopped), in seconds; `health` is healthy,
    starting, unhealthy or empty (it has no health check), `failed` how many of its last checks (`checked`)
    failed, `said` what the last failed one said. `lines` are the last of its log where it struggles, else of
    mailcow's own the last one alone. `once` that somebody has added it, and that it is not meant to start
    again."""

    id: str
    name: str
    service: str
    state: str
    age: float
    restarts: int = 0
    exit_code: int = 0
    out_of_memory: bool = False
    error: str = ""
    health: str = ""
    failed: int = 0
    checked: int = 0
    said: str = ""
    lines: tuple[str, ...] = ()
    once: bool = False

    @property
    def done(self) -> bool:
        """Whether it was to do something once, and has done it."""
        return self.once and self.state == "exited" and not self.exit_code

    @property
    def runs(self) -> bool:
        """Whether it runs, and is not said to be ill."""
        return self.state == "running" and self.health != "unhealthy"

    @property
    def crashes(self) -> bool:
        """Whether Docker restarts it again and again."""
        return self.state == "restarting" or (self.restarts > 0 and self.age < STEADY_S)


class Stack(NamedTuple):
    """All containers, and the services of docker-compose.yml that have none (None: it does not tell).
    `restarted` are services that mailcow's watchdog has restarted, with how often (in `WATCHED_S`), the most
    often first: Docker counts no such restart."""

    about: Installed
    boxes: tuple[Box, ...] = ()
    missing: tuple[str, ...] | None = ()
    restarted: tuple[tuple[str, int], ...] = ()


def stack(facts: Facts) -> Stack:
    """How the containers fare; where one has just started, it is watched until it has run for a while.

    Raises HostError.
    """
    from mailcow_wizard.host.processes.detached import pause

    about = facts.get(installed)
    if about.skip or about.down:
        return Stack(about)
    if about.untold:
        raise HostError(_("whether mailcow runs here is not known: {trouble}", trouble=about.untold))
    began = now = facts.host.now()
    patience = min(_PATIENCE_S, (facts.settings.timeout or 90.0) * 0.7)
    own = of_mailcow(facts)
    boxes = _all(facts, about.boxes, now, own)
    while _is_young(boxes) and now - began < patience:
        pause(_LOOK_EVERY_S)
        earlier, now = now, facts.host.now()
        if now <= earlier:
            break  # a recorded machine's clock stands still
        boxes = _all(facts, about.boxes, now, own)
    there = {one.service for one in about.boxes}
    wanted = services(facts)
    missing = None if wanted is None else tuple(one for one in wanted if one not in there)
    told = tuple(_with_lines(facts, one, own) for one in boxes)
    return Stack(about, told, missing, _by_watchdog(facts, boxes, now))


def _is_young(boxes: tuple[Box, ...]) -> bool:
    """Whether nothing is wrong, and something is too new to be trusted."""
    steady = [one for one in boxes if not one.done]
    if any(not one.runs or one.crashes for one in steady):
        return False
    return any(one.age < STEADY_S or one.health == "starting" for one in steady)


def _all(facts: Facts, listed: tuple[Listed, ...], now: float, own: frozenset[str] | None) -> tuple[Box, ...]:
    boxes = (_box(facts, one, now) for one in listed)
    return tuple(one if own and one.service not in own else one._replace(once=False) for one in boxes)


def _box(facts: Facts, listed: Listed, now: float) -> Box:
    try:
        said = _asked(facts, f"/containers/{listed.id}/json")
        return _read(listed, said, now)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise HostError(
            _("what Docker says of the container {listed} is not readable", listed=listed.name)
        ) from None


def _asked(facts: Facts, target: str) -> Any:
    reply = facts.host.http(docker_socket(facts), target)
    if reply.status == 404:
        return {}
    if reply.status != 200:
        raise HostError(
            _("Docker answers {status} when asked for {target}", status=reply.status, target=target)
        )
    return json.loads(reply.body)


def _read(listed: Listed, said: dict[str, Any], now: float) -> Box:
    if not said:
        return Box(listed.id, listed.name, listed.service, "removed", 0.0)
    state = said["State"]
    running = state["Status"] in ("running", "paused")
    since = seconds(str(state["StartedAt" if running else "FinishedAt"]))
    health = state.get("Health") or {}
    log = [one for one in health.get("Log") or () if isinstance(one, dict)]
    bad = [one for one in log if one.get("ExitCode") not in (0, None)]
    word = str(health.get("Status") or "")
    return Box(
        listed.id,
        listed.name,
        listed.service,
        str(state["Status"]),
        max(0.0, now - since) if since else 0.0,
        int(said.get("RestartCount") or 0),
        int(state.get("ExitCode") or 0),
        bool(state.get("OOMKilled")),
        str(state.get("Error") or ""),
        "" if word == "none" else word,
        len(bad),
        len(log),
        " ".join(str(bad[-1].get("Output") or "").split())[-_LONGEST_LINE:] if bad else "",
        once=_policy(said) == "no",
    )


def _policy(said: dict[str, Any]) -> str:
    """When Docker starts it again: always, unless-stopped, on-failure, no; empty where it does not say."""
    return str(((said.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name") or "")


def _with_lines(facts: Facts, box: Box, own: frozenset[str] | None) -> Box:
    well = box.runs and not box.failed and not (box.restarts and box.age < RESTARTED_LATELY_S)
    # One that somebody has added may well wait for work.
    if well and (box.health or (own and box.service not in own)):
        return box
    try:
        return box._replace(lines=last_lines(facts, box.id, 1 if well else _LINES))
    except HostError:
        return box


def _by_watchdog(facts: Facts, boxes: tuple[Box, ...], now: float) -> tuple[tuple[str, int], ...]:
    box = next((one for one in boxes if one.service == "watchdog-mailcow"), None)
    if box is None:
        return ()
    try:
        lines = last_lines(facts, box.id, _WATCHDOG_LINES, since=int(now) - WATCHED_S)
    except HostError:
        return ()
    return restarted_by(lines, {one.id: one.service for one in boxes})


def restarted_by(lines: tuple[str, ...], services: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """The services, by the ids of their containers, that the watchdog's log says it has restarted."""
    from collections import Counter

    found = (_RESTART.search(one) for one in lines)
    return tuple(Counter(services[one[1]] for one in found if one and one[1] in services).most_common())


def last_lines(
    facts: Facts, container: str, count: int = _LINES, longest: int = _LONGEST_LINE, since: int = 0
) -> tuple[str, ...]:
    """The last lines of a container's log, each cut at `longest` characters, from `since` on (seconds since
    1970). Raises HostError."""
    begins = f"&since={since}" if since else ""
    target = f"/containers/{container}/logs?stdout=1&stderr=1{begins}&tail={count}"
    reply = facts.host.http(docker_socket(facts), target)
    if reply.status != 200:
        raise HostError(_("Docker answers {status} when asked for a log", status=reply.status))
    text = frames(reply.body).decode("utf-8", "replace")
    lines = (re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", one).strip() for one in text.splitlines())
    return tuple(one[:longest] for one in lines if one)


def frames(data: bytes) -> bytes:
    """The content of Docker's log frames (stream, three zeros, length, text); what has none is as it is."""
    parts: list[bytes] = []
    place = 0
    while place < len(data):
        head = data[place : place + 8]
        if len(head) < 8 or head[0] > 2 or head[1:4] != b"\0\0\0":
            return data if not parts else b"".join(parts)
        length = int.from_bytes(head[4:], "big")
        parts.append(data[place + 8 : place + 8 + length])
        place += 8 + length
    return b"".join(parts)
