"""Kinds of machines, each as what it shows in /proc, /sys, /run and DMI, with and without systemd."""

from typing import NamedTuple

import pytest

from mailcow_wizard.checks.virtualization import APPLIANCE, CONTROL_PANEL, VIRTUALIZATION
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.virtualization import virtualization
from mailcow_wizard.host.errors import Denied, HostError, NoAnswer
from mailcow_wizard.host.replies import Ran
from mailcow_wizard.model import Check
from tests.fake_host import SOMEBODY, FakeHost
from tests.judged import look

Files = dict[str, str | bytes | HostError]

INIT = "HOME=/\0TERM=linux\0"
ROOT_ONLY = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
BARE = "processor : 0\nflags : fpu sse2\n"
GUEST = "processor : 0\nflags : fpu hypervisor\n"
DEBIAN = "Linux version 6.1.0-25-amd64 (debian-kernel@lists.debian.org) (gcc-12) #1 SMP Debian 6.1.106-3"
DMI = "/sys/class/dmi/id"

MACHINE: Files = {
    "/proc/1/environ": INIT,
    "/proc/self/mountinfo": ROOT_ONLY,
    "/proc/cpuinfo": BARE,
    "/proc/version": DEBIAN,
}
LXCFS = f"{ROOT_ONLY}2 1 0:5 / /proc/meminfo rw - fuse.lxcfs lxcfs rw\n"
LXCFS_HOST = f"{ROOT_ONLY}2 1 0:5 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw\n"
WSL2 = "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f) (gcc) #1 SMP"
WSL1 = "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc) #1237-Microsoft"
AZURE = "Linux version 6.5.0-1025-azure (buildd@lcy02) (gcc) #26~22.04.1-Ubuntu SMP"
GVISOR = "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016"
DOM0: Files = {"/sys/hypervisor/type": "xen\n", "/proc/xen/capabilities": "control_d\n"}
QEMU: Files = {f"{DMI}/sys_vendor": "QEMU\n", f"{DMI}/product_name": "Standard PC (i440FX + PIIX, 1996)\n"}
HETZNER: Files = {f"{DMI}/sys_vendor": "Hetzner\n", f"{DMI}/product_name": "vServer\n"}
HYPER_V: Files = {f"{DMI}/sys_vendor": "Microsoft Corporation\n", f"{DMI}/product_name": "Virtual Machine\n"}
SURFACE: Files = {f"{DMI}/sys_vendor": "Microsoft Corporation\n", f"{DMI}/product_name": "Surface Pro\n"}
EC2: Files = {f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "t3.medium\n"}
EC2_METAL: Files = {f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c5.metal\n"}
DELL: Files = {f"{DMI}/sys_vendor": "Dell Inc.\n", f"{DMI}/product_name": "PowerEdge R640\n"}


class Kind(NamedTuple):
    """What a kind of machine adds to an ordinary one, and what the check should say."""

    name: str
    files: Files
    status: str
    said: str


KINDS = (
    Kind("bare metal", DELL, "pass", "bare metal"),
    Kind("KVM of Proxmox", {**QEMU, "/proc/cpuinfo": GUEST}, "pass", "QEMU"),
    Kind("Hetzner ARM", {**HETZNER, "/proc/cpuinfo": "processor : 0\nFeatures : asimd\n"}, "pass", "KVM"),
    Kind("Hyper-V", {**HYPER_V, "/proc/cpuinfo": GUEST}, "pass", "Hyper-V"),
    Kind("a Microsoft laptop", SURFACE, "pass", "bare metal"),
    Kind("EC2", {**EC2, "/proc/cpuinfo": GUEST}, "pass", "Amazon EC2"),
    Kind("EC2 bare metal", EC2_METAL, "pass", "bare metal"),
    Kind("Azure's kernel is not WSL", {"/proc/version": AZURE}, "pass", "bare metal"),
    Kind("unnamed virtual machine", {"/proc/cpuinfo": GUEST}, "pass", "a virtual machine"),
    Kind("Xen guest", {"/sys/hypervisor/type": "xen\n"}, "pass", "Xen"),
    Kind("Xen's first machine", DOM0, "pass", "bare metal"),
    Kind("OpenVZ", {"/proc/user_beancounters": "Version: 2.5", "/proc/vz/": ""}, "fail", "OpenVZ"),
    Kind("OpenVZ, unreadable", {"/proc/user_beancounters": ""}, "fail", "OpenVZ"),
    Kind("OpenVZ by /proc/vz", {"/proc/vz/": ""}, "fail", "OpenVZ"),
    Kind("OpenVZ's host", {"/proc/vz/": "", "/proc/bc/": "", "/proc/user_beancounters": ""}, "pass", "bare"),
    Kind("LXC", {"/proc/1/environ": "container=lxc\0TERM=linux\0"}, "fail", "LXC"),
    Kind("LXC by its mounts", {"/proc/self/mountinfo": LXCFS}, "fail", "LXC"),
    Kind("a host of LXC", {"/proc/self/mountinfo": LXCFS_HOST}, "pass", "bare metal"),
    Kind("LXC by systemd's note", {"/run/systemd/container": "lxc\n"}, "fail", "LXC"),
    Kind("Docker", {"/.dockerenv": "", "/proc/1/environ": "PATH=/bin\0"}, "warn", "Docker"),
    Kind("Podman", {"/run/.containerenv": ""}, "warn", "Podman"),
    Kind("nspawn", {"/proc/1/environ": "container=systemd-nspawn\0"}, "warn", "systemd-nspawn"),
    Kind("a container of its own kind", {"/proc/1/environ": "container=[b]\x1b\0"}, "warn", "a container"),
    Kind("WSL 2", {"/proc/version": WSL2}, "warn", "Windows Subsystem"),
    Kind("WSL 1", {"/proc/version": WSL1}, "warn", "Windows Subsystem"),
    Kind("gVisor", {"/proc/version": GVISOR}, "warn", "gVisor"),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_our_own_look(kind: Kind) -> None:
    judgement = look(VIRTUALIZATION, Facts(FakeHost({**MACHINE, **kind.files})))
    assert judgement.status == kind.status
    assert kind.said in judgement.summary
    assert judgement.evidence


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_our_own_look_wins_over_a_tool_that_sees_nothing(kind: Kind) -> None:
    none = Ran(1, "none\n", "")
    commands = {"systemd-detect-virt --container": none, "systemd-detect-virt --vm": none}
    assert look(VIRTUALIZATION, Facts(FakeHost({**MACHINE, **kind.files}, commands))).status == kind.status


def tool(container: Ran | str | HostError, vm: Ran | str | HostError) -> dict[str, Ran | str | HostError]:
    return {"systemd-detect-virt --container": container, "systemd-detect-virt --vm": vm}


NONE = Ran(1, "none\n", "")
BLIND: Files = {**MACHINE, "/proc/1/environ": Denied("no")}


@pytest.mark.parametrize(
    ("files", "commands", "status", "said"),
    [
        (MACHINE, tool("lxc\n", NONE), "fail", "LXC"),
        (MACHINE, tool("openvz\n", NONE), "fail", "OpenVZ"),
        (MACHINE, tool("docker\n", "kvm\n"), "warn", "Docker"),
        (MACHINE, tool("proot\n", NONE), "warn", "PRoot"),
        (MACHINE, tool(NONE, "kvm\n"), "pass", "KVM"),
        (MACHINE, tool(NONE, "something-new\n"), "pass", "a virtual machine"),
        (BLIND, tool(NONE, "vmware\n"), "pass", "VMware"),
        (BLIND, tool(NONE, NONE), "pass", "bare metal"),
        (BLIND, {}, "unknown", "needs root"),
        (BLIND, tool(NoAnswer("slow"), NoAnswer("slow")), "unknown", "needs root"),
        (BLIND, tool("", ""), "unknown", "needs root"),
        (BLIND, tool("\x1b[31m garbage", "x" * 99), "unknown", "needs root"),
        ({**BLIND, "/.dockerenv": ""}, {}, "warn", "Docker"),
        ({**MACHINE, "/proc/1/environ": ""}, {}, "unknown", "/proc/1/environ"),
        ({**MACHINE, "/proc/1/environ": b"\xff" * 5000}, {}, "unknown", "/proc/1/environ"),
        ({**MACHINE, "/proc/1/environ": b"a=b\0" * 500_000}, {}, "unknown", "/proc/1/environ"),
        ({}, {}, "unknown", "/proc/1/environ says nothing"),
        ({}, tool(NONE, NONE), "pass", "a machine of its own"),
    ],
)
def test_the_tool_and_what_may_not_be_read(
    files: Files, commands: dict[str, Ran | str | HostError], status: str, said: str
) -> None:
    judgement = look(VIRTUALIZATION, Facts(FakeHost(files, commands, user=SOMEBODY)))
    assert judgement.status == status
    assert said in judgement.summary


def test_root_who_may_not_read_it_is_not_sent_to_sudo() -> None:
    judgement = look(VIRTUALIZATION, Facts(FakeHost(BLIND)))
    assert (judgement.status, "root" in judgement.summary) == ("unknown", False)
    assert judgement.remedies == ("Ask your provider for the kind of virtualization.",)


def test_nothing_readable_is_named() -> None:
    denied: Files = {path: Denied("no") for path in ("/proc", "/sys", "/run", "/.dockerenv")}
    found = Facts(FakeHost(denied)).get(virtualization)
    assert not found.containers
    assert not found.machines
    assert not found.excluded
    assert {"/proc/1/environ", "/proc/user_beancounters", "/proc/version", "/.dockerenv"} <= set(found.unread)


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/etc/synoinfo.conf", "fail", "Synology"),
        ("/etc/config/qpkg.conf", "fail", "QNAP"),
        ("/etc/unraid-version", "fail", "Unraid"),
        ("/usr/bin/midclt", "fail", "TrueNAS"),
        ("/etc/openmediavault/config.xml", "warn", "OpenMediaVault"),
        ("/usr/bin/pveversion", "warn", "Proxmox VE"),
        ("/etc/other", "pass", "ordinary"),
    ],
)
def test_appliances(path: str, status: str, name: str) -> None:
    judgement = look(APPLIANCE, Facts(FakeHost({"/etc/hosts": "", path: ""})))
    assert judgement.status == status
    assert name in judgement.summary


