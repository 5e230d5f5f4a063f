"""docker.* with real engines: as they run, with what an older mailcow left, copying storage, and dead."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import engine
from lab.engine import Engine
from lab.skip import or_skip
from real.config_place import GOOD_CONF

pytestmark = pytest.mark.real

PROJECT = "mailcowdockerized"
NETWORK = f"{PROJECT}_mailcow-network"


@pytest.fixture
def directory() -> Iterator[Path]:
    """mailcow's directory, where other users may look."""
    with tempfile.TemporaryDirectory(prefix="mailcow-wizard-docker-") as name:
        Path(name).chmod(0o755)
        made = Path(name) / "mailcow"
        made.mkdir()
        (made / "docker-compose.yml").write_text("services: {}\n")
        yield made


def look(docker: Engine, directory: Path, *checks: str, user: int = 0) -> dict[str, Any]:
    """The findings by name, as the wizard tells them."""
    options = ("--json", "--dir", str(directory), "--state-dir", str(directory.parent / f"state-{user}"))
    done = docker.wizard(
        "check", *(f"docker.{one}" for one in checks), *options, env={"PATH": "/usr/bin:/bin"}
    )
    return {one["id"].partition(".")[2]: one for one in json.loads(done.stdout)["checks"]}


def with_programs(docker: Engine) -> None:
    """Puts client and daemon where programs are looked for, for the engine's namespaces alone."""
    where = docker.run(["sh", "-c", "command -v docker; command -v dockerd"], check=True).stdout.split()
    script = 'mount -t tmpfs tmpfs /usr/local/bin && cp "$@" /usr/local/bin'
    docker.run(["sh", "-c", script, "copy", *where], check=True)


def labels(service: str, where: str) -> list[str]:
    rows = {"project": PROJECT, "service": service, "project.working_dir": where}
    return [word for name, one in rows.items() for word in ("--label", f"com.docker.compose.{name}={one}")]


def test_an_engine_that_runs(docker: Engine, directory: Path) -> None:
    seen = look(docker, directory, "engine", "storage", "leftovers", "daemon-json", "relay")
    assert (seen["engine"]["status"], seen["engine"]["certainty"]) == ("pass", "proved")
    assert docker.version in seen["engine"]["summary"]
    assert seen["storage"]["status"] == "pass"
    # Since Docker 29 containerd keeps the images.
    driver = "overlayfs" if docker.version.startswith("29.") else "overlay2"
    assert f"driver is {driver} " in seen["storage"]["summary"]
    assert seen["leftovers"]["summary"] == "nothing is left of an older mailcow"
    assert seen["relay"]["status"] == "skipped"
    # The lab's engines make no firewall rules.
    assert seen["daemon-json"]["status"] == "fail"
    assert "iptables: false" in seen["daemon-json"]["summary"]


def test_without_firewall_rules_strangers_are_neighbours(docker: Engine, directory: Path) -> None:
    (directory / "mailcow.conf").write_text(GOOD_CONF)
    relay = look(docker, directory, "relay")["relay"]
    assert (relay["status"], relay["certainty"]) == ("fail", "inferred")
    options = ("-p", "25:25", *labels("postfix-mailcow", str(directory)))
    with docker.container("postfix", *options):
        relay = look(docker, directory, "relay")["relay"]
    assert (relay["status"], relay["certainty"]) == ("fail", "proved")
    assert "0.0.0.0:25" in relay["evidence"][0]["value"]


def test_leftovers_are_seen_and_removed(docker: Engine, directory: Path) -> None:
    volumes = [f"{PROJECT}_{one}" for one in ("vmail-vol-1", "mysql-vol-1")]
    docker.docker("network", "create", NETWORK)
    for name in volumes:
        docker.docker("volume", "create", name)
    old = labels("nginx-mailcow", "/srv/old")
    options = ("--dir", str(directory), "--state-dir", str(directory.parent / "state-0"))
    try:
        with docker.container("nginx", "-v", f"{volumes[0]}:/var/vmail", *old):
            left = look(docker, directory, "leftovers")["leftovers"]
            assert "another mailcow runs here, from /srv/old" in left["summary"]
            assert left["fixes"] == []
            docker.docker("stop", "-t", "0", "nginx")
            left = look(docker, directory, "leftovers")["leftovers"]
            assert left["status"] == "fail"  # the database is there, and nothing that opens it
            assert all(name in left["summary"] for name in volumes)
            done = docker.wizard("fix", "docker.leftovers", "remove-leftovers", "--yes", *options)
            assert done.returncode == 1, done
            assert docker.docker("ps", "-aq") == ""
            assert NETWORK not in docker.docker("network", "ls", "--format", "{{.Name}}")
            kept = docker.docker("volume", "ls", "-q").split()
            assert sorted(kept) == sorted(volumes)
        (directory / "mailcow.conf").write_text(GOOD_CONF)
        assert look(docker, directory, "leftovers")["leftovers"]["status"] == "pass"
    finally:
        docker.run(["docker", "network", "rm", NETWORK])
        docker.run(["docker", "volume", "rm", *volumes])


