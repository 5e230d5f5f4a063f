"""The far side of `reach`: tries all ports at once, and tells the near side what became of them."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Sequence

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.deadline import left
from mailcow_wizard.host.processes.in_time import in_time
from mailcow_wizard.host.reach.listener import MAGIC
from mailcow_wizard.host.reach.talk import Door, Talk, talk

# Servers of others on port 25: where none of them answers either, this line lets no port 25 out.
CONTROLS = ("gmail-smtp-in.l.google.com", "mx00.gmx.net", "mta5.am0.yahoodns.net")
_PATIENCE_S = 6.0
LONGEST_S = 9.0
"""What `knock` takes at most: a mail server may let strangers wait for six seconds before it greets them
(postscreen)."""
_ANSWER_S = LONGEST_S + 2.0
"""The near side may still be asking itself when a report comes, and answers only then."""
_SMTP = 25
_MOST_BYTES = 16_384
_NO_WAY = (
    *(errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT),
    *(errno.EPERM, errno.EACCES),  # this machine's own rules
    *(errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM),  # what it lacks
)


def addresses_of(host: str) -> tuple[str, ...]:
    """The addresses of a name, IPv4 first; an address is itself. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(
        dict.fromkeys(str(one[4][0]) for one in sorted(found, key=lambda one: one[0] == socket.AF_INET6))
    )


def knock(doors: Sequence[Door], token: str) -> dict[Door, str]:
    """What became of each, all tried at once: r refused, s silent, n no way there from here, or an answer
    (see `reach_talk`)."""
    return _Trial(doors, token).run()


def mail_leaves() -> bool | None:
    """Whether port 25 of anybody can be reached from here; None where none of their names resolves, or there
    is no way to them."""
    found: list[Door] = []

    def look_up() -> None:
        for name in CONTROLS:
            with contextlib.suppress(OSError):
                known = {":" in one: one for one in reversed(addresses_of(name))}
                found.extend(Door(one, _SMTP, "open") for one in known.values())

    with contextlib.suppress(HostError):
        in_time(look_up, _PATIENCE_S, "the name server")
    answers = set(knock(tuple(found), "").values())
    return "o" in answers if answers - {"n"} else None


def tell(door: Door, token: str, report: str) -> str:
    """Brings the report to a port that can be reached; its answer. Raises OSError."""
    family = socket.AF_INET6 if ":" in door.address else socket.AF_INET
    end = time.monotonic() + _ANSWER_S
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(_ANSWER_S)
        one.connect((door.address, door.port))
        one.sendall(f"{MAGIC} {token} REPORT {report}\n".encode())
        said = b""
        while len(said) < _MOST_BYTES:
            one.settimeout(left(end))
            data = one.recv(4096)
            if not data:
                break
            said += data
    return said.decode("ascii", "replace")


class _Trial:
    def __init__(self, doors: Sequence[Door], token: str) -> None:
        self._doors = doors
        self._token = token
        self._selector = selectors.DefaultSelector()
        self._results: dict[Door, str] = {}
        self._talks: dict[Door, Talk] = {}

    def run(self) -> dict[Door, str]:
        begun = time.monotonic()
        for one in self._doors:
            self._begin(one)
        self._go_on_until(begun + _PATIENCE_S)
        for key in list(self._selector.get_map().values()):
            if key.data not in self._talks or key.data.kind == "knock":
                self._end(key.fileobj, key.data)  # type: ignore[arg-type]
        self._go_on_until(begun + LONGEST_S)
        for key in list(self._selector.get_map().values()):
            self._end(key.fileobj, key.data)  # type: ignore[arg-type]
        self._selector.close()
        return self._results

    def _go_on_until(self, end: float) -> None:
        while self._selector.get_map() and (left := end - time.monotonic()) > 0:
            for key, events in self._selector.select(left):
                self._go_on(key.fileobj, key.data, events)  # type: ignore[arg-type]

    def _begin(self, door: Door) -> None:
        family = socket.AF_INET6 if ":" in door.address else socket.AF_INET
        try:
            one = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            self._refused(door, error.errno)
            return
        try:
            one.connect((door.address, door.port))
        except BlockingIOError:
            pass
        except OSError as error:
            one.close()
            self._refused(door, error.errno)
            return
        self._selector.register(one, selectors.EVENT_WRITE, door)

    def _refused(self, door: Door, number: int | None) -> None:
        """Why it cannot be tried, as the kernel says."""
        self._results[door] = "n" if (number or errno.ENETUNREACH) in _NO_WAY else "r"

    def _go_on(self, one: socket.socket, door: Door, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            number = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._refused(door, number)
                self._forget(one)
                return
            self._talks[door] = talk(door, self._token)
            self._selector.modify(one, selectors.EVENT_READ, door)
            self._say(one, door, self._talks[door].first)
            return
        try:
            data = one.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._say(one, door, self._talks[door].take(data))

    def _say(self, one: socket.socket, door: Door, words: bytes) -> None:
        with contextlib.suppress(OSError):  # whoever closed says so to the next reading
            if words:
                one.send(words)
        if self._talks[door].answer:
            self._end(one, door)

    def _end(self, one: socket.socket, door: Door) -> None:
        self._results[door] = self._talks[door].end() if door in self._talks else "s"
        self._forget(one)

    def _forget(self, one: socket.socket) -> None:
        self._selector.unregister(one)
        one.close()
