"""What may be recorded of other programs' settings, which are read as text: their form, and never a secret.

Compose files (people write passwords into `environment` of an override), Docker's daemon.json (tokens of log
services) and /etc/fstab (passwords of network drives).
"""

import re

from mailcow_wizard.patterns import pattern
from mailcow_wizard.redaction import REMOVED, is_secret

_LONGEST_LINE = 2000
"""Longer lines are left out: nobody writes them, and to search them takes more than their length."""
_KEY = pattern(r"""(?:^|(?<=[\s"'{,\[]))([A-Za-z_][\w.-]*)["']?\s*[:=]\s*""")
_REFERENCE = pattern(r"""["']?\$(?:\w+|\{\w+\})["']?\s*""")
_IN_QUOTES = {'"': pattern(r'(?:[^"\\]|\\.)*(?=")'), "'": pattern(r"(?:[^']|'')*(?=')")}
_IN_BRACKETS = pattern(r"""\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}\]"'][^,}\]]*)(?=\s*[,}\]])""")
_OPTION = pattern(
    r"""(?i)(-{1,2}[\w-]*(?:pass(?:wd|word|phrase)?|secret|token|api-?key)[\w-]*["']?(?:=|\s*,\s*|\s+)["']?)"""
    r"""(?![\s$-])[^\s"',\]]+"""
)
_JSON_TEXT = r'(?:[^"\\\n]|\\.)*'
_JSON_VALUE = pattern(rf'("({_JSON_TEXT})"\s*:\s*")({_JSON_TEXT})(?=")')
_JSON_ASSIGNED = pattern(rf'("([A-Za-z_][\w.-]*)=)({_JSON_TEXT})(?=")')
_MOUNT_OPTION = pattern(r"(?im)((?:^|[\s,])(?:pass(?:word|wd)?2?|passphrase|secret)=)[^,\s]+")


def compose(text: str) -> str:
    """A compose file without the values of secret keys; what it takes from mailcow.conf stays (`${X}`)."""
    lines: list[str] = []
    removed_at = empty_at = -1
    for line in _short(text).split("\n"):
        indent = len(line) - len(line.lstrip())
        if removed_at >= 0 and (indent > removed_at or not line.strip()):
            # What goes on in the next lines stands deeper than its key.
            lines.append("")
            continue
        removed_at = -1
        if 0 <= empty_at < indent and line.strip() and not re.search(r"[:=]|^\s*-", line):
            lines.append(f"{line[:indent]}{REMOVED}")
            removed_at, empty_at = empty_at, -1
            continue
        shown, value = _compose_line(line)
        lines.append(shown)
        removed_at = indent if value and shown != line else -1
        empty_at = indent if value == "" else -1
    return "\n".join(lines)


def json(text: str) -> str:
    """A JSON text without the values of secret keys; paths stay, and so does whatever is wrong with it."""

    def removed(match: re.Match[str]) -> str:
        stays = not _is_secret(match[2]) or not match[3] or match[3].startswith("/")
        return match[0] if stays else f"{match[1]}{REMOVED}"

    return _JSON_ASSIGNED.sub(removed, _JSON_VALUE.sub(removed, _short(text)))


def mounts(text: str) -> str:
    """/etc/fstab without passwords among the options."""
    return _MOUNT_OPTION.sub(rf"\1{REMOVED}", text)


def _short(text: str) -> str:
    return "\n".join(line if len(line) <= _LONGEST_LINE else REMOVED for line in text.split("\n"))


def _compose_line(line: str) -> tuple[str, str | None]:
    """The line as it may be recorded, and the value of the last secret key in it (None: there is none)."""
    shown, begin, value = "", 0, None
    for key in _KEY.finditer(line):
        if key.start() < begin or not _is_secret(key[1]):
            continue
        before = shown + line[begin : key.end()]
        quotes, brackets = _open(before)
        ends = _IN_QUOTES[quotes[0]] if quotes else _IN_BRACKETS if brackets else None
        within = ends.match(line, key.end()) if ends else None
        # Where nothing says where a value ends, the whole line belongs to it.
        end = within.end() if within else len(line)
        value = line[key.end() : end].strip()
        shown, begin = before + _kept(line[key.end() : end], "" if within else quotes + brackets), end
    if value is None:
        return _OPTION.sub(rf"\1{REMOVED}", line), None
    return shown + line[begin:], value


def _kept(value: str, closing: str) -> str:
    """What of a secret's value may be recorded: that it is taken from mailcow.conf; then `closing`."""
    if not value.strip() or _REFERENCE.fullmatch(value):
        return value
    kept = "".join(f"${{{name}}}" for name in re.findall(r"\$\{(\w+)", value))
    return (kept or REMOVED) + closing


def _open(before: str) -> tuple[str, str]:
    """What closes the quotes, and the brackets, that are open where a value begins."""
    quotes = "".join(one for one in _IN_QUOTES if before.count(one) % 2)
    square, curly = before.count("[") - before.count("]"), before.count("{") - before.count("}")
    return quotes, "]" * square + "}" * curly


def _is_secret(key: str) -> bool:
    return is_secret(re.sub(r"[.-]", "_", key)) or "basicauth" in key.lower()
