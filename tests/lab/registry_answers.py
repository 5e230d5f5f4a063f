"""Run in a network of its own: registries on loopback, each with its manners, and a command that asks them.

`python3 registry.py MANNERS COMMAND…`; MANNERS is JSON: {address: [certificate, key, status]}; status 0: it
takes the connection and stays silent.
"""

import json
import socket
import ssl
import subprocess
import sys
import threading


def serve(address: str, certificate: str, key: str, status: int) -> None:
    """Answers every question with this status, or never."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server((address, 443))
    silent: list[socket.socket] = []

    def work() -> None:
        while True:
            link, _ = listener.accept()
            if not status:
                silent.append(link)
                continue
            try:
                with context.wrap_socket(link, server_side=True) as secured:
                    secured.recv(4096)
                    secured.sendall(b"HTTP/1.0 %d x\r\nContent-Length: 2\r\n\r\n{}" % status)
            except OSError:  # a client that does not trust us
                link.close()

    threading.Thread(target=work, daemon=True).start()


if __name__ == "__main__":
    for place, manners in json.loads(sys.argv[1]).items():
        serve(place, *manners)
    sys.exit(subprocess.run(sys.argv[2:], check=False).returncode)
