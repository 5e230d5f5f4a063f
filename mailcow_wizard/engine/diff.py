"""What an edit changes, as `diff -u` prints it, without a secret."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.engine.differing import Difference, differences, hunks
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.recording.scrub_statements import WEB_SERVERS
from mailcow_wizard.model import Edit
from mailcow_wizard.redaction import REMOVED, configuration, configuration_secrets, without_credentials
from mailcow_wizard.typed import NamedTuple

HIDDEN = "••••"
"""What stands in the place of a secret."""

_CONTEXT = 3
_NOWHERE = "/dev/null"
_CONFIGURATION = "mailcow.conf"
_LONGEST_LINE = 4000
_BLANKS = (("\r", r"\x0d"), ("\u00a0", r"\xa0"))
_SHORTEST_SECRET = 4


class _Text(NamedTuple):
    """A file's lines as they are, as they are shown, and whether the last one has an end."""

    lines: list[bytes]
    shown: list[str]
    ended: bool


def unified(edit: Edit) -> str:
    """The edit as a unified diff; empty where nothing changes. Lines that hold a secret show that they
    change, and not to what."""
    if edit.before == edit.after:
        return ""
    path = harmless(edit.path, _LONGEST_LINE)
    heads = [_NOWHERE if content is None else path for content in (edit.before, edit.after)]
    parts = [f"--- {heads[0]}", f"+++ {heads[1]}"]
    if any(b"\0" in (content or b"") for content in (edit.before, edit.after)):
        return f"Binary files {heads[0]} and {heads[1]} differ\n"
    before, after = _text(edit.path, edit.before), _text(edit.path, edit.after)
    for group in hunks(differences(_keyed(before), _keyed(after)), _CONTEXT):
        parts += _hunk(before, after, group)
    return "\n".join(parts) + "\n"


def secrets_of(path: str, data: bytes | None) -> frozenset[str]:
    """What of mailcow.conf must not be shown, where the file is one: nothing that is shown may hold it."""
    if data is None or not _is_configuration(path):
        return frozenset()
    found: set[str] = set()
    for hidden in configuration_secrets(data.decode("utf-8", "replace")):
        found |= _readings(hidden)
    return frozenset(one for one in found if len(one) >= _SHORTEST_SECRET)


def _readings(value: str) -> set[str]:
    """What a value may be, whoever reads it: with and without quotes, with and without a comment."""
    found = {value, value.strip("'\"")}
    if value[:1] in ("'", '"'):
        found.add(value[1:].partition(value[0])[0])
    elif value:
        found.add(value.split()[0])
    return found


def hide(text: str, secrets: frozenset[str]) -> str:
    """A text with these secrets and the credentials of URLs hidden."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return without_credentials(text).replace(REMOVED, HIDDEN)


def hidden(path: str, text: str) -> str:
    """A file's text, line by line, with its secrets hidden."""
    if _is_configuration(path):
        text = configuration(text)
    return "\n".join(without_credentials(line) for line in text.split("\n")).replace(REMOVED, HIDDEN)


def _is_configuration(path: str) -> bool:
    """mailcow.conf, its copies (mailcow.conf_backup), and the link to it; a web server's site may have that
    name, too."""
    if path.startswith(WEB_SERVERS):
        return False
    name = path.rpartition("/")[2]
    return _CONFIGURATION in name or name.endswith(".env")


def _text(path: str, data: bytes | None) -> _Text:
    if not data:
        return _Text([], [], True)
    ended = data.endswith(b"\n")
    body = data[:-1] if ended else data
    text = hidden(path, body.decode("utf-8", "backslashreplace"))
    return _Text(body.split(b"\n"), [_visible(line) for line in text.split("\n")], ended)


def _hunk(before: _Text, after: _Text, group: Sequence[Difference]) -> list[str]:
    """Differences with the lines around them."""
    first, last = group[0], group[-1]
    ahead = min(_CONTEXT, first.start)
    behind = min(_CONTEXT, len(before.lines) - last.end)
    old = _range(first.start - ahead, last.end + behind)
    new = _range(first.begin - ahead, last.stop + behind)
    parts = [f"@@ -{old} +{new} @@"]
    place = first.start - ahead
    for one in group:
        parts += _marked(" ", before, place, one.start)
        parts += _marked("-", before, one.start, one.end)
        parts += _marked("+", after, one.begin, one.stop)
        place = one.end
    return parts + _marked(" ", before, place, last.end + behind)


def _keyed(text: _Text) -> list[bytes]:
    """The lines with their ends: a last line without one is another than the same with one."""
    lines = [line + b"\n" for line in text.lines]
    if lines and not text.ended:
        lines[-1] = text.lines[-1]
    return lines


def _visible(line: str) -> str:
    """A line without what drives a terminal; tabs stay, and what looks like nothing is seen."""
    for character, shown in _BLANKS:
        line = line.replace(character, shown)
    return "\t".join(harmless(part, _LONGEST_LINE) for part in line.split("\t"))


def _marked(mark: str, text: _Text, start: int, end: int) -> list[str]:
    lines = [mark + line for line in text.shown[start:end]]
    if lines and end == len(text.lines) and not text.ended:
        lines.append("\\ No newline at end of file")
    return lines


def _range(start: int, end: int) -> str:
    """Lines as a hunk's head counts them."""
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start if not length else start + 1},{length}"
