"""Settings of the kernel: now, and at every start by a file of ours in /etc/sysctl.d."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mailcow_wizard.facts import storage, system
from mailcow_wizard.facts.drop_ins import drop_ins
from mailcow_wizard.facts.presence import read_if_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Manual, Plan, Risk
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

DROP_IN = "/etc/sysctl.d/60-mailcow-wizard.conf"
_HEAD = b"# Written by mailcow-wizard, which can take its settings back: mailcow-wizard undo\n"
# sysctl.d(5): of two files with one name the first place counts; files are read in the order of names.
_PLACES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
_LAST = "/etc/sysctl.conf"  # `sysctl --system` and OpenRC read it after all others
_PROC = "/proc/sys"


def plan(
    facts: Facts,
    check: str,
    wanted: Mapping[str, int],
    title: str,
    risk: Risk,
    consequence: str,
    interfaces: str = "",
) -> Plan | None:
    """Sets these keys, now and at every start; None where they cannot be set from here (a container).

    A key is written with dots, or with slashes where a name in it has dots itself (eth0.100).

    `interfaces` is a setting that each network card has besides, and that follows `all`: each card's is put
    back when the change is taken back. Raises HostError.
    """
    host = facts.host
    if not wanted or not _writable(facts, wanted):
        return None
    host.which("sysctl")
    commands: list[PlanStep] = []
    for key, value in wanted.items():
        old = _value(host, key)
        if old != value:
            undo = [_set(key, old)]
            if interfaces and key == f"net.ipv6.conf.all.{interfaces}":
                undo += _of_interfaces(host, interfaces, old)
            commands.append(Command(_set(key, value), tuple(undo)))
    before = read_if_there(host, DROP_IN)
    after = merged(before, wanted)
    edits: list[PlanStep] = [Edit(DROP_IN, before, after)] if after != before else []
    edits += _later(host, wanted)
    return Plan(
        check,
        None,
        "sysctl",
        title,
        (*edits, *commands),
        risk,
        reversible=True,
        needs_root=True,
        consequence=consequence,
    )


def merged(before: bytes | None, wanted: Mapping[str, int]) -> bytes:
    """Our file with these settings: lines of theirs are changed in place, new ones come last."""
    data = before if before else _HEAD
    for key, value in wanted.items():
        changed = _replaced(data, key, value)
        if changed == data and not any(one == _dotted(key) for one, _unused in settings(data)):
            end = b"" if data.endswith(b"\n") else b"\n"
            changed = data + end + f"{key} = {value}\n".encode()
        data = changed
    return data


def settings(data: bytes) -> Iterator[tuple[str, str]]:
    """The keys (with dots) and values of a file in sysctl.d(5)'s form."""
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and key[:1] not in ("#", ";", ""):
            yield _dotted(key), value.strip()


def _dotted(key: str) -> str:
    return key.strip().removeprefix("-").strip().replace("/", ".")


def _replaced(data: bytes, key: str, value: int) -> bytes:
    """The file with every line that sets this key setting this value; the rest stays byte for byte."""
    pattern = rb"[./]".join(re.escape(part.encode()) for part in _dotted(key).split("."))
    return re.sub(
        rb"(?m)^([ \t]*-?[ \t]*" + pattern + rb"[ \t]*=[ \t]*)[^\r\n]*",
        lambda found: found[1] + str(value).encode(),
        data,
    )


def _later(host: Host, wanted: Mapping[str, int]) -> list[PlanStep]:
    """What other files say about these keys after ours: lines in /etc are changed, others named."""
    steps: list[PlanStep] = []
    seen: set[str] = set()
    for path in (*_after_ours(host), _LAST):
        try:
            target = host.resolve(path)
            data = host.read(path)
        except HostError:
            continue
        if target in seen:
            continue
        seen.add(target)
        keys = {_dotted(key): key for key in wanted}
        said = {keys[key]: value for key, value in settings(data) if key in keys}
        other = {key: value for key, value in said.items() if value != str(wanted[key])}
        if not other:
            continue
        if not target.startswith("/etc/"):
            words = ", ".join(f"{key} = {value}" for key, value in other.items())
            steps.append(
                Manual(
                    _(
                        "{path} sets {words} after our file: at the next start that counts.",
                        path=path,
                        words=words,
                    )
                )
            )
            continue
        after = data
        for key in other:
            after = _replaced(after, key, wanted[key])
        steps.append(Edit(target, data, after))
    return steps


def _after_ours(host: Host) -> list[str]:
    """The files that are read after ours."""
    ours = DROP_IN.rpartition("/")[2]
    return [path for name, path in drop_ins(host, _PLACES, "sysctl.d").items() if name > ours]


def _writable(facts: Facts, wanted: Mapping[str, int]) -> bool:
    """Whether root may set these here: containers have /proc/sys read-only, or a root in name only."""
    who = facts.get(system.privileges)
    if who.user.uid == 0 and not who.whole_range:
        return False
    for key in wanted:
        mount = storage.holding(facts, _file(key))
        if "ro" in mount.options | mount.super_options:
            return False
    return True


def _file(key: str) -> str:
    return f"{_PROC}/{key if '/' in key else key.replace('.', '/')}"


def _set(key: str, value: int) -> tuple[str, ...]:
    return ("sysctl", "-w", f"{key}={value}")


def _value(host: Host, key: str) -> int:
    file = _file(key)
    text = host.text(file, 4096).strip()
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise NoPlan(_("{file} does not hold a number.", file=file))
    return int(text)


def _of_interfaces(host: Host, setting: str, written: int) -> list[tuple[str, ...]]:
    """Commands that give each network card its own value back, where writing to `all` would not."""
    commands: list[tuple[str, ...]] = []
    for name in host.names(f"{_PROC}/net/ipv6/conf"):
        if name == "all":
            continue
        old = _value(host, f"net/ipv6/conf/{name}/{setting}")
        if old != written:
            # With slashes, a dot in a name (eth0.100) is no separator.
            commands.append(("sysctl", "-w", f"net/ipv6/conf/{name}/{setting}={old}"))
    return commands
