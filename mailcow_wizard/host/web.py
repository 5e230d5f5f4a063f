"""Fetches a small page over HTTP or HTTPS from one address family, within a time that holds for the whole."""

import http.client
import queue
import socket
import threading
import time

from mailcow_wizard.host.door import HostError, HttpReply, NoAnswer, TooLarge

_MOST_BYTES = 1 << 20
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6, 0: socket.AF_UNSPEC}


def fetch(name: str, path: str, family: int, timeout: float, tls: bool = False) -> HttpReply:
    """GET, no redirect followed; `family` is 4, 6 or 0 for either. Raises HostError.

    In a thread of its own: neither the resolver nor TLS of Python keep to a time limit.
    """
    answers: queue.SimpleQueue[HttpReply | HostError] = queue.SimpleQueue()
    end = time.monotonic() + timeout

    def work() -> None:
        try:
            answers.put(_get(name, path, family, end, tls))
        except HostError as error:
            answers.put(error)
        except TimeoutError:
            answers.put(NoAnswer(f"{name} did not answer within {timeout:g} s"))
        except Exception as error:  # ssl and http.client have many
            answers.put(HostError(f"{name}: {_why(error)}"))

    threading.Thread(target=work, daemon=True, name=f"fetch {name}").start()
    try:
        answer = answers.get(timeout=timeout + 0.1)
    except queue.Empty:
        raise NoAnswer(f"{name} did not answer within {timeout:g} s") from None
    if isinstance(answer, HostError):
        raise answer
    return answer


def _get(name: str, path: str, family: int, end: float, tls: bool) -> HttpReply:
    link = _connected(name, 443 if tls else 80, family, end)
    with link:
        if tls:
            import ssl

            link = ssl.create_default_context().wrap_socket(link, server_hostname=name)
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
    raise kind_of_error(f"{name}: {_why(failed)}")


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    refused = getattr(error, "verify_message", "")  # of ssl, which is loaded for HTTPS only
    if refused:
        return f"its certificate is not accepted: {refused[:1].lower()}{refused[1:]}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)[:200] or type(error).__name__
