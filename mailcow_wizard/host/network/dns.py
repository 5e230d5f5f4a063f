"""Asks name servers (RFC 1035), many questions at once, over few sockets. What they answer is read elsewhere.

UDP with EDNS (RFC 6891), TCP where an answer is cut short. A question that has several servers goes to the
first; the next one joins after 100 ms, or at once where the first refuses, and all are asked again with
growing pauses (measured: a dead first server then costs 110 ms instead of the 2 s of common resolvers).
A server that stayed silent moves behind the others for the questions that follow.
"""

import contextlib
import errno
import heapq
import os
import selectors
import socket
import struct
import threading
import time

from mailcow_wizard.host.network.dns_tcp import MOST_TO_ONE_SERVER, Stream
from mailcow_wizard.host.network.dns_wire import NOERROR, NXDOMAIN, Header, answers, header, plain, query
from mailcow_wizard.host.replies import DnsQuestion, DnsReply

PORT = 53
JOIN_AFTER = 0.1
AGAIN_AFTER = 0.4
_BUFFER = 1 << 20
_MOST_AT_ONCE = 64  # packets taken from one socket before the clock is looked at again
_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE
_REFUSED = "refused"
_WORDS = {
    errno.ECONNREFUSED: _REFUSED,
    errno.EPERM: "blocked by this machine's firewall (EPERM)",
    errno.EACCES: "blocked by this machine (EACCES)",
    errno.EHOSTUNREACH: "no route",
    errno.ENETUNREACH: "no route",
    errno.EADDRNOTAVAIL: "no route",
    errno.EAFNOSUPPORT: "no route",
    errno.EINVAL: "no route",
}


def words(error: OSError) -> str:
    """Why a server could not be asked, in few words."""
    return _WORDS.get(error.errno or 0) or error.strerror or "could not be asked"


