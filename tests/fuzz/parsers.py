"""Which functions of the wizard look like parsers: they take text or bytes apart, or make numbers of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import mailcow_wizard

ROOT = Path(mailcow_wizard.__file__).parent
PARTS = ("host", "facts", "conf", "engine", "install", "answers")
_METHODS = {
    "split", "rsplit", "splitlines", "partition", "rpartition", "decode", "loads", "load", "unpack",
    "unpack_from", "from_bytes", "fromhex", "b64decode", "match", "fullmatch", "search", "findall",
    "finditer",    "fromisoformat", "strptime", "from_wire", "from_text",
}  # fmt: skip
_CALLS = {"int", "float", "whole", "ip_address", "ip_network", "ip_interface", "IPv4Address", "IPv6Address"}


def _takes_apart(function: ast.FunctionDef) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            named = node.func
            if isinstance(named, ast.Attribute) and named.attr in _METHODS | _CALLS:
                return True
            if isinstance(named, ast.Name) and named.id in _CALLS:
                return True
    return False


def parsers() -> Iterator[str]:
    """Their files and names, as `facts/system.py meminfo`."""
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef) and _takes_apart(node):
                    yield f"{path.relative_to(ROOT)} {node.name}"
