"""What the installed packages say about themselves: licence, home, what they need."""

from __future__ import annotations

import importlib.metadata
from typing import NamedTuple

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

from supply.lock import LockError, Metadata, Pinned

# Of packages that do not say it in SPDX's words.
_SPDX = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
}


class Package(NamedTuple):
    """One package of the lock, as it is installed."""

    pinned: Pinned
    licence: str
    home: str
    texts: tuple[str, ...]
    """The files that hold its licence."""
    needs: tuple[str, ...]
    """The packages that it needs, by name."""


def metadata_of(name: str) -> Metadata:
    """What an installed package needs."""
    found = importlib.metadata.metadata(name)
    return Metadata(_first(found, "Requires-Python"), tuple(found.get_all("Requires-Dist") or ()))


def _first(found: importlib.metadata.PackageMetadata, name: str) -> str:
    return next(iter(found.get_all(name) or ()), "")


def look_at(pinned: list[Pinned]) -> list[Package]:
    """All of the lock. Raises LockError where another version is installed, or no licence is known."""
    names = {one.name for one in pinned}
    return [_look_at(one, names) for one in pinned]


def _look_at(one: Pinned, names: set[str]) -> Package:
    found = importlib.metadata.distribution(one.name)
    if found.version != one.version:
        raise LockError(f"{one.name} {found.version} is installed, the lock has {one.version}")
    said = _first(found.metadata, "License-Expression")
    said = said or next(
        (_SPDX[one] for one in found.metadata.get_all("Classifier") or () if one in _SPDX), ""
    )
    files = map(str, found.files or ())
    texts = tuple(
        sorted(one for one in files if ".dist-info/" in one and "LICENSE" in one.rpartition("/")[2])
    )
    if not said or not texts:
        raise LockError(f"the licence of {one.name} is not known")
    links = dict(reversed(link.split(", ", 1)) for link in found.metadata.get_all("Project-URL") or ())
    homes = {name.lower(): link for link, name in links.items()}
    home = next(homes[name] for name in ("homepage", "home", "source", "repository") if name in homes)
    asked = (Requirement(need) for need in metadata_of(one.name).requires)
    needs = {
        canonicalize_name(need.name) for need in asked if not need.marker or "linkify" in str(need.marker)
    }
    return Package(one, said, home, texts, tuple(sorted(needs & names)))
