"""Every branch of the judges of kernel.*, as tables, with the numbers just below, at and above each limit."""

import pytest

from mailcow_wizard import requirements as need
from mailcow_wizard.checks import kernel
from mailcow_wizard.checks.modules import judge_modules
from mailcow_wizard.checks.storage import judge_mounts
from mailcow_wizard.facts.kernel import Cgroups, Ipv6, Layout, Limits, Security, parse_release
from mailcow_wizard.facts.modules import Modules, State
from mailcow_wizard.facts.storage import DataRoot, Mount, RootMount


@pytest.mark.parametrize(
    ("release", "status"),
    [
        ("2.6.32-042stab145.3", "fail"),
        ("3.10.0-1160.el7.x86_64", "fail"),
        ("3.16.0-4-amd64", "fail"),
        ("3.16.85", "fail"),
        ("3.19.0-80-generic", "fail"),
        ("4.3.6", "fail"),
        ("4.4.0-210-generic", "warn"),
        ("4.9.0-0.bpo.12-amd64", "warn"),
        ("4.14.336", "warn"),
        ("4.15.0", "warn"),
        ("4.15.0-0-generic", "warn"),
        ("4.15.0-1-generic", "fail"),
        ("4.15.0-58-generic", "fail"),
        ("4.15.0-59-generic", "fail"),
        ("4.15.0-60-generic", "warn"),
        ("4.15.0-213-generic", "warn"),
        ("4.15.18-12-pve", "warn"),
        ("4.18.0-553.el8_10.x86_64", "warn"),
        ("4.18.0-25-generic", "warn"),
        ("5.4.0-200-generic", "warn"),
        ("5.9.16", "warn"),
        ("5.10.0-32-amd64", "pass"),
        ("5.14.0-427.13.1.el9_4.x86_64", "pass"),
        ("5.15.167.4-microsoft-standard-WSL2", "pass"),
        ("6.1.0-9-amd64", "pass"),
        ("6.6.31+rpt-rpi-v8", "pass"),
        ("6.18.44", "pass"),
        ("10.0.1", "pass"),
    ],
)
def test_version(release: str, status: str) -> None:
    judgement = kernel.judge_version(parse_release(release))
    assert judgement.status == status
    assert release in judgement.summary
    assert ("mailcow lists" in judgement.summary) == (".el8" in release)


def test_kernel_3_16_carries_the_document_s_warning() -> None:
    judgement = kernel.judge_version(parse_release("3.16.0-4-amd64"))
    remedies = " ".join(judgement.remedies)
    assert "healthchecks" in judgement.summary
    assert "panic" in judgement.summary
    assert "Debian 8" in judgement.remedies[0]
    assert "4.9 from jessie-backports" in judgement.remedies[0]
    assert need.DOC_JESSIE_KERNEL in remedies
    assert need.DOC_KERNEL_PANIC in remedies
    assert need.DOC_KERNEL_PANIC_FORUM in remedies
    assert judgement.doc == need.DOC_KERNEL_PANIC


NAMES = tuple(dict.fromkeys(name for part in need.KERNEL_PARTS for names in part.sets for name in names))


def states(default: State = "loadable", **others: State) -> tuple[tuple[str, State], ...]:
    return tuple((name, others.get(name, default)) for name in NAMES)


def found(states: tuple[tuple[str, State], ...], *others: str) -> Modules:
    return Modules(states, "6.1.0-9-amd64", others, ("/lib/modules/6.1.0-9-amd64/modules.dep",))


LEGACY: dict[str, State] = {"nf_tables": "missing", "nft_compat": "missing", "nft_chain_nat": "missing"}
NO_V6: dict[str, State] = {**LEGACY, "ip6_tables": "missing", "ip6table_nat": "missing"}


