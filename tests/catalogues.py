"""The catalogues: which sentences the program has, and their translations.

`python -m tests.catalogues` brings mailcow_wizard/locale up to date with the source: new sentences come
without a translation, or with that of another catalogue, those that are gone go; then the .mo files are made.
It says how many are not translated yet; `python -m tests.catalogues PART` says which.
"""

import ast
import errno
import os
import re
import struct
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from mailcow_wizard.language import LANGUAGES, PARTS

ROOT = Path(__file__).resolve().parents[1] / "mailcow_wizard"
TRANSLATIONS = LANGUAGES[1:]
MARKS = {"_": 1, "ngettext": 2, "pgettext": 2}
"""The functions that take a sentence, and how many of their arguments are words of it."""

_HEADER = """\
# German sentences of mailcow-wizard; `python -m tests.catalogues` keeps them up to date.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"X-Part: {part}\\n"

"""
_TOPICS = {
    "system": "cpu storage virtualization tools environment surroundings packages volumes swap",
    "kernel": "modules sysctl",
    "ports": "port bindings blockers containers main_programs owners postfix_files protected proxy units web",
    "network": "addresses reached neighbours free_subnet free_places provider",
    "dns": "providers",
    "config": "conf checkout mailcow_conf hostname compose presence identity",
}
"""Modules of checks, facts and fixes whose part has another name than they begin with."""

# What the kernel answers most, which stands within sentences of the door.
_HEARD_ERRORS = (
    *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOSPC),
    *(errno.EROFS, errno.EDQUOT, errno.EIO, errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT),
    *(
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EADDRINUSE,
        errno.EADDRNOTAVAIL,
        errno.EBUSY,
        errno.EAGAIN,
    ),
)


class Sentence(NamedTuple):
    """What is translated as one; `plural` and `context` are empty where there is none."""

    text: str
    plural: str = ""
    context: str = ""

    @property
    def id(self) -> str | tuple[str, str]:
        """Babel's key."""
        return (self.text, self.plural) if self.plural else self.text

    @property
    def key(self) -> str:
        """The key in a .mo file."""
        return (f"{self.context}\x04" if self.context else "") + "\0".join(filter(None, self[:2]))


class Use(NamedTuple):
    """A place that needs a sentence."""

    file: str
    line: int
    sentence: Sentence


def part_of(file: str) -> str:
    """The catalogue for a file of the package."""
    package, _, rest = file.partition("/")
    if package in ("checks", "facts", "fixes"):
        name = rest.partition("/")[0].removesuffix(".py")
    elif package in PARTS:
        return package
    else:
        name = package.removesuffix(".py").removeprefix("requirements_")
    for length in range(len(name.split("_")), 0, -1):
        start = "_".join(name.split("_")[:length])
        for topic, names in _TOPICS.items():
            if start in names.split():
                return topic
        if start in PARTS:
            return start
    return "engine"


# --- what the source needs --------------------------------------------------------------------------------


def uses() -> Iterator[Use]:
    """Every sentence of the source, in the order of the files."""
    for path in sorted(ROOT.rglob("*.py")):
        yield from uses_of(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))


def uses_of(file: str, source: str) -> Iterator[Use]:
    """The sentences of one file. Raises ValueError where one is not a literal."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        mark = mark_of(node)
        if mark:
            words = [literal(one) for one in node.args[: MARKS[mark]]]
            if None in words or len(words) < MARKS[mark]:
                raise ValueError(f"{file}:{node.lineno}: the sentence is not a literal")
            one, other = str(words[0]), str(words[-1])
            sentence = {"_": (one,), "ngettext": (one, other), "pgettext": (other, "", one)}[mark]
            yield Use(file, node.lineno, Sentence(*sentence))
    if file.startswith("host/"):
        yield from _heard(file, tree)
    if file == "conf/layout.py":
        yield from _comments(file, tree)
    if file == "host/errors.py":
        yield from (Use(file, 1, Sentence(os.strerror(number))) for number in _HEARD_ERRORS)


def mark_of(node: ast.Call) -> str:
    """The function that marks a sentence, where the call is one of it."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    owner = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else "language"
    return str(name) if name in MARKS and owner == "language" else ""


def literal(node: ast.expr) -> str | None:
    """A text that is written as it is."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _heard(file: str, tree: ast.Module) -> Iterator[Use]:
    """The door's own sentences, which stay English there (`language.heard`): what it raises and returns, and
    its words for what the kernel says."""
    marked = {
        id(below)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and mark_of(node)
        for below in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found = node.exc.args
        elif isinstance(node, ast.Return) and node.value is not None:
            found = [*_alternatives(node.value)]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_WORDS":
            words = (literal(one) for one in node.value.values) if isinstance(node.value, ast.Dict) else ()
            yield from (Use(file, node.lineno, Sentence(one)) for one in words if one)
            continue
        else:
            continue
        for one in found:
            form = template(one)
            if form and id(one) not in marked and is_sentence(re.sub(r"\{\w+\}", " x ", form)):
                yield Use(file, node.lineno, Sentence(form))


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression may be: each branch, each member of a tuple."""
    if isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.Tuple):
        parts = node.elts
    else:
        yield node
        return
    for one in parts:
        yield from _alternatives(one)


