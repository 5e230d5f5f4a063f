"""Parsers of the door itself: what the kernel, other machines and files say, before anybody else sees it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import tempfile
import time
from collections.abc import Callable
from typing import Any

from mailcow_wizard.facts.time_web import read_date
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import log, records, state
from mailcow_wizard.host.network import (
    dns_tcp,
    dns_wire,
    echo,
    http_wire,
    icmp_errors,
    ntp,
    proxy,
    proxy_variables,
)
from mailcow_wizard.host.processes import holders, listeners
from mailcow_wizard.host.processes import proc as processes
from mailcow_wizard.host.programs import tsig
from mailcow_wizard.host.reach import packets as reach_packets
from mailcow_wizard.host.recording.recorded import BadRecording, RecordedHost
from mailcow_wizard.host.recording.scrub import scrub
from mailcow_wizard.host.replies import DnsQuestion, HttpReply, Ran
from tests.fuzz import wires
from tests.fuzz.target import DEEP, Target, text
from tests.fuzz.targets_door import machines

_QUESTION = DnsQuestion("mail.example.org", "MX", ("192.0.2.1",))
_WIRE = dns_wire.query(_QUESTION, 4711)
_ANSWER = _WIRE[:2] + b"\x81\x80\0\1\0\0\0\0\0\0" + _WIRE[12:]
_LIST = struct.Struct("=IHHII")
_PROC_TCP = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    b"   0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n"
)
_STAT = b"Name:\tmaster\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n"


def _netlink(data: bytes) -> None:
    link = wires.Link(data, at_end=TimeoutError())
    with (
        wires.instead(listeners, "socket", wires.Sockets(link)),
        contextlib.suppress(OSError, HostError),
    ):
        list(listeners._dump(2))


def _listening(port: int = 25, family: int = 2) -> bytes:
    body = struct.pack(
        "=BBBB2s2s16s16sI8sIIIII", family, 10, 0, 0, port.to_bytes(2, "big"), b"", b"\x7f\0\0\1", b"", 0, b"",
        0, 0, 0, 1000, 4711,
    )  # fmt: skip
    body += struct.pack("=HHB3x", 5, 11, 1) + struct.pack("=HHQ", 12, 21, 77)
    done = _LIST.pack(20, 3, 0, 1, 0) + b"\0\0\0\0"
    return _LIST.pack(_LIST.size + len(body), 20, 0, 1, 0) + body + done


def _proc_tcp(data: bytes) -> None:
    def opened(path: str, mode: str = "r") -> Any:
        return io.BytesIO(data)

    with wires.instead(listeners, "open", opened), contextlib.suppress(HostError):
        for family in (2, 10):
            list(listeners._from_proc(family))


def _processes(data: bytes) -> None:
    with wires.instead(processes, "_read", lambda path, limit=8192: data[:limit]):
        processes.describe(os.getpid(), processes.user_names())
        processes.running((text(data[:15]), "master"))
    with wires.instead(holders, "open", lambda *words, **more: io.BytesIO(data)):
        holders._members("/sys/fs/cgroup/x")
        holders._children(os.getpid())


class _Told(Host):
    """A machine all of whose files say the same."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, path: str, limit: int = 1 << 20) -> bytes:
        return self._data


def _privileges(data: bytes) -> None:
    from mailcow_wizard.host.real import RealHost

    host = RealHost()
    with (
        wires.instead(host, "text", lambda path, limit=1 << 20: text(data)),
        contextlib.suppress(HostError),
    ):
        host.user()


def _dns(data: bytes) -> None:
    if dns_wire.answers(data, _WIRE):
        dns_wire.header(data)
    with contextlib.suppress(HostError):
        dns_wire.plain(dns_wire.query(_QUESTION._replace(name=text(data[:300])), 1))
    stream = dns_tcp.Stream.__new__(dns_tcp.Stream)
    stream._out, stream._in, stream.socket = b"", b"", wires.Link(data, 7)
    stream.waiting, stream.heard = {data[2:4]: 0}, 0
    with contextlib.suppress(OSError):
        for _ in range(len(data)):
            if stream.advance(True, False):
                stream.is_stalled(0.0)


def _time(data: bytes) -> None:
    question = ntp._Question("ntp.example", "192.0.2.1", wires.Link(data))  # type: ignore[arg-type]
    question.ask()
    question.nonces[0] = data[24:32]
    question.listen()
    if question.answered_nonce >= 0:
        bool(question.usable), question.round_trip
    question.answer("silence")
    ntp._stamp([(1, 64, data), (1, 65, data), (1, 35, data)])
    reported = wires.Reports(0, 11, data)
    other = ntp._Question("ntp.example", "192.0.2.1", reported)  # type: ignore[arg-type]
    other.sent = [1]
    other._take_sent_stamps()


