"""What kind of machine this is: bare metal, a virtual machine, a container, an appliance."""

import re
from collections.abc import Iterator

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import cpu, storage
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

_TOOL = "systemd-detect-virt"
_INIT_ENVIRONMENT = "/proc/1/environ"
# gVisor shows this kernel to everyone inside it.
_GVISOR = "Sun Jan 10 15:06:54 PST 2016"


class Sign(NamedTuple):
    """Something that only this kind of machine has: its name as systemd-detect-virt writes it, the command
    that shows it, and what that showed."""

    name: str
    seen: str
    value: str


class Virtualization(NamedTuple):
    """All signs of a container and of a virtual machine, our own look first.

    `excluded` says that a source which knows containers was asked and knew of none; `unread` names the
    sources that did not answer; `denied` says that root could read more of the first process.
    """

    containers: tuple[Sign, ...]
    machines: tuple[Sign, ...]
    excluded: bool
    unread: tuple[str, ...]
    denied: bool = False


class Places(NamedTuple):
    """Things that were found where a product puts them: (product, path)."""

    found: tuple[tuple[str, str], ...]


def virtualization(facts: Facts) -> Virtualization:
    """Joins systemd's answer with our own look at /proc, /sys, /run and DMI."""
    host, unread = facts.host, list[str]()
    variables, denied = _environment_of_init(host)
    if not variables:
        unread.append(_INIT_ENVIRONMENT)
    containers = [*_container_files(host, unread), *_container_of_init(variables), *_lxcfs(facts, unread)]
    containers += _kernel_in_disguise(host, unread)
    machines = [*_firmware(host, unread), *_xen(host), *_hypervisor_flag(facts, unread)]
    said = _tool(host, "--container")
    if said is None:
        unread.append(_TOOL)
    elif said != "none":
        containers.append(Sign(said, f"{_TOOL} --container", said))
    if not containers and not any(sign.name in need.VIRTUAL_MACHINES for sign in machines):
        name = _tool(host, "--vm")
        if name and name != "none":
            machines.append(Sign(name, f"{_TOOL} --vm", name))
    excluded = bool(variables) or said == "none"
    return Virtualization(tuple(containers), tuple(machines), excluded, tuple(unread), denied)


def _tool(host: Host, option: str) -> str | None:
    """What systemd-detect-virt prints; None where it is absent or says nothing sensible."""
    try:
        said = host.run((_TOOL, option)).out.strip()
    except HostError:
        return None
    return said if re.fullmatch(r"[a-z0-9-]{1,40}", said) else None


def _container_files(host: Host, unread: list[str]) -> Iterator[Sign]:
    if _there(host, "/proc/user_beancounters", unread) and not _there(host, "/proc/bc", unread):
        yield Sign("openvz", "ls -d /proc/user_beancounters /proc/bc", _("only the first is there"))
    elif _there(host, "/proc/vz", unread) and not _there(host, "/proc/bc", unread):
        yield Sign("openvz", "ls -d /proc/vz /proc/bc", _("only the first is there"))
    for path, name in (("/.dockerenv", "docker"), ("/run/.containerenv", "podman")):
        if _there(host, path, unread):
            yield Sign(name, f"ls {path}", _("it is there"))
    try:
        said = host.text("/run/systemd/container", 4096).strip()
    except Missing:
        return
    except HostError:
        unread.append("/run/systemd/container")
        return
    if said:
        yield Sign(said[:40], "cat /run/systemd/container", said)


def _environment_of_init(host: Host) -> tuple[tuple[str, ...], bool]:
    """The variables of the first process (none where there is no answer), and whether root would see more."""
    try:
        text = host.text(_INIT_ENVIRONMENT)
    except HostError as error:
        # Where a machine is shut up tightly, root may not either.
        return (), isinstance(error, Denied) and host.user().uid != 0
    return tuple(one for one in text.split("\0") if "=" in one), False


