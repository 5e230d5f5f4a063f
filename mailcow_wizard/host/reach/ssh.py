"""A server reached by ssh: one connection, over which the one-file build is copied and run.

The far side's shell, whichever it is, sees words of ours only: a fixed script without anything that shells
read differently between single quotes, and words of letters, digits and `/._=-`. What the person typed
travels inside one of them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import IO

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

LOST = 255
"""The exit code of ssh itself: there was no connection, or it was lost."""
_ALIVE = ("ServerAliveInterval=5", "ServerAliveCountMax=4", "ConnectTimeout=30")
_MARK = "mailcow-wizard-far:"
_FILE = "mailcow-wizard.pyz"
_MOST_GREETING = 1 << 16
_NOT_WRITTEN = 73
_LONGEST_ABOVE = 64
_HOST = pattern(r"[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*")
_USER = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.@\\+-]*")
_PLACE = pattern(r"/[A-Za-z0-9/._@+-]+")
_TOLD = pattern(rf"{_MARK} (?P<user>\d+) (?P<sudo>sudo|doas|none) (?P<python>.+) (?P<place>\S+)")
# The far side has none of the desk's settings; these concern the person who looks on.
_SETTINGS = (
    *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "COLORTERM", "NO_COLOR"),
    "MAILCOW_WIZARD_PLAIN_DISPLAY",
)
# Those of the wizard that are no secret go along where they are set: mailboxes, and files of the server.
_OWN_SETTINGS = (
    *("MAILCOW_WIZARD_MAILBOX", "MAILCOW_WIZARD_MAILBOX_PASSWORD_FILE", "MAILCOW_WIZARD_FAR_MAILBOX"),
    *("MAILCOW_WIZARD_FAR_IMAP", "MAILCOW_WIZARD_FAR_PASSWORD_FILE", "MAILCOW_WIZARD_TSIG"),
)
_PYTHONS = "python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python3.10"
_FITS = "import sys, lzma, zlib; sys.exit(sys.version_info < (3, 10))"
_TAKE = (
    "import sys; f = open(sys.argv[1], sys.argv[2]); "
    "[print(sys.argv[3], f.tell(), flush=True) "
    "for b in iter(lambda: sys.stdin.buffer.read1(65536), bytes()) if f.write(b)]; f.close()"
)
"""Takes the file, and says how much of it has arrived: ssh itself would take it all at once."""
_DIRECTORY = "mailcow-wizard-ssh-XXXXXXXXXX"
_SCRIPT = (
    "umask 077; p=; "
    f"for c in {_PYTHONS}; do "
    f'if "$c" -I -c "{_FITS}" </dev/null >/dev/null 2>&1; '
    "then p=$(command -v $c); break; fi; done; "
    f'if test -z "$p"; then echo "{_MARK} no-python"; exit 0; fi; '
    "s=none; for c in sudo doas; do if command -v $c >/dev/null; then s=$c; break; fi; done; "
    f"d=$(mktemp -d /tmp/{_DIRECTORY}) || d=$(mktemp -d /var/tmp/{_DIRECTORY}) || exit {_NOT_WRITTEN}; "
    f'echo "{_MARK} $(id -u) $s $p $d"; '
    f'"$p" -I -c "{_TAKE}" "$d/{_FILE}" xb {_MARK} || {{ rm -rf "$d"; exit {_NOT_WRITTEN}; }}'
)
# What a screen that ended without a word leaves: keys, paste, focus, mouse; no wrapping; its own page.
_CALM = "\x1b[<u" + "".join(f"\x1b[?{one}l" for one in (2004, 1004, 1000, 1002, 1003, 1006, 1015))
_CALM += "\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l"


class Destination(NamedTuple):
    """Where to: as ssh takes it. Empty and 0: as ssh's own settings say."""

    host: str
    user: str = ""
    port: int = 0


class Place(NamedTuple):
    """The far side: its user's number, how to become root, its Python, and our directory there."""

    user: int
    sudo: str
    python: str
    directory: str


class Lost(HostError):
    """There is no connection."""


def destination(text: str) -> Destination | None:
    """Reads `[user@]server[:port]`, an IPv6 address in brackets where a port follows; None: it is none."""
    user, _, rest = text.rpartition("@")
    host, colon, port = rest.rpartition(":")
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        colon, port = port[:1], port[1:]
    elif not colon or ":" in host:
        host, colon, port = rest, "", ""
    number = int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else 0
    fits = _HOST.fullmatch(host) and (not user or _USER.fullmatch(user)) and "@" not in text[:1]
    if not fits or (colon and not 0 < number < 65536) or (not colon and port):
        return None
    return Destination(host, user, number)


def can_draw() -> bool:
    """Whether somebody sits at a terminal here."""
    return os.isatty(0) and os.isatty(1)


def _for_sockets() -> str:
    """A directory in which sockets can lie that ssh is told of: it ends a path at a blank and fills in what
    stands behind %, and of the 104 bytes that a socket's path may have everywhere (macOS; Linux: 108) it
    needs 17 itself."""
    usual = tempfile.gettempdir()
    return usual if _PLACE.fullmatch(usual) and len(usual) <= _LONGEST_ABOVE else "/tmp"  # noqa: S108


def _send(to: IO[bytes], data: bytes) -> None:
    """Sends a file, as fast as it is taken."""
    with contextlib.suppress(OSError):
        to.write(data)
    with contextlib.suppress(OSError):
        to.close()


