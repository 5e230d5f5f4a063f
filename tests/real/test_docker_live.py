"""Docker that says nothing while containers go on, and settings that it does not start with: a real engine of
today under systemd, ended, killed and stopped, with and without its containers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from lab import engine, machine
from lab.inside import LabError, wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from mailcow_wizard.fixes.docker_settings import RESET
from tests.real.firewall_machine import PACKAGES, silence
from tests.real.mending import Mender

pytestmark = pytest.mark.real

STATE = "/var/lib/mailcow-wizard"
JSON = "/etc/docker/daemon.json"
MAILCOW = "/opt/mailcow-dockerized"
NETWORK = "mailcowdockerized_mailcow-network"
LENT = "/opt/engine"
LIVE = '{"live-restore": true}\n'
SILENT = ("docker.daemon", "firewall.backend", "network.subnet", "ports.smtp")
# With one that is left of the unit's processes, as Docker's own packages have it.
_UNIT = f"""[Service]
Type=notify
Environment=PATH={LENT}/usr/bin:{LENT}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart={LENT}/usr/sbin/dockerd
Delegate=yes
KillMode=process
[Install]
WantedBy=multi-user.target
"""
_CONTAINERD = "/run/others.sock"


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with mailcow's network, and a container of mailcow's that publishes port 25."""
    with or_skip():
        image = engine.picture(tmp_path_factory.mktemp("image")).parent
        lent = {str(engine.unpacked(engine.SUITES[1])): LENT, str(image): "/srv/image"}
        # Containers lie where the machine keeps them over a start: its own root is no place for them.
        with machine.booted(*PACKAGES, lent=lent, again=True) as made:
            silence(made)
            made.write("/etc/systemd/system/docker.service", _UNIT)
            for name in ("bin/docker", "sbin/dockerd", "bin/containerd", "bin/containerd-shim-runc-v2"):
                made.run(["ln", "-s", f"{LENT}/usr/{name}", "/usr/local/bin"], check=True)
            made.run(["systemctl", "daemon-reload"], check=True)
            made.write(JSON, LIVE)
            made.run(["systemctl", "enable", "docker.service"], check=True)
            start(made)
            _install(made)
            yield made


def _install(debian: Machine) -> None:
    compose = "com.docker.compose"
    project = f"{compose}.project=mailcowdockerized"
    debian.run(["docker", "import", "/srv/image/image.tar", engine.IMAGE], check=True)
    bridge = ["-o", "com.docker.network.bridge.name=br-mailcow", "--subnet", "172.22.1.0/24"]
    debian.run(["docker", "network", "create", *bridge, "--label", project, NETWORK], check=True)
    run = ["docker", "run", "-d", "--name", "postfix", "--network", NETWORK, "--restart", "always"]
    run += ["--stop-timeout", "1", "-p", "25:25", "-v", "mailcowdockerized_mysql-vol-1:/db"]
    run += ["--label", project, "--label", f"{compose}.service=postfix-mailcow"]
    debian.run([*run, engine.IMAGE, "/bin/busybox", "sleep", "3600"], check=True)
    debian.write(f"{MAILCOW}/docker-compose.yml", "services: {}\n")
    debian.write(f"{MAILCOW}/generate_config.sh", "")
    debian.write(f"{MAILCOW}/mailcow.conf", "MAILCOW_HOSTNAME=mail.example.org\nDBPASS=old\n")


@pytest.fixture
def mender(debian: Machine) -> Mender:
    """Fixes there."""
    return Mender(debian, "python3", CHECKOUT_INSIDE, MAILCOW, STATE)


def start(debian: Machine) -> None:
    debian.run(["systemctl", "reset-failed", "docker.service"])
    if debian.run(["systemctl", "restart", "docker.service"]).returncode:
        said = debian.run(["journalctl", "-u", "docker", "-n", "2", "-o", "cat"]).stdout
        raise LabError(f"Docker does not run in this machine: {said.strip()[-200:]}")
    running = ["docker", "inspect", "-f", "{{.State.Running}}", "postfix"]
    wait_until(lambda: debian.run(running).stdout.strip() in ("true", ""), 10, pause=0.1)


def look(debian: Machine, *names: str) -> dict[str, dict[str, Any]]:
    """The findings, as the wizard tells them."""
    where = ("--state-dir", STATE, "--timeout", "60", "--dir", MAILCOW)
    return {
        one["id"]: one
        for one in json.loads(debian.wizard("check", *names, "--json", *where).stdout)["checks"]
    }


def status(debian: Machine, *names: str) -> list[str]:
    found = look(debian, *names)
    return [found[name]["status"] for name in names]


def signal(debian: Machine, name: str) -> None:
    debian.run(["sh", "-c", f"kill -{name} $(cat /run/docker.pid)"], check=True)


def assert_silent(debian: Machine, daemon: str, port: str) -> None:
    """Nothing is green that only Docker could tell, and mailcow's own network is not in its own way."""
    found = look(debian, *SILENT)
    assert {one: found[one]["status"] for one in SILENT} == {
        "docker.daemon": daemon,
        "firewall.backend": "unknown",
        "network.subnet": "pass",
        "ports.smtp": port,
    }, found
    assert found["network.subnet"]["certainty"] == "inferred"
    assert "its containers go on" in found["firewall.backend"]["summary"]


