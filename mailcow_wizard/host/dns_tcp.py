"""One question over TCP (RFC 7766): a length of two bytes before each message."""

import os
import socket


class Stream:
    """A connection that sends one question and reads one answer, without ever blocking."""

    def __init__(self, place: int, server: str, port: int, wire: bytes) -> None:
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.place = place
        self.server = server
        self._out = len(wire).to_bytes(2, "big") + wire
        self._in = b""
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self.socket.connect((server, port))
        except BlockingIOError:
            pass
        except BaseException:
            self.socket.close()
            raise

    @property
    def sending(self) -> bool:
        """Whether a part of the question is not sent yet."""
        return bool(self._out)

    def advance(self, writable: bool) -> bytes | None:
        """Sends or reads what can be; the answer once it is complete. Raises OSError."""
        if self._out:
            if writable:
                self._connected()
                self._out = self._out[self.socket.send(self._out) :]
            return None
        try:
            part = self.socket.recv(65537)
        except BlockingIOError:
            return None
        if not part:
            raise ConnectionError(None, "closed before the answer was complete")
        self._in += part
        length = int.from_bytes(self._in[:2], "big") if len(self._in) > 1 else 65536
        return self._in[2 : 2 + length] if len(self._in) >= 2 + length else None

    def _connected(self) -> None:
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
