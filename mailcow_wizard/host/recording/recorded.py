"""A machine on file: every answer that the door gave once, replayed.

The file is JSON: `{"format": "mailcow-wizard machine 1", "settings": {…}, "answers": {QUESTION: ANSWER}}`.
A question is the call and its arguments, such as `read /proc/meminfo`; an answer is `{"value": …}`, or
`{"error": KIND, "text": …}` where the machine did not answer.
"""

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, NotRecorded, Refused, TooLarge
from mailcow_wizard.host.network.conversation import Dialogue, Spoken, Trip, Tripped
from mailcow_wizard.host.recording.codec import Garbled, pack, unpack
from mailcow_wizard.host.recording.scrub import scrub
from mailcow_wizard.host.replies import (
    MIB,
    Certificate,
    DnsQuestion,
    DnsReply,
    FileInfo,
    Hairpin,
    Holder,
    HttpReply,
    Listener,
    Listeners,
    Probe,
    Probed,
    Process,
    Ran,
    Space,
    TimeAnswer,
    Uname,
    User,
)
from mailcow_wizard.redaction import without_credentials

Answer = TypeVar("Answer")

FORMAT = "mailcow-wizard machine 1"
DEMO = os.path.abspath(os.path.join(__file__, "../../../demo.json"))
"""The recorded machine that ships with the wizard."""

_MOST_BYTES = 64 * MIB
_ERRORS: dict[str, type[HostError]] = {
    kind.__name__: kind for kind in (HostError, Missing, Denied, NoAnswer, Refused, TooLarge)
}


class BadRecording(Exception):
    """The file is not a recorded machine; the text says why."""


def question(call: str, *arguments: object) -> str:
    """The key of an answer: the call and its arguments as words."""
    words = [" ".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in arguments]
    return " ".join([call, *words])


def _words(asked: DnsQuestion) -> tuple[object, ...]:
    """What tells a question to name servers apart; most leave the transport open."""
    return tuple(asked) if asked.transport else tuple(asked)[:-1]


