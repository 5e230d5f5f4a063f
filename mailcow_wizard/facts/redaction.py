"""Keeps secrets out of what is shown: command lines of other people's processes hold passwords."""

import re
from collections.abc import Sequence

REMOVED = "[removed]"

_SECRET_NAME = r"[\w.-]*(?:pass(?:wd|word|phrase)?|secret|token|api[_-]?key|private[_-]?key|credential)[\w.-]*"
_ASSIGNED = re.compile(rf"(?i)(-{{0,2}}{_SECRET_NAME})([=:]).+")
_OPTION = re.compile(rf"(?i)-{{1,2}}{_SECRET_NAME}")
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
