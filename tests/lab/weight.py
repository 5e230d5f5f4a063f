"""A program that is weight for a benchmark: many established connections, or many processes.

Started as a process of its own, `python -I -S weight.py connections|processes COUNT NUMBER`: it prints
`ready` when it holds them, and holds them until SIGTERM.
"""

import ctypes
import os
import resource
import signal
import socket
import sys

_PR_SET_PDEATHSIG = 1
_PORT = 4000


def hold_connections(count: int, number: int) -> None:
    """Both ends of so many connections over loopback; `number` gives this process two addresses of its own,
    so that no other takes its ephemeral ports."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    near, far = f"127.1.{number}.1", f"127.1.{number}.2"
    held = []
    with socket.create_server((far, _PORT)) as server:
        for _ in range(count):
            held.append(socket.create_connection((far, _PORT), source_address=(near, 0)))
            held.append(server.accept()[0])
        wait_for_the_end()


def hold_processes(count: int, descriptors: int) -> None:
    """So many children, each with so many descriptors: files and sockets in turn, as servers have them."""
    while (lowest := os.open("/dev/null", os.O_RDONLY)) < descriptors - 1:
        if lowest % 2:
            os.close(lowest)
            socket.socket(socket.AF_UNIX).detach()
    children: list[int] = []
    try:
        libc = ctypes.CDLL(None)
        for _ in range(count):
            child = os.fork()
            if child == 0:
                libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                signal.pause()
            children.append(child)
        wait_for_the_end()
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)


def wait_for_the_end() -> None:
    """Says that all is there, then waits for SIGTERM."""
    print("ready", flush=True)
    signal.sigwait({signal.SIGTERM})


def main(kind: str, first: str, second: str) -> None:
    """SIGTERM is kept for later, so that whatever was begun is also taken away in order."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    {"connections": hold_connections, "processes": hold_processes}[kind](int(first), int(second))


if __name__ == "__main__":
    main(*sys.argv[1:])
