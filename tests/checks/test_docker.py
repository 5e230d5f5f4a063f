"""The judges of docker.*, as tables: each way in which an engine, its settings and its leftovers may be."""

from typing import Any

import pytest

from mailcow_wizard.checks import docker
from mailcow_wizard.engine import runner
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, Refused
from mailcow_wizard.host.replies import HttpReply, Ran
from mailcow_wizard.model import Check, Judgement
from tests.docker_machine import DEFAULT_V6, GLOBAL_V6, JSON, MAILCOW, DockerHost, box, facts, units
from tests.judged import look

CHECKS: dict[str, Check] = {one.id.partition(".")[2]: one for one in docker.CHECKS}
DEAD = Refused("nobody takes connections on /var/run/docker.sock")
SYSTEMD = {"/run/systemd/system/": ""}
CONF = f"{MAILCOW}/mailcow.conf"
SNAP = {"/snap/bin/docker": "", "/usr/bin/dockerd": None}
NO_DAEMON = {"dockerd --version": None, f"dockerd --validate --config-file {JSON}": None}
NAME = "MAILCOW_HOSTNAME=mail.example.org\n"


def found(check: str, host: DockerHost) -> Judgement:
    return look(CHECKS[check], facts(host))


@pytest.mark.parametrize(
    ("host", "status", "words"),
    [
        (DockerHost(version="23.0.6"), "fail", "needs 24.0.0"),
        (DockerHost(version="20.10.24+dfsg1"), "fail", "20.10.24+dfsg1 runs here"),
        (DockerHost(version="24.0.0"), "pass", "runs here"),
        (DockerHost(version="24.0.9"), "pass", "runs here"),
        (DockerHost(version="25.0.0"), "fail", "IPv6 of containers is broken"),
        (DockerHost(version="25.0.2"), "fail", "IPv6 of containers is broken"),
        (DockerHost(version="25.0.3"), "pass", "runs here"),
        (DockerHost(version="26.1.5+dfsg1"), "pass", "runs here"),
        (DockerHost(DEAD, version="28.5.1"), "unknown", "does not answer"),
        (DockerHost(DEAD, version="20.10.5"), "fail", "is installed; mailcow needs"),
        (DockerHost(Denied("no")), "unknown", "root can tell"),
        (DockerHost(NoAnswer("late")), "unknown", "does not answer"),
        (DockerHost(info={"SecurityOptions": ["name=rootless"]}), "fail", "rootless"),
        (DockerHost(info={"SecurityOptions": ["name=userns"]}), "fail", "userns-remap"),
        (
            DockerHost({"/version": {"Version": "4.3.1", "Components": [{"Name": "Podman Engine"}]}}),
            "fail",
            "Podman",
        ),
        (DockerHost(Missing("x"), commands={"docker --version": "podman version 4.3.1\n"}), "fail", "Podman"),
        (DockerHost(files=SNAP, commands=NO_DAEMON), "fail", "snap"),
        (DockerHost(files={"/snap/bin/docker": ""}), "pass", "runs here"),
        (
            DockerHost(
                files={"/snap/bin/docker": ""},
                info={"DockerRootDir": "/var/snap/docker/common/var-lib-docker"},
            ),
            "fail",
            "snap",
        ),
        (DockerHost(variables={"DOCKER_HOST": "tcp://192.0.2.1:2375"}), "warn", "192.0.2.1"),
        (DockerHost(variables={"DOCKER_HOST": "unix:///run/docker.sock"}), "pass", ""),
        (
            DockerHost(
                {"/version": {"Version": "29.0.1", "MinAPIVersion": "1.44"}},
                commands={"docker --version": "Docker version 24.0.7, build x\n"},
            ),
            "fail",
            "too old for Docker 29.0.1",
        ),
        (
            DockerHost({"/version": {"Version": "29.0.1", "MinAPIVersion": "1.44"}}, version="29.0.1"),
            "pass",
            "",
        ),
    ],
)
def test_the_engine(host: DockerHost, status: str, words: str) -> None:
    judged = found("engine", host)
    assert (judged.status, words in judged.summary) == (status, True), judged


