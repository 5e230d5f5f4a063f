"""Keeps secrets out of what is shown or recorded: passwords in command lines, in mailcow.conf, in URLs."""

import re
from collections.abc import Sequence

REMOVED = "[removed]"

_SECRET_NAME = (
    r"[\w.-]*(?:pass(?:wd|word|phrase)?|secret|token|api[_-]?key|private[_-]?key|credential)[\w.-]*"
)
_ASSIGNED = re.compile(rf"(?i)(-{{0,2}}{_SECRET_NAME})([=:]).+")
_OPTION = re.compile(rf"(?i)-{{1,2}}{_SECRET_NAME}")
_SECRET_KEY = re.compile(r"PASS|DBROOT|SECRET|TOKEN|KEY", re.IGNORECASE)
_NO_SECRETS = frozenset({"MAILCOW_PASS_SCHEME"})
_LINE = re.compile(r"(?m)^(\s*#?\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*[=:])(.*)$")
_IN_URL = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*(?=@)")


def redacted(command: Sequence[str]) -> tuple[str, ...]:
    """A command line with the values of password-like options and the credentials of URLs removed."""
    shown: list[str] = []
    hide_next = False
    for word in command:
        if hide_next:
            shown.append(REMOVED)
            hide_next = False
            continue
        hide_next = bool(_OPTION.fullmatch(word))
        shown.append(_ASSIGNED.sub(rf"\1\2{REMOVED}", without_credentials(word)))
    return tuple(shown)


def without_credentials(text: str) -> str:
    """Text with `user:password` of URLs removed."""
    return _IN_URL.sub(REMOVED, text)


def is_secret(key: str) -> bool:
    """Whether the value of a key of mailcow.conf must not be shown, logged or recorded."""
    return bool(_SECRET_KEY.search(key)) and key not in _NO_SECRETS


def without_secret_values(text: str) -> str:
    """mailcow.conf's text with the values of secret keys removed, in comments too."""
    return _LINE.sub(lambda line: f"{line[1]}{REMOVED}" if line[3] and is_secret(line[2]) else line[0], text)
