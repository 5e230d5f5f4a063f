"""requirements.lock: each package that the launcher installs, with its version and its wheel's hash.

One set for every Python, resolved for the oldest, so that what was tested is what everybody runs and one
file can hold it all. pyproject.toml keeps the lock's own digest: the launcher looks at that file alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

try:
    import tomllib
except ImportError:  # Python 3.10
    from pip._vendor import tomli as tomllib

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.specifiers import SpecifierSet
from pip._vendor.packaging.utils import canonicalize_name

FILE = "requirements.lock"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_HEAD = """\
# What the launcher installs, with hashes. Renewed by: .venv/bin/python -m supply lock
"""
_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+) --hash=sha256:(?P<sha256>[0-9a-f]{64})")
_DIGEST = re.compile(r'(?m)^(lock = ")[^"]*(")$')


class Pinned(NamedTuple):
    """One package of the lock."""

    name: str
    version: str
    sha256: str


class Metadata(NamedTuple):
    """What a package says that it needs."""

    requires_python: str
    requires: tuple[str, ...]


class LockError(Exception):
    """The lock cannot be right; the text says why."""


def wanted(root: Path) -> list[str]:
    """What pyproject.toml asks for: to run, and to be built."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    return [*project["project"]["dependencies"], *project["build-system"]["requires"]]


def digest(root: Path) -> str:
    """The digest of the lock that pyproject.toml names."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    return str(project["tool"]["mailcow-wizard"]["lock"])


def read(root: Path) -> list[Pinned]:
    """The packages of the lock, by name. Raises LockError."""
    pinned = []
    for line in (root / FILE).read_text().splitlines():
        if line and not line.startswith("#"):
            found = _LINE.fullmatch(line)
            if not found:
                raise LockError(f"{FILE}: not a package with its hash: {line}")
            pinned.append(Pinned(**found.groupdict()))
    return pinned


def missing(root: Path, pinned: list[Pinned], metadata: dict[str, Metadata], python: str) -> list[str]:
    """What somebody needs under this Python, and the lock does not have."""
    versions = {canonicalize_name(one.name): one.version for one in pinned}
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    asked = [Requirement(one) for one in wanted(root)]
    troubles, seen = [], set()
    while asked:
        one = asked.pop()
        name = canonicalize_name(one.name)
        if (name, str(one)) in seen:
            continue
        seen.add((name, str(one)))
        if name not in versions or not one.specifier.contains(versions[name], prereleases=True):
            troubles.append(f"{one} under Python {python}, and {FILE} has {versions.get(name, 'nothing')}")
            continue
        if not SpecifierSet(metadata[name].requires_python).contains(f"{python}.0"):
            troubles.append(f"{name} {versions[name]} does not run under Python {python}")
        where = [environment, *({**environment, "extra": extra} for extra in one.extras)]
        needs = (Requirement(need) for need in metadata[name].requires)
        asked += [need for need in needs if not need.marker or any(map(need.marker.evaluate, where))]
    return troubles + [f"nobody needs {name}" for name in sorted(set(versions) - {one for one, _ in seen})]


def renew(root: Path) -> None:
    """Asks the configured index for the newest versions that pyproject.toml allows. Raises LockError."""
    pinned, metadata = _resolved(wanted(root))
    for python in PYTHONS:
        troubles = missing(root, pinned, metadata, python)
        if troubles:
            raise LockError("; ".join(troubles))
    lines = [f"{one.name}=={one.version} --hash=sha256:{one.sha256}\n" for one in pinned]
    text = _HEAD + "".join(lines)
    (root / FILE).write_text(text)
    project = root / "pyproject.toml"
    new = hashlib.sha256(text.encode()).hexdigest()
    project.write_text(_DIGEST.sub(rf"\g<1>{new}\g<2>", project.read_text()))


def _resolved(requirements: list[str]) -> tuple[list[Pinned], dict[str, Metadata]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        options = ["--dry-run", "--ignore-installed", "--quiet", "--only-binary", ":all:", "--no-input"]
        where = [
            "--python-version",
            PYTHONS[0],
            "--platform",
            "any",
            "--target",
            folder,
            "--report",
            str(report),
        ]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, *where, *requirements], check=True)
        found = json.loads(report.read_text())["install"]
    pinned, metadata = [], {}
    for one in found:
        about, url = one["metadata"], one["download_info"]["url"]
        name = canonicalize_name(about["name"])
        if not url.endswith("-none-any.whl"):
            raise LockError(f"{name} is not pure Python: {url.rpartition('/')[2]}")
        pinned.append(
            Pinned(name, about["version"], one["download_info"]["archive_info"]["hashes"]["sha256"])
        )
        requires = tuple(about.get("requires_dist", ()))
        metadata[name] = Metadata(about.get("requires_python", ""), requires)
    return sorted(pinned), metadata
