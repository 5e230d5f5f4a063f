"""What is shown on the bare terminal until a key closes it."""

import os
import pty
import select
import subprocess
import sys
import time

import pytest

SHOWS = "from mailcow_wizard.host.terminal.streams import show_until_closed; show_until_closed('the line')"


def _read_until(ours: int, wanted: bytes) -> None:
    seen, end = b"", time.monotonic() + 30
    while wanted not in seen:
        assert select.select([ours], [], [], end - time.monotonic())[0], seen
        seen += os.read(ours, 4096)


@pytest.mark.parametrize(
    ("keys", "closes"),
    [
        (b"\x1b", True),
        (b"\r", True),
        (b"\x1b[A\x1b", True),  # an arrow and Esc, read at once by a machine that is slow
        (b"xq", True),
        (b"\x1b[A", False),
        (b"x\x1b[B", False),
    ],
)
def test_a_key_closes_it_whatever_came_before(keys: bytes, closes: bool) -> None:
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen([sys.executable, "-c", SHOWS], stdin=theirs, stdout=theirs) as shown:
            _read_until(ours, b"goes back")
            os.write(ours, keys)
            if not closes:
                with pytest.raises(subprocess.TimeoutExpired):
                    shown.wait(0.5)
                os.write(ours, b"\r")
            assert shown.wait(10) == 0
    finally:
        os.close(ours)
        os.close(theirs)
