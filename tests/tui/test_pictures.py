"""The pictures of the README are what the wizard looks like now."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"


def _make() -> dict[str, str]:
    spec = spec_from_file_location("make", SCREENSHOTS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.all_pictures())


def _stale() -> list[str]:
    drawn = _make()
    kept = {path.name: path.read_text(encoding="utf-8") for path in SCREENSHOTS.glob("*.svg")}
    return sorted(name for name in drawn.keys() | kept.keys() if drawn.get(name) != kept.get(name))


@pytest.mark.long
@pytest.mark.slow
def test_the_pictures_are_not_stale() -> None:
    # On a machine that is busy a screen may be drawn before it is whole: a stale one differs each time.
    stale = _stale() and _stale()
    assert not stale, f"run: python screenshots/make.py ({', '.join(stale)})"


def test_the_readme_shows_pictures_that_are_there() -> None:
    readme = (SCREENSHOTS.parent / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"\]\((screenshots/[^)]+)\)", readme)
    assert shown
    assert all((SCREENSHOTS.parent / one).is_file() for one in shown)