@pytest.mark.parametrize(
    ("paths", "status", "said"),
    [
        (["/usr/local/psa/version"], "warn", "Plesk"),
        (["/usr/local/cpanel/cpanel"], "warn", "cPanel"),
        (["/usr/local/ispconfig/x", "/etc/webmin/x"], "warn", "ISPConfig and Webmin"),
        (["/data/coolify/source/.env"], "warn", "Coolify is on this machine; its web server wants"),
        (
            ["/data/coolify/source/.env", "/usr/local/psa/x"],
            "warn",
            "Plesk and Coolify are on this machine; their web and mail",
        ),
        (["/etc/dokploy/traefik/traefik.yml"], "warn", "Dokploy"),
        (["/usr/local/bin/1pctl"], "warn", "1Panel"),
        (["/mailu/mailu.env"], "warn", "Mailu"),
        (["/mailu/own", "/data/coolify-backup"], "pass", "no control panel"),
        ([], "pass", "no control panel"),
    ],
)
def test_control_panels(paths: list[str], status: str, said: str) -> None:
    files: Files = {"/etc/hosts": "", **dict.fromkeys(paths, "")}
    judgement = look(CONTROL_PANEL, Facts(FakeHost(files)))
    assert judgement.status == status
    assert said in judgement.summary


@pytest.mark.parametrize("check", [APPLIANCE, CONTROL_PANEL], ids=lambda check: check.id)
def test_a_place_that_may_not_be_looked_into_is_not_empty(check: Check) -> None:
    for denied in ("/etc", "/usr"):
        assert look(check, Facts(FakeHost({"/etc/hosts": "", denied: Denied("no")}))).status == "unknown"
    assert look(check, Facts(FakeHost())).status == "unknown"


def test_what_was_found_counts_although_another_place_is_closed() -> None:
    files: Files = {"/etc/hosts": "", "/usr/local/psa/version": "", "/www": Denied("no")}
    assert look(CONTROL_PANEL, Facts(FakeHost(files))).status == "warn"