def load(path: str) -> "RecordedHost":
    """The recorded machine in a file, which may be a pipe. Raises BadRecording."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadRecording(f"it could not be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise BadRecording("larger than 64 MiB")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRecording("not JSON") from None
    return RecordedHost(document)


class RecordedHost(Host):
    """Answers as the recorded machine did; what it was not asked then raises NotRecorded."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise BadRecording(f"not a recorded machine: the format '{FORMAT}' is missing")
        if not isinstance(document.get("answers"), dict):
            raise BadRecording("not a recorded machine: it holds no answers")
        self._answers: dict[str, Any] = document["answers"]
        settings = document.get("settings")
        directory = settings.get("directory") if isinstance(settings, dict) else None
        self.directory = directory if isinstance(directory, str) else ""

    def _answer(self, kind: type[Answer], call: str, *arguments: object) -> Answer:
        key = question(call, *arguments)
        answer = self._answers.get(key)
        if answer is None:
            unknown = NotRecorded("the recorded machine was not asked this")
            unknown.question = key
            raise unknown
        if not isinstance(answer, dict) or ("value" in answer) == ("error" in answer):
            raise Garbled(f"the recorded answer is not readable: {key}")
        if "error" in answer:
            raise _ERRORS.get(str(answer["error"]), HostError)(str(answer.get("text", "")))
        return cast("Answer", unpack(kind, answer["value"]))

    def read(self, path: str, limit: int = MIB) -> bytes:
        data: bytes = self._answer(bytes, "read", path)
        if len(data) > limit:
            raise TooLarge(f"{path} is larger than {limit:,} bytes")
        return data

    def kept(self, name: str) -> bytes:
        return self._answer(bytes, "kept", name)

    def names(self, path: str) -> tuple[str, ...]:
        return self._answer(tuple[str, ...], "names", path)

    def info(self, path: str, follow: bool = True) -> FileInfo:
        return self._answer(FileInfo, "info", path, follow)

    def resolve(self, path: str) -> str:
        return self._answer(str, "resolve", path)

    def contains(self, path: str, needle: bytes) -> bool:
        return self._answer(bool, "contains", path, needle.decode("ascii"))

    def space(self, path: str) -> Space:
        return self._answer(Space, "space", path)

    def which(self, command: str) -> str:
        return self._answer(str, "which", command)

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False) -> Ran:
        return self._answer(Ran, "run", argv)

    def uname(self) -> Uname:
        return self._answer(Uname, "uname")

    def user(self) -> User:
        return self._answer(User, "user")

    def variable(self, name: str) -> str:
        return self._answer(str, "variable", name)

    def working_directory(self) -> str:
        return self._answer(str, "working_directory")

    def now(self) -> float:
        return self._answer(float, "now")

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return self._answer(Listeners, "listeners", ports)

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[Holder, ...]:
        inodes = tuple(one.inode for one in sockets)
        found: tuple[Holder, ...] = self._answer(tuple[Holder, ...], "holders", inodes)
        if len(found) != len(sockets):
            raise Garbled("one holder for each socket was expected in the recorded answer")
        return found

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        return self._answer(tuple[Process, ...], "running", names)

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        return self._answer(HttpReply, "http", socket_path, target)

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        return self._answer(tuple[TimeAnswer, ...], "ask_time", servers)

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        return tuple(self._answer(DnsReply, "ask_dns", *_words(one)) for one in questions)

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        return tuple(self._answer(Probed, "probe", *one) for one in probes)

    def hairpin(
        self, address: str, own: str, ports: tuple[int, ...], timeout: float = 2.5
    ) -> tuple[Hairpin, ...]:
        return self._answer(tuple[Hairpin, ...], "hairpin", address, own, ports)

    def source_address(self, destination: str) -> str:
        return _address(self._answer(str, "source_address", destination))

    def fetch(
        self,
        name: str,
        path: str,
        family: int = 0,
        timeout: float = 4.0,
        tls: bool = False,
        proxy: str = "",
        address: str = "",
    ) -> HttpReply:
        return self._answer(HttpReply, "fetch", name, path, family, tls, *_through(proxy, address))

    def certificate(
        self, address: str, port: int, name: str, starttls: bool = False, timeout: float = 8.0
    ) -> Certificate:
        return self._answer(Certificate, "certificate", address, port, name, starttls)

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        return tuple(self._answer(Spoken, "converse", *one) for one in dialogues)

    def send_and_find(self, trip: Trip, timeout: float = 60.0) -> Tripped:
        return self._answer(Tripped, "send_and_find", *trip)


def _through(proxy: str, address: str) -> tuple[str, ...]:
    """How a fetch through a proxy, or at one address, is told from others."""
    return tuple(filter(None, (without_credentials(proxy), f"at {address}" if address else "")))


def _address(text: str) -> str:
    """What has to be an address. Raises Garbled."""
    import ipaddress

    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        raise Garbled("an address was expected in the recorded answer") from None
    return text


