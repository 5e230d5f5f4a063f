"""Mending in little room, in few colours and none, in ASCII, and while nothing happens."""

import re
import time

import pytest
from tui.scratch import OPEN, Scratch, open_step
from tui.scratch import scratch as scratch
from tui.test_mending import SIZES, edit_of, make

COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|[34]8;[25])[0-9;]*m")
ONLY_16 = re.compile(r"\x1b\[[0-9;]*[34]8;[25]")


@pytest.mark.parametrize("size", [(40, 10), (20, 5)], ids=["40x10", "20x5"])
def test_a_finding_is_mended_in_little_room(scratch: Scratch, size: tuple[int, int]) -> None:
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.wait_for(f"▸ ✗ fails   {OPEN}")
        terminal.resize(*size)
        time.sleep(0.5)
        terminal.keys("f")
        terminal.wait_for("▸ 1  Let only")
        terminal.keys("Enter")
        terminal.wait_for("Do this?", "No")
        terminal.keys("y")
        terminal.wait_for("Mode 600")
        assert scratch.mode == 0o600
        terminal.keys("u")
        terminal.wait_for("Take this back?"[: size[0] - 4])
        terminal.resize(80, 24)
        terminal.wait_for("Take this back?", "chmod 0644")


@pytest.mark.parametrize("variables", [("NO_COLOR=1",), ("TERM=xterm",), ("TERM=linux",)], ids=str)
def test_plans_and_diffs_are_read_without_their_colours(scratch: Scratch, variables: tuple[str, ...]) -> None:
    with scratch.wizard(before=("env", *variables)) as terminal:
        open_step(terminal)
        terminal.keys("s")
        terminal.wait_for("Server's name")
        terminal.keys("Down", "Down", "Down", "Down", "Enter")
        terminal.wait_for("left out")
        terminal.keys("s")
        terminal.wait_for("-SKIP_FTS=n", "+SKIP_FTS=y", "Do this?", "low risk, can be taken back")
        drawn = terminal.text(escapes=True)
    assert bool(COLOUR.search(drawn)) is ("NO_COLOR=1" not in variables)
    assert not ONLY_16.search(drawn)


def test_each_screen_is_silent_while_nothing_happens(scratch: Scratch) -> None:
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.wait_for(f"▸ ✗ fails   {OPEN}")
        for key, wanted in (("f", "Nobody but root"), ("Enter", "Do this?"), ("y", "Mode 600")):
            terminal.keys(key)
            terminal.wait_for(wanted)
            terminal.wait_for_silence(1.5)


@SIZES
@pytest.mark.parametrize("later", [True, False], ids=["by a later change", "by hand"])
def test_lines_that_were_edited_since_are_shown_as_they_are_and_were(
    scratch: Scratch, size: tuple[int, int], later: bool
) -> None:
    make(scratch, edit_of(scratch, b"SKIP_FTS=n", b"SKIP_FTS=y"))
    if later:
        make(scratch, edit_of(scratch, b"SKIP_FTS=y", b"SKIP_FTS=maybe"))
    else:
        scratch.conf.write_bytes(scratch.conf.read_bytes().replace(b"SKIP_FTS=y", b"SKIP_FTS=maybe"))
    with scratch.wizard(size) as terminal:
        open_step(terminal)
        terminal.keys("U")
        terminal.wait_for("▸ 2  20" if later else "▸ 1  20")
        terminal.keys("Down", "u")
        terminal.wait_for(
            *("As it is now:\n     SKIP_FTS=maybe", "As it was before the change:\n     SKIP_FTS=n"),
            "change 2 set the same lines later" if later else "were edited since",
        )
    assert "SKIP_FTS=maybe" in scratch.conf.read_text()
