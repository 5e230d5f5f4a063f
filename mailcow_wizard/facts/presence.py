"""What is there: for facts that must not take "it cannot be told" for "no", and for those that may."""

from mailcow_wizard.host.door import Host, HostError, Missing


def is_there(host: Host, path: str) -> bool:
    """Whether the path exists; raises HostError where that cannot be told."""
    try:
        host.info(path)
    except Missing:
        return False
    return True


def names_in(host: Host, directory: str) -> tuple[str, ...]:
    """The names in a directory; none also where it is not there, or cannot be read."""
    try:
        return host.names(directory)
    except HostError:
        return ()
