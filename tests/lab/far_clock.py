"""The outside at another time: its time servers (chrony) tell it, and its name server signs by it. For a
machine whose own clock nobody may set this is what a wrong clock looks like.

    with far_clock(world) as clock, clock.shifted(-40 * DAY):
        ...
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from .inside import LabError, end, needs, wait_until
from .outside import World

SERVERS = ("192.88.99.171", "192.88.99.172")
DAY = 86_400
_FAKETIME = tuple(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
_RIGHT: Mapping[str, str] = MappingProxyType({})


class FarClock:
    """The time servers of the outside, and its name server."""

    def __init__(self, world: World) -> None:
        self._world = world

    @contextmanager
    def shifted(self, seconds: int) -> Iterator[None]:
        """It is so much later there (earlier: less than 0) than here, for a while."""
        false = {
            "LD_PRELOAD": str(_FAKETIME[0]),
            "FAKETIME": f"{seconds:+d}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.end()
        try:
            self.begin(false)
            yield
        finally:
            self.end()
            self.begin()

    def begin(self, env: Mapping[str, str] = _RIGHT) -> None:
        """Starts all that tells the time; the name server, too. Raises LabError."""
        self._started = [self._serve(one, env) for one in SERVERS]
        self._world.serve_names(env)

    def end(self) -> None:
        """Ends them."""
        for one in self._started:
            end(one)
        self._world.end_names()

    def _serve(self, address: str, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        own = self._world.home / f"chrony-{address}"
        own.mkdir(mode=0o750, exist_ok=True)
        (own / "pid").unlink(missing_ok=True)
        config = f"allow all\nbindaddress {address}\ncmdport 0\nlocal stratum 2\nuser root\n"
        config += f"pidfile {own}/pid\ndriftfile {own}/drift\nbindcmdaddress {own}/chronyd.sock\n"
        (own / "conf").write_text(config)
        process = self._world.far.start(["chronyd", "-x", "-d", "-f", str(own / "conf")], env)
        if not wait_until(lambda: (own / "pid").exists(), 10):
            raise LabError("a time server outside did not start in time")
        return process


@contextmanager
def far_clock(world: World) -> Iterator[FarClock]:
    """The outside with time servers, at the right time. Raises LabError."""
    needs("chronyd")
    if not _FAKETIME:
        raise LabError("not installed: libfaketime")
    for one in SERVERS:
        world.far.run(["ip", "addr", "add", f"{one}/32", "dev", "lo"])
    clock = FarClock(world)
    world.end_names()
    clock.begin()
    yield clock
    clock.end()
