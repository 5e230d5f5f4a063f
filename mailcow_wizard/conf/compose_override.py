"""One option of one network in docker-compose.override.yml: read, and set without touching anything else.

This is no reader of YAML. It follows block mappings by their indentation (in which every line of a value
stands deeper than its key), and refuses what it does not understand on the way to the option.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

_KEY = pattern(
    r"""^(?P<quote>["']?)(?P<key>[A-Za-z0-9_.-]+)(?P=quote)\s*:(?:\s+(?P<value>.*?))?\s*$""",
)
_COMMENT = pattern(r"(?:^|\s+)#.*$")
_ANCHOR = pattern(r"^&[A-Za-z0-9_-]+$")
_SCALAR = pattern(r"""^(?P<quote>["']?)(?P<text>[^"'{}\[\]&*!|>%@`,#]*)(?P=quote)$""")
_STEP = 2


class Strange(Exception):
    """The file is written in a way that is not understood here; the text says where."""


class _Node(NamedTuple):
    """A key: its line, its indentation, what stands behind it, and where its value's lines end."""

    line: int
    indent: int
    value: str
    end: int


def option(text: str, path: Sequence[str]) -> str:
    """The value that stands at these keys; empty where there is none. Raises Strange."""
    lines = _lines(text)
    node = _Node(-1, -1, "", len(lines))
    for key in path:
        found = _child(lines, node, key)
        if found is None:
            return ""
        node = found
    value = _scalar(lines, node)
    if not value:
        raise Strange(_("line {line} has no simple value", line=node.line + 1))
    return value


def with_option(text: str, path: Sequence[str], value: str) -> str:
    """The file with this value at these keys, in double quotes; all other lines stay as they are. Raises
    Strange."""
    lines = _lines(text)
    end = "\r\n" if "\r\n" in text else "\n"
    node = _Node(-1, -1, "", len(lines))
    for depth, key in enumerate(path):
        found = _child(lines, node, key)
        if found is None:
            return _inserted(text, lines, node, path[depth:], value, end)
        node = found
    _scalar(lines, node)
    kept = text.splitlines(keepends=True)
    kept[node.line] = _replaced(kept[node.line], node.value, value)
    return "".join(kept)


def _scalar(lines: list[str], node: _Node) -> str:
    """The value behind a key, which may be empty; raises Strange where it goes on below."""
    scalar = _SCALAR.match(node.value)
    if not scalar or _content(lines[node.line + 1 : node.end]):
        raise Strange(_("line {line} has no simple value", line=node.line + 1))
    return scalar["text"]


def _lines(text: str) -> list[str]:
    """The lines; raises Strange for what would have to be read in another way."""
    lines = text.removeprefix("\ufeff").splitlines()
    for number, line in enumerate(lines, 1):
        if re.match(r"^(?:\.\.\.|%)", line) or (line.startswith("---") and _content(lines[: number - 1])):
            raise Strange(_("line {number}: more than one document", number=number))
        if re.match(r"^\s*\t", line) and line.strip():
            raise Strange(_("line {number} is indented with a tab", number=number))
    if any(one.lstrip().startswith(("{", "[")) for one in _content(lines)[:1]):
        raise Strange(_("it is not written line by line"))
    return lines


def _content(lines: Sequence[str]) -> list[str]:
    return [one for one in lines if not _is_blank(one)]


def _is_blank(line: str) -> bool:
    stripped = line.strip()
    return not stripped or stripped.startswith("#") or stripped == "---"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _child(lines: list[str], parent: _Node, key: str) -> _Node | None:
    """The key directly below another; None where it is not there."""
    places = [n for n in range(parent.line + 1, parent.end) if not _is_blank(lines[n])]
    if not places:
        if parent.value and not _ANCHOR.match(parent.value):
            raise Strange(_("line {line} does not lead to lines of its own", line=parent.line + 1))
        return None
    indent = _indent(lines[places[0]])
    own = [n for n in places if _indent(lines[n]) == indent]
    if any(_indent(lines[n]) < indent for n in places):
        raise Strange(_("line {line} is indented more than what follows", line=places[0] + 1))
    found = []
    for number in own:
        line = lines[number].strip()
        match = _KEY.match(_COMMENT.sub("", line))
        if match and match["key"] == key:
            found.append((number, (match["value"] or "").strip()))
        elif not match and indent > 0 and parent.line >= 0 and line.startswith(("-", "?", "{", "[", "*")):
            raise Strange(_("line {number} is no key with a value", number=number + 1))
    if len(found) > 1:
        raise Strange(
            _(
                "{key} stands there twice (lines {first} and {second})",
                key=key,
                first=found[0][0] + 1,
                second=found[1][0] + 1,
            )
        )
    if not found:
        return None
    number, value = found[0]
    return _Node(number, indent, value, next((n for n in own if n > number), parent.end))


def _inserted(text: str, lines: list[str], node: _Node, path: Sequence[str], value: str, end: str) -> str:
    """The keys that are missing, as the last ones below `node`."""
    places = [n for n in range(node.line + 1, node.end) if not _is_blank(lines[n])]
    indent = _indent(lines[places[0]]) if places else node.indent + (_STEP if node.line >= 0 else 1)
    new = [f"{' ' * (indent + _STEP * n)}{key}:{end}" for n, key in enumerate(path[:-1])]
    new.append(f'{" " * (indent + _STEP * (len(path) - 1))}{path[-1]}: "{value}"{end}')
    place = places[-1] + 1 if places else (node.line + 1 if node.line >= 0 else len(lines))
    kept = text.splitlines(keepends=True)
    if place and kept[place - 1] and not kept[place - 1].endswith(("\n", "\r")):
        kept[place - 1] += end
    return "".join([*kept[:place], *new, *kept[place:]])


def _replaced(line: str, old: str, value: str) -> str:
    """The line with another value; what stands before and behind it stays."""
    comment = _COMMENT.search(line.rstrip("\r\n"))
    end = comment.start() if comment else len(line.rstrip("\r\n"))
    if not old:
        return f'{line[:end].rstrip()} "{value}"{line[end:]}'
    before, _unused, rest = line[:end].rpartition(old)
    return f'{before}"{value}"{rest}{line[end:]}'
