"""Settings of the kernel and modules: the file of ours, what counts after it, the values that come back."""

from collections.abc import Mapping

import pytest

from mailcow_wizard.checks.kernel import INOTIFY, IPV6, OVERCOMMIT
from mailcow_wizard.checks.modules import MODULES
from mailcow_wizard.facts.modules import Modules, State
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import kernel, offers
from mailcow_wizard.fixes.modules_load import FILE, wanted, with_names
from mailcow_wizard.fixes.sysctl import DROP_IN, merged, settings
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.model import Check, Command, Edit, Manual, Plan
from mailcow_wizard.requirements import KERNEL_PARTS
from tests.fake_host import DEBIAN_12, SOMEBODY, FakeHost
from tests.judged import look

HEAD = b"# Written by mailcow-wizard, which can take its settings back: mailcow-wizard undo\n"
SYS = "/proc/sys"
CONF = "/opt/mailcow-dockerized/mailcow.conf"
ROOT = "1 1 8:1 / / rw - ext4 /dev/vda1 rw\n2 1 0:1 / /proc rw - proc proc rw\n"
READ_ONLY = ROOT + "3 2 0:1 / /proc/sys ro - proc proc rw\n"

Files = Mapping[str, str | bytes | HostError]


def machine(files: Files | None = None, mounts: str = ROOT, **given: object) -> FakeHost:
    """A machine with a sysctl of its own, and IPv6 switched off for all cards but one."""
    return FakeHost(
        {
            "/proc/self/mountinfo": mounts,
            "/proc/self/uid_map": "0 0 4294967295\n",
            "/proc/1/environ": "HOME=/\0",
            "/proc/version": "Linux version 6.1.0\n",
            f"{SYS}/vm/overcommit_memory": "0\n",
            f"{SYS}/fs/nr_open": "1048576\n",
            f"{SYS}/fs/inotify/max_user_instances": "128\n",
            f"{SYS}/fs/inotify/max_user_watches": "8192\n",
            f"{SYS}/net/ipv4/ip_forward": "0\n",
            **{f"{SYS}/net/ipv6/conf/{name}/disable_ipv6": "1\n" for name in ("all", "default", "eth0")},
            **{f"{SYS}/net/ipv6/conf/{name}/disable_ipv6": "0\n" for name in ("lo", "eth0.100")},
            **(files or {}),
        },
        **{"tools": ("sysctl",), **given},  # type: ignore[arg-type]
    )


def ids(check: Check, host: FakeHost) -> list[str]:
    return [fix.id for fix in look(check, Facts(host)).fixes]


def plan(check: Check, host: FakeHost, fix: str = "sysctl") -> Plan:
    facts = Facts(host)
    return next(one.plan() for one in offers(check.id, look(check, facts), facts) if one.fix.id == fix)


def test_overcommit() -> None:
    made = plan(OVERCOMMIT, machine())
    assert made.steps == (
        Edit(DROP_IN, None, HEAD + b"vm.overcommit_memory = 1\n"),
        Command(("sysctl", "-w", "vm.overcommit_memory=1"), (("sysctl", "-w", "vm.overcommit_memory=0"),)),
    )
    assert (made.risk, made.reversible, made.needs_root) == ("low", True, True)


def test_a_value_that_was_set_on_purpose_is_named() -> None:
    made = plan(OVERCOMMIT, machine({f"{SYS}/vm/overcommit_memory": "2\n"}))
    assert made.risk == "medium"
    assert "PostgreSQL" in made.consequence
    assert isinstance(made.steps[-1], Command)
    assert made.steps[-1].undo == (("sysctl", "-w", "vm.overcommit_memory=2"),)


@pytest.mark.parametrize(
    "host",
    [
        machine(mounts=READ_ONLY),
        machine({"/proc/self/uid_map": "0 100000 65536\n"}),
        machine(tools=()),
        machine({"/proc/self/mountinfo": Denied("no")}),
        machine({"/proc/self/uid_map": HostError("not recorded")}),
        machine({"/etc/sysctl.d": HostError("not recorded")}),
    ],
)
def test_not_offered(host: FakeHost) -> None:
    assert ids(OVERCOMMIT, host) == []


