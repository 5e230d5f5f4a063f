"""Asks time servers (NTP, RFC 5905), all at once, over UDP. What they answer is judged by `facts.time`.

Both ends of an exchange are time-stamped by the kernel (SO_TIMESTAMPING), so that a screen that is being
painted, or a thread that keeps the interpreter busy, does not count as network delay. Where the kernel
does not stamp, the clock is read just before sending and just after receiving.
"""

import errno
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterable
from typing import Any

from mailcow_wizard.host.replies import TimeAnswer
from mailcow_wizard.typed import NamedTuple

PORT = 123
MOST_ADDRESSES = 12
MOST_PER_NAME = 4
MOST_PER_FAMILY = 2
RESEND_AFTER = 0.6
GRACE_S = 0.25

_LENGTH = 48
_REQUEST = b"\x23" + bytes(39)  # version 4, mode 3 (client); the transmit timestamp follows

# linux/net_tstamp.h and asm-generic/socket.h; Python has no names for them.
_SO_TIMESTAMPNS = 35
_SO_TIMESTAMPING = 37
_TX_SOFTWARE, _RX_SOFTWARE, _SOFTWARE = 1 << 1, 1 << 3, 1 << 4
_OPT_ID, _TX_SCHED, _OPT_TSONLY = 1 << 7, 1 << 8, 1 << 11
_STAMPS = _TX_SOFTWARE | _TX_SCHED | _RX_SOFTWARE | _SOFTWARE | _OPT_ID | _OPT_TSONLY
_ORIGIN_TIMESTAMPING = 4
_ERROR_MESSAGES = ((socket.IPPROTO_IP, 11), (socket.IPPROTO_IPV6, 25))  # IP_RECVERR, IPV6_RECVERR
_ANCILLARY = 256
_MOST_PACKETS = 64  # taken at once from one socket: a flood must not outlast the timeout

_NO_ROUTE = "no route"
_WORDS = {
    errno.ECONNREFUSED: "refused",
    errno.EPERM: "blocked by this machine's firewall (EPERM)",
    errno.EACCES: "blocked by this machine (EACCES)",
    errno.ENETUNREACH: _NO_ROUTE,
    errno.EHOSTUNREACH: _NO_ROUTE,
    errno.ENETDOWN: _NO_ROUTE,
    errno.EADDRNOTAVAIL: _NO_ROUTE,
    errno.EINVAL: _NO_ROUTE,
    errno.EAFNOSUPPORT: _NO_ROUTE,
}


def ask_time(servers: Iterable[str], timeout: float = 3.0, port: int = PORT) -> tuple[TimeAnswer, ...]:
    """Asks servers (names, IPv4 or IPv6 addresses) for the time; one answer for each address asked.

    Names are resolved side by side, each in a thread of its own, so that a resolver that hangs delays
    nobody. At most two addresses a family and four a name are asked, twelve in all, none twice; with many
    servers each gets fewer, and IPv4 and IPv6 take turns. Each is asked once more after 0.6 of the time.

    It ends when all have answered; when at least three and at least half have (the other half may be an
    IPv6 that leads nowhere), it waits for the silent ones, and for names that are still being resolved,
    250 ms more or twice the median round trip, whichever is longer; and at `timeout`.
    A packet that does not answer our question (wrong origin timestamp, truncated, wrong mode: perhaps
    forged) does not end the waiting; it is returned only if nothing better came.
    """
    return _Round(tuple(dict.fromkeys(servers)), timeout, port).answers()


class _Address(NamedTuple):
    family: int
    target: Any
    text: str


class _Names:
    """Resolves names in daemon threads. `wake` becomes readable when one is done."""

    def __init__(self) -> None:
        self.wake, self._poke = socket.socketpair()
        self._lock = threading.Lock()
        self._closed = False
        self._done: list[tuple[str, tuple[_Address, ...], str]] = []

    def look_up(self, name: str, port: int) -> None:
        threading.Thread(target=self._work, args=(name, port), daemon=True, name=f"resolve {name}").start()

    def _work(self, name: str, port: int) -> None:
        found, error = _addresses(name, port)
        with self._lock:
            if not self._closed:
                self._done.append((name, found, error))
                self._poke.send(b".")

    def take(self) -> list[tuple[str, tuple[_Address, ...], str]]:
        """The names that are done since the last call: name, addresses, error."""
        with self._lock:
            if self._done:
                self.wake.recv(256)
            done, self._done = self._done, []
        return done

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self.wake.close()
            self._poke.close()


