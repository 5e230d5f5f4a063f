"""The kernel's version, control groups, security modules, limits and IPv6, read from what machines show."""

import pytest

from mailcow_wizard.checks import kernel as judges
from mailcow_wizard.facts import kernel
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.replies import Uname, User
from tests.fake_host import FULL_CAPABILITIES, ROOT, SOMEBODY, FakeHost
from tests.judged import look

Files = dict[str, str | bytes | HostError]


@pytest.mark.parametrize(
    ("release", "numbers", "build"),
    [
        ("4.15.0-58-generic", (4, 15, 0), 58),
        ("4.15.0", (4, 15, 0), -1),
        ("4.15.0-0-generic", (4, 15, 0), 0),
        ("6.1.0-9-amd64", (6, 1, 0), 9),
        ("5.15.167.4-microsoft-standard-WSL2", (5, 15, 167), -1),
        ("4.18.0-553.el8_10.x86_64", (4, 18, 0), 553),
        ("3.16.0-4-amd64", (3, 16, 0), 4),
        ("4.9.0-0.bpo.12-amd64", (4, 9, 0), 0),
        ("6.6.31+rpt-rpi-v8", (6, 6, 31), -1),
        ("6.12", (6, 12, 0), -1),
        ("2.6.32-042stab145.3", (2, 6, 32), -1),
    ],
)
def test_release(release: str, numbers: tuple[int, int, int], build: int) -> None:
    assert kernel.parse_release(release) == (release, numbers, build)


@pytest.mark.parametrize(
    "release", ["", "garbage", "6", "6.", "x6.1", "99999.1", "6.99999", "٦.٢", "9" * 9000]
)
def test_a_release_that_is_no_version(release: str) -> None:
    with pytest.raises(HostError, match="not a version number"):
        kernel.parse_release(release)
    host = FakeHost(uname=Uname("x", release, "", "x86_64", 64))
    assert look(judges.VERSION, Facts(host)).status == "unknown"


V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = """31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
32 31 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
35 31 0:32 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
"""
UNIFIED = "36 31 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
TABLE = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t2\t1\t1\nmemory\t4\t1\t1\npids\t3\t1\t1\n"
NO_MEMORY = TABLE.replace("memory\t4\t1\t1", "memory\t0\t1\t0")
PLAIN = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
CONTROLLERS = "/sys/fs/cgroup/cgroup.controllers"


@pytest.mark.parametrize(
    ("files", "layout", "status"),
    [
        ({"/proc/self/mountinfo": V2, CONTROLLERS: "cpuset cpu io memory hugetlb pids\n"}, "v2", "pass"),
        ({"/proc/self/mountinfo": V2, CONTROLLERS: "cpuset cpu io pids\n"}, "v2", "warn"),
        ({"/proc/self/mountinfo": V2, CONTROLLERS: ""}, "v2", "warn"),
        ({"/proc/self/mountinfo": V1, "/proc/cgroups": TABLE}, "v1", "pass"),
        ({"/proc/self/mountinfo": V1, "/proc/cgroups": NO_MEMORY}, "v1", "warn"),
        (
            {
                "/proc/self/mountinfo": V1 + UNIFIED,
                "/proc/cgroups": TABLE,
                "/sys/fs/cgroup/unified/cgroup.controllers": "",
            },
            "hybrid",
            "pass",
        ),
        ({"/proc/self/mountinfo": PLAIN}, "none", "fail"),
    ],
)
def test_cgroups(files: Files, layout: str, status: str) -> None:
    facts = Facts(FakeHost(files))
    assert facts.get(kernel.cgroups).layout == layout
    assert look(judges.CGROUPS, facts).status == status


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"/proc/self/mountinfo": V2},
        {"/proc/self/mountinfo": V2, CONTROLLERS: Denied("no")},
        {"/proc/self/mountinfo": V1},
        {"/proc/self/mountinfo": V1, "/proc/cgroups": "garbage"},
    ],
)
def test_cgroups_that_cannot_be_read(files: Files) -> None:
    assert look(judges.CGROUPS, Facts(FakeHost(files))).status == "unknown"


ENFORCE = "/sys/fs/selinux/enforce"
APPARMOR = "/sys/module/apparmor/parameters/enabled"
PROFILES = "/sys/kernel/security/apparmor/profiles"
SYS: Files = {"/sys/kernel/": ""}


@pytest.mark.parametrize(
    ("files", "tools", "expected"),
    [
        ({}, "", ("off", False, False, False)),
        ({ENFORCE: "0"}, "", ("permissive", False, False, False)),
        ({ENFORCE: "1"}, "", ("enforcing", False, False, False)),
        (
            {ENFORCE: "1", "/usr/share/selinux/packages/container.pp.bz2": ""},
            "",
            ("enforcing", True, False, False),
        ),
        ({APPARMOR: "Y\n", PROFILES: ""}, "", ("off", False, True, False)),
        ({APPARMOR: "Y\n", PROFILES: ""}, "apparmor_parser", ("off", False, True, True)),
        ({APPARMOR: "N\n", PROFILES: ""}, "", ("off", False, False, False)),
        ({APPARMOR: "Y\n"}, "", ("off", False, False, False)),
        ({PROFILES: ""}, "", ("off", False, False, False)),
    ],
)
def test_security(files: Files, tools: str, expected: tuple[object, ...]) -> None:
    assert Facts(FakeHost({**SYS, **files}, tools=tools.split())).get(kernel.security) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"/sys": Denied("no")},
        {ENFORCE: "2"},
        {ENFORCE: ""},
        {ENFORCE: "x" * 5000},
        {APPARMOR: "perhaps", PROFILES: ""},
        {APPARMOR: Denied("no"), PROFILES: ""},
        {"/sys/kernel/security": Denied("no")},
    ],
)
def test_security_that_cannot_be_read(files: Files) -> None:
    assert look(judges.LSM, Facts(FakeHost({**SYS, **files}))).status == "unknown"


