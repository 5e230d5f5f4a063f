"""The house's rules, read from its source: who may import whom, and who may touch the machine."""

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

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

    imports: frozenset[str]
    for_types_only: frozenset[str]
    calls: frozenset[tuple[str, int]]
    looked_up: frozenset[tuple[str, str, int]]
    of_paths: frozenset[tuple[str, int]]
    undocumented: tuple[str, ...]
    unused: tuple[str, ...]


@functools.cache
def source(name: str) -> Source:
    """A file, read once for all rules."""
    return seen(name, tree(name))


def tree(name: str) -> ast.Module:
    """A file's syntax."""
    return ast.parse((ROOT / name).read_text(), name)


def seen(name: str, module: ast.Module) -> Source:
    """What a file of this syntax holds."""
    nodes = list(ast.walk(module))
    calls = (node for node in nodes if isinstance(node, ast.Call))
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    return Source(
        frozenset(imported(name, nodes)),
        frozenset(for_types_only(nodes)),
        frozenset((one.func.id, one.lineno) for one in calls if isinstance(one.func, ast.Name)),
        frozenset(
            (one.value.id, one.attr, one.lineno) for one in attributes if isinstance(one.value, ast.Name)
        ),
        frozenset((one.attr, one.lineno) for one in attributes if _is_os_path(one.value)),
        tuple(undocumented(module)),
        tuple(unused(module, nodes)),
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


def test_imports_point_down() -> None:
    assert [
        f"{name} imports {module}"
        for name in NAMES
        for module in source(name).imports - source(name).for_types_only
        if not _points_down(name, module)
    ] == []


# The command line starts the screens, at the moment that they are wanted.
STARTS = {("cli/wizard.py", "tui.start")}


def _points_down(name: str, module: str) -> bool:
    top, _, rest = module.partition(".")
    if top != "mailcow_wizard" or not rest or rest.startswith("__version__"):
        return True
    other = rest.partition(".")[0]
    return may_import(part_of(name), other) or (name, rest.rpartition(".")[0]) in STARTS


def test_no_file_needs_itself() -> None:
    assert circle({name: _files_of(name) for name in NAMES}) == []
    assert circle({"a": {"b", "c"}, "b": set(), "c": {"d"}, "d": {"a"}}) == ["a", "c", "d"]


def _files_of(name: str) -> set[str]:
    """The files that one imports from, for types alone, too."""
    paths = (module.removeprefix("mailcow_wizard.").replace(".", "/") for module in source(name).imports)
    return {f"{one}.py" for path in paths for one in (path, path.rpartition("/")[0])} & {*NAMES} - {name}


def circle(needs: dict[str, set[str]]) -> list[str]:
    """Files that need each other, and those between them; none where one can be read after the other."""
    while free := {name for name, others in needs.items() if not others & {*needs}}:
        needs = {name: others for name, others in needs.items() if name not in free}
    while unneeded := {*needs} - {other for others in needs.values() for other in others}:
        needs = {name: others for name, others in needs.items() if name not in unneeded}
    return sorted(needs)


def test_only_the_screens_import_what_draws_screens() -> None:
    assert [name for name in NAMES if part_of(name) != "tui" and _modules(name) & SCREEN] == []


def _modules(name: str) -> set[str]:
    return {module.partition(".")[0] for module in source(name).imports}


OUTSIDE_THE_DOOR = [name for name in NAMES if part_of(name) != "host"]


def test_only_the_door_touches_the_machine() -> None:
    assert {name: more for name in OUTSIDE_THE_DOOR if (more := _modules(name) & {*MACHINE, "pathlib"})} == {}
    assert [
        f"{name}:{line}: {called}()"
        for name in OUTSIDE_THE_DOOR
        for called, line in source(name).calls
        if called in FORBIDDEN_CALLS
    ] == []
    assert [
        f"{name}:{line}: {owner}.{used}"
        for name in OUTSIDE_THE_DOOR
        for owner, used, line in source(name).looked_up
        if (owner, used) in {*FORBIDDEN_CLOCKS, ("sys", "environ")} or (owner == "os" and used != "path")
    ] == []


PURE = {"join", "basename", "dirname", "normpath", "commonpath", "split", "splitext", "isabs"}


def test_of_paths_only_words_are_asked_elsewhere() -> None:
    assert [
        f"{name}:{line}: os.path.{asked}"
        for name in OUTSIDE_THE_DOOR
        for asked, line in source(name).of_paths
        if asked not in PURE
    ] == []


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (*FILES, *TESTS.rglob("*.py"))}
    assert {str(path): lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


# A method that says the same as the one that it replaces says it there (the door's hosts).
INHERITED = {"RealHost", "RecordedHost", "RecordingHost"}


def test_what_others_use_says_what_it_is() -> None:
    assert {name: without for name in NAMES if (without := source(name).undocumented)} == {}


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


def test_what_is_a_files_own_is_used_there() -> None:
    assert {name: without for name in NAMES if (without := source(name).unused)} == {}


def unused(module: ast.Module, nodes: Iterable[ast.AST]) -> Iterator[str]:
    """What a file defines for itself (`_NAME`) and never asks for."""
    asked = {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        names = [one.id for one in targets if isinstance(one, ast.Name)]
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.append(node.name)
        yield from (one for one in names if one[0] == "_" and one[1:2].isalpha() and one not in asked)


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
    assert "subprocess" in source("host/processes/commands.py").imports
    assert ("open", 1) in _seen("open('/etc/passwd')").calls
    assert ("time", "sleep", 1) in _seen("time.sleep(1)").looked_up
    assert ("exists", 1) in _seen("os.path.exists('/etc')").of_paths
    assert _seen("class A:\n    def b(self): ...\ndef c(): ...").undocumented == ("module", "A", "A.b", "c")
    assert _seen("_A = _B = 1\ndef _c(): return _B").unused == ("_A", "_c")
    assert not _points_down("facts/x.py", "mailcow_wizard.checks.ports")
    assert _points_down("checks/x.py", "mailcow_wizard.facts.ports")


def _seen(text: str) -> Source:
    return seen("x.py", ast.parse(text))
