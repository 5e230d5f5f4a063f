"""Plans of `conf set` and `conf new`, and what the machine has against them."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import cast

import pytest

from mailcow_wizard import language
from mailcow_wizard.conf.document import Document
from mailcow_wizard.facts.free_subnet import free_subnet
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import OF_DATABASE
from mailcow_wizard.fixes import NoPlan, conf_new, conf_set
from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect
from mailcow_wizard.host.errors import Denied, HostError, NoAnswer
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.install import configuration
from mailcow_wizard.install.job import Job
from mailcow_wizard.model import Command, Edit, Plan, Settings
from tests.fake_host import FakeHost

NEW = (Path(__file__).parent.parent / "conf" / "new.conf").read_text()
DIRECTORY = "/opt/mailcow-dockerized"
CONF = f"{DIRECTORY}/mailcow.conf"
SOCKET = "/var/run/docker.sock"
MYSQL = {"Name": "mailcowdockerized_mysql-vol-1", "Labels": {}, "CreatedAt": "2025-01-01T00:00:00Z"}
GIVEN = {"MAILCOW_HOSTNAME": "mail.example.org", "TZ": "Europe/Berlin"}


class Docker(FakeHost):
    """A machine with an engine that answers so, or does not."""

    def __init__(
        self, replies: Mapping[str, object] | None, files: Mapping[str, str | bytes | HostError]
    ) -> None:
        there: dict[str, str | bytes | HostError] = dict(files)
        if replies is not None:
            there[SOCKET] = b""
        super().__init__(files={f"{DIRECTORY}/docker-compose.yml": "", **there})
        self._replies = replies or {}

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if target not in self._replies:
            raise NoAnswer(f"{socket_path} does not answer")
        return HttpReply(200, json.dumps(self._replies[target]).encode())

    def source_address(self, towards: str) -> str:
        raise HostError("no route")


def facts(
    replies: Mapping[str, object] | None = None,
    conf: str | None = NEW,
    files: Mapping[str, str | HostError] = MappingProxyType({}),
) -> Facts:
    """The machine, with mailcow.conf unless it is None."""
    host = Docker(replies, files)
    if conf is not None:
        host.files[CONF] = conf
    return Facts(host, Settings(directory=DIRECTORY, offline=True))


@pytest.mark.parametrize("key", OF_DATABASE)
def test_what_the_database_was_made_with_is_kept(key: str) -> None:
    value = {"COMPOSE_PROJECT_NAME": "another"}.get(key, "another1")
    engine = {"/volumes": {"Volumes": [MYSQL]}}
    with pytest.raises(conf_set.Unsuitable, match="is kept: the database of mailcowdockerized"):
        conf_set.plan(facts(engine), {key: value})
    with pytest.raises(conf_set.Unsuitable, match="is kept: Docker does not say"):
        conf_set.plan(facts({}), {key: value})
    none = {"/version": {"Version": "28.5.1"}, "/volumes": {"Volumes": None}}
    assert conf_set.plan(facts({**none, "/info": {}}), {key: value})
    assert conf_set.plan(facts(), {key: value})
    for kind in ("rootless", "userns"):
        apart = {**none, "/info": {"SecurityOptions": [f"name={kind}"]}}
        with pytest.raises(conf_set.Unsuitable, match="is kept: the Docker that answers does not see all"):
            conf_set.plan(facts(apart), {key: value})
    with pytest.raises(conf_set.Unsuitable, match="is kept: Docker does not say"):
        conf_set.plan(facts(none), {key: value})


def test_a_value_that_it_has_already_is_no_change() -> None:
    plan = conf_set.plan(facts({"/volumes": {"Volumes": [MYSQL]}}), {"DBNAME": "mailcow"})
    (step,) = plan.steps
    assert isinstance(step, Edit)
    assert step.before == step.after


def test_what_is_wrong_elsewhere_keeps_no_value_from_being_set() -> None:
    broken = NEW.replace("LOG_LINES=9999", "LOG_LINES=many")
    assert conf_set.plan(facts(conf=broken), {"SKIP_FTS": "y"})
    plan = conf_set.plan(facts(), {"HTTP_BIND": "127.0.0.1", "HTTP_REDIRECT": "n"})
    assert {one.rule for one in conf_set.remarks(facts(), plan)} == {"proxy-binds-differ"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"HTTP_BIND": "127.0.0.1", "HTTPS_BIND": "127.0.0.1"}, "HTTP_REDIRECT=y behind a reverse proxy"),
        ({"ACME_DNS_CHALLENGE": "y"}, "needs ACME_DNS_PROVIDER"),
        ({"API_KEY": "abc"}, "needs API_ALLOW_FROM"),
    ],
)
def test_what_values_make_wrong_elsewhere_is_refused(values: dict[str, str], words: str) -> None:
    with pytest.raises(conf_set.Unsuitable, match=words):
        conf_set.plan(facts(), values)


@pytest.mark.parametrize(
    ("key", "meant"), [("SKIP_CLAMDD", "is SKIP_CLAMD meant"), ("tz", "is TZ meant"), ("MY_OWN", "own keys")]
)
def test_a_key_that_mailcow_does_not_know_is_told(key: str, meant: str) -> None:
    plan = conf_set.plan(facts(), {key: "y"})
    (remark,) = conf_set.remarks(facts(), plan)
    assert meant in remark.message


@pytest.mark.parametrize(
    "files",
    [
        {"/usr/bin/dockerd": ""},
        {"/usr/lib/systemd/system/docker.service": ""},
        {"/snap/docker/current/bin/dockerd": ""},
        {"/usr/bin/dockerd": "", "/etc/docker/daemon.json": '{"data-root": "/srv/docker"}'},
    ],
)
def test_an_engine_that_does_not_answer_may_hold_a_database(files: dict[str, str]) -> None:
    with pytest.raises(conf_set.Unsuitable, match="Docker does not say"):
        conf_set.plan(facts(files=files), {"DBPASS": "abc123"})
    with pytest.raises(NoPlan, match="Docker does not say"):
        conf_new.plan(facts(conf=None, files=files), GIVEN)
    there = {**files, "/var/lib/docker/volumes/x_mysql-vol-1/_data/ibdata1": ""}
    if "/etc/docker/daemon.json" not in files:
        with pytest.raises(NoPlan, match="the database of x is still there"):
            conf_new.plan(facts(conf=None, files=there), GIVEN)


def test_a_client_alone_holds_no_database() -> None:
    files = {"/usr/local/bin/docker": ""}
    assert conf_new.plan(facts(conf=None, files=files), GIVEN)
    assert conf_set.plan(facts(files=files), {"DBPASS": "abc123"})


def test_the_edit_that_fixes_use() -> None:
    step = edit(facts(), {"IMAP_PORT": "1143", "SKIP_CLAMD": "y"})
    assert step.path == CONF
    assert step.before == NEW.encode()
    assert Document.read(step.after or b"").get("IMAP_PORT") == "1143"
    with pytest.raises(NoPlan, match=f"there is no {CONF}"):
        edit(facts(conf=None), {"IMAP_PORT": "1143"})
    with pytest.raises(NoPlan, match="'"):
        edit(facts(), {"IMAP_PORT": "it's"})


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("SKIP_CLAMD",), "docker compose up -d"),
        (("HTTP_BIND",), "docker compose down && docker compose up -d"),
        (("ENABLE_IPV6", "SKIP_FTS"), "docker compose down && docker compose up -d"),
        (("DOCKER_COMPOSE_VERSION",), ""),
    ],
)
def test_what_makes_a_change_count(keys: tuple[str, ...], words: str) -> None:
    labels = {"com.docker.compose.project": "mailcowdockerized"}
    running = {"/containers/json": [{"Id": "1", "Names": ["/a"], "Labels": labels, "Ports": []}]}
    effect = takes_effect(facts(running), keys)
    assert bool(effect) == bool(words)
    assert effect is None or words in effect.text
    assert takes_effect(facts({"/containers/json": []}), keys) is None
    assert takes_effect(facts(), keys) is None


def test_a_new_file_is_complete_and_right() -> None:
    plan = conf_new.plan(facts(conf=None), GIVEN)
    file, link = plan.steps
    assert isinstance(file, Edit)
    assert (file.before, file.mode) == (None, 0o600)
    made = Document.read(file.after or b"")
    assert made.get("MAILCOW_HOSTNAME") == "mail.example.org"
    assert made.get("ENABLE_IPV6") == "false"
    assert made.get("IPV4_NETWORK") == "172.22.1"
    assert link == Command(("ln", "-s", "mailcow.conf", f"{DIRECTORY}/.env"), (("rm", f"{DIRECTORY}/.env"),))
    other = conf_new.plan(facts(conf=None), GIVEN).steps[0]
    assert isinstance(other, Edit)
    assert made.get("DBPASS") != Document.read(other.after or b"").get("DBPASS")


@pytest.mark.parametrize(("kib", "skip"), [(2_621_440, "y"), (2_621_441, "n")])
def test_clamav_by_memory(kib: int, skip: str) -> None:
    found = conf_new.answers(facts(conf=None, files={"/proc/meminfo": f"MemTotal: {kib} kB\n"}))
    assert found["SKIP_CLAMD"] == skip


def test_nothing_is_written_over() -> None:
    with pytest.raises(NoPlan, match="is there already"):
        conf_new.plan(facts(), GIVEN)
    with pytest.raises(NoPlan, match="the database of mailcowdockerized is still there"):
        conf_new.plan(facts({"/volumes": {"Volumes": [MYSQL]}}, None), GIVEN)
    hidden = {"/var/lib/docker/volumes": Denied("only root may look")}
    with pytest.raises(NoPlan, match=r"is not known .*only root may look"):
        conf_new.plan(facts({}, None, hidden), GIVEN)


def route(network: str, mask: str) -> str:
    """A row of /proc/net/route."""
    words = [struct.unpack("=I", bytes(int(part) for part in one.split(".")))[0] for one in (network, mask)]
    return f"eth0 {words[0]:08X} 00000000 0001 0 0 0 {words[1]:08X} 0 0 0\n"


def test_a_free_subnet() -> None:
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    pools = [
        {"Name": "other", "IPAM": {"Config": [{"Subnet": "172.22.2.0/24"}, {"Subnet": "fd00::/64"}]}},
        {"Name": "mailcowdockerized_mailcow-network", "IPAM": {"Config": [{"Subnet": "172.22.1.0/24"}]}},
        {"Name": "host", "IPAM": {"Config": None}},
    ]
    assert free_subnet(facts({"/networks": pools})) == "172.22.1"
    # As Docker told it before version 25; and what is understood counts, whatever stands before it.
    odd = [{"Name": "odd", "IPAM": 5}, {"Name": "old", "IPAM": {"Config": [{"Subnet": "172.22.1.1/24"}]}}]
    assert free_subnet(facts({"/networks": [*odd, *pools]})) == "172.22.3"
    taken = head + route("0.0.0.0", "0.0.0.0") + route("172.22.1.0", "255.255.255.128")
    assert free_subnet(facts({"/networks": pools}, files={"/proc/net/route": taken})) == "172.22.3"
    wide = head + route("172.16.0.0", "255.240.0.0")
    assert free_subnet(facts(files={"/proc/net/route": wide})) == "10.22.1"
    everything = wide + route("10.0.0.0", "255.0.0.0")
    with pytest.raises(HostError):
        free_subnet(facts(files={"/proc/net/route": everything}))


@pytest.mark.parametrize("words", ["en", "de"])
def test_a_machine_without_a_timezone_is_installed_with_utc(words: str) -> None:
    changes: list[Plan] = []
    machine = SimpleNamespace(
        facts=lambda: facts(conf=None),
        standing=SimpleNamespace(hostname="mail.example.org"),
        change=changes.append,
    )
    language.use(words)
    configuration._by_us(cast(Job, machine), {})
    step = changes[0].steps[0]
    assert isinstance(step, Edit)
    assert b"\nTZ=Etc/UTC\n" in (step.after or b"")
