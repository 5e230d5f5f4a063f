"""How wide sentences are; and what happens to output that nobody takes any more, while work remains."""

from collections.abc import Callable

from mailcow_wizard.host.terminal import streams


def sentence_columns(plain: bool) -> int:
    """How many columns sentences have on stdout; 0 where they stay in one line: `plain`, or no terminal."""
    return 0 if plain or not streams.on_terminal() else streams.columns()


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
