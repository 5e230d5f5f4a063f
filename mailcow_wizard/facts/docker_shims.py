"""Containers as their own processes tell of them: they go on where Docker has ended (live-restore), was
killed or hangs, and says nothing of them."""

from __future__ import annotations

from mailcow_wizard.facts import docker, docker_daemon, docker_json
from mailcow_wizard.facts.containers import containers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing, Refused
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.host.replies import Process

_SHIM = "containerd-shim"  # as the kernel names containerd-shim-runc-v2, one for each container
_NAMESPACE = "moby"  # of containerd's, for Docker's containers; its plugins are in plugins.moby


def containers_run(facts: Facts) -> bool | None:
    """Whether containers of this machine's Docker run, whatever it says itself; None where their processes do
    not tell. Those of Kubernetes, of a rootless Docker and of one inside a container are none of them."""
    try:
        shims = facts.host.running((_SHIM,))
        told = {_is_dockers(facts, one) for one in shims}
    except HostError:
        return None
    return True if True in told else None if None in told else False


def left_running(facts: Facts) -> bool | None:
    """Whether a Docker that has ended left containers running; None where that is not known."""
    try:
        facts.get(containers)
    except (Missing, Refused):
        return facts.get(containers_run) if facts.get(docker.engine).installed else False
    except HostError:  # it is there, and what publishes ports for it
        pass
    return False


def _is_dockers(facts: Facts, shim: Process) -> bool | None:
    namespace = docker_daemon.option(shim.command, "namespace")
    if not namespace:
        return None
    own = facts.get(_namespace)
    # Where users are mapped (userns-remap) the first user's and group's numbers are written behind it.
    if namespace != own and not namespace.startswith(f"{own}-"):
        return False
    return not docker_daemon.is_inside_another(facts, shim) and shim.user == "root"


def _namespace(facts: Facts) -> str:
    name = "containerd-namespace"
    said = docker_daemon.option(facts.get(docker_daemon.options), name)
    try:
        return said or str(facts.get(docker_json.daemon_json).settings.get(name) or _NAMESPACE)
    except HostError:
        return _NAMESPACE
