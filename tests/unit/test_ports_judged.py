"""The words for who holds a port, and how the facts for them are found."""

import json
from types import MappingProxyType
from typing import Any

import pytest
from fake_host import FakeHost

from mailcow_wizard.checks.ports import judge_port
from mailcow_wizard.facts.bindings import Binding
from mailcow_wizard.facts.containers import Container
from mailcow_wizard.facts.mailcow_conf import MailcowConf
from mailcow_wizard.facts.packages import owners_of
from mailcow_wizard.facts.ports import Occupant, PortFacts, survey
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Missing
from mailcow_wizard.host.replies import FileInfo, Holder, HttpReply, Listener, Listeners, Process
from mailcow_wizard.model import Judgement, Settings
from mailcow_wizard.requirements import PORTS

BY_ID = {port.id: port for port in PORTS}
HTTP = BY_ID["ports.http"]


POSTFIX = Process(812, "master", "root", ("/usr/lib/postfix/sbin/master", "-w"), "", "")
NGINX = tuple(Process(pid, "nginx", "www-data", ("nginx: worker",), "", "") for pid in (900, 901, 902, 903))
PROXY_AT = "/usr/bin/docker-proxy"
PROXY = Process(700, "docker-proxy", "root", (PROXY_AT, "-container-ip", "172.22.1.9"), PROXY_AT, "")
SMTP = Binding(BY_ID["ports.smtp"], "", 25)
WEB = Binding(HTTP, "", 80)


def listener(address: str, v6only: bool | None = None, port: int = 80, **fields: Any) -> Listener:
    """A listening socket."""
    family = 6 if ":" in address else 4
    return Listener(family, address, port, v6only, fields.get("interface", ""), 0, fields.get("inode", 7), 0)


def judge(
    binding: Binding, *occupants: Occupant, source: str = "netlink", root: bool = True, **conf: str
) -> Judgement:
    """What is said of a port with these in the way."""
    file = MailcowConf("/srv/mailcow.conf", bool(conf), MappingProxyType(conf))
    return judge_port(PortFacts(binding, occupants, file, root, source))


def occupant(
    *processes: Process, address: str = "0.0.0.0", v6only: bool | None = None, **fields: Any
) -> Occupant:
    """A foreign holder of a socket."""
    user = fields.pop("user", "root")
    return Occupant(listener(address, v6only, 25), Holder(7, processes, "", user), **fields)


def container(name: str = "web", project: str = "other") -> Container:
    """A container of Docker."""
    return Container("a" * 64, name, project, "web", "/srv", (("0.0.0.0", 25),))


def test_free() -> None:
    said = judge(SMTP)
    assert (said.status, said.certainty, said.summary) == ("pass", "proved", "port 25 is free")
    assert said.evidence == (("ss -Hltnp 'sport = :25'", "no listener"),)
    assert judge(SMTP, source="proc").certainty == "inferred"
    moved = judge(SMTP._replace(number=2525))
    assert (moved.status, moved.severity) == ("warn", "breaks")
    assert judge(WEB._replace(number=8080)).status == "pass"


def test_foreign_process() -> None:
    one = occupant(POSTFIX, unit="postfix@-.service", package="postfix")
    said = judge(SMTP, one)
    assert said.status == "fail"
    assert said.severity is None
    assert said.certainty == "proved"
    assert said.summary == "master is listening on port 25 (process 812, unit postfix@-.service)"
    for word in (
        "process 812",
        "user root",
        "/usr/lib/postfix/sbin/master -w",
        "unit postfix@-",
        "package postfix",
    ):
        assert word in said.found
    assert said.remedies[0].endswith("systemctl disable --now postfix.service")
    assert "inet_interfaces = loopback-only" in said.remedies[1]
    assert not any("SMTP_PORT" in remedy for remedy in said.remedies)
    assert "master/812" in said.evidence[0].value


@pytest.mark.parametrize(
    ("address", "v6only", "where"),
    [
        ("127.0.0.1", None, "127.0.0.1:25"),
        ("::1", False, "[::1]:25"),
        ("::", False, "port 25"),
        ("::", True, "port 25 of IPv6"),
        ("0.0.0.0", None, "port 25"),
    ],
)
def test_where_it_listens(address: str, v6only: bool | None, where: str) -> None:
    said = judge(SMTP, occupant(POSTFIX, address=address, v6only=v6only))
    assert said.summary == f"master is listening on {where} (process 812)"


def test_several_holders_are_all_named() -> None:
    other = Process(55, "exim4", "Debian-exim", ("exim4",), "", "")
    said = judge(SMTP, occupant(POSTFIX, address="127.0.0.1"), occupant(other, address="10.0.0.2"))
    assert "master is listening on 127.0.0.1:25" in said.summary
    assert "exim4 is listening on 10.0.0.2:25" in said.summary
    assert len([one for one in said.remedies if one.startswith("Stop ")]) == 2


