"""Runs commands that look at the machine: bounded in time and output, with a clean environment."""

import os
import shutil
import signal
import subprocess
import threading
from typing import IO

from mailcow_wizard.host.door import Denied, HostError, Missing, NoAnswer, Ran

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOST_OUTPUT = 1 << 20
_ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/", "TERM": "dumb"}


def which(command: str) -> str:
    """The path of a command in the system's own directories; the caller's PATH is not trusted."""
    path = shutil.which(command, path=PATH)
    if path is None:
        raise Missing(f"the command {command} is not installed")
    return path


class Commands:
    """The commands that run at the moment, so that none outlives the program."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def run(self, argv: tuple[str, ...], timeout: float) -> Ran:
        """Runs a command in a session of its own; past `timeout` seconds ends it and all its children."""
        process = _start(argv)
        with self._lock:
            self._running.add(process)
        outputs: dict[str, bytes] = {}
        readers = [_reader(stream, name, outputs) for name, stream in _streams(process)]
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"{argv[0]} did not end within {timeout:g} s") from None
        finally:
            _end(process)
            with self._lock:
                self._running.discard(process)
        for reader in readers:
            reader.join(1.0)
        return Ran(code, _text(outputs.get("out", b"")), _text(outputs.get("err", b"")))

    def end_all(self) -> None:
        """Ends what still runs."""
        with self._lock:
            left = list(self._running)
        for process in left:
            _end(process)


def _start(argv: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            [which(argv[0]), *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except PermissionError:
        raise Denied(f"{argv[0]} may not be run by this user") from None
    except OSError as error:
        raise HostError(f"{argv[0]} could not be started: {error.strerror}") from None


def _streams(process: "subprocess.Popen[bytes]") -> list[tuple[str, IO[bytes]]]:
    return [(name, stream) for name, stream in (("out", process.stdout), ("err", process.stderr)) if stream]


def _reader(stream: IO[bytes], name: str, outputs: dict[str, bytes]) -> threading.Thread:
    thread = threading.Thread(target=_read, args=(stream, name, outputs), daemon=True)
    thread.start()
    return thread


def _read(stream: IO[bytes], name: str, outputs: dict[str, bytes]) -> None:
    """Keeps the first MiB of a stream and drops the rest, so that the command never waits for us."""
    parts: list[bytes] = []
    size = 0
    with stream:
        while chunk := os.read(stream.fileno(), 1 << 16):
            if size < MOST_OUTPUT:
                parts.append(chunk[: MOST_OUTPUT - size])
                size += len(parts[-1])
    outputs[name] = b"".join(parts)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the whole session, and descendants that left it: one of them could hold the pipes open."""
    strays = _descendants(process.pid) if process.poll() is None else []
    for kill, pid in ((os.killpg, process.pid), *((os.kill, stray) for stray in strays)):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    process.wait()


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        try:
            with open(f"/proc/{parent}/task/{parent}/children", "rb") as children:
                below = [int(word) for word in children.read().split()]
        except (OSError, ValueError):
            continue
        found += below
        waiting += below
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
