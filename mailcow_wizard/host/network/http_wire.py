"""HTTP, as much of it as a look needs: GET, one answer, closed.

http.client would do it too, but its import alone (38 ms) takes longer than the rest of `check ports`.
"""

import socket
import time

from mailcow_wizard.host.errors import HostError, NoAnswer, TooLarge
from mailcow_wizard.host.network.deadline import left
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.patterns import pattern

_DATE = pattern(rb"(?im)^date:[ \t]*([ -~]{1,60}?)[ \t]*\r?$")
_LENGTH = pattern(rb"(?im)^content-length:[ \t]*([0-9]{1,12})[ \t]*\r?$")
_CODED = pattern(rb"(?im)^transfer-encoding:")
_WITHOUT_BODY = (b"204", b"304")
_STATUS = pattern(rb"[1-5][0-9]{2}")


def get(link: socket.socket, host: str, target: str, end: float, most: int, name: str) -> HttpReply:
    """Asks for `target` until `end` (monotonic, s); HTTP/1.0, so that the body ends with the connection and
    is never chunked. `name` is the server in words. Raises HostError, OSError, TooLarge over `most` bytes,
    NoAnswer where the body is shorter than its Content-Length."""
    asked = f"GET {target} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: mailcow-wizard\r\n\r\n"
    link.settimeout(left(end))
    link.sendall(asked.encode("ascii"))
    head, _, body = _all(link, end, most, name).partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not _STATUS.fullmatch(words[1]):
        raise HostError(f"{name} did not answer in HTTP")
    length = _LENGTH.search(head) if words[1] not in _WITHOUT_BODY and not _CODED.search(head) else None
    if length and len(body) < int(length[1]):
        raise NoAnswer(f"{name} closed the connection in the middle of its answer")
    date = _DATE.search(head)
    return HttpReply(int(words[1]), body, date[1].decode("ascii") if date else "", time.time())


def _all(link: socket.socket, end: float, most: int, name: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        link.settimeout(left(end))
        part = link.recv(1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > most:
            raise TooLarge(f"{name} sent more than {most >> 20} MiB")
