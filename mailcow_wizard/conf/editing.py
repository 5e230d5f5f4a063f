"""Changes to mailcow.conf's text. Each is tried: both readers must see it, and all else as before."""

import re
from collections.abc import Iterator

from mailcow_wizard.conf.layout import KEYS, predecessors
from mailcow_wizard.conf.reading import Readings, readings
from mailcow_wizard.conf.seen import BOM, Seen
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.language import _


def with_value(read: Readings, key: str, line: str, value: str) -> str:
    """The text with `line` (KEY=value) where the key belongs. Raises Unwritable."""
    if "\0" in read.text:
        raise Unwritable(_("it is not a text file"))
    before = _agreed(read)
    if before.get(key) == value:
        return read.text
    before[key] = value
    for text in _instead_of_stops(read, key, line):
        after = readings(text)
        if _stops(after) < _stops(read) and _agreed(after, before) == before:
            return text
    for text in _candidates(read, key, line):
        after = readings(text)
        if _agreed(after, before) == before and not _lost(read, after, line):
            return text
    raise Unwritable(_("{key}: the lines around it are damaged; correct the file by hand first", key=key))


def without(read: Readings, key: str) -> str:
    """The text without the lines that set a key. Raises Unwritable."""
    seen = [one for one in (*read.bash, *read.compose) if one.key == key]
    before = _agreed(read)
    before.pop(key, None)
    for whole in (False, True):
        text = read.text
        for start, end in sorted({_lines(text, one, whole) for one in seen}, reverse=True):
            text = text[:start] + text[end:]
        after = readings(text)
        if not any(after.last(key)) and _agreed(after, before) == before and not _lost(read, after, "", key):
            return text
    raise Unwritable(_("{key}: the lines around it are damaged; correct the file by hand first", key=key))


def _agreed(read: Readings, only: "dict[str, str] | None" = None) -> dict[str, str]:
    """The keys whose value both agree on; `only` those, where given: others may become readable."""
    parted = read.parted()
    return {
        key: value
        for key, value in read.values().items()
        if key not in parted and (only is None or key in only)
    }


def _lost(read: Readings, after: Readings, line: str, key: str = "") -> bool:
    """Whether another setting of the same line is gone, and is no part of the new line either."""
    text, kept = read.text, {key, *after.keys()}
    return any(
        one.key not in kept
        and text[max(0, one.start - 1) : one.start] in ("", "\n", " ", "\t", ";")
        and text[one.start : one.end] not in line
        for one in (*read.bash, *read.compose)
    )


def _instead_of_stops(read: Readings, key: str, line: str) -> Iterator[str]:
    """The line in the place of one that stops a reader, where that one would set the key."""
    rows = read.text.split("\n")
    for number in sorted({stop.line - 1 for stop in (read.bash_stops, read.compose_stops) if stop}):
        if re.match(rf"\s*(?:export\s+)?{re.escape(key)}\s*[=:]", rows[number]):
            yield "\n".join((*rows[:number], line, *rows[number + 1 :]))


def _stops(read: Readings) -> tuple[float, ...]:
    """How early the readers stop; less is better."""
    return tuple(-stop.line if stop else -float("inf") for stop in (read.bash_stops, read.compose_stops))


def _candidates(read: Readings, key: str, line: str) -> Iterator[str]:
    """Where the line could stand, the best place first."""
    text = read.text
    bash, compose = read.last(key)
    active = [one for one in (bash, compose) if one]
    if bash and compose and bash.value == compose.value is not None:
        yield text[: bash.start] + line + text[bash.end :]
    if active:
        last = max(active, key=lambda one: one.start)
        yield from _with_comment(text, bash, line)
        for whole in (False, True):
            start, end = _lines(text, last, whole)
            yield f"{text[:start]}{line}\n{text[end:]}"
    else:
        commented = list(re.finditer(rf"(?m)^#{key}=.*\n?", text))
        if commented:
            yield f"{text[: commented[-1].start()]}{line}\n{text[commented[-1].end() :]}"
        yield from _inserted(text, key, line)
    yield _appended(text, key, line)


def _with_comment(text: str, bash: Seen | None, line: str) -> Iterator[str]:
    """Where a comment stands behind the value for bash alone: so that it is one for both, there or above."""
    end = text.find("\n", bash.end) if bash else -1
    found = re.fullmatch(r"[ \t]+(#.*)", text[bash.end : end]) if bash and end >= 0 else None
    if bash and found:
        start = text.rfind("\n", 0, bash.start) + 1
        yield f"{text[: bash.start]}{line} {found[1]}{text[end:]}"
        yield f"{text[:start]}{found[1]}\n{text[start : bash.start]}{line}{text[end:]}"


def _lines(text: str, seen: Seen, whole: bool) -> tuple[int, int]:
    """The lines that a statement stands on; without `whole` the first alone. With a byte order mark."""
    start = text.rfind("\n", 0, seen.start) + 1
    end = text.find("\n", max(seen.start, seen.end - 1) if whole else seen.start)
    return start, len(text) if end < 0 else end + 1


def _inserted(text: str, key: str, line: str) -> Iterator[str]:
    """Behind the nearest key that stands before it in mailcow's own file."""
    places = {match[1]: match for match in re.finditer(r"(?m)^#?([A-Za-z_][A-Za-z0-9_]*)=.*\n?", text)}
    active = {match[1]: match for match in re.finditer(r"(?m)^([A-Za-z_][A-Za-z0-9_]*)=.*\n?", text)}
    for name in predecessors(key):
        match = active.get(name) or places.get(name)
        if match:
            yield _behind(text, match.end(), key, line)
            return
    known = [match.start() for name, match in places.items() if name in KEYS]
    if key in KEYS and known:
        paragraph = text.rfind("\n\n", 0, min(known))
        start = len(BOM) * text.startswith(BOM) if paragraph < 0 else paragraph + 2
        yield f"{text[:start]}{_commented(key, line)}\n{text[start:]}"


def _behind(text: str, place: int, key: str, line: str) -> str:
    """Into the paragraph that goes on there, or as a paragraph of its own."""
    before, after = text[:place], text[place:]
    if before and not before.endswith("\n"):
        before += "\n"
    if after[:2] == "\r\n" or after[:1] in ("\n", ""):
        return f"{before}\n{_commented(key, line)}{after}"
    return f"{before}{_commented(key, line)}{after}"


def _appended(text: str, key: str, line: str) -> str:
    """At the end, as a paragraph of its own."""
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{_commented(key, line)}"


def _commented(key: str, line: str) -> str:
    return f"# {KEYS[key].about}\n{line}\n" if key in KEYS else f"{line}\n"
