"""Real listeners of every kind: each is noticed with the right words, and the port is free again after it."""

import json
import os
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from bench import load
from lab import engine, machine
from lab.cgroup import own_cgroup
from lab.inside import CHECKOUT, Inside, Text, children, running, wait_until
from lab.machine import Machine
from lab.skip import or_skip

from mailcow_wizard.requirements import PORTS

pytestmark = pytest.mark.real

LISTENER = (sys.executable, "-I", "-S", str(CHECKOUT / "tests/lab/listener.py"))
LISTENER_ON_MACHINE = ("/usr/bin/python3", "-I", "-S", f"{machine.CHECKOUT_INSIDE}/tests/lab/listener.py")
REFUSE_NETLINK = str(CHECKOUT / "tests/lab/refuse_netlink.py")
WIZARD = (sys.executable, "-m", "mailcow_wizard")
IDS = {port.id for port in PORTS}
EXIT_OF = {"pass": 0, "fail": 1, "warn": 2, "unknown": 3}

Finding = dict[str, Any]

# What Docker does for a published port: one socket for IPv4, one for IPv6 alone; it prints what was refused.
BIND_AS_DOCKER = """
import socket, sys
address, port = sys.argv[1], int(sys.argv[2])
wanted = [(socket.AF_INET, address or "0.0.0.0")] + ([] if address else [(socket.AF_INET6, "::")])
for family, where in wanted:
    one = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        one.bind((where, port))
        one.listen()
    except OSError:
        print(where)
"""


class Wizard:
    """Runs the wizard somewhere and reads what it says of the ports."""

    def __init__(self, run: Callable[..., "subprocess.CompletedProcess[str]"], directory: str) -> None:
        """`run` takes the words after `mailcow-wizard`; `directory` is mailcow's."""
        self.run = run
        self.directory = directory

    def check(self, **options: Any) -> dict[str, Finding]:
        """All findings by id; the document, the count and the exit code are always looked at."""
        done = self.run("check", "ports", "--json", "--dir", self.directory, **options)
        assert done.returncode in EXIT_OF.values(), done.stderr
        findings = json.loads(done.stdout)["checks"]
        assert {one["id"] for one in findings} == IDS
        assert len(findings) == len(IDS)
        worst = next(word for word in ("fail", "warn", "unknown", "pass") if _has(findings, word))
        assert done.returncode == EXIT_OF[worst], done.stderr
        return {one["id"]: one for one in findings}

    def port(self, name: str = "smtp", **options: Any) -> Finding:
        """One port's finding."""
        return self.check(**options)[f"ports.{name}"]

    def plain(self) -> str:
        """The output for screen readers."""
        return str(self.run("check", "ports", "--plain", "--dir", self.directory).stdout)

    def assert_free(self) -> None:
        """Nothing is left of what a test started."""
        findings = self.check()
        assert {one["status"] for one in findings.values()} == {"pass"}, words(*findings.values())


def _has(findings: Sequence[Finding], status: str) -> bool:
    return any(one["status"] == status for one in findings)


def words(*findings: Finding) -> str:
    """Everything that findings say, for a person."""
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in findings)


@pytest.fixture
def mailcow(tmp_path: Path) -> Path:
    """Mailcow's directory, without a mailcow.conf."""
    directory = tmp_path / "mailcow"
    directory.mkdir()
    return directory


