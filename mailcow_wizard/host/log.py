"""The log that `--log` asks for: what was done, with times, for its owner only."""

import os
import time

from mailcow_wizard.host.door import HostError


class LogFile:
    """Lines with the time in UTC, each on disk when the next one comes."""

    def __init__(self, path: str) -> None:
        """Opens the file to append to it. Raises HostError."""
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HostError(f"{path} could not be written: {error.strerror}") from None

    def write(self, text: str) -> None:
        """Adds a line; a full disk must not stop what is logged."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            os.write(self._descriptor, f"{stamp} {text}\n".encode("utf-8", "backslashreplace"))
        except OSError:
            return
