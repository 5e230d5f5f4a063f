"""Who writes to the terminal, read from the source: each place has the gate, or says why it needs none."""

import ast
from collections.abc import Iterator

import pytest

from tests.unit.test_architecture import NAMES, ROOT, tree

GATED = "its text goes through `shown` or `harmless` right there"
OURS = "words of our own, and the system's for an error"
LOOKS = "looks at the stream, writes nothing"
WRITERS = {
    "__main__.py main": "flushes",
    "__main__.py _say": LOOKS,
    "cli/app.py _finished": "flushes",
    "cli/app.py write": "a terminal gets what `shown` lets through; a program gets values as they are",
    "host/programs/admin_reset.py main": GATED,
    "host/terminal/asking.py ask": GATED,
    "host/terminal/asking.py ask_within": GATED,
    "host/terminal/asking.py can_ask": LOOKS,
    "host/terminal/asking.py choose": GATED,
    "host/programs/dns_provider.py main": GATED,
    "host/programs/dns_update.py main": GATED,
    "host/programs/api_key.py main": GATED,
    "host/programs/mailcow_api.py main": GATED,
    "host/entrance.py write": OURS,
    "host/terminal/full_screen.py write": "the cells of the first screen, each line made harmless before",
    "host/programs/nft_back.py main": OURS,
    "host/programs/nft_tables.py main": GATED,
    "host/one_file/cache.py temporary": OURS,
    "host/one_file/entry.py main": OURS,
    "host/one_file/entry.py _says": OURS,
    "host/one_file/far.py run": OURS,
    "host/one_file/unpack.py unpacked": OURS,
    "host/reach/ssh.py run": "puts the terminal back as it was",
    "host/terminal/streams.py columns": LOOKS,
    "host/terminal/streams.py mend": LOOKS,
    "host/terminal/streams.py on_terminal": LOOKS,
    "host/terminal/streams.py only_ascii": LOOKS,
    "host/terminal/streams.py same_line": GATED,
    "host/terminal/streams.py say": GATED,
    "host/terminal/streams.py show_until_closed": GATED,
    "host/terminal/streams.py write_utf8": LOOKS,
    "host/terminal/abilities.py examine": LOOKS,
    "host/programs/taking_back.py end": GATED,
    "host/programs/ufw_back.py main": OURS,
    "tui/start.py _draw": OURS,
}
_STREAMS = ("stdin", "stdout", "stderr", "__stdout__", "__stderr__")
# Textual writes what the screens are made of, cell by cell; tests/attacks/test_screens.py reads all of it.
_DRAWS = "tui/display/driver.py"
_WORDS = (
    "sys.std",
    "sys.__std",
    "print(",
    "input(",
    "os.write(",
    "os.fdopen(",
    "/dev/",
    "subprocess",
    "os.system",
)
_STARTERS = {("subprocess", "run"), ("subprocess", "Popen"), ("subprocess", "call"), ("os", "system")}


def _is(node: ast.AST, owner: str, *names: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
        and node.attr in names
    )


def _writes(node: ast.AST) -> bool:
    if _is(node, "sys", *_STREAMS[1:]):
        return True
    if isinstance(node, ast.Constant):
        return node.value in ("/dev/tty", "/dev/stdout", "/dev/stderr", "/dev/console")
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name) and node.func.id in ("print", "input"):
        return True
    first = node.args[0] if node.args else None
    number = isinstance(first, ast.Constant) and first.value in (1, 2)
    return number and _is(node.func, "os", "write", "fdopen")


def _functions(name: str) -> Iterator[tuple[str, ast.AST]]:
    """Each node of a file with the name of its function, of files where there is something to find."""
    text = (ROOT / name).read_text()
    if not any(word in text for word in _WORDS):
        return
    waiting: list[tuple[str, ast.AST]] = [("", tree(name))]
    while waiting:
        place, node = waiting.pop()
        yield place, node
        inside = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else place
        waiting += [(inside, one) for one in ast.iter_child_nodes(node)]


def test_every_writer_is_known_and_every_one_that_is_known_writes() -> None:
    found = {
        f"{name} {place}"
        for name in NAMES
        if name != _DRAWS
        for place, node in _functions(name)
        if _writes(node)
    }
    assert found == set(WRITERS)


GATES = {"shown", "harmless"}


@pytest.mark.parametrize("writer", [one for one, reason in WRITERS.items() if reason == GATED])
def test_what_is_said_to_be_gated_is(writer: str) -> None:
    """What such a function writes and is no literal of its own is an argument of a gate."""
    name, function = writer.split()
    nodes = [node for place, node in _functions(name) if place == function]
    gated = {
        id(below)
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GATES
        for below in ast.walk(node)
    }
    for argument in (one for node in nodes if _prints(node) for one in getattr(node, "args", ())):
        free = {one.id for one in ast.walk(argument) if isinstance(one, ast.Name) and id(one) not in gated}
        assert free <= _KNOWN, f"{name}:{argument.lineno}: {ast.unparse(argument)}"


def _prints(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr == "write"
    return isinstance(node.func, ast.Name) and node.func.id == "print"


# Names in what is written that hold nothing from outside.
_KNOWN = {"os", "choices", "choice", "last", "_TASKS", "otherwise", "_", "_choice", *GATES}


def _starts(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and any(_is(node.func, owner, name) for owner, name in _STARTERS)


def test_no_command_writes_to_our_terminal() -> None:
    """What is started has its output somewhere else, but for ssh, which is the connection itself."""
    loose = set()
    for name in NAMES:
        for place, node in _functions(name):
            if isinstance(node, ast.Call) and _starts(node):
                given = {one.arg for one in node.keywords}
                if not ({"stdout", "stderr"} <= given or "capture_output" in given):
                    loose.add(f"{name} {place}")
    assert loose == {"host/reach/ssh.py run", "host/reach/ssh.py copy"}