def test_no_engine_is_not_an_old_one() -> None:
    none = {"/var/run/docker.sock": None, "/usr/bin/docker": None, "/usr/bin/dockerd": None}
    gone = {
        "docker --version": None,
        "dockerd --version": None,
        f"dockerd --validate --config-file {JSON}": None,
    }
    host = DockerHost(Missing("x"), files=none, commands=gone, daemon=())
    assert found("engine", host).summary == "Docker is not installed"
    assert found("daemon", host).status == "skipped"
    assert found("leftovers", host).status == "skipped"
    only_client = DockerHost(Missing("x"), files={**none, "/usr/bin/docker": ""}, commands=gone, daemon=())
    assert "no engine is installed" in found("engine", only_client).summary


@pytest.mark.parametrize(
    ("host", "status", "words"),
    [
        (DockerHost(files=SYSTEMD, commands=units()), "pass", "starts with the machine"),
        (DockerHost(files=SYSTEMD, commands=units("loaded active disabled")), "warn", "docker.socket"),
        (
            DockerHost(files=SYSTEMD, commands=units("loaded deactivating enabled")),
            "unknown",
            "being stopped",
        ),
        (
            DockerHost(
                files=SYSTEMD,
                commands=units("loaded active disabled", "loaded active disabled"),
            ),
            "warn",
            "does not start with the machine",
        ),
        (
            DockerHost(  # until the next start
                files=SYSTEMD,
                commands=units("loaded active enabled-runtime", "loaded active disabled"),
            ),
            "warn",
            "does not start with the machine",
        ),
        (DockerHost(DEAD, files=SYSTEMD, commands=units("masked inactive masked")), "fail", "masked"),
        (DockerHost(DEAD, files=SYSTEMD, commands=units("loaded failed enabled")), "fail", "does not run"),
        (DockerHost(Denied("no"), files=SYSTEMD, commands=units()), "unknown", "root"),
        (DockerHost(NoAnswer("late"), files=SYSTEMD, commands=units()), "unknown", "does not answer"),
        (DockerHost(files={"/etc/init.d/docker": ""}), "warn", "does not start with the machine"),
        (
            DockerHost(files={"/etc/init.d/docker": "", "/etc/runlevels/default/docker": ""}),
            "pass",
            "starts with the machine",
        ),
        (DockerHost(files={"/etc/init.d/docker": "", "/etc/runlevels/boot/": ""}), "warn", "does not start"),
        (  # Devuan
            DockerHost(files={"/etc/init.d/docker": "", "/etc/rc2.d/S01docker": ""}),
            "pass",
            "starts with the machine",
        ),
        (DockerHost(files={"/etc/init.d/docker": "", "/etc/rc2.d/K01docker": ""}), "warn", "does not start"),
        (DockerHost(), "pass", "was not found"),
    ],
)
def test_the_daemon(host: DockerHost, status: str, words: str) -> None:
    judged = found("daemon", host)
    assert (judged.status, words in judged.summary) == (status, True), judged


def test_a_daemon_says_itself_why_it_is_down() -> None:
    journal = "journalctl -u docker -b -n 30 -o cat --no-pager"
    said = "Starting\nunable to configure the Docker daemon with file /etc/docker/daemon.json: EOF\nStopped\n"
    commands = {**units("loaded activating enabled"), journal: said}
    for state in (DEAD, NoAnswer("late")):
        judged = found("daemon", DockerHost(state, files=SYSTEMD, commands=commands))
        assert judged.status == "fail"
        assert "daemon.json: EOF" in judged.remedies[0]


SHORT = "docker compose version --short"
STANDALONE = "docker-compose version --short"
OLD_SCRIPT = 'if docker compose version --short | grep -e "^2." -e "^v2." > /dev/null; then\n'
NEW_SCRIPT = 'if docker compose version --short | grep -e "^[2-9]\\." -e "^v[2-9]\\." > /dev/null; then\n'


