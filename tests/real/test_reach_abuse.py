"""Strangers at the listeners of `reach`: they get nothing, and keep nobody out."""

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab.inside import wait_until
from lab.provider import FAR, SERVER, Provider, provider
from lab.skip import or_skip

from mailcow_wizard.host.reach.desk import Desk
from tests.real.reach_sides import PORTS, V4, WIZARD, near, states


@pytest.fixture(scope="module")
def world() -> Iterator[Provider]:
    with or_skip(), provider() as made:
        # Another stranger than the one who may ask.
        made.far.run(["ip", "addr", "add", "198.51.100.66/24", "dev", _device(made)])
        yield made


def _device(world: Provider) -> str:
    return world.far.run(["ip", "-o", "route", "show", "default"]).stdout.split()[4]


STRANGER = f"""
import socket, sys, time
FROM, TOKEN = sys.argv[1:]
def connect(port=25):
    return socket.create_connection(({SERVER!r}, port), 10, (FROM, 0))
def said(one):
    try:
        return one.recv(1000)
    except ConnectionError:
        return b""
"""


def stranger(world: Provider, program: str, token: str = "") -> None:
    """Runs a program of somebody else's outside; it asserts by itself."""
    argv = [sys.executable, "-c", STRANGER + program, "198.51.100.66", token]
    done = world.far.run(argv, check=False, timeout=90)
    assert done.returncode == 0, done.stderr


WORDS = [
    b"\\r\\n",
    b"EHLO mail.example.net\\r\\n",
    b"GET / HTTP/1.1\\r\\n\\r\\n",
    b"MW1\\n",
    b"MW1 wrong 25\\n",
    b"MW1  25\\n",
    b"\\x16\\x03\\x01\\x02\\x00\\x01" * 60,
    b"\\x00\\xff\\n" * 400,
    b"MW1 " + b"A" * 4000 + b" 25\\n",
]


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
def test_who_does_not_know_the_token_gets_nothing(world: Provider, tmp_path: Path, words: bytes) -> None:
    with near(world.server, tmp_path) as side:
        program = f"one = connect(); one.sendall(b'{words.decode('ascii')}'); assert said(one) == b''"
        begun = time.monotonic()
        stranger(world, program)
        # It is cut at once, and not only when its time is over.
        assert time.monotonic() - begun < 4.0
        side.ask(world.far)
        assert set(states(side.document()).values()) == {"arrived"}


def test_a_token_that_is_nearly_right_gets_nothing(world: Provider, tmp_path: Path) -> None:
    program = """
for wrong in (TOKEN[:-1], TOKEN + "1", TOKEN.swapcase(), TOKEN[:20], "a" + TOKEN[1:-1] + "~"):
    one = connect()
    one.sendall(f"MW1 {wrong} 25\\n".encode())
    assert said(one) == b"", wrong
one = connect()
one.sendall(f"MW1 {TOKEN} REPORT 4:25s;rm -rf /\\n".encode())
assert b"no report of reach" in said(one)
one = connect()
one.sendall(f"MW1 {TOKEN} REPORT 4:22a\\n".encode())
assert b"other ports" in said(one)
"""
    with near(world.server, tmp_path) as side:
        stranger(world, program, side.token)
        assert side.process.poll() is None


def test_two_thousand_connections_keep_nobody_out(world: Provider, tmp_path: Path) -> None:
    program = """
kept = []
for number in range(2000):
    one = connect((25, 465, 587, 993)[number % 4])
    kept.append(one)
    if number % 10 == 0:
        one.sendall(b"x")
    if len(kept) > 300:
        kept.pop(0).close()
"""
    with near(world.server, tmp_path) as side:
        begun = time.monotonic()
        stranger(world, program)
        side.ask(world.far)
        document = side.document()
        assert time.monotonic() - begun < 40
    assert set(states(document).values()) == {"arrived"}


def test_who_comes_too_often_is_not_heard_for_a_minute(world: Provider, tmp_path: Path) -> None:
    program = """
for number in range(300):
    one = connect((25, 465, 587, 993)[number % 4])
    one.sendall(f"MW1 {TOKEN} 25\\n".encode())
    assert said(one).startswith(b"MW1 OK"), number
    one.close()
one = connect()
try:
    one.sendall(f"MW1 {TOKEN} 25\\n".encode())
except ConnectionError:
    pass
assert said(one) == b""
"""
    with near(world.server, tmp_path) as side:
        begun = time.monotonic()
        stranger(world, program, side.token)
        assert time.monotonic() - begun < 50, "a minute is over: this proves nothing"
        # Others are heard all the same.
        side.ask(world.far)
        assert set(states(side.document()).values()) == {"arrived"}


def test_much_that_arrives_does_not_hide_what_the_desk_reports(world: Provider, tmp_path: Path) -> None:
    path = str(tmp_path / "desk")
    report = "4:" + ".".join(f"{port}s" for port in PORTS)
    busy = f"""
import threading
def ask():
    while True:
        one = socket.socket()
        one.setblocking(False)
        one.bind((FROM, 0))
        one.connect_ex(({SERVER!r}, 25))
        time.sleep(0.02)
        one.close()
threading.Thread(target=ask, daemon=True).start()
time.sleep(12)
"""
    with ThreadPoolExecutor(1) as one, contextlib.closing(Desk(path, "", lambda asked: _later(report))):
        flood = one.submit(stranger, world, busy)
        with near(world.server, tmp_path, variables={"MAILCOW_WIZARD_DESK": path}) as side:
            found = states(side.document())
            assert not flood.done()
        flood.result()
    assert set(found.values()) <= {
        "never arrived",
        "closed here",
        "not asked: that line may let no port 25 out",
    }


