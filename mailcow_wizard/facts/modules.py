"""The kernel's parts: built in, loaded, loadable or missing."""

import re
from collections.abc import Callable

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import modprobe
from mailcow_wizard.facts.presence import is_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.replies import MIB
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    State = Literal["built in", "loaded", "loadable", "forbidden", "missing", "unknown"]
else:
    State = str

# Traces in /proc of parts that are at work, however they came in.
_TRACES = {"br_netfilter": "/proc/sys/net/bridge/bridge-nf-call-iptables"}
_MOST = 16 * MIB


class Modules(NamedTuple):
    """The state of every module that is asked for.

    `others` names kernels that have modules here while the running one (`release`) has none; `lists` are
    the files that could be read; `forbidden` says of modules that are there and may not be loaded which file
    says so.
    """

    states: tuple[tuple[str, State], ...]
    release: str
    others: tuple[str, ...]
    lists: tuple[str, ...]
    forbidden: tuple[tuple[str, str], ...] = ()


def modules(facts: Facts) -> Modules:
    """Looks for each module where it would be cheapest to find; the kernel's configuration comes last."""
    host = facts.host
    release = host.uname().release
    wanted = [name for part in need.KERNEL_PARTS for names in part.sets for name in names]
    place = f"/lib/modules/{release}"
    loaded, here = _loaded(host)
    sources: list[str] = [here] if here else []
    dependencies = _listed(host, f"{place}/modules.dep", sources)
    builtin = _listed(host, f"{place}/modules.builtin", sources)
    states = {
        name: _state(_same(name), builtin, loaded, dependencies, traced=_traced(host, name))
        for name in dict.fromkeys(wanted)
    }
    if any(state in ("unknown", "missing") for state in states.values()):
        configured = _configuration(host, release, sources)
        if configured:
            for name, state in states.items():
                if state in ("unknown", "missing"):
                    states[name] = _by_configuration(name, state, configured, dependencies)
    others = () if dependencies or is_there(host, place) else _other_kernels(host)
    forbidden = _forbidden(host, tuple(name for name, state in states.items() if state == "loadable"))
    states.update((name, "forbidden") for name, _unused in forbidden)
    return Modules(tuple(states.items()), release, others, tuple(sources), forbidden)


def _forbidden(host: Host, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Which of these modules, none of them loaded, cannot be loaded, and the file that says so."""
    if not names:
        return ()
    if modprobe.locked(host):
        return tuple((name, modprobe.LOCK) for name in names)
    lines = modprobe.installs(host)
    return tuple((name, path) for name in names if (path := modprobe.forbids(name, lines)))


def _same(name: str) -> str:
    return name.replace("-", "_")


def _state(
    name: str,
    builtin: frozenset[str] | None,
    loaded: frozenset[str],
    dependencies: frozenset[str] | None,
    traced: bool,
) -> State:
    if builtin and name in builtin:
        return "built in"
    if name in loaded or traced:
        return "loaded"
    if dependencies and name in dependencies:
        return "loadable"
    return "missing" if dependencies and builtin else "unknown"


def _loaded(host: Host) -> tuple[frozenset[str], str]:
    """Names in /proc/modules and /sys/module (that also lists some built-in parts), and which was read."""
    try:
        text = host.text("/proc/modules", _MOST)
    except Missing:
        text = ""
    found = {line.split(" ", 1)[0] for line in text.splitlines()}
    try:
        names = host.names("/sys/module")
    except HostError:
        names = ()
    try:
        kinds = host.text("/proc/filesystems", MIB).split()
    except HostError:
        kinds = []
    if "overlay" in kinds:
        found.add("overlay")
    source = "/proc/modules" if text else "/sys/module" if names else ""
    return frozenset(_same(name) for name in (*found, *names)), source


def _traced(host: Host, name: str) -> bool:
    return name in _TRACES and is_there(host, _TRACES[name])


def _listed(host: Host, path: str, sources: list[str]) -> frozenset[str] | None:
    """Names of the modules that depmod's list holds; None where it is missing or holds none."""
    try:
        text = host.text(path, _MOST)
    except Missing:
        return None
    names = frozenset(_same(name) for name in parse_list(text))
    if names:
        sources.append(path)
    return names or None


def parse_list(text: str) -> list[str]:
    """Module names of modules.dep and modules.builtin: `kernel/net/veth.ko.zst: …` is veth."""
    return re.findall(r"^(?:[^\s:]*/)?([\w-]+)\.ko(?:\.[a-z0-9]{1,5})?(?=:|$)", text, re.MULTILINE)


def _configuration(host: Host, release: str, sources: list[str]) -> dict[str, str] | None:
    """The kernel's configuration (symbol to y or m); what is not set is not in it."""
    readers: tuple[tuple[str, Callable[[bytes], str]], ...] = (
        ("/proc/config.gz", _unpacked),
        (f"/boot/config-{release}", lambda data: data.decode("utf-8", "replace")),
    )
    for path, read in readers:
        try:
            symbols = parse_configuration(read(host.read(path, _MOST)))
        except HostError:
            continue
        if "MODULES" in symbols or len(symbols) > 100:
            sources.append(path)
            return symbols
    return None


def parse_configuration(text: str) -> dict[str, str]:
    """CONFIG_X=y and =m of a kernel's configuration."""
    return dict(re.findall(r"^CONFIG_([A-Z0-9_]+)=([ym])$", text, re.MULTILINE))


def _unpacked(data: bytes) -> str:
    """At most 16 MiB of a gzip file."""
    import zlib

    try:
        return zlib.decompressobj(wbits=31).decompress(data, _MOST).decode("utf-8", "replace")
    except zlib.error:
        raise HostError(_("/proc/config.gz cannot be unpacked")) from None


def _by_configuration(
    name: str, state: State, configured: dict[str, str], dependencies: frozenset[str] | None
) -> State:
    """What the configuration adds: built in; really missing; or a module whose file nobody lists here."""
    values = {configured.get(symbol, "n") for symbol in need.KERNEL_SYMBOLS[name]}
    if "y" in values:
        return "built in"
    if "m" in values and not dependencies:
        return state
    return "missing"


def _other_kernels(host: Host) -> tuple[str, ...]:
    """Kernels whose modules lie here."""
    try:
        names = host.names("/lib/modules")
    except HostError:
        return ()
    return tuple(name for name in names if re.match(r"[0-9]", name))
