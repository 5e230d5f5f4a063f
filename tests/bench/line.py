"""Over real ssh, on a line of 150 ms and 1 Mbit/s: the first bytes, the first frame, a key."""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lab import slow_line
from lab.inside import in_network, needs, running, wait_until
from lab.netns import Namespace

from bench.measure import PROBES, PYTHON, WIZARD, Command, medians
from bench.paint import painted
from bench.table import Row, shown
from bench.terminal import on_terminal
from bench.walk import DOWN, PALETTE

_ROUND_TRIP_MS, _KILOBITS = 150, 1000
_PORT = 2222
_ROUNDS = 5
_ENTRIES = ("one", "port 25 is free", "two", "port 80 is free")
_MENU = ("whiptail", "--menu", "ports", "20", "60", "9", *_ENTRIES)

Seen = Callable[[list[str]], object]


class _Shown(NamedTuple):
    """A program, what its first frame shows, and a key that it answers."""

    name: str
    argv: Sequence[str]
    frame: Seen
    key: str


def rows() -> Iterator[Row]:
    """Each beside the same of whiptail and of an empty Textual application."""
    needs("sshd", "ssh", "ssh-keygen", "whiptail")
    with tempfile.TemporaryDirectory() as directory, _logged_in(Path(directory)) as ssh:
        wizard = (WIZARD, "--demo", "--state-dir", f"{directory}/state")
        empty = (PYTHON, str(PROBES / "empty.py"))
        programs = (
            _Shown("the wizard", wizard, painted, "n"),
            _Shown("whiptail", _MENU, _has("port 80"), DOWN),
            _Shown("an empty Textual app", empty, _has("ready"), PALETTE),
        )
        for what, measure in (("first bytes", _first), ("first frame", _frame), ("a key", _key)):
            ours, *others = medians([_measuring(measure, ssh, one) for one in programs], _ROUNDS)
            named = zip(programs[1:], others, strict=True)
            beside = ", ".join(f"{one.name} {took:.0f} ms" for one, took in named)
            yield shown(f"ssh, {_ROUND_TRIP_MS} ms, {_KILOBITS // 1000} Mbit/s: {what}", ours, "ms", beside)


def _measuring(measure: Callable[[Command, _Shown], float], ssh: Command, one: _Shown) -> Callable[[], float]:
    return lambda: measure((*ssh, shlex.join(one.argv)), one)


def _first(argv: Command, _one: _Shown) -> float:
    with on_terminal(argv) as program:
        return program.first_byte()


def _frame(argv: Command, one: _Shown) -> float:
    with on_terminal(argv) as program:
        return program.wait(one.frame)


def _key(argv: Command, one: _Shown) -> float:
    """Pressed when nothing more is drawn; to the first byte of its answer."""
    with on_terminal(argv) as program:
        program.wait(one.frame)
        program.settle(1.5)
        return program.answer(one.key)


def _has(text: str) -> Seen:
    return lambda lines: any(text in line for line in lines)


@contextmanager
def _logged_in(place: Path) -> Iterator[Command]:
    """An sshd of its own in a network of its own; the command line that runs a program over the slow line."""
    for name in ("key", "host"):
        made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)]
        subprocess.run(made, check=True)
    keys = place / "authorized_keys"
    keys.write_text((place / "key.pub").read_text())
    Path("/run/sshd").mkdir(exist_ok=True)
    config = place / "sshd_config"
    config.write_text(
        f"Port {_PORT}\nListenAddress 127.0.0.1\nHostKey {place / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {keys}\nStrictModes no\nPermitRootLogin yes\nPrintMotd no\nUsePAM no\n"
        "LogLevel QUIET\n"
    )
    relay = f"{sys.executable} {Path(slow_line.__file__)} %h %p {_ROUND_TRIP_MS} {_KILOBITS}"
    options = {
        "IdentityFile": place / "key",
        "UserKnownHostsFile": place / "known",
        "StrictHostKeyChecking": "no",
        "LogLevel": "ERROR",
        "ProxyCommand": relay,
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    with Namespace.create() as namespace:
        inside = in_network(namespace.name)
        server = inside.start(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)])
        with running(server):
            listens = ["ss", "-Hltn", f"sport = :{_PORT}"]
            assert wait_until(lambda: bool(inside.run(listens, check=True).stdout.strip()), 10)
            yield inside.command(["ssh", "-tt", "-F", "none", "-p", str(_PORT), *words, "root@127.0.0.1"])
