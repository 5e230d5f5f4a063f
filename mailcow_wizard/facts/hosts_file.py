"""/etc/hosts: names to which this machine's own programs take the addresses that stand there (hosts(5))."""

from __future__ import annotations


def addresses_in_hosts(text: str, name: str) -> tuple[str, ...]:
    """The addresses that a hosts file (hosts(5)) gives a name, in their order."""
    wanted = name.lower().rstrip(".")
    rows = (line.partition("#")[0].lower().split() for line in text.splitlines())
    return tuple(dict.fromkeys(row[0] for row in rows if wanted in row[1:]))
