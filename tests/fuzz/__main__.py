"""Fuzzes all targets, or some, each in a process of its own for its share of the time, and keeps what led
somewhere new. Ends with 1 where one crashed, hung over its deadline or grew over its bound."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz import corpus, cover
from tests.fuzz.target import Target
from tests.fuzz.targets import targets

DEADLINE_S = 5
MOST_GROWTH = 200 << 20
_LONGEST_INPUT = 4096
_TOKENS = (
    "\u00b2".encode(), "\u0663".encode(), b"9" * 23, b"\0", b"\xff\xff", b"\xef\xbb\xbf", b"-1", b"1e999",
    b"\x1b[", b"{{", b"null", b"${", b"\r\n", b"\\", b"\x1d",
)  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/fuzz/run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time")
    parser.add_argument("--found", default="", help="where inputs that fail are left")
    parser.add_argument("--list", action="store_true", help="only names the targets")
    parser.add_argument("targets", nargs="*", help="names, or beginnings of names")
    return parser.parse_args()


class Run:
    """One target being fuzzed."""

    def __init__(self, target: Target, seconds: float, found: Path) -> None:
        self.target = target
        self._found = found
        self._place = Path(tempfile.mkdtemp(prefix="mailcow-wizard-fuzz-"))
        self._seeds, self._new = self._place / "seeds", self._place / "new"
        self._seeds.mkdir()
        self._new.mkdir()
        for number, one in enumerate((*target.seeds, *corpus.kept(target.name))):
            (self._seeds / f"{number:04}").write_bytes(one)
        words = self._place / "words"
        words.write_text("".join('"' + "".join(f"\\x{n:02x}" for n in one) + '"\n' for one in _TOKENS))
        self._said = (self._place / "said").open("wb+")
        self._process = self._start(
            f"-max_total_time={seconds:.0f}",
            f"-timeout={DEADLINE_S}",
            f"-artifact_prefix={self._place}/bad-",
            f"-max_len={_LONGEST_INPUT}",
            f"-dict={words}",
            "-rss_limit_mb=0",
            "-print_final_stats=1",
            str(self._new),
            str(self._seeds),
        )
        self._begun = time.monotonic()
        self._at_first = 0
        self.growth = 0
        self.trouble = ""

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "tests.fuzz.one", self.target.name, *options]
        return subprocess.Popen(argv, stdout=self._said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def ended(self) -> bool:
        """Looks at its memory meanwhile; what all its seeds need is no growth."""
        memory = _memory(self._process.pid)
        if time.monotonic() - self._begun > 8 and memory:
            self._at_first = self._at_first or memory
            self.growth = max(self.growth, memory - self._at_first)
        if self.growth > MOST_GROWTH and not self.trouble:
            self.trouble = f"grew by {self.growth >> 20} MiB"
            self._process.kill()
        return self._process.poll() is not None

    def result(self) -> str:
        """A line on what came of it; what led somewhere new is kept, what failed is left."""
        code = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace")
        bad = sorted(self._place.glob("bad-*"))
        if (code or bad) and not self.trouble:
            self.trouble = "hung" if any("timeout" in one.name for one in bad) else "failed"
        for one in bad:
            shutil.copy(one, self._found / f"{self.target.name.replace(' ', '-')}.{one.name}")
        if self.trouble:
            (self._found / f"{self.target.name.replace(' ', '-')}.log").write_text(said[-20_000:])
        else:
            self._keep()
        self._said.close()
        shutil.rmtree(self._place)
        tried = re.search(r"number_of_executed_units: (\d+)", said)
        places = re.findall(r" cov: (\d+) ", said)
        return (
            f"{self.target.name:28} {self.trouble or 'well':20} {tried[1] if tried else '?':>9} inputs, "
            f"{places[-1] if places else '?':>5} places, +{self.growth >> 20} MiB"
        )

    def _keep(self) -> None:
        """Of the new inputs, and of those that were kept, what leads where the seeds do not."""
        new = [one.read_bytes() for one in self._new.iterdir() if one.stat().st_size <= corpus.LONGEST]
        every = (*corpus.kept(self.target.name), *new)
        corpus.keep(self.target.name, cover.picked(self.target.feed, self.target.seeds, every))


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _all(chosen: list[Target], seconds: float, jobs: int, found: Path) -> Iterator[Run]:
    waiting, running = list(chosen), list[Run]()
    while waiting or running:
        while waiting and len(running) < jobs:
            running.append(Run(waiting.pop(0), seconds, found))
        time.sleep(0.2)
        for one in [one for one in running if one.ended()]:
            running.remove(one)
            yield one


def main() -> int:
    """Runs what was asked for; the exit code."""
    options = _options()
    every = targets()
    begins = tuple(options.targets) or ("",)
    chosen = [one for name, one in every.items() if name.startswith(begins)]
    if options.list or not chosen:
        print("\n".join(every))
        return 0 if options.list else 64
    found = Path(options.found or tempfile.mkdtemp(prefix="mailcow-wizard-found-"))
    found.mkdir(parents=True, exist_ok=True)
    seconds = max(2.0, options.minutes * 60 * options.jobs / len(chosen))
    print(f"{len(chosen)} targets, {seconds:.0f} s each, {options.jobs} at a time; failures: {found}")
    troubles = 0
    for one in _all(chosen, seconds, options.jobs, found):
        print(one.result(), flush=True)
        troubles += bool(one.trouble)
    print(f"{troubles} of {len(chosen)} targets failed")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
