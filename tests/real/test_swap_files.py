"""Swap files on real file systems: made, used by the kernel, seen by the check, taken back wholly."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab.cache import with_own_mounts
from lab.inside import CHECKOUT, LabError, needs
from lab.skip import or_skip

pytestmark = pytest.mark.real

SIZE = 3 << 30
SCRIPT = "tests/lab/swap_file.py"
# /etc is an overlay of the test's own: the line in fstab goes nowhere else.
_MOUNTS = """set -e
place=$1; shift
mount -t tmpfs tmpfs "$place/own"
mkdir "$place/own/up" "$place/own/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$place/own/up,workdir=$place/own/work" /etc
test -e /etc/fstab || : > /etc/fstab
mount -o loop "$place/image" "$place/disk"
rmdir "$place/disk/lost+found" 2>/dev/null || :
exec "$@"
"""
MAKERS = {
    "ext4": ("mkfs.ext4", "-q"),
    "ext3": ("mkfs.ext3", "-q"),
    "xfs": ("mkfs.xfs", "-q"),
    "btrfs": ("mkfs.btrfs", "-q"),
}


def disk(place: Path, kind: str) -> None:
    """A file system of this kind in a file, for a loop device."""
    needs("mount", "swapon", MAKERS[kind][0])
    for name in ("disk", "own"):
        (place / name).mkdir()
    with open(place / "image", "wb") as image:
        image.truncate(SIZE)
    subprocess.run([*MAKERS[kind], str(place / "image")], check=True, capture_output=True)


def mended(place: Path) -> Any:
    """What the script says; a machine that may not mount or swap is a reason to skip."""
    script = [sys.executable, f"{CHECKOUT}/{SCRIPT}", f"{place}/disk", f"{place}/state"]
    argv = with_own_mounts(["sh", "-c", _MOUNTS, "mounts", str(place), *script])
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=120, check=False, env={"PYTHONPATH": str(CHECKOUT)}
    )
    if done.returncode != 0 and "mount:" in done.stderr:
        raise LabError(f"mounting: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "kind", [pytest.param(one, marks=[pytest.mark.long] if one == "ext3" else []) for one in MAKERS]
)
def test_a_swap_file(tmp_path: Path, kind: str) -> None:
    with or_skip():
        disk(tmp_path, kind)
        said = mended(tmp_path)
    path = f"{tmp_path}/disk/swapfile"
    if said.get("state") == "failed" and "swapon" in said["status"]:
        pytest.skip(f"this kernel does not swap here: {said['status']}")
    assert said.get("state") == "applied", said
    by_writing = kind in ("ext3", "btrfs")
    assert any(line.startswith("dd if=/dev/zero") for line in said["commands"]) is by_writing
    assert (f"chattr +C {path}" in said["commands"]) is (kind == "btrfs")

    meanwhile = said["meanwhile"]
    assert meanwhile["names"] == ["swapfile"]
    ((mode, owner, size),) = meanwhile["files"]
    assert (mode, owner) == ("0o100600", 0)
    assert meanwhile["areas"] == [[path, "file", (size - 4096) // 1024]]
    assert meanwhile["fstab"] == said["before"]["fstab"] + f"{path} none swap sw 0 0\n"
    assert said["status"] == "pass"

    assert said["undone"] == "undone"
    assert said["after"] == said["before"]
