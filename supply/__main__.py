"""`python -m supply`: renews what is derived; `lock` also asks the package index for newer versions."""

import sys
from pathlib import Path

from supply import licences, lock, packages, sbom

ROOT = Path(__file__).resolve().parents[1]


def main(words: list[str]) -> int:
    """Runs it; returns the exit code."""
    if words == ["lock"]:
        lock.renew(ROOT)
        print("requirements.lock is renewed. Now: ./wizard --version && .venv/bin/python -m supply")
        return 0
    if words:
        print("usage: python -m supply [lock]", file=sys.stderr)
        return 64
    parts = packages.look_at(lock.read(ROOT))
    licences.write(ROOT, parts)
    sbom.write(ROOT, parts)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
