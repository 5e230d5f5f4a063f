"""A booted Debian to install on: Docker as systemd runs it, a registry behind TLS, a repository."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab import certificates, compose, engine, machine, registry, resolver, stand_in
from lab.inside import LabError, needs, wait_until
from lab.machine import CHECKOUT_INSIDE, Machine

from tests.real.install_place import Place

_PACKAGES = (
    *(
        "git",
        "jq",
        "curl",
        "openssl",
        "iptables",
        "iputils-ping",
        "runc",
        "ca-certificates",
        "libpam-systemd",
    ),
)
_NAME = "registry.example.org"
# On loopback Docker would take any certificate.
_ADDRESS = "10.99.99.9"
_UNITS = "mailcow-wizard-install-*"
_DOCKER = """[Service]
Type=notify
Environment=PATH=/opt/engine/usr/bin:/opt/engine/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/opt/engine/usr/sbin/dockerd
Delegate=yes
KillMode=process
OOMScoreAdjust=-500
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
"""
_REGISTRY = f"""[Service]
ExecStartPre=/usr/sbin/ip address replace {_ADDRESS}/32 dev lo
ExecStart=/usr/bin/python3 {CHECKOUT_INSIDE}/tests/lab/registry.py /srv/registry {registry.PORT} {_ADDRESS}
[Install]
WantedBy=multi-user.target
"""
_SET_UP = f"""set -e
cp /srv/registry/authority.pem /usr/local/share/ca-certificates/lab.crt
update-ca-certificates
echo {_ADDRESS} {_NAME} >> /etc/hosts
mkdir -p /usr/local/lib/docker/cli-plugins /srv/mail
for one in docker; do ln -s /opt/engine/usr/bin/$one /usr/local/bin/$one; done
for one in dockerd docker-proxy; do ln -s /opt/engine/usr/sbin/$one /usr/local/sbin/$one; done
ln -s /opt/compose/usr/libexec/docker/cli-plugins/docker-compose /usr/local/lib/docker/cli-plugins/
systemctl daemon-reload
systemctl enable --now docker.service registry.service
"""


class Server(Place):
    """The machine and what the wizard does there; it can lose its power."""

    python = "python3"
    registry = f"{_NAME}:{registry.PORT}"
    machine: Machine

    @property
    def _root(self) -> Path:
        return Path(f"/proc/{self.machine.pid}/root")

    @property
    def directory(self) -> Path:
        """mailcow's directory, as it is seen from here."""
        return self._root / "srv/mail/mailcow"

    @property
    def state(self) -> Path:
        """What the wizard keeps, as it is seen from here."""
        return self._root / "var/lib/mailcow-wizard"

    def inside(self, path: Path) -> str:
        """A path as it is called on the machine."""
        return f"/{path.relative_to(self._root)}"

    def env(self) -> dict[str, str]:
        """Nothing besides the machine's own."""
        return {}

    def worker(self) -> int:
        """The number of the process at work, which is a unit of systemd's."""
        argv = ["systemctl", "show", "--property=MainPID", "--value", _UNITS]
        return max(map(int, self.machine.run(argv).stdout.split()), default=0)

    def power_cut(self) -> None:
        """Everything ends at this instant; then the machine boots again."""
        self.machine.power_cut()
        self.await_services()

    def await_services(self) -> None:
        """Until Docker and the registry answer. Raises LabError."""
        for argv in (["docker", "version"], ["curl", "-sf", f"https://{self.registry}/v2/"]):
            if not wait_until(lambda argv=argv: self.machine.run(argv).returncode == 0, 60, 0.2):  # type: ignore[misc]
                said = self.machine.run(["journalctl", "-n", "20", "--no-pager"]).stdout
                raise LabError(f"{' '.join(argv)} does not answer: {said[-800:]}")


@contextmanager
def server(root: Path, network: str = "", anchor: str = "") -> Iterator[Server]:
    """A machine of its own, in a network of its own or in that of `network`, where a real unbound looks names
    up with this key of the root."""
    suite = engine.SUITES[0]
    needs("openssl", "busybox", "git")
    place = root / "registry"
    busybox = Path(os.path.realpath(str(shutil.which("busybox"))))
    registry.make(place, stand_in.IMAGES, busybox)
    certificates.authority(place)
    certificate, key = certificates.issued(place, "good", _NAME)
    certificate.rename(place / "tls.pem")
    key.rename(place / "tls.key")
    stand_in.make(root / "repository", Server.registry, anchor=anchor)
    programs = compose.program(suite).parents[4]
    lent = {str(place): "/srv/registry", str(root / "repository"): "/srv/repository"}
    if anchor:
        lent["/usr"] = resolver.PROGRAMS
    lent |= {str(engine.unpacked(suite)): "/opt/engine", str(programs): "/opt/compose"}
    with ExitStack() as stack:
        made = stack.enter_context(machine.booted(*_PACKAGES, network=network, lent=lent, again=True))
        made.write("/etc/systemd/system/docker.service", _DOCKER)
        made.write("/etc/systemd/system/registry.service", _REGISTRY)
        done = made.run(["sh", "-c", _SET_UP], timeout=120)
        if done.returncode:
            said = made.run(["journalctl", "-u", "docker", "-n", "20", "--no-pager"]).stdout
            raise LabError(f"Docker does not run in this machine: {said[-2800:]}")
        ready = Server(made, root, "file:///srv/repository")
        ready.await_services()
        yield ready
