"""Memory, swap, operating system, privileges and tools, read from what machines show."""

import pytest

from mailcow_wizard.facts import system, tools
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from tests.fake_host import FULL_CAPABILITIES, ROOT, SOMEBODY, FakeHost

MEMINFO = "MemTotal:        6018264 kB\nMemFree:          127996 kB\nHugePages_Total:       0\n"


def test_memory() -> None:
    assert Facts(FakeHost({"/proc/meminfo": MEMINFO})).get(system.memory).total == 6018264 * 1024
    assert system.meminfo(MEMINFO)["HugePages_Total"] == 0


@pytest.mark.parametrize(
    ("path", "said", "total"),
    [
        ("/sys/fs/cgroup/memory.max", "2147483648\n", 2 << 30),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n", 1 << 30),
        ("/sys/fs/cgroup/memory.max", "max\n", 6018264 * 1024),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n", 6018264 * 1024),
        ("/sys/fs/cgroup/memory.max", "", 6018264 * 1024),
        ("/sys/fs/cgroup/memory.max", "0\n", 6018264 * 1024),
    ],
)
def test_a_container_may_have_less_than_its_machine(path: str, said: str, total: int) -> None:
    found = Facts(FakeHost({"/proc/meminfo": MEMINFO, path: said})).get(system.memory)
    assert found.total == total
    assert found.limit == (path if total < 6018264 * 1024 else "")


@pytest.mark.parametrize(
    "text", ["", "MemTotal: x kB", "MemTotal:", "MemTotal: 0 kB", "MemTotal: ²³ kB", "9" * 5000]
)
def test_memory_without_a_number(text: str) -> None:
    with pytest.raises(HostError, match="has no MemTotal line"):
        Facts(FakeHost({"/proc/meminfo": text})).get(system.memory)


