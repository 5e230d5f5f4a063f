"""Recorded machines from strangers: garbage is refused, or unknown; never a crash, never a pass."""

import json
from pathlib import Path
from typing import Any

import pytest
import recorded_machines as machines

from mailcow_wizard.checks import of_topic
from mailcow_wizard.cli import app
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.mail import admin
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, NotRecorded, Refused, TooLarge
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.network.conversation import Spoken
from mailcow_wizard.host.recording.recorded import (
    DEMO,
    BadRecording,
    RecordedHost,
    RecordingHost,
    load,
    question,
)
from mailcow_wizard.host.recording.scrub import scrub
from mailcow_wizard.host.replies import HttpReply, Listener, Process, Ran, User
from mailcow_wizard.model import Finding, Settings

DEEP = "[" * 100_000 + "]" * 100_000


# --- the file ---

NOT_MACHINES: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"mailcow",
    "half": json.dumps(machines.document(machines.FREE)).encode()[:-20],
    "not text": b"\xff\xfe\x80",
    "a list": b"[]",
    "null": b"null",
    "a number": b"5",
    "text": b'"mailcow-wizard machine 1"',
    "no format": b'{"answers": {}}',
    "another format": b'{"format": "mailcow-wizard machine 2", "answers": {}}',
    "format of another shape": b'{"format": ["mailcow-wizard machine 1"], "answers": {}}',
    "no answers": b'{"format": "mailcow-wizard machine 1"}',
    "answers of another shape": b'{"format": "mailcow-wizard machine 1", "answers": []}',
    "deep": DEEP.encode(),
    "deep inside": json.dumps(machines.document({})).replace("{}", DEEP).encode(),
    "many digits": b'{"format": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", NOT_MACHINES)
