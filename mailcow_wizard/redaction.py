"""Keeps secrets out of what is shown or recorded: passwords in command lines, in mailcow.conf, in URLs."""

import re
from collections.abc import Sequence

REMOVED = "[removed]"

_SECRET_NAME = (
    r"[\w.-]*(?:pass(?:wd|word|phrase|code)?|secret|token|api[_-]?key|private[_-]?key|credential"
    r"|authorization)[\w.-]*"
)
# `password=x`, `"password": "x"`, `Authorization: Bearer x`; what follows is removed to the end of the word.
_ASSIGNED = re.compile(rf"(?is)(-{{0,2}}{_SECRET_NAME}[\"']?\s*)([=:]).+")
_OPTION = re.compile(rf"(?i)-{{1,2}}{_SECRET_NAME}")
# Inside one word: `sh -c "mysql --password x"`.
_OPTION_INSIDE = re.compile(rf"(?is)(?<!\S)(-{{1,2}}{_SECRET_NAME})\s+.+")
# These take a password in the same word: `mysql -psecret`.
_SHORT_OPTION = re.compile(r"-p.+", re.DOTALL)
_WITH_SHORT_OPTION = re.compile(r"(?:mysql|mariadb|sshpass)[\w.-]*")
_SECRET_KEY = re.compile(r"PASS|DBROOT|SECRET|TOKEN|KEY|WEBHOOK", re.IGNORECASE)
_NO_SECRETS = frozenset({"MAILCOW_PASS_SCHEME"})
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*[=:]")
# The password ends at the last @ before the path: it may hold one itself.
_IN_URL = re.compile(r"(?<=://)[^/\s\"'<>@]*:[^/\s\"'<>]*(?=@)")
_TOKEN_IN_URL = re.compile(r"(?i)(?<=://)[^/\s\"'<>:@]{16,}(?=@)")


def redacted(command: Sequence[str]) -> tuple[str, ...]:
    """A command line with the values of password-like options and the credentials of URLs removed."""
    shown: list[str] = []
    hide_next = False
    short = bool(command) and bool(_WITH_SHORT_OPTION.fullmatch(command[0].rpartition("/")[2]))
    for word in command:
        if short and _SHORT_OPTION.fullmatch(word):
            word = f"-p{REMOVED}"
        if hide_next:
            shown.append(REMOVED)
            hide_next = False
            continue
        hide_next = bool(_OPTION.fullmatch(word))
        word = _OPTION_INSIDE.sub(rf"\1 {REMOVED}", without_credentials(word))
        shown.append(_ASSIGNED.sub(rf"\1\2{REMOVED}", word))
    return tuple(shown)


def without_credentials(text: str) -> str:
    """Text with `user:password` of URLs removed, and tokens that stand there alone."""
    return _TOKEN_IN_URL.sub(REMOVED, _IN_URL.sub(REMOVED, text))


def is_secret(key: str) -> bool:
    """Whether the value of a key of mailcow.conf must not be shown, logged or recorded."""
    return bool(_SECRET_KEY.search(key)) and key not in _NO_SECRETS


def without_secret_values(text: str) -> str:
    """mailcow.conf's text with the values of secret keys removed, in comments and behind values too.

    Of a quoted secret that goes on, the other lines are removed as well.
    """
    shown: list[str] = []
    quote = ""
    for line in text.split("\n"):
        if quote:
            quote = "" if quote in line else quote
            shown.append(f"# {REMOVED}")
            continue
        secret = next((key for key in _KEY.finditer(line) if is_secret(key[1])), None)
        value = line[secret.end() :].strip() if secret else ""
        if secret and value:
            quote = value[0] if value[0] in "'\"" and value.count(value[0]) == 1 else ""
            line = f"{line[: secret.end()]}{REMOVED}"
        shown.append(line)
    return "\n".join(shown)