def test_as_long_as_docker_answers(debian: Machine) -> None:
    """What the others find is then its silence."""
    assert status(debian, *SILENT) == ["pass"] * len(SILENT)


def test_it_ends_and_its_containers_go_on(debian: Machine) -> None:
    try:
        debian.run(["systemctl", "stop", "docker.service"], check=True)
        assert debian.run(["pgrep", "containerd-shim"]).returncode == 0
        assert_silent(debian, "fail", "unknown")
        done = debian.wizard("conf", "set", "DBPASS=another1", "--dry-run", "--dir", MAILCOW)
        assert (done.returncode, "the database of mailcowdockerized" in done.stderr) == (64, True), done
        assert status(debian, "mail.containers") == ["unknown"]
        debian.run(["nft", "flush", "ruleset"], check=True)
        seen = look(debian, "firewall.backend")["firewall.backend"]
        assert (seen["status"], "containers go on without Docker" in seen["summary"]) == ("fail", True), seen
    finally:
        start(debian)  # as the remedy says
    assert status(debian, *SILENT) == ["pass"] * len(SILENT)


def test_it_is_killed(debian: Machine) -> None:
    try:
        signal(debian, "KILL")
        assert debian.run(["test", "-S", "/run/docker.sock"]).returncode == 0
        assert_silent(debian, "fail", "unknown")
    finally:
        start(debian)
    assert status(debian, *SILENT) == ["pass"] * len(SILENT)


def test_it_hangs(debian: Machine) -> None:
    try:
        signal(debian, "STOP")
        assert_silent(debian, "unknown", "unknown")
    finally:
        signal(debian, "CONT")
        start(debian)
    assert status(debian, *SILENT) == ["pass"] * len(SILENT)


@contextmanager
def of_kubernetes(debian: Machine) -> Iterator[None]:
    """A container that is none of Docker's, of another containerd."""
    places = ("--root", "/var/lib/docker/others", "--state", "/run/others", "--address", _CONTAINERD)
    ctr = (f"{LENT}/usr/bin/ctr", "-a", _CONTAINERD, "-n", "k8s.io")
    path = f"--setenv=PATH={LENT}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    debian.run(["docker", "save", "-o", "/run/saved.tar", engine.IMAGE], check=True)
    run = ["systemd-run", "--unit=others", path, "--property=Delegate=yes"]
    debian.run([*run, f"{LENT}/usr/bin/containerd", *places], check=True)
    try:
        with or_skip():
            if not wait_until(lambda: debian.run([*ctr, "version"]).returncode == 0, 20, pause=0.1):
                raise LabError("no containerd runs in this machine")
            debian.run([*ctr, "image", "import", "/run/saved.tar"], check=True)
            begin = ("run", "-d", "--cpu-shares", "0", f"docker.io/library/{engine.IMAGE}", "pod")
            done = debian.run([*ctr, *begin, "/bin/busybox", "sleep", "600"])
            if done.returncode:
                raise LabError(f"containerd runs no container here: {done.stderr.strip()[-200:]}")
        yield
    finally:
        debian.run([*ctr, "task", "rm", "-f", "pod"])
        debian.run(["systemctl", "stop", "others.service"])


def test_it_ends_with_its_containers(debian: Machine) -> None:
    """Its bridge stays, and is mailcow's; containers of others are none of Docker's."""
    debian.write(JSON, "{}\n")
    try:
        start(debian)
        with of_kubernetes(debian):
            debian.run(["systemctl", "stop", "docker.service"], check=True)
            assert "-namespace k8s.io" in debian.run(["pgrep", "-a", "containerd-shim"]).stdout
            found = look(debian, *SILENT, "docker.relay")
            assert {one: found[one]["status"] for one in SILENT} == {
                **dict.fromkeys(SILENT, "pass"),
                "docker.daemon": "fail",
            }, found
            # Where no bridge is left nobody tells.
            debian.run(["ip", "link", "del", "br-mailcow"], check=True)
            debian.run(["nft", "flush", "ruleset"], check=True)
            assert status(debian, "network.subnet", "firewall.backend") == ["unknown", "pass"]
    finally:
        debian.write(JSON, LIVE)
        start(debian)
    assert status(debian, *SILENT) == ["pass"] * len(SILENT)


# --- settings ---------------------------------------------------------------------------------------------

