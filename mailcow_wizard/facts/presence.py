"""What is there: for facts that must not take "it cannot be told" for "no", and for those that may."""

from __future__ import annotations

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing


def is_there(host: Host, path: str) -> bool:
    """Whether the path exists; raises HostError where that cannot be told."""
    try:
        host.info(path)
    except Missing:
        return False
    return True


def read_if_there(host: Host, path: str) -> bytes | None:
    """A file's content, None where there is no such file; raises HostError where that cannot be told."""
    try:
        return host.read(path)
    except Missing:
        return None


def names_in(host: Host, directory: str) -> tuple[str, ...]:
    """The names in a directory; none also where it is not there, or cannot be read."""
    try:
        return host.names(directory)
    except HostError:
        return ()


def path_of_command(host: Host, command: str) -> str:
    """Where a command is, empty where it is not installed; raises HostError where that cannot be told."""
    try:
        return host.which(command)
    except Missing:
        return ""


def has_command(host: Host, command: str) -> bool:
    """Whether a command is installed; no also where that cannot be told."""
    try:
        return bool(host.which(command))
    except HostError:
        return False
