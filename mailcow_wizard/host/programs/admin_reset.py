"""A program of its own: runs mailcow's script that gives its administrator a new password.

  python admin_reset.py DIRECTORY FILE

What the script prints holds the password, and what a command prints is written down: so it is read here, and
goes nowhere but into FILE, which root alone may read. The script wants a terminal (`docker exec -it`).
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # Started by its path: the package lies three directories up, and the modules beside this file must not be
    # taken for others of their name.
    sys.path[0] = os.path.abspath(os.path.join(__file__, "../../../.."))

import contextlib
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Sequence

from mailcow_wizard.harmless import harmless, shown
from mailcow_wizard.patterns import pattern

SCRIPT = "helper-scripts/mailcow-reset-admin.sh"
_OK, _NOT_DONE, _USAGE = 0, 1, 64
_PATIENCE_S = 100.0
_QUESTION = pattern(rb"\[y/N\]\s*$", re.IGNORECASE)
_PASSWORD = pattern(rb"(?m)^\s*Password:[ \t]*(\S+)\s*$")
_FAILED = pattern(rb"(?im)^(?:ERROR|Error|Cannot|.*exiting\.\.\.|.*not running).*$")


def main(words: Sequence[str]) -> int:
    """Runs the program; its exit code. What it prints holds no password."""
    if len(words) != 2:
        print("it takes mailcow's directory and the file for the password")
        return _USAGE
    directory, file = words
    said = _run(directory)
    found = _PASSWORD.search(said)
    failed = _FAILED.search(said)
    if not found or failed:
        why = failed[0].decode("utf-8", "replace").strip() if failed else "it named no password"
        why = why if not found else why.replace(found[1].decode("utf-8", "replace"), "…")
        print(f"the script gave the administrator no new password: {harmless(why, 200)}")
        return _NOT_DONE
    try:
        _keep(file, found[1] + b"\n")
    except OSError as error:
        lost = f"{file} could not be written ({error.strerror}): the new password is lost, run this again"
        print(shown(lost))
        return _NOT_DONE
    print(f"admin has a new password; it is in {shown(file)}, which root alone may read")
    return _OK


def _run(directory: str) -> bytes:
    """All that the script says on a terminal, where its question is answered with yes."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["/bin/bash", SCRIPT],
        cwd=directory,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said, asked = b"", 0
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 0.2)
        if not ready:
            if process.poll() is not None:
                break
            continue
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        said += part
        if _QUESTION.search(said[asked:]):
            asked = len(said)
            os.write(ours, b"y\n")
    if process.poll() is None and time.monotonic() >= end:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    os.close(ours)
    return said.replace(b"\r\n", b"\n")


def _keep(path: str, data: bytes) -> None:
    """Replaces the file whole; nobody else may have made it, or may read it."""
    part = f"{path}.part"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(part, path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