_DATED = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nSun, 06 Nov 1994 08:49:37 GMT"


def _http(data: bytes) -> None:
    for size in (4096, 3):
        with contextlib.suppress(HostError, OSError):
            link: Any = wires.Link(data, size)
            reply = http_wire.get(link, "docker", "/info", time.monotonic() + 1, 1 << 20, "Docker")
            read_date(reply.date)
            read_date(reply.body.decode("latin-1"))


def _packets(data: bytes) -> None:
    for family in (4, 6):
        reach_packets._packet(data, family)
    for level, kind in icmp_errors._RECVERR.values():
        one: Any = wires.Reports(level, kind, data)
        icmp_errors.report(one)
    ping = echo.Echo.__new__(echo.Echo)
    ping._raw, ping.family, ping._nonce, ping._id = True, 2, data[:16], 7
    ping.is_reply(data)
    ping.is_own(data)
    echo.checksum(data)


_SCRUBBED = (
    "/opt/mailcow-dockerized/mailcow.conf", "/etc/nginx/nginx.conf", "/etc/postfix/main.cf",
    "/etc/postfix/master.cf", "/etc/dovecot/dovecot.conf", "/etc/lighttpd/lighttpd.conf",
    "/etc/systemd/system/x.socket.d/a.conf",
    "/proc/self/environ", "/root/.bashrc", "/run/cloud-init/instance-data.json",
    "/etc/caddy/Caddyfile", "/etc/docker/daemon.json", "/etc/containerd/config.toml", "/etc/fstab",
    "/opt/mailcow-dockerized/docker-compose.override.yml",
)  # fmt: skip
_TARGETS = ("/info", "/containers/json?all=1", "/containers/x/json", "/containers/x/logs?tail=1", "/networks")
_COMMANDS = (
    ("systemctl", "cat", "--", "x"), ("systemctl", "show", "-p", "ExecStart", "--", "x"), ("mailq",),
    ("postqueue", "-j"), ("ps",),
)  # fmt: skip


def _scrubbed(data: bytes) -> None:
    for path in _SCRUBBED:
        scrub("read", (path,), data)
    for target in _TARGETS:
        scrub("http", ("/run/docker.sock", target), HttpReply(200, data))
    for argv in _COMMANDS:
        scrub("run", (argv,), Ran(0, text(data), text(data)))


_QUESTIONS: tuple[Callable[[Host], object], ...] = (
    lambda host: host.read("x"),
    lambda host: host.names("x"),
    lambda host: host.info("x"),
    lambda host: host.space("x"),
    lambda host: host.which("x"),
    lambda host: host.run(("x",)),
    lambda host: host.uname(),
    lambda host: host.listeners((25,)),
    lambda host: host.running(("x",)),
    lambda host: host.http("x", "y"),
    lambda host: host.ask_time(("x",)),
    lambda host: host.ask_dns((_QUESTION,)),
    lambda host: host.now(),
    lambda host: host.contains("x", b"y"),
)


