"""What can be done about Docker: install, start, settings, leftovers, the relay by proxy."""

from __future__ import annotations

from mailcow_wizard.facts import docker
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import (
    Offer,
    docker_install,
    docker_leftovers,
    docker_proxy,
    docker_relay,
    docker_settings,
)
from mailcow_wizard.fixes.choices import possible, tried
from mailcow_wizard.model import Judgement
from mailcow_wizard.requirements_docker import ENGINE_MINIMUM


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    if judgement.status not in ("warn", "fail"):
        return ()
    if check == "docker.engine" and judgement.status == "fail":
        return possible(lambda: _engine(check, facts))
    if check == "docker.daemon":
        return possible(lambda: tried(lambda: docker_settings.start(facts)))
    if check in ("docker.compose", "docker.flavor") and judgement.status == "fail":
        version = docker.numbers(facts.get(docker.engine).version)
        if not facts.get(docker.engine).installed or (0, 0, 0) < version < ENGINE_MINIMUM:
            return possible(lambda: _engine(check, facts))
        return possible(lambda: docker_install.compose(check, facts), lambda: _engine(check, facts))
    if check == "docker.daemon-json":
        return possible(lambda: tried(lambda: docker_settings.merge(facts)))
    if check == "docker.registry":
        return possible(lambda: tried(lambda: docker_proxy.name(judgement, facts)))
    if check == "docker.leftovers":
        return possible(lambda: tried(lambda: docker_leftovers.remove(facts)))
    if check == "docker.relay":
        return possible(lambda: tried(lambda: docker_relay.bind(facts)))
    return ()


def _engine(check: str, facts: Facts) -> Offer | None:
    """Where a new engine would not change what is wrong (rootless, a snap, userns-remap), none is offered."""
    known = facts.get(docker.info)
    if known and (known.rootless or known.snap or known.remapped):
        return None
    return docker_install.engine(check, facts)
