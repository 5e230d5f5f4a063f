"""daemon.json as a real dockerd takes it, where the form or the addresses in it are odd (the contract:
tests/real/test_docker_live.py)."""

import pytest

from mailcow_wizard.checks.docker_settings import judge_daemon_json
from mailcow_wizard.facts.docker_json import daemon_json, daemon_settings
from mailcow_wizard.host.door import Denied, HostError
from tests.docker_machine import JSON, MAILCOW, DockerHost, facts

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
