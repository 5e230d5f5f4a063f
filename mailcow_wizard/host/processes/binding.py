"""Whether the kernel gives a port to Docker, asked of the kernel itself: bind, do not listen, let go.

Sockets that do not listen can be in the way too: bound ones, connections, connections that are being closed.
No list tells which of them set SO_REUSEADDR and so are in nobody's way, but the answer to a bind does, on
every kernel and in 0.01 ms. Nobody can connect to a socket that does not listen, and whoever sets
SO_REUSEADDR, as servers do, can bind beside it.
"""

import _socket as socket
import errno

EVERY_ADDRESS = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


def refusals(port: int) -> tuple[int, ...] | None:
    """The families for which Docker could not bind the port; None where this user may not try."""
    refused = []
    for family in EVERY_ADDRESS:
        number = _bind(family, port)
        if number in (errno.EACCES, errno.EPERM):
            return None
        # Anything else, such as a machine without IPv6, is not about this port.
        if number == errno.EADDRINUSE:
            refused.append(family)
    return tuple(refused)


def _bind(family: int, port: int) -> int:
    """Binds as Docker does; the error's number, 0 where it worked."""
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return error.errno or 0
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((EVERY_ADDRESS[family], port))
    except OSError as error:
        return error.errno or 0
    finally:
        one.close()
    return 0
