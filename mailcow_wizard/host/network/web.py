"""Fetches a small page over HTTP or HTTPS from one address family, within a time that holds for the whole."""

import socket
import time

from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.network import http_wire
from mailcow_wizard.host.network.deadline import left
from mailcow_wizard.host.processes.in_time import in_time, why
from mailcow_wizard.host.replies import HttpReply

_MOST_BYTES = 1 << 20
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6, 0: socket.AF_UNSPEC}


def fetch(
    name: str, path: str, family: int, timeout: float, tls: bool = False, proxy: str = "", address: str = ""
) -> HttpReply:
    """GET, no redirect followed; `family` is 4, 6 or 0 for either; with TLS it may go through the proxy with
    this URL; with an `address` the name is not looked up. Raises HostError."""
    end = time.monotonic() + timeout
    if proxy:
        return in_time(lambda: _get_through(proxy, name, path, end), timeout, name)
    return in_time(lambda: _get(name, path, family, end, tls, address or name), timeout, name)


def _get_through(url: str, name: str, path: str, end: float) -> HttpReply:
    from mailcow_wizard.host.network import proxy
    from mailcow_wizard.host.network.tls import trusting

    known = proxy.read(url)
    with _connected(known.host, known.port, 0, end) as link:
        proxy.tunnel(link, known, name, 443, end)
        link.settimeout(left(end))
        with trusting().wrap_socket(link, server_hostname=name) as secured:
            return http_wire.get(secured, name, path, end, _MOST_BYTES, name)


def _get(name: str, path: str, family: int, end: float, tls: bool, place: str) -> HttpReply:
    with _connected(place, 443 if tls else 80, family, end) as link:
        if not tls:
            return http_wire.get(link, name, path, end, _MOST_BYTES, name)
        from mailcow_wizard.host.network.tls import trusting

        with trusting().wrap_socket(link, server_hostname=name) as secured:
            return http_wire.get(secured, name, path, end, _MOST_BYTES, name)


def _connected(name: str, port: int, family: int, end: float) -> socket.socket:
    """A connection to the first address that takes one. Raises HostError, NoAnswer where one was silent."""
    try:
        found = socket.getaddrinfo(name, port, _FAMILIES[family], socket.SOCK_STREAM)
    except OSError as error:
        # This says of the resolvers that none answered, or not yet; nothing of the name.
        if error.errno == socket.EAI_AGAIN:
            raise NoAnswer(f"the address of {name} could not be looked up in time") from None
        raise HostError(f"{name} has no address that could be looked up") from None
    failed: OSError = OSError(None, "it has no address")
    for kind, type, protocol, _, place in found:
        link = socket.socket(kind, type, protocol)
        try:
            link.settimeout(left(end))
            link.connect(place)
        except OSError as error:
            link.close()
            # What one address leaves open, another one's refusal does not answer.
            failed = failed if isinstance(failed, TimeoutError) else error
            continue
        return link
    kind_of_error = NoAnswer if isinstance(failed, TimeoutError) else HostError
    raise kind_of_error(f"{name}: {why(failed)}")
