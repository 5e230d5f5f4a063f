"""Regular expressions that are compiled late: all of this house's are sound, and behave as compiled ones."""

import importlib
import re
from pathlib import Path

import pytest

from mailcow_wizard.patterns import pattern

ROOT = Path(__file__).resolve().parents[2] / "mailcow_wizard"
OURS = sorted(
    str(path.relative_to(ROOT.parent).with_suffix("")).replace("/", ".")
    for path in ROOT.rglob("*.py")
    if "from mailcow_wizard.patterns import pattern" in path.read_text()
)


def test_they_are_used() -> None:
    assert len(OURS) > 50


@pytest.mark.parametrize("name", OURS)
def test_every_one_compiles(name: str) -> None:
    module = importlib.import_module(name)
    found = [one for one in vars(module).values() if type(one) is type(pattern("x"))]
    for one in found:
        assert isinstance(one.pattern, (str, bytes))


def test_it_does_what_a_compiled_one_does() -> None:
    late, compiled = pattern(r"(a)(b)?", re.IGNORECASE), re.compile(r"(a)(b)?", re.IGNORECASE)
    assert late.sub(r"[\1]", "xABy") == compiled.sub(r"[\1]", "xABy") == "x[A]y"
    assert late.findall("aAb") == compiled.findall("aAb")
    assert (late.flags, late.groups, late.pattern) == (compiled.flags, compiled.groups, compiled.pattern)
    found = late.match("zab", 1)
    assert found
    assert found.span() == (1, 3)
    assert pattern(rb"\d+").fullmatch(b"12")


def test_what_is_wrong_is_raised_when_it_is_used() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error):
        wrong.match("")


def test_what_no_pattern_has() -> None:
    with pytest.raises(AttributeError):
        pattern("x").nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_none_is_compiled_at_import() -> None:
    files = [path for path in ROOT.rglob("*.py") if "ansible" not in path.parts]
    early = re.compile(r"(?m)^_*[A-Z].*\bre\.compile\(")
    assert [str(path) for path in files if early.search(path.read_text())] == []