def test_without_root_it_is_shown_what_to_run() -> None:
    assert ids(OVERCOMMIT, machine(user=SOMEBODY)) == ["sysctl"]


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({"nr_open": "20000"}, ["fs.nr_open=1048576"]),
        ({"inotify/max_user_instances": "16"}, ["fs.inotify.max_user_instances=1024"]),
        (
            {"inotify/max_user_instances": "16", "inotify/max_user_watches": "100"},
            ["fs.inotify.max_user_instances=1024", "fs.inotify.max_user_watches=65536"],
        ),
    ],
)
def test_limits(files: dict[str, str], commands: list[str]) -> None:
    host = machine({f"{SYS}/fs/{name}": value for name, value in files.items()})
    made = plan(INOTIFY, host)
    assert [step.argv[2] for step in made.steps if isinstance(step, Command)] == commands
    edit = made.steps[0]
    assert isinstance(edit, Edit)
    assert edit.after == HEAD + "".join(f"{one.replace('=', ' = ')}\n" for one in commands).encode()


def test_a_limit_from_outside_is_not_ours() -> None:
    bound = DEBIAN_12, machine().user()._replace(capabilities=0)
    host = machine(
        {
            "/proc/self/limits": "Max open files  1024  20000  files\n",
            f"{SYS}/fs/inotify/max_user_watches": "1",
        },
        user=bound[1],
    )
    assert look(INOTIFY, Facts(host)).status == "fail"
    assert ids(INOTIFY, host) == []


def test_ipv6_is_left_out_of_mailcow_first() -> None:
    host = machine({CONF: b"A=b\n#ENABLE_IPV6=true\n"})
    assert ids(IPV6, host) == ["set-ipv6", "sysctl"]
    made = plan(IPV6, host, "set-ipv6")
    edit = made.steps[0]
    assert isinstance(edit, Edit)
    assert (edit.path, edit.after) == (CONF, b"A=b\nENABLE_IPV6=false\n")
    assert ids(IPV6, machine()) == ["sysctl"]
    none = machine({CONF: "ENABLE_IPV6=true\n"})
    for path in [one for one in none.files if "ipv6" in one]:
        del none.files[path]
    assert ids(IPV6, none) == ["set-ipv6"]


def test_each_card_gets_its_own_value_back() -> None:
    made = plan(IPV6, machine())
    assert made.risk == "medium"
    assert "firewall" in made.consequence
    commands = [step for step in made.steps if isinstance(step, Command)]
    assert [one.argv[2] for one in commands] == [
        "net.ipv6.conf.all.disable_ipv6=0",
        "net.ipv6.conf.default.disable_ipv6=0",
    ]
    assert [argv[2] for argv in commands[0].undo] == [
        "net.ipv6.conf.all.disable_ipv6=1",
        "net/ipv6/conf/eth0.100/disable_ipv6=0",
        "net/ipv6/conf/lo/disable_ipv6=0",
    ]


def test_a_card_whose_value_is_no_number_is_no_mistake_of_ours() -> None:
    host = machine({f"{SYS}/net/ipv6/conf/eth1/disable_ipv6": "garbage\n"})
    assert look(IPV6, Facts(host)).status == "warn"
    assert "sysctl" not in ids(IPV6, host)


def test_what_counts_after_our_file_is_changed_too() -> None:
    main = b"# mine\nvm.overcommit_memory=2 \nkernel.x = 1\r\n -vm/overcommit_memory =  0"
    host = machine(
        {
            "/etc/sysctl.conf": main,
            "/etc/sysctl.d/10-early.conf": "vm.overcommit_memory = 2\n",
            "/etc/sysctl.d/README": "vm.overcommit_memory = 2\n",
            "/etc/sysctl.d/70-same.conf": "vm.overcommit_memory = 1\n",
            "/etc/sysctl.d/80-comment.conf": "#vm.overcommit_memory = 2\n",
            "/usr/lib/sysctl.d/90-vendor.conf": "vm.overcommit_memory = 2\n",
            "/usr/lib/sysctl.d/70-same.conf": "vm.overcommit_memory = 2\n",
            "/usr/lib/sysctl.d/95-denied.conf": Denied("no"),
        },
        links={"/etc/sysctl.d/99-sysctl.conf": "/etc/sysctl.conf", "/lib": "/usr/lib"},
    )
    made = plan(OVERCOMMIT, host)
    manual = next(step for step in made.steps if isinstance(step, Manual))
    assert "/usr/lib/sysctl.d/90-vendor.conf sets vm.overcommit_memory = 2" in manual.text
    edits = [step for step in made.steps if isinstance(step, Edit)]
    assert [edit.path for edit in edits] == [DROP_IN, "/etc/sysctl.conf"]
    after = b"# mine\nvm.overcommit_memory=1\nkernel.x = 1\r\n -vm/overcommit_memory =  1"
    assert (edits[1].before, edits[1].after) == (main, after)


