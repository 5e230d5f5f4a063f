"""Which services of docker-compose.yml and its override are meant to run; not a whole YAML reader."""

from __future__ import annotations

import re

from mailcow_wizard.facts.compose_files import COMPOSE_FILE, override_text
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.patterns import pattern

_SERVICES = pattern(r"(?m)^services:[ \t]*(?:#.*)?$")
_KEY = pattern(r"^( +)(?:\"([^\"]+)\"|'([^']+)'|([A-Za-z0-9._-]+))[ \t]*:(?:[ \t]+(.*))?$")
_NOT_SET = r"(?:profiles[\"']?:(?![ \t]*\[[ \t]*\])|(?:replicas|scale)[\"']?:[ \t]*0\b)"
# A service that is not meant to run by itself, written in lines, and within braces.
_OPTIONAL = pattern(
    rf"(?m)^\s+[\"']?{_NOT_SET}|^\s+deploy:[ \t]*\{{(?:[^}}\n]*,)?[ \t]*[\"']?replicas[\"']?:[ \t]*0\b"
)
_OPTIONAL_INLINE = pattern(rf"[{{,]\s*[\"']?{_NOT_SET}")
# The ends of what stands in braces over several lines.
_ENDS = ("}", "]")


def services(facts: Facts) -> tuple[str, ...] | None:
    """The services that are meant to run; None where the files do not tell."""
    try:
        blocks, more = _blocks(_own(facts)), override_text(facts)
    except HostError:
        return None
    if not blocks:
        return None
    changed = _blocks(more) if re.search(r"(?m)^[\"']?services\b", more) else {}
    if changed is None:
        return None
    every = (*blocks.items(), *changed.items())
    left_out = {one for one, block in every if _is_optional(block)}
    return tuple(one for one in dict.fromkeys((*blocks, *changed)) if one not in left_out)


def of_mailcow(facts: Facts) -> frozenset[str] | None:
    """The services of mailcow's own docker-compose.yml, without what an override adds; None where the file
    does not tell."""
    try:
        blocks = _blocks(_own(facts))
    except HostError:
        return None
    return frozenset(blocks) if blocks else None


def _own(facts: Facts) -> str:
    return facts.host.text(facts.settings.within(COMPOSE_FILE))


def _blocks(text: str) -> dict[str, list[str]] | None:
    """The services of a file, each with what stands behind its colon and the lines below; None where they are
    written in another way than one below the other."""
    begin = _SERVICES.search(text)
    if not begin:
        return None
    blocks: dict[str, list[str]] = {}
    indent, name = "", ""
    for line in text[begin.end() :].splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            break
        key = _KEY.match(line)
        if key and (not indent or key[1] == indent):
            indent, name = key[1], key[2] or key[3] or key[4]
            blocks[name] = [key[5] or ""]
        elif name and (_is_deeper(line, indent) or line.strip()[0] in _ENDS):
            blocks[name].append(line)
        else:
            return None
    return blocks


def _is_deeper(line: str, indent: str) -> bool:
    return len(line) - len(line.lstrip()) > len(indent)


def _is_optional(block: list[str]) -> bool:
    first, text = block[0], "\n".join(block)
    # A service may have an anchor before its braces.
    if re.match(r"(?:&\S+[ \t]+)?\{", first):
        return bool(_OPTIONAL_INLINE.search(text))
    return first.startswith("!reset") or bool(_OPTIONAL.search(text))