class Silence:
    """Which servers did not answer lately, over all rounds of one run. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._missed: dict[str, int] = {}

    def note(self, server: str, answered: bool) -> None:
        """Keeps whether a server that was waited for did answer."""
        with self._lock:
            self._missed[server] = 0 if answered else self._missed.get(server, 0) + 1

    def ordered(self, servers: tuple[str, ...]) -> tuple[str, ...]:
        """The servers, those that were silent last; otherwise in the order given."""
        with self._lock:
            return tuple(sorted(servers, key=lambda one: self._missed.get(one, 0)))


class _Channel:
    """A connected UDP socket to one server, and the exchanges that wait for its packets, by id."""

    def __init__(self, server: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.server = server
        self.waiting: dict[int, _Exchange] = {}
        self.socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self.socket.connect((server, port))
        except BaseException:
            self.socket.close()
            raise


class _Exchange:
    """One question on its way: who was asked, who said no, and the answer once there is one."""

    def __init__(self, place: int, wire: bytes, servers: tuple[str, ...], transport: str) -> None:
        self.place = place
        self.transport = transport
        self.servers = servers
        self.wire = wire
        self.asked = 0
        self.first_sent: dict[str, float] = {}
        self.refusals: dict[str, str] = {}
        self.poor: DnsReply | None = None
        self.streams = 0
        self.reply: DnsReply | None = None

    @property
    def hopeless(self) -> bool:
        """Whether every server has answered that it will not, or cannot be asked."""
        return not self.streams and all(one in self.refusals for one in self.servers)


class Round:
    """Asks some questions; one reply each, in their order, after `timeout` seconds at the latest."""

    def __init__(
        self, questions: tuple[DnsQuestion, ...], timeout: float, silence: Silence, port: int = PORT
    ) -> None:
        self._port = port
        self._silence = silence
        self._timeout = timeout
        self._channels: dict[str, _Channel | str] = {}
        self._streams: dict[str, list[Stream]] = {}
        self._one_each: set[str] = set()
        self._due: list[tuple[float, int, int]] = []
        numbers = _numbers(len(questions))
        self._exchanges = [
            _Exchange(place, query(one, numbers.pop()), silence.ordered(one.servers), one.transport)
            for place, one in enumerate(questions)
        ]
        self._open = len(self._exchanges)

    def replies(self) -> tuple[DnsReply, ...]:
        """Sends, waits, and gives the replies."""
        self._selector = selectors.DefaultSelector()
        start = time.monotonic()
        self._deadline = start + self._timeout
        try:
            for exchange in self._exchanges:
                if exchange.transport == "tcp":
                    self._ask_by_stream(exchange, start)
                else:
                    self._ask_next(exchange, start)
            while self._open:
                now = time.monotonic()
                if now >= self._deadline:
                    break
                self._wait(now)
            return tuple(one.reply or self._given_up(one) for one in self._exchanges)
        finally:
            self._close()

    def _close(self) -> None:
        for channel in self._channels.values():
            if isinstance(channel, _Channel):
                channel.socket.close()
        for stream in (one for some in self._streams.values() for one in some):
            stream.socket.close()
        self._selector.close()

    def _wait(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            _, place, _ = heapq.heappop(self._due)
            if not self._exchanges[place].reply:
                self._ask_next(self._exchanges[place], now)
        until = min(self._deadline, self._due[0][0] if self._due else self._deadline)
        if self._streams:
            self._end_stalled(now)
            until = min(until, now + JOIN_AFTER)
        for key, mask in self._selector.select(max(0.0, until - now)):
            if isinstance(key.data, _Channel):
                self._receive(key.data)
            else:
                self._advance(key.data, mask)

    def _ask_by_stream(self, exchange: _Exchange, now: float) -> None:
        """Asks every server over TCP alone; the first answer counts."""
        for server in exchange.servers:
            exchange.first_sent[server] = now
            self._by_stream(exchange, server)

    def _ask_next(self, exchange: _Exchange, now: float) -> None:
        """Asks the server whose turn it is, and says when the next turn comes."""
        willing = [one for one in exchange.servers if one not in exchange.refusals]
        while willing and not self._send(exchange, willing[exchange.asked % len(willing)], now):
            willing = [one for one in exchange.servers if one not in exchange.refusals]
        if not willing:
            self._finish_if_hopeless(exchange)
            return
        exchange.asked += 1
        rounds, turn = divmod(exchange.asked, len(willing))
        pause = JOIN_AFTER if turn else AGAIN_AFTER * 2 ** max(0, rounds - 1)
        heapq.heappush(self._due, (now + pause, exchange.place, exchange.asked))

    def _send(self, exchange: _Exchange, server: str, now: float) -> bool:
        channel = self._channel(server)
        if isinstance(channel, str):
            exchange.refusals[server] = channel
            return False
        channel.waiting[header(exchange.wire).id] = exchange
        exchange.first_sent.setdefault(server, now)
        try:
            channel.socket.send(exchange.wire)
        except BlockingIOError:
            return True  # the next turn sends it again
        except OSError as error:
            # The kernel tells it once, perhaps about an earlier packet: all that wait here hear of it.
            exchange.refusals[server] = words(error)
            self._unreachable(channel, words(error))
            return False
        return True

    def _channel(self, server: str) -> "_Channel | str":
        if server not in self._channels:
            try:
                channel = _Channel(server, self._port)
                self._selector.register(channel.socket, selectors.EVENT_READ, channel)
                self._channels[server] = channel
            except OSError as error:
                self._channels[server] = words(error)
        return self._channels[server]

    def _receive(self, channel: _Channel) -> None:
        for _ in range(_MOST_AT_ONCE):
            try:
                packet = channel.socket.recv(65535)
            except BlockingIOError:
                return
            except OSError as error:
                self._unreachable(channel, words(error))
                return
            exchange = channel.waiting.get(struct.unpack_from("!H", packet)[0]) if len(packet) > 1 else None
            if exchange and not exchange.reply and answers(packet, exchange.wire):
                self._heard(exchange, channel.server, packet, "udp")

    def _unreachable(self, channel: _Channel, why: str) -> None:
        """The network said that nobody is there: all that waits for this server turns elsewhere."""
        now = time.monotonic()
        for exchange in dict.fromkeys(channel.waiting.values()):
            if not exchange.reply and channel.server not in exchange.refusals:
                exchange.refusals[channel.server] = why
                self._ask_next(exchange, now)
        channel.waiting.clear()

    def _heard(self, exchange: _Exchange, server: str, packet: bytes, transport: str) -> None:
        about = header(packet)
        took = time.monotonic() - exchange.first_sent[server]
        self._silence.note(server, answered=True)
        if about.truncated and transport == "udp" and not exchange.transport:
            self._by_stream(exchange, server)
        elif about.rcode in (NOERROR, NXDOMAIN):
            self._finish(exchange, DnsReply(server, transport, packet, took, ""))
        elif (
            about.dislikes_edns
            and exchange.transport != "tcp"
            and exchange.wire != (bare := plain(exchange.wire))
        ):
            exchange.wire = bare
            self._send(exchange, server, time.monotonic())
        else:
            self._poor(exchange, server, about, DnsReply(server, transport, packet, took, ""))

    def _poor(self, exchange: _Exchange, server: str, about: Header, reply: DnsReply) -> None:
        """An answer such as SERVFAIL: kept in case that no other server has a better one."""
        exchange.refusals[server] = f"response code {about.rcode}"
        exchange.poor = exchange.poor or reply
        if exchange.hopeless:
            self._finish(exchange, exchange.poor)
        elif len(exchange.first_sent) < len(exchange.servers) and exchange.transport != "tcp":
            self._ask_next(exchange, time.monotonic())

    def _by_stream(self, exchange: _Exchange, server: str) -> None:
        some = self._streams.setdefault(server, [])
        try:
            if len(some) < MOST_TO_ONE_SERVER or server in self._one_each:
                some.append(self._opened(server))
        except OSError as error:
            self._stream_failed(exchange, server, words(error))
            return
        exchange.streams += 1
        stream = min(reversed(some), key=lambda one: len(one.waiting))
        stream.ask(exchange.place, exchange.wire)
        self._selector.modify(stream.socket, _BOTH, stream)

    def _opened(self, server: str) -> Stream:
        stream = Stream(server, self._port)
        self._selector.register(stream.socket, _BOTH, stream)
        return stream

    def _advance(self, stream: Stream, mask: int) -> None:
        try:
            heard = stream.advance(bool(mask & selectors.EVENT_READ), bool(mask & selectors.EVENT_WRITE))
        except OSError as error:
            self._broken(stream, words(error))
            return
        self._selector.modify(stream.socket, _BOTH if stream.sending else selectors.EVENT_READ, stream)
        for place, packet in heard:
            exchange = self._exchanges[place]
            exchange.streams -= 1
            if exchange.reply:
                continue
            if answers(packet, exchange.wire):
                self._heard(exchange, stream.server, packet, "tcp")
            else:
                self._stream_failed(exchange, stream.server, _not_to_this())

    def _end_stalled(self, now: float) -> None:
        for stream in [one for some in self._streams.values() for one in some if one.is_stalled(now)]:
            self._one_each.add(stream.server)
            self._broken(stream, "")

    def _broken(self, stream: Stream, why: str) -> None:
        """A connection has ended; what it left open is asked anew where it had answered something."""
        self._selector.unregister(stream.socket)
        self._streams[stream.server].remove(stream)
        stream.socket.close()
        left = [self._exchanges[place] for place in stream.waiting.values()]
        for exchange in left:
            exchange.streams -= 1
        for exchange in left:
            if exchange.reply:
                continue
            if stream.heard:
                self._by_stream(exchange, stream.server)
            else:
                self._stream_failed(exchange, stream.server, why)

    def _stream_failed(self, exchange: _Exchange, server: str, why: str) -> None:
        exchange.refusals[server] = why if exchange.transport else _longer(why)
        if not exchange.reply:
            self._finish_if_hopeless(exchange)

    def _finish_if_hopeless(self, exchange: _Exchange) -> None:
        if exchange.hopeless and not exchange.reply:
            self._finish(exchange, exchange.poor or _failed(exchange))

    def _finish(self, exchange: _Exchange, reply: DnsReply) -> None:
        exchange.reply = reply
        self._open -= 1
        late = time.monotonic() - JOIN_AFTER
        for server, sent in exchange.first_sent.items():
            if sent <= late and server != reply.server and server not in exchange.refusals:
                self._silence.note(server, answered=False)

    def _given_up(self, exchange: _Exchange) -> DnsReply:
        for server in exchange.first_sent:
            if server not in exchange.refusals:
                self._silence.note(server, answered=False)
        return exchange.poor or _failed(exchange, _silence(self._timeout))


def _numbers(count: int) -> set[int]:
    """Different message ids that nobody can guess."""
    drawn: set[int] = set()
    while len(drawn) < count:
        drawn.add(int.from_bytes(os.urandom(2), "big"))
    return drawn


def _failed(exchange: _Exchange, why: str = "") -> DnsReply:
    """No answer: the reason of the first server that gave one, unless the time is over."""
    reason = next(iter(exchange.refusals.values()), "")
    server = exchange.servers[0] if exchange.servers else ""
    return DnsReply(server, "", b"", 0.0, why or reason or _nobody())


def _silence(timeout: float) -> str:
    return f"no answer within {timeout:g} s"


def _nobody() -> str:
    return "there is no server to ask"


def _not_to_this() -> str:
    return "the answer over TCP is not one to this question"


def _longer(why: str) -> str:
    return f"its answer is too long for UDP, and over TCP: {why}"
