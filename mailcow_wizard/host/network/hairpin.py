"""Connections to this machine's public address, from this machine itself: do they come back to it?

For each port a listener of our own is there for as long as that takes. It answers only who sends the word of
this very attempt, so that neither a router's own pages nor a stranger are taken for this machine.
"""

import contextlib
import errno
import os
import selectors
import socket
import struct
import time

from mailcow_wizard.host.replies import Hairpin
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD = 16
_AT_ONCE = struct.pack("ii", 1, 0)
_OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.EPIPE: "refused",
    errno.EPERM: "blocked",
    errno.EACCES: "blocked",
    errno.ETIMEDOUT: "silent",
}


class _Attempt:
    """One port: the listener, the connection that goes out, those that come in."""

    def __init__(self, port: int, begun: float) -> None:
        self.port = port
        self.begun = begun
        self.outcome = ""
        self.word, self.answer = os.urandom(_WORD), os.urandom(_WORD)
        self.heard = b""
        self.sockets: list[socket.socket] = []

    def end(self, outcome: str) -> Hairpin:
        """Keeps the outcome and lets all sockets go, so that nothing holds the port a moment later."""
        self.outcome = self.outcome or outcome
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            one.close()
        return Hairpin(self.port, self.outcome, time.monotonic() - self.begun)


class Round:
    """All ports at once; a result for each, in their order, after `timeout` seconds at the latest."""

    def __init__(self, address: str, own: str, ports: tuple[int, ...], timeout: float) -> None:
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._address, self._own = address, own
        begun = time.monotonic()
        self._end = begun + timeout
        self._attempts = [_Attempt(port, begun) for port in ports]

    def results(self) -> tuple[Hairpin, ...]:
        """Listens, connects, waits."""
        found: dict[int, Hairpin] = {}
        with selectors.DefaultSelector() as selector:
            for one in self._attempts:
                self._begin(one, selector)
            while time.monotonic() < self._end:
                for one in self._attempts:
                    if one.outcome and one.port not in found:
                        self._forget(one, selector)
                        found[one.port] = one.end("")
                if len(found) == len(self._attempts):
                    break
                for key, _ in selector.select(max(0.0, self._end - time.monotonic())):
                    if key.fileobj in selector.get_map():
                        act: Callable[[selectors.BaseSelector], None] = key.data
                        act(selector)
            for one in self._attempts:
                if one.port not in found:
                    found[one.port] = one.end("silent")
        return tuple(found[one.port] for one in self._attempts)

    def _begin(self, one: _Attempt, selector: selectors.BaseSelector) -> None:
        try:
            listener = self._socket(one)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._own, one.port))
            listener.listen(8)
        except PermissionError:
            one.outcome = "not allowed"
            return
        except OSError as error:
            one.outcome = "in use" if error.errno == errno.EADDRINUSE else "failed"
            return
        try:
            out = self._socket(one)
            out.connect((self._address, one.port))
        except BlockingIOError:
            pass
        except OSError as error:
            one.outcome = _OUTCOMES.get(error.errno or 0, "no route")
            return
        selector.register(listener, selectors.EVENT_READ, lambda among: self._accept(one, listener, among))
        selector.register(out, selectors.EVENT_WRITE, lambda among: self._connected(one, out, among))

    def _socket(self, one: _Attempt) -> socket.socket:
        made = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        one.sockets.append(made)
        return made

    def _forget(self, one: _Attempt, selector: selectors.BaseSelector) -> None:
        for sock in one.sockets:
            if sock in selector.get_map():
                selector.unregister(sock)

    def _accept(self, one: _Attempt, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        try:
            come, _ = listener.accept()
        except OSError:
            return
        come.setblocking(False)
        one.sockets.append(come)
        said = bytearray()

        def read(among: selectors.BaseSelector) -> None:
            try:
                part = come.recv(_WORD)
                said.extend(part)
                if bytes(said) == one.word:
                    come.send(one.answer)
                if not part or len(said) >= _WORD:
                    among.unregister(come)
            except OSError:
                among.unregister(come)

        selector.register(come, selectors.EVENT_READ, read)

    def _connected(self, one: _Attempt, out: socket.socket, selector: selectors.BaseSelector) -> None:
        number = out.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            one.outcome = _OUTCOMES.get(number, "no route")
            return
        try:
            out.send(one.word)
        except OSError:
            one.outcome = "foreign"
            return
        selector.modify(out, selectors.EVENT_READ, lambda among: self._hear(one, out))

    def _hear(self, one: _Attempt, out: socket.socket) -> None:
        try:
            part = out.recv(_WORD)
        except OSError:
            part = b""
        one.heard += part
        if one.heard == one.answer:
            one.outcome = "arrived"
        elif not part or not one.answer.startswith(one.heard):
            one.outcome = "foreign"