HEADER = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", []),
        (
            "/dev/sda2                               partition\t2097148\t\t0\t\t-2\n",
            [("/dev/sda2", 2097148, False)],
        ),
        (
            "/dev/zram0                              partition\t4194300\t\t1024\t\t100\n",
            [("/dev/zram0", 4194300, True)],
        ),
        (
            "/my\\040swap                             file\t\t1048572\t\t0\t\t-3\n",
            [("/my\\040swap", 1048572, False)],
        ),
    ],
)
def test_swap(lines: str, expected: list[tuple[str, int, bool]]) -> None:
    areas = system.parse_swaps(HEADER + lines)
    assert [(one.name, one.size // 1024, one.compressed) for one in areas] == expected


@pytest.mark.parametrize(
    "text", ["", "garbage", f"{HEADER}one two", f"{HEADER}a b c d e", f"{HEADER}a b ² d e"]
)
def test_swap_that_cannot_be_read(text: str) -> None:
    with pytest.raises(HostError, match="/proc/swaps"):
        system.parse_swaps(text)


def test_a_kernel_without_swapping() -> None:
    assert Facts(FakeHost({"/proc/meminfo": MEMINFO})).get(system.swap) == ()
    with pytest.raises(Missing):
        Facts(FakeHost()).get(system.swap)


DEBIAN = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
ID=debian
"""
UBUNTU = "PRETTY_NAME='Ubuntu 22.04.4 LTS'\nVERSION_ID='22.04'\nID=ubuntu\nID_LIKE=debian\n"
ALMA = 'NAME="AlmaLinux"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="8.10"\n'


@pytest.mark.parametrize(
    ("text", "identity", "version", "name"),
    [
        (DEBIAN, "debian", (12,), "Debian GNU/Linux 12 (bookworm)"),
        (UBUNTU, "ubuntu", (22, 4), "Ubuntu 22.04.4 LTS"),
        (ALMA, "almalinux", (8, 10), "AlmaLinux"),
        ("ID=alpine\nVERSION_ID=3.20.3\n", "alpine", (3, 20, 3), "alpine"),
        ("# comment\n\nID=arch\nBUILD_ID=rolling\n", "arch", (), "arch"),
        ('ID=debian\nPRETTY_NAME="a \\"b\\""\nVERSION_ID=trixie/sid\n', "debian", (), 'a "b"'),
    ],
)
def test_os_release(text: str, identity: str, version: tuple[int, ...], name: str) -> None:
    found = system.parse_os_release("/etc/os-release", text)
    assert (found.id, found.version, found.name) == (identity, version, name)


@pytest.mark.parametrize("text", ["", "\0\0\0", "ID", "ID=", "id=debian", 'ID="de bian"', "x" * 60_000])
def test_os_release_without_an_id(text: str) -> None:
    with pytest.raises(HostError, match="has no ID line"):
        system.parse_os_release("/etc/os-release", text)


def test_os_release_has_two_places() -> None:
    host = FakeHost({"/usr/lib/os-release": DEBIAN})
    assert Facts(host).get(system.os_release).path == "/usr/lib/os-release"
    with pytest.raises(Missing, match="neither"):
        Facts(FakeHost()).get(system.os_release)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("         0          0 4294967295\n", True),
        ("         0     100000      65536\n", False),
        ("0 1000 1\n1 100000 65536\n", False),
    ],
)
def test_root_of_a_user_namespace(text: str, whole: bool) -> None:
    assert Facts(FakeHost({"/proc/self/uid_map": text})).get(system.privileges).whole_range == whole


@pytest.mark.parametrize("text", ["", "a b c", "0 0", "0 0 -1"])
def test_a_map_that_cannot_be_read(text: str) -> None:
    with pytest.raises(HostError, match="uid_map"):
        Facts(FakeHost({"/proc/self/uid_map": text})).get(system.privileges)


def test_kernels_without_user_namespaces_and_users_without_root() -> None:
    assert Facts(FakeHost()).get(system.privileges) == (ROOT, True)
    assert Facts(FakeHost(user=SOMEBODY)).get(system.privileges) == (SOMEBODY, False)
    assert FULL_CAPABILITIES >> 21 & 1


EVERY_TOOL = ["git", "openssl", "curl", "awk", "sha1sum", "grep", "cut", "jq", "cp", "sed", "ping", "ip"]


def test_tools_of_debian() -> None:
    found = Facts(FakeHost({"/etc/os-release": DEBIAN}, tools=EVERY_TOOL)).get(tools.tools)
    assert all(path for _, path in found.paths)
    assert (found.busybox, found.packager) == ((), "apt")


def test_tools_of_alpine_are_links_to_busybox() -> None:
    host = FakeHost(
        {"/etc/os-release": "ID=alpine\nVERSION_ID=3.20.3\n", "/bin/busybox": b"BusyBox v1.36.1"},
        links={"/bin/grep": "/bin/busybox", "/bin/cp": "/bin/busybox", "/bin/sed": "/bin/busybox"},
        tools=["git", "curl"],
    )
    found = Facts(host).get(tools.tools)
    assert (found.busybox, found.packager) == (("grep", "cp", "sed"), "apk")
    assert dict(found.paths)["jq"] == ""
    assert dict(found.paths)["git"] == "/usr/bin/git"


def test_a_copy_of_busybox_under_another_name() -> None:
    files: dict[str, str | bytes | HostError] = {"/usr/bin/sed": b"\x7fELF\0\0BusyBox v1.30.1 (multi-call)"}
    assert Facts(FakeHost(files, tools=EVERY_TOOL)).get(tools.tools).busybox == ("sed",)


@pytest.mark.parametrize(
    ("text", "packager"),
    [(ALMA, "dnf"), ("ID=linuxmint\nID_LIKE='ubuntu debian'\n", "apt"), ("ID=void\n", ""), ("", "")],
)
def test_the_package_manager(text: str, packager: str) -> None:
    assert Facts(FakeHost({"/etc/os-release": text})).get(tools.tools).packager == packager
