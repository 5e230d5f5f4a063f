"""The outside of `lab.outside`, where those answer too who are silent there: what a healthy machine meets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from lab import certificates
from lab.inside import CHECKOUT, end
from lab.outside import World

from bench.measure import PROBES, PYTHON
from mailcow_wizard import requirements
from mailcow_wizard.requirements_network import HEALTHCHECK_PINGS

_WEB = CHECKOUT / "tests/lab/registry_answers.py"
_REGISTRIES = ("ghcr.io", "registry-1.docker.io", "auth.docker.io")
_AS_CHECK = "asn-check.mailcow.email"
_CLOCK = "192.88.99.180"
_FIRST_WEB = 181


@contextmanager
def everybody_answers(world: World) -> Iterator[None]:
    """For a while public resolvers, time servers 40 ms away, the registries and the AS check answer, too."""
    config = world.home / "knot.conf"
    before = config.read_text()
    world.end_names()
    more = "".join(f"  listen: {one}@53\n" for one in HEALTHCHECK_PINGS)
    config.write_text(before.replace("server:\n", f"server:\n{more}", 1))
    world.serve_names()
    _answer_at(world, _CLOCK, *requirements.NTP_POOL)
    clock = world.far.start([PYTHON, str(PROBES / "server.py"), _CLOCK])
    web = world.far.start([PYTHON, str(_WEB), json.dumps(_manners(world)), "sleep", "infinity"])
    try:
        yield
    finally:
        end(web)
        end(clock)
        world.end_names()
        config.write_text(before)
        world.serve_names()


def _manners(world: World) -> dict[str, list[str | int]]:
    """What `registry_answers.py` is told: where it listens, as whom, and what it says."""
    names = (*_REGISTRIES, _AS_CHECK)
    pair = certificates.issued(world.shelf, "web", *names)
    manners: dict[str, list[str | int]] = {}
    for last, name in enumerate(names, _FIRST_WEB):
        address = f"192.88.99.{last}"
        _answer_at(world, address, name)
        manners[address] = [*map(str, pair), 200 if name == _AS_CHECK else 401]
    return manners


def _answer_at(world: World, address: str, *names: str) -> None:
    world.far.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"])
    for name in names:
        world.publish(name, address)