@pytest.fixture
def wizard(network: Inside, mailcow: Path, tmp_path: Path) -> Wizard:
    """The wizard of this checkout in the network."""
    state = ("--state-dir", str(tmp_path / "state"))

    def run(*arguments: str, before: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        return network.run([*before, *WIZARD, *arguments, *state], env={"PYTHONPATH": str(CHECKOUT)})

    return Wizard(run, str(mailcow))


def configure(mailcow: Path, **values: str) -> None:
    """Writes a mailcow.conf of these values."""
    (mailcow / "mailcow.conf").write_text("".join(f"{key}={value}\n" for key, value in values.items()))


@contextmanager
def listening(place: Inside, *argv: Text, program: Sequence[str] = LISTENER) -> Iterator[int]:
    """The listener with these words, in a place; the pid of the process that was started."""
    with running(place.start([*program, *argv])) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield process.pid


def refused(network: Inside, address: str, port: int) -> list[str]:
    """The addresses that the kernel itself refuses to Docker."""
    done = network.run([sys.executable, "-I", "-S", "-c", BIND_AS_DOCKER, address, str(port)], check=True)
    return done.stdout.split()


class Case(NamedTuple):
    """Listeners (words of the listener each), mailcow.conf, the verdict on port 25, words that it says."""

    listeners: tuple[tuple[str, ...], ...]
    conf: dict[str, str]
    status: str
    says: tuple[str, ...] = ()


ADDRESSES = {
    "every address": Case((("0.0.0.0", "25"),), {}, "fail", ("port 25",)),
    "loopback": Case((("127.0.0.1", "25"),), {}, "fail", ("127.0.0.1:25",)),
    "dual stack": Case((("::", "25"),), {}, "fail", ("port 25",)),
    "v6 only": Case((("--v6only", "::", "25"),), {}, "fail", ("IPv6",)),
    "v6 only without IPv6": Case((("--v6only", "::", "25"),), {"ENABLE_IPV6": "false"}, "warn", ("IPv6",)),
    "v6 only with IPv6 said": Case((("--v6only", "::", "25"),), {"ENABLE_IPV6": "true"}, "fail", ("IPv6",)),
    "dual stack without IPv6": Case((("::", "25"),), {"ENABLE_IPV6": "false"}, "fail", ("port 25",)),
    "v6 loopback": Case((("::1", "25"),), {}, "fail", ("[::1]:25",)),
    "v6 loopback without IPv6": Case((("::1", "25"),), {"ENABLE_IPV6": "false"}, "warn", ("[::1]:25",)),
    "v4 mapped": Case((("::ffff:127.0.0.1", "25"),), {}, "fail", ("127.0.0.1",)),
    "v4 mapped, same address": Case(
        (("::ffff:192.0.2.10", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "fail", ("192.0.2.10",)
    ),
    "v4 mapped, other address": Case((("::ffff:192.0.2.11", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "pass"),
    "other address": Case((("192.0.2.11", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "pass"),
    "same address": Case((("192.0.2.10", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "fail", ("192.0.2.10:25",)),
    "every address against one": Case((("0.0.0.0", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "fail"),
    "dual stack against one": Case((("::", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "fail"),
    "v6 only against one": Case((("--v6only", "::", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "pass"),
    "v6 address against one": Case((("2001:db8::10", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "pass"),
    "one address against every": Case((("192.0.2.10", "25"),), {}, "fail", ("192.0.2.10:25",)),
    "device": Case((("--device", "eth0", "0.0.0.0", "25"),), {}, "fail", ("eth0",)),
    "shared port": Case(
        (
            ("--reuse-port", "--name", "first", "0.0.0.0", "25"),
            ("--reuse-port", "--name", "second", "0.0.0.0", "25"),
        ),
        {},
        "fail",
        ("first", "second"),
    ),
    "two programs": Case(
        (("--name", "first", "127.0.0.1", "25"), ("--name", "second", "192.0.2.10", "25")),
        {},
        "fail",
        ("first is listening on 127.0.0.1:25", "second is listening on 192.0.2.10:25"),
    ),
    "one for each family": Case(
        (("--name", "first", "0.0.0.0", "25"), ("--name", "second", "--v6only", "::", "25")),
        {},
        "fail",
        ("first", "second", "IPv6"),
    ),
    "another port": Case((("0.0.0.0", "2525"),), {}, "pass"),
}
NOT_TOLD_WITHOUT_NETLINK = {
    "device",
    "v6 only",
    "v6 only without IPv6",
    "v6 only with IPv6 said",
    "v6 only against one",
}


@contextmanager
def standing(network: Inside, mailcow: Path, case: Case) -> Iterator[list[int]]:
    """The case's listeners; their pids."""
    configure(mailcow, **case.conf)
    with ExitStack() as stack:
        yield [stack.enter_context(listening(network, *argv)) for argv in case.listeners]


@pytest.mark.parametrize("name", ADDRESSES)
def test_address(name: str, network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """The verdict is what the kernel says to Docker, and every holder is named with its process."""
    case = ADDRESSES[name]
    with standing(network, mailcow, case) as pids:
        blocked = refused(network, case.conf.get("SMTP_PORT", "").partition(":")[0], 25)
        finding = wizard.port()
        assert finding["status"] == case.status, words(finding)
        assert (finding["status"] != "pass") == bool(blocked)
        for said in case.says:
            assert said in finding["summary"], words(finding)
        if blocked:
            for pid in pids:
                assert f"process {pid} " in finding["found"], words(finding)
        assert {one["status"] for key, one in wizard.check().items() if key != "ports.smtp"} == {"pass"}
    (mailcow / "mailcow.conf").unlink()
    wizard.assert_free()


@pytest.mark.parametrize("name", sorted(ADDRESSES.keys() - NOT_TOLD_WITHOUT_NETLINK))
def test_address_without_netlink(name: str, network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """Where netlink is refused, /proc gives the same verdict."""
    before = (sys.executable, "-I", "-S", REFUSE_NETLINK)
    with standing(network, mailcow, ADDRESSES[name]) as pids:
        finding = wizard.port(before=before)
        assert finding["status"] == ADDRESSES[name].status, words(finding)
        if finding["status"] != "pass":
            assert all(f"process {pid} " in finding["found"] for pid in pids), words(finding)


def test_v6_only_without_netlink(network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """/proc does not tell whether [::] takes IPv4 too: still a failure, and not said to be proved."""
    with standing(network, mailcow, ADDRESSES["v6 only"]):
        finding = wizard.port(before=(sys.executable, "-I", "-S", REFUSE_NETLINK))
        assert finding["status"] == "fail", words(finding)
        assert finding["certainty"] == "inferred"


def test_all_thirteen(network: Inside, wizard: Wizard) -> None:
    """Each port has its own finding, and one program on all of them is named in each."""
    with listening(
        network, "--name", "greedy", "0.0.0.0", ",".join(str(port.number) for port in PORTS)
    ) as pid:
        for port, finding in ((one, wizard.check()[one.id]) for one in PORTS):
            assert finding["status"] == "fail", words(finding)
            assert "greedy" in finding["summary"]
            assert str(port.number) in finding["summary"]
            assert f"process {pid} " in finding["found"]
    wizard.assert_free()


def test_ports_for_loopback_only(network: Inside, wizard: Wizard) -> None:
    """What mailcow binds to 127.0.0.1 is not in the way of a listener on another address."""
    with listening(network, "192.0.2.10", "19991,13306,7654"):
        wizard.assert_free()


def test_moved_ports(network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """mailcow.conf says where to look: the old places do not matter any more, the new ones do."""
    configure(mailcow, **{port.key: str(port.number + 20000) for port in PORTS if port.number != 25})
    moved = [port for port in PORTS if port.number != 25]
    with listening(network, "0.0.0.0", ",".join(str(port.number) for port in moved)):
        wizard.assert_free()
    with listening(network, "0.0.0.0", ",".join(str(port.number + 20000) for port in moved)):
        findings = wizard.check()
        for port in moved:
            assert findings[port.id]["status"] == "fail", words(findings[port.id])
            assert str(port.number + 20000) in findings[port.id]["summary"]
        assert findings["ports.smtp"]["status"] == "pass"


def test_moved_smtp(mailcow: Path, wizard: Wizard) -> None:
    """Other mail servers deliver to 25 only: a free port elsewhere is a warning."""
    configure(mailcow, SMTP_PORT="2525")
    finding = wizard.port()
    assert finding["status"] == "warn", words(finding)
    assert "2525" in finding["summary"]


def test_web_behind_a_proxy(network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """A proxy on the public address is no conflict for a web server on loopback with ports of its own."""
    configure(mailcow, HTTP_BIND="127.0.0.1", HTTP_PORT="8080", HTTPS_BIND="127.0.0.1", HTTPS_PORT="8443")
    with listening(network, "0.0.0.0", "80,443"), listening(network, "192.0.2.10", "8080"):
        wizard.assert_free()
    with listening(network, "127.0.0.1", "8443"):
        finding = wizard.port("https")
        assert finding["status"] == "fail", words(finding)
        assert "127.0.0.1:8443" in finding["summary"]


GARBAGE = {
    "noise": bytes(range(256)) * 64,
    "empty": b"",
    "nul bytes": b"SMTP_PORT=\0\0\0\n",
    "invalid UTF-8": b"SMTP_PORT=\xff\xfe\nIMAP_PORT=143\n",
    "no line ends": b"SMTP_PORT=25 IMAP_PORT=143" * 100,
    "Windows lines": b"SMTP_PORT=25\r\nIMAP_PORT=143\r\n",
    "shell": b"SMTP_PORT=$(reboot)\nIMAP_PORT=`reboot`\n",
    "markup and escapes": b"SMTP_PORT=[bold]25[/]\x1b[31m\n",
    "gigantic": b"X" * (8 << 20),
    "gigantic number": b"SMTP_PORT=" + b"9" * 5000 + b"\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_in_mailcow_conf(name: str, mailcow: Path, wizard: Wizard) -> None:
    """Garbage makes single checks unknown and crashes none; what it holds reaches no terminal."""
    (mailcow / "mailcow.conf").write_bytes(GARBAGE[name])
    findings = wizard.check()
    assert {one["status"] for one in findings.values()} <= {"pass", "warn", "fail", "unknown"}, words(
        *findings.values()
    )
    assert_harmless(words(*findings.values()))
    assert_harmless(wizard.plain())


def test_mailcow_conf_is_a_directory(mailcow: Path, wizard: Wizard) -> None:
    """What cannot be read is unknown, with the reason."""
    (mailcow / "mailcow.conf").mkdir()
    finding = wizard.port()
    assert finding["status"] == "unknown", words(finding)
    assert "mailcow.conf" in words(finding)


@pytest.mark.parametrize("value", ["banana", "0", "65536", "25:25", "1.2.3:25", "-25", "25,26"])
def test_value_that_is_no_port(value: str, mailcow: Path, wizard: Wizard) -> None:
    """A value that Docker would refuse makes its own check fail, and says the value."""
    configure(mailcow, SMTP_PORT=value)
    findings = wizard.check()
    assert findings["ports.smtp"]["status"] == "fail", words(findings["ports.smtp"])
    assert value in findings["ports.smtp"]["summary"]
    assert {one["status"] for key, one in findings.items() if key != "ports.smtp"} == {"pass"}


def assert_harmless(text: str) -> None:
    """No control character, no invisible mark, no half of a surrogate pair; lines may end."""
    for character in text:
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs"), repr(character)


HOSTILE = (
    b"line\nfeed",
    b"\x1b]0;owned\x07\x1b[2J",
    b"[bold red]markup[/]",
    b"\xff\xfe\x80",
    "\u202eevil\u200b".encode(),
)


@pytest.mark.parametrize("name", [b"two\nlines", b"\x1b[31mred", b"[b]bold[/b]", b"\xff\xfe bytes"])
def test_hostile_process(name: bytes, network: Inside, wizard: Wizard) -> None:
    """Names and words of other people's processes are shown harmlessly, in JSON and in plain lines."""
    with listening(network, b"--name", name, b"0.0.0.0", b"25", *HOSTILE) as pid:
        finding = wizard.port()
        assert finding["status"] == "fail"
        assert f"process {pid} " in finding["found"]
        for text in (one for one in _texts(finding) if one):
            assert_harmless(text)
            assert "\n" not in text
        plain = wizard.plain()
        assert_harmless(plain)
        smtp = [line for line in plain.splitlines() if "ports.smtp:" in line]
        assert len(smtp) == 1, plain


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


@pytest.mark.parametrize(
    "secret",
    [
        ("--password=hunter2",),
        ("--password", "hunter2"),
        ("--db-pass=hunter2",),
        ("smtp://me:hunter2@relay.example",),
    ],
)
def test_password_in_a_command_line(secret: tuple[str, ...], network: Inside, wizard: Wizard) -> None:
    """A command line is shown without the secrets that it holds."""
    with listening(network, "0.0.0.0", "25", *secret):
        finding = wizard.port()
        assert finding["status"] == "fail"
        assert "listener.py" in finding["found"]
        assert "hunter2" not in words(finding)
        assert "hunter2" not in wizard.plain()


def test_workers_named_once(network: Inside, wizard: Wizard) -> None:
    """A master and the workers that share its socket are one holder, with their number."""
    with listening(network, "--name", "master", "--workers", "3", "0.0.0.0", "25") as pid:
        finding = wizard.port()
        assert finding["summary"].count("master") == 1, words(finding)
        assert f"process {pid} and 3 more" in finding["summary"]
    wizard.assert_free()


def test_holder_that_even_root_cannot_see(network: Inside, wizard: Wizard) -> None:
    """A process of another container in the same network: the port is taken, its holder is not known."""
    with listening(network, "0.0.0.0", "25"):
        finding = wizard.port(before=("unshare", "--pid", "--fork", "--mount-proc", "--"))
        assert finding["status"] == "fail", words(finding)
        assert "unknown process" in finding["summary"]
        assert "only root" not in words(finding)


CGROUPS = {
    "system.slice/mail.service": "mail.service",
    "system.slice/system-mail.slice/mail@one.service": "mail@one.service",
    "system.slice/outer.service/inner.service": "outer.service",
    "machine.slice/guest@one.service/payload/system.slice/mail.service": "guest@one.service",
    "user.slice/user-1000.slice/user@1000.service/app.slice/mail.service": "",
    "user.slice/user-1000.slice/user@1000.service/tmux-spawn-1.scope": "",
    "user.slice/user-0.slice/session-3.scope": "",
    "lxc.payload.guest/system.slice/mail.service": "",
}


@pytest.mark.parametrize("cgroup", CGROUPS)
def test_unit_by_cgroup(cgroup: str, network: Inside, wizard: Wizard) -> None:
    """Only a unit that this machine's own systemd can stop is named."""
    with load.service(network, "0.0.0.0", "25", cgroup) as pid:
        finding = wizard.port()
        assert f"process {pid} " in finding["found"], words(finding)
        assert ("unit" in finding["found"]) == bool(CGROUPS[cgroup]), words(finding)
        assert f"unit {CGROUPS[cgroup]}".rstrip() in finding["found"] or not CGROUPS[cgroup]
        assert "user@" not in words(finding)


def test_holder_that_left_its_cgroup(network: Inside, wizard: Wizard) -> None:
    """The socket remembers the cgroup it was made in; who holds it now is found all the same."""
    with own_cgroup() as other, load.service(network, "0.0.0.0", "25") as pid:
        (other / "cgroup.procs").write_text(str(pid))
        assert f"process {pid} " in wizard.port()["found"]


# --- a machine with systemd ---


@pytest.fixture
def inside(booted: Machine) -> Iterator[Wizard]:
    """The wizard on the machine; every port is free before and after."""
    wizard = on_machine(booted)
    wizard.assert_free()
    yield wizard
    assert wait_until(lambda: not booted.run(["ss", "-Hltn"]).stdout.strip(), 10)
    wizard.assert_free()


def on_machine(booted: Machine) -> Wizard:
    """The wizard, run by the machine's own Python."""

    def run(*arguments: str, before: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        return booted.run([*before, "python3", "-m", "mailcow_wizard", *arguments])

    booted.run(["mkdir", "-p", "/srv/mailcow"], check=True)
    return Wizard(run, "/srv/mailcow")


@contextmanager
def active(booted: Machine, *units: str) -> Iterator[None]:
    """Units started, and stopped again."""
    booted.run(["systemctl", "start", *units], check=True)
    try:
        yield
    finally:
        booted.run(["systemctl", "stop", *units], check=True)


def test_postfix(booted: Machine, inside: Wizard) -> None:
    """Debian's postfix runs in an instance of a template, which is what holds the port."""
    with active(booted, "postfix.service"):
        finding = inside.port()
        assert finding["status"] == "fail", words(finding)
        assert "master is listening on port 25" in finding["summary"]
        for said in ("unit postfix@-.service", "package postfix", "user root", "/usr/lib/postfix"):
            assert said in finding["found"], words(finding)


def test_nginx(booted: Machine, inside: Wizard) -> None:
    """One master, four workers, one name."""
    booted.run(
        ["sed", "-i", "s/^worker_processes.*/worker_processes 4;/", "/etc/nginx/nginx.conf"], check=True
    )
    with active(booted, "nginx.service"):
        finding = inside.port("http")
        assert finding["status"] == "fail", words(finding)
        assert finding["summary"].count("nginx is listening") == 1
        assert "and 4 more" in finding["summary"]
        assert "unit nginx.service" in finding["found"]
        assert "package nginx" in finding["found"]


def test_sshd_on_a_port_of_ours(booted: Machine, inside: Wizard) -> None:
    """An administrator hid sshd behind 587; it keeps 22, which is none of ours."""
    booted.write("/etc/ssh/sshd_config.d/ports.conf", "Port 22\nPort 587\n")
    with active(booted, "ssh.service"):
        findings = inside.check()
        assert {key for key, one in findings.items() if one["status"] == "fail"} == {"ports.submission"}
        finding = findings["ports.submission"]
        assert "sshd is listening on port 587" in finding["summary"], words(finding)
        assert "unit ssh.service" in finding["found"]
        assert "package openssh-server" in finding["found"]


def test_udp_is_no_conflict(booted: Machine, inside: Wizard) -> None:
    """A UDP socket on the number of a TCP port is in nobody's way."""
    bound = "s = socket.socket(2, 2); s.bind(('0.0.0.0', 25)); print('ready', flush=True)"
    with running(booted.start(["python3", "-c", f"import socket, time; {bound}; time.sleep(60)"])) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        inside.assert_free()


def test_chrony_is_no_conflict(booted: Machine, inside: Wizard) -> None:
    """The time service that mailcow wants holds none of its ports; -x keeps it off the clock."""
    booted.write("/etc/default/chrony", 'DAEMON_OPTS="-x -F 0"\n')
    with active(booted, "chrony.service"):
        inside.assert_free()


def test_socket_unit_before_its_service(booted: Machine, inside: Wizard) -> None:
    """systemd itself listens for ssh.socket: the unit to stop is the .socket."""
    booted.write("/etc/systemd/system/ssh.socket.d/port.conf", "[Socket]\nListenStream=\nListenStream=465\n")
    booted.run(["systemctl", "daemon-reload"], check=True)
    with active(booted, "ssh.socket"):
        finding = inside.port("smtps")
        assert finding["status"] == "fail", words(finding)
        assert "unit ssh.socket" in finding["found"]
        assert "package systemd" not in finding["found"]
        assert "systemctl disable --now ssh.socket" in finding["remedies"][0]


SOCKET_UNIT = "[Socket]\nListenStream=127.0.0.1:143\n"
SERVICE_UNIT = """[Service]
ExecStart=/usr/bin/python3 -c "import socket, time; s = socket.socket(fileno=3); s.accept(); time.sleep(60)"
"""


def test_socket_unit_with_its_service(booted: Machine, inside: Wizard) -> None:
    """After the first connection both hold the socket; stopping the service alone would not free it."""
    booted.write("/etc/systemd/system/lazy.socket", SOCKET_UNIT)
    booted.write("/etc/systemd/system/lazy.service", SERVICE_UNIT)
    booted.run(["systemctl", "daemon-reload"], check=True)
    with active(booted, "lazy.socket"):
        connect = "import socket; socket.create_connection(('127.0.0.1', 143))"
        booted.run(["python3", "-c", connect], check=True)
        assert wait_until(
            lambda: booted.run(["systemctl", "is-active", "lazy.service"]).stdout == "active\n", 5
        )
        finding = inside.port("imap")
        assert finding["status"] == "fail", words(finding)
        assert "lazy.socket" in finding["found"]
        assert "python3" in finding["found"]
        booted.run(["systemctl", "stop", "lazy.socket", "lazy.service"], check=True)


def test_service_of_a_program_without_package(booted: Machine, inside: Wizard) -> None:
    """The unit is named, and no package is made up for a script."""
    booted.run(
        ["systemd-run", "--quiet", "--unit=greedy@one", *LISTENER_ON_MACHINE, "0.0.0.0", "4190"], check=True
    )
    try:
        assert wait_until(lambda: ":4190" in booted.run(["ss", "-Hltn"]).stdout, 5)
        finding = inside.port("sieve")
        assert "unit greedy@one.service" in finding["found"], words(finding)
        assert "package" not in finding["found"]
    finally:
        booted.run(["systemctl", "stop", "greedy@one.service"])


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")


def test_without_root(booted: Machine, inside: Wizard) -> None:
    """The port is reported, its process is said to be visible to root only."""
    with listening(booted, "0.0.0.0", "25", program=LISTENER_ON_MACHINE):
        finding = inside.port(before=NOBODY)
        assert finding["status"] == "fail", words(finding)
        assert "unknown process" in finding["summary"]
        assert "root" in finding["found"]


def test_unit_without_root(booted: Machine, inside: Wizard) -> None:
    """The kernel tells everybody the socket's cgroup: the unit is named even where the process is not."""
    with active(booted, "postfix.service"):
        finding = inside.port(before=NOBODY)
        assert finding["status"] == "fail", words(finding)
        assert "postfix@-.service" in finding["found"]


def test_own_process_without_root(booted: Machine, inside: Wizard) -> None:
    """Our own processes can be seen by us."""
    with listening(booted, "0.0.0.0", "4190", program=(*NOBODY, *LISTENER_ON_MACHINE)):
        finding = inside.port("sieve", before=NOBODY)
        assert "user nobody" in finding["found"], words(finding)
        assert "listener.py" in finding["found"]


def test_mailcow_conf_for_root_only(booted: Machine, inside: Wizard) -> None:
    """mailcow.conf holds passwords: where only root may read it, nobody can say which ports it names."""
    booted.write("/srv/mailcow/mailcow.conf", "SMTP_PORT=25\n")
    try:
        booted.run(["chmod", "600", "/srv/mailcow/mailcow.conf"], check=True)
        findings = inside.check(before=NOBODY)
        assert {one["status"] for one in findings.values()} == {"unknown"}, words(*findings.values())
        assert "needs root" in findings["ports.smtp"]["summary"]
    finally:
        booted.run(["rm", "/srv/mailcow/mailcow.conf"], check=True)


def test_service_sandbox_without_netlink(booted: Machine, inside: Wizard) -> None:
    """Run by systemd with RestrictAddressFamilies, the verdict is the same."""
    sandbox = (
        "systemd-run",
        "--quiet",
        "--pipe",
        "--wait",
        "-pRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    )
    path = (
        f"-EPYTHONPATH={machine.CHECKOUT_INSIDE}",
        "-EPYTHONDONTWRITEBYTECODE=1",
        "--",
    )
    with active(booted, "postfix.service"):
        finding = inside.port(before=(*sandbox, *path))
        assert finding["status"] == "fail", words(finding)
        assert "unit postfix@-.service" in finding["found"]


def test_exim(booted_with_exim: Machine) -> None:
    """Debian's exim listens on loopback, which is enough to keep Docker off; started by a SysV script."""
    wizard = on_machine(booted_with_exim)
    finding = wizard.port()
    assert finding["status"] == "fail", words(finding)
    assert "exim4 is listening on 127.0.0.1:25 and [::1]:25" in finding["summary"]
    assert "unit exim4.service" in finding["found"]
    assert "package exim4-daemon-light" in finding["found"]
    booted_with_exim.run(["systemctl", "stop", "exim4.service"], check=True)
    wizard.assert_free()


# --- Docker ---


def with_docker(docker: engine.Engine, mailcow: Path, tmp_path: Path) -> Wizard:
    """The wizard in the engine's namespaces."""

    def run(*arguments: str, before: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        argv = [*before, *WIZARD, *arguments, "--state-dir", str(tmp_path / "state")]
        return docker.run(argv, env={"PYTHONPATH": str(CHECKOUT)})

    return Wizard(run, str(mailcow))


@pytest.fixture
def beside(docker: engine.Engine, mailcow: Path, tmp_path: Path) -> Iterator[Wizard]:
    """The wizard beside an engine; every port is free before and after."""
    wizard = with_docker(docker, mailcow, tmp_path)
    wizard.assert_free()
    yield wizard
    wizard.assert_free()


def compose_labels(project: str, service: str, directory: str) -> list[str]:
    """What docker compose writes on a container."""
    labels = {"project": project, "service": service, "project.working_dir": directory}
    return [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]


def test_container_of_another_stack(docker: engine.Engine, beside: Wizard) -> None:
    """The container is named, not its proxy, and once for both families."""
    labels = compose_labels("old", "smtp", "/srv/old")
    with docker.container("old-smtp-1", "-p", "25:25", *labels):
        finding = beside.port()
        assert finding["status"] == "fail", words(finding)
        assert "container old-smtp-1" in finding["summary"]
        assert "compose project old" in finding["found"]
        assert "docker-proxy" not in finding["summary"]
        assert finding["summary"].count("old-smtp-1") == 1


def test_two_containers(docker: engine.Engine, beside: Wizard) -> None:
    """Each port has its own container."""
    with docker.container("web", "-p", "80:80"), docker.container("imap", "-p", "127.0.0.1:143:143"):
        findings = beside.check()
        assert "container web" in findings["ports.http"]["summary"], words(findings["ports.http"])
        assert "container imap" in findings["ports.imap"]["summary"], words(findings["ports.imap"])
        assert {key for key, one in findings.items() if one["status"] == "fail"} == {
            "ports.http",
            "ports.imap",
        }


def test_mailcow_itself(docker: engine.Engine, beside: Wizard, mailcow: Path) -> None:
    """What mailcow holds already is no conflict."""
    labels = compose_labels("mailcowdockerized", "postfix-mailcow", str(mailcow))
    with docker.container("mailcowdockerized-postfix-mailcow-1", "-p", "25:25", "-p", "465:465", *labels):
        findings = beside.check()
        assert {one["status"] for one in findings.values()} == {"pass"}, words(*findings.values())
        assert "mailcow itself" in findings["ports.smtp"]["summary"]
        assert "mailcowdockerized-postfix-mailcow-1" in findings["ports.smtps"]["found"]


def test_mailcow_in_a_project_of_another_name(docker: engine.Engine, beside: Wizard, mailcow: Path) -> None:
    """The directory decides where COMPOSE_PROJECT_NAME was changed."""
    labels = compose_labels("mail", "postfix-mailcow", str(mailcow))
    with docker.container("mail-postfix-mailcow-1", "-p", "25:25", *labels):
        assert beside.port()["status"] == "pass"


def test_container_in_the_host_network(docker: engine.Engine, beside: Wizard) -> None:
    """No proxy, the container's own process listens: still the container is named."""
    argv = ("docker", "run", "-d", "--name", "direct", "--network=host", engine.IMAGE)
    docker.run([*argv, "/bin/busybox", "httpd", "-f", "-p", "4190"], check=True)
    try:
        assert wait_until(lambda: ":4190" in docker.run(["ss", "-Hltn"]).stdout, 5)
        finding = beside.port("sieve")
        assert "container direct" in finding["summary"], words(finding)
    finally:
        docker.run(["docker", "rm", "-f", "direct"])


def test_engine_that_does_not_answer(docker: engine.Engine, beside: Wizard) -> None:
    """Docker hangs: the port is still reported, in bounded time, as some container's."""
    daemon = children(docker.pid)[0]
    with docker.container("old-smtp", "-p", "25:25"):
        os.kill(daemon, signal.SIGSTOP)
        try:
            finding = beside.port()
            assert finding["status"] == "fail", words(finding)
            assert "Docker container" in finding["summary"]
            assert finding["duration_ms"] < 5000
        finally:
            os.kill(daemon, signal.SIGCONT)


def test_without_userland_proxy(mailcow: Path, tmp_path: Path) -> None:
    """The engine itself holds the port; the container is named all the same."""
    proxyless = engine.started(engine.SUITES[0], "--userland-proxy=false")
    with or_skip(), proxyless as docker, docker.container("old-smtp", "-p", "25:25"):
        finding = with_docker(docker, mailcow, tmp_path).port()
        assert finding["status"] == "fail", words(finding)
        assert "container old-smtp" in finding["summary"]
