"""What taking a change back interrupts: containers, where Docker is stopped or restarted with it."""

from __future__ import annotations

from mailcow_wizard.facts.containers import containers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import ngettext
from mailcow_wizard.model import Command
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailcow_wizard.model import PlanStep

_DOCKER = frozenset(("docker", "docker.service"))
_SERVICES = frozenset(("systemctl", "rc-service", "service"))
_DISABLED_NOW = frozenset(("disable", "--now"))
"""What is disabled without the second runs on until the machine is restarted."""
_NAMED = 3


def interrupts(facts: Facts, steps: Sequence[PlanStep]) -> str:
    """Its containers, where one of these steps stops Docker or restarts it; empty where none does."""
    verbs = {
        word
        for step in steps
        if isinstance(step, Command) and step.argv[0] in _SERVICES and _DOCKER.intersection(step.argv)
        for word in step.argv
    }
    stops = "stop" in verbs or verbs >= _DISABLED_NOW
    if "restart" in verbs or (stops and "start" in verbs):
        from mailcow_wizard.fixes import docker_settings

        return docker_settings.interrupted(facts)
    if not stops:
        return ""
    try:
        names = [one.name for one in facts.get(containers)]
    except HostError:
        return ""
    if not names:
        return ""
    return ngettext(
        "Docker stops, and its container with it: {names}",
        "Docker stops, and its {n} containers with it: {names}",
        len(names),
        names=", ".join([*names[:_NAMED], "…"] if len(names) > _NAMED else names),
    )
