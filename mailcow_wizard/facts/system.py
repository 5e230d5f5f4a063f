"""What the machine is made of: memory, swap, operating system, and who we are on it."""

import re

from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.replies import User
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number
from mailcow_wizard.typed import NamedTuple

_WHOLE_RANGE = ["0", "0", "4294967295"]
# Of a machine's own control group there is no such file (version 2), or it holds more than any machine has.
_MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")


class Memory(NamedTuple):
    """The memory that there is, in bytes, as /proc/meminfo says it; `left_out`: keys of mailcow.conf (`conf`)
    that save some. Where a container may take less than its machine has, `limit` is the file that says so,
    and `total` what it says."""

    total: int
    left_out: tuple[str, ...] = ()
    limit: str = ""
    conf: str = "mailcow.conf"


class SwapArea(NamedTuple):
    """One line of /proc/swaps, in bytes. `compressed` memory (zram) lives in the memory it should relieve."""

    name: str
    size: int
    compressed: bool


class OsRelease(NamedTuple):
    """os-release(5): where it was read, its words for the system, the version in numbers, its codename."""

    path: str
    id: str
    like: tuple[str, ...]
    name: str
    version: tuple[int, ...]
    codename: str = ""


class Privileges(NamedTuple):
    """Who runs this, and whether uid 0 here is uid 0 of the whole machine."""

    user: User
    whole_range: bool


def memory(facts: Facts) -> Memory:
    """MemTotal of /proc/meminfo, or what a container may take of it; raises HostError where it is missing or
    not a number."""
    total = meminfo(facts.host.text("/proc/meminfo")).get("MemTotal", 0)
    if not total:
        raise HostError(_("/proc/meminfo has no MemTotal line"))
    for path in _MEMORY_LIMITS:
        try:
            said = facts.host.text(path, 64).strip()
        except HostError:
            continue
        if is_number(said) and 0 < int(said) < total:
            return Memory(int(said), limit=path)
    return Memory(total)


def memory_and_parts(facts: Facts) -> Memory:
    """The memory, and which of mailcow's large parts are switched off; raises HostError as `memory` does."""
    try:
        conf = facts.get(mailcow_conf)
    except HostError:
        return facts.get(memory)
    left_out = tuple(key for key in ("SKIP_CLAMD", "SKIP_FTS") if conf.yes(key))
    return facts.get(memory)._replace(left_out=left_out, conf=conf.path)


def meminfo(text: str) -> dict[str, int]:
    """Parses /proc/meminfo: name to bytes."""
    fields: dict[str, int] = {}
    for line in text.splitlines():
        name, _unused, rest = line.partition(":")
        words = rest.split()
        if words and re.fullmatch(r"[0-9]{1,15}", words[0]):
            fields[name.strip()] = int(words[0]) * (1024 if words[1:] == ["kB"] else 1)
    return fields


def swap(facts: Facts) -> tuple[SwapArea, ...]:
    """All areas in use. A kernel without swapping has no /proc/swaps: then there are none."""
    try:
        text = facts.host.text("/proc/swaps")
    except Missing:
        facts.get(memory)  # a machine whose /proc is empty tells nothing
        return ()
    return parse_swaps(text)


def parse_swaps(text: str) -> tuple[SwapArea, ...]:
    """Parses /proc/swaps; raises HostError where it is something else."""
    header, *lines = text.splitlines() or [""]
    if not header.startswith("Filename"):
        raise HostError(_("/proc/swaps has no header line"))
    areas = []
    for line in lines:
        words = line.split()
        if len(words) != 5 or not re.fullmatch(r"[0-9]{1,15}", words[2]):
            raise HostError(_("/proc/swaps has a line that cannot be read"))
        name, size = words[0], int(words[2]) * 1024
        areas.append(SwapArea(name, size, re.match(r"/dev/(block/)?zram", name) is not None))
    return tuple(areas)


def os_release(facts: Facts) -> OsRelease:
    """The system's own description, from /etc or, without that, from /usr/lib."""
    for path in _OS_RELEASE:
        try:
            return parse_os_release(path, facts.host.text(path, 64 * 1024))
        except Missing:
            continue
    raise Missing(
        _(
            "neither {file} nor {other} is there",
            file=_OS_RELEASE[0],
            other=_OS_RELEASE[1],
        )
    )


def parse_os_release(path: str, text: str) -> OsRelease:
    """Parses os-release(5); raises HostError where it has no ID line."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            fields[name] = _unquoted(value.strip())
    identity = fields.get("ID", "").lower()
    if not re.fullmatch(r"[a-z0-9._-]+", identity):
        raise HostError(_("{path} has no ID line", path=path))
    version = re.match(r"[0-9]{1,6}(\.[0-9]{1,6})*", fields.get("VERSION_ID", ""))
    return OsRelease(
        path,
        identity,
        tuple(fields.get("ID_LIKE", "").lower().split()),
        fields.get("PRETTY_NAME") or fields.get("NAME") or identity,
        tuple(int(part) for part in version[0].split(".")) if version else (),
        fields.get("VERSION_CODENAME", ""),
    )


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return re.sub(r"\\(.)", r"\1", value)


def privileges(facts: Facts) -> Privileges:
    """Who runs this. A user namespace that maps only part of the range makes a root in name only."""
    user = facts.host.user()
    if user.uid != 0:
        return Privileges(user, whole_range=False)
    try:
        text = facts.host.text("/proc/self/uid_map", 64 * 1024)
    except Missing:  # a kernel without user namespaces
        return Privileges(user, whole_range=True)
    rows = [line.split() for line in text.splitlines()]
    if not rows or not all(len(row) == 3 and "".join(row).isdecimal() for row in rows):
        raise HostError(_("/proc/self/uid_map does not hold three numbers a line"))
    return Privileges(user, whole_range=_WHOLE_RANGE in rows)
