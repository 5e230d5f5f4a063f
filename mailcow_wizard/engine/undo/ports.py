"""What is not taken back for now, because somebody else has the port that would be listened at again."""

from __future__ import annotations

import shlex

from mailcow_wizard.engine.journal import Standing
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.blockers import CONTAINER, PROCESS, UNIT, Blocker, plain
from mailcow_wizard.facts.taken import meet, takers
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Command, Plan


class Taken(HostError):
    """A change stays: who was stopped could not listen again; the text says who is in the way."""


def keep_taken(session: Session, plan: Plan, standing: Standing) -> None:
    """Raises Taken where what this plan stopped would not find its ports free."""
    places = tuple(
        place
        for number, step in enumerate(plan.steps)
        if isinstance(step, Command) and standing.marks[number] != "waiting"
        if standing.back[number] != "done"
        for place in step.places
    )
    try:
        there = takers(session.new_facts(), places)
    except HostError:
        return
    if not there:
        return
    sockets = [socket for one in there for socket in one.listeners]
    ports = sorted({one.port for one in sockets})
    kept = (place for place in places if any(meet(place, one) for one in sockets))
    words = [
        ngettext(
            "port {ports} is taken ({who}), and {names} could not listen again",
            "ports {ports} are taken ({who}), and {names} could not listen again",
            len(ports),
            names=_(" and ").join(dict.fromkeys(plain(one.names[0]) for one in kept)),
            who=_(" and ").join(dict.fromkeys(one.name for one in there)),
            ports=", ".join(map(str, ports)),
        ),
        *dict.fromkeys(map(_first, there)),
    ]
    raise Taken("; ".join(words))


def _first(one: Blocker) -> str:
    """What to do about one who is in the way."""
    name = shlex.quote(one.names[0])
    if one.kind == CONTAINER:
        return _("first: {command}", command=f"docker stop {name}")
    if one.kind == UNIT:
        return _("first: {command}", command=f"systemctl stop {name.replace('@-.', '.')}")
    if one.kind == PROCESS:
        return _("first end {names} (process {pid})", names=one.names[0], pid=one.pid)
    return _("first free that port: ss -tlnp shows who has it")
