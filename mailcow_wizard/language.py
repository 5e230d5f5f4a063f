"""The language of what people read: English, or German through gettext's catalogues.

It is chosen once, at the start, before any module makes a sentence; so a sentence may stand at the top of a
module. A sentence is whole, one literal: `_("{unit} runs and is synchronised", unit=name)`. In English that
is the sentence itself, and neither gettext nor a catalogue is loaded.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from gettext import NullTranslations
    from typing import Any, TypeAlias

    Repeated: TypeAlias = tuple[str, ...]
    """Options as they are typed, each with its value: `--dir /srv/mailcow`."""

LANGUAGES = ("en", "de")
PARTS = (
    "system",
    "kernel",
    "ports",
    "network",
    "firewall",
    "dns",
    "reputation",
    "time",
    "docker",
    "config",
    "conf",
    "mail",
    "install",
    "report",
    "engine",
    "cli",
    "tui",
    "host",
)
"""The catalogues of a language; `tests/catalogues.py` says which sentence is in which."""

STORED = "en"
"""What records, journals and logs are written in; `retelling` tells them in the language that is spoken."""

OWN = "./wizard"
"""How sentences name this program where they tell what to type: what is kept keeps that name, and who is
told hears the one that they can type (`called`)."""
_SUDO = "sudo "
_OWN_AS_ROOT = f"{_SUDO}{OWN}"
_INSTALLED = ("mailcow-wizard", "sudo mailcow-wizard")

_FOR_PROGRAMS = ("json", "nagios", "prometheus")
_COMMANDS_FOR_PROGRAMS = ("schema", "completion")
_FOLDER = os.path.join(os.path.dirname(__file__), "locale")

_language = "en"
_spoken: NullTranslations | None = None
_patterns: list[tuple[Any, str]] | None = None
_names: tuple[str, str] | Callable[[], tuple[str, str]] = (OWN, _OWN_AS_ROOT)
_repeated: tuple[Repeated, Repeated] | Callable[[], tuple[Repeated, Repeated]] = ((), ())
_known: dict[str, str] = {}
_MOST_KNOWN = 2000


# --- choosing ---------------------------------------------------------------------------------------------


def choose(
    words: Sequence[str],
    environ: Mapping[str, str],
    names: Callable[[], tuple[str, str]] | None = None,
    repeated: Callable[[], tuple[Repeated, Repeated]] | None = None,
) -> None:
    """Chooses for a command line: its `--lang`, else the locale. What programs read is English always, and
    has the installed command's name; `names` tells the ones that a person can type, for them and for root,
    `repeated` the options that belong behind each."""
    global _names, _repeated
    for_programs = _for_programs(words)
    use("en" if for_programs else _asked(words) or of_locale(environ))
    _names = _INSTALLED if for_programs else names or (OWN, _OWN_AS_ROOT)
    _repeated = ((), ()) if for_programs else repeated or ((), ())


def use(language: str) -> None:
    """Speaks this language from now on; what is none of `LANGUAGES` is English."""
    global _language, _spoken, _patterns
    _patterns = None
    _known.clear()
    _spoken = None
    _language = language if language in LANGUAGES else "en"
    if _language != "en":
        _spoken = _catalogues(_language)


def current() -> str:
    """The language that is spoken."""
    return _language


def of_locale(environ: Mapping[str, str]) -> str:
    """The language of the environment, found as gettext does: the first of LC_ALL, LC_MESSAGES and LANG that
    is set is the locale, and unless that is C, LANGUAGE names languages in the order of preference."""
    locale = next(filter(None, (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "C")
    if locale in ("C", "POSIX"):
        return "en"
    for wish in (environ.get("LANGUAGE") or locale).split(":"):
        language = wish.replace(".", "_").replace("@", "_").partition("_")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"


def _for_programs(words: Sequence[str]) -> bool:
    """Whether the output is read by programs."""
    options = _options(words)
    named = next((one for one in words if not one.startswith("-")), "")
    if "--help" in options or "-h" in options:
        return False
    return (
        "--json" in options or named in _COMMANDS_FOR_PROGRAMS or _value(options, "--format") in _FOR_PROGRAMS
    )


def _asked(words: Sequence[str]) -> str:
    return _value(_options(words), "--lang")


def _options(words: Sequence[str]) -> Sequence[str]:
    """The words before `--`."""
    return words[: words.index("--")] if "--" in words else words


def _value(options: Sequence[str], name: str) -> str:
    """An option's value, the last where it is said twice; the line is not yet known to be right."""
    found = ""
    for place, word in enumerate(options):
        if word == name:
            found = "".join(options[place + 1 : place + 2])
        elif word.startswith(f"{name}="):
            found = word.partition("=")[2]
    return found


def _catalogues(language: str) -> NullTranslations | None:
    """The catalogues in one; a part that cannot be read is left out, and its sentences are English."""
    from gettext import GNUTranslations, NullTranslations
    from io import BytesIO

    spoken: NullTranslations = NullTranslations()
    for part in PARTS:
        try:
            read = GNUTranslations(BytesIO(catalogue(language, part)))
        except Exception:  # noqa: S112  whatever is wrong with a file of ours, English is better than no word
            continue
        read.add_fallback(spoken)
        spoken = read
    return spoken


def catalogue(language: str, part: str) -> bytes:
    """A catalogue's .mo file. Raises OSError."""
    loader: Any = __spec__.loader  # the files may be in a zip file
    data: bytes = loader.get_data(f"{_FOLDER}/{language}/LC_MESSAGES/{part}.mo")
    return data


# --- our own name ------------------------------------------------------------------------------------------