class RecordingHost(Host):
    """Asks another host, and keeps what it said, without secrets, for `document`."""

    def __init__(self, asked: Host) -> None:
        self._asked = asked
        self._answers: dict[str, Any] = {}
        self._settled = False

    def settle(self) -> None:
        """From now on name servers are asked only what they were not asked yet: what was judged stays."""
        self._settled = True

    def document(self, directory: str) -> dict[str, Any]:
        """The recorded machine so far; `directory` is mailcow's."""
        # A copy first: a check that was given up may still be asking.
        answers = dict(sorted(self._answers.copy().items()))
        return {"format": FORMAT, "settings": {"directory": directory}, "answers": answers}

    def _note(self, ask: Callable[[], Answer], call: str, *arguments: object) -> Answer:
        key = question(call, *arguments)
        try:
            value = ask()
        except HostError as error:
            kind = type(error).__name__
            self._answers[key] = {"error": kind if kind in _ERRORS else "HostError", "text": str(error)}
            raise
        self._answers[key] = {"value": pack(scrub(call, arguments, value))}
        return value

    def kept(self, name: str) -> bytes:
        return self._note(lambda: self._asked.kept(name), "kept", name)

    def read(self, path: str, limit: int = MIB) -> bytes:
        return self._note(lambda: self._asked.read(path, limit), "read", path)

    def names(self, path: str) -> tuple[str, ...]:
        return self._note(lambda: self._asked.names(path), "names", path)

    def info(self, path: str, follow: bool = True) -> FileInfo:
        return self._note(lambda: self._asked.info(path, follow), "info", path, follow)

    def resolve(self, path: str) -> str:
        return self._note(lambda: self._asked.resolve(path), "resolve", path)

    def contains(self, path: str, needle: bytes) -> bool:
        name = needle.decode("ascii")
        return self._note(lambda: self._asked.contains(path, needle), "contains", path, name)

    def space(self, path: str) -> Space:
        return self._note(lambda: self._asked.space(path), "space", path)

    def which(self, command: str) -> str:
        return self._note(lambda: self._asked.which(command), "which", command)

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False) -> Ran:
        return self._note(lambda: self._asked.run(argv, timeout, most, begun), "run", argv)

    def uname(self) -> Uname:
        return self._note(self._asked.uname, "uname")

    def user(self) -> User:
        return self._note(self._asked.user, "user")

    def variable(self, name: str) -> str:
        return self._note(lambda: self._asked.variable(name), "variable", name)

    def working_directory(self) -> str:
        return self._note(self._asked.working_directory, "working_directory")

    def now(self) -> float:
        return self._note(self._asked.now, "now")

    def close(self) -> None:
        self._asked.close()

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return self._note(lambda: self._asked.listeners(ports), "listeners", ports)

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[Holder, ...]:
        inodes = tuple(one.inode for one in sockets)
        return self._note(lambda: self._asked.holders(sockets), "holders", inodes)

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        return self._note(lambda: self._asked.running(names), "running", names)

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        return self._note(lambda: self._asked.http(socket_path, target, timeout), "http", socket_path, target)

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        return self._note(lambda: self._asked.ask_time(servers, timeout), "ask_time", servers)

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        keys = {one: question("ask_dns", *_words(one)) for one in questions}
        new = tuple(one for one, key in keys.items() if not (self._settled and key in self._answers))
        for one, reply in zip(new, self._asked.ask_dns(new, timeout) if new else (), strict=True):
            self._answers[keys[one]] = {"value": pack(reply)}
        return tuple(unpack(DnsReply, self._answers[keys[one]]["value"]) for one in questions)

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        found = self._asked.probe(probes, timeout)
        for asked, result in zip(probes, found, strict=True):
            self._answers[question("probe", *asked)] = {"value": pack(result)}
        return found

    def hairpin(
        self, address: str, own: str, ports: tuple[int, ...], timeout: float = 2.5
    ) -> tuple[Hairpin, ...]:
        ask = lambda: self._asked.hairpin(address, own, ports, timeout)  # noqa: E731
        return self._note(ask, "hairpin", address, own, ports)

    def source_address(self, destination: str) -> str:
        return self._note(lambda: self._asked.source_address(destination), "source_address", destination)

    def fetch(
        self,
        name: str,
        path: str,
        family: int = 0,
        timeout: float = 4.0,
        tls: bool = False,
        proxy: str = "",
        address: str = "",
    ) -> HttpReply:
        ask = lambda: self._asked.fetch(name, path, family, timeout, tls, proxy, address)  # noqa: E731
        return self._note(ask, "fetch", name, path, family, tls, *_through(proxy, address))

    def certificate(
        self, address: str, port: int, name: str, starttls: bool = False, timeout: float = 8.0
    ) -> Certificate:
        ask = lambda: self._asked.certificate(address, port, name, starttls, timeout)  # noqa: E731
        return self._note(ask, "certificate", address, port, name, starttls)

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        spoken = self._asked.converse(dialogues, timeout)
        for asked, said in zip(dialogues, spoken, strict=True):
            self._answers[question("converse", *asked)] = {"value": pack(scrub("converse", (), said))}
        return spoken

    def send_and_find(self, trip: Trip, timeout: float = 60.0) -> Tripped:
        return self._note(lambda: self._asked.send_and_find(trip, timeout), "send_and_find", *trip)
