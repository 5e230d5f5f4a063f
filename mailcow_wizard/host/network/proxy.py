"""A proxy for HTTPS that leads further than this machine gets itself (CONNECT, RFC 9110 section 9.3.6)."""

from __future__ import annotations

import base64
import re
import socket
import urllib.parse

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.deadline import left
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

_URL = pattern(
    r"(?:(?P<scheme>[a-z0-9]{1,12})://)?(?:(?P<who>[^@/\s]*)@)?"
    r"(?P<host>\[[0-9a-fA-F:.]{2,60}\]|[A-Za-z0-9_.-]{1,253})(?::(?P<port>[0-9]{1,5}))?/?"
)
_PORT = 80
"""Where the address names none: that of its scheme, as Docker takes it."""
_MOST_BYTES = 1 << 14


class Proxy(NamedTuple):
    """Where it listens, and who it is told that we are (`user:password`, empty: nobody)."""

    host: str
    port: int
    who: str = ""

    @property
    def address(self) -> str:
        """Without what is secret of it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read(url: str) -> Proxy:
    """What the value of a variable such as https_proxy names. Raises HostError for what cannot be used here:
    proxies of another kind than HTTP, or no address."""
    found = _URL.fullmatch(url.strip())
    port = int(found["port"] or _PORT) if found else 0
    if found is None or not 0 < port < 1 << 16:
        raise HostError("the address of the proxy cannot be read")
    if found["scheme"] not in (None, "http"):
        raise HostError(f"a proxy of the kind {found['scheme']} cannot be asked")
    return Proxy(found["host"].strip("[]"), port, urllib.parse.unquote(found["who"] or ""))


def tunnel(link: socket.socket, proxy: Proxy, name: str, port: int, end: float) -> None:
    """Has the proxy at the other end of `link` connect to the server, until `end` (monotonic, s).
    Raises HostError, OSError."""
    lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}", "User-Agent: mailcow-wizard"]
    if proxy.who:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(proxy.who.encode()).decode()}")
    link.settimeout(left(end))
    link.sendall("\r\n".join((*lines, "", "")).encode("utf-8", "replace"))
    head = b""
    # Byte by byte: what comes behind the head is the server's.
    while not head.endswith(b"\r\n\r\n"):
        link.settimeout(left(end))
        part = link.recv(1)
        if not part or len(head) > _MOST_BYTES:
            raise HostError(f"the proxy {proxy.address} does not answer in HTTP")
        head += part
    code = status(head)
    if not code:
        raise HostError(f"the proxy {proxy.address} does not answer in HTTP")
    if code // 100 != 2:
        raise HostError(f"the proxy {proxy.address} refuses with HTTP {code}")


def status(head: bytes) -> int:
    """The status of an answer; 0 where it is none."""
    found = re.match(rb"HTTP/1\.[01] ([1-5][0-9]{2})\b", head)
    return int(found[1]) if found else 0