@pytest.mark.parametrize(
    ("commands", "script", "status", "words"),
    [
        ({SHORT: "2.40.3\n"}, "", "pass", "plugin"),
        ({SHORT: "v2.0.0\n"}, "", "pass", "2.0.0"),
        ({STANDALONE: "2.40.3\n"}, "", "pass", "program"),
        ({STANDALONE: "1.29.2\n"}, "", "fail", "too old"),
        ({}, "", "fail", "not installed"),
        ({SHORT: NoAnswer("late")}, "", "unknown", "late"),
        ({SHORT: "5.0.1\n"}, "", "pass", "5.0.1"),
        ({SHORT: "5.0.1\n"}, OLD_SCRIPT, "fail", "takes Docker Compose 2 alone"),
        ({SHORT: "2.40.3\n"}, OLD_SCRIPT, "pass", ""),
        ({SHORT: "5.0.1\n"}, NEW_SCRIPT, "pass", ""),
    ],
)
def test_compose(commands: dict[str, Any], script: str, status: str, words: str) -> None:
    files = {f"{MAILCOW}/docker-compose.yml": "", f"{MAILCOW}/_modules/scripts/core.sh": script}
    judged = found("compose", DockerHost(commands=commands, files=files if script else {}))
    assert (judged.status, words in judged.summary) == (status, True), judged


@pytest.mark.parametrize(
    ("value", "commands", "status"),
    [
        ("native", {SHORT: "2.40.3\n"}, "pass"),
        ("standalone", {SHORT: "2.40.3\n"}, "fail"),
        ("standalone", {SHORT: "2.40.3\n", STANDALONE: "2.40.3\n"}, "pass"),
        ("native", {STANDALONE: "2.40.3\n"}, "fail"),
        ("", {SHORT: "2.40.3\n"}, "warn"),
        ("podman", {SHORT: "2.40.3\n"}, "fail"),
        (None, {SHORT: "2.40.3\n"}, "pass"),
        ("native", {STANDALONE: "1.29.2\n"}, "skipped"),
    ],
)
def test_the_compose_in_use(value: str | None, commands: dict[str, Any], status: str) -> None:
    files = {} if value is None else {CONF: f"{NAME}DOCKER_COMPOSE_VERSION={value}\n"}
    assert found("flavor", DockerHost(commands=commands, files=files)).status == status


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (None, "pass", "defaults"),
        ("{}", "pass", "in order"),
        ("", "fail", "is empty"),
        (" \n", "fail", "is empty"),
        ('{"log-driver": "local",}', "fail", "not valid"),
        ("[]", "fail", "no JSON object"),
        (b"\xff\xfe{}", "fail", "not UTF-8"),
        ('{"iptables": false}', "fail", "no firewall rules"),
        ('{"iptables": true}', "pass", ""),
        ('{"firewall-backend": "nftables"}', "warn", "nftables"),
        ('{"userland-proxy": false}', "pass", ""),
        ('{"userns-remap": "default"}', "fail", "userns-remap"),
        ('{"userns-remap": ""}', "pass", ""),
    ],
)
def test_the_settings(text: str | bytes | None, status: str, words: str) -> None:
    judged = found("daemon-json", DockerHost(files={JSON: text}))
    assert (judged.status, words in judged.summary) == (status, True), judged


def test_what_docker_itself_has_against_the_settings() -> None:
    said = (
        f"unable to configure the Docker daemon with file {JSON}: the following directives don't match: x\n"
    )
    validate = {f"dockerd --validate --config-file {JSON}": Ran(1, "", said)}
    judged = found("daemon-json", DockerHost(files={JSON: '{"x": 1}'}, commands=validate))
    assert (judged.status, judged.found.count("don't match: x")) == ("fail", 1)


def test_settings_on_the_command_line_and_elsewhere() -> None:
    words = ("/usr/bin/dockerd", "--iptables=false", "--config-file=/srv/docker.json")
    assert found("daemon-json", DockerHost(daemon=words)).status == "fail"
    words = ("/usr/bin/dockerd", "--config-file", "/srv/docker.json")
    judged = found("daemon-json", DockerHost(daemon=words, files={"/srv/docker.json": "", JSON: "{}"}))
    assert judged.summary.startswith("/srv/docker.json is empty")
    files = {"/run/docker.pid": "812\n", "/proc/812/cmdline": "/usr/bin/dockerd\0--iptables=false\0"}
    assert found("daemon-json", DockerHost(files=files)).status == "fail"
    files["/proc/812/cmdline"] = "/usr/bin/sleep\0--iptables=false\0"  # the number is another's by now
    assert found("daemon-json", DockerHost(files=files)).status == "pass"
    words = ("/usr/bin/dockerd", "--iptables=false")
    for number, status in (("7", "fail"), ("7\t3", "pass")):  # the second is one of a container's
        host = DockerHost(daemon=words, files={"/proc/7/status": f"Name:\tdockerd\nNSpid:\t{number}\n"})
        assert found("daemon-json", host).status == status
    start = {
        "systemctl show -p ExecStart -- docker.service": "ExecStart={ argv[]=/usr/bin/dockerd -H fd:// ; }\n"
    }
    twice = DockerHost(files={JSON: '{"hosts": ["unix:///x"]}', **SYSTEMD}, commands=start)
    assert found("daemon-json", twice).severity == "blocks"


