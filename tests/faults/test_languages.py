"""What is judged, offered and planned is the same in every language: only sentences differ."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailcow_wizard.language import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]


def said(tongue: str) -> dict[str, Any]:
    """What checks and fixes say in this language."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.in_a_language", tongue],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_the_language_changes_nothing_but_sentences() -> None:
    english, *others = map(said, LANGUAGES)
    assert len(english) > 800
    for other in others:
        common = english.keys() & other.keys()
        assert len(common) > 0.9 * len(english)
        different = [(one, english[one], other[one]) for one in common if english[one] != other[one]]
        assert different == []
