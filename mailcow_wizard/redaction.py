"""Keeps secrets out of what is shown or recorded: passwords in command lines, in mailcow.conf, in URLs."""

import re
from collections.abc import Callable, Iterator, Sequence

from mailcow_wizard.patterns import pattern

REMOVED = "[removed]"


def _secret_name(begin: str = "") -> str:
    """What a secret's name looks like; `begin` stands where it begins."""
    return (
        rf"(?:{begin}[\w.-]*(?:pass(?:wd|word|phrase|code)?|secret|token|credential|authorization|bearer|cookie"
        rf"|(?:api|private|access|encryption|master|licen[cs]e)[._-]?key)[\w.-]*"
        rf"|(?:{begin}[\w.-]*[_-])?(?:pwd?|creds?|psk|pin|otp))"
    )


_SECRET_NAME = _secret_name()
# A search that begins anew at every letter of a long word takes minutes.
_SECRET_WORD = _secret_name(r"(?<![\w.-])")
# `password=x`, `"password": "x"`, `Authorization: Bearer x`; what follows is removed to the end of the word.
_ASSIGNED = pattern(rf"(?is)({_SECRET_WORD}[\"']?\s*)([=:]).+")
_OPTION = pattern(rf"(?i)-{{1,2}}{_SECRET_NAME}")
# Inside one word: `sh -c "mysql --password x"`.
_OPTION_INSIDE = pattern(rf"(?is)(?<!\S)(-{{1,2}}{_SECRET_NAME})\s+.+")
# These take a password in the same word, numbers too: `mysql -psecret`.
_SHORT_OPTION = pattern(r"-p.+", re.DOTALL)
# Of other programs -p may be a port (`-p8080`, `-p127.0.0.1:80:80/tcp`) or begin a longer name (`-proto`).
_NO_SECRET = (
    r"[\d.:,/\[\]-]+(?:tcp|udp|sctp)?(?!\S)"
    r"|(?:roto(?:col)?|orts?|ath|id(?:-?file)?|refix|rofile|roxy|roject|latform|lugin|olicy|ool|rint)(?![\w-])"
)
_ANY_SHORT_OPTION = pattern(rf"(?s)^-p(?!{_NO_SECRET}).+|(?<!\S)-p(?!{_NO_SECRET})\S+")
# `--user anna:secret`, but neither `-u 1000:1000` nor `-u redis://…`.
_NO_USER = r"(?!\d+:\d+(?!\S)|[a-z][a-z0-9+.-]*://)"
_USER_OPTION = pattern(r"-{1,2}(?:(?:proxy-)?user|auth)|-[uU]")
_USER_INSIDE = pattern(
    rf"(?s)(?<!\S)((?:-{{1,2}}(?:(?:proxy-)?user|auth)[=\s]|-[uU])\s*{_NO_USER}[^\s:]*:).+"
)
_USER = pattern(rf"(?s){_NO_USER}([^:]*:).+")
_WITH_SHORT_OPTION = pattern(r"(?:mysql|mariadb|sshpass)[\w.-]*")
_SECRET_KEY = pattern(
    r"PASS|DBROOT|SECRET|TOKEN|KEY|WEBHOOK|CRED"
    r"|PWD?(?:_|\d*$)|(?:^|_)(?:AUTH|PIN|OTP|PSK|SALT|SEED)(?:_|\d*$)",
    re.IGNORECASE,
)
# The shell's working directory is none.
_NO_SECRETS = frozenset({"MAILCOW_PASS_SCHEME", "PWD", "OLDPWD"})
_KEY = pattern(r"(?<![A-Za-z0-9_])[0-9]*([A-Za-z_][A-Za-z0-9_]*)\s*[=:]")
# The password ends at the last @ before the path: it may hold one itself.
_IN_URL = pattern(r"(?<=://)[^/\s\"'<>@]*:[^/\s\"'<>]*(?=@)")
_TOKEN_IN_URL = pattern(r"(?i)(?<=://)[^/\s\"'<>:@]{16,}(?=@)")

_REPEATED = pattern(
    r"(unterminated quoted value|in variable name(?: near)?|[Ii]nvalid template:|"
    r"[Ii]nvalid interpolation format for \S+|failed to read [^\n]{1,4096}?: required variable) .*"
)
_STANDALONE = "docker-compose"
_UNSET = pattern(r"(\bThe )\S+( variable is not set\b)")


def redacted(command: Sequence[str]) -> tuple[str, ...]:
    """A command line with the values of password-like options and the credentials of URLs removed."""
    shown: list[str] = []
    hide_next = user_next = False
    # An expression is compiled only where the letters are that it needs: a list of processes has few.
    numbers_too = bool(command) and bool(_WITH_SHORT_OPTION.fullmatch(command[0].rpartition("/")[2]))
    for word in command:
        if hide_next:
            shown.append(REMOVED)
            hide_next = False
            continue
        plain = without_credentials(word)
        if user_next:
            plain = _USER.sub(rf"\1{REMOVED}", plain) if _USER.fullmatch(plain) else plain
        # mysql asks for a password that is not in the same word, sshpass takes the next one.
        hide_next = bool(_OPTION.fullmatch(word)) or (numbers_too and word == "-p")
        user_next = bool(_USER_OPTION.fullmatch(word))
        if any(map(str.isspace, word)):
            plain = _OPTION_INSIDE.sub(rf"\1 {REMOVED}", plain)
        if ":" in word:
            plain = _USER_INSIDE.sub(rf"\1{REMOVED}", plain)
        is_assigned = ("=" in word or ":" in word) and bool(_ASSIGNED.match(word))
        if numbers_too and _SHORT_OPTION.fullmatch(word):
            plain = f"-p{REMOVED}"
        elif not hide_next and not is_assigned and "-p" in plain:
            plain = _ANY_SHORT_OPTION.sub(f"-p{REMOVED}", plain)
        shown.append(_ASSIGNED.sub(rf"\1\2{REMOVED}", plain) if "=" in plain or ":" in plain else plain)
    return tuple(shown)