def test_networks_are_put_back_as_they_were(docker: Engine, directory: Path) -> None:
    """Without containers it can be taken back, with every setting that Docker tells."""
    options = ("--dir", str(directory), "--state-dir", str(directory.parent / "state-1"))
    made = ["--subnet=172.22.9.0/24", "--gateway=172.22.9.1", "--ip-range=172.22.9.128/25", "--attachable"]
    made += ["--opt=com.docker.network.bridge.name=br-old", "--label=com.docker.compose.project=old"]
    made += ["--aux-address=printer=172.22.9.5"]
    docker.docker("network", "create", *made, "old_mailcow-network")

    def settings() -> list[object]:
        (said,) = json.loads(docker.docker("network", "inspect", "old_mailcow-network"))
        names = ("Driver", "IPAM", "Options", "Labels", "Internal", "Attachable", "EnableIPv6")
        return [said[one] for one in names]

    before = settings()
    try:
        done = docker.wizard("fix", "docker.leftovers", "remove-leftovers", "--yes", *options)
        assert done.returncode == 0, done
        assert "old_" not in docker.docker("network", "ls", "--format", "{{.Name}}")
        done = docker.wizard("undo", "--yes", *options)
        assert "old_mailcow-network" in docker.docker("network", "ls", "--format", "{{.Name}}"), done
        assert settings() == before
    finally:
        docker.run(["docker", "network", "rm", "old_mailcow-network"])


def test_a_bridge_that_docker_named_has_its_name_again(docker: Engine, directory: Path) -> None:
    """Rules of a firewall name it; Docker itself would choose another one."""
    options = ("--dir", str(directory), "--state-dir", str(directory.parent / "state-2"))
    docker.docker("network", "create", "old_mailcow-network")

    def bridges() -> set[str]:
        words = docker.run(["ip", "-o", "link", "show", "type", "bridge"], check=True).stdout.splitlines()
        return {line.split(": ")[1] for line in words} - {"docker0"}

    before = bridges()
    assert len(before) == 1
    try:
        docker.wizard("fix", "docker.leftovers", "remove-leftovers", "--yes", *options)
        assert bridges() == set()
        docker.wizard("undo", "--yes", *options)
        assert bridges() == before
    finally:
        docker.run(["docker", "network", "rm", "old_mailcow-network"])


def test_an_empty_file_of_settings(docker: Engine, directory: Path) -> None:
    words = docker.run(["sh", "-c", "tr '\\0' '\\n' < /proc/$(pgrep -o dockerd)/cmdline"], check=True).stdout
    path = next(line.partition("=")[2] for line in words.splitlines() if line.startswith("--config-file="))
    try:
        for text, said in (("", "is empty"), ("{,}", "is not valid")):
            docker.run(["sh", "-c", f"printf %s '{text}' > {path}"], check=True)
            found = look(docker, directory, "daemon-json")["daemon-json"]
            assert found["status"] == "fail"
            assert f"{path} {said}" in found["summary"]
    finally:
        docker.run(["sh", "-c", f"echo '{{}}' > {path}"], check=True)


def test_an_engine_that_copies_and_one_that_died(directory: Path) -> None:
    with or_skip(), engine.started(engine.SUITES[0], "--storage-driver=vfs") as docker:
        with_programs(docker)
        seen = look(docker, directory, "storage", "engine", "daemon")
        assert seen["storage"]["status"] == "fail"
        assert "vfs" in seen["storage"]["summary"]
        assert seen["daemon"]["status"] == "pass"
        as_user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
        denied = docker.run([*as_user, "docker", "ps"])
        assert "permission denied" in denied.stderr.lower()
        docker.run(["sh", "-c", "kill -STOP $(pgrep -o dockerd)"], check=True)
        daemon = look(docker, directory, "daemon")["daemon"]
        assert (daemon["status"], "does not answer" in daemon["summary"]) == ("unknown", True)
        docker.run(["sh", "-c", "kill -CONT $(pgrep -o dockerd)"], check=True)
        # A socket that an engine left behind when it ended.
        left = "import os, socket; os.remove('/run/docker.sock'); socket.socket(1).bind('/run/docker.sock')"
        docker.run([sys.executable, "-c", left], check=True)
        seen = look(docker, directory, "storage", "engine", "daemon", "leftovers")
        # A daemon that is dead is not an old one.
        assert seen["engine"]["status"] == "unknown"
        assert docker.version in seen["engine"]["summary"]
        assert seen["daemon"]["status"] == "fail"
        assert "does not run" in seen["daemon"]["summary"]
        assert {seen[one]["status"] for one in ("storage", "leftovers")} == {"unknown"}