def own_names() -> tuple[str, str]:
    """What this program is called by whoever is spoken to, and by them as root; it is found out once."""
    global _names
    if not isinstance(_names, tuple):
        _names = _names()
    return _names


def repeated_options() -> tuple[Repeated, Repeated]:
    """What belongs behind each of these names, so that the line works on what this one works on; it is found
    out once."""
    global _repeated
    if not isinstance(_repeated, tuple):
        _repeated = _repeated()
    return _repeated


def called(text: str) -> str:
    """A text of ours with what can be typed in the place of `OWN`: the name and the options to repeat."""
    return _called(text, own_names(), repeated_options()) if OWN in text else text


def called_elsewhere(text: str) -> str:
    """The same for another server, where this line's options mean nothing: the name alone."""
    return _called(text, own_names(), ((), ()))


def _called(text: str, names: tuple[str, str], options: tuple[Repeated, Repeated]) -> str:
    said, *pieces = text.split(OWN)
    for piece in pieces:
        as_root = said.endswith(_SUDO)
        # An option that the text itself says counts for its line.
        words = [one for one in options[as_root] if not piece.startswith(f" {one.partition(' ')[0]} ")]
        said = " ".join((said.removesuffix(_SUDO) + names[as_root], *words)) + piece
    return said


def _form_called(text: str) -> str:
    """The same for a form, whose braces mean something."""
    if OWN not in text:
        return text
    own, as_root = own_names()
    behind_own, behind_root = repeated_options()
    names = _braced(own), _braced(as_root)
    return _called(text, names, (tuple(map(_braced, behind_own)), tuple(map(_braced, behind_root))))


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


# --- speaking ---------------------------------------------------------------------------------------------


def _(text: str, /, **values: object) -> str:
    """A sentence in the language that is spoken, with its values in the places that have their names."""
    if _spoken is None:
        return _form_called(text).format(**values) if values else called(text)
    return _filled(_spoken.gettext(text), text, values)


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """One of two sentences, as the number wants it; the number itself is `{n}`."""
    english = one if number == 1 else many
    values["n"] = number
    if _spoken is None:
        return _form_called(english).format(**values)
    return _filled(_spoken.ngettext(one, many, number), english, values)


def pgettext(context: str, text: str, /, **values: object) -> str:
    """The same where a word has more than one meaning: the context tells them apart."""
    if _spoken is None:
        return _form_called(text).format(**values) if values else called(text)
    return _filled(_spoken.pgettext(context, text), text, values)


def heard(said: object) -> str:
    """What the machine's door said (an error, an answer), in the language that is spoken; values within a
    sentence are looked at by themselves.

    The door itself speaks English, so that recorded machines say the same to everybody; its sentences are
    known by their form.
    """
    text = str(said)
    if _spoken is None or not text:
        return text
    if text not in _known:
        if len(_known) >= _MOST_KNOWN:  # numbers in a sentence make another text of it each time
            _known.clear()
        _known[text] = _translated(_spoken, text)
    return _known[text]


def _translated(spoken: NullTranslations, text: str) -> str:
    translated = spoken.gettext(text)
    if translated != text:
        return translated
    for pattern, german in _forms():
        found = pattern.fullmatch(text)
        if found:
            parts = {name: _part(name, value, german) for name, value in found.groupdict().items()}
            return _filled(german, text, parts)
    return text


def _part(name: str, value: str, form: str) -> str:
    """A value within a sentence of the door; where a unit stands behind it, it is a number."""
    unit = form.partition(f"{{{name}}} ")[2].partition(" ")[0].rstrip(",;:")
    if unit in _UNITS and value.replace(",", "").replace(".", "").isdigit():
        return value.translate(_SIGNS)
    return heard(value)


def _forms() -> list[tuple[Any, str]]:
    """The door's sentences with values, as patterns, those with most words of their own first."""
    global _patterns
    if _patterns is None:
        _patterns = _read_forms(_spoken)
    return _patterns


def _read_forms(spoken: NullTranslations | None) -> list[tuple[Any, str]]:
    import re

    while spoken is not None and spoken.info().get("x-part") != "host":
        spoken = spoken._fallback  # type: ignore[attr-defined]
    forms: list[tuple[int, Any, str]] = []
    for english, german in (vars(spoken).get("_catalog") or {}).items() if spoken else ():
        if isinstance(english, str) and "{" in english:
            pieces = re.split(r"\{(\w+)[^}]*\}", english)
            pattern = "".join(
                f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)
            )
            forms.append((-sum(map(len, pieces[::2])), re.compile(pattern, re.DOTALL), german))
    return [(pattern, german) for _length, pattern, german in sorted(forms, key=lambda form: form[0])]


def _filled(translated: str, english: str, values: Mapping[str, object]) -> str:
    """The translation with its values; the English sentence where a translation is broken."""
    if not values:
        return called(translated)
    try:
        return _form_called(translated).format(**{name: _written(value) for name, value in values.items()})
    except Exception:
        return _form_called(english).format(**values)


def _written(value: object) -> object:
    """A value as this language writes it."""
    if isinstance(value, Exception) or (type(value) is str and value.count(" ") > 1):
        return heard(value)
    if type(value) is int:
        return _Whole(value)
    if type(value) is float:
        return _Decimal(value)
    return value


class _Whole(int):
    """A number whose groups of thousands have points between them."""

    def __format__(self, form: str) -> str:
        return int.__format__(self, form).translate(_SIGNS)


class _Decimal(float):
    """A number with a decimal comma."""

    def __format__(self, form: str) -> str:
        return float.__format__(self, form).translate(_SIGNS)


_UNITS = ("s", "Bytes", "KiB", "MiB")
_SIGNS = {ord("."): ",", ord(","): "."}
