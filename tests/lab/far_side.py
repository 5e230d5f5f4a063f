"""Runs outside: mail servers that greet, hosts that accept, sinks for datagrams, a name server that refuses.

Prints `ready`. Arguments: lines `greet ADDRESS PORT TEXT`, `accept ADDRESS PORT`, `sink ADDRESS PORT`,
`refuse ADDRESS`, `time ADDRESS PORT` (what came goes back as a time server's packet),
`secure ADDRESS PORT CERTIFICATE KEY` (a web server that speaks TLS), and `advertise INTERFACE PREFIX`, which
sends a router's advertisement.
"""

import selectors
import socket
import ssl
import struct
import sys
import threading
from typing import Any

selector = selectors.DefaultSelector()
kept: list[socket.socket] = []


def family(address: str) -> Any:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listen(address: str, port: int, greeting: bytes) -> None:
    server = socket.create_server((address, port), family=family(address), backlog=64)
    selector.register(server, selectors.EVENT_READ, greeting)


def secure(address: str, port: int, certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = socket.create_server((address, port), family=family(address), backlog=64)
    selector.register(server, selectors.EVENT_READ, context)


def speak(connection: socket.socket, context: ssl.SSLContext) -> None:
    try:
        with context.wrap_socket(connection, server_side=True) as spoken:
            spoken.recv(1000)
            spoken.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    except OSError:
        connection.close()


def receive(address: str, port: int, place: int, head: bytes) -> None:
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    sock.bind((address, port))
    selector.register(sock, selectors.EVENT_READ, (place, head))


def advertise(interface: str, prefix: str) -> None:
    """A router's advertisement (RFC 4861, 4.2): good for half an hour, with a prefix for addresses."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    network = socket.inet_pton(socket.AF_INET6, prefix)
    option = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 3600, 3600, 0) + network
    packet = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + option
    sock.sendto(packet, ("ff02::1", 0, 0, socket.if_nametoindex(interface)))


for line in sys.argv[1:]:
    words = line.split(" ", 3)
    if words[0] == "greet":
        listen(words[1], int(words[2]), words[3].encode() + b"\r\n")
    elif words[0] == "accept":
        listen(words[1], int(words[2]), b"")
    elif words[0] == "secure":
        secure(words[1], int(words[2]), *words[3].split())
    elif words[0] == "sink":
        receive(words[1], int(words[2]), 0, b"")
    elif words[0] == "refuse":
        receive(words[1], 53, 2, b"\x80\x05")
    elif words[0] == "time":
        receive(words[1], int(words[2]), 0, b"\x24\x02")
    elif words[0] == "advertise":
        advertise(words[1], words[2])
print("ready", flush=True)
while selector.get_map():
    for key, _ in selector.select():
        sock: Any = key.fileobj
        if isinstance(key.data, bytes):
            connection, _ = sock.accept()
            kept.append(connection)
            connection.sendall(key.data)
        elif isinstance(key.data, ssl.SSLContext):
            connection, _ = sock.accept()
            threading.Thread(target=speak, args=(connection, key.data), daemon=True).start()
        else:
            data, sender = sock.recvfrom(4096)
            place, head = key.data
            if head:  # the same packet, with another head: refused, or from a server
                sock.sendto(data[:place] + head + data[place + len(head) :], sender)