@pytest.mark.parametrize(
    ("version", "settings", "lacking"),
    [
        ("26.1.5", "{}", '"ipv6": true, "fixed-cidr-v6"'),
        ("26.1.5", '{"ipv6": true, "fixed-cidr-v6": "fd00::/80"}', '"ip6tables": true, "experimental": true'),
        ("27.0.0", "{}", '"ipv6": true, "fixed-cidr-v6"'),
        ("27.0.0", '{"ipv6": true, "fixed-cidr-v6": "fd00::/80"}', ""),
        ("28.0.0", "{}", '"ipv6": true'),
        ("28.0.0", '{"ipv6": true}', ""),
    ],
)
def test_what_ipv6_needs(version: str, settings: str, lacking: str) -> None:
    files = {
        JSON: settings,
        CONF: f"{NAME}ENABLE_IPV6=true\n",
        "/proc/net/if_inet6": GLOBAL_V6,
        "/proc/net/ipv6_route": DEFAULT_V6,
    }
    judged = found("daemon-json", DockerHost(version=version, files=files))
    assert judged.status == ("warn" if lacking else "pass")
    assert lacking in judged.summary
    files[CONF] = f"{NAME}ENABLE_IPV6=false\n"
    assert found("daemon-json", DockerHost(version=version, files=files)).status == "pass"


@pytest.mark.parametrize(
    ("info", "status"),
    [
        ({}, "pass"),
        ({"Driver": "overlayfs"}, "pass"),
        ({"Driver": "btrfs"}, "pass"),
        ({"Driver": "vfs", "DriverStatus": None}, "fail"),
        ({"DriverStatus": [["Backing Filesystem", "xfs"], ["Supports d_type", "false"]]}, "fail"),
        ({"Driver": "devicemapper"}, "warn"),
        ({"Driver": "fuse-overlayfs"}, "warn"),
    ],
)
def test_the_storage_driver(info: dict[str, Any], status: str) -> None:
    assert found("storage", DockerHost(info=info)).status == status


MOUNT = "22 1 254:1 / / rw - {} /dev/vda1 rw\n"


@pytest.mark.parametrize(
    ("said", "kind", "status"),
    [
        (DEAD, "ext4", "unknown"),
        *((DEAD, kind, "warn") for kind in ("nfs4", "overlay", "fuseblk", "fuse.sshfs", "ntfs3", "exfat")),
        (Denied("no"), "ext4", "unknown"),
    ],
)
def test_the_storage_of_an_engine_that_does_not_answer(said: HostError, kind: str, status: str) -> None:
    files = {"/proc/self/mountinfo": MOUNT.format(kind)}
    assert found("storage", DockerHost(said, files=files)).status == status


RUNNING = "/containers/json"

OFF, ON = "ENABLE_IPV6=false\n", "ENABLE_IPV6=true\n"
V4 = "SMTP_PORT=0.0.0.0:25\nSMTPS_PORT=0.0.0.0:465\nSUBMISSION_PORT=192.0.2.1:587\n"
POSTFIX = box(1, "postfix-mailcow", Ports=[{"IP": "::", "PublicPort": 25, "Type": "tcp"}])
POSTFIX_V4 = box(1, "postfix-mailcow", Ports=[{"IP": "0.0.0.0", "PublicPort": 25, "Type": "tcp"}])


def network(ipv6: bool) -> list[dict[str, Any]]:
    return [{"Name": "mailcowdockerized_mailcow-network", "Id": "n", "EnableIPv6": ipv6}]


