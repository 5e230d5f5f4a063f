"""Units of a booted machine that stand in a port's way, and fixes there."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab import machine
from lab.inside import wait_until
from lab.machine import Machine

from tests.real.mending import Mender
from tests.real.ports import LISTENER_ON_MACHINE

LISTENER = " ".join(LISTENER_ON_MACHINE)
SERVICE = f"[Service]\nExecStart={LISTENER} 0.0.0.0 4190\n"
INSTALL = "[Install]\nWantedBy=multi-user.target\n"
OWN = "/etc/systemd/system"


@contextmanager
def mending_on(booted: Machine) -> Iterator[Mender]:
    """Fixes on the machine; nothing listens before and after."""
    booted.run(["mkdir", "-p", "/srv/mailcow"], check=True)
    yield Mender(booted, "python3", machine.CHECKOUT_INSIDE, "/srv/mailcow", "/var/lib/mailcow-wizard")
    booted.run(["rm", "-f", "/srv/mailcow/mailcow.conf"], check=True)
    assert wait_until(lambda: not booted.run(["ss", "-Hltn"]).stdout.strip(), 60)


@contextmanager
def running(place: Machine, unit: str, *files: tuple[str, str], enabled: bool = True) -> Iterator[None]:
    """A unit, started (and enabled), of these files; all of it gone afterwards."""
    for path, text in files:
        place.write(path, text)
    place.run(["systemctl", "daemon-reload"], check=True)
    place.run(["systemctl", *(("enable", "--now") if enabled else ("start",)), unit], check=True)
    try:
        yield
    finally:
        name = unit.rpartition("/")[2]
        place.run(["systemctl", "unmask", name])
        place.run(["systemctl", "disable", "--now", name])
        place.run(["systemctl", "stop", name.replace(".socket", ".service")])
        place.run(["rm", "-f", *(path for path, _ in files)])
        place.run(["systemctl", "daemon-reload"])
        place.run(["systemctl", "reset-failed"])


def listens(place: Machine, port: int) -> bool:
    """Whether somebody listens on a port."""
    return wait_until(lambda: f":{port}" in place.run(["ss", "-Hltn"]).stdout, 5)


def states(place: Machine, *units: str) -> list[str]:
    """What systemd calls the units: active, inactive, failed."""
    return place.run(["systemctl", "is-active", *units]).stdout.split()
