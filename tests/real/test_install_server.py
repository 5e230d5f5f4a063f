"""An install on a booted machine: its power is cut, who watches it is logged out, Docker is killed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import certificates
from lab.inside import running, wait_until
from lab.machine import CHECKOUT_INSIDE
from lab.skip import or_skip

from mailcow_wizard.install.stages import STAGES
from tests.real import install_server
from tests.real.install_place import failed_stage, said
from tests.real.install_server import Server

pytestmark = [pytest.mark.real, pytest.mark.slow]
SLOW = 60_000
ENDED = (0, 2, 3)
"""Exit codes of an install that came to its end: verified, with warnings, with something not known."""
NAMES = [one.id for one in STAGES]
DEFAULT = ("up",)
"""Stages that are disturbed in each run of the tests; the others take as long."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with or_skip(), install_server.server(tmp_path_factory.mktemp("install")) as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(machine: Server) -> dict[str, object]:
    """What an install leaves that nothing disturbed; its process belongs to systemd."""
    machine.reset()
    begun = machine.begin()
    with running(begun):
        assert wait_until(lambda: machine.worker() != 0, 30)
        place = machine.machine.run(["cat", f"/proc/{machine.worker()}/cgroup"]).stdout
        assert "mailcow-wizard-install-" in place
        assert begun.wait(120) in ENDED
    assert machine.registry in machine.docker("ps", "--format", "{{.Image}}")
    return machine.look()


@pytest.fixture
def server(machine: Server, undisturbed: dict[str, object]) -> Server:
    """The machine as it was before."""
    machine.reset()
    return machine


def ends_alike(server: Server, undisturbed: dict[str, object], secrets: tuple[str, ...]) -> None:
    """Run again, it ends as if nothing had happened, and with the same passwords."""
    done = server.install()
    assert "mailcow is" in done.stdout, done.stdout[-2000:] + done.stderr
    assert server.look() == undisturbed
    assert secrets in ((), server.secrets())


@pytest.mark.parametrize(
    "stage", [pytest.param(one, marks=() if one in DEFAULT else pytest.mark.long) for one in NAMES]
)
def test_power_is_cut(server: Server, undisturbed: dict[str, object], stage: str) -> None:
    with running(server.begin()):
        assert server.wait_for_stage(stage)
        if NAMES.index(stage) > NAMES.index("configuration"):
            secrets = server.secrets()
            assert len(secrets) == 4
        else:
            secrets = server.made_secrets()
        server.power_cut()
    assert server.stages()[stage] in ("running", "done")
    ends_alike(server, undisturbed, secrets)


class Odd(Server):
    """One whose directories have names that a shell, and systemd, read otherwise."""

    @property
    def directory(self) -> Path:
        return super().directory.with_name('it\'s-"$HOME"-${HOME}$$-%n-\\x41')

    @property
    def state(self) -> Path:
        return super().state.with_name('a  "state"-$HOME-${HOME}$$-%n-\\x41\nof it\'s')


def test_names_that_are_words_of_a_shell(machine: Server) -> None:
    odd = Odd(machine.machine, machine.root, machine.repository)
    odd.reset()
    done = odd.install()
    assert "mailcow is installed" in done.stdout, done.stdout[-2000:] + done.stderr
    assert odd.install("--yes").returncode in ENDED
    assert "there is nothing to take back" not in odd.wizard("undo", "--list").stderr


def test_no_other_change_slips_in_between(server: Server) -> None:
    """Also while systemd starts the process that goes on, the lock is never free."""
    with server.snatched_at() as other, running(server.begin()):
        assert server.wait_for_stage("clone")
        assert server.holds_the_lock()
        assert other.poll() is None
        assert server.install("--stop").returncode == 0
        assert other.wait(60) == 1
    assert server.standing()["state"] == "stopped"


@pytest.fixture
def shell(server: Server) -> Iterator[list[str]]:
    """A login over SSH, on whose end systemd ends all that belongs to it."""
    inside = server.machine
    server.reset()
    inside.write(
        "/etc/systemd/logind.conf.d/kill.conf", "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=\n"
    )
    key = "/root/.ssh/id_ed25519"
    made = f"rm -f {key}*; ssh-keygen -q -t ed25519 -N '' -f {key} && cp {key}.pub /root/.ssh/authorized_keys"
    inside.run(["sh", "-c", f"mkdir -p -m 700 /root/.ssh; {made}"], check=True)
    inside.run(["systemctl", "restart", "systemd-logind"], check=True)
    inside.run(["systemctl", "start", "ssh"], check=True)
    yield ["ssh", "-tt", "-oStrictHostKeyChecking=no", "-oLogLevel=ERROR", "root@127.0.0.1"]
    inside.run(["systemctl", "stop", "ssh"])


def _sessions(server: Server) -> set[str]:
    said = server.machine.run(["loginctl", "list-sessions", "--no-legend"]).stdout
    return {line.split()[0] for line in said.splitlines() if line.strip()}


