"""`listen ADDRESSES PORTS` says a word to every connection, and sends datagrams back.

`try SECONDS UID SOURCE>ADDRESS… THINGS` tries to get there: things are `25` (TCP), `25/udp` and `ping`. It
prints JSON: for each way how each thing ended, open, refused or silent. Commas separate things.
"""

import errno
import json
import os
import selectors
import socket
import struct
import sys
import time
from typing import Any

Found = dict[str, str]


def listen(addresses: list[str], ports: list[int]) -> None:
    selector = selectors.DefaultSelector()
    for port in ports:
        server = socket.create_server(("::", port), family=socket.AF_INET6, backlog=512, dualstack_ipv6=True)
        server.setblocking(False)
        selector.register(server, selectors.EVENT_READ)
        for address in addresses:
            echo = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            echo.bind((address, port))
            echo.setblocking(False)
            selector.register(echo, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            server: Any = key.fileobj
            try:
                if server.type == socket.SOCK_DGRAM:
                    server.sendto(*server.recvfrom(64))
                else:
                    connection = server.accept()[0]
                    connection.sendall(b".")
                    connection.close()
            except OSError:
                continue


def begun(thing: str, source: str, address: str) -> socket.socket:
    """A socket that waits for an answer. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if thing == "ping":
        v6 = family == socket.AF_INET6
        one = socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
        target: Any = (address, 0)
        data = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 0, 1)
    else:
        port, _, datagram = thing.partition("/")
        one = socket.socket(family, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
        target, data = (address, int(port)), b"?"
    one.setblocking(False)
    one.bind((source, 0))
    code = one.connect_ex(target)
    if code not in (0, errno.EINPROGRESS):
        raise OSError(code, "refused")
    if one.type == socket.SOCK_DGRAM:
        one.send(data)
    return one


def ended(one: socket.socket) -> str:
    """Open only where something was heard: that a connection is taken says nothing of what follows."""
    try:
        return "open" if one.recv(64) else "refused"
    except OSError:
        return "refused"


def attempt(seconds: float, ways: list[str], things: list[str]) -> list[Found]:
    """All at the same time; what has not answered after a while stays silent."""
    selector = selectors.DefaultSelector()
    answers = []
    for way in ways:
        source, address = way.split(">")
        found = dict.fromkeys(things, "silent")
        answers.append(found)
        for thing in things:
            try:
                one = begun(thing, source, address)
            except OSError:
                found[thing] = "refused"
                continue
            selector.register(one, selectors.EVENT_READ, (found, thing))
    end = time.monotonic() + seconds
    while selector.get_map() and (left := end - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            sock: Any = key.fileobj
            found, thing = key.data
            found[thing] = ended(sock)
            selector.unregister(sock)
            sock.close()
    return answers


if __name__ == "__main__":
    words = sys.argv[-1].split(",")
    if sys.argv[1] == "listen":
        listen(sys.argv[2].split(","), [int(one) for one in words])
    else:
        if int(sys.argv[3]):
            os.setuid(int(sys.argv[3]))
        print(json.dumps(attempt(float(sys.argv[2]), sys.argv[4:-1], words)))
