"""Processes of this machine, read from /proc."""

import os

from mailcow_wizard.host.replies import Process
from mailcow_wizard.numerals import is_number, whole

_MOST_BYTES = 8192
_LONGEST_NAME = 64  # kernel threads' names with what they work at; of programs it is 16


def running(names: tuple[str, ...]) -> tuple[Process, ...]:
    """The processes whose name (comm, cut at 15 characters by the kernel) is one of these."""
    wanted = {name[:15].encode() + b"\n" for name in names}
    found = sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and _comm(name) in wanted)
    users = user_names()
    return tuple(filter(None, (describe(pid, users) for pid in found)))


def _comm(pid: str) -> bytes:
    """A process's name and a line's end; empty when it is gone. Of thousands: a file object costs twice as
    much."""
    try:
        descriptor = os.open(f"/proc/{pid}/comm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _LONGEST_NAME)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def describe(pid: int, users: dict[int, str]) -> Process | None:
    """One process; None when it is gone. What this user may not read is empty."""
    try:
        uid = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
    words = _read(f"/proc/{pid}/cmdline").rstrip(b"\0").split(b"\0")
    return Process(
        pid=pid,
        name=_text(_read(f"/proc/{pid}/comm").removesuffix(b"\n")),
        user=users.get(uid, str(uid)),
        command=tuple(_text(word) for word in words if word),
        exe=_link(f"/proc/{pid}/exe"),
        cgroup=_cgroup(_text(_read(f"/proc/{pid}/cgroup"))),
    )


def user_names() -> dict[int, str]:
    """User names by number from /etc/passwd: a directory service that hangs must not hang this."""
    names: dict[int, str] = {}
    for line in _read("/etc/passwd", 1 << 20).decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) > 2 and is_number(fields[2]):
            names.setdefault(whole(fields[2]), fields[0])
    return names


def _cgroup(text: str) -> str:
    """The cgroup's path: of the unified hierarchy (`0::`), else of systemd's own (`name=systemd`)."""
    named = ""
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and len(path) > 1:
            return path
        if controllers == "name=systemd":
            named = path
    return named


def _read(path: str, limit: int = _MOST_BYTES) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError:
        return b""


def _link(path: str) -> str:
    try:
        return os.fsencode(os.readlink(path)).decode("utf-8", "replace").removesuffix(" (deleted)")
    except OSError:
        return ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
