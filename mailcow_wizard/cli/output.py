"""What happens to output that nobody takes any more, while there is still something to do."""

from collections.abc import Callable


class Output:
    """Output whose failure waits for the end: what was begun is done, whoever reads of it."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._failure: Exception | None = None

    def write(self, text: str) -> None:
        """Writes as long as it can be written."""
        if self._failure is None:
            try:
                self._write(text)
            except Exception as failure:
                self._failure = failure

    def end(self) -> None:
        """Raises what went wrong, if anything did."""
        if self._failure:
            raise self._failure
