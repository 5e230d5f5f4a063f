"""A proxy for HTTPS that leads further than this machine gets itself (CONNECT, RFC 9110 section 9.3.6)."""

from __future__ import annotations

import base64
import re
import socket
import time
import urllib.parse

from mailcow_wizard.host.door import Host, HostError
from mailcow_wizard.typed import NamedTuple

_URL = re.compile(
    r"(?:(?P<scheme>[a-z0-9]{1,12})://)?(?:(?P<who>[^@/\s]*)@)?"
    r"(?P<host>\[[0-9a-fA-F:.]{2,60}\]|[A-Za-z0-9_.-]{1,253})(?::(?P<port>[0-9]{1,5}))?/?"
)
_PORT = 80
"""Where the address names none: that of its scheme, as Docker takes it."""
_MOST_BYTES = 1 << 14
FILE = "/etc/environment"
NAMES = ("https_proxy", "http_proxy", "no_proxy")
"""The variables that name it, which are also written in capitals."""
_ASSIGNED = re.compile(
    r"""\s*(?:export\s+)?([A-Za-z_]{1,40})=("[^"]{0,1000}"|'[^']{0,1000}'|[^\s"']{0,1000})\s*(?:#.*)?"""
)
_MOST_OF_FILE = 1 << 18


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
    link.settimeout(max(0.001, end - time.monotonic()))
    link.sendall("\r\n".join((*lines, "", "")).encode("utf-8", "replace"))
    head = b""
    # Byte by byte: what comes behind the head is the server's.
    while not head.endswith(b"\r\n\r\n"):
        link.settimeout(max(0.001, end - time.monotonic()))
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


def variables(host: Host) -> dict[str, str]:
    """What commands that download are told, by names in small letters: from the environment of who started
    the wizard, else from /etc/environment."""
    found = {name: host.variable(name) or host.variable(name.upper()) for name in NAMES}
    # http_proxy in capitals may be what a client of a web server has sent (CVE-2016-5385).
    found["http_proxy"] = host.variable("http_proxy")
    if not any(found.values()):
        try:
            found = named(host.text(FILE, _MOST_OF_FILE))
        except HostError:
            return {}
    return {name: value for name, value in found.items() if value and value.isprintable()}


def named(text: str) -> dict[str, str]:
    """The proxies that /etc/environment names."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _ASSIGNED.fullmatch(line)
        if match and match[1].lower() in NAMES:
            value = match[2]
            found[match[1].lower()] = value[1:-1] if value[:1] in "\"'" and value else value
    return found
