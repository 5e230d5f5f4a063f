"""Whether something is there, for facts that must not take "it cannot be told" for "no"."""

from mailcow_wizard.host.door import Host, Missing


def is_there(host: Host, path: str) -> bool:
    """Whether the path exists; raises HostError where that cannot be told."""
    try:
        host.info(path)
    except Missing:
        return False
    return True
