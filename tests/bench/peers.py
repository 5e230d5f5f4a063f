"""Beside other programs: first frames of toolong, harlequin, whiptail, dialog; the records of checkdmarc."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lab.cache import cache, made_once
from lab.names import RESOLVER, Names, internet_of_names

from bench.measure import PROBES, PYTHON, WIZARD, Command, medians, own_state
from bench.paint import painted
from bench.table import Row, absent, at_most, shown
from bench.terminal import on_terminal

_ROUNDS = 9
# Each in a directory of its own: they want different versions of Textual.
_PACKAGES = {"toolong": "tl", "harlequin": "harlequin"}
_MOST = {"toolong": 0.45, "harlequin": 0.25}
_MENU = ("--menu", "ports", "20", "60", "9", "one", "port 25 is free", "two", "port 80 is free")


def rows() -> Iterator[Row]:
    """The wizard's first frame beside each, in turns."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "mail.log")
        log.write_text("Nov 27 postfix: ready\n" * 100)
        yield from _full_screens(log)
    yield from _menus()
    yield _records()


def _full_screens(log: Path) -> Iterator[Row]:
    for package, command in _PACKAGES.items():
        try:
            place = _installed(package)
        except subprocess.SubprocessError as error:
            yield absent(f"full first frame beside {package}", str(error))
            continue
        program = ("env", f"PYTHONPATH={place}", PYTHON, str(place / "bin" / command))
        theirs = (*program, str(log)) if package == "toolong" else (*program, "-a", "sqlite", ":memory:")
        seen = _shows("postfix: ready") if package == "toolong" else _shows("Data Catalog")
        ours, other = medians([lambda: _frame(_OURS, painted), lambda: _frame(theirs, seen)], _ROUNDS)  # noqa: B023
        yield at_most("full first frame", ours, package, other, _MOST[package])


_OURS = (WIZARD, "--demo", "--state-dir", "/proc/nonexistent")


def _menus() -> Iterator[Row]:
    empty = (PYTHON, str(PROBES / "empty.py"))
    names = [name for name in ("whiptail", "dialog") if shutil.which(name)]
    measures = [lambda: _frame(_OURS, painted), lambda: _frame(empty, _shows("ready"))]
    measures += [lambda name=name: _frame((name, *_MENU), _shows("port 80 is free")) for name in names]  # type: ignore[misc]
    ours, nothing, *others = medians(measures, _ROUNDS)
    beside = ", ".join(f"{name} {took:.0f} ms" for name, took in zip(names, others, strict=True))
    yield shown("full first frame", ours, "ms", f"empty Textual app {nothing:.0f} ms, {beside}")


def _records() -> Row:
    """Whole processes that look up one domain's records in the small internet of names."""
    what = "`check dns --json`, one domain, whole process"
    try:
        place = _installed("checkdmarc")
    except subprocess.SubprocessError as error:
        return absent(f"{what}, beside checkdmarc", str(error))
    ours = (WIZARD, "check", "dns", "--json")
    theirs = ("env", f"PYTHONPATH={place}", PYTHON, str(place / "bin/checkdmarc"), "-n", RESOLVER)
    with internet_of_names() as names, own_state() as state:
        took, other = medians(
            [
                lambda: _whole(names, (*ours, *state, "--hostname", "mail.example.org")),
                lambda: _whole(names, (*theirs, "example.org")),
            ],
            _ROUNDS,
        )
    return shown(what, took, "ms", f"checkdmarc {other:.0f} ms")


def _whole(names: Names, argv: Sequence[str]) -> float:
    begun = time.perf_counter()
    names.run(argv)
    return (time.perf_counter() - begun) * 1e3


def _shows(text: str) -> Callable[[list[str]], bool]:
    return lambda lines: any(text in line for line in lines)


def _frame(argv: Command, seen: Callable[[list[str]], object]) -> float:
    """Milliseconds until it shows what it is for."""
    with on_terminal(argv) as program:
        return program.wait(seen)


def _installed(package: str) -> Path:
    """A directory that has this package and what it needs, made the first time. Raises SubprocessError."""
    place = cache() / f"peer-{package}"
    with made_once(place) as part:
        if part:
            pip = [PYTHON, "-m", "pip", "install", "--quiet", "--target", str(part), package]
            subprocess.run(pip, check=True, capture_output=True)
            subprocess.run([PYTHON, "-m", "compileall", "-q", str(part)], check=False, capture_output=True)
    return place
