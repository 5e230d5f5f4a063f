"""Which choices a port conflict leaves, and in which order: pure, from what is known of it."""

from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from mailcow_wizard.facts.bindings import Binding
from mailcow_wizard.facts.blockers import Blocker, blockers
from mailcow_wizard.facts.containers import Container
from mailcow_wizard.facts.mail_queue import Queue
from mailcow_wizard.facts.mailcow_conf import MailcowConf
from mailcow_wizard.facts.ports import Occupant, PortFacts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.port_choices import Choice, Circumstances, choices
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.fixes.port_stops import plan_to_remove
from mailcow_wizard.host.replies import Holder, Listener, Process, Ran
from mailcow_wizard.model import Command, Plan
from mailcow_wizard.requirements import PORTS
from tests.fake_host import FakeHost

BY_ID = {port.id.partition(".")[2]: port for port in PORTS}
CONF = MailcowConf("/srv/mailcow.conf", True, MappingProxyType({}))


def process(name: str, exe: str = "", pid: int = 812, unit: str = "") -> Process:
    """A process, in a unit's cgroup."""
    cgroup = f"/system.slice/{unit}" if unit else ""
    return Process(pid, name, "root", (name,), exe or f"/usr/sbin/{name}", cgroup)


def held(name: str = "", unit: str = "", package: str = "", exe: str = "", **fields: Any) -> Occupant:
    """A foreign holder: by a process's name, with its unit."""
    processes = fields.pop("processes", (process(name, exe, unit=unit),) if name else ())
    state = fields.pop("state", "listening")
    address = fields.pop("address", "0.0.0.0")
    sock = Listener(4, address, 25, None, "", 0, 7, 0, state)
    return Occupant(sock, Holder(7, processes, "", "root"), unit, package, **fields)


def box(name: str, image: str = "shop:1") -> Occupant:
    """A container that holds the port."""
    made = Container("a" * 64, name, "", "", "", (), image)
    return held("docker-proxy", docker=True, container=made)


POSTFIX = held("master", "postfix@-.service", "postfix", "/usr/lib/postfix/sbin/master")
EXIM = held("exim4", "exim4.service", "exim4-daemon-light")
NGINX = held("nginx", "nginx.service", "nginx")
SSHD = held("sshd", "ssh.service", "openssh-server")
BY_HAND = held("python3")
EVERYTHING = Circumstances(conf=True, postfix=True, port=10025, address="192.0.2.1")
QUEUED = Queue(3, False, "mailq", "/var/spool/postfix")


class Case(NamedTuple):
    """A port, who holds it, what else is so, the fixes on offer with the first letter of their risk; `!` says
    that it cannot be taken back."""

    port: str
    occupants: tuple[Occupant, ...]
    around: Circumstances
    expected: str


