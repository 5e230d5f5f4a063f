"""What is not taken back because what it would start again is gone from this machine, or masked."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from mailcow_wizard.engine.journal import Standing
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.containers import docker_socket
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import units
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Plan

_STARTING = ("enable", "start", "unmask")


class Gone(HostError):
    """A change stays: what it would start was removed or masked since, or Docker is not there."""


def keep_gone(session: Session, plan: Plan, standing: Standing) -> None:
    """Raises Gone where this plan switched a unit off, or stopped a container, that is not there any more."""
    undo = [
        argv
        for number, step in enumerate(plan.steps)
        if isinstance(step, Command) and standing.marks[number] != "waiting" and not step.undo_optional
        if standing.back[number] != "done"
        for argv in step.undo
    ]
    facts = session.new_facts()
    # A file that comes back with it, or that systemd is told of, is no unit yet.
    coming = {one.path for one in plan.steps if isinstance(one, Edit)} | {
        word for one in undo for word in one
    }
    lifted = {word for argv in undo if argv[:2] == ("systemctl", "unmask") for word in argv[2:]}
    for name in _units(undo):
        load = "" if any(one.endswith(f"/{name}") for one in coming) else _load(facts, name)
        if load == "not-found":
            raise Gone(
                _("the unit {name} is not on this machine any more, so it cannot be started again", name=name)
            )
        if load == "masked" and name not in lifted:
            command = f"systemctl unmask {shlex.quote(name)}"
            raise Gone(
                _(
                    "the unit {name} was masked since, so it cannot be started again; first: {command}",
                    name=name,
                    command=command,
                )
            )
    for name in dict.fromkeys(one[2] for one in undo if one[:2] == ("docker", "start")):
        if _is_no_container(facts, name):
            raise Gone(
                _("the container {name} does not exist any more, so it cannot be started again", name=name)
            )


def _units(undo: list[tuple[str, ...]]) -> tuple[str, ...]:
    words = (
        word
        for argv in undo
        if argv[0] == "systemctl" and argv[1] in _STARTING
        for word in argv[2:]
        if not word.startswith(("-", "/"))
    )
    return tuple(dict.fromkeys(words))


def _load(facts: Facts, name: str) -> str:
    """systemd's LoadState; empty where it does not tell."""
    try:
        return units(facts, (name,))[0].load
    except HostError:
        return ""


def _is_no_container(facts: Facts, name: str) -> bool:
    try:
        return facts.host.http(docker_socket(facts), f"/containers/{quote(name)}/json").status == 404
    except Denied:
        return False
    except HostError as error:
        words = _("Docker does not answer, so the container {name} cannot be started again", name=name)
        raise Gone(f"{words}: {error}") from None