def _container_of_init(variables: tuple[str, ...]) -> Iterator[Sign]:
    """The variable `container` that every container manager gives to its first process."""
    seen = f"tr '\\0' '\\n' < {_INIT_ENVIRONMENT} | grep ^container="
    for name, _unused, value in (one.partition("=") for one in variables):
        if name == "container" and value:
            yield Sign(value[:40], seen, f"container={value}")


def _lxcfs(facts: Facts, unread: list[str]) -> Iterator[Sign]:
    """LXC mounts its own files over /proc (a host of LXC containers has them elsewhere)."""
    try:
        mounts = facts.get(storage.mounts)
    except HostError:
        unread.append(storage.MOUNTINFO)
        return
    for mount in mounts:
        if mount.kind == "fuse.lxcfs" and mount.point.startswith("/proc/"):
            yield Sign(
                "lxc", f"grep lxcfs {storage.MOUNTINFO}", _("{point} comes from lxcfs", point=mount.point)
            )
            return


def _kernel_in_disguise(host: Host, unread: list[str]) -> Iterator[Sign]:
    try:
        text = host.text("/proc/version", 4096)
    except HostError:
        unread.append("/proc/version")
        return
    release = " ".join(text.split()[:3])
    if "microsoft" in release.lower() or "WSL" in release:
        yield Sign("wsl", "cat /proc/version", release)
    if _GVISOR in text:
        yield Sign("gvisor", "cat /proc/version", text.strip())


def _firmware(host: Host, unread: list[str]) -> Iterator[Sign]:
    said = []
    for name in ("sys_vendor", "product_name", "bios_vendor", "chassis_vendor"):
        path = f"/sys/class/dmi/id/{name}"
        try:
            said.append(host.text(path, 4096).strip())
        except Missing:
            continue
        except HostError:
            unread.append(path)
    text = " ".join(said)
    for words, name in need.VIRTUAL_MACHINES_BY_FIRMWARE:
        if re.search(words, text) and ".metal" not in text:
            yield Sign(name, "cat /sys/class/dmi/id/{sys_vendor,product_name}", " ".join(said[:2]))
            return


def _xen(host: Host) -> Iterator[Sign]:
    try:
        kind = host.text("/sys/hypervisor/type", 64).strip()
    except HostError:
        return
    try:
        master = "control_d" in host.text("/proc/xen/capabilities", 256)
    except HostError:
        master = False
    if kind == "xen" and not master:
        yield Sign("xen", "cat /sys/hypervisor/type", kind)


def _hypervisor_flag(facts: Facts, unread: list[str]) -> Iterator[Sign]:
    try:
        flags = facts.get(cpu.processors).flags or ()
    except HostError:
        unread.append(cpu.CPUINFO)
        return
    if "hypervisor" in flags:
        yield Sign("vm-other", f"grep -m1 -ow hypervisor {cpu.CPUINFO}", "hypervisor")


def _there(host: Host, path: str, unread: list[str]) -> bool:
    try:
        host.info(path)
    except Missing:
        return False
    except HostError:
        unread.append(path)
        return False
    return True


def appliances(facts: Facts) -> Places:
    """Signs of an appliance's firmware or of a system that is managed as a whole."""
    return _places(facts.host, tuple((one.name, one.paths) for one in need.APPLIANCES))


def control_panels(facts: Facts) -> Places:
    """Signs of hosting control panels and of other mail suites."""
    return _places(facts.host, need.CONTROL_PANELS)


def _places(host: Host, products: tuple[tuple[str, tuple[str, ...]], ...]) -> Places:
    """The first place of each product that exists; where none does and one may not be looked at: Denied."""
    found, denied = [], list[HostError]()
    host.info("/etc")  # a machine without /etc cannot be judged by what is not there
    for name, paths in products:
        for path in paths:
            try:
                host.info(path)
            except Missing:
                continue
            except Denied as error:
                denied.append(error)
                continue
            found.append((name, path))
            break
    if denied and not found:
        raise denied[0]
    return Places(tuple(found))
