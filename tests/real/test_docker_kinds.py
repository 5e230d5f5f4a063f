"""docker.* where the command docker works, and is not the Docker that mailcow needs: a real Podman with and
without its socket, a real userns-remap, and a real rootless Docker of an ordinary user."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from lab import engine, machine
from lab.inside import LabError, wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from tests.real.mending import Mender

pytestmark = pytest.mark.real

STATE = "/var/lib/mailcow-wizard"
JSON = "/etc/docker/daemon.json"
MAILCOW = "/opt/mailcow-dockerized"
DATABASE = "mailcowdockerized_mysql-vol-1"
NAMES = ("engine", "daemon", "compose", "flavor", "daemon-json", "storage", "leftovers")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
ANNA, HOME, RUN = 1000, "/home/anna", "/run/user/1000"
AS_ANNA = ("setpriv", f"--reuid={ANNA}", f"--regid={ANNA}", "--clear-groups", "--", "env", f"HOME={HOME}")
# An engine that mailcow takes, which Debian 12 itself does not have.
LENT = "/opt/docker"
_UNIT = f"""[Service]
Environment=PATH={LENT}/usr/bin:{LENT}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=
ExecStart={LENT}/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock
"""
_STORAGE = """[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
"""


def look(debian: Machine, before: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """The findings by name, as the wizard tells them."""
    user = next((one.partition("=")[2] for one in before if one.startswith("--reuid=")), "")
    where = ("--state-dir", f"/tmp/state-{user}" if user else STATE)
    names = (f"docker.{one}" for one in NAMES)
    done = debian.run([*before, "python3", "-m", "mailcow_wizard", "check", *names, "--json", *where])
    return {one["id"].partition(".")[2]: one for one in json.loads(done.stdout)["checks"]}


def assert_replayed(debian: Machine, found: dict[str, dict[str, Any]]) -> None:
    """Somebody who is sent this machine's answers sees the same."""
    file, where = "/tmp/recorded.json", ("--state-dir", "/tmp/replayed")
    names = [f"docker.{one}" for one in NAMES]
    assert debian.wizard("check", *names, "--record", file, *where).returncode == 1
    said = json.loads(debian.wizard("check", *names, "--host", file, "--json", *where).stdout)["checks"]
    told = {one["id"].partition(".")[2]: (one["status"], one["summary"]) for one in said}
    assert told == {name: (one["status"], one["summary"]) for name, one in found.items()}


def status(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: one["status"] for name, one in found.items()}


# --- Podman -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def podman() -> Iterator[Machine]:
    """A Debian 12 on which Podman has Docker's name and, while its socket is there, Docker's place."""
    with or_skip():
        programs = engine.unpacked(engine.SUITES[0])
        with machine.booted("podman", "podman-docker", lent={str(programs): LENT}) as made:
            # Its usual driver does not work on the machine's own root.
            made.write("/etc/containers/storage.conf", _STORAGE)
            made.run(["rm", "-rf", "/var/lib/containers/storage"], check=True)
            made.run(["systemctl", "stop", "podman.service", "podman.socket"], check=True)
            made.run(["systemctl", "reset-failed", "podman.service", "podman.socket"])
            yield made


@contextmanager
def its_socket(podman: Machine) -> Iterator[None]:
    podman.run(["systemctl", "start", "podman.socket"], check=True)
    try:
        yield
    finally:
        podman.run(["systemctl", "stop", "podman.socket", "podman.service"], check=True)


def assert_podman(found: dict[str, dict[str, Any]], *also: str) -> None:
    """Nothing that only a Docker can answer is green, and the way out is offered."""
    seen = found["engine"]
    assert (seen["status"], "this is Podman under Docker's name" in seen["summary"]) == ("fail", True), seen
    assert "Remove podman-docker" in seen["remedies"][0]
    assert [one["id"] for one in seen["fixes"]] == ["install-docker"]
    for name in ("daemon", "leftovers", *also):
        seen = found[name]
        assert (seen["status"], "Docker is not installed" in seen["summary"]) == ("skipped", True), seen
    assert "pass" not in {one for name, one in status(found).items() if name != "daemon-json"}


def test_podman_without_its_socket(podman: Machine) -> None:
    assert podman.run(["docker", "--version"], check=True).stdout.startswith("podman version")
    assert_podman(look(podman))
    assert_podman(look(podman, NOBODY))


def test_podman_with_its_socket(podman: Machine) -> None:
    with its_socket(podman):
        found = look(podman)
        assert_podman(found)
        assert "Podman" in found["engine"]["evidence"][0]["value"]
        assert_replayed(podman, found)
        # Somebody who may not use the socket is not told that there is a Docker behind it.
        assert_podman(look(podman, NOBODY))


def test_podman_answers_a_docker_client(podman: Machine) -> None:
    """The command is Docker's own; who answers it is not."""
    client = "/usr/local/bin/docker"
    podman.run(["ln", "-s", f"{LENT}/usr/bin/docker", client], check=True)
    try:
        with its_socket(podman):
            assert "Podman Engine" in podman.run(["docker", "version"], check=True).stdout
            assert_podman(look(podman))
    finally:
        podman.run(["rm", client], check=True)


# --- Docker itself ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def debian() -> Iterator[Machine]:
    """A Debian 12 with an engine that mailcow takes, and a mailcow.conf."""
    packages = ("docker.io", "uidmap", "rootlesskit", "slirp4netns")
    with or_skip():
        programs = engine.unpacked(engine.SUITES[0])
        with machine.booted(*packages, lent={str(programs): LENT}) as made:
            made.write("/etc/systemd/system/docker.service.d/lent.conf", _UNIT)
            for name in ("bin/docker", "sbin/dockerd"):
                made.run(["ln", "-s", f"{LENT}/usr/{name}", "/usr/local/bin"], check=True)
            made.run(["systemctl", "daemon-reload"], check=True)
            made.write(f"{MAILCOW}/docker-compose.yml", "services: {}\n")
            made.write(f"{MAILCOW}/generate_config.sh", "")
            restart(made)
            yield made


@pytest.fixture
def mender(debian: Machine) -> Mender:
    """Fixes there."""
    return Mender(debian, "python3", CHECKOUT_INSIDE, MAILCOW, STATE)


def restart(debian: Machine) -> None:
    debian.run(["systemctl", "reset-failed", "docker.service", "docker.socket"])
    if debian.run(["systemctl", "restart", "docker.service"]).returncode:
        said = debian.run(["journalctl", "-u", "docker", "-n", "2", "-o", "cat"]).stdout
        raise LabError(f"Docker does not run in this machine: {said.strip()[-200:]}")


def test_the_engine_is_one_that_mailcow_takes(debian: Machine) -> None:
    """What the others find is then their kind's, and not this machine's."""
    found = status(look(debian))
    assert {one: found[one] for one in ("engine", "daemon", "daemon-json", "leftovers")} == {
        **dict.fromkeys(("engine", "daemon", "daemon-json", "leftovers"), "pass")
    }


def test_mapped_users(debian: Machine) -> None:
    """What Docker held before is then not seen by it: a database is there all the same."""
    debian.run(["docker", "volume", "create", DATABASE], check=True)
    debian.write(f"{MAILCOW}/mailcow.conf", "MAILCOW_HOSTNAME=mail.example.org\nDBPASS=old\n")
    debian.write(JSON, '{"userns-remap": "default"}\n')
    restart(debian)
    try:
        assert debian.run(["docker", "volume", "ls", "-q"], check=True).stdout == ""
        found = look(debian)
        seen = found["engine"]
        assert (seen["status"], seen["certainty"], seen["fixes"]) == ("fail", "proved", [])
        assert seen["summary"].startswith("Docker maps the users of containers to others (userns-remap)")
        assert "also:" not in seen["summary"]
        assert_replayed(debian, found)
        root = debian.run(["docker", "info", "--format", "{{.DockerRootDir}}"], check=True).stdout.strip()
        assert f"stays in {root}, unseen" in seen["remedies"][0]
        assert found["leftovers"]["status"] == "unknown"
        assert found["daemon-json"]["status"] == "fail"
        assert f'"userns-remap" is set in {JSON}' in found["daemon-json"]["summary"]
        done = debian.wizard("conf", "set", "DBPASS=another1", "--dry-run", "--dir", MAILCOW)
        assert (done.returncode, "the database of mailcowdockerized" in done.stderr) == (64, True), done
        # Told before Docker runs with it, too.
        debian.run(["systemctl", "stop", "docker.service", "docker.socket"], check=True)
        assert look(debian)["daemon-json"]["status"] == "fail"
        # As the remedy says:
        debian.run(["rm", JSON], check=True)
        restart(debian)
        found = look(debian)
        assert (found["engine"]["status"], found["daemon-json"]["status"]) == ("pass", "pass")
        debian.run(["rm", f"{MAILCOW}/mailcow.conf"], check=True)
        left = look(debian)["leftovers"]
        assert (left["status"], DATABASE in left["summary"]) == ("fail", True)
    finally:
        debian.run(["rm", "-f", JSON, f"{MAILCOW}/mailcow.conf"], check=True)
        restart(debian)
        debian.run(["docker", "volume", "rm", DATABASE])


# --- rootless ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rootless(debian: Machine) -> Iterator[Machine]:
    """The machine with a Docker of Anna's that runs without root, beside the system's."""
    debian.run(["useradd", "--uid", str(ANNA), "--create-home", "--home-dir", HOME, "anna"], check=True)
    debian.run(["install", "-d", "-o", "anna", "-m", "700", RUN], check=True)
    debian.run(["chmod", "666", "/dev/net/tun"], check=True)  # as everywhere but in this machine
    path = f"PATH={LENT}/usr/bin:{LENT}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    script = f"{LENT}/usr/share/docker.io/contrib/dockerd-rootless.sh"
    run = ["systemd-run", "--unit=rootless", f"--uid={ANNA}", "--property=Delegate=yes"]
    run += [f"--setenv={one}" for one in (path, f"HOME={HOME}", f"XDG_RUNTIME_DIR={RUN}")]
    debian.run([*run, "sh", script], check=True)
    with or_skip():
        ask = [*AS_ANNA, "docker", "-H", f"unix://{RUN}/docker.sock", "info", "-f", "{{.SecurityOptions}}"]
        if not wait_until(lambda: "rootless" in debian.run(ask).stdout, 30, pause=0.2):
            said = debian.run(["journalctl", "-u", "rootless", "-n", "3", "-o", "cat"]).stdout
            raise LabError(f"no rootless Docker runs in this machine: {said.strip()[-200:]}")
    try:
        yield debian
    finally:
        debian.run(["systemctl", "stop", "rootless.service"])


@contextmanager
def systems_stopped(debian: Machine) -> Iterator[None]:
    """Anna's alone runs."""
    units = ("docker.service", "docker.socket")
    debian.run(["systemctl", "disable", "--now", *units], check=True)
    try:
        yield
    finally:
        debian.run(["systemctl", "reset-failed", *units])
        debian.run(["systemctl", "enable", "--now", *units], check=True)


def test_a_rootless_docker_beside_the_systems(rootless: Machine) -> None:
    """mailcow will use the system's, which is as it should be; docker itself may be led to the other."""
    found = status(look(rootless))
    assert (found["engine"], found["daemon"], found["leftovers"]) == ("pass", "pass", "pass")
    seen = look(rootless, AS_ANNA)["engine"]
    assert (seen["status"], "how it runs, root can tell" in seen["summary"]) == ("unknown", True)
    led = look(rootless, ("env", f"DOCKER_HOST=unix://{RUN}/docker.sock"))["engine"]
    assert (led["status"], "not to the system's Docker" in led["summary"]) == ("warn", True)


def test_a_context_that_leads_to_the_rootless_docker(rootless: Machine) -> None:
    """As Docker's own script for one user leaves it; what is typed then goes there."""
    context = ["docker", "context"]
    address = f"host=unix://{RUN}/docker.sock"
    rootless.run([*context, "create", "mine", "--docker", address], check=True)
    try:
        assert look(rootless)["engine"]["status"] == "pass"
        chosen = look(rootless, ("env", "DOCKER_CONTEXT=mine"))["engine"]
        rootless.run([*context, "use", "mine"], check=True)
        assert "rootless" in rootless.run(["docker", "info"], check=True).stdout
        used = look(rootless)["engine"]
        for seen in (chosen, used):
            assert seen["status"] == "warn"
            assert f"its context mine: it talks to unix://{RUN}/docker.sock" in seen["summary"]
        # As the remedy says:
        rootless.run([*context, "use", "default"], check=True)
        assert look(rootless)["engine"]["status"] == "pass"
    finally:
        rootless.run([*context, "use", "default"])
        rootless.run([*context, "rm", "mine"], check=True)


def test_a_rootless_docker_alone(rootless: Machine, mender: Mender) -> None:
    with systems_stopped(rootless):
        for before in ((), AS_ANNA):
            found = look(rootless, before)
            seen = found["engine"]
            assert (seen["status"], "the rootless Docker of anna" in seen["summary"]) == ("unknown", True)
            assert "pass" not in {found[one]["status"] for one in ("daemon", "storage", "leftovers")}
            led = look(rootless, (*before, "env", f"DOCKER_HOST=unix://{RUN}/docker.sock"))["engine"]
            assert (led["status"], "the rootless Docker of anna" in led["summary"]) == ("warn", True)
        found = look(rootless)
        assert_replayed(rootless, found)
        seen = found["daemon"]
        assert (seen["status"], "the rootless Docker of anna" in seen["summary"]) == ("fail", True)
        mender.apply("docker.daemon", "start-docker")
        assert look(rootless)["engine"]["status"] == "pass"


def test_a_rootless_docker_and_no_other(rootless: Machine) -> None:
    """Docker's script for one user puts all into that user's home."""
    hidden = 'for one in /usr/local/bin /usr/sbin; do mount -t tmpfs tmpfs $one; done; exec "$@"'
    alone = ("unshare", "--mount", "sh", "-c", hidden, "hide")
    with systems_stopped(rootless):
        found = look(rootless, alone)
        seen = found["engine"]
        assert (seen["status"], "no engine is installed" in seen["summary"]) == ("fail", True), seen
        assert "the rootless Docker of anna" in seen["summary"]
        assert [one["id"] for one in seen["fixes"]] == ["install-docker"]
        assert found["daemon"]["status"] == "skipped"


def test_a_rootless_docker_in_the_systems_place(rootless: Machine) -> None:
    place = "/run/docker.sock"
    with systems_stopped(rootless):
        rootless.run(["ln", "-sf", f"{RUN}/docker.sock", place], check=True)
        try:
            for before in ((), AS_ANNA):
                found = look(rootless, before)
                seen = found["engine"]
                assert (seen["status"], seen["certainty"]) == ("fail", "proved")
                assert seen["summary"] == "Docker runs rootless, which mailcow does not support"
                assert seen["fixes"] == []
                assert "systemctl --user disable --now docker" in seen["remedies"][0]
                expected = {"daemon": "skipped", "storage": "skipped", "leftovers": "unknown"}
                assert {one: found[one]["status"] for one in expected} == expected
            # As the remedy says, with the other still in its place:
            rootless.run(["systemctl", "enable", "--now", "docker"], check=True)
            found = look(rootless)
            assert (found["engine"]["status"], found["daemon"]["status"]) == ("pass", "pass")
        finally:
            rootless.run(["systemctl", "stop", "docker.service", "docker.socket"], check=True)
            rootless.run(["rm", "-f", place], check=True)
