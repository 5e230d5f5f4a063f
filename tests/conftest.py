"""Fixtures that several directories of tests share: the real parts, each skipped where it cannot be had."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import again
import pytest
from lab import engine, machine
from lab.engine import Engine
from lab.inside import Inside, in_network
from lab.machine import Machine
from lab.netns import Namespace
from lab.skip import or_skip

from mailcow_wizard import language

_SHORT = "tests/checks/"
_WAITING_UNTIL = 0.7
"""The part of a whole run in which tests begin that wait for something."""

# A job in the background is started with ctrl+C ignored, and so would be all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # so does one that nohup began
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--whole`, which tests/run gives to a run of all tests."""
    parser.addoption("--whole", action="store_true", help="long tests first; what fails of them, once more")


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that hears of all results may run something again."""
    if config.getoption("whole") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(again.Again(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What waits for daemons and screens goes between what computes, so that no core waits with it; what is
    short comes last, so that no worker is left alone with something long."""
    if config.getoption("whole"):
        files = list(dict.fromkeys(map(_file, items)))
        waiting = [one for one in files if one.startswith(again.PLACES)]
        computing = sorted({*files} - {*waiting}, key=lambda one: (one.startswith(_SHORT), one))
        rank = {one: number / len(computing) for number, one in enumerate(computing)}
        rank |= {one: _WAITING_UNTIL * number / len(waiting) for number, one in enumerate(waiting)}
        items.sort(key=lambda item: rank[_file(item)])


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Whatever a test chose, the next one speaks English, and its program has the name of a checkout."""
    yield
    language.choose([], {})


@pytest.fixture(scope="module")
def network() -> Iterator[Inside]:
    """A network of its own: loopback, two addresses of one server, and an interface `eth0`."""
    commands = (
        "link add eth0 type veth peer name wire0",
        "addr add 192.0.2.10/24 dev eth0",
        "addr add 192.0.2.11/24 dev eth0",
        "addr add 2001:db8::10/64 dev eth0 nodad",
        "link set wire0 up",
        "link set eth0 up",
    )
    with or_skip(), Namespace.create() as namespace:
        for command in commands:
            namespace.run(["ip", *command.split()])
        yield in_network(namespace.name)


@pytest.fixture(scope="module")
def booted() -> Iterator[Machine]:
    """A Debian 12 with systemd; postfix, nginx, sshd and chrony are installed and stopped."""
    with or_skip(), machine.booted() as made:
        yield made


@pytest.fixture(scope="module")
def booted_with_exim() -> Iterator[Machine]:
    """The same with exim in postfix's place, running as Debian starts it."""
    with or_skip(), machine.booted("exim4-daemon-light") as made:
        yield made


_OLDEST, _BETWEEN, _NEWEST = engine.SUITES


@pytest.fixture(scope="module", params=[_OLDEST, pytest.param(_BETWEEN, marks=pytest.mark.long), _NEWEST])
def docker(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A Docker engine, of each generation in turn; that between the others in the long run."""
    with or_skip(), engine.started(request.param) as made:
        yield made


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that other users reach: not below pytest's own, which every run that begins meanwhile
    closes to them."""
    with tempfile.TemporaryDirectory(prefix="mailcow-wizard-reachable-") as place:
        Path(place).chmod(0o755)
        yield Path(place)
