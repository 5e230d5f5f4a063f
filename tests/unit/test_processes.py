"""The list of processes, as real ones with odd names find themselves in it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from lab.inside import running

from mailcow_wizard.host.processes.proc import running as named

_RENAMED = "open('/proc/self/comm', 'w').write({name!r}); print('ready', flush=True); input()"
_NAMES = ("mw own", "mw own\n", "mw ", "mw-of-fifteen-c")


@pytest.fixture(scope="module")
def started() -> Iterator[dict[str, int]]:
    """Processes by the name that they gave themselves."""
    with ExitStack() as stack:
        made = {}
        for name in _NAMES:
            argv = [sys.executable, "-c", _RENAMED.format(name=name)]
            process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.enter_context(running(process))
            assert process.stdout
            process.stdout.readline()
            made[name] = process.pid
        yield made


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("mw own",), ["mw own"]),
        (("mw-of-fifteen-characters",), ["mw-of-fifteen-c"]),  # the kernel cuts them
        (("mw ", "mw own"), ["mw own", "mw "]),
        (("mw",), []),
        (("",), []),
        ((), []),
    ],
)
def test_only_those_of_these_names(started: dict[str, int], asked: tuple[str, ...], found: list[str]) -> None:
    seen = named(asked)
    assert [one.pid for one in seen] == sorted(started[name] for name in found)
    assert {one.name for one in seen} == set(found)
    assert all(one.exe and one.command for one in seen)
