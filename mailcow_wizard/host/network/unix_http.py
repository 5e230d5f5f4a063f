"""HTTP over a Unix socket, as Docker's API speaks it."""

import socket
import time

from mailcow_wizard.host.errors import NoAnswer
from mailcow_wizard.host.network import http_wire
from mailcow_wizard.host.replies import HttpReply

_MOST_BYTES = 16 << 20


def get(path: str, target: str, timeout: float) -> HttpReply:
    """Asks for `target`. Raises HostError, OSError."""
    end = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout)
        try:
            link.connect(path)
            return http_wire.get(link, "localhost", target, end, _MOST_BYTES, path)
        except TimeoutError:
            raise NoAnswer(f"{path} did not answer within {timeout:g} s") from None
        except BlockingIOError:
            # Nobody is taken on any more: as many wait as may, of whom some have long gone.
            raise NoAnswer(f"{path} takes no more connections: those before are not answered") from None
