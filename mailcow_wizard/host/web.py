"""Fetches a small page over HTTP or HTTPS from one address family, within a time that holds for the whole."""

import http.client
import socket
import time

from mailcow_wizard.host.door import HostError, HttpReply, NoAnswer, TooLarge
from mailcow_wizard.host.in_time import in_time, why

_MOST_BYTES = 1 << 20
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6, 0: socket.AF_UNSPEC}


def fetch(name: str, path: str, family: int, timeout: float, tls: bool = False) -> HttpReply:
    """GET, no redirect followed; `family` is 4, 6 or 0 for either. Raises HostError."""
    end = time.monotonic() + timeout
    return in_time(lambda: _get(name, path, family, end, tls), timeout, name)


def _get(name: str, path: str, family: int, end: float, tls: bool) -> HttpReply:
    link = _connected(name, 443 if tls else 80, family, end)
    with link:
        if tls:
            from mailcow_wizard.host.tls import trusting

            link = trusting().wrap_socket(link, server_hostname=name)
        connection = http.client.HTTPConnection(name)
        connection.sock = link
        try:
            connection.request("GET", path, headers={"User-Agent": "mailcow-wizard", "Connection": "close"})
            response = connection.getresponse()
            body = response.read(_MOST_BYTES + 1)
        finally:
            connection.close()
    if len(body) > _MOST_BYTES:
        raise TooLarge(f"{name} sent more than 1 MiB")
    return HttpReply(response.status, body)


def _connected(name: str, port: int, family: int, end: float) -> socket.socket:
    """A connection to the first address that takes one."""
    try:
        found = socket.getaddrinfo(name, port, _FAMILIES[family], socket.SOCK_STREAM)
    except OSError:
        raise HostError(f"{name} has no address that could be looked up") from None
    failed: OSError = OSError(None, "it has no address")
    for kind, type, protocol, _, place in found:
        link = socket.socket(kind, type, protocol)
        try:
            link.settimeout(max(0.01, end - time.monotonic()))
            link.connect(place)
        except OSError as error:
            link.close()
            failed = error
            continue
        return link
    kind_of_error = NoAnswer if isinstance(failed, TimeoutError) else HostError
    raise kind_of_error(f"{name}: {why(failed)}")
