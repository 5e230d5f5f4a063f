"""Reads mailcow.conf: the lines that set a key, as both of its readers (bash and docker compose) see them."""

import re

_ASSIGNMENT = r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)"
# The value ends at a comment, which needs a blank before it: `a#b` is a value, `a # b` is `a`.
_COMMENT = r"(?:^|\s)#.*$"


# bash runs these as a command, or gives the key no value; compose reads them as if the blanks were not there.
_ODD = r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)(?:\s+=|\s*:|=\s+[^\s#]).*"


def odd_lines(text: str) -> dict[str, str]:
    """Lines that bash and compose read differently, by the key that they seem to set."""
    found: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").splitlines():
        match = re.fullmatch(_ODD, line)
        if match:
            found[match[1]] = line.strip()
    return found


def values(text: str) -> dict[str, str]:
    """The keys that are set, and their values without quotes; of a key set twice the last counts."""
    found: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").splitlines():
        match = re.fullmatch(_ASSIGNMENT, line.strip())
        if match:
            found[match[1]] = _value(match[2])
    return found


def _value(raw: str) -> str:
    quote = raw[:1]
    if quote and quote in "'\"":
        end = raw.find(quote, 1)
        return raw[1:end] if end > 0 else raw[1:]
    return re.sub(_COMMENT, "", raw).strip()
