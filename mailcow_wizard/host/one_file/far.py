"""In the one-file build: one run for somebody at another machine, of which nothing stays here.

The wizard runs in a process beside this one, with the terminal; this one waits for its end, whatever ends
it, and removes the file and what was unpacked. Where something still works with that code (an install goes
on when the line is lost), a process that outlives the session removes it after that.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import zipimport
from collections.abc import Callable

from mailcow_wizard.host.one_file import cache as one_file_cache
from mailcow_wizard.host.one_file import unpack as one_file_unpack

PREFIX = "mailcow-wizard-ssh-"
_LOOK_S = 5.0
_FORGOTTEN_S = 86_400.0
_DEFECT = 70
_ASKED = frozenset({"words", "from", "desk", "keep", "environment"})
_KEPT = "mailcow-wizard"


def run(words: list[str], start: Callable[[str], None]) -> None:
    """Runs what the other machine asked for, and ends the process with its exit code. `start` runs the code
    that is unpacked in a directory."""
    asked = json.loads(base64.urlsafe_b64decode(words[0]))
    if set(asked) != _ASKED:
        sys.exit(_DEFECT)
    file = os.path.abspath(__loader__.archive)  # type: ignore[name-defined]
    upload = os.path.dirname(file)
    # With sudo the file is another user's, and root's code must not lie in that user's directory.
    place = upload if one_file_cache.is_ours(os.path.join(upload, ".")) else _place_of_ours()
    _sweep(os.path.dirname(upload), (place, upload))
    code = os.path.join(place, "code")
    os.mkdir(code, 0o700)
    one_file_unpack.unpack(code)
    child = os.fork()
    if child == 0:
        again, as_root = asked["from"]
        ours = {"MAILCOW_WIZARD_FROM": again, "MAILCOW_WIZARD_FROM_ROOT": as_root}
        settings = {**asked["environment"], **ours, "MAILCOW_WIZARD_DESK": asked["desk"]}
        for name, value in settings.items():
            if value:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)
        sys.argv = [file, *asked["words"]]
        start(code)
    ended = _wait(child)
    if asked["keep"]:
        sys.stderr.write(f"mailcow-wizard: {_keep(file)}\n")
    _leave(code, (place, upload))
    os._exit(ended)


def _place_of_ours() -> str:
    return tempfile.mkdtemp(prefix=PREFIX, dir=one_file_cache.temporary())


def _wait(child: int) -> int:
    """The wizard's exit code. Keys are its own business; the end of the line and of this is passed on."""

    def pass_on(number: int, frame: object) -> None:
        os.kill(child, number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, pass_on)
    signal.signal(signal.SIGTERM, pass_on)
    _, status = os.waitpid(child, 0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _keep(file: str) -> str:
    """Puts the file where commands are looked for; says in one sentence what became of it."""
    home = "/usr/local" if os.getuid() == 0 else os.path.expanduser("~/.local")
    target = os.path.join(home, "bin", _KEPT)
    fresh = f"{target}.{os.getpid()}.new"
    try:
        if os.path.lexists(target) and not _is_ours(target):
            return f"not kept: {target} is there already, and is not this program"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), "wb") as made:
            with open(file, "rb") as source:
                shutil.copyfileobj(source, made)
            os.fchmod(made.fileno(), 0o755)
        os.rename(fresh, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        return f"not kept: {target}: {error.strerror}"
    return f"kept on the server as {target}"


def _is_ours(path: str) -> bool:
    """Whether a file is a one-file build of the wizard."""
    try:
        return zipimport.zipimporter(path).find_spec("one_file_entry") is not None
    except zipimport.ZipImportError:
        return False


def _leave(code: str, leftovers: tuple[str, ...]) -> None:
    """Removes everything, at once or when nobody works with it any more."""
    if in_use(code):
        if os.fork():
            return
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.chdir("/")
        while in_use(code):
            time.sleep(_LOOK_S)
    for one in leftovers:
        shutil.rmtree(one, ignore_errors=True)


def in_use(code: str) -> bool:
    """Whether a process besides this one was started from there."""
    for number in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                if int(number) != os.getpid() and os.fsencode(code) in file.read():
                    return True
        except OSError:
            continue
    return False


def _sweep(above: str, own: tuple[str, ...]) -> None:
    """Removes what a session has left that was killed, a day later."""
    for entry in os.scandir(above):
        if entry.name.startswith(PREFIX) and entry.path not in own and _is_forgotten(entry):
            shutil.rmtree(entry.path, ignore_errors=True)


def _is_forgotten(entry: os.DirEntry[str]) -> bool:
    """Whether it is old, this user's, and nobody works with it; another session may remove it meanwhile."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    old = found.st_mtime < time.time() - _FORGOTTEN_S
    return old and found.st_uid == os.getuid() and not in_use(entry.path)