@pytest.mark.parametrize(
    ("conf", "said", "settings", "address", "version", "expected"),
    [
        (OFF, {}, "{}", True, "28.0.0", ("fail", "inferred")),
        (OFF, {}, "{}", False, "28.0.0", ("pass", "inferred")),
        (OFF + V4, {}, "{}", True, "28.0.0", ("pass", "inferred")),
        (OFF + "SMTP_PORT=0.0.0.0:25\n", {}, "{}", True, "28.0.0", ("fail", "inferred")),
        (OFF, {}, '{"userland-proxy": false}', True, "28.0.0", ("pass", "inferred")),
        # What the default bridge publishes at, and mailcow's network does not (tried with 26.1 and 28.5).
        (OFF, {}, '{"ip": "127.0.0.1"}', True, "28.0.0", ("fail", "inferred")),
        (ON, {}, "{}", True, "28.0.0", ("pass", "inferred")),
        (ON, {}, "{}", True, "26.0.0", ("fail", "inferred")),
        (ON, {}, '{"ip6tables": true, "experimental": true}', True, "26.0.0", ("pass", "inferred")),
        (ON, {}, '{"ip6tables": false}', True, "28.0.0", ("fail", "inferred")),
        (ON, {}, '{"iptables": false}', False, "28.0.0", ("fail", "inferred")),
        (ON, {RUNNING: [POSTFIX], "/networks": network(False)}, "{}", True, "28.0.0", ("fail", "proved")),
        (OFF, {RUNNING: [POSTFIX], "/networks": network(True)}, "{}", True, "28.0.0", ("pass", "proved")),
        (OFF, {RUNNING: [POSTFIX_V4], "/networks": network(False)}, "{}", True, "28.0.0", ("pass", "proved")),
    ],
)
def test_the_relay(
    conf: str, said: dict[str, Any], settings: str, address: bool, version: str, expected: tuple[str, str]
) -> None:
    files = {CONF: NAME + conf, JSON: settings, "/proc/net/if_inet6": GLOBAL_V6 if address else ""}
    judged = found("relay", DockerHost(said, version=version, files=files))
    assert (judged.status, judged.certainty) == expected, judged


def test_the_relay_before_there_is_a_mailcow() -> None:
    assert found("relay", DockerHost()).status == "skipped"


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (HttpReply(200, b"{}"), "pass", "HTTP 200"),
        (HttpReply(401, b"{}"), "pass", "HTTP 401"),
        (HttpReply(404, b""), "fail", "not as a registry"),
        (HttpReply(429, b""), "warn", "too often"),
        (HttpReply(503, b""), "fail", "trouble of its own"),
        (NoAnswer("ghcr.io did not answer within 5 s"), "unknown", "in time"),
        (HostError("ghcr.io: connection refused"), "fail", "connection refused"),
        (
            HostError("ghcr.io: its certificate is not accepted: self-signed certificate"),
            "fail",
            "not trusted",
        ),
        (HostError("ghcr.io has no address that could be looked up"), "fail", "no address"),
    ],
)
def test_registries(answer: HttpReply | HostError, status: str, words: str) -> None:
    pages = {
        "ghcr.io/v2/": answer,
        "registry-1.docker.io/v2/": HttpReply(401, b""),
        "auth.docker.io/v2/": HttpReply(404, b""),
    }
    rows = runner.look(CHECKS["registry"], facts(DockerHost(pages=pages)))
    assert [one.subject for one in rows] == ["ghcr.io", "registry-1.docker.io", "auth.docker.io"]
    assert (rows[0].status, words in rows[0].summary) == (status, True), rows[0]
    assert [one.status for one in rows[1:]] == ["pass", "pass"]


def test_registries_behind_a_proxy_or_a_mirror() -> None:
    pages = dict.fromkeys(
        (f"{one}/v2/" for one in ("ghcr.io", "registry-1.docker.io")), HostError("x: refused")
    )
    host = DockerHost(pages=pages, info={"RegistryConfig": {"Mirrors": ["https://mirror.example.net/"]}})
    rows = runner.look(CHECKS["registry"], facts(host))
    assert [one.status for one in rows] == ["fail", "warn", "pass"]
    host = DockerHost(pages=pages, info={"HttpsProxy": "http://proxy.example.net:3128"})
    assert [one.status for one in runner.look(CHECKS["registry"], facts(host))] == [
        "unknown",
        "unknown",
        "pass",
    ]