def test_security_without_sys() -> None:
    assert look(judges.LSM, Facts(FakeHost())).status == "unknown"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("1\n", "pass"),
        ("0\n", "warn"),
        ("2\n", "warn"),
        ("3\n", "unknown"),
        ("", "unknown"),
        ("-1", "unknown"),
    ],
)
def test_overcommit(text: str, status: str) -> None:
    host = FakeHost({"/proc/sys/vm/overcommit_memory": text})
    assert look(judges.OVERCOMMIT, Facts(host)).status == status


LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 20000                files
Max locked memory         8388608              8388608              bytes
"""
NOFILE: Files = {
    "/proc/sys/fs/inotify/max_user_instances": "128\n",
    "/proc/sys/fs/inotify/max_user_watches": "65536\n",
    "/proc/sys/fs/nr_open": "1048576\n",
    "/proc/self/limits": LIMITS,
}
NO_RESOURCE = User(0, "root", FULL_CAPABILITIES & ~(1 << 24))
FIRST = "Name:\tsystemd\nCapPrm:\t{0:016x}\nCapEff:\t{0:016x}\nCapBnd:\t{0:016x}\n"


@pytest.mark.parametrize(("user", "status"), [(ROOT, "pass"), (NO_RESOURCE, "fail")])
def test_the_own_limit_binds_only_a_root_that_may_not_raise_it(user: User, status: str) -> None:
    assert look(judges.INOTIFY, Facts(FakeHost(NOFILE, user=user))).status == status


@pytest.mark.parametrize(
    ("first", "limit", "status"),
    [
        (FIRST.format(FULL_CAPABILITIES), "20000", "pass"),
        (FIRST.format(NO_RESOURCE.capabilities), "20000", "fail"),
        (FIRST.format(NO_RESOURCE.capabilities), "1048576", "pass"),
        (FIRST.format(NO_RESOURCE.capabilities), "unlimited", "pass"),
        ("Name:\tsystemd\n", "1048576", "unknown"),
        (Denied("no"), "1048576", "unknown"),
    ],
)
def test_who_is_not_root_is_told_by_the_first_process_what_root_may(
    first: str | HostError, limit: str, status: str
) -> None:
    files = {**NOFILE, "/proc/1/status": first, "/proc/1/limits": LIMITS.replace("20000", limit)}
    assert look(judges.INOTIFY, Facts(FakeHost(files, user=SOMEBODY))).status == status


def test_who_is_not_root_where_other_processes_are_hidden() -> None:
    assert look(judges.INOTIFY, Facts(FakeHost(NOFILE, user=SOMEBODY))).status == "unknown"


def test_hard_limit() -> None:
    assert kernel.hard_limit(LIMITS) == 20000
    assert kernel.hard_limit(LIMITS.replace("20000", "unlimited")) is None
    for text in ("", "Max open files", "Max open files 5 ² files", LIMITS.replace("20000", "9" * 99)):
        with pytest.raises(HostError, match="no line for open files"):
            kernel.hard_limit(text)


@pytest.mark.parametrize("path", sorted(NOFILE))
@pytest.mark.parametrize("text", ["", "garbage", "²", "9" * 3000, Denied("no")])
def test_limits_that_cannot_be_read(path: str, text: str | HostError) -> None:
    host = FakeHost({**NOFILE, path: text}, user=NO_RESOURCE)
    assert look(judges.INOTIFY, Facts(host)).status == "unknown"


CONF = "/opt/mailcow-dockerized/mailcow.conf"
V4: Files = {"/proc/sys/net/ipv4/ip_forward": "1"}
OFF: Files = {**V4, "/proc/sys/net/ipv6/conf/all/disable_ipv6": "1\n"}
ON: Files = {**V4, "/proc/sys/net/ipv6/conf/all/disable_ipv6": "0\n"}


@pytest.mark.parametrize(
    ("files", "status"),
    [
        (ON, "pass"),
        ({**ON, CONF: Denied("no")}, "pass"),
        (OFF, "warn"),
        ({**OFF, CONF: "ENABLE_IPV6=false\n"}, "pass"),
        ({**OFF, CONF: "ENABLE_IPV6=true\n"}, "fail"),
        ({**OFF, CONF: "TZ=UTC\n"}, "fail"),
        ({**OFF, CONF: ""}, "fail"),
        ({**OFF, CONF: Denied("no")}, "unknown"),
        (V4, "warn"),
        ({**V4, CONF: "ENABLE_IPV6=false\n"}, "pass"),
        ({**V4, CONF: "ENABLE_IPV6=true\n"}, "fail"),
        ({}, "unknown"),
        ({"/proc": Denied("no")}, "unknown"),
        ({**ON, "/proc/sys/net/ipv6/conf/all/disable_ipv6": "2"}, "unknown"),
        ({**ON, "/proc/sys/net/ipv6/conf/all/disable_ipv6": ""}, "unknown"),
        ({**V4, "/proc/sys/net/ipv6/conf/all/forwarding": "1"}, "unknown"),
    ],
)
def test_ipv6(files: Files, status: str) -> None:
    assert look(judges.IPV6, Facts(FakeHost(files))).status == status
