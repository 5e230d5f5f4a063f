"""daemon.json as a real dockerd takes it, where the form or the addresses in it are odd (the contract:
tests/real/test_docker_live.py)."""

import pytest

from mailcow_wizard.checks.docker_engine import daemon_facts, judge_daemon
from mailcow_wizard.checks.docker_settings import judge_daemon_json, judge_storage, storage_facts
from mailcow_wizard.facts.docker_json import daemon_json, daemon_settings
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.docker_settings import merge, start
from mailcow_wizard.host.errors import Denied, HostError, Refused
from mailcow_wizard.model import Edit
from tests.docker_machine import JSON, MAILCOW, DockerHost, facts, units

CONF = f"{MAILCOW}/mailcow.conf"
POOL = '{{"default-address-pools": [{{"base": "172.22.0.0/16", "size": {}}}]}}'


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ('\ufeff{"debug": false}', "pass", "is in order"),
        ("null\n", "pass", "is in order"),
        ('\ufeff// mine\n{"debug": false}', "fail", "is not valid"),
        ('{"bip": "172.22.1.1/24"}', "fail", "takes addresses of mailcow's network (172.22.1.0/24)"),
        ('{"bip": "172.22.0.1/16"}', "fail", "takes addresses of mailcow's network"),
        ('{"bip": "172.26.0.1/16"}', "pass", "is in order"),
        ('{"bip": ""}', "pass", "is in order"),
        ('{"bip": "172.26.0.0/16"}', "fail", "no machine in that network can have"),
        ('{"bip": "172.26.255.255/16"}', "fail", "no machine in that network can have"),
        ('{"bip": "172.26.0.1/31"}', "pass", "is in order"),
        ('{"bip6": "fd00:1::/64"}', "pass", "is in order"),
        ('{"bip6": "fd00:1::/64", "ipv6": true}', "fail", "no machine in that network can have"),
        ('{"bip": "x"}', "fail", "no address with its network"),
        ('{"bip": "172.26.0.1"}', "fail", "no address with its network"),
        ('{"ipv6": true, "fixed-cidr-v6": "fd4d:6169:6c63:6f77::/64"}', "fail", "takes addresses"),
        ('{"ipv6": true, "fixed-cidr-v6": "fd00:dead:beef:c0::/80"}', "pass", "is in order"),
        (POOL.format(24), "pass", "is in order"),
        (POOL.format(8), "fail", "172.22.0.0/16 holds no network of /8"),
        ('{"default-address-pools": [7, {"base": 7, "size": 7}, {"base": "x", "size": 7}]}', "pass", ""),
    ],
)
def test_what_a_daemon_does_not_start_with(text: str, status: str, words: str) -> None:
    judged = judge_daemon_json(daemon_settings(facts(DockerHost(files={JSON: text}))))
    assert (judged.status, words in judged.summary) == (status, True), judged


FIXED = '"fixed-cidr-v6": "fd00:dead:beef:c0::/80"'


@pytest.mark.parametrize(
    ("version", "text", "status", "words"),
    [
        ("26.1.5+dfsg1", '{"ipv6": true}', "fail", f"it needs {FIXED} there"),
        ("27.5.1", '{"ipv6": true}', "fail", f"Docker 27.5.1 does not start with {JSON} as it is"),
        ("28.5.1", '{"ipv6": true}', "pass", "is in order"),
        ("26.1.5", '{"ipv6": true, "bridge": "none"}', "pass", "is in order"),
        ("26.1.5", f'{{"ipv6": true, {FIXED}}}', "pass", "is in order"),
        ("26.1.5", '{"ip6tables": true}', "fail", 'it needs "experimental": true there'),
        ("26.1.5", '{"ip6tables": true, "experimental": true}', "pass", "is in order"),
        ("27.5.1", '{"ip6tables": true}', "pass", "is in order"),
    ],
)
def test_ipv6_that_an_older_engine_does_not_start_with(
    version: str, text: str, status: str, words: str
) -> None:
    files = {JSON: text, "/run/systemd/system/": ""}
    host = DockerHost(files=files, version=version, commands=units())
    judged = judge_daemon_json(daemon_settings(facts(host)))
    assert (judged.status, words in judged.summary) == (status, True), judged
    if status == "fail":
        plan = merge(facts(host))
        assert plan
        written = [one for one in plan.steps if isinstance(one, Edit) and one.path == JSON]
        mended = DockerHost(files={JSON: (written[0].after or b"").decode()}, version=version)
        assert judge_daemon_json(daemon_settings(facts(mended))).status == "pass"


def test_what_its_command_line_has_needs_not_be_in_the_file() -> None:
    words = ("/usr/bin/dockerd", "--fixed-cidr-v6=fd00:1::/64", "--experimental")
    host = DockerHost(files={JSON: '{"ipv6": true, "ip6tables": true}'}, version="26.1.5", daemon=words)
    assert judge_daemon_json(daemon_settings(facts(host))).status == "pass"