def _later(report: str) -> str:
    """What the desk tells, when the near side waits for it already."""
    time.sleep(2)
    return report


@pytest.mark.long
def test_ten_thousand_connections_cost_no_memory(world: Provider, tmp_path: Path) -> None:
    program = """
kept = []
for number in range(10000):
    one = connect((25, 465, 587, 993)[number % 4])
    kept.append(one)
    if number % 10 == 0:
        one.sendall(b"x")
    if len(kept) > 1000:
        kept.pop(0).close()
"""
    with near(world.server, tmp_path) as side:
        pid = re.search(r"pid=(\d+)", world.server.run(["ss", "-Hltnp", "sport = :25"]).stdout)
        assert pid
        before = _resident(pid[1])
        most = []
        with ThreadPoolExecutor(1) as one:
            flood = one.submit(stranger, world, program)
            while not flood.done():
                most.append((len(os.listdir(f"/proc/{pid[1]}/fd")), _resident(pid[1])))
                time.sleep(0.05)
            flood.result()
        side.ask(world.far)
        assert set(states(side.document()).values()) == {"arrived"}
    descriptors, resident = (max(column) for column in zip(*most, strict=True))
    print(f"{descriptors} descriptors, {resident - before} KiB more than {before}")
    assert descriptors < 200
    assert resident - before < 8192


def _resident(pid: str) -> int:
    """What a process has in memory, in KiB."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def test_who_is_slow_is_cut(world: Provider, tmp_path: Path) -> None:
    program = """
silent, one, begun = connect(), connect(), time.monotonic()
for letter in f"MW1 {TOKEN} 25\\n":
    try:
        one.sendall(letter.encode())
    except ConnectionError:
        break
    time.sleep(0.4)
assert said(one) == b""
assert time.monotonic() - begun < 9
assert said(silent) == b""
assert 4 < time.monotonic() - begun < 9
"""
    with near(world.server, tmp_path) as side:
        stranger(world, program, side.token)
        assert side.process.poll() is None


def test_whoever_guesses_is_not_listened_to_any_more(world: Provider, tmp_path: Path) -> None:
    program = """
for number in range(10):
    one = connect()
    one.sendall(b"MW1 guess 25\\n")
    assert said(one) == b""
one = connect()
try:
    one.sendall(f"MW1 {TOKEN} 25\\n".encode())
except ConnectionError:
    pass
assert said(one) == b""
"""
    with near(world.server, tmp_path) as side:
        stranger(world, program, side.token)
        side.ask(world.far)
        assert set(states(side.document()).values()) == {"arrived"}


def test_a_token_is_for_one_time(world: Provider, tmp_path: Path) -> None:
    with near(world.server, tmp_path) as side:
        old = side.wizard
        side.ask(world.far)
        side.document()
    listening = ["ss", "-Hltn", "sport = :25"]
    assert world.server.run(listening).stdout == ""
    assert not re.search(old.split()[-1][:20], (tmp_path / "reach.json").read_text())
    argv = [*WIZARD, *old.split()[1:]]
    assert "refused on the way" in world.far.run(argv, check=False, timeout=60).stdout
    with near(world.server, tmp_path) as side:
        said = world.far.run(argv, check=False, timeout=60).stdout
        assert "answered by something else" in said
        assert " arrived" not in said
        assert side.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_listeners_end_with_the_wizard(world: Provider, tmp_path: Path, number: int) -> None:
    with near(world.server, tmp_path) as side:
        pids = world.server.run(["ss", "-Hltnp", "sport = :25"]).stdout
        pid = re.search(r"pid=(\d+)", pids)
        assert pid
        world.server.run(["kill", f"-{number}", pid[1]])
        side.process.wait(30)
    assert wait_until(lambda: world.server.run(["ss", "-Hltn"]).stdout == "", 10.0)
    assert side.process.returncode == {2: 130, 15: 143, 1: 129}.get(number, -9)


def test_they_end_after_the_time_shown(world: Provider, tmp_path: Path) -> None:
    program = (
        "import sys, mailcow_wizard.cli.reach as command\n"
        "from mailcow_wizard.engine.reach import Reach\n"
        "command.Reach = lambda facts, minutes: Reach(facts, 0.02)\n"
        "from mailcow_wizard.cli.app import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    words = ["reach", "--plain", *V4, "--state-dir", str(tmp_path), "--dir", str(tmp_path)]
    begun = time.monotonic()
    done = world.server.run([*WIZARD[:-2], "-c", program, *words], check=False)
    assert (done.returncode, done.stderr) == (3, "")
    assert 1.0 < time.monotonic() - begun < 10
    assert "0 of 10 ports are reached from outside, of 10 it is not known." in done.stdout
    assert not (tmp_path / "reach.json").exists()
    assert FAR not in done.stdout
