"""How lines are written: what bash and docker compose would not read alike, or not at all."""

import re
from collections.abc import Iterator

from mailcow_wizard.conf.document import Document, written
from mailcow_wizard.conf.layout import GONE, KEYS, NEVER_ADDED
from mailcow_wizard.conf.reading import KEPT, readings
from mailcow_wizard.conf.rule import File, LintFinding
from mailcow_wizard.conf.seen import BOM, Seen
from mailcow_wizard.conf.shell_values import OWN
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.redaction import configuration, is_secret

_KEY = r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*"
_LISTS = ("list", "addresses", "emails")
_JOINED = pattern(r"(?:^|[\s,])[A-Z][A-Z0-9_]+(?:=|[\s,])")

UNSEEN = "unseen-by-updater"


def whole_file(file: File) -> Iterator[LintFinding]:
    """Bytes that do not belong into the file, wherever they stand."""
    text = file.readings.text
    if text.startswith(BOM):
        yield LintFinding(
            1,
            "",
            "byte-order-mark",
            "error",
            _("the file begins with a byte order mark: bash takes it for a part of the first line"),
            _("remove it"),
            Document(text[len(BOM) :]),
        )
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        bare = text.replace("\r\n", "\n").removesuffix("\r")
        ends = "\r" not in bare
        yield LintFinding(
            line,
            "",
            "carriage-return",
            "error",
            _("lines end as on Windows: bash takes the carriage return for a part of the value")
            if ends
            else _("there is a carriage return inside of a line"),
            _("remove the carriage returns") if ends else "",
            Document(bare) if ends else None,
        )
    if text and not text.endswith("\n"):
        yield LintFinding(
            text.count("\n") + 1,
            "",
            "no-final-newline",
            "warning",
            _("the last line does not end: what mailcow's updater appends would become a part of it"),
            _("end it"),
            Document(f"{text}\n"),
        )
    broken = next((place for place, character in enumerate(text) if "\udc80" <= character <= "\udcff"), -1)
    if broken >= 0:
        words = _("there are bytes that are not text in UTF-8")
        yield LintFinding(text.count("\n", 0, broken) + 1, "", "not-utf-8", "warning", words)


def lines(file: File) -> Iterator[LintFinding]:
    """Statements that the two readers part on, lines that stop one of them, keys that are set twice."""
    # What is wrong with the file as a whole is not said again for each of its lines.
    text = file.readings.text.removeprefix(BOM).replace("\r\n", "\n")
    plain = File(Document(text), file.about)
    stopped = _stops(plain)
    yield from stopped
    rows, shown = text.split("\n"), configuration(text).split("\n")
    # One finding a line: what bash makes of the rest of a value may be a piece of a password.
    told = {one.line for one in stopped}
    yield from (_of_the_shell(plain, key) for key in sorted((KEPT | OWN).intersection(plain.values)))
    for key in plain.readings.parted():
        if key in KEPT:
            continue
        bash, compose = plain.readings.last(key)
        last = max((one for one in (bash, compose) if one), key=lambda one: one.start)
        if last.line in told:
            continue
        told.add(last.line)
        if _is_name(key, shown[last.line - 1]):
            yield _parted(file, key, rows[last.line - 1], compose, last.line)
        else:
            words = _("this line is no KEY=VALUE: bash runs a command of its first word")
            yield LintFinding(last.line, "", "no-value", "error", words)
    yield from _twice(file, plain)
    yield from _unseen(file, plain)


def _of_the_shell(file: File, key: str) -> LintFinding:
    words = _(
        "{key} is a variable of the shell: mailcow's scripts, which source this file, no longer work with it",
        key=key,
    )
    if key in KEPT:
        words = _("{key}: bash keeps this variable for itself, and takes no other value", key=key)
    return LintFinding(file.line(key), key, "key-of-the-shell", "error", words)