def test_file_that_is_no_machine(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(NOT_MACHINES[name])
    with pytest.raises(BadRecording):
        load(str(path))
    assert app.run(["check", "ports", "--json", "--host", str(path)]) == 64
    said = capsys.readouterr()
    assert json.loads(said.out)["error"].startswith("--host")
    assert said.err.count("\n") == 1


def test_huge_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(BadRecording, match="larger than 64 MiB"):
        load(str(path))


# --- answers ---

WRONG: dict[str, Any] = {
    "null": None,
    "a number": 5,
    "text": "x",
    "a list": [],
    "nothing": {},
    "another word": {"answer": 1},
    "both": {"value": 1, "error": "Missing"},
    "value null": {"value": None},
    "value number": {"value": 5},
    "value negative": {"value": -1},
    "value huge": {"value": 10**400},
    "value infinite": {"value": float("inf")},
    "value no number": {"value": float("nan")},
    "value bool": {"value": True},
    "value text": {"value": "x"},
    "value hostile text": {"value": "\x1b[2J\n\ud800\0"},
    "value list": {"value": []},
    "value list of numbers": {"value": [1, 2]},
    "value list of lists": {"value": [[], [[]]]},
    "value object": {"value": {}},
    "value deep": {"value": json.loads("[" * 500 + "]" * 500)},
    "bytes empty": {"value": {"text": ""}},
    "bytes number": {"value": {"text": 5}},
    "bytes both": {"value": {"text": "", "base64": ""}},
    "bytes no base64": {"value": {"base64": "%%%"}},
    "bytes binary": {"value": {"base64": "AP/+gIGC"}},
    "bytes nul": {"value": {"text": "\0\0\0"}},
    "bytes surrogate": {"value": {"text": "\ud800"}},
    "bytes garbage": {"value": {"text": "%s\n\n:=\x1b 99999999999999999999 ]["}},
    "bytes huge": {"value": {"text": "1 " * 600_000}},
    "error unknown": {"error": "KeyError", "text": "x"},
    "error of another shape": {"error": ["Missing"], "text": {"a": 1}},
    "error without text": {"error": "Denied"},
    "error hostile": {"error": "HostError", "text": "\x1b[2J\n" * 1000},
}


def findings(answers: Any, topic: str) -> tuple[Finding, ...]:
    """What the checks of a topic find on a machine with these answers."""
    host = RecordedHost({**machines.document(answers)})
    session = Session(host, Settings(directory=host.directory, timeout=5), StateDirectory("/nonexistent"))
    result = session.run(of_topic(topic), lambda event: None)
    assert isinstance(result.hostname, str)
    return result.findings


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("asked", [machines.LISTENERS, "holders 4711", machines.CONF, "user", "uname", "now"])
def test_garbage_for_the_ports(asked: str, name: str) -> None:
    found = findings({**machines.POSTFIX, asked: WRONG[name]}, "ports")
    assert "crashed" not in {one.status for one in found}
    smtp = found[0]
    assert smtp.id == "ports.smtp"
    assert smtp.summary.isprintable()
    assert smtp.status in ("fail", "unknown"), smtp.summary


@pytest.mark.parametrize(
    "field", ["family", "address", "port", "v6only", "interface", "uid", "inode", "cgroup", "state"]
)
@pytest.mark.parametrize("value", [None, "x", [], {}, 1.5, True], ids=repr)
def test_garbage_in_a_listener(field: str, value: Any) -> None:
    found = findings(machines.answers(machines.listener(**{field: value})), "ports")
    if not (field == "v6only" and value in (None, True)) and not (
        field in ("address", "interface", "state") and value == "x"
    ):
        assert {one.status for one in found} == {"unknown"}
    assert "crashed" not in {one.status for one in found}


@pytest.mark.parametrize("count", [0, 2, 5])
def test_holders_that_do_not_fit(count: int) -> None:
    held = {"inode": 4711, "processes": [], "cgroup": "", "user": "root"}
    found = findings({**machines.POSTFIX, "holders 4711": {"value": [held] * count}}, "ports")
    assert {one.status for one in found} == {"unknown"}


def demo() -> dict[str, Any]:
    """The answers of the machine that ships with the wizard."""
    answers: dict[str, Any] = json.loads(Path(DEMO).read_text())["answers"]
    return answers


@pytest.mark.parametrize("topic", ["system", "kernel", "ports", "time"])
@pytest.mark.parametrize("name", WRONG)
def test_garbage_everywhere(name: str, topic: str) -> None:
    found = findings(dict.fromkeys(demo(), WRONG[name]), topic)
    assert found
    crashed = [(one.id, one.summary) for one in found if one.status == "crashed"]
    assert not crashed
    passed = [(one.id, one.summary) for one in found if one.status == "pass"]
    assert not passed


@pytest.mark.parametrize("topic", ["system", "kernel", "ports", "time"])
def test_machine_that_was_never_asked(topic: str) -> None:
    found = findings({}, topic)
    assert {one.status for one in found} <= {"unknown"}, [one for one in found if one.status != "unknown"]


@pytest.mark.parametrize("settings", [None, [], 5, {"directory": 5}, {"directory": ""}, {}])
def test_garbage_in_the_settings(settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    more = {"working_directory": {"value": "/srv"}}
    path.write_text(json.dumps({**machines.document({**machines.FREE, **more}), "settings": settings}))
    assert app.run(["check", "ports.redis", "--json", "--host", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["checks"]


# --- what may be recorded ---

SECRET = "Geheim4711"
LOGGED_IN = f"HTTP/1.1 302 Found\nset-cookie: MCSESSID={SECRET}; path=/; HttpOnly\nlocation: /debug\n\n"


@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        (
            "read",
            ("/opt/mailcow-dockerized/mailcow.conf",),
            f"DBPASS={SECRET}\n#API_KEY={SECRET}\nTZ=UTC".encode(),
        ),
        ("read", ("/srv/mailcow.conf",), b"# caf\xe9\nREDISPASS=" + SECRET.encode()),
        ("read", ("/opt/mailcow-dockerized/.env",), f"DBROOT={SECRET}".encode()),
        (
            "read",
            ("/etc/docker/daemon.json",),
            f'{{"proxies": {{"http": "http://u:{SECRET}@p:80"}}}}'.encode(),
        ),
        ("read", ("/etc/x",), b"\xff http://u:" + SECRET.encode() + b"@p"),
        ("read", ("/proc/1/environ",), f"HOME=/home/x\0TOKEN={SECRET}\0container=lxc\0X={SECRET}".encode()),
        ("variable", ("HTTP_PROXY",), f"http://u:{SECRET}@proxy"),
        ("running", (("mysqld",),), (Process(1, "mysqld", "x", ("mysqld", f"--password={SECRET}"), "", ""),)),
        (
            "http",
            ("/s", "/containers/json"),
            HttpReply(200, json.dumps([{"Id": "a", "Command": SECRET, "Labels": {"x": SECRET}}]).encode()),
        ),
        ("http", ("/s", "/info"), HttpReply(200, json.dumps({"HttpProxy": f"http://u:{SECRET}@p"}).encode())),
        (
            "http",
            ("/s", "/containers/a/json"),
            HttpReply(
                200,
                json.dumps(
                    {"HostConfig": {"Binds": [SECRET]}, "Config": {"Env": [SECRET], "Labels": {"x": SECRET}}}
                ).encode(),
            ),
        ),
        (
            "read",
            ("/etc/nginx/sites-enabled/shop",),
            f'server {{ listen 80; proxy_set_header Authorization "{SECRET}"; }}'.encode(),
        ),
        ("read", ("/etc/nginx/nginx.conf",), f"map $x $y {{ {SECRET} 1; }}\n# {SECRET}\n".encode()),
        ("read", ("/etc/apache2/sites-enabled/a.conf",), f"SetEnv DB_PASS {SECRET}\n".encode()),
        (
            "read",
            ("/etc/caddy/Caddyfile",),
            f"a.org {{\n\tbasicauth {{\n\t\tanna {SECRET}\n\t}}\n}}".encode(),
        ),
        ("read", ("/etc/yum.repos.d/a.repo",), f"[a]\nbaseurl=https://b/\npassword={SECRET}\n".encode()),
        ("read", ("/etc/dnf/dnf.conf",), f"[main]\nproxy_password = {SECRET}\n".encode()),
        ("read", ("/etc/apt/sources.list",), f"deb https://a:{SECRET}@b/c d e\n".encode()),
        ("read", ("/etc/haproxy/haproxy.cfg",), f"  stats auth admin:{SECRET}\n".encode()),
        ("read", ("/etc/lighttpd/conf-enabled/a.conf",), f'setenv.add = ("X" => "{SECRET}")\n'.encode()),
        ("read", ("/etc/lighttpd/lighttpd.conf",), f"server.port = 80 # {SECRET}\n".encode()),
        (
            "read",
            ("/etc/dovecot/dovecot.conf",),
            f"doveadm_password = {SECRET}\nport = 143 {SECRET}\n".encode(),
        ),
        ("read", ("/usr/share/dovecot/protocols.d/a",), f"#{SECRET}\nprotocols = imap # {SECRET}\n".encode()),
        ("read", ("/usr/share/nginx/modules/a.conf",), f"set $x {SECRET};\n".encode()),
        ("read", ("/etc/apache2/a.conf",), f"<If \"%{{HTTP:X}} == '{SECRET}'\">\n</If>\n".encode()),
        ("read", ("/etc/postfix/master.cf",), f"x unix - n n - - pipe\n  argv=/x {SECRET}\n".encode()),
        ("read", ("/etc/postfix/main.cf",), f"smtp_sasl_password_maps = static:a:{SECRET}\n".encode()),
        (
            "read",
            ("/etc/systemd/system/x.socket.d/a.conf",),
            f"[Socket]\nEnvironment=TOKEN={SECRET}\n".encode(),
        ),
        ("run", (("systemctl", "cat", "--", "x"),), Ran(0, f"[Service]\nEnvironment=TOKEN={SECRET}\n", "")),
        ("run", (("postqueue", "-j"),), Ran(0, f'{{"sender": "{SECRET}"}}\n', "")),
        ("run", (("mailq",),), Ran(0, f"x {SECRET}\n\t\tTotal requests: 1\n", "")),
        (
            "run",
            (("docker", "compose", "--project-directory", "/m", "config", "--quiet"),),
            Ran(1, "", f'error while interpolating services.a.environment.DB_PASSWORD: "{SECRET}$"\n'),
        ),
        (
            "run",
            (("docker", "compose", "--project-directory", "/m", "config", "--quiet"),),
            Ran(
                1,
                "",
                f'time="x" level=warning msg="The \\"{SECRET}\\" variable is not set."\n'
                f"WARNING: The {SECRET} variable is not set. Defaulting to a blank string.\n"
                f"failed to read /m/.env: unterminated quoted value '{SECRET} x\n",
            ),
        ),
        (
            "run",
            (("docker-compose", "--project-directory", "/m", "config", "--quiet"),),
            Ran(1, f'Invalid interpolation format: "API_TOKEN={SECRET}$"\n', ""),
        ),
        (
            "run",
            (("systemctl", "show", "-p", "ExecStart", "--", "docker.service"),),
            Ran(
                0, f"ExecStart={{ path=/x ; argv[]=/x -H fd:// --log-opt splunk-token={SECRET} ; a=b }}\n", ""
            ),
        ),
        ("converse", (), Spoken("open", replies=(LOGGED_IN,))),
        ("http", ("/s", "/x"), HttpReply(500, SECRET.encode())),
        ("http", ("/s", "/x"), HttpReply(200, DEEP.encode())),
    ],
)
def test_no_secret_is_recorded(call: str, arguments: tuple[Any, ...], answer: Any) -> None:
    assert SECRET not in repr(scrub(call, arguments, answer))
    assert type(scrub(call, arguments, answer)) is type(answer)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/nginx/nginx.conf", "http {\n\tinclude /etc/nginx/sites-enabled/*;\n}\n"),
        ("/etc/nginx/conf.d/a.conf", "server {\n  listen 80;\n  server_name a.org;\n  root /srv;\n}\n"),
        ("/etc/apache2/sites-enabled/a.conf", "<VirtualHost *:80>\nServerName a.org\n</VirtualHost>\n"),
        ("/etc/caddy/Caddyfile", "a.org, b.org {\n}\n"),
        ("/etc/haproxy/haproxy.cfg", "backend shop\n"),
        ("/etc/apache2/ports.conf", "<IfModule ssl_module>\n\tListen 443\n</IfModule>\n"),
        ("/etc/dovecot/dovecot.conf", "inet_listener imap { port = 0 }\nprotocols {\n  imap = yes\n}\n"),
        (
            "/etc/systemd/system/sockets.target.wants/x.socket",
            "[Socket]\nListenStream=\nListenStream = [::]:143\n",
        ),
        ("/etc/postfix/master.cf", "smtp inet n - y - - smtpd\n"),
    ],
)
def test_what_says_where_servers_listen_stays(path: str, text: str) -> None:
    assert scrub("read", (path,), text.encode()).decode() == text


def test_the_number_of_queued_messages_stays() -> None:
    queued = Ran(0, '{"sender": "anna@example.org"}\n{"sender": "bert@example.org"}\n', "")
    assert scrub("run", (("postqueue", "-j"),), queued).out == "{}\n{}\n"
    assert scrub("run", (("mailq",),), Ran(0, "a\nTotal requests: 2\n", "")).out == "\nTotal requests: 2\n"


def test_names_of_the_environment_stay() -> None:
    data = b"HOME=/home/x\0container=lxc\0PATH=/bin\0\0odd\0"
    assert scrub("read", ("/proc/1/environ",), data) == b"HOME=\0container=lxc\0PATH=\0\0odd\0"


def test_of_cloud_init_only_the_name_of_the_cloud_stays() -> None:
    path = "/run/cloud-init/instance-data.json"
    data = b'{"v1": {"cloud_name": "hetzner", "public_ssh_keys": ["x"]}, "ds": {"user_data": "hunter2"}}'
    assert scrub("read", (path,), data) == b'{"v1": {"cloud_name": "hetzner"}}'
    assert scrub("read", (path,), b"[hunter2") == b""


# --- errors ---


@pytest.mark.parametrize("kind", [HostError, Missing, Denied, NoAnswer, Refused, TooLarge])
def test_errors_are_replayed(kind: type[HostError]) -> None:
    host = RecordedHost(machines.document({"read /x": {"error": kind.__name__, "text": "so it is"}}))
    with pytest.raises(kind, match="so it is") as caught:
        host.read("/x")
    assert type(caught.value) is kind
    with pytest.raises(NotRecorded, match="was not asked this") as unknown:
        host.names("/x")
    assert unknown.value.question == "names /x"


def test_recording_in_the_middle_of_a_question() -> None:
    class Slow(RecordedHost):
        def user(self) -> User:
            return User(0, "root", 0)

    recorder = RecordingHost(Slow(machines.document({})))
    recorder.user()
    document = recorder.document("/srv")
    recorder.variable = lambda name: ""  # type: ignore[method-assign]
    assert list(document["answers"]) == ["user"]
    assert document["settings"] == {"directory": "/srv"}
    one = Listener(4, "0.0.0.0", 25, None, "", 0, 7, 0)
    with pytest.raises(NotRecorded):
        recorder.holders((one,))
    assert recorder.document("")["answers"]["holders 7"]["error"] == "HostError"
    assert question("listeners", (25, 80)) == "listeners 25 80"


def test_a_log_in_that_went_well_is_one_without_its_session() -> None:
    replayed = scrub("converse", (), Spoken("open", replies=(LOGGED_IN,)))
    judged = admin._judged(replayed.replies[0])
    assert judged is not None
    assert judged[0] is True
