"""The programs that mailcow's scripts call."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import system
from mailcow_wizard.facts.presence import path_of_command
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple


class Tools(NamedTuple):
    """The path of each tool (empty: not installed), which of them BusyBox stands in for, and how this
    distribution installs packages (empty where it is not known)."""

    paths: tuple[tuple[str, str], ...]
    busybox: tuple[str, ...]
    packager: str


def tools(facts: Facts) -> Tools:
    """Looks for every tool in the system's own directories."""
    host = facts.host
    wanted = dict.fromkeys((*need.TOOLS_REQUIRED, *need.TOOLS_NOT_BUSYBOX, *need.TOOLS_ADVISED))
    paths = tuple((name, path_of_command(host, name)) for name in wanted)
    busybox = tuple(
        name for name, path in paths if path and name in need.TOOLS_NOT_BUSYBOX and _is_busybox(host, path)
    )
    return Tools(paths, busybox, packager(facts))


def _is_busybox(host: Host, path: str) -> bool:
    """A link to busybox, or a copy of it under another name."""
    target = host.resolve(path)
    return target.rpartition("/")[2].startswith("busybox") or host.contains(target, b"BusyBox v")


def packager(facts: Facts) -> str:
    """The package tool of this distribution, by os-release; empty where it is not known."""
    try:
        system_ = facts.get(system.os_release)
    except HostError:
        return ""
    for name in (system_.id, *system_.like):
        if name in need.PACKAGERS:
            return need.PACKAGERS[name]
    return ""