@pytest.mark.parametrize(
    ("modules", "status", "said"),
    [
        (found(states()), "pass", "loadable"),
        (found(states("built in")), "pass", "20 built in"),
        (found(states("loaded")), "pass", "20 loaded"),
        (found(states(overlay="missing")), "fail", "overlay (the layers of images)"),
        (found(states(overlay="missing", veth="missing")), "fail", "veth"),
        (found(states(xt_MASQUERADE="missing")), "pass", "all parts"),
        (found(states(ipt_MASQUERADE="missing")), "pass", "all parts"),
        (found(states(ipt_MASQUERADE="missing", xt_MASQUERADE="missing")), "fail", "MASQUERADE"),
        (found(states(**LEGACY)), "pass", "all parts"),
        (found(states(nft_compat="missing")), "pass", "all parts"),
        (found(states(ip_tables="missing")), "pass", "all parts"),
        (found(states(**LEGACY, ip_tables="missing")), "fail", "firewall tables"),
        (found(states(**NO_V6)), "warn", "IPv4 only"),
        (found(states("unknown")), "unknown", "no list of modules"),
        (found(states(bridge="unknown")), "unknown", "bridge"),
        (found(states(bridge="unknown", veth="missing")), "fail", "veth"),
        (found(states("unknown"), "6.1.0-18-amd64"), "fail", "reboot"),
        (found(states("loaded"), "6.1.0-18-amd64"), "pass", "all parts"),
        (found(states("loaded", veth="missing"), "6.1.0-18-amd64"), "fail", "reboot"),
    ],
)
def test_modules(modules: Modules, status: str, said: str) -> None:
    judgement = judge_modules(modules)
    assert judgement.status == status
    assert said in judgement.summary
    if modules.others and status == "fail":
        assert judgement.remedies[0].startswith("Reboot")


ALL = frozenset({"cpu", "memory", "pids", "io"})


@pytest.mark.parametrize(
    ("layout", "controllers", "status", "said"),
    [
        ("v2", ALL, "pass", "version 2"),
        ("v1", ALL, "pass", "version 1"),
        ("hybrid", ALL, "pass", "versions 1 and 2"),
        ("none", frozenset(), "fail", "no control groups"),
        ("v2", ALL - {"memory"}, "warn", "memory"),
        ("v1", ALL - {"cpu"}, "warn", "cpu"),
        ("hybrid", ALL - {"pids"}, "warn", "pids"),
        ("v2", frozenset(), "warn", "cpu, memory and pids"),
    ],
)
def test_cgroups(layout: Layout, controllers: frozenset[str], status: str, said: str) -> None:
    judgement = kernel.judge_cgroups(Cgroups(layout, controllers))
    assert judgement.status == status
    assert said in judgement.summary


def test_a_missing_memory_controller_names_the_kernel_s_parameter() -> None:
    judgement = kernel.judge_cgroups(Cgroups("v2", ALL - {"memory"}))
    assert "cgroup_enable=memory" in judgement.remedies[0]
    assert "cgroup_disable=memory" in judgement.remedies[1]
    judgement = kernel.judge_cgroups(Cgroups("v2", ALL - {"pids"}))
    assert "cgroup_disable=pids" in judgement.remedies[0]


@pytest.mark.parametrize(
    ("security", "status", "said"),
    [
        (Security("off", False, False, False), "pass", "neither"),
        (Security("permissive", False, False, False), "pass", "SELinux permissive"),
        (Security("enforcing", True, False, False), "pass", "SELinux enforcing, with the policy"),
        (Security("enforcing", False, False, False), "warn", "policy for containers is not installed"),
        (Security("off", False, True, True), "pass", "AppArmor on"),
        (Security("off", False, True, False), "warn", "apparmor_parser"),
    ],
)
def test_security(security: Security, status: str, said: str) -> None:
    judgement = kernel.judge_security(security)
    assert judgement.status == status
    assert said in judgement.summary


@pytest.mark.parametrize(
    ("value", "status", "severity"), [(0, "warn", None), (1, "pass", None), (2, "warn", "degrades")]
)
def test_overcommit(value: int, status: str, severity: str | None) -> None:
    judgement = kernel.judge_overcommit(value)
    assert (judgement.status, judgement.severity) == (status, severity)