def _comments(file: str, tree: ast.Module) -> Iterator[Use]:
    """What stands above a key in mailcow.conf, where it is English; people hear it (`layout.for_people`)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            place = {"Key": 3, "_switch": 2}.get(getattr(node.func, "id", ""))
            text = literal(node.args[place]) if place else None
            if text:
                yield Use(file, node.lineno, Sentence(text))


def template(node: ast.expr) -> str:
    """A text with its values as names; empty where it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    text, names = "", []
    for piece in node.values:
        if isinstance(piece, ast.Constant):
            text += str(piece.value)
        elif isinstance(piece, ast.FormattedValue):
            names.append(_name(piece.value, names))
            text += f"{{{names[-1]}}}"
    return text


def _name(node: ast.expr, taken: list[str]) -> str:
    named = [
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute | ast.Name)
    ]
    name = (named or ["value"])[0].lower().lstrip("_")
    return name if name not in taken else f"{name}{len(taken)}"


_COMMANDS = re.compile(
    r" *(apk|apt-get|cat|cd|chmod|chown|chronyc|curl|dig|dnf|docker|dpkg|echo|findmnt|firewall-cmd|getent|"
    r"git|grep|hwclock|ip|ip6tables|iptables|journalctl|kill|ln|ls|lsmod|mkdir|mkswap|modprobe|nft|openssl|"
    r"pacman|ping|postconf|readlink|rm|rpm|sed|service|ss|swapon|sysctl|systemctl|timedatectl|ufw|uname|"
    r"yum|zypper) "
)

_PATTERN = re.compile(r"\\[dSsbw]|\w\|\w|\.\*|\(\?[i:]")


def is_sentence(text: str) -> bool:
    """Whether a text looks like words for people: three in a row that are no options, paths or names, and not
    the words of a command or of a pattern."""
    if (_COMMANDS.match(text) and not text.endswith(".")) or _PATTERN.search(text):
        return False
    return bool(re.search(r"(?<![\w/.-])[A-Za-z'][a-z']*,? [a-z']+,? [a-z']+(?![\w/.=])", text))


# --- catalogues -------------------------------------------------------------------------------------------


def needed() -> dict[str, dict[Sentence, list[str]]]:
    """The sentences of each part, with the files that use them."""
    parts: dict[str, dict[Sentence, list[str]]] = {part: {} for part in PARTS}
    for use in uses():
        files = parts[part_of(use.file)].setdefault(use.sentence, [])
        if use.file not in files:
            files.append(use.file)
    return parts


def path_of(language: str, part: str, kind: str = "po") -> Path:
    """A catalogue's file."""
    return ROOT / "locale" / language / "LC_MESSAGES" / f"{part}.{kind}"


def read(language: str, part: str) -> dict[Sentence, tuple[str, ...]]:
    """A catalogue's translations, singular and plural; a doubtful one (fuzzy) is none."""
    path = path_of(language, part)
    if not path.exists():
        return {}
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    found = {}
    for one in catalogue:
        if one.id:
            text, plural = one.id if isinstance(one.id, tuple) else (one.id, "")
            words = one.string if isinstance(one.string, tuple) else (one.string,)
            found[Sentence(text, plural, one.context or "")] = (
                () if one.fuzzy or not all(words) else tuple(words)
            )
    return found


def write(
    language: str, part: str, translated: dict[Sentence, tuple[str, ...]], files: dict[Sentence, list[str]]
) -> None:
    """A catalogue's .po and .mo."""
    catalogue = Catalog(locale=language)
    for sentence in sorted(translated):
        words = translated[sentence] or (("", "") if sentence.plural else ("",))
        catalogue.add(
            sentence.id,
            words if sentence.plural else words[0],
            locations=[(f"mailcow_wizard/{file}", None) for file in files.get(sentence, ())],
            context=sentence.context or None,
        )
    text = BytesIO()
    write_po(text, catalogue, width=100, omit_header=True)
    header = _HEADER.format(language=language, part=part)
    path = path_of(language, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode() + text.getvalue().strip() + b"\n")
    path_of(language, part, "mo").write_bytes(compiled(language, part, translated))


def compiled(language: str, part: str, translated: dict[Sentence, tuple[str, ...]]) -> bytes:
    """A .mo file, the same bytes for the same sentences
    (https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html)."""
    header = (
        f"Language: {language}\nContent-Type: text/plain; charset=UTF-8\n"
        f"Plural-Forms: nplurals=2; plural=(n != 1);\nX-Part: {part}\n"
    )
    rows = {"": header, **{one.key: "\0".join(words) for one, words in translated.items() if words}}
    keys = sorted(key.encode() for key in rows)
    values = [rows[key.decode()].encode() for key in keys]
    place = 28 + 16 * len(keys)
    tables = b""
    for texts in (keys, values):
        for text in texts:
            tables += struct.pack("<II", len(text), place)
            place += len(text) + 1
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, place)
    return head + tables + b"".join(text + b"\0" for text in (*keys, *values))


def update(language: str) -> dict[str, list[Sentence]]:
    """Brings a language's catalogues up to date; what is not translated, by part."""
    kept = {part: read(language, part) for part in PARTS}
    anywhere = {sentence: words for one in kept.values() for sentence, words in one.items() if words}
    missing = {}
    for part, sentences in needed().items():
        translated = {one: kept[part].get(one) or anywhere.get(one, ()) for one in sentences}
        write(language, part, translated, sentences)
        missing[part] = [one for one in sorted(translated) if not translated[one]]
    return missing


def main(words: list[str]) -> None:
    """Updates all, and tells what is missing."""
    for language in TRANSLATIONS:
        missing = update(language)
        for part in words:
            print("".join(f"{one.text}\n" for one in missing[part]), end="")
        if not words:
            print(
                language,
                ", ".join(f"{part} {len(left)}" for part, left in missing.items() if left) or "complete",
            )


if __name__ == "__main__":
    main(sys.argv[1:])
