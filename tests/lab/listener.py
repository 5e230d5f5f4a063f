"""A program that listens, in every way a socket can, until it is ended. It prints `ready` when it does.

Started as a process of its own: `python -I -S listener.py [OPTIONS] ADDRESS PORT[,PORT…] [ANYTHING…]`. Words
after the ports are there to be seen in its command line.
"""

import argparse
import ctypes
import os
import signal
import socket

_PR_SET_PDEATHSIG = 1


def listening(address: str, port: int, options: argparse.Namespace) -> socket.socket:
    """One listening socket, SO_REUSEADDR as servers set it; or one that is only bound, or connected."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, not options.no_reuse)
    if options.reuse_port:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if options.device:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, options.device.encode())
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, options.v6only)
    one.bind((address, port))
    if options.connect:
        one.connect(("127.0.0.1", options.connect))
    elif not options.only_bind:
        one.listen()
    return one


def fork_worker() -> None:
    """A child that shares the sockets and dies with its parent."""
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pause()


def main() -> None:
    """Listens, forks workers that share the sockets, waits for its end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--v6only", action="store_true")
    parser.add_argument("--reuse-port", action="store_true")
    parser.add_argument("--no-reuse", action="store_true")
    parser.add_argument("--only-bind", action="store_true")
    parser.add_argument("--connect", type=int, default=0)
    parser.add_argument("--device", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("address")
    parser.add_argument("ports")
    parser.add_argument("anything", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.name:
        with open("/proc/self/comm", "wb") as name:
            name.write(os.fsencode(options.name))
    sockets = [listening(options.address, int(port), options) for port in options.ports.split(",")]
    for _ in range(options.workers):
        fork_worker()
    print("ready", flush=True)
    signal.pause()
    del sockets


if __name__ == "__main__":
    main()
