"""What is fetched once and kept: base systems, engines. It lies outside the checkout."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .inside import LabError

_UBUNTU = ("resolute",)
_AWAY_S = 900
# A mirror that is some weeks behind is good enough for tests; what it signed is still asked of it.
_OF_ANY_AGE = {"Acquire::Check-Valid-Until": "false"}


def cache() -> Path:
    """Where downloads and base systems are kept between test runs, outside the checkout."""
    return Path(os.environ.get("MAILCOW_WIZARD_TEST_CACHE") or "/var/cache/mailcow-wizard-tests")


def mirror() -> str:
    """The Debian mirror that this machine's own apt uses."""
    form = "$(REPO_URI) $(RELEASE) $(ORIGIN)"
    argv = ["apt-get", "indextargets", "--format", form, "Identifier: Packages"]
    lines = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
    for uri, release, *origin in (line.split() for line in lines):
        if "-" not in release and origin == ["Debian"]:
            return uri
    raise LabError("apt knows no Debian mirror (are its lists up to date?)")


def with_own_mounts(argv: Sequence[str]) -> list[str]:
    """The command with mounts of its own: what it mounts is gone when it ends, also when it is killed."""
    return ["unshare", "--mount", "--propagation", "private", "--", *argv]


@contextmanager
def made_once(place: Path) -> Iterator[Path | None]:
    """A directory to fill, which becomes `place` when that went well; None when `place` is there already."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{place}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.exists():
            yield None
            return
        part = Path(f"{place}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        yield part
        part.rename(place)


def must(argv: Sequence[str], what: str, directory: Path | None = None) -> None:
    """Runs a command of the set-up; a machine that cannot be made is a reason to skip, with the last word."""
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no word why").splitlines()[-1]
        raise LabError(f"{what} failed: {said}")


def bootstrap(suite: str, place: Path, source: str, *packages: str) -> None:
    """A minimal Debian of the suite with these packages, and apt's lists of now, from a mirror. mmdebstrap
    unpacks all at once, and needs half of debootstrap's time of a processor."""
    options = (
        "--variant=minbase",
        # As debootstrap has it: without perl, which usrmerge would bring.
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        f"--include={','.join(('usr-is-merged', *packages))}",
        *(f'--aptopt={key} "{value}"' for key, value in _OF_ANY_AGE.items()),
        "--skip=cleanup/apt/lists",
    )
    must(with_own_mounts(["mmdebstrap", "--quiet", *options, suite, str(place), source]), "mmdebstrap")


def _source(suite: str) -> str:
    """apt's line for a suite of Debian, or of Ubuntu, whose keys Debian vouches for."""
    keyrings = "usr/share/keyrings"
    if suite not in _UBUNTU:
        return f"deb [signed-by=/{keyrings}/debian-archive-keyring.gpg] {mirror()} {suite} main\n"
    place = cache() / "ubuntu-keyring-1"
    with made_once(place) as part:
        if part:
            unpack("trixie", ("ubuntu-keyring",), part)
    keyring = place / keyrings / "ubuntu-archive-keyring.gpg"
    return f"deb [signed-by={keyring}] http://archive.ubuntu.com/ubuntu {suite} main universe\n"


def _update(argv: Sequence[str], suite: str) -> None:
    """Fetches a suite's lists; an archive that did not answer is left alone for a while, for each test that
    wants it would wait anew."""
    away = cache() / f"{suite}-away"
    if away.exists() and time.time() - away.stat().st_mtime < _AWAY_S:
        raise LabError(f"the archive of {suite} did not answer a moment ago")
    try:
        must(argv, f"apt-get update for {suite}")
    except LabError:
        away.touch()
        raise


def unpack(suite: str, packages: Sequence[str], part: Path) -> None:
    """Fetches packages of a suite of Debian or Ubuntu with apt and unpacks them into a directory; installs
    nothing."""
    apt = part / "apt"
    for name in ("lists/partial", "cache/archives/partial", "debs"):
        (apt / name).mkdir(parents=True)
    (apt / "sources.list").write_text(_source(suite))
    options = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
        **_OF_ANY_AGE,
    }
    get = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]
    _update([*get, "-oAcquire::http::Timeout=10", "update"], suite)
    must([*get, "download", *packages], f"fetching {packages[0]} of {suite}", directory=apt / "debs")
    for package in (apt / "debs").glob("*.deb"):
        must(["dpkg-deb", "-x", str(package), str(part)], f"unpacking {package.name}")
    shutil.rmtree(apt)
