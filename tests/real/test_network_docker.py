"""mailcow's network against the networks of a real Docker engine, of each generation."""

import json
import sys
from pathlib import Path
from typing import Any

from lab import engine
from lab.inside import CHECKOUT

RUN = str(Path(__file__).with_name("network_run.py"))
NETWORK = "mailcowdockerized_mailcow-network"


def look(docker: engine.Engine, directory: Path) -> dict[str, Any]:
    """The finding of network.subnet, which a recording of the machine gives too."""
    argv = [sys.executable, RUN, str(directory), "record", "subnet"]
    said = json.loads(docker.run(argv, env={"PYTHONPATH": str(CHECKOUT)}, check=True).stdout)
    assert said["replayed"]
    found: dict[str, Any] = said["checks"][0]
    return found


def test_networks_of_others_and_of_mailcow(docker: engine.Engine, tmp_path: Path) -> None:
    found = look(docker, tmp_path)
    assert found["status"] == "pass", found
    assert "172.22.1.0/24 is free" in found["summary"]
    docker.docker("network", "create", "--subnet=172.22.0.0/16", "shop_default")
    try:
        found = look(docker, tmp_path)
        assert found["status"] == "fail"
        assert "in use: the Docker network shop_default" in found["summary"]
        free = found["remedies"][0].partition("IPV4_NETWORK=")[2].split()[0]
        # What is proposed is what Docker takes.
        docker.docker("network", "create", f"--subnet={free}.0/24", NETWORK)
        (tmp_path / "mailcow.conf").write_text(f"IPV4_NETWORK={free}\n")
        found = look(docker, tmp_path)
        assert found["status"] == "pass"
        assert "is mailcow's own" in found["summary"]
    finally:
        for name in ("shop_default", NETWORK):
            docker.run(["docker", "network", "rm", name])
