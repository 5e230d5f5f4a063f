"""The house's rules, read from its source: who may import whom, and who may touch the machine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "mailcow_wizard"
TESTS = Path(__file__).resolve().parents[1]
# The Ansible role runs by itself on other machines, and none of the house's code with it.
FILES = sorted(path for path in ROOT.rglob("*.py") if "ansible" not in path.parts)
NAMES = [str(path.relative_to(ROOT)) for path in FILES]

REQUIREMENTS = ("requirements", "requirements_dns", "requirements_docker", "requirements_network")
WORDS = ("harmless", "redaction", "names")
# From the top down: a part may import from itself and from the rows below its own.
ROWS = (
    ("__main__",),
    ("cli",),
    ("tui",),
    ("report",),
    ("install",),
    ("answers",),
    ("engine",),
    ("checks", "fixes"),
    ("facts",),
    (
        "conf",
        "host",
        "model",
        *REQUIREMENTS,
        "harmless",
        "redaction",
        "names",
        "numerals",
        "language",
        "own_name",
        "patterns",
        "retelling",
        "sentences",
        "typed",
        "wrapping",
    ),
)
# Within the lowest row: these alone are imported by the others.
FOUNDATION = {
    *("harmless", "redaction", "names", "numerals", "language", "own_name", "patterns", "retelling", "typed"),
    *("sentences", "wrapping"),
    *REQUIREMENTS,
}
ALLOWED_SIDEWAYS = {
    *(
        (part, name)
        for part in ("model", "names", "language", "own_name", "retelling", "wrapping", *REQUIREMENTS)
        for name in ("language", "own_name", "typed")
    ),
    *((part, "patterns") for part in ("names", "own_name", "redaction", "retelling", "wrapping")),
    ("patterns", "typed"),
    *((part, name) for part in ("conf", "host") for name in FOUNDATION),
}
SCREEN = {"textual", "rich"}
MACHINE = {"subprocess", "socket", "ctypes", "fcntl", "termios", "resource", "shutil", "pwd", "grp", "select"}
FORBIDDEN_CALLS = {"open", "exec", "eval", "input", "breakpoint"}
FORBIDDEN_CLOCKS = {("time", "time"), ("time", "time_ns"), ("time", "sleep"), ("datetime", "now")}
MOST_LINES = 400


def tree(name: str) -> ast.Module:
    """A file's syntax."""
    return ast.parse((ROOT / name).read_text(), name)


def part_of(name: str) -> str:
    """The part of the house that a file belongs to: `host/real.py` to `host`."""
    return name.partition("/")[0].removesuffix(".py")


def imported(name: str) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def for_types_only(name: str) -> set[str]:
    """What a file imports for the type checker alone."""
    found: set[str] = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for below in node.body:
                if isinstance(below, ast.ImportFrom):
                    found |= {f"{below.module}.{alias.name}" for alias in below.names}
    return found


def row_of(part: str) -> int:
    """Its place from the top."""
    return next(number for number, row in enumerate(ROWS) if part in row)


def may_import(part: str, other: str) -> bool:
    """Whether one part may import from another."""
    if part == other:
        return True
    if row_of(part) == row_of(other):
        return (part, other) in ALLOWED_SIDEWAYS
    if {part, other} == {"cli", "tui"}:
        return False
    return row_of(part) < row_of(other)


@pytest.mark.parametrize("name", NAMES)
def test_imports_point_down(name: str) -> None:
    for module in set(imported(name)) - for_types_only(name):
        top, _, rest = module.partition(".")
        if top != "mailcow_wizard" or not rest or rest.startswith("__version__"):
            continue
        other = rest.partition(".")[0]
        allowed = may_import(part_of(name), other) or (name, rest.rpartition(".")[0]) in STARTS
        assert allowed, f"{name} imports {module}"


# The command line starts the screens, at the moment that they are wanted.
STARTS = {("cli/wizard.py", "tui.start")}


@pytest.mark.parametrize("name", NAMES)
def test_only_the_screens_import_what_draws_screens(name: str) -> None:
    if part_of(name) != "tui":
        assert not {module.partition(".")[0] for module in imported(name)} & SCREEN


@pytest.mark.parametrize("name", [name for name in NAMES if part_of(name) != "host"])
def test_only_the_door_touches_the_machine(name: str) -> None:
    modules = {module.partition(".")[0] for module in imported(name)}
    assert not modules & MACHINE
    assert "pathlib" not in modules
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, f"{name}:{node.lineno}: {node.func.id}()"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner, used = node.value.id, node.attr
            assert (owner, used) not in FORBIDDEN_CLOCKS, f"{name}:{node.lineno}: {owner}.{used}"
            if owner == "os":
                assert used == "path", f"{name}:{node.lineno}: os.{used}"
            if owner == "sys" and used == "environ":
                raise AssertionError(name)


PURE = {"join", "basename", "dirname", "normpath", "commonpath", "split", "splitext", "isabs"}


@pytest.mark.parametrize("name", [name for name in NAMES if part_of(name) != "host"])
def test_of_paths_only_words_are_asked_elsewhere(name: str) -> None:
    for node in ast.walk(tree(name)):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "path"
        ):
            owner = node.value.value
            if isinstance(owner, ast.Name) and owner.id == "os":
                assert node.attr in PURE, f"{name}:{node.lineno}: os.path.{node.attr}"


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_too_long(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= MOST_LINES


def test_no_file_of_tests_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in TESTS.rglob("*.py")}
    assert {str(path.relative_to(TESTS)): n for path, n in lengths.items() if n > MOST_LINES} == {}


# A method that says the same as the one that it replaces says it there (the door's hosts).
INHERITED = {"RealHost", "RecordedHost", "RecordingHost"}


@pytest.mark.parametrize("name", [name for name in NAMES if (ROOT / name).read_text().strip()])
def test_what_others_use_says_what_it_is(name: str) -> None:
    module = tree(name)
    assert ast.get_docstring(module), name
    for node in module.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.name.startswith("_") or ast.get_docstring(node), f"{name}: {node.name}"
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and node.name not in INHERITED:
            for method in node.body:
                if (
                    isinstance(method, ast.FunctionDef)
                    and not method.name.startswith("_")
                    and not _inherits(method, node)
                ):
                    assert ast.get_docstring(method), f"{name}: {node.name}.{method.name}"


def _inherits(method: ast.FunctionDef, owner: ast.ClassDef) -> bool:
    """Whether Textual calls it by its name: it is then documented there."""
    prefixes = ("on_", "action_", "compose", "render", "watch_", "get_", "validate_")
    return bool(owner.bases) and method.name.startswith(prefixes)


def test_the_rules_see_what_is_wrong() -> None:
    assert not may_import("facts", "checks")
    assert not may_import("host", "facts")
    assert not may_import("report", "cli")
    assert not may_import("tui", "cli")
    assert not may_import("model", "host")
    assert may_import("checks", "host")
    assert len(NAMES) > 50
