"""Whatever a source is given instead of its file, each check says unknown: it never crashes, never passes."""

import pytest

from mailcow_wizard.checks import kernel, system
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError, NoAnswer, TooLarge
from mailcow_wizard.host.replies import Uname
from mailcow_wizard.model import Check
from tests.fake_host import SOMEBODY, FakeHost
from tests.judged import look

CHECKS = {check.id: check for check in (*system.CHECKS, *kernel.CHECKS)}
# The file without which a check has nothing to say.
SOURCES = {
    "system.cpu-clock": "/proc/cpuinfo",
    "system.cpu-features": "/proc/cpuinfo",
    "system.memory": "/proc/meminfo",
    "system.swap": "/proc/swaps",
    "system.os": "/etc/os-release",
    "system.privileges": "/proc/self/uid_map",
    "kernel.cgroups": "/proc/self/mountinfo",
    "kernel.overcommit": "/proc/sys/vm/overcommit_memory",
    "kernel.inotify": "/proc/sys/fs/nr_open",
    "kernel.ipv6": "/proc/sys/net/ipv6/conf/all/disable_ipv6",
    "kernel.lsm": "/sys/fs/selinux/enforce",
    "kernel.mounts": "/proc/self/mountinfo",
    "kernel.modules": "/lib/modules/6.1.0-25-amd64/modules.dep",
}
# A directory beside the source, so that only the source itself is strange.
AROUND: dict[str, str | bytes | HostError] = {
    "/proc/sys/net/ipv4/ip_forward": "1",
    "/proc/sys/fs/inotify/max_user_instances": "128",
    "/proc/sys/fs/inotify/max_user_watches": "65536",
    "/sys/kernel/": "",
}
BAD: dict[str, str | bytes | HostError] = {
    "empty": "",
    "blank": " \n\t \n",
    "one newline": "\n",
    "garbage": "\x00\x01 lorem : ipsum = dolor\n" * 50,
    "no utf-8": b"\xff\xfe\x80" * 4000,
    "numbers of another script": "٣٤ ² ³ : ٣\n",
    "an endless number": "9" * 100_000,
    "a megabyte in one line": "a b" * 340_000,
    "a megabyte of blanks": " " * 1_000_000,
    "a megabyte of colons": ":" * 1_000_000,
    "many megabytes": b"x" * (20 << 20),
    "denied": Denied("only root may read it"),
    "no answer": NoAnswer("it hangs"),
    "too large": TooLarge("too large"),
    "broken disk": HostError("input/output error"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", SOURCES)
def test_a_bad_source_is_unknown(name: str, bad: str) -> None:
    host = FakeHost({**AROUND, SOURCES[name]: BAD[bad]})
    judgement = look(CHECKS[name], Facts(host))
    assert judgement.status == "unknown", judgement
    assert judgement.summary


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_an_empty_machine(check: Check) -> None:
    host = FakeHost(uname=Uname("", "", "", "", 64), user=SOMEBODY)
    status = look(check, Facts(host)).status
    expected = {"system.cpu-arch": "fail", "system.tools": "fail", "system.privileges": "warn"}
    assert status == expected.get(check.id, "unknown")


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_a_machine_that_refuses_everything(check: Check) -> None:
    roots = ("/proc", "/sys", "/etc", "/usr", "/lib", "/run", "/boot", "/var", "/opt", "/bin", "/sbin")
    host = FakeHost({root: Denied(f"{root} may not be read") for root in roots}, user=SOMEBODY)
    expected = {
        "system.cpu-arch": "pass",
        "system.tools": "fail",
        "system.privileges": "warn",
        "kernel.version": "pass",
    }
    assert look(check, Facts(host)).status == expected.get(check.id, "unknown")
