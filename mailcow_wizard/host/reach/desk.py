"""The desk of whoever started the wizard by `--ssh`: an outside vantage for the proof of reach.

The server tells it, through a socket that the connection brings home, at which addresses it listens and the
token. The desk believes little of that: a server that was broken into must not make it knock elsewhere.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import socket
import threading
from collections.abc import Callable, Sequence

from mailcow_wizard.typed import NamedTuple

_VARIABLE = "MAILCOW_WIZARD_DESK"
_MOST_BYTES = 4096
_YES = b"k"
_PATIENCE_S = 5.0
_MOST_ADDRESSES = 4
_MOST_INVITATIONS = 20


class Invitation(NamedTuple):
    """Where the server listens, and the token that it answers."""

    addresses: tuple[str, ...]
    token: str


class Asked:
    """On the server: a desk that knocks at this moment."""

    def __init__(self, one: socket.socket) -> None:
        self._socket = one
        self._said = b""

    def report(self) -> str:
        """The report of what became of its knocks, once, where it could not be brought over a port."""
        try:
            self._said += self._socket.recv(_MOST_BYTES)
        except OSError:
            return ""
        if not self._said.endswith(b"\n"):
            return ""
        text, self._said = self._said.decode("ascii", "replace").strip(), b""
        return text

    def close(self) -> None:
        """Hears no more."""
        self._socket.close()


def invite(addresses: Sequence[str], token: str) -> Asked | None:
    """On the server: asks the desk to knock; None where there is none, or it does not."""
    path = os.environ.get(_VARIABLE, "")
    if not path or not addresses:
        return None
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        one.settimeout(_PATIENCE_S)
        one.connect(path)
        one.sendall(json.dumps({"addresses": list(addresses), "token": token}).encode() + b"\n")
        if one.recv(1) == _YES:
            one.setblocking(False)
            return Asked(one)
    except OSError:
        pass
    one.close()
    return None


class Desk:
    """At the desk: waits for invitations, and does what they ask for, one at a time."""

    def __init__(self, path: str, server: str, knock: Callable[[Invitation], str]) -> None:
        """`server` is the name by which ssh reached it: its addresses may be asked, whichever they are.
        `knock` returns what could not be brought there in another way."""
        self._server = server
        self._knock = knock
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(path)
        self._socket.listen(4)
        threading.Thread(target=self._serve, daemon=True, name="desk").start()

    def close(self) -> None:
        """Takes no more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        for _ in range(_MOST_INVITATIONS):
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            with one, contextlib.suppress(OSError):
                one.settimeout(_PATIENCE_S)
                invitation = self._read(one)
                if invitation:
                    one.sendall(_YES)
                    one.sendall(f"{self._knock(invitation)}\n".encode())

    def _read(self, one: socket.socket) -> Invitation | None:
        said = b""
        while not said.endswith(b"\n") and len(said) < _MOST_BYTES and (data := one.recv(_MOST_BYTES)):
            said += data
        try:
            asked = json.loads(said)
            addresses, token = asked["addresses"], asked["token"]
            fits = isinstance(addresses, list) and 0 < len(addresses) <= _MOST_ADDRESSES
            fits = fits and isinstance(token, str) and all(isinstance(one, str) for one in addresses)
            if fits and all(self._may_be_asked(ipaddress.ip_address(address)) for address in addresses):
                return Invitation(tuple(addresses), token)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        return None

    def _may_be_asked(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        """Public, or where ssh went: nothing of the desk's own network."""
        if address.is_global and not address.is_multicast:
            return True
        with contextlib.suppress(OSError):
            found = socket.getaddrinfo(self._server, None, type=socket.SOCK_STREAM)
            return str(address) in {str(entry[4][0]) for entry in found}
        return False
