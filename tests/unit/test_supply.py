"""What the wizard is made of: the lock, licences, the bill of materials; builds that can be made again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from supply import licences, lock, packages, sbom
from tests.real.launcher import ROOT, copy_checkout

PINNED = lock.read(ROOT)


def test_pyproject_names_the_lock_that_is_there() -> None:
    text = (ROOT / lock.FILE).read_bytes()
    assert lock.digest(ROOT) == hashlib.sha256(text).hexdigest(), "renew it: python -m supply lock"


@pytest.mark.parametrize("python", lock.PYTHONS)
def test_the_lock_has_what_is_needed_and_nothing_else(python: str) -> None:
    metadata = {one.name: packages.metadata_of(one.name) for one in PINNED}
    assert lock.missing(ROOT, PINNED, metadata, python) == []


def test_what_is_missing_in_a_lock_is_seen() -> None:
    metadata = {one.name: packages.metadata_of(one.name) for one in PINNED}
    less = [one for one in PINNED if one.name != "mdurl"]
    assert lock.missing(ROOT, less, metadata, "3.12") == [
        "mdurl~=0.1 under Python 3.12, and requirements.lock has nothing"
    ]
    more = [*PINNED, lock.Pinned("requests", "2.32.0", "0" * 64)]
    assert lock.missing(ROOT, more, metadata, "3.12") == ["nobody needs requests"]
    old = [one._replace(version="7.0.0") if one.name == "textual" else one for one in PINNED]
    assert any("textual" in one for one in lock.missing(ROOT, old, metadata, "3.12"))
    dated = {**metadata, "rich": metadata["rich"]._replace(requires_python=">=3.11")}
    assert lock.missing(ROOT, PINNED, dated, "3.10") == ["rich 15.0.0 does not run under Python 3.10"]


@pytest.mark.parametrize("line", ["rich==15.0.0", "rich>=15 --hash=sha256:" + "0" * 64, "-r other.txt"])
def test_a_lock_without_hashes_is_none(tmp_path: Path, line: str) -> None:
    (tmp_path / lock.FILE).write_text(f"# head\n{line}\n")
    with pytest.raises(lock.LockError):
        lock.read(tmp_path)


def test_the_lock_was_installed() -> None:
    for one in packages.look_at(PINNED):
        assert one.licence
        assert one.texts


def test_licences_and_materials_are_those_of_the_lock() -> None:
    found = packages.look_at(PINNED)
    assert (ROOT / licences.FILE).read_text() == licences.text(found), "renew it: python -m supply"
    assert (ROOT / sbom.FILE).read_text() == sbom.text(found), "renew it: python -m supply"


def test_the_materials_are_whole() -> None:
    document = json.loads((ROOT / sbom.FILE).read_text())
    refs = {one["bom-ref"] for one in document["components"]}
    assert len(refs) == len(PINNED)
    reached, left = set(), [document["metadata"]["component"]["bom-ref"]]
    edges = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    while left:
        one = left.pop()
        reached.add(one)
        left += set(edges[one]) - reached
    unreached = {one["name"] for one in document["components"] if one["bom-ref"] not in reached}
    assert unreached == {"flit-core"}


@pytest.mark.slow
def test_wheel_and_sdist_are_the_same_whenever_and_wherever_they_are_built(tmp_path: Path) -> None:
    first = _built(copy_checkout(tmp_path / "here"), umask=0o022, zone="UTC")
    second = copy_checkout(tmp_path / "elsewhere" / "with a space")
    for path in second.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert _built(second, umask=0o077, zone="Asia/Tokyo") == first
    assert [name.rpartition("-")[2] for name in first] == ["any.whl", "0.1.0.tar.gz"]


def _built(checkout: Path, *, umask: int, zone: str) -> dict[str, str]:
    """Both kinds by the backend itself, and their digests."""
    program = "from flit_core import buildapi; buildapi.build_wheel('dist'); buildapi.build_sdist('dist')"
    (checkout / "dist").mkdir()
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=checkout,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "TZ": zone, "PYTHONPATH": ""},
        umask=umask,
        check=True,
    )
    made = sorted((checkout / "dist").iterdir())
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in made}