def test_workers_and_sockets_of_one_holder_are_named_once() -> None:
    said = judge(WEB, occupant(*NGINX), occupant(*NGINX, address="::", v6only=True))
    assert said.summary == "nginx is listening on port 80 and port 80 of IPv6 (process 900 and 3 more)"
    assert said.found.endswith(", and 1 more process")
    assert said.found.count("process 900 ") == 1
    assert any("HTTP_BIND=127.0.0.1" in remedy for remedy in said.remedies)


def test_unknown_holder_without_root() -> None:
    said = judge(SMTP, occupant(user="anna"), occupant(user="bert", address="::", v6only=True), root=False)
    assert said.status == "fail"
    assert "an unknown process is listening on port 25 (user anna)" in said.summary
    assert "(user bert)" in said.summary
    assert "only root can see" in said.found
    assert "Run the wizard as root to see which process it is." in said.remedies
    assert "no process of this machine's own list" in judge(SMTP, occupant(user="anna")).found


@pytest.mark.parametrize(
    ("sockets", "conf", "status"),
    [
        ([("::", True)], {"ENABLE_IPV6": "false"}, "warn"),
        ([("::1", False)], {"ENABLE_IPV6": "false"}, "warn"),
        ([("::", True)], {"ENABLE_IPV6": "true"}, "fail"),
        ([("::", True)], {}, "fail"),
        ([("::", False)], {"ENABLE_IPV6": "false"}, "fail"),
        ([("::", True), ("127.0.0.1", None)], {"ENABLE_IPV6": "false"}, "fail"),
    ],
)
def test_v6_alone(sockets: list[tuple[str, bool | None]], conf: dict[str, str], status: str) -> None:
    said = judge(
        SMTP, *(occupant(POSTFIX, address=address, v6only=v6only) for address, v6only in sockets), **conf
    )
    assert said.status == status
    assert said.severity == ("degrades" if status == "warn" else None)


def test_certainty_where_v6only_is_not_told() -> None:
    assert judge(SMTP, occupant(POSTFIX, address="::", v6only=False), source="proc").certainty == "inferred"
    assert judge(SMTP, occupant(POSTFIX), source="proc").certainty == "proved"
    assert judge(SMTP, occupant(POSTFIX, address="::", v6only=False)).certainty == "proved"


@pytest.mark.parametrize(
    ("address", "state", "certainty"),
    [
        ("", "unseen", "proved"),
        ("192.0.2.1", "unseen", "inferred"),
        ("192.0.2.1", "bound", "proved"),
    ],
)
def test_certainty_where_no_list_shows_who_has_an_address(address: str, state: str, certainty: str) -> None:
    held = occupant()
    held = held._replace(listener=held.listener._replace(state=state))
    said = judge(SMTP._replace(address=address), held)
    assert (said.status, said.certainty) == ("fail", certainty)


def test_foreign_container() -> None:
    said = judge(SMTP, occupant(PROXY, docker=True, container=container(), unit="docker.service"))
    assert said.status == "fail"
    assert said.summary == "the container web is listening on port 25 (process 700)"
    assert "docker stop web" in said.remedies[0]
    assert "docker.service" not in " ".join(said.remedies)
    assert said.evidence[-1] == ("docker ps --filter publish=25", "web")


def test_foreign_container_without_a_name() -> None:
    said = judge(SMTP, occupant(PROXY, docker=True, unit="docker.service"))
    assert said.status == "fail"
    assert said.summary.startswith("a Docker container is listening on port 25")
    assert "docker.service" not in " ".join(said.remedies)
    assert said.remedies[0] == "Find the container and stop it: docker ps --filter publish=25"


def test_own_container() -> None:
    own = occupant(PROXY, docker=True, container=container("mailcow-postfix"), own=True)
    said = judge(SMTP, own)
    assert (said.status, said.summary) == ("pass", "mailcow itself listens on port 25 (mailcow-postfix)")
    assert said.certainty == "proved"
    kept = own._replace(listener=own.listener._replace(state="published"))
    assert judge(SMTP, kept).certainty == "inferred", "Docker says so, and nothing listens"
    assert judge(SMTP, own, own._replace(container=None)).certainty == "inferred"
    assert judge(SMTP, own, occupant(POSTFIX, address="::", v6only=True)).status == "fail"


@pytest.mark.parametrize("root", [True, False])
def test_docker_does_not_say_whose(root: bool) -> None:
    said = judge(SMTP, occupant(PROXY, docker=True, own=None), root=root)
    assert (said.status, said.certainty) == ("unknown", "untested")
    assert ("root" in said.summary + said.remedies[0]) is not root
    mixed = judge(SMTP, occupant(PROXY, docker=True, own=None), occupant(POSTFIX, address="::", v6only=True))
    assert mixed.status == "fail"


def test_password_in_the_holders_command_line() -> None:
    process = POSTFIX._replace(command=("x", "--password=Geheim", "--token", "Geheim"))
    assert "Geheim" not in repr(judge(SMTP, occupant(process)))


# --- from the machine to the facts ---


