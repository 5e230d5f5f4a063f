"""Every branch of the judges of system.*, as tables, with the numbers just below, at and above each limit."""

import pytest

from mailcow_wizard import requirements as need
from mailcow_wizard.checks import cpu as cpu_judges
from mailcow_wizard.checks import storage as storage_judges
from mailcow_wizard.checks import system, tools, virtualization
from mailcow_wizard.facts.cpu import Architecture, Features, Reading
from mailcow_wizard.facts.data_places import DiskSpace
from mailcow_wizard.facts.storage import DataRoot
from mailcow_wizard.facts.system import Memory, OsRelease, Privileges, SwapArea
from mailcow_wizard.facts.tools import Tools
from mailcow_wizard.facts.virtualization import Places, Sign, Virtualization
from mailcow_wizard.host.replies import Space, User
from mailcow_wizard.model import Evidence, Judgement

GIB = 1 << 30
GHZ = 1_000_000_000


def words(judgement: Judgement) -> str:
    return " ".join((judgement.summary, judgement.found, *judgement.remedies, judgement.why or ""))


@pytest.mark.parametrize(
    ("readings", "status", "certainty"),
    [
        ([Reading("maximum", GHZ - 1, "cpufreq", "")], "fail", "proved"),
        ([Reading("maximum", GHZ, "cpufreq", "")], "pass", "proved"),
        (
            [Reading("maximum", 4 * GHZ, "cpufreq", ""), Reading("current", GHZ // 2, "x", "")],
            "pass",
            "proved",
        ),
        ([Reading("maximum", GHZ // 2, "cpufreq", ""), Reading("name", 2 * GHZ, "x", "")], "fail", "proved"),
        ([Reading("name", 2_400_000_000, "model", "")], "pass", "inferred"),
        ([Reading("name", GHZ - 1, "model", "")], "unknown", "untested"),
        ([Reading("current", GHZ, "MHz", "")], "pass", "inferred"),
        ([Reading("current", GHZ - 1, "MHz", "")], "unknown", "untested"),
        ([Reading("nominal", GHZ - 1, "MHz", "")], "fail", "inferred"),
        ([Reading("nominal", GHZ, "MHz", "")], "pass", "inferred"),
        ([Reading("name", GHZ - 1, "model", ""), Reading("current", 2 * GHZ, "MHz", "")], "pass", "inferred"),
        ([Reading("name", GHZ - 1, "model", ""), Reading("nominal", GHZ - 1, "", "")], "fail", "inferred"),
        ([Reading("boot", 2 * GHZ, "dmidecode", "")], "pass", "inferred"),
        ([Reading("boot", GHZ // 2, "dmidecode", "")], "unknown", "untested"),
        ([], "unknown", "untested"),
    ],
)
def test_clock(readings: list[Reading], status: str, certainty: str) -> None:
    judgement = cpu_judges.judge_clock(tuple(readings))
    assert (judgement.status, judgement.certainty) == (status, certainty)
    assert judgement.status == "pass" or judgement.remedies


@pytest.mark.parametrize(
    ("machine", "bits", "page", "status"),
    [
        ("x86_64", 64, 0, "pass"),
        ("aarch64", 64, 4096, "pass"),
        ("aarch64", 64, 16384, "warn"),
        ("aarch64", 64, 65536, "warn"),
        ("aarch64", 32, 4096, "fail"),
        ("x86_64", 32, 0, "fail"),
        ("i686", 32, 0, "fail"),
        ("armv7l", 32, 0, "fail"),
        ("armv8l", 32, 0, "fail"),
        ("riscv64", 64, 0, "fail"),
        ("", 64, 0, "fail"),
    ],
)
def test_architecture(machine: str, bits: int, page: int, status: str) -> None:
    judgement = cpu_judges.judge_arch(Architecture(machine, bits, page))
    assert judgement.status == status
    assert page <= 4096 or f"{page // 1024} KiB" in judgement.summary
    # A 64-bit system helps where there is none.
    helps = any("Install a 64-bit system" in one for one in judgement.remedies)
    assert helps == (machine in ("i686", "armv7l", "armv8l"))


V2 = frozenset(need.CPU_FEATURES_V2)


@pytest.mark.parametrize(
    ("machine", "flags", "status", "named"),
    [
        ("x86_64", V2, "pass", "x86-64-v2"),
        ("x86_64", V2 - {"ssse3"}, "fail", "SSSE3"),
        ("x86_64", V2 - {"sse4_2"}, "fail", "SSE4.2"),
        ("x86_64", V2 - {"ssse3", "sse4_1", "sse4_2", "popcnt"}, "fail", "POPCNT, SSE4.1, SSSE3, SSE4.2"),
        ("x86_64", V2 - {"popcnt"}, "warn", "POPCNT"),
        ("x86_64", V2 - {"cx16", "lahf_lm"}, "warn", "CMPXCHG16B, LAHF-SAHF"),
        ("aarch64", frozenset({"asimd"}), "pass", "ARM64"),
        ("aarch64", frozenset({"asimd", "sve", "sve2"}), "pass", "ARM64"),
        ("aarch64", frozenset({"asimd", "sve2"}), "fail", "SVE2"),
        ("riscv64", frozenset({"x"}), "unknown", "no images"),
    ],
)
def test_features(machine: str, flags: frozenset[str], status: str, named: str) -> None:
    judgement = cpu_judges.judge_features(Features(machine, flags))
    assert judgement.status == status
    assert named in judgement.summary


def test_features_of_a_virtual_machine_name_the_cpu_type_host() -> None:
    hidden = cpu_judges.judge_features(Features("x86_64", V2 - {"ssse3"} | {"hypervisor"}))
    assert "host" in hidden.remedies[0]
    assert "--cpu host" in hidden.remedies[0]
    assert "host" not in cpu_judges.judge_features(Features("x86_64", V2 - {"ssse3"})).remedies[0]


MEMORY_FAILS = int(0.92 * GIB)
MEMORY_WARNS = int(6 * 0.92 * GIB)


@pytest.mark.parametrize(
    ("total", "status", "severity", "clamd"),
    [
        (MEMORY_FAILS - 1, "fail", "blocks", False),
        (MEMORY_FAILS + 1, "warn", None, True),
        (need.SKIP_CLAMD_KIB * 1024, "warn", None, True),
        (need.SKIP_CLAMD_KIB * 1024 + 1024, "warn", None, False),
        (MEMORY_WARNS - 1, "warn", None, False),
        (MEMORY_WARNS + 1, "pass", None, False),
        (64 * GIB, "pass", None, False),
        (1, "fail", "blocks", False),
    ],
)
def test_memory(total: int, status: str, severity: str | None, clamd: bool) -> None:
    judgement = system.judge_memory(Memory(total))
    assert (judgement.status, judgement.severity) == (status, severity)
    assert ("SKIP_CLAMD=y" in words(judgement)) == clamd


def test_where_parts_are_left_out_is_shown_with_the_whole_path() -> None:
    judgement = system.judge_memory(Memory(GIB, ("SKIP_CLAMD", "SKIP_FTS"), conf="/opt/my mail/mailcow.conf"))
    assert (
        Evidence("grep ^SKIP_ '/opt/my mail/mailcow.conf'", "SKIP_CLAMD=y SKIP_FTS=y") in judgement.evidence
    )


def area(size: int, name: str = "/swapfile") -> SwapArea:
    return SwapArea(name, size, name.startswith("/dev/zram"))


SWAP_WARNS = int(0.92 * GIB)


def test_the_memory_of_a_container_is_what_it_may_take() -> None:
    judgement = system.judge_memory(Memory(2 << 30, limit="/sys/fs/cgroup/memory.max"))
    assert (judgement.status, judgement.found) == ("warn", "2.00 GiB (this container's limit)")
    assert judgement.evidence[0].what == "cat /sys/fs/cgroup/memory.max"


@pytest.mark.parametrize(
    ("areas", "status", "said"),
    [
        ([], "warn", "no swap"),
        ([area(SWAP_WARNS - 1)], "warn", "0.92 GiB"),
        ([area(SWAP_WARNS + 1)], "pass", "0.92 GiB"),
        ([area(GIB // 2), area(GIB // 2, "/dev/sda2")], "pass", "1.00 GiB"),
        ([area(8 * GIB, "/dev/zram0")], "warn", "no swap; 8.00 GiB of zram do not count"),
        ([area(8 * GIB, "/dev/zram0"), area(2 * GIB)], "pass", "2.00 GiB of swap; 8.00 GiB of zram"),
    ],
)
def test_swap(areas: list[SwapArea], status: str, said: str) -> None:
    judgement = system.judge_swap(tuple(areas))
    assert judgement.status == status
    assert said in judgement.summary
    assert judgement.status == "pass" or "swapon" in judgement.remedies[0]


ROOT = DataRoot("/var/lib/docker", "/var/lib", "")


@pytest.mark.parametrize(
    ("free", "status", "severity"),
    [
        (0, "fail", "blocks"),
        (5 * GIB - 1, "fail", "blocks"),
        (5 * GIB, "warn", None),
        (20 * GIB - 1, "warn", None),
        (20 * GIB, "pass", None),
    ],
)
def test_disk(free: int, status: str, severity: str | None) -> None:
    judgement = storage_judges.judge_disk(DiskSpace(ROOT, Space(free, 100 * GIB, 1, 1)))
    assert (judgement.status, judgement.severity) == (status, severity)
    assert "/var/lib," in judgement.summary
    assert "/var/lib/docker" in judgement.summary


def test_what_is_just_below_a_limit_does_not_read_like_it() -> None:
    """As a machine of 20 GiB less a few blocks, or a processor at 999.9 MHz, would."""
    for total, said in ((MEMORY_FAILS - 1, "0.91"), (MEMORY_FAILS + 1, "0.92"), (MEMORY_WARNS - 1, "5.51")):
        assert system.judge_memory(Memory(total)).found == f"{said} GiB"
    for free, said in ((5 * GIB - 1, "4.9"), (20 * GIB - 1, "19.9"), (20 * GIB, "20.0")):
        found = storage_judges.judge_disk(DiskSpace(ROOT, Space(free, 100 * GIB, 1, 1)))
        assert found.summary.startswith(f"{said} GiB free"), found.summary
    clock = cpu_judges.judge_clock((Reading("maximum", GHZ - 1, "cpufreq", ""),))
    assert clock.found == "999 MHz"


def test_disk_names_an_existing_root_once_and_where_it_was_set() -> None:
    root = DataRoot("/data/docker", "/data/docker", "set in /etc/docker/daemon.json")
    judgement = storage_judges.judge_disk(DiskSpace(root, Space(50 * GIB, 100 * GIB, 1, 1)))
    assert judgement.summary == "50.0 GiB free in /data/docker (set in /etc/docker/daemon.json)"


@pytest.mark.parametrize(
    ("free", "total", "status"),
    [
        (0, 0, "pass"),
        (0, 1000, "fail"),
        (1, 1000, "warn"),
        (199_999, 1_000_000, "warn"),
        (200_000, 1_000_000, "pass"),
    ],
)
def test_inodes(free: int, total: int, status: str) -> None:
    judgement = storage_judges.judge_inodes(DiskSpace(ROOT, Space(GIB, GIB, free, total)))
    assert judgement.status == status
    assert total or "no fixed number" in judgement.summary


def release(name: str, *version: int) -> OsRelease:
    return OsRelease("/etc/os-release", name, (), f"{name} {version}", version)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (release("debian", 10), "warn"),
        (release("debian", 11), "pass"),
        (release("debian", 13), "pass"),
        (release("debian", 14), "warn"),
        (release("debian"), "warn"),
        (release("ubuntu", 20, 4), "warn"),
        (release("ubuntu", 22, 4), "pass"),
        (release("ubuntu", 26, 4), "pass"),
        (release("almalinux", 7, 9), "warn"),
        (release("almalinux", 8, 10), "pass"),
        (release("almalinux", 9, 5), "pass"),
        (release("almalinux", 10, 0), "warn"),
        (release("rocky", 8, 9), "warn"),
        (release("rocky", 9, 4), "pass"),
        (release("alpine", 3, 18, 9), "warn"),
        (release("alpine", 3, 19, 0), "warn"),
        (release("linuxmint", 22), "warn"),
        (release("arch"), "warn"),
    ],
)
def test_os(found: OsRelease, status: str) -> None:
    judgement = system.judge_os(found)
    assert judgement.status == status
    limited = found.id == "alpine" and found.version >= (3, 19)
    assert ("limited" in judgement.summary) == limited
    assert status == "pass" or limited or "not tested by mailcow" in judgement.summary


def signs(*names: str) -> tuple[Sign, ...]:
    return tuple(Sign(name, "seen", name) for name in names)


@pytest.mark.parametrize(
    ("containers", "machines", "excluded", "status", "said"),
    [
        ("openvz", "", True, "fail", "OpenVZ"),
        ("virtuozzo", "kvm", True, "fail", "Virtuozzo"),
        ("lxc", "vm-other", True, "fail", "LXC"),
        ("lxc-libvirt", "", False, "fail", "LXC (libvirt)"),
        ("docker lxc", "", False, "fail", "LXC"),
        ("docker", "kvm", True, "warn", "Docker"),
        ("podman", "", True, "warn", "Podman"),
        ("systemd-nspawn", "", True, "warn", "systemd-nspawn"),
        ("wsl", "", True, "warn", "Windows Subsystem"),
        ("proot", "", True, "warn", "PRoot"),
        ("gvisor", "", True, "warn", "gVisor"),
        ("something", "", True, "warn", '"something"'),
        ("", "kvm", False, "unknown", "cannot tell"),
        ("", "", False, "unknown", "cannot tell"),
        ("", "kvm", True, "pass", "KVM"),
        ("", "vm-other", True, "pass", "a virtual machine"),
        ("", "vm-other vmware", True, "pass", "VMware"),
        ("", "", True, "pass", "bare metal"),
    ],
)
def test_virtualization(containers: str, machines: str, excluded: bool, status: str, said: str) -> None:
    found = Virtualization(
        signs(*containers.split()), signs(*machines.split()), excluded, ("/proc/1/environ",)
    )
    judgement = virtualization.judge_virtualization(found)
    assert judgement.status == status
    assert said in judgement.summary


def test_bare_metal_is_not_claimed_where_the_firmware_could_not_be_read() -> None:
    found = Virtualization((), (), True, ("/sys/class/dmi/id/sys_vendor",))
    assert "bare metal" not in virtualization.judge_virtualization(found).summary


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ([], "pass"),
        (["Synology DSM"], "fail"),
        (["TrueNAS"], "fail"),
        (["OpenMediaVault"], "warn"),
        (["Proxmox VE"], "warn"),
        (["Proxmox VE", "Unraid"], "fail"),
    ],
)
def test_appliance(names: list[str], status: str) -> None:
    judgement = virtualization.judge_appliance(Places(tuple((name, "/x") for name in names)))
    assert judgement.status == status
    assert all(name in judgement.found for name in names) or status == "fail"


def test_control_panels_are_all_named() -> None:
    assert virtualization.judge_panel(Places(())).status == "pass"
    judgement = virtualization.judge_panel(
        Places((("Plesk", "/usr/local/psa"), ("Froxlor", "/var/www/froxlor")))
    )
    assert judgement.status == "warn"
    assert "Plesk and Froxlor" in judgement.summary
    assert [one.value for one in judgement.evidence] == ["/usr/local/psa", "/var/www/froxlor"]


ALL_TOOLS = (*need.TOOLS_REQUIRED, "cp", "sed", *need.TOOLS_ADVISED)


def installed(without: str = "", busybox: str = "", packager: str = "apt") -> Tools:
    lacking = without.split()
    paths = tuple((name, "" if name in lacking else f"/usr/bin/{name}") for name in ALL_TOOLS)
    return Tools(paths, tuple(busybox.split()), packager)


@pytest.mark.parametrize(
    ("found", "status", "summary", "remedy"),
    [
        (installed(), "pass", "all 12", ""),
        (installed("jq"), "fail", "missing: jq", "apt-get install -y jq"),
        (installed("jq awk sha1sum cut"), "fail", "awk, sha1sum, cut, jq", "gawk coreutils jq"),
        (installed("jq ping"), "fail", "missing: jq; also missing: ping", "jq iputils-ping"),
        (installed("cp"), "fail", "missing: cp", "coreutils"),
        (installed("ping"), "warn", "IPv6 does not work", "apt-get install -y iputils-ping"),
        (installed("ip"), "warn", "addresses", "iproute2"),
        (installed("ping ip", packager="dnf"), "warn", "ping, ip", "dnf install -y iputils iproute"),
        (installed("git", packager="zypper"), "fail", "git", "zypper install -y git"),
        (installed("git", packager="pacman"), "fail", "git", "pacman -S --needed git"),
        (installed("git ping", packager=""), "fail", "git", "package manager: git, iputils"),
        (
            installed(busybox="grep cp sed", packager="apk"),
            "fail",
            "BusyBox instead of the GNU tool: grep, cp, sed",
            "apk add --no-cache --upgrade grep coreutils sed",
        ),
        (installed("jq", "sed", "apk"), "fail", "missing: jq; BusyBox", "jq sed"),
    ],
)
def test_tools(found: Tools, status: str, summary: str, remedy: str) -> None:
    judgement = tools.judge_tools(found)
    assert judgement.status == status
    assert summary in judgement.summary
    assert remedy in "".join(judgement.remedies)


FULL = (1 << 41) - 1


@pytest.mark.parametrize(
    ("user", "whole", "status", "said"),
    [
        (User(0, "root", FULL), True, "pass", "runs as root"),
        (User(1000, "anna", 0), False, "warn", "anna"),
        (User(1000, "anna", FULL), False, "warn", "anna"),
        (User(0, "root", FULL), False, "warn", "in name only"),
        (User(0, "root", FULL & ~(1 << 21)), True, "warn", "CAP_SYS_ADMIN"),
        (User(0, "root", FULL & ~(1 << 12)), True, "warn", "CAP_NET_ADMIN"),
        (User(0, "root", 0), True, "warn", "CAP_SYS_ADMIN and CAP_NET_ADMIN"),
    ],
)
def test_privileges(user: User, whole: bool, status: str, said: str) -> None:
    judgement = system.judge_privileges(Privileges(user, whole))
    assert judgement.status == status
    assert said in judgement.summary
    assert user.uid == 0 or "sudo" in judgement.remedies[0]
