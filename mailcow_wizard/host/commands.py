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


def which(command: str) -> str:
    """The path of a command in the system's own directories; the caller's PATH is not trusted."""
    path = shutil.which(command, path=PATH)
    if path is None:
        raise Missing(f"the command {command} is not installed")
    return path


def run(argv: tuple[str, ...], timeout: float) -> Ran:
    """Runs a command in a session of its own; past `timeout` seconds ends it and all its children."""
    path = which(argv[0])
    try:
        process = subprocess.Popen(
            [path, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/", "TERM": "dumb"},
            cwd="/",
            start_new_session=True,
        )
    except PermissionError:
        raise Denied(f"{argv[0]} may not be run") from None
    except OSError as error:
        raise HostError(f"{argv[0]} could not be started: {error.strerror}") from None
    outputs: dict[str, bytes] = {}
    readers = [
        threading.Thread(target=_read, args=(stream, name, outputs), daemon=True)
        for name, stream in (("out", process.stdout), ("err", process.stderr))
        if stream
    ]
    for reader in readers:
        reader.start()
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"{argv[0]} did not end within {timeout:g} s") from None
    finally:
        _end(process)
    for reader in readers:
        reader.join(1.0)
    return Ran(code, _text(outputs.get("out", b"")), _text(outputs.get("err", b"")))


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
    """Ends the whole session: a child that was left behind could hold the pipes open."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
