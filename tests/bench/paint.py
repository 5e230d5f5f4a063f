"""How soon the screen is there, what it needs for that, and when all findings are on it."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from lab.inside import Inside, in_network, running
from lab.netns import Namespace

from bench.measure import PROBES, PYTHON, WIZARD, Command, medians
from bench.table import Row, at_most, below, shown
from bench.terminal import on_terminal

NAMES = ("--hostname", "mail.example.org", "--domain", "example.org", "--state-dir", "/proc/nonexistent")
_EMPTY = (PYTHON, str(PROBES / "empty.py"))
_PROBE = (PYTHON, str(PROBES / "wizard.py"))
_UNWANTED = ("psutil", "dns", "ntplib", "ssl", "http")
_MOST_MIB = 36
_ROUNDS = 15
_STILL_S = 0.4


def painted(lines: list[str]) -> bool:
    """The line of keys is the last of the first frame."""
    return "quit" in lines[-1] or "stop" in lines[-1]


def answered(lines: list[str]) -> bool:
    """The breadcrumb shows states, and no step that is still looked at."""
    return painted(lines) and bool({*lines[0]} & {*"✓!✗?"}) and "·" not in lines[0]


def rows() -> Iterator[Row]:
    """All rows about the first seconds of the wizard."""
    yield from _first_line()
    with Namespace.create() as namespace:
        place = in_network(namespace.name)
        server = place.start([PYTHON, str(PROBES / "server.py"), "127.0.0.1"])
        with running(server):
            assert server.stdout
            server.stdout.readline()
            yield from _frames(place)


def _first_line() -> Iterator[Row]:
    nothing, ours = medians(
        [
            lambda: _ended((PYTHON, "-I", "-S", "-c", "print()")),
            lambda: _ended((WIZARD, "--demo")),
        ],
        40,
    )
    yield at_most("first line on the terminal", ours, "python -I -S -c print()", nothing, 1.4)


def _ended(argv: Command) -> float:
    with on_terminal(argv) as program:
        return program.first_byte()


def _frames(place: Inside) -> Iterator[Row]:
    wizard = place.command([WIZARD, *NAMES, "--ntp", "127.0.0.1"])
    unchecked = place.command([*_PROBE, "unchecked", *NAMES, "--offline"])
    memory: dict[str, float] = {}

    def first(argv: Command, name: str, seen: Callable[[list[str]], object]) -> float:
        with on_terminal(argv) as program:
            took = program.wait(seen)
            memory[name] = program.memory
            return took

    def first_key() -> float:
        with on_terminal(wizard) as program:
            program.type("n")
            return program.wait(lambda lines: lines[1].startswith(" System"))

    def at_rest(argv: Command, seen: Callable[[list[str]], object]) -> float:
        """Until it looks so, and no more is drawn."""
        with on_terminal(argv) as program:
            program.wait(seen)
            memory["all"] = program.memory
            return program.rest(_STILL_S)

    empty, frame, without, findings, key = medians(
        [
            lambda: first(place.command(_EMPTY), "empty", lambda lines: lines[0] == "ready"),
            lambda: first(wizard, "first", painted),
            lambda: at_rest(unchecked, painted),
            lambda: at_rest(wizard, answered),
            first_key,
        ],
        _ROUNDS,
    )
    yield at_most("full first frame", frame, "empty Textual app", empty, 1)
    beside = f"empty Textual app, its frame {empty:.0f} ms"
    yield shown("the first key, typed at once, has done its work", key, "ms", beside)
    yield at_most("all findings on the screen, NTP 40 ms away", findings, "without checks", without, 1.15)
    yield _imported(place)
    beside = f"empty app {memory['empty']:.1f} MiB"
    yield below("resident memory after all findings", memory["all"], "MiB", _MOST_MIB, beside)


def _imported(place: Inside) -> Row:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "modules")
        with on_terminal(place.command([*_PROBE, "imported", str(file), *NAMES, "--offline"])) as program:
            program.wait(answered)
        modules = file.read_text().split()
    found = sorted({name.partition(".")[0] for name in modules} & {*_UNWANTED})
    what = f"imported at the first paint, of {', '.join(_UNWANTED)}"
    if found:  # asyncio imports ssl where nobody keeps it from that
        return Row(what, ", ".join(found), f"{len(modules)} modules in all", "", "none", False)
    return shown(what, 0, "", f"{len(modules)} modules in all")._replace(target="none", good=True)
