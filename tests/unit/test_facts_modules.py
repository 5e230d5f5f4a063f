"""Where the parts of the kernel are found: lists, configuration, what is at work, and nothing at all."""

import gzip

import pytest

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.modules import MODULES
from mailcow_wizard.facts import modules
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError
from tests.fake_host import DEBIAN_12, FakeHost
from tests.judged import look

Files = dict[str, str | bytes | HostError]

NAMES = tuple(need.KERNEL_SYMBOLS)
PLACE = f"/lib/modules/{DEBIAN_12.release}"
DEP = "".join(f"kernel/net/{name}.ko.xz: kernel/lib/x.ko.xz\n" for name in NAMES)
BUILTIN = "kernel/fs/ext4/ext4.ko\nkernel/lib/crc16.ko\n"
LISTS: Files = {f"{PLACE}/modules.dep": DEP, f"{PLACE}/modules.builtin": BUILTIN}
CONFIG = "# Linux/x86 6.1 Kernel Configuration\nCONFIG_MODULES=y\n"
CONFIG += "".join(f"CONFIG_{symbol}=y\n" for symbols in need.KERNEL_SYMBOLS.values() for symbol in symbols)


def state(host: FakeHost, name: str) -> str:
    return dict(Facts(host).get(modules.modules).states)[name]


def status(files: Files) -> str:
    return look(MODULES, Facts(FakeHost(files))).status


def test_names_in_lists() -> None:
    text = (
        "kernel/net/veth.ko: \nkernel/a-b_c.ko.xz: kernel/x.ko.xz\nkernel/d.ko.zst:\nupdates/dkms/e.ko.gz: \n"
        "f.ko\n\n# comment\nnot a module\nkernel/g.koala:\n"
    )
    assert modules.parse_list(text) == ["veth", "a-b_c", "d", "e", "f"]


def test_every_module_has_a_symbol() -> None:
    named = {name for part in need.KERNEL_PARTS for names in part.sets for name in names}
    assert named == set(need.KERNEL_SYMBOLS)


def test_debian_with_its_modules() -> None:
    assert status(LISTS) == "pass"
    assert state(FakeHost(LISTS), "overlay") == "loadable"


def test_each_source_in_turn() -> None:
    files = {**LISTS, "/proc/modules": "bridge 409600 1 br_netfilter, Live 0x0\nip-tables 1 0 - Live 0x0\n"}
    files[f"{PLACE}/modules.builtin"] = f"{BUILTIN}kernel/drivers/net/veth.ko\n"
    files["/sys/module/nf_nat/refcnt"] = "1"
    host = FakeHost(files)
    expected = {
        "bridge": "loaded",
        "ip_tables": "loaded",
        "veth": "built in",
        "nf_nat": "loaded",
        "overlay": "loadable",
    }
    assert {name: state(host, name) for name in expected} == expected


@pytest.mark.parametrize("name", ["overlay", "bridge", "br_netfilter", "veth", "nf_conntrack", "xt_addrtype"])
def test_one_is_missing(name: str) -> None:
    dep = "\n".join(line for line in DEP.splitlines() if f"/{name}.ko" not in line)
    files = {**LISTS, f"{PLACE}/modules.dep": dep}
    assert status(files) == "fail"
    assert state(FakeHost(files), name) == "missing"
    config = CONFIG.replace(f"CONFIG_{need.KERNEL_SYMBOLS[name][0]}=y", "")
    assert status({**files, f"/boot/config-{DEBIAN_12.release}": config}) == "fail"
    assert status({**files, f"/boot/config-{DEBIAN_12.release}": CONFIG}) == "pass"


def test_traces_of_parts_at_work() -> None:
    host = FakeHost({"/proc/filesystems": "nodev\tsysfs\nnodev\toverlay\n\text4\n"})
    assert state(host, "overlay") == "loaded"
    host = FakeHost({"/proc/sys/net/bridge/bridge-nf-call-iptables": "1"})
    assert state(host, "br_netfilter") == "loaded"


