"""Docker is installed where one of before has left files of its own."""

import pytest

from mailcow_wizard.host.errors import HostError
from tests.docker_machine import JSON
from tests.fixes.test_docker import debian, plan


@pytest.mark.parametrize(
    ("left", "ends"),
    [
        ("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n", "no command apt-get"),  # that comes next
        ("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd://\n", "says -H"),
        ("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --host=fd://\n", "says -H"),
        ("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd \\\n  -H fd://\n", "says -H"),
        ("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd $DOCKER_OPTS\n", "says -H"),
        ("[Service]\nEnvironment=HTTPS_PROXY=http://192.0.2.1:3128\n", "says -H"),
    ],
)
def test_a_unit_that_starts_it_beside_hosts(left: str, ends: str) -> None:
    """As Docker's manual has it for who names the addresses in daemon.json."""
    host = debian("trixie", "13", "26.1.5+dfsg1-9", "2.26.1-4")
    host.files[JSON] = '{"hosts": ["fd://", "tcp://127.0.0.1:2375"]}'
    host.files["/etc/systemd/system/docker.service.d/override.conf"] = left
    with pytest.raises(HostError, match=ends):
        plan("docker.engine", host)
