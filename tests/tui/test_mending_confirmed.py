"""A change that may cut off who makes it: kept by a key, taken back by another, and by itself."""

import pytest
from lab.inside import wait_until
from tui.scratch import Scratch
from tui.scratch import scratch as scratch
from tui.test_mending import SIZES, edit_of, under_way

QUESTION = "Still connected? Without an answer this is taken back after 300 seconds."


@SIZES
@pytest.mark.parametrize("key", ["y", "s"])
def test_asks(scratch: Scratch, size: tuple[int, int], key: str) -> None:
    plan = edit_of(scratch, b"SKIP_FTS=n", b"SKIP_FTS=y")._replace(confirm=300.0)
    with under_way(scratch, plan), scratch.wizard(size) as terminal:
        terminal.wait_for("Waits to be confirmed", *QUESTION.split(), "y keep it", "s take it back now")
        assert "SKIP_FTS=y" in scratch.conf.read_text()
        terminal.keys("Enter")  # is no answer
        terminal.wait_for("Full name")
        terminal.keys("f")
        terminal.wait_for("y keep it")
        terminal.keys(key)
        terminal.wait_for("u take it back" if key == "y" else "Taken back, because stopped")
        wanted = "SKIP_FTS=y" if key == "y" else "SKIP_FTS=n"
        assert wait_until(lambda: wanted in scratch.conf.read_text(), 10)


@pytest.mark.long
def test_nobody_answers(scratch: Scratch) -> None:
    plan = edit_of(scratch, b"SKIP_FTS=n", b"SKIP_FTS=y")._replace(confirm=5.0)
    with under_way(scratch, plan), scratch.wizard() as terminal:
        terminal.wait_for("Still connected?", "after 5 seconds")
        terminal.wait_for("Taken back, because nobody confirmed within 5 seconds")
    assert "SKIP_FTS=n" in scratch.conf.read_text()
