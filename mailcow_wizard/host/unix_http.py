"""HTTP over a Unix socket, as much of it as Docker's API needs for a look: GET, one answer, closed.

http.client would do it too, but its import alone (38 ms) takes longer than the rest of `check ports`.
"""

import re
import socket
import time

from mailcow_wizard.host.door import HostError, HttpReply, NoAnswer, TooLarge

_MOST_BYTES = 16 << 20
_STATUS = re.compile(rb"[1-5][0-9]{2}")


def get(path: str, target: str, timeout: float) -> HttpReply:
    """Asks for `target`; HTTP/1.0, so that the body ends with the connection and is never chunked."""
    end = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout)
        try:
            link.connect(path)
            link.sendall(f"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode("ascii"))
            data = _all(link, end)
        except TimeoutError:
            raise NoAnswer(f"{path} did not answer within {timeout:g} s") from None
    head, _, body = data.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not _STATUS.fullmatch(words[1]):
        raise HostError(f"{path} did not answer in HTTP")
    return HttpReply(int(words[1]), body)


def _all(link: socket.socket, end: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        link.settimeout(max(0.001, end - time.monotonic()))
        part = link.recv(1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > _MOST_BYTES:
            raise TooLarge("the answer is larger than 16 MiB")
