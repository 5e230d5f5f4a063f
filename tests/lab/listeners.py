"""Asks a link as a router does who listens to multicast (MLDv2), and prints who else says so.

`python3 listeners.py INTERFACE SECONDS`: the addresses that sent a report within that time, one a line.
"""

import socket
import struct
import sys
import time

_QUERY, _REPORT = 130, 143
_HOP_OPTIONS = 54  # IPV6_HOPOPTS of Linux
_ROUTER_ALERT = bytes((0, 0, 5, 2, 0, 0, 1, 0))


def _own() -> set[str]:
    """This place's own addresses: it answers its own question, too."""
    with open("/proc/net/if_inet6") as file:
        numbers = [bytes.fromhex(line.split()[0]) for line in file]
    return {socket.inet_ntop(socket.AF_INET6, one) for one in numbers}


def main(interface: str, seconds: str) -> None:
    """A general query that wants its answers at once."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        ours.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        ours.setsockopt(socket.IPPROTO_IPV6, _HOP_OPTIONS, _ROUTER_ALERT)
        number = socket.if_nametoindex(interface)
        # A listener without a querier reports to all who track: joined, so that it is heard here.
        group = socket.inet_pton(socket.AF_INET6, "ff02::16") + struct.pack("@I", number)
        ours.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        query = struct.pack("!BBHHH16sBBH", _QUERY, 0, 0, 1, 0, bytes(16), 2, 125, 0)
        end = time.monotonic() + float(seconds)
        ours.sendto(query, ("ff02::1", 0, 0, number))
        heard = set[str]()
        while (left := end - time.monotonic()) > 0:
            ours.settimeout(left)
            try:
                data, (address, *_more) = ours.recvfrom(2048)
            except TimeoutError:
                break
            if data[0] == _REPORT and address.partition("%")[0] not in _own():
                heard.add(address.partition("%")[0])
        print("\n".join(sorted(heard)))


if __name__ == "__main__":
    main(*sys.argv[1:])
