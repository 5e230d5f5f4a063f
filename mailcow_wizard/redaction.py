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
# These take a password in the same word, numbers too: `mysql -psecret`.
_SHORT_OPTION = re.compile(r"-p.+", re.DOTALL)
# Of other programs -p may be a port (`-p8080`, `-p127.0.0.1:80:80/tcp`) or begin a longer name (`-proto`).
_NO_SECRET = (
    r"[\d.:,/\[\]-]+(?:tcp|udp|sctp)?(?!\S)"
    r"|(?:roto(?:col)?|orts?|ath|id(?:-?file)?|refix|rofile|roxy|roject|latform|lugin|olicy|ool|rint)(?![\w-])"
)
_ANY_SHORT_OPTION = re.compile(rf"(?s)^-p(?!{_NO_SECRET}).+|(?<!\S)-p(?!{_NO_SECRET})\S+")
# `--user anna:secret`, but neither `-u 1000:1000` nor `-u redis://…`.
_NO_USER = r"(?!\d+:\d+(?!\S)|[a-z][a-z0-9+.-]*://)"
_USER_OPTION = re.compile(r"-{1,2}(?:proxy-)?user|-[uU]")
_USER_INSIDE = re.compile(rf"(?s)(?<!\S)((?:-{{1,2}}(?:proxy-)?user[=\s]|-[uU])\s*{_NO_USER}[^\s:]*:).+")
_USER = re.compile(rf"(?s){_NO_USER}([^:]*:).+")
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
    hide_next = user_next = False
    numbers_too = bool(command) and bool(_WITH_SHORT_OPTION.fullmatch(command[0].rpartition("/")[2]))
    for word in command:
        if hide_next:
            shown.append(REMOVED)
            hide_next = False
            continue
        plain = without_credentials(word)
        if user_next:
            plain = _USER.sub(rf"\1{REMOVED}", plain) if _USER.fullmatch(plain) else plain
        hide_next, user_next = bool(_OPTION.fullmatch(word)), bool(_USER_OPTION.fullmatch(word))
        plain = _USER_INSIDE.sub(rf"\1{REMOVED}", _OPTION_INSIDE.sub(rf"\1 {REMOVED}", plain))
        if numbers_too and _SHORT_OPTION.fullmatch(word):
            plain = f"-p{REMOVED}"
        elif not hide_next and not _ASSIGNED.match(word):
            plain = _ANY_SHORT_OPTION.sub(f"-p{REMOVED}", plain)
        shown.append(_ASSIGNED.sub(rf"\1\2{REMOVED}", plain))
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
