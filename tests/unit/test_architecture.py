"""The house's rules, read from its source: who may import whom, and who may touch the machine."""

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

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


class Source(NamedTuple):
    """What the rules look at in a file, each with its line; `of_paths` is what of os.path."""

    text: str
    imports: frozenset[str]
    for_types_only: frozenset[str]
    calls: frozenset[tuple[str, int]]
    looked_up: frozenset[tuple[str, str, int]]
    of_paths: frozenset[tuple[str, int]]
    undocumented: tuple[str, ...]


@functools.cache
def source(name: str) -> Source:
    """A file, read once for all rules."""
    return seen(name, (ROOT / name).read_text())


def seen(name: str, text: str) -> Source:
    """What a file of this text holds."""
    module = ast.parse(text, name)
    nodes = list(ast.walk(module))
    calls = (node for node in nodes if isinstance(node, ast.Call))
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    return Source(
        text,
        frozenset(imported(name, nodes)),
        frozenset(for_types_only(nodes)),
        frozenset((one.func.id, one.lineno) for one in calls if isinstance(one.func, ast.Name)),
        frozenset(
            (one.value.id, one.attr, one.lineno) for one in attributes if isinstance(one.value, ast.Name)
        ),
        frozenset((one.attr, one.lineno) for one in attributes if _is_os_path(one.value)),
        tuple(undocumented(module)),
    )


def _is_os_path(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "path"
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )


def part_of(name: str) -> str:
    """The part of the house that a file belongs to: `host/real.py` to `host`."""
    return name.partition("/")[0].removesuffix(".py")


def imported(name: str, nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def for_types_only(nodes: Iterable[ast.AST]) -> set[str]:
    """What a file imports for the type checker alone."""
    found: set[str] = set()
    for node in nodes:
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
    for module in source(name).imports - source(name).for_types_only:
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
        assert not {module.partition(".")[0] for module in source(name).imports} & SCREEN


@pytest.mark.parametrize("name", [name for name in NAMES if part_of(name) != "host"])
def test_only_the_door_touches_the_machine(name: str) -> None:
    modules = {module.partition(".")[0] for module in source(name).imports}
    assert not modules & MACHINE
    assert "pathlib" not in modules
    for called, line in source(name).calls:
        assert called not in FORBIDDEN_CALLS, f"{name}:{line}: {called}()"
    for owner, used, line in source(name).looked_up:
        assert (owner, used) not in FORBIDDEN_CLOCKS, f"{name}:{line}: {owner}.{used}"
        assert owner != "os" or used == "path", f"{name}:{line}: os.{used}"
        assert (owner, used) != ("sys", "environ"), f"{name}:{line}"


PURE = {"join", "basename", "dirname", "normpath", "commonpath", "split", "splitext", "isabs"}


@pytest.mark.parametrize("name", [name for name in NAMES if part_of(name) != "host"])
def test_of_paths_only_words_are_asked_elsewhere(name: str) -> None:
    for asked, line in source(name).of_paths:
        assert asked in PURE, f"{name}:{line}: os.path.{asked}"


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_too_long(name: str) -> None:
    assert len(source(name).text.splitlines()) <= MOST_LINES


def test_no_file_of_tests_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in TESTS.rglob("*.py")}
    assert {str(path.relative_to(TESTS)): n for path, n in lengths.items() if n > MOST_LINES} == {}


# A method that says the same as the one that it replaces says it there (the door's hosts).
INHERITED = {"RealHost", "RecordedHost", "RecordingHost"}


@pytest.mark.parametrize("name", NAMES)
def test_what_others_use_says_what_it_is(name: str) -> None:
    assert source(name).undocumented == ()


def undocumented(module: ast.Module) -> Iterator[str]:
    """What of a file is public and has no docstring: `module` for the file itself."""
    if module.body and not ast.get_docstring(module):
        yield "module"
    for node in module.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name[0] == "_":
            continue
        if not ast.get_docstring(node):
            yield node.name
        if isinstance(node, ast.ClassDef) and node.name not in INHERITED:
            for method in node.body:
                if (
                    isinstance(method, ast.FunctionDef)
                    and not method.name.startswith("_")
                    and not _inherits(method, node)
                    and not ast.get_docstring(method)
                ):
                    yield f"{node.name}.{method.name}"


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
    assert "subprocess" in source("host/commands.py").imports
    assert ("open", 1) in seen("x.py", "open('/etc/passwd')").calls
    assert ("time", "sleep", 1) in seen("x.py", "time.sleep(1)").looked_up
    assert ("exists", 1) in seen("x.py", "os.path.exists('/etc')").of_paths
    assert seen("x.py", "class A:\n    def b(self): ...\ndef c(): ...").undocumented == (
        "module",
        "A",
        "A.b",
        "c",
    )