def test_a_kernel_without_modules_is_judged_by_its_configuration() -> None:
    packed: Files = {"/proc/config.gz": gzip.compress(CONFIG.encode())}
    assert status(packed) == "pass"
    assert state(FakeHost(packed), "overlay") == "built in"
    lacking = CONFIG.replace("CONFIG_VETH=y", "# CONFIG_VETH is not set")
    assert status({"/proc/config.gz": gzip.compress(lacking.encode())}) == "fail"
    assert status({f"/boot/config-{DEBIAN_12.release}": CONFIG}) == "pass"


def test_modules_whose_files_nobody_lists() -> None:
    config = CONFIG.replace("=y", "=m")
    assert status({"/proc/config.gz": gzip.compress(config.encode())}) == "unknown"
    assert status({**LISTS, "/proc/config.gz": gzip.compress(config.encode())}) == "pass"


def test_the_running_kernel_s_modules_are_gone() -> None:
    files: Files = {
        "/lib/modules/6.1.0-26-amd64/modules.dep": DEP,
        "/proc/modules": "bridge 1 0 - Live 0x0\n",
    }
    judgement = look(MODULES, Facts(FakeHost(files)))
    assert judgement.status == "fail"
    assert judgement.remedies[0].startswith("Reboot")
    assert "6.1.0-26-amd64" in judgement.found
    loaded = "".join(f"{name} 1 0 - Live 0x0\n" for name in NAMES)
    assert status({**files, "/proc/modules": loaded}) == "pass"
    config = CONFIG.replace("CONFIG_VETH=y", "CONFIG_VETH=m")
    assert status({**files, f"/boot/config-{DEBIAN_12.release}": config}) == "fail"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {f"{PLACE}/modules.dep": "", f"{PLACE}/modules.builtin": ""},
        {f"{PLACE}/modules.dep": "garbage" * 1000},
        {f"{PLACE}/modules.dep": b"\xff\0" * 1000, f"{PLACE}/modules.builtin": b"\0" * 5000},
        {f"{PLACE}/modules.dep": "kernel/x.ko:\n" + "/" * 2_000_000},
        {f"{PLACE}/modules.dep": "x" * (17 << 20)},
        {f"{PLACE}/modules.dep": Denied("no")},
        {"/proc/modules": Denied("no")},
        {"/proc/modules": "\x1b[31m"},
        {"/proc/config.gz": b""},
        {"/proc/config.gz": b"garbage"},
        {"/proc/config.gz": gzip.compress(b"")},
        {"/proc/config.gz": gzip.compress(b"\0" * (64 << 20))},
        {"/proc/config.gz": Denied("no"), f"/boot/config-{DEBIAN_12.release}": Denied("no")},
        {f"/boot/config-{DEBIAN_12.release}": "CONFIG_OVERLAY_FS=y\n"},
        {"/lib/modules/notes.txt": ""},
    ],
)
def test_no_list_to_judge_by(files: Files) -> None:
    assert status(files) == "unknown"


def without(*names: str) -> str:
    return "\n".join(line for line in DEP.splitlines() if not any(f"/{name}.ko" in line for name in names))


def test_a_kernel_that_is_locked_loads_nothing_more() -> None:
    locked: Files = {**LISTS, "/proc/sys/kernel/modules_disabled": "1\n"}
    judgement = look(MODULES, Facts(FakeHost(locked)))
    assert judgement.status == "fail"
    assert "loads no module any more" in judgement.summary
    assert state(FakeHost(locked), "overlay") == "forbidden"
    loaded = "".join(f"{name} 1 0 - Live 0x0\n" for name in NAMES)
    assert status({**locked, "/proc/modules": loaded}) == "pass"
    # What one set has, the other need not load.
    legacy = [name for name in NAMES if name.startswith(("ip_", "iptable", "ip6", "ipt_"))]
    loaded = "".join(f"{name} 1 0 - Live 0x0\n" for name in NAMES if name not in legacy)
    assert status({**locked, "/proc/modules": loaded}) == "pass"
    assert status({**LISTS, "/proc/sys/kernel/modules_disabled": "0\n"}) == "pass"