class _Question:
    """One address that is being asked: its socket, what was sent when, and the best answer so far."""

    def __init__(self, server: str, address: str, sock: socket.socket) -> None:
        self.server = server
        self.address = address
        self.sock = sock
        self.nonces: list[bytes] = []
        self.sent: list[int] = []
        self.answered_nonce = -1
        self.packet = b""
        self.received = 0
        self.error = ""

    @property
    def done(self) -> bool:
        return self.answered_nonce >= 0 or bool(self.error)

    @property
    def usable(self) -> bool:
        """The answer looks like one of a synchronised server (stratum 1 to 15, leap bits not 3)."""
        return self.answered_nonce >= 0 and 0 < self.packet[1] < 16 and self.packet[0] >> 6 != 3

    @property
    def round_trip(self) -> float:
        return (self.received - self.sent[self.answered_nonce]) / 1e9

    def ask(self) -> None:
        nonce = os.urandom(8)
        self.nonces.append(nonce)
        self.sent.append(time.time_ns())
        try:
            self.sock.send(_REQUEST + nonce)
        except OSError as error:
            self.error = _words(error)

    def listen(self) -> None:
        """Takes what has arrived: stamps of what was sent first, then packets."""
        self._take_sent_stamps()
        for _ in range(_MOST_PACKETS):
            if self.done:
                return
            try:
                packet, ancillary, _, _ = self.sock.recvmsg(1024, _ANCILLARY)
            except BlockingIOError:
                return
            except OSError as error:
                self.error = _words(error)
                return
            received = _stamp(ancillary) or time.time_ns()
            origin = packet[24:32]
            if len(packet) >= _LENGTH and packet[0] & 7 == 4 and origin in self.nonces:
                self._take_sent_stamps()
                self.packet, self.received = packet, received
                self.answered_nonce = self.nonces.index(origin)
            elif not self.received:
                self.packet, self.received = packet, received

    def _take_sent_stamps(self) -> None:
        while True:
            try:
                _, ancillary, _, _ = self.sock.recvmsg(1, _ANCILLARY, socket.MSG_ERRQUEUE)
            except OSError:
                return
            stamp = _stamp(ancillary)
            for level, kind, data in ancillary:
                if (level, kind) in _ERROR_MESSAGES and len(data) >= 16:
                    _, origin, _, _, _, _, index = struct.unpack("=IBBBBII", data[:16])
                    if stamp and origin == _ORIGIN_TIMESTAMPING and index < len(self.sent):
                        self.sent[index] = stamp  # entering the device's queue, then leaving the machine

    def answer(self, silence: str) -> TimeAnswer:
        if not self.received:
            return TimeAnswer(
                self.server, self.address, self.sent[0], 0, self.nonces[0], b"", self.error or silence
            )
        which = max(self.answered_nonce, 0)
        return TimeAnswer(
            self.server, self.address, self.sent[which], self.received, self.nonces[which], self.packet, ""
        )