def _stops(plain: File) -> list[LintFinding]:
    found = []
    bash, compose = plain.readings.bash_stops, plain.readings.compose_stops
    if compose:
        words = _("docker compose takes nothing of this file: {why}", why=compose.why)
        found.append(LintFinding(compose.line, "", "refused-by-compose", "error", words))
    if bash and bash.certain:
        words = _("bash reads nothing from here on: {why}", why=bash.why)
        found.append(LintFinding(bash.line, "", "refused-by-bash", "error", words))
    elif bash:
        words = _("bash takes this for a program, so that what follows is not certain: {why}", why=bash.why)
        found.append(LintFinding(bash.line, "", "program-in-file", "error", words))
    return found


def _parted(file: File, key: str, row: str, compose: Seen | None, line: int) -> LintFinding:
    """A key on which the two do not agree: the likeliest reason, and the value that was meant."""
    rule, message, meant = _reason(key, row, compose)
    if meant is not None and not is_secret(key) and _JOINED.search(meant):
        # What was meant is two settings, of which the second may be a secret.
        return LintFinding(
            line,
            key,
            rule,
            "error",
            _("{message}; another setting follows in the same line", message=message),
        )
    finding = file.finding(key, rule, "error", message, None if meant is None else {key: meant})
    comment = re.search(r"[ \t]#.*$", row)
    if rule == "comment-in-value" and comment and meant is not None:
        finding = _with_comment_above(file, finding, line, f"{key}={meant}", comment[0].strip())
    return finding._replace(line=line)


def _is_name(key: str, shown: str) -> bool:
    """Whether what looks like a key is one, not a piece of a password pasted with a line break."""
    if shown.startswith("#"):
        return False
    return key in KEYS or key in GONE or bool(re.search(rf"(?:^|\s){re.escape(key)}\s*[=:]", shown))


def _with_comment_above(file: File, finding: LintFinding, line: int, right: str, comment: str) -> LintFinding:
    """The comment gets a line of its own."""
    rows = file.readings.text.split("\n")
    rows[line - 1] = f"{comment}\n{right}"
    try:
        written(finding.key, right.partition("=")[2])
    except Unwritable:
        return finding._replace(remedy="", fix=None)
    return finding._replace(remedy=_("put the comment on a line of its own"), fix=Document("\n".join(rows)))


def _reason(key: str, row: str, compose: Seen | None) -> tuple[str, str, str | None]:
    """The rule, what to say, and the value that was meant where that is plain."""
    value = compose.value if compose else None
    raw = re.sub(rf"^{_KEY}\s*[=:]", "", row, count=1)
    plain = bool(re.match(rf"{_KEY}=", row))
    if re.match(rf"{_KEY}\s*$", row):
        return "no-value", _("{key} stands alone: bash runs a command of that name", key=key), None
    if re.match(rf"{_KEY}=[ \t]+#", row) or (plain and re.search(r"\t#", row) and "'" not in raw):
        meant = re.sub(r"[ \t]+#.*$", "", raw).strip()
        meant = meant if re.fullmatch(r"[^\s$`\\\"'&;|<>()~]*", meant) else None  # type: ignore[assignment]
        return (
            "comment-in-value",
            _("{key}: docker compose takes the comment for a part of the value", key=key),
            meant,
        )
    if re.match(rf"{_KEY}\s*:", row) and not plain:
        return (
            "colon-for-equals",
            _("{key}: bash runs a command, because there is a colon and no =", key=key),
            value,
        )
    if re.match(rf"{_KEY}(?:\s+=|=[ \t]+\S)", row):
        words = _(
            "{key}: there is a space beside the =, so that bash runs a command instead of setting it", key=key
        )
        return "space-around-equals", words, value
    if "`" in raw or "$(" in raw:
        return "command-in-value", _("{key}: bash runs the command in the value, as root", key=key), None
    if "$" in raw:
        words = _("{key}: bash and docker compose make different things of the $ in the value", key=key)
        return "dollar-in-value", words, None
    if raw[:1] in ("'", '"'):
        words = _("{key}: bash and docker compose do not agree on where the quotes end", key=key)
        return "quotes-in-value", words, None
    return _bare_reason(key, raw, value)