def _recorded(data: bytes) -> None:
    """A recorded machine, and answers in it of every kind."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    with contextlib.suppress(BadRecording):
        RecordedHost(document)
    for ask in _QUESTIONS:
        for answer in ({"value": document}, document):
            asked = _Any({"format": "mailcow-wizard machine 1", "answers": {}}, answer)
            with contextlib.suppress(HostError):
                ask(asked)


class _Any(RecordedHost):
    """A recorded machine that answers every question alike."""

    def __init__(self, document: Any, answer: Any) -> None:
        super().__init__(document)
        self._answers = _Same(answer)


class _Same(dict[str, Any]):
    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def get(self, key: str, default: Any = None) -> Any:
        return self._answer


def _proxy(data: bytes) -> None:
    for url in (text(data), *proxy_variables.named(text(data)).values()):
        with contextlib.suppress(HostError):
            assert proxy.read(url).address
    with contextlib.suppress(HostError, OSError):
        link: Any = wires.Link(data, 4096)
        proxy.tunnel(link, proxy.Proxy("192.0.2.1", 1, "a:b"), "example.org", 443, time.monotonic() + 1)


def _key(data: bytes) -> None:
    with contextlib.suppress(tsig.BadKey):
        tsig.doubts(tsig.parse(text(data)))


_PLACE = tempfile.TemporaryDirectory(prefix="mailcow-wizard-fuzz-")


def _kept(data: bytes) -> None:
    """Files of the state directory."""
    path = _PLACE.name
    with open(f"{path}/answers.json", "wb") as file:
        file.write(data)
    state.StateDirectory(path).load("answers")
    log.tail(f"{path}/answers.json", 3)
    os.makedirs(f"{path}/changes/1", exist_ok=True)
    name = text(data[:40]).replace("/", "").replace("\0", "") or "x"
    with contextlib.suppress(OSError, ValueError):
        os.mkdir(f"{path}/changes/{name}")
    records.Records(f"{path}/changes").numbers()
    with contextlib.suppress(OSError, ValueError):
        os.rmdir(f"{path}/changes/{name}")


_TSIG = (
    b'key "wizard" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0"; };\n',
    b"hmac-sha512:wizard:c2VjcmV0c2VjcmV0c2VjcmV0\n",
    b"wizard.:c2Vj\n",
    b'// x\n/* y */ key a { algorithm "HMAC-MD5.SIG-ALG.REG.INT."; secret "x"; };',
)
_HTTP = b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{}"
# The kernel's report of an ICMP error: number, origin, type, code, …, and who sent it.
_TOLD = struct.pack("=IBBBBII", 111, 2, 3, 1, 0, 0, 0) + struct.pack("=HH4s8x", 2, 0, b"\xc0\0\2\1")
_SCRUB_SEEDS = (
    b'{"Id": "x", "State": {"Status": "running", "Error": "x", "Health": {"Log": []}}, "HostConfig": {}}',
    b"DBPASS=secret\nMAILCOW_HOSTNAME=mail.example.org\n# DBROOT='a b'\n",
    b"server { listen 80; server_name a.example; root /x; location / { proxy_pass http://u:p@b; } }\n",
    b'{"Env": ["A=b"], "Labels": {"com.docker.compose.project": "x"}, "State": {"Health": {}}}',
    b'[{"Id": "x", "Names": ["/a"], "IPAM": {"Config": [{"Subnet": "10.0.0.0/8"}]}, "Options": {}}]',
    b"\1\0\0\0\0\0\0\5hello",
    b'services:\n  a:\n    environment: {TOKEN: x, B: \'${B}\'}\n    command: ["a", "--password", "b"]\n',
)


def targets() -> tuple[Target, ...]:
    """Of the door."""
    documents = tuple(json.dumps(one).encode() for one in _shapes())
    refused = _LIST.pack(20, 2, 0, 1, 0) + b"\xfe\xff\xff\xff"
    return (
        Target(
            "host netlink",
            _netlink,
            (_listening(), _listening(family=127), refused),
        ),
        Target("host proc-tcp", _proc_tcp, (_PROC_TCP, _PROC_TCP.replace(b"0100007F", b"00" * 16))),
        Target(
            "host processes",
            _processes,
            (b"root:x:0:0::/:/bin/sh\n", b"0::/system.slice/x.service\n", b"1 2 3\n", b"1:name=systemd:/x\n"),
        ),
        Target("host capabilities", _privileges, (_STAT, b"CapEff:\n", b"CapEff:\tx\n")),
        Target("host dns", _dns, (_ANSWER, len(_ANSWER).to_bytes(2, "big") + _ANSWER, b"a.b.c")),
        Target(
            "host ntp", _time, (b"\x24\2\6\xe9" + bytes(44), struct.pack("=IBBBBII", 42, 4, 0, 0, 0, 0, 0))
        ),
        Target("host http", _http, (_HTTP, b"HTTP/1.0 204\r\n\r\n", _DATED)),
        Target("host packets", _packets, (b"\x45" + bytes(40), b"\0" * 8, _TOLD, b"\0" * 48)),
        Target("host scrub", _scrubbed, (*_SCRUB_SEEDS, DEEP)),
        Target("host recording", _recorded, (*documents, DEEP, b'{"base64": "\\u00e9"}')),
        Target(
            "host proxy",
            _proxy,
            (
                b"http://joe:a%20b@proxy.example.net:3128/",
                b"[2001:db8::1]:8080",
                b"export HTTPS_PROXY='http://[::1]' # x\nno_proxy=localhost\n",
                b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest",
                b"HTTP/1.0 407 no\r\n\r\n",
            ),
        ),
        Target("host tsig", _key, _TSIG),
        Target("host state", _kept, (b'{"hostname": "x"}', b"1", DEEP, b"12")),
    )


def _shapes() -> list[Any]:
    """One recorded answer of each kind."""
    kinds: dict[str, Any] = {}
    for machine in machines():
        for key, answer in machine.answers.items():
            if "value" in answer and len(json.dumps(answer)) < 3000:
                kinds.setdefault(key.partition(" ")[0], answer["value"])
    return list(kinds.values())
