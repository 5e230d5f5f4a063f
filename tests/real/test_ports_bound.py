"""Ports on which nobody listens and which the kernel may refuse all the same: bound sockets, connections."""

import sys
from pathlib import Path

import pytest
from lab import engine
from lab.cgroup import own_cgroup
from lab.inside import CHECKOUT, Inside

from tests.real.ports import REFUSE_NETLINK, WIZARD, Wizard, configure, listening, refused, words

pytestmark = pytest.mark.real

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
ALONE = ("--only-bind", "--no-reuse", "--name", "sitter")

BOUND = {
    "every address": ((*ALONE, "0.0.0.0", "25"), {}, "fail", "bound to port 25 without listening"),
    "one address": ((*ALONE, "192.0.2.10", "25"), {}, "fail", "bound to 192.0.2.10:25 without listening"),
    "both families": ((*ALONE, "::", "25"), {}, "fail", "bound to port 25 without listening"),
    "IPv6 alone": ((*ALONE, "--v6only", "::", "25"), {}, "fail", "port 25 of IPv6 without listening"),
    "IPv6 alone, unused": ((*ALONE, "::1", "25"), {"ENABLE_IPV6": "false"}, "warn", "[::1]:25 without"),
    "for sharing": ((*ALONE, "--reuse-port", "0.0.0.0", "25"), {}, "fail", "bound to port 25 without"),
    "as servers do": (("--only-bind", "0.0.0.0", "25"), {}, "pass", "port 25 is free"),
    "another address": ((*ALONE, "192.0.2.11", "25"), {"SMTP_PORT": "192.0.2.10:25"}, "pass", "is free"),
    "the same address": ((*ALONE, "192.0.2.10", "25"), {"SMTP_PORT": "192.0.2.10:25"}, "fail", "bound to"),
}


@pytest.mark.parametrize("name", BOUND)
def test_bound(name: str, network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """A socket that does not listen is in the way where the kernel says so to Docker, and only there."""
    argv, conf, status, said = BOUND[name]
    configure(mailcow, **conf)
    with listening(network, *argv) as pid:
        blocked = refused(network, conf.get("SMTP_PORT", "").partition(":")[0], 25)
        finding = wizard.port()
        assert bool(blocked) == (status != "pass")
        assert (finding["status"], said in finding["summary"]) == (status, True), words(finding)
        assert not blocked or f"process {pid} sitter" in finding["found"]
    assert wizard.port()["status"] == "pass"


def test_connection(network: Inside, wizard: Wizard) -> None:
    """A client took a port of ours as its own end, as file systems mounted by NFS do."""
    client = ("--no-reuse", "--name", "client", "--connect", "2600", "127.0.0.1", "993")
    with listening(network, "127.0.0.1", "2600"), listening(network, *client) as pid:
        finding = wizard.port("imaps")
        assert refused(network, "", 993)
        assert finding["status"] == "fail", words(finding)
        assert "client has a connection from 127.0.0.1:993" in finding["summary"]
        assert f"process {pid} client" in finding["found"]


def test_connection_that_is_being_closed(network: Inside, wizard: Wizard) -> None:
    """The kernel keeps a closed connection's port for a minute."""
    client = ("--no-reuse", "--connect", "2600", "127.0.0.1", "995")
    with listening(network, "127.0.0.1", "2600"):
        with listening(network, *client):
            pass
        assert refused(network, "", 995)
        finding = wizard.port("pop3s")
        assert finding["status"] == "fail", words(finding)
        assert finding["summary"] == "a connection that is being closed still holds 127.0.0.1:995"
        assert "minute" in finding["remedies"][0]


def test_without_netlink(network: Inside, wizard: Wizard) -> None:
    """No list shows the socket; the kernel's refusal does."""
    with listening(network, *ALONE, "0.0.0.0", "25"):
        finding = wizard.port(before=(sys.executable, "-I", "-S", REFUSE_NETLINK))
        assert finding["status"] == "fail", words(finding)
        assert finding["summary"] == "something that no list shows holds port 25"


def test_unit(network: Inside, wizard: Wizard) -> None:
    """The holder's unit is found as a listener's is."""
    with own_cgroup() as group, listening(network, *ALONE, "0.0.0.0", "25") as pid:
        unit = group / "mail.service"
        unit.mkdir()
        (unit / "cgroup.procs").write_text(str(pid))
        try:
            assert "unit mail.service" in wizard.port()["found"]
        finally:
            (group / "cgroup.procs").write_text(str(pid))


def test_what_only_root_can_try(network: Inside, wizard: Wizard) -> None:
    """Who may not bind the port cannot know that it is free."""
    findings = wizard.check()
    assert {one["certainty"] for one in findings.values()} == {"proved"}
    wizard.directory = "/"
    said = {port.number: one["certainty"] for port, one in wizard.by_port(before=NOBODY)}
    assert said[25] == said[993] == "inferred"
    assert said[4190] == said[13306] == "proved"


def test_docker_is_refused_where_we_are(docker: engine.Engine, mailcow: Path, tmp_path: Path) -> None:
    """Docker itself binds as the wizard tries to."""

    def run(*arguments: str, before: tuple[str, ...] = ()) -> object:
        argv = [*before, *WIZARD, *arguments, "--state-dir", str(tmp_path / "state")]
        return docker.run(argv, env={"PYTHONPATH": str(CHECKOUT)})

    beside = Wizard(run, str(mailcow))  # type: ignore[arg-type]
    for argv in ((*ALONE, "127.0.0.1", "25"), (*ALONE, "::1", "25"), ("--only-bind", "0.0.0.0", "25")):
        with listening(docker, *argv):
            status = beside.port()["status"]
            publish = ("docker", "run", "--rm", "-p", "25:25", engine.IMAGE, "/bin/busybox", "true")
            assert (docker.run(publish).returncode == 0) == (status == "pass"), argv