CASES = {
    "postfix": Case(
        "smtp",
        (POSTFIX,),
        EVERYTHING,
        "stop-service:l loopback-mta:l bind-address:m move-port:h remove-package:h",
    ),
    "postfix with queued mail": Case(
        "smtp",
        (POSTFIX,),
        EVERYTHING._replace(queue=QUEUED),
        "loopback-mta:l stop-service:m bind-address:m move-port:h remove-package:h",
    ),
    "postfix whose files cannot be read": Case(
        "smtp", (POSTFIX,), Circumstances(), "stop-service:l remove-package:h"
    ),
    "exim, no mailcow.conf yet": Case("smtp", (EXIM,), Circumstances(), "stop-service:l remove-package:h"),
    "exim on IMAP's port": Case(
        "imap", (EXIM,), Circumstances(conf=True, port=10143), "stop-service:l move-port:m remove-package:h"
    ),
    "no mail server on 25: SMTP stays there": Case(
        "smtp", (NGINX,), EVERYTHING, "stop-service:l bind-address:m remove-package:h"
    ),
    "nginx with its default page": Case(
        "http",
        (NGINX,),
        Circumstances(conf=True, port=8080),
        "stop-service:l proxy-mode:m move-port:m remove-package:h",
    ),
    "nginx with sites": Case(
        "https",
        (NGINX,),
        Circumstances(conf=True, port=8443, sites=("shop",)),
        "proxy-mode:m stop-service:h move-port:m remove-package:h",
    ),
    "nginx with sites, no mailcow.conf": Case(
        "http", (NGINX,), Circumstances(sites=("shop",)), "stop-service:h remove-package:h"
    ),
    "a server that is no proxy": Case(
        "http",
        (held("lighttpd", "lighttpd.service", "lighttpd"),),
        Circumstances(conf=True, port=8080),
        "stop-service:l move-port:m remove-package:h",
    ),
    "two servers on one port": Case(
        "http",
        (NGINX, held("apache2", "apache2.service", "apache2-bin", address="10.0.0.1")),
        Circumstances(conf=True, port=8080),
        "stop-service:l move-port:m",
    ),
    "a service and a container": Case(
        "imap",
        (held("dovecot", "dovecot.service", "dovecot-core"), box("old")),
        Circumstances(),
        "stop-service:m",
    ),
    "a unit that systemd-run made": Case(
        "sieve", (held("sieved", "run-u5.service"),), Circumstances(gone=True), "stop-service:h!"
    ),
    "a container started with --rm": Case(
        "imap", (box("old"),), Circumstances(gone=True), "stop-container:h!"
    ),
    "a container": Case("imap", (box("old"),), Circumstances(), "stop-container:m"),
    "a proxy in a container": Case(
        "http",
        (box("edge", "docker.io/library/traefik:v3.1"),),
        Circumstances(conf=True, port=8080, sites=None),
        "proxy-mode:m stop-container:m move-port:m",
    ),
    "a container on mailcow's local port": Case(
        "mysql", (box("db"),), Circumstances(conf=True, port=13307), "move-port:l stop-container:m"
    ),
    "a container that Docker does not name": Case(
        "imap", (held("docker-proxy", docker=True),), Circumstances(conf=True, port=10143), "move-port:m"
    ),
    "sshd": Case("submission", (SSHD,), Circumstances(conf=True, port=10587), "move-port:m"),
    "sshd, no mailcow.conf": Case("submission", (SSHD,), Circumstances(), ""),
    "sshd's socket": Case("submission", (held("systemd", "ssh.socket"),), Circumstances(), ""),
    "openvpn": Case("https", (held("openvpn", "openvpn-server@tcp.service"),), Circumstances(), ""),
    "sshd beside nginx": Case("https", (NGINX, SSHD), Circumstances(), ""),
    "stunnel, a way in": Case("imaps", (held("stunnel4", "stunnel4.service"),), Circumstances(), ""),
    "the browser's way in": Case("https", (held("systemd", "cockpit.socket"),), Circumstances(), ""),
    "a tunnel": Case("imaps", (held("ssh", "to-office.service"),), Circumstances(), ""),
    "a job of cron": Case("sieve", (BY_HAND._replace(unit="cron.service"),), Circumstances(), ""),
    "inetd without systemd": Case("pop3", (held("inetd"),), Circumstances(), ""),
    "a machine in the machine": Case(
        "http",
        (held("nginx", "systemd-nspawn@web.service", "nginx"),),
        Circumstances(conf=True, port=8080),
        "move-port:m",
    ),
    "one of several programs of a unit": Case(
        "sieve", (held("sieved", "jobs.service", main="sleep"),), Circumstances(), "stop-service:h"
    ),
    "a service that another depends on": Case(
        "sieve",
        (held("sieved", "sieved.service"),),
        Circumstances(besides=("shop.service",)),
        "stop-service:m",
    ),
    "a service that Docker depends on": Case(
        "sieve",
        (held("sieved", "sieved.service"),),
        Circumstances(besides=("docker.service",)),
        "stop-service:h",
    ),
    "somebody's program": Case("sieve", (BY_HAND,), Circumstances(), ""),
    "a service's init script": Case(
        "smtp",
        (held("exim4", "", "exim4-daemon-light"),),
        Circumstances(script="exim4"),
        "stop-service:l remove-package:h",
    ),
    "nobody that can be seen": Case("smtp", (held(),), Circumstances(), ""),
    "only the unit can be seen": Case(
        "smtp", (held("", "postfix@-.service"),), Circumstances(), "stop-service:l"
    ),
    "a connection": Case("imaps", (held("nfs", "nfs.service", state="connected"),), Circumstances(), ""),
    "a package of more than a server": Case(
        "sieve", (held("cupsd", "cups.service", "cups-daemon"),), Circumstances(), "stop-service:l"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_choices(name: str) -> None:
    case = CASES[name]
    port = BY_ID[case.port]
    facts = PortFacts(Binding(port, port.address, port.number), case.occupants, CONF, True, "netlink")
    found = choices(facts, blockers(case.occupants), case.around)
    marks = {True: "", False: "!"}
    said = " ".join(f"{one.id}:{one.risk[0]}{marks[one.reversible]}" for one in found)
    assert said == case.expected.replace("remove-package:h", "remove-package:h!")
    assert all(one.title[0].isupper() for one in found)


def test_mailcow_itself_is_nobody_to_stop() -> None:
    own = box("mailcowdockerized-postfix-mailcow-1")._replace(own=True)
    assert blockers((own,)) == ()
    assert blockers((own._replace(own=None),)) == ()


def test_a_socket_unit_and_its_service_are_one() -> None:
    both = held(
        "", "lazy.socket", processes=(process("systemd", pid=1), process("lazyd", pid=9, unit="lazy.service"))
    )
    (found,) = blockers((both,))
    assert found.names == ("lazy.socket", "lazy.service")
    assert found.name == "lazy.socket"


def test_sockets_of_one_unit_are_one_holder() -> None:
    found = blockers((NGINX, NGINX._replace(listener=NGINX.listener._replace(family=6, address="::"))))
    assert [len(one.listeners) for one in found] == [2]


@pytest.mark.parametrize(
    ("occupant", "role"),
    [
        (POSTFIX, "postfix"),
        (EXIM, "exim"),
        (held("sendmail-mta", "sendmail.service", "sendmail-bin"), "sendmail"),
        (held("httpd", "httpd.service", "httpd-core"), "apache"),
        (held("", "apache2.service"), "apache"),
        (held("smtpd", "opensmtpd.service", "opensmtpd"), "opensmtpd"),
        (box("edge", "jc21/nginx-proxy-manager:latest"), "nginx"),
        (box("edge", "caddy:2@sha256:" + "0" * 64), "caddy"),
        (held("python3", "nginxlike.service"), ""),
        (box("db", "registry.example.org:5000/mariadb"), ""),
    ],
)
def test_roles(occupant: Occupant, role: str) -> None:
    (found,) = blockers((occupant,))
    assert isinstance(found, Blocker)
    assert found.role == role


# What dnf and zypper would take along besides, packages that need it and that it needed, nobody is told.
@pytest.mark.parametrize("system", ["fedora", "opensuse"])
def test_of_rpms_the_package_is_removed_and_nothing_besides(system: str) -> None:
    def planned(said: Ran) -> Plan:
        files = {"/etc/os-release": f"ID={system}\n"}
        facts = Facts(FakeHost(files=files, commands={"rpm -e --test postfix": said}))
        port = PortFacts(Binding(BY_ID["smtp"], "", 25), (POSTFIX,), CONF, True, "netlink")
        conflict = Conflict("ports.smtp", None, port, blockers((POSTFIX,)), Circumstances(), facts)
        return plan_to_remove(conflict, Choice("remove-package", "x", "high", False))

    steps = planned(Ran(0, "", "")).steps
    assert [one.argv for one in steps if isinstance(one, Command)] == [("rpm", "-e", "postfix")]
    needed = "error: Failed dependencies:\n\tpostfix is needed by (installed) mutt-2.0.7-3.el9.x86_64\n"
    with pytest.raises(NoPlan, match=r"postfix is needed by .installed. mutt-2"):
        planned(Ran(1, "", needed))