@pytest.mark.parametrize(
    ("driver", "options", "status"),
    [
        ("journald", '{"max-size": "10m", "tag": "x"}', "fail"),
        ("syslog", '{"max-file": "3"}', "fail"),
        ("gelf", '{"gelf-address": "udp://127.0.0.1:12201", "max-size": "10m"}', "fail"),
        ("splunk", '{"max-size": "10m"}', "fail"),
        ("awslogs", '{"max-file": "3"}', "fail"),
        ("gcplogs", '{"compress": "true"}', "fail"),
        ("journald", '{"tag": "x"}', "pass"),
        ("journald", "[]", "pass"),
        ("none", '{"max-size": "10m"}', "pass"),
        ("local", '{"max-size": "10m"}', "pass"),
        ("json-file", '{"max-size": "10m"}', "pass"),
    ],
)
def test_options_of_log_files_where_logs_go_elsewhere(driver: str, options: str, status: str) -> None:
    text = f'{{"log-driver": "{driver}", "log-opts": {options}}}'
    judged = judge_daemon_json(daemon_settings(facts(DockerHost(files={JSON: text}))))
    assert judged.status == status, judged


@pytest.mark.parametrize(
    ("version", "driver", "status"),
    [
        ("28.5.1", "aufs", "fail"),
        ("26.1.5+dfsg1", "devicemapper", "fail"),
        ("25.0.3", "overlay", "fail"),
        ("24.0.9", "devicemapper", "pass"),
        ("24.0.9", "aufs", "fail"),
        ("24.0.9", "overlay", "fail"),
        ("28.5.1", "overlay2", "pass"),
    ],
)
def test_a_storage_driver_that_is_gone(version: str, driver: str, status: str) -> None:
    host = DockerHost(files={JSON: f'{{"storage-driver": "{driver}"}}'}, version=version)
    seen = daemon_settings(facts(host))
    judged = judge_daemon_json(seen)
    assert (judged.status, seen.stops_docker) == (status, status == "fail")
    if status == "fail":
        assert f"is {driver}, which Docker {version} no longer has" in judged.summary


@pytest.mark.parametrize(
    ("driver", "status", "words"),
    [
        ("vfs", "fail", "daemon.json sets the storage driver vfs: it copies every layer"),
        ("devicemapper", "warn", "which newer Docker no longer has"),
        ("fuse-overlayfs", "warn", "with which mailcow was not tested"),
        ("overlay2", "unknown", "Docker does not answer; daemon.json sets the storage driver overlay2"),
        ("", "unknown", "it will use overlay2, if nothing else is set"),
    ],
)
def test_a_storage_driver_that_no_daemon_runs_with(driver: str, status: str, words: str) -> None:
    mount = "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
    files = {JSON: f'{{"storage-driver": "{driver}"}}', "/proc/self/mountinfo": mount}
    judged = judge_storage(storage_facts(facts(DockerHost(Refused("nobody listens"), files=files))))
    assert (judged.status, words in judged.summary) == (status, True), judged


@pytest.mark.parametrize(
    "text",
    ['{"bip": "172.26.0.0/16"}', '{"log-driver": "journald", "log-opts": {"max-size": "10m"}}', '{"a": }'],
)
def test_docker_is_not_started_with_settings_that_stop_it(text: str) -> None:
    files = {JSON: text, "/run/systemd/system/": ""}
    host = DockerHost(Refused("x"), files=files, commands=units("loaded inactive enabled"), daemon=())
    with pytest.raises(NoPlan):
        start(facts(host))


@pytest.mark.parametrize(
    ("files", "first"),
    [({JSON: "{}"}, "Start it"), ({JSON: '{"a": 1,}'}, "Its settings keep"), ({}, "Start it")],
)
def test_a_daemon_that_its_settings_stop(files: dict[str, str], first: str) -> None:
    host = DockerHost(
        Refused("x"),
        files={**files, "/run/systemd/system/": ""},
        commands=units("loaded failed enabled"),
        daemon=(),
    )
    judged = judge_daemon(daemon_facts(facts(host)))
    assert judged.status == "fail"
    assert judged.remedies[0].startswith(first)


def test_mailcows_network_is_the_one_of_its_conf() -> None:
    files = {JSON: '{"bip": "10.7.8.1/24"}', CONF: "IPV4_NETWORK=10.7.8\n"}
    judged = judge_daemon_json(daemon_settings(facts(DockerHost(files=files))))
    assert (judged.status, judged.severity) == ("fail", "blocks")
    assert "(10.7.8.0/24)" in judged.summary
    for other in ("IPV4_NETWORK=10.7.9\n", "IPV4_NETWORK=x\n", HostError("no")):
        host = DockerHost(files={**files, CONF: other})
        assert judge_daemon_json(daemon_settings(facts(host))).status == "pass"


class Lent(DockerHost):
    """A container was given the file before there was one, and Docker has made a directory."""

    def read(self, path: str, limit: int = 1 << 20) -> bytes:
        if path == JSON:
            raise HostError(f"{JSON} is not a file")
        return super().read(path, limit)


def test_a_directory_is_none_that_docker_starts_with() -> None:
    judged = judge_daemon_json(daemon_settings(facts(Lent(files={f"{JSON}/": ""}))))
    assert (judged.status, judged.severity) == ("fail", "blocks")
    assert judged.summary == f"{JSON} is not valid: it is a directory"


@pytest.mark.parametrize("error", [Denied("no"), HostError("no")])
def test_what_cannot_be_read_is_not_known(error: HostError) -> None:
    with pytest.raises(type(error)):
        daemon_json(facts(DockerHost(files={JSON: error})))
