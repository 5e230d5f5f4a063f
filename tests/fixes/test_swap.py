"""Where a swap file is planned, how large and made how; and where none can be made."""

from collections.abc import Mapping

import pytest

from mailcow_wizard.checks.system import MEMORY, SWAP
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, Offer, system
from mailcow_wizard.fixes.swap import fitting, gib, is_listed, with_line
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Space, Uname
from mailcow_wizard.model import Command, Edit, Judgement, Plan
from tests.fake_host import DEBIAN_12, SOMEBODY, FakeHost
from tests.judged import look

GIB, MIB = 1 << 30, 1 << 20
HEADER = "Filename\tType\tSize\tUsed\tPriority\n"
FSTAB = b"UUID=1 / ext4 errors=remount-ro 0 1\n"
WARN = Judgement("warn", "no swap")
TOOLS = ("mkswap", "swapon", "swapoff", "fallocate", "dd", "chattr")


def mounts(*rows: tuple[str, str, str]) -> str:
    """mountinfo of these mounts: point, kind, options."""
    return "".join(
        f"{number} 1 8:1 / {point} {options} - {kind} /dev/vda{number} {options}\n"
        for number, (point, kind, options) in enumerate(rows, 1)
    )


def machine(
    kind: str = "ext4",
    options: str = "rw,relatime",
    free: int = 50 * GIB,
    memory: int = 4 * GIB,
    swaps: str = "",
    files: Mapping[str, str | bytes | HostError] | None = None,
    tools: tuple[str, ...] = TOOLS,
    more: tuple[tuple[str, str, str], ...] = (),
    uname: Uname = DEBIAN_12,
    **given: object,
) -> FakeHost:
    """A machine whose root is on this kind of file system."""
    return FakeHost(
        {
            "/proc/self/mountinfo": mounts(("/", kind, options), *more),
            "/proc/meminfo": f"MemTotal: {memory // 1024} kB\n",
            "/proc/swaps": HEADER + swaps,
            "/proc/1/environ": "HOME=/\0",
            "/proc/self/uid_map": "0 0 4294967295\n",
            "/proc/version": "Linux version 6.1.0\n",
            "/run/systemd/system/": "",
            "/etc/fstab": FSTAB,
            "/var/": "",
            **(files or {}),
        },
        spaces={"/": Space(free, 100 * GIB, 1, 1), **{p: Space(50 * GIB, 1, 1, 1) for p, _, _ in more}},
        tools=tools,
        uname=uname,
        **given,  # type: ignore[arg-type]
    )


def offer(host: FakeHost, check: str = "system.swap") -> Offer | None:
    found = [one for one in system.offers(check, WARN, Facts(host)) if one.fix.id == "swapfile"]
    return found[0] if found else None


def plan(host: FakeHost) -> Plan:
    found = offer(host)
    assert found
    return found.plan()


def refused(host: FakeHost) -> str:
    """Why there is no plan."""
    with pytest.raises(NoPlan) as error:
        plan(host)
    return str(error.value)


def argvs(made: Plan) -> list[str]:
    return [" ".join(step.argv) for step in made.steps if isinstance(step, Command)]


def test_on_ext4() -> None:
    made = plan(machine())
    assert argvs(made) == [
        "dd if=/dev/null of=/swapfile conv=excl",
        "chmod 600 /swapfile",
        "fallocate -l 3072M /swapfile",
        "mkswap /swapfile",
        "swapon /swapfile",
    ]
    assert made.steps[-1] == Edit("/etc/fstab", FSTAB, FSTAB + b"/swapfile none swap sw 0 0\n")
    assert (made.risk, made.reversible, made.needs_root, made.interrupts) == ("low", True, True, "")
    assert made.title == "Make a swap file of 3 GiB"
    undo = [argv for step in reversed(made.steps) if isinstance(step, Command) for argv in step.undo]
    assert undo == [("swapoff", "/swapfile"), ("rm", "-f", "/swapfile")]
    # Switched off by hand since, it is taken back all the same; the kernel does not remove one in use.
    assert [step.argv[0] for step in made.steps if isinstance(step, Command) and step.undo_optional] == [
        "swapon"
    ]