def without_credentials(text: str) -> str:
    """Text with `user:password` of URLs removed, and tokens that stand there alone."""
    if "://" not in text:
        return text
    return _TOKEN_IN_URL.sub(REMOVED, _IN_URL.sub(REMOVED, text))


def is_secret(key: str) -> bool:
    """Whether the value of a key of mailcow.conf must not be shown, logged or recorded."""
    return bool(_SECRET_KEY.search(key)) and key not in _NO_SECRETS


def without_secret_values(text: str) -> str:
    """A text of assignments with the values of secret keys removed, in comments and behind values too.

    Of a quoted secret that goes on, the other lines are removed as well, and so is the line behind a
    backslash.
    """
    return "\n".join(shown for shown, _ in _shown(text, _assignment))


def of_compose(text: str) -> str:
    """What docker compose says, without secrets: it repeats lines of mailcow.conf that it does not take
    (compose-go, dotenv/parser.go), and in values it takes for a name what follows a dollar sign."""
    text = _REPEATED.sub(rf"\1 {REMOVED}", without_secret_values(text))
    return _UNSET.sub(rf"\1{REMOVED}\2", text)


def of_command(command: Sequence[str], text: str) -> str:
    """What a command says, without the secrets that docker compose repeats."""
    is_compose = tuple(command[:2]) == ("docker", "compose") or command[0].rpartition("/")[2] == _STANDALONE
    return of_compose(text) if is_compose else text


def configuration(text: str, lone_word: str = REMOVED) -> str:
    """mailcow.conf's text as it may be shown: settings and comments without secrets.

    What is neither may be a piece of a password that was pasted with a line break, and is removed; in the
    place of a word that stands alone there is `lone_word` then.
    """
    return "\n".join(lone_word if shown == REMOVED else shown for shown, _ in _shown(text, _setting))


def configuration_secrets(text: str) -> frozenset[str]:
    """What `configuration` removes, piece by piece."""
    return frozenset(hidden for _, hidden in _shown(text, _setting) if hidden)


def assignment_shown(word: str) -> str:
    """A word of a command line; of KEY=VALUE with a secret, the key."""
    key, equals, value = word.partition("=")
    return f"{key}={REMOVED}" if equals and value and is_secret(key) else word


def value_shown(key: str, value: str) -> str:
    """The value of a key that is no secret, without a secret that was joined to it on one line."""
    shown, hidden = _setting(f"{key}={value}")
    return shown[len(key) + 1 :] if hidden and shown.startswith(f"{key}=") else value


_UPPER = r"[A-Z][A-Z0-9_]+"
# A key in lower case is one too, unless what follows may be the end of a text in Base64.
_IS_SETTING = pattern(rf"\s*(?:#+\s*)?(?:export\s+)?(?:{_UPPER}\s*[=:]|[A-Za-z_]\w*=(?!=*\s*$))(?!=)")
_IS_COMMENT = pattern(r"\s*(?:#|$)")
# `DBPASS secret`, `# the old DBPASS secret`, `# password secret`.
_FIRST_WORD = pattern(rf"(\s*(?:#+\s*)?({_UPPER}))\s+\S.*")
_LAST_BUT_ONE = pattern(rf"(?:.*\s)?({_UPPER})\s+(\S+)\s*")
_TWO_WORDS = pattern(r"\s*#+\s*(\w+)\s+(\S+)\s*")


def _shown(text: str, show: Callable[[str], tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each line as it may be shown, and what was removed from it."""
    quote = ""
    goes_on = False
    for line in text.split("\n"):
        if quote and show is _setting and (_IS_COMMENT.match(line) or _IS_SETTING.match(line)):
            # The quote was forgotten: a password does not go on in a line like that.
            quote = ""
        if quote or goes_on:
            quote = "" if quote in line else quote
            goes_on = goes_on and line.endswith("\\")
            yield f"# {REMOVED}", line.strip()
            continue
        shown, hidden = show(line)
        quote = hidden[0] if hidden[:1] in ("'", '"') and hidden.count(hidden[0]) == 1 else ""
        goes_on = bool(hidden) and hidden.endswith("\\")
        yield shown, hidden


def _assignment(line: str) -> tuple[str, str]:
    """A line without the value of the first secret key in it, and that value."""
    secret = next((key for key in _KEY.finditer(line) if is_secret(key[1])), None)
    value = line[secret.end() :].strip() if secret else ""
    return (f"{line[: secret.end()]}{REMOVED}", value) if secret and value else (line, "")


def _setting(line: str) -> tuple[str, str]:
    """The same of a line of mailcow.conf, which is removed where it is neither a setting nor a comment."""
    known = _IS_SETTING.match(line) or _IS_COMMENT.match(line)
    first = _FIRST_WORD.fullmatch(line)
    if first and is_secret(first[2]) and not _IS_SETTING.match(line):
        return f"{first[1]} {REMOVED}", line[first.end(1) :].strip()
    if not known:
        return REMOVED, line.strip()
    shown, hidden = _assignment(line)
    if not hidden:
        words = _LAST_BUT_ONE.fullmatch(line) or _TWO_WORDS.fullmatch(line)
        if words and is_secret(words[1]):
            return f"{line[: words.start(2)]}{REMOVED}", words[2]
    return shown, hidden
