"""Docker started without systemd."""

import pytest

from tests.docker_machine import DockerHost, facts
from tests.fixes.test_docker import CHECKS, DEAD, lines, plan
from tests.judged import look


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"/etc/runlevels/boot/": ""}, ["rc-update add docker default", "rc-service docker start"]),
        ({"/usr/sbin/update-rc.d": ""}, ["update-rc.d docker defaults", "service docker start"]),
        (
            {"/usr/sbin/update-rc.d": "", "/etc/rc3.d/K01docker": ""},
            ["update-rc.d docker enable", "service docker start"],
        ),
        ({"/etc/rc3.d/S01docker": ""}, ["service docker start"]),
    ],
)
def test_starting_without_systemd(files: dict[str, str], expected: list[str]) -> None:
    """OpenRC, and scripts in the manner of System V (Devuan), where OpenRC's commands are not there."""
    host = DockerHost(DEAD, files={"/etc/init.d/docker": "", **files})
    assert lines(plan("docker.daemon", host)) == expected
    judged = look(CHECKS["docker.daemon"], facts(host))
    assert f"`{expected[-1]}`" in judged.remedies[0]
