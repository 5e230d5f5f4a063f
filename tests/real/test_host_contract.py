"""One body of tests against every host: this machine, and the recording of what it said."""

import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lab.inside import CHECKOUT

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, TooLarge
from mailcow_wizard.host.files.state import StateDirectory, write_private
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.recording.recorded import RecordedHost, RecordingHost
from mailcow_wizard.host.replies import DnsQuestion, Listener, Probe
from tests.real import conversations

WIZARD = (sys.executable, "-m", "mailcow_wizard")


class Place(NamedTuple):
    """What there is to look at: a directory with files, a listening port, a socket that speaks HTTP."""

    path: str
    port: int
    inode: int
    http: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Files of every kind, a listener of our own, a small HTTP server."""
    path = tmp_path_factory.mktemp("place")
    (path / "text").write_text("Zürich\n")
    (path / "binary").write_bytes(b"\xff\x00\x80")
    (path / "large").write_bytes(b"x" * 2000)
    (path / "empty").touch()
    (path / "below").mkdir()
    (path / "link").symlink_to("text")
    (path / "nowhere").symlink_to("not-there")
    (path / "loop").symlink_to("loop")
    os.mkfifo(path / "pipe")
    (path / "text").chmod(0o640)
    with socket.create_server(("127.0.0.1", 0)) as listening, _http_server(str(path / "http")):
        port = listening.getsockname()[1]
        yield Place(str(path), port, os.fstat(listening.fileno()).st_ino, str(path / "http"))


class _http_server:  # noqa: N801  # used as a function
    """Answers every request with its first line; `/hang` never."""

    def __init__(self, path: str) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        self._server.listen()
        self._kept: list[socket.socket] = []

    def __enter__(self) -> None:
        threading.Thread(target=self._serve, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._server.close()
        for link in self._kept:
            link.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            first = link.recv(4096).split(b"\r\n")[0]
            if b"/hang" in first:
                self._kept.append(link)
                continue
            said = (
                b"gibberish" if b"/gibberish" in first else b"HTTP/1.1 404 no\r\nX: y\r\n\r\n" + b'{"a": 1}'
            )
            link.sendall(said)
            link.close()


@pytest.fixture(scope="module")
def recorder() -> Iterator[RecordingHost]:
    """Asks this machine, and writes down what it says."""
    made = RecordingHost(RealHost())
    yield made
    made.close()


def answer(host: Host, ask: Callable[[Host], Any]) -> Any:
    """What a host says, or which error it raises."""
    try:
        return ask(host)
    except HostError as error:
        return type(error), str(error)


def listeners(place: Place) -> tuple[Listener, ...]:
    """The listener of our own, as the door has it."""
    return (Listener(4, "127.0.0.1", place.port, None, "", 0, place.inode, 0),)


# Every call of the door, with what must come back: a value, a test of it, or an error.
CALLS: dict[str, tuple[Callable[[Host, Place], Any], Any]] = {
    "kept nothing": (lambda host, place: host.kept("nothing-of-this-name"), Missing),
    "read": (lambda host, place: host.read(f"{place.path}/text"), "Zürich\n".encode()),
    "read binary": (lambda host, place: host.read(f"{place.path}/binary"), b"\xff\x00\x80"),
    "read empty": (lambda host, place: host.read(f"{place.path}/empty"), b""),
    "read through a link": (lambda host, place: host.read(f"{place.path}/link"), "Zürich\n".encode()),
    "read of /proc": (lambda host, place: host.read("/proc/self/stat"), lambda said: b"python" in said),
    "read missing": (lambda host, place: host.read(f"{place.path}/not-there"), Missing),
    "read below a file": (lambda host, place: host.read(f"{place.path}/text/x"), Missing),
    "read a link to nothing": (lambda host, place: host.read(f"{place.path}/nowhere"), Missing),
    "read a loop": (lambda host, place: host.read(f"{place.path}/loop"), HostError),
    "read a directory": (lambda host, place: host.read(f"{place.path}/below"), HostError),
    "read a pipe": (lambda host, place: host.read(f"{place.path}/pipe"), HostError),
    "read a device": (lambda host, place: host.read("/dev/zero"), HostError),
    "read too much": (lambda host, place: host.read(f"{place.path}/large", 1000), TooLarge),
    "read no path": (lambda host, place: host.read("/a\0b"), HostError),
    "read what no file can be called": (lambda host, place: host.read("/\ud800"), HostError),
    "text": (lambda host, place: host.text(f"{place.path}/binary"), "\ufffd\0\ufffd"),
    "names": (
        lambda host, place: host.names(place.path),
        ("below", "binary", "empty", "http", "large", "link", "loop", "nowhere", "pipe", "text"),
    ),
    "names of nothing": (lambda host, place: host.names(f"{place.path}/below"), ()),
    "names missing": (lambda host, place: host.names(f"{place.path}/not-there"), Missing),
    "names of a file": (lambda host, place: host.names(f"{place.path}/binary"), Missing),
    "info": (lambda host, place: host.info(f"{place.path}/text")[:2], ("file", 0o640)),
    "info of a link": (lambda host, place: host.info(f"{place.path}/link", False).kind, "link"),
    "info through a link": (lambda host, place: host.info(f"{place.path}/link").kind, "file"),
    "info of a directory": (lambda host, place: host.info(place.path).kind, "directory"),
    "info of a socket": (lambda host, place: host.info(place.http).kind, "socket"),
    "info of a pipe": (lambda host, place: host.info(f"{place.path}/pipe").kind, "other"),
    "info missing": (lambda host, place: host.info(f"{place.path}/not-there"), Missing),
    "info no path": (lambda host, place: host.info("/a\0b"), HostError),
    "exists": (lambda host, place: host.exists(f"{place.path}/text"), True),
    "exists not": (lambda host, place: host.exists(f"{place.path}/nowhere"), False),
    "resolve": (lambda host, place: host.resolve(f"{place.path}/link")[-5:], "/text"),
    "resolve missing": (lambda host, place: host.resolve(f"{place.path}/nowhere"), Missing),
    "resolve a loop": (lambda host, place: host.resolve(f"{place.path}/loop"), HostError),
    "contains": (lambda host, place: host.contains(f"{place.path}/text", b"rich"), True),
    "contains not": (lambda host, place: host.contains(f"{place.path}/text", b"poor"), False),
    "contains of a pipe": (lambda host, place: host.contains(f"{place.path}/pipe", b"x"), False),
    "contains missing": (lambda host, place: host.contains(f"{place.path}/not-there", b"x"), Missing),
    "space": (lambda host, place: host.space(place.path), lambda said: 0 < said.free <= said.total),
    "space missing": (lambda host, place: host.space(f"{place.path}/not-there"), Missing),
    "which": (lambda host, place: host.which("sh"), lambda said: said.endswith("/sh")),
    "which missing": (lambda host, place: host.which("no-such-command"), Missing),
    "run": (lambda host, place: host.run(("sh", "-c", "echo a; echo b >&2; exit 3")), (3, "a\n", "b\n")),
    "run missing": (lambda host, place: host.run(("no-such-command",)), Missing),
    "run too long": (lambda host, place: host.run(("sleep", "86400"), 0.2), NoAnswer),
    "uname": (lambda host, place: host.uname(), lambda said: said.release and said.bits in (32, 64)),
    "user": (lambda host, place: host.user().uid, os.geteuid()),
    "variable": (lambda host, place: host.variable("PATH"), lambda said: said == os.environ["PATH"]),
    "variable unset": (lambda host, place: host.variable("NO_SUCH_VARIABLE"), ""),
    "working directory": (lambda host, place: host.working_directory(), lambda said: said == os.getcwd()),
    "now": (lambda host, place: host.now(), lambda said: said > 1.7e9),
    "listeners": (
        lambda host, place: [
            (one.address, one.port, one.inode) for one in host.listeners((place.port,)).sockets
        ],
        lambda said: len(said) == 1 and said[0][0] == "127.0.0.1",
    ),
    "listeners, none": (lambda host, place: host.listeners((1,)).sockets, ()),
    "holders": (
        lambda host, place: [one.pid for one in host.holders(listeners(place))[0].processes],
        lambda said: os.getpid() in said,
    ),
    "running": (lambda host, place: host.running(("no-such-name",)), ()),
    "http": (lambda host, place: host.http(place.http, "/x").status, 404),
    "http gibberish": (lambda host, place: host.http(place.http, "/gibberish"), HostError),
    "http silent": (lambda host, place: host.http(place.http, "/hang", 0.2), NoAnswer),
    "http missing": (lambda host, place: host.http(f"{place.path}/not-there", "/x"), Missing),
    "http of a file": (lambda host, place: host.http(f"{place.path}/text", "/x"), HostError),
    "http, path too long": (lambda host, place: host.http("/" + "x" * 200, "/x"), HostError),
    "ask_dns": (
        lambda host, place: [
            one.error for one in host.ask_dns((DnsQuestion("a.test", "A", ("127.0.0.1",)),), 0.3)
        ],
        lambda said: len(said) == 1,
    ),
    "ask_dns over TCP alone": (
        lambda host, place: [
            one.error
            for one in host.ask_dns((DnsQuestion("a.test", "A", ("127.0.0.1",), transport="tcp"),), 0.3)
        ],
        lambda said: len(said) == 1,
    ),
    "probe": (
        lambda host, place: [
            one.outcome
            for one in host.probe(
                (
                    Probe("tcp", "127.0.0.1", place.port),
                    Probe("greeting", "127.0.0.1", 1),
                    Probe("udp", "127.0.0.1", 1, "00", patience=0.2),
                    Probe("ping", "nobody"),
                ),
                0.3,
            )
        ],
        ["open", "refused", "refused", "failed"],
    ),
    "hairpin": (
        lambda host, place: [one.outcome for one in host.hairpin("127.0.0.1", "127.0.0.1", (place.port,))],
        ["in use"],
    ),
    "source_address": (lambda host, place: host.source_address("127.0.0.2"), "127.0.0.1"),
    "source_address of none": (lambda host, place: host.source_address("nobody"), HostError),
    "fetch": (lambda host, place: host.fetch("host.invalid", "/", timeout=2.0), HostError),
    "certificate": (lambda host, place: host.certificate("127.0.0.1", 1, "a.test"), HostError),
    "certificate of no server": (
        lambda host, place: host.certificate("127.0.0.1", place.port, "a.test", True, 0.2),
        NoAnswer,
    ),
    **conversations.CALLS,
    "ask_time": (lambda host, place: [one.error != "" for one in host.ask_time(("127.0.0.1",), 0.3)], [True]),
}


@pytest.mark.parametrize("name", CALLS)
def test_contract(name: str, recorder: RecordingHost, place: Place, tmp_path: Path) -> None:
    call, wanted = CALLS[name]
    said = answer(recorder, lambda host: call(host, place))
    if isinstance(wanted, type):
        assert issubclass(said[0], wanted), said
        assert said[1]
        assert said[1].isprintable() or "\0" in said[1]
    elif callable(wanted):
        assert wanted(said), said
    else:
        assert said == wanted
    # Through a file, as --record and --host do it.
    write_private(str(tmp_path / "machine.json"), recorder.document(place.path))
    replayed = RecordedHost(StateDirectory(str(tmp_path)).load("machine"))
    assert answer(replayed, lambda host: call(host, place)) == said


def test_every_call_of_the_door_is_in_the_contract(recorder: RecordingHost) -> None:
    calls = {name for name, what in vars(Host).items() if callable(what) and not name.startswith("_")}
    asked = {question.split()[0] for question in recorder.document("")["answers"]}
    assert asked == calls - {"close", "text", "exists", "changing"}
    for kind in (RealHost, RecordedHost, RecordingHost):
        assert set(asked) <= set(vars(kind))


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_denied_without_root(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    os.seteuid(65534)
    try:
        for path in ("/proc/1/environ", str(secret)):
            with pytest.raises((Denied, Missing)):
                RealHost().read(path)
        assert answer(RealHost(), lambda host: host.read("/proc/1/environ"))[0] is Denied
    finally:
        os.seteuid(0)
    assert issubclass(Denied, HostError)


# --- the whole of it, as a user does it ---

SECRET = "Geheim4711"


def wizard(*words: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Runs the wizard to its end."""
    return subprocess.run(
        [*WIZARD, *words],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def mailcow(tmp_path: Path) -> Path:
    """mailcow's directory with a mailcow.conf full of secrets."""
    directory = tmp_path / "mailcow"
    directory.mkdir()
    (directory / "mailcow.conf").write_bytes(
        f"MAILCOW_HOSTNAME=mail.example.org\nDBPASS={SECRET}\n#API_KEY={SECRET}\n# caf".encode()
        + b"\xe9\n"
        + f"export REDISPASS='{SECRET}'\nTZ=UTC # DBROOT={SECRET}\nSMTP_PORT=2525\n".encode()
    )
    return directory


def recorded_as_the_real_one(program: tuple[str, ...], mailcow: Path, file: Path) -> None:
    """Records a machine and judges it again."""
    words = ("check", "--json", "--dir", str(mailcow), "--timeout", "8", "--ntp", "127.0.0.1")
    real = subprocess.run(
        [*program, *words, "--record", str(file)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert real.returncode in (0, 1, 2, 3), real.stderr
    for more in ((), ("--dir", str(mailcow))):
        replayed = wizard("check", "--json", "--host", str(file), "--ntp", "127.0.0.1", *more)
        assert judged(replayed) == judged(real)
        assert replayed.returncode == real.returncode
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRET not in file.read_text()
    assert json.loads(file.read_text())["settings"]["directory"] == str(mailcow)


def test_recorded_machine_is_judged_as_the_real_one(mailcow: Path, tmp_path: Path) -> None:
    recorded_as_the_real_one(WIZARD, mailcow, tmp_path / "machine.json")


AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3")


@pytest.fixture
def open_to_all(tmp_path: Path) -> Iterator[Path]:
    """The test's directory, which everybody may write to for as long as the test runs."""
    # Others pass through the directories above from then on; they are shared with tests that run beside it.
    for one in tmp_path.parents:
        mode = stat.S_IMODE(one.stat().st_mode)
        if not mode & stat.S_IXOTH:
            one.chmod(mode | stat.S_IXOTH)
    tmp_path.chmod(0o777)
    yield tmp_path
    tmp_path.chmod(0o700)


def test_recorded_without_root(mailcow: Path, open_to_all: Path) -> None:
    try:
        program = "import sys, mailcow_wizard.cli.app; sys.exit(sys.version_info < (3, 10))"
        env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        subprocess.run([*AS_NOBODY, "-c", program], env=env, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs root, setpriv, and a python3 and a checkout that everybody may read")
    recorded_as_the_real_one((*AS_NOBODY, "-m", "mailcow_wizard"), mailcow, open_to_all / "machine.json")


def judged(done: "subprocess.CompletedProcess[bytes]") -> dict[str, tuple[str, str]]:
    """Status and summary by check; how many files there is room for changes with whoever writes meanwhile."""
    rows = json.loads(done.stdout)["checks"]
    return {
        one["id"]: (
            one["status"],
            re.sub(r"\d[\d ]+\d", "N", one["summary"]) if one["id"] == "system.inodes" else one["summary"],
        )
        for one in rows
    }


def test_secrets_of_this_machine_are_not_recorded(mailcow: Path, tmp_path: Path) -> None:
    script = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 13306)); "
        "print('ready', flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", script, f"--password={SECRET}", "--token", SECRET, f"http://u:{SECRET}@h/"]
    file = tmp_path / "machine.json"
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env={"DBPASS": SECRET}) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == b"ready\n"
            proxy = {"HTTP_PROXY": f"http://u:{SECRET}@proxy", "MYSQL_PWD": SECRET}
            done = wizard(
                "check", "ports", "system", "--json", "--dir", str(mailcow), "--record", str(file), env=proxy
            )
        finally:
            holder.kill()
    text = file.read_text()
    found = judged(done)["ports.mysql"]
    assert found[0] == "fail"
    assert f"process {holder.pid}" in found[1]
    assert str(holder.pid) in text
    assert SECRET not in text + done.stdout.decode() + done.stderr.decode()
    environ = json.loads(text)["answers"].get("read /proc/1/environ", {}).get("value", {}).get("text", "")
    assert all(one.endswith("=") or one.startswith("container=") for one in environ.split("\0") if "=" in one)


@pytest.mark.parametrize("where", ["/no/such/directory/x.json", "/dev/null", "/proc/x.json"])
def test_recording_that_cannot_be_written(where: str) -> None:
    done = wizard("check", "ports", "--plain", "--record", where)
    assert done.returncode in (64, 73)  # refused at once where that can be seen, else at the end
    assert done.stderr.startswith(b"mailcow-wizard: --record")
    assert done.stderr.count(b"\n") == 1
    assert Path("/dev/null").is_char_device()
