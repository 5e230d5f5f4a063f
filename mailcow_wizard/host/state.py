"""The wizard's own state directory: small JSON files, written whole or not at all, readable by the owner."""

import json
import os
from typing import Any

from mailcow_wizard.host.door import HostError

FOR_ROOT = "/var/lib/mailcow-wizard"
_MOST_BYTES = 4 << 20


def default_directory() -> str:
    """Where state is kept: /var/lib for root, the user's state directory (XDG) else."""
    if os.geteuid() == 0:
        return FOR_ROOT
    base = os.environ.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "mailcow-wizard")


class StateDirectory:
    """Named JSON documents in one directory."""

    def __init__(self, path: str) -> None:
        self.path = path

    def load(self, name: str) -> Any:
        """The document; None where there is none or it is not readable as JSON."""
        try:
            with open(os.path.join(self.path, f"{name}.json"), "rb") as file:
                return json.loads(file.read(_MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return None

    def save(self, name: str, document: Any) -> None:
        """Replaces the document in one step, on disk before this returns. Raises HostError."""
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
        except OSError as error:
            raise HostError(f"{self.path} could not be made: {error.strerror}") from None
        write_private(os.path.join(self.path, f"{name}.json"), document)


def write_private(path: str, document: Any) -> None:
    """Writes JSON to a file that only its owner may read, in one step, on disk before this returns.

    Raises HostError; then the file is as it was.
    """
    part = f"{path}.{os.getpid()}.part"
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
                json.dump(document, file, indent=1, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except OSError:
            os.unlink(part)
            raise
    except OSError as error:
        raise HostError(f"{path} could not be written: {error.strerror}") from None