def _bare_reason(key: str, raw: str, value: str | None) -> tuple[str, str, str | None]:
    """The same for a value without quotes around it."""
    special = re.search(r"[&;|<>()]", raw)
    if special:
        words = _(
            "{key}: {character} means something to bash, so that the value is not set or cut off",
            key=key,
            character=special[0],
        )
        return "shell-character", words, value
    if "\\" in raw or "'" in raw or '"' in raw:
        return (
            "quotes-in-value",
            _("{key}: bash removes quotes and backslashes, docker compose does not", key=key),
            None,
        )
    if raw.startswith("~") or ":~" in raw:
        return "tilde-in-value", _("{key}: bash puts a home directory in the place of ~", key=key), None
    if re.search(r"\s", raw.strip()):
        meant = value
        if value and key in KEYS and KEYS[key].kind in _LISTS:
            meant = re.sub(r"\s*([,;])\s*|\s+", ",", value).strip(",")
        words = _(
            "{key}: there is a space in the value, so that bash runs what follows as a command", key=key
        )
        return "space-in-value", words, meant
    return "not-read-alike", _("{key}: bash and docker compose do not read this line alike", key=key), value


def _twice(file: File, plain: File) -> Iterator[LintFinding]:
    """Keys that are set more than once: the last one counts."""
    counted: dict[str, list[Seen]] = {}
    for one in plain.readings.compose:
        counted.setdefault(one.key, []).append(one)
    for key, seen in counted.items():
        if len(seen) < 2:
            continue
        words = _("{key} is set again in line {line}, which is what counts", key=key, line=seen[-1].line)
        fix = _without(file, [one.line for one in seen[:-1]])
        for one in seen[:-1]:
            remedy = _("remove the lines that do not count") if fix else ""
            yield LintFinding(one.line, key, "set-twice", "warning", words, remedy, fix)


def _without(file: File, lines: list[int]) -> Document | None:
    """The file without these lines, where nothing else changes by that."""
    rows = file.readings.text.split("\n")
    for line in sorted(lines, reverse=True):
        del rows[line - 1]
    text = "\n".join(rows)
    before, after = file.readings, readings(text)
    same = before.values() == after.values() and set(after.parted()) <= set(before.parted())
    return Document(text) if same else None


def _unseen(file: File, plain: File) -> Iterator[LintFinding]:
    """Settings that the updater overlooks, for it looks at the beginning of lines: it adds them again, with
    their defaults, and what stands last counts."""
    text, parted = plain.readings.text, plain.readings.parted()
    for key in plain.values:
        seen = plain.readings.last(key)[0]
        if key not in KEYS or key in NEVER_ADDED or key in parted or seen is None:
            continue
        if re.search(rf"(?m)^#?{key}=", text):
            continue
        words = _(
            "{key} does not begin its line: mailcow's updater overlooks it and adds the default, which then "
            "counts",
            key=key,
        )
        fix = _from_the_beginning(file, key, seen.line)
        remedy = _("let the line begin with the key") if fix else ""
        yield LintFinding(seen.line, key, UNSEEN, "warning", words, remedy, fix)


def _from_the_beginning(file: File, key: str, line: int) -> Document | None:
    """The file with nothing before a key, where nothing else changes by that."""
    rows = file.readings.text.split("\n")
    rows[line - 1] = re.sub(rf"^[ \t]*(?:export[ \t]+)?(?={key}=)", "", rows[line - 1])
    text = "\n".join(rows)
    before, after = file.readings, readings(text)
    same = before.values() == after.values() and set(after.parted()) <= set(before.parted())
    return Document(text) if same and rows[line - 1].startswith(f"{key}=") else None