@pytest.mark.parametrize(
    ("files", "forbidden"),
    [
        ({"/etc/modprobe.d/cis.conf": "install overlay /bin/false\nblacklist overlay\n"}, True),
        ({"/etc/modprobe.d/cis.conf": "\n  install   over*   /bin/true # no\n"}, True),
        ({"/usr/lib/modprobe.d/a.conf": "install overlay \\\n  /usr/bin/false\n"}, True),
        ({"/etc/modprobe.d/a.conf": "install overlay :\n"}, True),
        ({"/etc/modprobe.d/a.conf": "install overlay exit 1\n"}, True),
        ({"/etc/modprobe.d/a.conf": "blacklist overlay\n"}, False),  # by its own name it is loaded
        ({"/etc/modprobe.d/a.conf": "install overlayfs /bin/false\n"}, False),
        ({"/etc/modprobe.d/a.conf": "# install overlay /bin/false\nInstall overlay /bin/false\n"}, False),
        ({"/etc/modprobe.d/a.conf": "install overlay /sbin/modprobe --ignore-install overlay\n"}, False),
        ({"/etc/modprobe.d/notes.txt": "install overlay /bin/false\n"}, False),
        # The first file of a name counts, and the first line that fits.
        ({"/etc/modprobe.d/a.conf": "", "/usr/lib/modprobe.d/a.conf": "install overlay /bin/false\n"}, False),
        (
            {
                "/etc/modprobe.d/b.conf": "install overlay /bin/false\n",
                "/run/modprobe.d/a.conf": "install overlay /sbin/modprobe -i overlay\n",
            },
            False,
        ),
        ({"/etc/modprobe.d": Denied("no")}, False),
    ],
)
def test_install_lines_of_modprobe(files: Files, forbidden: bool) -> None:
    host = FakeHost({**LISTS, **files})
    assert state(host, "overlay") == ("forbidden" if forbidden else "loadable")
    assert status({**LISTS, **files}) == ("fail" if forbidden else "pass")
    assert status({**LISTS, **files, "/proc/modules": "overlay 1 0 - Live 0x0\n"}) == "pass"


def test_the_finding_names_the_file_that_forbids_it() -> None:
    files = {**LISTS, "/etc/modprobe.d/cis-1.1.1.conf": "install nf-nat /bin/true\n"}
    judgement = look(MODULES, Facts(FakeHost(files)))
    assert judgement.status == "fail"
    assert judgement.summary == "/etc/modprobe.d/cis-1.1.1.conf keeps nf_nat from being loaded"


def test_a_locked_machine_whose_docker_runs_all_the_same() -> None:
    """Docker 28 loads br_netfilter where it needs it, the tables of the other iptables never."""
    locked: Files = {**LISTS, "/proc/sys/kernel/modules_disabled": "1\n"}

    def loaded(*others: str) -> Files:
        rows = "".join(f"{name} 1 0 - Live 0x0\n" for name in NAMES if name not in others)
        return {**locked, "/proc/modules": rows}

    legacy = ("ip_tables", "iptable_nat", "iptable_filter", "iptable_raw", "ipt_MASQUERADE")
    legacy6 = ("ip6_tables", "ip6table_nat", "ip6table_filter")
    nft = ("nf_tables", "nft_compat", "nft_chain_nat")
    judgement = look(MODULES, Facts(FakeHost(loaded("br_netfilter", *legacy, *legacy6))))
    assert (judgement.status, judgement.severity) == ("warn", "degrades")
    assert "br_netfilter" in judgement.summary
    assert status(loaded(*legacy, *legacy6)) == "pass"
    assert status(loaded(*nft)) == "pass"
    judgement = look(MODULES, Facts(FakeHost(loaded(*nft, *legacy6))))
    assert (judgement.status, "IPv4 only" in judgement.summary) == ("warn", True)
    assert status(loaded(*nft, "iptable_raw")) == "warn"
    assert status(loaded("veth")) == "fail"


def test_docker_28_needs_the_table_raw() -> None:
    lacking = {**LISTS, f"{PLACE}/modules.dep": without("iptable_raw", "nft_compat")}
    judgement = look(MODULES, Facts(FakeHost(lacking)))
    assert (judgement.status, judgement.severity) == ("warn", "breaks")
    assert "iptable_raw" in judgement.summary
    assert status({**LISTS, f"{PLACE}/modules.dep": without("iptable_raw")}) == "pass"
    assert status({**LISTS, f"{PLACE}/modules.dep": without("nft_compat")}) == "pass"