class Connection:
    """The connection to one server; closed it leaves nothing here."""

    def __init__(self, to: Destination) -> None:
        """Connects to nothing yet. Raises HostError where there is no ssh."""
        ssh = shutil.which("ssh")
        if not ssh:
            raise HostError("the command ssh is not installed")
        self._to = to
        self._own = tempfile.mkdtemp(prefix="mw-", dir=_for_sockets())
        self._start = [ssh, "-o", f"ControlPath={self._own}/c"]
        self._where = [*(["-l", to.user] if to.user else []), *(["-p", str(to.port)] if to.port else [])]
        self._place: Place | None = None
        self._greeting = ""

    @property
    def desk(self) -> str:
        """Where a socket of this side may lie."""
        return f"{self._own}/desk"

    def copy(self, take: Callable[[], bytes], tell: Callable[[int], None]) -> Place:
        """Connects (ssh may ask for a password) and copies the file; `tell` is given per cent.

        Raises Lost, or HostError where nothing can be run there.
        """
        options = ["ControlMaster=yes", "ControlPersist=yes", *_ALIVE]
        argv = [*self._start, *(word for one in options for word in ("-o", one)), *self._where, "-T", "--"]
        with subprocess.Popen(
            [*argv, self._to.host, f"exec sh -c '{_SCRIPT}'"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            sent, said = process.stdin, process.stdout
            if not sent or not said:
                raise AssertionError
            place = self._place = self._heard(said)
            data = take() if place else b""
            threading.Thread(target=_send, args=(sent, data), daemon=True, name="copy").start()
            arrived = 0
            for line in iter(lambda: said.readline(_MOST_GREETING), b""):
                arrived = int(line.split()[-1])
                tell(100 * arrived // len(data))
            code = process.wait()
        if code == LOST:
            raise Lost("there is no connection to the server")
        if not place and code != _NOT_WRITTEN:
            raise HostError(f"nothing can be run there: {self._greeting or 'it says nothing'}")
        if code or not place or arrived != len(data):
            raise HostError("the file could not be written there, neither in /tmp nor in /var/tmp")
        return place

    def _heard(self, said: IO[bytes]) -> Place | None:
        """What the far side says of itself; what its shell's own settings print before is passed over."""
        for line in iter(lambda: said.readline(_MOST_GREETING), b""):
            text = line.decode("utf-8", "replace").strip()
            self._greeting = text or self._greeting
            if text == f"{_MARK} no-python":
                raise HostError(
                    "no Python 3.10 or newer (with lzma and zlib) was found there. Debian, Ubuntu: "
                    "apt-get install python3. EL: dnf install python3.11. Alpine: apk add python3"
                )
            found = _TOLD.fullmatch(text)
            if found and _PLACE.fullmatch(found["place"]):
                place = self._place = Place(
                    int(found["user"]), found["sudo"], found["python"], found["place"]
                )
                if not _PLACE.fullmatch(place.python):
                    raise HostError(f"its Python has a path that no shell can be given: {place.python}")
                return place
        return None

    def bring_home(self) -> str:
        """A socket over there that leads to `desk`; its path there, empty where the server forbids it."""
        if not self._place:
            return ""
        far = f"{self._place.directory}/desk"
        ran = self._quietly("-O", "forward", "-R", f"{far}:{self.desk}")
        return far if ran == 0 else ""

    def run(self, words: Sequence[str], lines: tuple[str, str], desk: str, keep: bool) -> int:
        """Runs the wizard there, with this terminal where there is one; its exit code, or LOST.

        `lines` begin it again from this side: as this user, and as root.
        """
        place = self._place
        if not place:
            raise Lost("there is no connection to the server")
        asked = {
            "words": list(words),
            "from": lines,
            "desk": desk,
            "keep": keep,
            "environment": {name: os.environ.get(name) for name in _SETTINGS}
            | {name: value for name in _OWN_SETTINGS if (value := os.environ.get(name))},
        }
        packed = base64.urlsafe_b64encode(json.dumps(asked).encode()).decode()
        as_root = () if place.user == 0 or place.sudo == "none" else self._as_root(place.sudo)
        far = ["exec", *as_root, place.python, "-I", f"{place.directory}/{_FILE}", "--far", packed]
        drawn = can_draw()
        argv = [*self._start, *self._where, "-t" if drawn else "-T", "-q", "--", self._to.host, " ".join(far)]
        with subprocess.Popen(argv) as process:
            while True:
                try:
                    code = process.wait()
                    break
                except KeyboardInterrupt:
                    continue  # ssh has it too, and ends
        if code == LOST and drawn:
            with contextlib.suppress(OSError):
                os.write(1, _CALM.encode())
        return code

    def began(self) -> bool:
        """Whether a run that has ended had begun: where sudo refuses, the copy lies there untouched."""
        where = self._place.directory if self._place else ""
        return bool(where) and self._quietly("-T", then=f"test -e {where}/{_FILE}") != 0

    def _as_root(self, sudo: str) -> tuple[str, ...]:
        """What asks for the password does so at the terminal, or not at all."""
        return (sudo, "--") if can_draw() else (sudo, "-n", "--")

    def _quietly(self, *words: str, then: str = "") -> int:
        nothing = subprocess.DEVNULL
        argv = [
            *self._start,
            *self._where,
            *words,
            "--",
            self._to.host,
            *([f"exec sh -c '{then}'"] if then else []),
        ]
        try:
            return subprocess.run(
                argv, stdin=nothing, stdout=nothing, stderr=nothing, timeout=30, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return LOST

    def close(self) -> None:
        """Ends the connection. What was copied goes, too, where nothing over there has begun to use it."""
        if os.path.exists(f"{self._own}/c"):
            if self._place:
                self._quietly(
                    "-T", then=f"test -e {self._place.directory}/code || rm -rf {self._place.directory}"
                )
            self._quietly("-O", "exit")
        shutil.rmtree(self._own, ignore_errors=True)