def test_our_own_file_is_merged() -> None:
    first = merged(None, {"a.b": 1})
    both = merged(first, {"c.d": 2})
    assert both == HEAD + b"a.b = 1\nc.d = 2\n"
    assert merged(both, {"a.b": 3}) == HEAD + b"a.b = 3\nc.d = 2\n"
    assert merged(both, {"c.d": 2}) == both
    assert merged(b"x = 1", {"a.b": 1}) == b"x = 1\na.b = 1\n"
    assert merged(b"#a.b = 1\naxb = 2\n", {"a.b": 1}) == b"#a.b = 1\naxb = 2\na.b = 1\n"
    assert dict(settings(b"; x=1\n -a/b = 1 \n\xff\nbare\n=2\n")) == {"a.b": "1"}


def test_a_file_that_is_right_already_is_left_alone() -> None:
    made = plan(OVERCOMMIT, machine({DROP_IN: "vm.overcommit_memory = 1\n"}))
    assert [type(step) for step in made.steps] == [Command]


# --- modules ----------------------------------------------------------------------------------------------

PLACE = f"/lib/modules/{DEBIAN_12.release}"
UNKNOWN: Files = {f"{PLACE}/modules.order": "", "/proc/modules": "overlay 1\nbridge 1\nveth 1\n"}


def test_modules_that_may_be_there_are_loaded() -> None:
    host = machine(UNKNOWN, tools=("modprobe", "depmod"))
    made = plan(MODULES, host, "load-modules")
    commands = [step for step in made.steps if isinstance(step, Command)]
    assert commands[0].argv == ("depmod", "-a")
    assert commands[1] == Command(
        ("modprobe", "br_netfilter"), (("modprobe", "-r", "br_netfilter"),), undo_optional=True
    )
    edit = made.steps[-1]
    assert isinstance(edit, Edit)
    assert edit.path == FILE
    assert edit.after is not None
    assert edit.after.splitlines()[1:3] == [b"br_netfilter", b"nf_conntrack"]
    assert b"overlay" not in edit.after


@pytest.mark.parametrize(
    ("files", "tools"),
    [
        ({**UNKNOWN, "/.dockerenv": ""}, ("modprobe", "depmod")),
        (UNKNOWN, ("depmod",)),
        (UNKNOWN, ("modprobe",)),
        ({"/proc/modules": "overlay 1\n"}, ("modprobe", "depmod")),
        ({"/proc/modules": "overlay 1\n", "/lib/modules/6.9.0/x": ""}, ("modprobe", "depmod")),
    ],
)
def test_loading_cannot_help(files: Files, tools: tuple[str, ...]) -> None:
    host = machine(files, tools=tools)
    assert look(MODULES, Facts(host)).status in ("unknown", "fail")
    assert ids(MODULES, host) == []


def test_loading_is_switched_off() -> None:
    host = machine({**UNKNOWN, f"{SYS}/kernel/modules_disabled": "1\n"}, tools=("modprobe", "depmod"))
    with pytest.raises(HostError, match="switched off"):
        plan(MODULES, host, "load-modules")


def test_which_modules() -> None:
    names = [name for part in KERNEL_PARTS for names in part.sets for name in names]

    def found(**states: State) -> Modules:
        return Modules(tuple((name, states.get(name, "loaded")) for name in names), "", (), ())

    assert wanted(found()) == ()
    assert wanted(found(veth="loadable")) == ()
    assert wanted(found(veth="unknown", overlay="unknown")) == ("overlay", "veth")
    assert wanted(found(nf_tables="unknown")) == ()  # the older tables are there
    assert wanted(found(nf_tables="unknown", ip_tables="unknown")) == ("nf_tables",)


def test_the_file_of_modules() -> None:
    assert with_names(b"veth\n", ("veth",)) == b"veth\n"
    assert with_names(b"# x\nveth", ("veth", "bridge")) == b"# x\nveth\nbridge\n"


def test_other_checks_have_none() -> None:
    host = machine()
    assert kernel.offers("kernel.version", look(OVERCOMMIT, Facts(host)), Facts(host)) == ()
    passing = look(OVERCOMMIT, Facts(machine({f"{SYS}/vm/overcommit_memory": "1"})))
    assert kernel.offers("kernel.overcommit", passing, Facts(host)) == ()