# Whether dockerd starts with it, and whether it is good for mailcow: where mailcow's network has no IPv6 yet,
# Docker itself may still have that one's addresses.
_BOTH, _NEITHER, _STARTS = (True, True), (False, False), (True, False)
_POOLS = '{"default-address-pools": [{"base": "172.22.0.0/16", "size": %d}]}\n'
ODD = [
    ("a byte order mark", b'\xef\xbb\xbf{"debug": false}\n', _BOTH),
    ("a directory", None, _NEITHER),
    ("mailcow's addresses", b'{"bip": "172.22.0.1/16"}\n', _NEITHER),
    ("a narrow pool", (_POOLS % 8).encode(), _NEITHER),
]
MORE = [
    ("null", b"null\n", _BOTH),
    ("another bridge", b'{"bip": "172.26.0.1/16"}\n', _BOTH),
    ("a pool over mailcow's network", (_POOLS % 24).encode(), _BOTH),
    ("not UTF-8", b'{"labels": ["a=\xff"]}\n', _NEITHER),
    (
        "mailcow's addresses of IPv6",
        b'{"fixed-cidr-v6": "fd4d:6169:6c63:6f77::/64", "ipv6": true}\n',
        _STARTS,
    ),
    ("no addresses", b'{"bip": "x"}\n', _NEITHER),
    ("an address that is the network's own", b'{"bip": "172.26.0.0/16"}\n', _NEITHER),
    (
        "options of log files",
        b'{"log-driver": "journald", "log-opts": {"max-size": "10m"}}\n',
        _NEITHER,
    ),
    ("no addresses of IPv6", b'{"fixed-cidr-v6": "2001:db8::zz/64", "ipv6": true}\n', _NEITHER),
]


def _put(debian: Machine, content: bytes | None) -> None:
    debian.run(["rm", "-rf", JSON], check=True)
    if content is None:
        debian.run(["mkdir", JSON], check=True)
    else:
        octal = "".join(f"\\{byte:03o}" for byte in content)
        debian.run(["sh", "-c", f"printf '{octal}' > {JSON}"], check=True)


@pytest.fixture(scope="module")
def idle(debian: Machine) -> Machine:
    """The same without a container that is waited for."""
    debian.run(["docker", "update", "--restart", "no", "postfix"], check=True)
    debian.run(["docker", "kill", "postfix"], check=True)
    return debian


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        *(pytest.param(*one[1:], id=one[0]) for one in ODD),
        *(pytest.param(*one[1:], id=one[0], marks=pytest.mark.long) for one in MORE),
    ],
)
def test_settings_and_what_docker_does_with_them(
    idle: Machine, content: bytes | None, expected: tuple[bool, bool]
) -> None:
    try:
        idle.run(["systemctl", "stop", "docker.service"], check=True)
        idle.run([*RESET], check=True)
        _put(idle, content)
        found = look(idle, "docker.daemon-json")["docker.daemon-json"]
        began = idle.run(["systemctl", "start", "docker.service"]).returncode == 0
        said = idle.run(["journalctl", "-u", "docker", "-n", "3"]).stdout
        assert (began, found["status"] == "pass") == expected, (found, said)
    finally:
        _put(idle, LIVE.encode())


def test_docker_starts_as_often_as_it_is_mended(idle: Machine) -> None:
    """Docker's own unit may be started three times a minute: a fix, undo and fix again are one too many."""
    limit = "/etc/systemd/system/docker.service.d/limit.conf"
    idle.write(limit, "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=60\n")
    try:
        idle.run(["systemctl", "daemon-reload"], check=True)
        for number in range(5):
            idle.run(["systemctl", "stop", "docker.service"], check=True)
            idle.run([*RESET], check=True)
            began = idle.run(["systemctl", "start", "docker.service"])
            assert began.returncode == 0, (number, began.stderr)
    finally:
        idle.run(["rm", limit], check=True)
        idle.run(["systemctl", "daemon-reload"], check=True)


def test_settings_are_mended_and_taken_back(idle: Machine, mender: Mender) -> None:
    """A byte order mark and a comma too many: Docker does not start until they are mended."""
    broken = b'\xef\xbb\xbf{"live-restore": true,}\n'
    try:
        idle.run(["systemctl", "stop", "docker.service"], check=True)
        _put(idle, broken)
        assert status(idle, "docker.daemon-json", "docker.daemon") == ["fail", "fail"]
        change = str(mender.apply("docker.daemon-json", "merge-daemon-json")["change"])
        assert status(idle, "docker.daemon-json", "docker.daemon") == ["pass", "pass"]
        mender.undo(change)
        assert status(idle, "docker.daemon-json") == ["fail"]
        # What is not UTF-8 was meant to say something else.
        _put(idle, b'{"labels": ["a=\xff"]}\n')
        assert mender.offered("docker.daemon-json") == []
    finally:
        _put(idle, LIVE.encode())
        idle.run(["systemctl", "restart", "docker.service"], check=True)


@pytest.mark.long
def test_settings_are_mended_while_docker_hangs(idle: Machine, mender: Mender) -> None:
    """It takes them up: started alone it would hang on with the old ones."""
    _put(idle, b'{"iptables": false}\n')
    try:
        idle.run(["systemctl", "restart", "docker.service"], check=True)
        idle.run(["nft", "flush", "ruleset"], check=True)
        signal(idle, "STOP")
        mender.apply("docker.daemon-json", "merge-daemon-json")
        assert "-N DOCKER" in idle.run(["iptables", "-t", "nat", "-S"], check=True).stdout
        assert status(idle, "docker.daemon") == ["pass"]
    finally:
        _put(idle, LIVE.encode())
        idle.run(["systemctl", "restart", "docker.service"], check=True)