def test_the_check_offers_it_by_name() -> None:
    for check in (SWAP, MEMORY):
        assert "swapfile" in [fix.id for fix in look(check, Facts(machine())).fixes]


@pytest.mark.parametrize(
    ("kind", "release", "tools", "step"),
    [
        ("ext3", "6.1.0", TOOLS, "dd"),
        ("ext2", "6.1.0", TOOLS, "dd"),
        ("xfs", "6.1.0", TOOLS, "fallocate"),
        ("xfs", "4.18.0-553.el8", TOOLS, "fallocate"),
        ("xfs", "4.15.0-70-generic", TOOLS, "dd"),
        ("ext4", "6.1.0", tuple(one for one in TOOLS if one != "fallocate"), "dd"),
        ("btrfs", "6.1.0", TOOLS, "dd"),
    ],
)
def test_holes(kind: str, release: str, tools: tuple[str, ...], step: str) -> None:
    """The kernel takes no file with holes, and some file systems count reserved space as such."""
    made = argvs(plan(machine(kind, tools=tools, uname=DEBIAN_12._replace(release=release))))
    filling = "fallocate -l 3072M /swapfile"
    if step == "dd":
        filling = "dd if=/dev/zero of=/swapfile bs=1M count=3072 conv=notrunc,fsync"
    assert filling in made
    copying = "chattr +C /swapfile"
    assert (copying in made) is (kind == "btrfs")
    if kind == "btrfs":
        assert made.index("chmod 600 /swapfile") < made.index(copying) < made.index(filling)


def test_writing_takes_its_time() -> None:
    slow = next(
        step for step in plan(machine("ext3")).steps if isinstance(step, Command) and step.timeout > 200
    )
    assert slow.argv[:2] == ("dd", "if=/dev/zero")
    assert "busy" in plan(machine("ext3")).consequence


@pytest.mark.parametrize(
    ("host", "word"),
    [
        (machine("zfs"), "ZFS"),
        (machine("tmpfs"), "memory"),
        (machine("overlay"), "overlay"),
        (machine("nfs4"), "another machine"),
        (machine("bcachefs"), "no safe way"),
        (machine(options="ro"), "read-only"),
        (machine(free=5 * GIB), "5 GiB have to stay free"),
        (machine(free=0), "0 GiB are free"),
        (machine("btrfs", uname=DEBIAN_12._replace(release="4.19.0")), "5.0"),
        (machine("btrfs", tools=TOOLS[:-1]), "chattr"),
        (
            machine(
                "btrfs",
                files={
                    "/dev/vda1": b"",
                    "/sys/fs/btrfs/a-b/devices/vda1": b"",
                    "/sys/fs/btrfs/a-b/devices/vdb": b"",
                },
            ),
            "several disks",
        ),
        (
            machine(
                files={f"/swapfile{end}": b"" for end in ("", "-mailcow")}
                | {f"/swapfile-mailcow-{n}": b"" for n in range(2, 10)}
            ),
            "too many",
        ),
    ],
)
def test_none_can_be_made(host: FakeHost, word: str) -> None:
    assert word in refused(host)


@pytest.mark.parametrize(
    "host",
    [
        machine(files={"/.dockerenv": b""}),
        machine(files={"/proc/1/environ": "container=lxc\0"}),
        machine(files={"/proc/self/uid_map": "0 100000 65536\n"}),
        machine(memory=8 * GIB, swaps="/dev/vda2 partition 1048572 0 -2\n"),
        machine(tools=("dd", "fallocate")),
        machine(files={"/proc/self/mountinfo": HostError("no")}),
        machine(files={"/etc/fstab": HostError("no")}),
    ],
)
def test_not_offered(host: FakeHost) -> None:
    assert offer(host) is None


def test_without_root_it_is_shown_what_to_run() -> None:
    assert plan(machine(user=SOMEBODY)).needs_root


