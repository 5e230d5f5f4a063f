"""The certificate that a server shows, over TLS at once or after STARTTLS of SMTP (RFC 3207)."""

from __future__ import annotations

import contextlib
import socket
import time

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.deadline import left
from mailcow_wizard.host.processes.in_time import in_time
from mailcow_wizard.host.replies import Certificate
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

_MOST_BYTES = 65536
_HELLO = b"EHLO mailcow-wizard.invalid\r\n"


def certificate(address: str, port: int, name: str, starttls: bool, timeout: float) -> Certificate:
    """What is shown to a client that asks for `name`. Raises HostError."""
    end = time.monotonic() + timeout
    return in_time(lambda: _shown(address, port, name, starttls, end), timeout, f"{address}:{port}")


def _shown(address: str, port: int, name: str, starttls: bool, end: float) -> Certificate:
    import ssl

    from mailcow_wizard.host.network.tls import indifferent, trusting

    try:
        return Certificate(_der(trusting(), address, port, name, starttls, end), "")
    except ssl.SSLCertVerificationError as error:
        trouble = error.verify_message
    return Certificate(_der(indifferent(), address, port, name, starttls, end), trouble)


def _der(context: ssl.SSLContext, address: str, port: int, name: str, starttls: bool, end: float) -> bytes:
    with socket.create_connection((address, port), left(end)) as plain:
        if starttls:
            _start(plain, end)
        with context.wrap_socket(plain, server_hostname=name) as secured:
            shown = secured.getpeercert(binary_form=True)
            with contextlib.suppress(OSError):
                secured.unwrap()
    if not shown:
        raise HostError(f"{address}:{port} shows no certificate")
    return shown


def _start(plain: socket.socket, end: float) -> None:
    _expect(plain, b"220", end)
    plain.sendall(_HELLO)
    offered = _expect(plain, b"250", end).upper()
    if not any(line[4:].strip() == b"STARTTLS" for line in offered.splitlines()):
        raise HostError("it offers no STARTTLS")
    plain.sendall(b"STARTTLS\r\n")
    _expect(plain, b"220", end)


def _expect(plain: socket.socket, code: bytes, end: float) -> bytes:
    """The lines of one reply, which must have this code; not a byte behind them is taken."""
    reply = b""
    while not _is_whole(reply):
        plain.settimeout(left(end))
        part = plain.recv(4096)
        reply += part
        if not part or len(reply) > _MOST_BYTES:
            raise HostError("it does not speak SMTP")
    if not reply.startswith(code):
        raise HostError(f"it answers {reply[:60].decode('ascii', 'replace').strip()}")
    return reply


def _is_whole(reply: bytes) -> bool:
    """Whether the last line is there, which has no hyphen behind its code."""
    return reply.endswith(b"\n") and reply.splitlines()[-1][3:4] != b"-"
