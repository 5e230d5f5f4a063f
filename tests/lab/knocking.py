"""`listen PORTS` takes connections on them, and says a word; `try SECONDS SOURCE>ADDRESS… PORTS` tries to.

The second prints JSON: for each way how each port ended, open, refused or silent. Commas separate ports.
"""

import errno
import json
import selectors
import socket
import sys
import time
from typing import Any


def listen(ports: list[int]) -> None:
    selector = selectors.DefaultSelector()
    for port in ports:
        server = socket.create_server(("::", port), family=socket.AF_INET6, backlog=512, dualstack_ipv6=True)
        server.setblocking(False)
        selector.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            server: Any = key.fileobj
            try:
                connection = server.accept()[0]
                connection.sendall(b".")
                connection.close()
            except OSError:
                continue


def attempt(seconds: float, ways: list[str], ports: list[int]) -> list[dict[int, str]]:
    """All at the same time; what has not answered after a while stays silent."""
    selector = selectors.DefaultSelector()
    answers = []
    for way in ways:
        source, address = way.split(">")
        found = dict.fromkeys(ports, "silent")
        answers.append(found)
        for port in ports:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.bind((source, 0))
            code = sock.connect_ex((address, port))
            if code not in (0, errno.EINPROGRESS):
                found[port] = "refused"
                sock.close()
                continue
            selector.register(sock, selectors.EVENT_READ, (found, port))
    end = time.monotonic() + seconds
    while selector.get_map() and (left := end - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            sock: Any = key.fileobj
            found, port = key.data
            # That a connection is taken says nothing of what follows.
            try:
                found[port] = "open" if sock.recv(1) else "refused"
            except OSError:
                found[port] = "refused"
            selector.unregister(sock)
            sock.close()
    return answers


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[-1].split(",")]
    if sys.argv[1] == "listen":
        listen(numbers)
    else:
        print(json.dumps(attempt(float(sys.argv[2]), sys.argv[3:-1], numbers)))
