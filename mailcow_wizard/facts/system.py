"""What the machine is made of: processor, memory, swap, disk, operating system, tools."""

from typing import NamedTuple

from mailcow_wizard.facts.store import Facts


class Memory(NamedTuple):
    """Total memory in bytes, as /proc/meminfo says it."""

    total: int


def memory(facts: Facts) -> Memory:
    """MemTotal of /proc/meminfo; raises HostError where it is missing or not a number."""
    fields = meminfo(facts.host.text("/proc/meminfo"))
    return Memory(fields["MemTotal"])


def meminfo(text: str) -> dict[str, int]:
    """Parses /proc/meminfo: name to bytes."""
    fields: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            fields[name.strip()] = int(words[0]) * (1024 if words[1:] == ["kB"] else 1)
    return fields