@pytest.mark.parametrize(
    ("limits", "status", "said"),
    [
        (Limits(128, 8192, 40_000, None), "pass", "128 watchers"),
        (Limits(127, 8192, 1 << 20, None), "warn", "127 watchers"),
        (Limits(128, 8191, 1 << 20, None), "warn", "8191 watched files"),
        (Limits(0, 0, 1 << 20, None), "warn", "0 watchers (at least 128) and 0 watched"),
        (Limits(128, 8192, 39_999, None), "fail", "39999"),
        (Limits(128, 8192, 1 << 20, 39_999), "fail", "39999"),
        (Limits(128, 8192, 1 << 20, 40_000), "pass", "128"),
        (Limits(0, 0, 39_999, 10), "fail", "39999"),
    ],
)
def test_limits(limits: Limits, status: str, said: str) -> None:
    judgement = kernel.judge_limits(limits)
    assert judgement.status == status
    assert said in judgement.summary
    assert (judgement.severity == "breaks") == (status == "fail")
    if limits.own_hard is not None:
        least = min(limits.own_hard, limits.nr_open)
        assert judgement.found.startswith(f"{least} open files"), "a summary and what was found agree"


CONF = "/opt/mailcow-dockerized/mailcow.conf"


@pytest.mark.parametrize(
    ("ipv6", "status", "said"),
    [
        (Ipv6(True, False, "", None), "pass", "on"),
        (Ipv6(True, True, CONF, None), "warn", "will set itself up without"),
        (Ipv6(True, True, CONF, False), "pass", "says so too"),
        (Ipv6(True, True, CONF, True), "fail", "does not say ENABLE_IPV6=false"),
        (Ipv6(False, False, CONF, None), "warn", "kernel has no IPv6"),
        (Ipv6(False, False, CONF, False), "pass", "kernel has no IPv6"),
        (Ipv6(False, False, CONF, True), "fail", "kernel has no IPv6"),
    ],
)
def test_ipv6(ipv6: Ipv6, status: str, said: str) -> None:
    judgement = kernel.judge_ipv6(ipv6)
    assert judgement.status == status
    assert said in judgement.summary


ROOT = DataRoot("/var/lib/docker", "/var/lib", "")


@pytest.mark.parametrize(
    ("options", "super_options", "status", "said"),
    [
        ("rw,relatime", "rw", "pass", "/srv/data"),
        ("rw,noexec", "rw", "warn", "noexec"),
        ("rw,nodev,nosuid", "rw", "warn", "nodev"),
        ("rw,nodev,noexec", "rw", "warn", "noexec and nodev"),
        ("ro,noexec", "rw", "fail", "read-only"),
        ("rw", "ro,errors=remount-ro", "fail", "read-only"),
    ],
)
def test_mounts(options: str, super_options: str, status: str, said: str) -> None:
    mount = Mount(
        "/srv/data", "ext4", "/dev/sdb1", frozenset(options.split(",")), frozenset(super_options.split(","))
    )
    judgement = judge_mounts(RootMount(ROOT, mount))
    assert judgement.status == status
    assert said in judgement.summary
    assert "/srv/data" in judgement.summary
    assert "/var/lib/docker" in judgement.summary
    if status == "warn":
        assert judgement.remedies[0] == "mount -o remount,exec,dev /srv/data"
        assert "fstab" in judgement.remedies[1]


def test_a_mount_point_with_a_space_stays_one_word() -> None:
    mount = Mount("/srv/my data", "ext4", "x", frozenset({"noexec"}), frozenset())
    assert judge_mounts(RootMount(ROOT, mount)).remedies[0].endswith(" '/srv/my data'")


def test_an_overlay_is_no_place_for_the_layers_of_images() -> None:
    """The root of a system that was started from an image, or with overlayroot=tmpfs."""
    mount = Mount("/", "overlay", "overlayroot", frozenset({"rw"}), frozenset({"rw", "upperdir=/media/rw"}))
    judgement = judge_mounts(RootMount(ROOT, mount))
    assert (judgement.status, judgement.severity) == ("warn", "breaks")
    assert judgement.summary == "/ holds /var/lib, where /var/lib/docker will be, and is an overlay itself"
