"""Namespaces that a killed run has left are taken away by the next one, those in use are not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import netns
from lab.inside import needs, wait_until
from lab.skip import or_skip

pytestmark = pytest.mark.real


@pytest.fixture
def gone() -> Iterator[int]:
    """The number of a process that has ended."""
    with or_skip():
        needs("ip")
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    yield process.pid
    for path in Path("/run/netns").glob(f"mw-{process.pid}-*"):
        subprocess.run(["ip", "netns", "del", path.name], check=False)


def _add(name: str) -> Path:
    subprocess.run(["ip", "netns", "add", name], check=True)
    files = Path("/etc/netns") / name
    files.mkdir(parents=True)
    (files / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    return files


def test_what_a_killed_run_has_left(gone: int) -> None:
    left, used, ours = f"mw-{gone}-1", f"mw-{gone}-2", f"mw-{os.getpid()}-left"
    places = {name: _add(name) for name in (left, used, ours)}
    only_files = Path("/etc/netns") / f"mw-{gone}-3"
    only_files.mkdir()
    holder = subprocess.Popen(["ip", "netns", "exec", used, "sh", "-c", "echo; exec sleep 60"], stdout=-1)
    assert holder.stdout
    holder.stdout.readline()
    try:
        netns.remove_left_behind()
        there = {name: (Path("/run/netns") / name).exists() for name in places}
        assert there == {left: False, used: True, ours: True}
        assert {name: place.exists() for name, place in places.items()} == there
        assert not only_files.exists()
    finally:
        holder.kill()
        holder.wait()
        netns.remove_left_behind()
        assert not (Path("/run/netns") / used).exists()
        subprocess.run(["ip", "netns", "del", ours], check=False)
        for place in places.values():
            subprocess.run(["rm", "-rf", str(place)], check=True)


_RUN = """
import sys, time
from lab.netns import Namespace
with Namespace.create() as place:
    place.start(["sleep", "60"])
    print(place.name, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_run_has_started() -> None:
    with or_skip():
        needs("ip", "setpriv")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    run = subprocess.Popen([sys.executable, "-c", _RUN], stdout=subprocess.PIPE, text=True, env=env)
    assert run.stdout
    name = run.stdout.readline().strip()
    pids = ["ip", "netns", "pids", name]
    held = lambda: subprocess.run(pids, capture_output=True, check=True).stdout.split()  # noqa: E731
    assert wait_until(held, 20)
    run.kill()
    run.wait()
    assert wait_until(lambda: not held(), 20)
    netns.remove_left_behind()
    assert not (Path("/run/netns") / name).exists()
