"""The wizard's own state directory: small JSON files, written whole or not at all, readable by the owner."""

from __future__ import annotations

import contextlib
import json
import os

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.trust import followed
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

FOR_ROOT = "/var/lib/mailcow-wizard"
_MOST_BYTES = 4 << 20
_ROOM, _ROOM_BYTES = "room", 32 << 10


def default_directory() -> str:
    """Where state is kept: /var/lib for root, the user's state directory (XDG) else."""
    if os.geteuid() == 0:
        return FOR_ROOT
    base = os.environ.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        home = os.path.expanduser("~")
        # A user that nobody made has no home; a name without a place would be one in this directory.
        base = os.path.join(home if home.startswith("/") else "/", ".local", "state")
    return os.path.join(base, "mailcow-wizard")


def of_root(path: str) -> str:
    """Root's state directory, where there is one and this user is another and looks elsewhere; else empty."""
    other = os.geteuid() != 0 and os.path.abspath(path) != FOR_ROOT
    return FOR_ROOT if other and os.path.isdir(FOR_ROOT) else ""


class StateDirectory:
    """Named JSON documents in one directory."""

    def __init__(self, path: str) -> None:
        # The process that makes changes works in another directory.
        self.path = os.path.abspath(path)

    @property
    def changes(self) -> str:
        """Where the records of changes lie."""
        return f"{self.path}/changes"

    def has(self, name: str) -> bool:
        """Whether there is such a document."""
        return os.path.exists(f"{self.path}/{name}.json")

    def load(self, name: str) -> Any:
        """The document; None where there is none or it is not readable as JSON."""
        try:
            # Not blocking: a FIFO in the file's place would wait for a writer for ever.
            descriptor = os.open(
                os.path.join(self.path, f"{name}.json"), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
            )
            with open(descriptor, "rb") as file:
                return json.loads(file.read(_MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return None

    def save(self, name: str, document: Any, durable: bool = True) -> None:
        """Replaces the document in one step; `durable`: on disk before this returns. Raises HostError."""
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
        except OSError as error:
            raise HostError(f"{self.path} could not be made: {error.strerror}") from None
        write_private(os.path.join(self.path, f"{name}.json"), document, durable)

    def forget(self, name: str) -> None:
        """Removes the document and what a killed `save` of it left, where there is some and it can be."""
        with contextlib.suppress(OSError):
            for one in os.listdir(self.path):
                if one == f"{name}.json" or (one.startswith(f"{name}.json.") and one.endswith(".part")):
                    os.unlink(f"{self.path}/{one}")

    def keep_room(self) -> None:
        """Keeps some room on the disk, for a document that has to be written to a full one."""
        try:
            # Random: a file system that packs what it holds keeps room for nothing else.
            _replace(f"{self.path}/{_ROOM}", os.urandom(_ROOM_BYTES).hex(), durable=False)
        except OSError:
            return

    def release_room(self) -> bool:
        """Gives that room free; False where none was kept."""
        try:
            os.unlink(f"{self.path}/{_ROOM}")
        except OSError:
            return False
        return True

    def write_report(self, name: str, text: str) -> str:
        """Writes a report for its owner alone; returns its path. Raises HostError."""
        return self.write_text("reports", name, text)

    def write_text(self, place: str, name: str, text: str) -> str:
        """Writes a file into a directory of this one, for its owner alone; its path. Raises HostError."""
        directory = f"{self.path}/{place}"
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
            _replace(f"{directory}/{name}", text, durable=True)
        except OSError as error:
            raise HostError(f"{directory}/{name} could not be written: {error.strerror}") from None
        return f"{directory}/{name}"


def obstacle(path: str) -> str:
    """What would keep `write_private` from writing there, as far as it shows beforehand; empty: nothing."""
    try:
        target = followed(path)
    except (OSError, HostError) as error:
        return f"{path} could not be written: {getattr(error, 'strerror', None) or error}"
    directory = os.path.dirname(target)
    if os.path.exists(target) and not os.path.isfile(target):
        return f"{path} could not be written: it is not a file"
    if not os.path.isdir(directory):
        return f"{path} could not be written: there is no directory {directory}"
    if not os.access(directory, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return f"{path} could not be written: {directory} is not writable"
    return ""


def write_private(path: str, document: Any, durable: bool = True) -> None:
    """Writes JSON to a file that only its owner may read, in one step.

    `durable`: it is on disk before this returns.
    Raises HostError; then the file is as it was. A symbolic link stays one; a device or a pipe is refused.
    """
    try:
        target = followed(path)
        if os.path.exists(target) and not os.path.isfile(target):
            raise HostError(f"{path} could not be written: it is not a file")
        # Indented, JSON is written by Python itself, and takes ten times as long.
        text = json.dumps(document, indent=1 if durable else None, ensure_ascii=False) + "\n"
        _replace(target, text, durable)
    except OSError as error:
        raise HostError(f"{path} could not be written: {error.strerror}") from None


def _replace(target: str, text: str, durable: bool) -> None:
    # Not the process's number: a container's is often the same, and a killed one's part would be in the way.
    part = f"{target}.{os.urandom(4).hex()}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):  # an interruption may come when it has its new name already
            os.unlink(part)
        raise
    if durable:
        flush_directory(os.path.dirname(target))


def flush_directory(path: str) -> None:
    """Has the names in a directory on disk: a new file is there after a power cut only when its name is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
