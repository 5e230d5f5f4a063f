"""Work in a process of its own: what it says arrives, and it ends with the one that started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mailcow_wizard.host.processes import apart
from mailcow_wizard.model import Event, Evidence

pytestmark = pytest.mark.timed


def _nothing() -> None:
    pass


def _all(child: apart.Apart) -> list[object]:
    heard: list[object] = []
    while (said := child.hear(wait=True)) is not None:
        heard += said
    return heard


def _soon(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_is_said_arrives_whole_and_in_order() -> None:
    said = [
        Event("started", "a"),
        Evidence("x" * 300_000, "ü"),
        *(Event("finished", str(n)) for n in range(99)),
    ]

    def work(say: apart.Say) -> None:
        for one in said:
            say(one)

    child = apart.start(work, _nothing)
    assert child
    assert _all(child) == said
    child.end()


def test_nothing_said_yet_is_no_end() -> None:
    child = apart.start(lambda say: time.sleep(60), _nothing)
    assert child
    assert child.hear(wait=False) == []
    child.end()


def test_work_that_crashes_says_no_more() -> None:
    def work(say: apart.Say) -> None:
        say("before")
        raise ValueError

    child = apart.start(work, _nothing)
    assert child
    assert _all(child) == ["before"]
    child.end()


def test_the_end_comes_early_and_closes(tmp_path: Path) -> None:
    closed = tmp_path / "closed"

    def work(say: apart.Say) -> None:
        say(os.getpid())
        time.sleep(60)

    child = apart.start(work, closed.touch)
    assert child
    heard = child.hear(wait=True)
    assert heard
    begun = time.monotonic()
    child.end()
    assert time.monotonic() - begun < 2
    assert closed.exists()
    assert not Path(f"/proc/{heard[0]}").exists()


def test_who_is_killed_leaves_nobody_behind() -> None:
    code = (
        "import os, time\n"
        "from mailcow_wizard.host.processes import apart\n"
        "def work(say):\n    say(os.getpid())\n    time.sleep(60)\n"
        "child = apart.start(work, lambda: None)\n"
        "print(child.hear(wait=True)[0], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert not _gone(pid)
        parent.send_signal(signal.SIGKILL)
    assert _soon(lambda: _gone(pid))


def test_the_terminal_is_not_the_child_s() -> None:
    child = apart.start(
        lambda say: say((os.getsid(0) == os.getpid(), os.readlink("/proc/self/fd/1"))), _nothing
    )
    assert child
    assert _all(child) == [(True, os.devnull)]
    child.end()


def test_no_more_processes_for_this_user(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", fork)
    before = len(os.listdir("/proc/self/fd"))
    assert apart.start(lambda say: None, _nothing) is None
    assert len(os.listdir("/proc/self/fd")) == before