class Machine(FakeHost):
    """A machine with listeners, their holders and, perhaps, Docker."""

    def __init__(
        self, sockets: list[Listener], process: Process, containers: Any = None, **fields: Any
    ) -> None:
        super().__init__(**fields)
        self._sockets, self._process, self._containers = sockets, process, containers

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners(tuple(one for one in self._sockets if one.port in ports), "netlink")

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[Holder, ...]:
        return tuple(Holder(one.inode, (self._process,), self._process.cgroup, "root") for one in sockets)

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if self._containers is None:
            raise Missing("no Docker here")
        return HttpReply(200, json.dumps(self._containers).encode())


def listed(project: str = "mailcowdockerized", service: str = "postfix-mailcow", directory: str = "") -> Any:
    """What Docker says of a container."""
    labels = {"project": project, "service": service, "project.working_dir": directory}
    return [
        {
            "Id": "a" * 64,
            "Names": ["/box"],
            "Labels": {f"com.docker.compose.{name}": value for name, value in labels.items()},
            "Ports": [{"IP": "0.0.0.0", "PublicPort": 25, "Type": "tcp"}],
        }
    ]


CONF = {"/opt/mailcow-dockerized/mailcow.conf": "TZ=UTC\n"}
PROGRAM = {PROXY_AT: ""}
OWN: dict[str, tuple[Any, dict[str, str], Process, bool | None]] = {
    "mailcow's own": (listed(), CONF, PROXY, True),
    "in mailcow's directory": (listed("x", directory="/opt/mailcow-dockerized/"), CONF, PROXY, True),
    "another service of mailcow": (listed(service="nginx-mailcow"), CONF, PROXY, False),
    "another project": (listed("other"), CONF, PROXY, False),
    "Docker silent, mailcow's network": (None, CONF | PROGRAM, PROXY, True),
    "Docker silent, no mailcow.conf": (None, PROGRAM, PROXY, None),
    "Docker silent, the proxy where Fedora has it": (
        None,
        CONF | {"/usr/libexec/docker/docker-proxy": ""},
        PROXY._replace(exe="/usr/libexec/docker/docker-proxy"),
        True,
    ),
    "Docker silent, a proxy of somebody's own": (
        None,
        CONF | {"/tmp/docker-proxy": ""},
        PROXY._replace(exe="/tmp/docker-proxy"),
        None,
    ),
    "Docker silent, the proxy's program cannot be seen": (None, CONF, PROXY._replace(exe=""), None),
    "Docker silent, the proxy's program is gone": (None, CONF, PROXY, None),
    "Docker silent, a proxy that is not root's": (None, CONF | PROGRAM, PROXY._replace(user="anna"), None),
    "Docker silent, a proxy by name alone": (
        None,
        CONF | PROGRAM,
        PROXY._replace(exe="/usr/bin/python3.11"),
        False,
    ),
    "Docker silent, another network": (
        None,
        CONF | PROGRAM,
        PROXY._replace(command=("p", "-container-ip", "172.17.0.2")),
        False,
    ),
    "Docker silent, nothing to see": (None, CONF, PROXY._replace(command=("p",)), None),
    "Docker silent, no mailcow": (None, {}, PROXY._replace(command=("p",)), False),
    "no container": (listed(), CONF, POSTFIX, False),
}


@pytest.mark.parametrize("name", OWN)
def test_whose_container(name: str) -> None:
    containers, files, process, own = OWN[name]
    host = Machine([listener("0.0.0.0", port=25)], process, containers, files=files)
    found = survey(Facts(host, Settings()))
    assert [one.own for one in found["ports.smtp"].occupants] == [own]
    assert found["ports.imap"].occupants == ()


@pytest.mark.parametrize(("uid", "mode", "own"), [(0, 0o755, True), (1000, 0o755, None), (0, 0o777, None)])
def test_whose_program_docker_proxy_is(
    uid: int, mode: int, own: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Machine([listener("0.0.0.0", port=25)], PROXY, files=CONF)
    real = host.info

    def info(path: str, follow: bool = True) -> FileInfo:
        return FileInfo("file", mode, uid, 0, 1, 0.0) if path == PROXY_AT else real(path, follow)

    monkeypatch.setattr(host, "info", info)
    found = survey(Facts(host, Settings()))
    assert [one.own for one in found["ports.smtp"].occupants] == [own]


def test_diverted_program_is_its_packages() -> None:
    diversion = "diversion by dash from: /usr/sbin/x\ndiversion by dash to: /usr/sbin/x.distrib\n"
    said = f"{diversion}postfix: /usr/sbin/x\n"
    host = FakeHost({"/var/lib/dpkg/status": ""}, {"dpkg-query -S /usr/sbin/x /sbin/x": said})
    assert owners_of(Facts(host), ("/usr/sbin/x",)) == {"/usr/sbin/x": "postfix"}
    alone = FakeHost({"/var/lib/dpkg/status": ""}, {"dpkg-query -S /usr/sbin/x /sbin/x": diversion})
    assert owners_of(Facts(alone), ("/usr/sbin/x",)) == {}
