"""Questions at the terminal."""

import io
import os
import sys
import threading

import pytest

from mailcow_wizard.host.terminal import asking


class _Told(io.StringIO):
    """What was asked; answers the second question."""

    def __init__(self, answer: int) -> None:
        super().__init__()
        self._answer = answer
        self.asked = 0

    def flush(self) -> None:
        self.asked += 1
        if self.asked == 2:
            os.write(self._answer, b"yes\n")


def test_a_line_that_is_not_utf_8_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, answer = os.pipe()
    told = _Told(answer)
    monkeypatch.setattr(sys, "stdout", told)
    with open(reading, encoding="utf-8") as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        os.write(answer, b"\xff\n")
        ended = threading.Timer(5, os.close, [answer])
        ended.start()
        assert asking.ask("Really?")
        ended.cancel()
    os.close(answer)
    assert told.asked == 2