@pytest.mark.parametrize("gentle", [True, pytest.param(False, marks=pytest.mark.long)])
def test_logged_out_in_each_stage(
    server: Server, undisturbed: dict[str, object], shell: list[str], gentle: bool
) -> None:
    """Whoever follows it is thrown out, comes again, and is thrown out again."""
    words = server.words("install", "--repository", server.repository, "--yes")
    server.faults(rate=SLOW)
    for stage in NAMES:
        if server.stages().get(stage) == "done":
            continue
        command = ["env", f"PYTHONPATH={CHECKOUT_INSIDE}", *words]
        ended = _sessions(server)  # the one before may still be on its way out
        with running(server.machine.start([*shell, " ".join(command)])) as login:
            assert server.wait_for_stage(stage)
            assert wait_until(lambda ended=ended: bool(_sessions(server) - ended), 20)  # type: ignore[misc]
            for session in _sessions(server) - ended:
                how = "terminate-session" if gentle else "kill-session"
                more = [] if gentle else ["--signal=KILL"]
                server.machine.run(["loginctl", how, *more, session])
            assert wait_until(lambda login=login: login.poll() is not None, 20)  # type: ignore[misc]
        if stage == "pull":
            server.faults()
    assert wait_until(lambda: server.standing().get("state") == "done", 120, 0.1), server.log.read_text()
    assert server.look() == undisturbed


@pytest.mark.long
@pytest.mark.parametrize("stage", ["pull", "up"])
def test_docker_is_killed(server: Server, undisturbed: dict[str, object], stage: str) -> None:
    """systemd starts it again, and the install goes on by itself."""
    server.faults(rate=SLOW)
    begun = server.begin()
    with running(begun):
        assert server.wait_for_stage(stage)
        if stage == "pull":
            assert wait_until(lambda: "so far known" in server.progress(), 60)
        server.machine.run(["systemctl", "kill", "--signal=KILL", "docker.service"], check=True)
        server.faults()
        assert begun.wait(150) in ENDED, server.log.read_text()[-3000:]
    assert server.look() == undisturbed


@pytest.mark.long
def test_docker_stays_away(server: Server, undisturbed: dict[str, object]) -> None:
    """It says so; when the install goes on, it starts Docker itself."""
    server.faults(rate=SLOW)
    begun = server.begin()
    with running(begun):
        assert server.wait_for_stage("pull")
        server.machine.run(["systemctl", "stop", "docker.service"], check=True)
        assert begun.wait(200) == 1
    assert "Docker does not answer any more" in str(server.standing()["error"])
    secrets = server.secrets()
    server.faults()
    ends_alike(server, undisturbed, secrets)


@pytest.mark.long
def test_postfix_comes_up_after_the_checks(server: Server, undisturbed: dict[str, object]) -> None:
    """A real one, which took port 25 while images came: it is named, and what is offered for it helps."""
    server.machine.run(["postconf", "-e", "inet_interfaces=loopback-only", "inet_protocols=ipv4"], check=True)
    server.faults(rate=SLOW)
    try:
        with running(server.begin()) as begun:
            assert server.wait_for_stage("pull")
            server.machine.run(["systemctl", "start", "postfix"], check=True)
            assert wait_until(lambda: ":25 " in server.machine.run(["ss", "-Hltn"]).stdout, 20)
            server.faults()
            assert begun.wait(150) == 1
        stands, secrets = server.standing(), server.secrets()
        assert (server.stages()["up"], len(secrets)) == ("failed", 4)
        assert "127.0.0.1:25 (process" in str(stands["error"]), stands["error"]
        assert "unit postfix@-.service)" in str(stands["error"])
        assert "fix ports.smtp stop-service" in str(stands["remedies"]), stands["remedies"]
        done = server.wizard("fix", "ports.smtp", "stop-service", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        ends_alike(server, undisturbed, secrets)
    finally:
        server.machine.run(["systemctl", "disable", "--now", "postfix"])


@pytest.mark.long
def test_registry_goes_and_comes(server: Server, undisturbed: dict[str, object]) -> None:
    server.machine.run(["systemctl", "stop", "registry"], check=True)
    begun = server.begin()
    with running(begun):
        assert wait_until(lambda: server.log.exists() and "tries again" in server.log.read_text(), 60)
        server.machine.run(["systemctl", "start", "registry"], check=True)
        assert begun.wait(120) in ENDED
    assert server.look() == undisturbed


@pytest.mark.long
def test_a_registry_that_nobody_vouches_for(server: Server, undisturbed: dict[str, object]) -> None:
    place = server.root / "registry"
    good = {name: (place / name).read_bytes() for name in ("tls.pem", "tls.key")}
    with tempfile.TemporaryDirectory() as other:
        certificate, key = certificates.self_signed(Path(other), "x", "/CN=x", "registry.example.org")
        (place / "tls.pem").write_bytes(certificate.read_bytes())
        (place / "tls.key").write_bytes(key.read_bytes())
    try:
        server.machine.run(["systemctl", "restart", "registry"], check=True)
        document = server.document()
        assert failed_stage(document) == "pull"
        assert "shows a certificate that is not trusted" in said(document)
        assert "mailcow-wizard check docker.registry" in said(document)
    finally:
        for name, data in good.items():
            (place / name).write_bytes(data)
        server.machine.run(["systemctl", "restart", "registry"], check=True)
    ends_alike(server, undisturbed, server.secrets())