class _Round:
    """All servers of one call."""

    def __init__(self, servers: tuple[str, ...], timeout: float, port: int) -> None:
        self._servers = servers
        self._timeout = timeout
        self._port = port
        self._start = time.monotonic()
        self._share = min(MOST_PER_NAME, max(1, MOST_ADDRESSES // max(1, len(servers))))
        self._questions: dict[int, _Question] = {}
        self._taken: set[str] = set()
        self._errors: dict[str, list[TimeAnswer]] = {}
        self._unresolved: set[str] = set()
        self._enough_at: float | None = None
        self._poll = select.poll()

    def answers(self) -> tuple[TimeAnswer, ...]:
        names = _Names()
        self._poll.register(names.wake, select.POLLIN)
        try:
            for server in self._servers:
                literal = _literal(server, self._port)
                if literal:
                    self._ask(server, literal)
                else:
                    self._unresolved.add(server)
                    names.look_up(server, self._port)
            self._wait(names)
        finally:
            names.close()
            for question in self._questions.values():
                question.sock.close()
        return self._in_order()

    def _wait(self, names: _Names) -> None:
        resend_at = self._start + RESEND_AFTER * self._timeout
        while self._unresolved or any(not question.done for question in self._questions.values()):
            now = time.monotonic()
            end = self._end(now)
            if now >= end:
                return
            if now >= resend_at:
                resend_at = end
                self._ask_again()
            ready = self._poll.poll(int((min(end, max(resend_at, now)) - now) * 1000) + 1)
            for descriptor, _ in ready:
                question = self._questions.get(descriptor)
                if question is None:
                    for name, found, error in names.take():
                        self._unresolved.discard(name)
                        self._ask(name, found, error)
                else:
                    question.listen()
                    if question.done:
                        self._poll.unregister(descriptor)

    def _end(self, now: float) -> float:
        """When to stop waiting: the timeout, or a little after half have answered."""
        end = self._start + self._timeout
        usable = [question for question in self._questions.values() if question.usable]
        silent = sum(not question.done for question in self._questions.values())
        if len(usable) < max(3, silent):
            self._enough_at = None
            return end
        self._enough_at = self._enough_at or now
        median = sorted(question.round_trip for question in usable)[len(usable) // 2]
        return min(end, self._enough_at + max(GRACE_S, 2 * median))

    def _ask_again(self) -> None:
        for descriptor, question in self._questions.items():
            if not question.done:
                question.ask()
                if question.done:
                    self._poll.unregister(descriptor)

    def _ask(self, server: str, found: tuple[_Address, ...], error: str = "") -> None:
        """Opens a socket to each address that this server may have, and asks."""
        errors = [TimeAnswer(server, "", 0, 0, b"", b"", error)] if error else []
        asked = 0
        families: dict[int, int] = {}
        for address in self._turns(server, found):
            if asked >= self._share or len(self._questions) >= MOST_ADDRESSES:
                break
            if address.text in self._taken or families.get(address.family, 0) >= MOST_PER_FAMILY:
                continue
            self._taken.add(address.text)
            try:
                sock = _connected(address)
            except OSError as trouble:
                errors.append(TimeAnswer(server, address.text, 0, 0, b"", b"", _words(trouble)))
                continue
            question = _Question(server, address.text, sock)
            question.ask()
            self._questions[sock.fileno()] = question
            if not question.done:
                self._poll.register(sock, select.POLLIN)
            asked += 1
            families[address.family] = families.get(address.family, 0) + 1
        if not asked:
            self._errors[server] = errors

    def _turns(self, server: str, found: tuple[_Address, ...]) -> list[_Address]:
        """The addresses with the families in turn; which family comes first alternates from name to name."""
        first = (socket.AF_INET, socket.AF_INET6)[self._servers.index(server) % 2]
        preferred = [address for address in found if address.family == first]
        others = [address for address in found if address.family != first]
        turns: list[_Address] = []
        for place in range(max(len(preferred), len(others))):
            turns += preferred[place : place + 1] + others[place : place + 1]
        return turns

    def _in_order(self) -> tuple[TimeAnswer, ...]:
        took = time.monotonic() - self._start
        early = took < self._timeout
        silence = _silence_early(took) if early else _silence(self._timeout)
        nameless = _nameless_early(took) if early else _nameless(self._timeout)
        answers: list[TimeAnswer] = []
        for server in self._servers:
            for question in self._questions.values():
                if question.server == server:
                    answers.append(question.answer(silence))
            answers += self._errors.get(server, [])
            if server in self._unresolved:
                answers.append(TimeAnswer(server, "", 0, 0, b"", b"", nameless))
        return tuple(answers)


def _silence(timeout: float) -> str:
    return f"no answer within {timeout:g} s"


def _silence_early(took: float) -> str:
    return f"no answer within {took:.2g} s, when most had answered"


def _nameless(timeout: float) -> str:
    return f"name does not resolve within {timeout:g} s"


def _nameless_early(took: float) -> str:
    return f"name does not resolve within {took:.2g} s, when most had answered"


def _literal(server: str, port: int) -> tuple[_Address, ...]:
    """The address if the server is given as one; empty for a name. Asks nobody."""
    try:
        return _unpack(socket.getaddrinfo(server, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST))
    except (OSError, UnicodeError, ValueError):
        return ()


def _addresses(name: str, port: int) -> tuple[tuple[_Address, ...], str]:
    """The addresses of a name, and why there are none."""
    try:
        return _unpack(socket.getaddrinfo(name, port, type=socket.SOCK_DGRAM)), ""
    except socket.gaierror as error:
        again = error.errno == socket.EAI_AGAIN
        return (), "name does not resolve (no answer from the resolver)" if again else "name does not resolve"
    except (OSError, UnicodeError, ValueError):
        return (), "name does not resolve"


def _unpack(found: list[Any]) -> tuple[_Address, ...]:
    return tuple(_Address(family, target, target[0]) for family, _, _, _, target in found)


def _connected(address: _Address) -> socket.socket:
    """A connected UDP socket, so that a refused port is known at once, with time stamps where they are."""
    sock = socket.socket(address.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        for option, value in ((_SO_TIMESTAMPING, _STAMPS), (_SO_TIMESTAMPNS, 1)):
            try:
                sock.setsockopt(socket.SOL_SOCKET, option, value)
                break
            except OSError:
                continue
        sock.connect(address.target)
    except OSError:
        sock.close()
        raise
    return sock


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The kernel's time stamp in nanoseconds since 1970; 0 where there is none."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind in (_SO_TIMESTAMPING, _SO_TIMESTAMPNS) and len(data) >= 16:
            seconds, nanoseconds = struct.unpack("@ll", data[: struct.calcsize("@ll")])
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return 0


def _words(error: OSError) -> str:
    return _WORDS.get(error.errno or 0) or (error.strerror or str(error)).lower()