def test_another_name() -> None:
    """A file of that name may be anything; one that fstab still names is made again."""
    made = plan(machine(files={"/swapfile": b"mail"}))
    assert not [line for line in argvs(made) if line.endswith("/swapfile")]
    assert "swapon /swapfile-mailcow" in argvs(made)
    listed = machine(files={"/etc/fstab": b"/swapfile\tnone\tswap\tdefaults\t0 0\n"})
    assert not [step for step in plan(listed).steps if isinstance(step, Edit)]


def test_another_place() -> None:
    """A small or unfit root leaves /var; what stays free there is for Docker's data."""
    var = (("/var", "ext4", "rw"),)
    assert "swapon /var/swapfile" in argvs(plan(machine("zfs", more=var)))
    assert "swapon /var/swapfile" in argvs(plan(machine(free=GIB, more=var)))
    assert "fallocate -l 3072M /swapfile" in argvs(plan(machine(free=4 * GIB, more=var)))
    assert "swapon /swapfile" in argvs(plan(machine(free=4 * GIB, more=var)))


def test_selinux_and_openrc() -> None:
    host = machine(files={"/sys/fs/selinux/enforce": "1"}, tools=(*TOOLS, "chcon"))
    assert "chcon -t swapfile_t /swapfile" in argvs(plan(host))
    host = machine(files={"/etc/init.d/swap": ""}, tools=(*TOOLS, "rc-update"))
    del host.files["/run/systemd/system/"]
    assert argvs(plan(host))[-1] == "rc-update add swap boot"
    busybox = machine(
        tools=(*(one for one in TOOLS if one != "dd"), "busybox"), links={"/bin/dd": "/usr/bin/busybox"}
    )
    assert argvs(plan(busybox))[0] == "touch /swapfile"


@pytest.mark.parametrize(
    ("memory", "swaps", "size"),
    [
        (4 * GIB, "", "3 GiB"),
        (int(3.83 * GIB), "", "3.5 GiB"),
        (int(1.9 * GIB), "", "5.5 GiB"),
        (16 * GIB, "", "1 GiB"),
        (16 * GIB, "/dev/vda2 partition 524284 0 -2\n", "0.5 GiB"),
        (16 * GIB, "/dev/zram0 partition 8388608 0 100\n", "1 GiB"),
        (2 * GIB, "/dev/vda2 partition 2097148 0 -2\n", "3 GiB"),
    ],
)
def test_size(memory: int, swaps: str, size: str) -> None:
    assert plan(machine(memory=memory, swaps=swaps)).title == f"Make a swap file of {size}"


def test_less_room_than_wished() -> None:
    assert plan(machine(free=7 * GIB)).title == "Make a swap file of 2 GiB"
    assert fitting(3 * GIB, GIB, 2 * GIB - 1) == GIB + 512 * MIB
    assert fitting(3 * GIB, GIB, GIB - 1) == 0
    assert fitting(GIB // 4, -GIB, GIB) == 512 * MIB
    assert fitting(3 * GIB, GIB, -GIB) == 0


def test_fstab() -> None:
    line = b"/swapfile none swap sw 0 0\n"
    assert with_line(None, "/swapfile") == line
    assert with_line(b"", "/swapfile") == line
    assert with_line(b"a b", "/swapfile") == b"a b\n" + line
    assert with_line(b"a b\r\n\xff\n", "/swapfile") == b"a b\r\n\xff\n" + line
    assert not is_listed(b"#/swapfile none swap\n/swapfile /mnt ext4\n", "/swapfile")
    assert not is_listed(None, "/swapfile")
    assert gib(0) == "0 GiB"


def test_the_machine_changed_meanwhile() -> None:
    host = machine()
    made = offer(host)
    assert made
    host.files["/swapfile"] = b"new"
    assert "swapon /swapfile-mailcow" in argvs(made.plan())
    host.files["/etc/fstab"] = b"other\n"
    edit = made.plan().steps[-1]
    assert isinstance(edit, Edit)
    assert edit.before == b"other\n"
