"""Who holds a port: workers, processes that nobody may see, cgroups and the units that they tell."""

from pathlib import Path

import pytest
from bench import load
from lab.cgroup import own_cgroup
from lab.inside import Inside

from tests.real.ports import Wizard, configure, listening, words

pytestmark = pytest.mark.real


def test_workers_named_once(network: Inside, wizard: Wizard) -> None:
    """A master and the workers that share its socket are one holder, with their number."""
    with listening(network, "--name", "master", "--workers", "3", "0.0.0.0", "25") as pid:
        finding = wizard.port()
        assert finding["summary"].count("master") == 1, words(finding)
        assert f"process {pid} and 3 more" in finding["summary"]
    wizard.assert_free()


def test_program_that_calls_itself_dockers(network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """A root process with docker-proxy's name and words, but not its program, is nobody's container."""
    configure(mailcow, MAILCOW_HOSTNAME="mail.example.org")
    claims = ("--name", "docker-proxy", "0.0.0.0", "25", "-container-ip", "172.22.1.9")
    with listening(network, *claims) as pid:
        finding = wizard.port()
        assert finding["status"] == "fail", words(finding)
        assert f"docker-proxy is listening on port 25 (process {pid}" in finding["summary"]


def test_holder_that_even_root_cannot_see(network: Inside, wizard: Wizard) -> None:
    """A process of another container in the same network: the port is taken, its holder is not known."""
    with listening(network, "0.0.0.0", "25"):
        finding = wizard.port(before=("unshare", "--pid", "--fork", "--mount-proc", "--"))
        assert finding["status"] == "fail", words(finding)
        assert "unknown process" in finding["summary"]
        assert "only root" not in words(finding)


CGROUPS = {
    "system.slice/mail.service": "mail.service",
    "system.slice/system-mail.slice/mail@one.service": "mail@one.service",
    "system.slice/outer.service/inner.service": "outer.service",
    "machine.slice/guest@one.service/payload/system.slice/mail.service": "guest@one.service",
    "user.slice/user-1000.slice/user@1000.service/app.slice/mail.service": "",
    "user.slice/user-1000.slice/user@1000.service/tmux-spawn-1.scope": "",
    "user.slice/user-0.slice/session-3.scope": "",
    "lxc.payload.guest/system.slice/mail.service": "",
}


@pytest.mark.parametrize("cgroup", CGROUPS)
def test_unit_by_cgroup(cgroup: str, network: Inside, wizard: Wizard) -> None:
    """Only a unit that this machine's own systemd can stop is named."""
    with load.service(network, "0.0.0.0", "25", cgroup) as pid:
        finding = wizard.port()
        assert f"process {pid} " in finding["found"], words(finding)
        assert ("unit" in finding["found"]) == bool(CGROUPS[cgroup]), words(finding)
        assert f"unit {CGROUPS[cgroup]}".rstrip() in finding["found"] or not CGROUPS[cgroup]
        assert "user@" not in words(finding)


def test_holder_that_left_its_cgroup(network: Inside, wizard: Wizard) -> None:
    """The socket remembers the cgroup it was made in; who holds it now is found all the same."""
    with own_cgroup() as other, load.service(network, "0.0.0.0", "25") as pid:
        (other / "cgroup.procs").write_text(str(pid))
        assert f"process {pid} " in wizard.port()["found"]
