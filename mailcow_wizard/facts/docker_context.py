"""Docker's contexts, by which the command docker may talk to another engine than this machine's usual one."""

from __future__ import annotations

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple

_COMMAND_S = 5.0
_FORM = "{{.Name}} {{.Endpoints.docker.Host}}"
_USUAL = "default"


class Context(NamedTuple):
    """A context: its name, and where its engine is asked (unix://PATH, tcp://HOST:PORT, ssh://HOST)."""

    name: str
    address: str


def context(facts: Facts) -> Context | None:
    """The one that the command docker uses for who runs this; None where that is the usual one, or where
    nobody tells."""
    host = facts.host
    try:
        # The commands of the wizard itself have no home, and so no contexts.
        home = host.variable("HOME").rstrip("/") or "/root"
        place = host.variable("DOCKER_CONFIG") or f"{home}/.docker"
        if not host.exists(f"{place}/contexts"):
            return None
        chosen = host.variable("DOCKER_CONTEXT")
        options = ("--config", place, *((f"--context={chosen}",) if chosen else ()))
        ran = host.run(("docker", *options, "context", "inspect", "--format", _FORM), _COMMAND_S)
    except HostError:
        return None
    name, _unused, address = ran.out.strip().partition(" ")
    return None if ran.code or name in ("", _USUAL) else Context(name, address)
