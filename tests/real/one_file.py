"""The one-file build, made once for all tests, and where it is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lab.inside import CHECKOUT

# A cache of its own: this machine's /var/cache is none of a test's business.
_APART = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


def build(target: Path, umask: int, checkout: Path = CHECKOUT, zone: str = "UTC") -> Path:
    """Makes it as a person would, from this checkout's code or another's."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "TZ": zone}
    subprocess.run(
        [sys.executable, "-m", "mailcow_wizard", "build", str(target)],
        cwd=target.parent,
        env=environment,
        umask=umask,
        stdout=subprocess.DEVNULL,
        timeout=300,
        check=True,
    )
    return target


def in_a_cache_of_its_own(script: str, file: Path) -> subprocess.CompletedProcess[str]:
    """Runs lines of shell where /var/cache is empty; `wizard` is the file, without any other package."""
    lines = f'mount -t tmpfs tmpfs /var/cache; wizard() {{ python3 -I -S {file} "$@"; }}\n{script}'
    return subprocess.run(
        [*_APART, lines],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
