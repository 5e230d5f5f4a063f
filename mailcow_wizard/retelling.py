"""What was written down in English, in the language that is spoken: a record, a journal, a log; and back.

What is kept is English, so that any face can read it later, in any language. Sentences are known again by
their form, in all catalogues: first as they are, then with values in their places, then piece by piece. What
is not known stays as it is.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from mailcow_wizard import language
from mailcow_wizard.own_name import uncalled
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_PLACE = pattern(r"\{(\w+)(?:![rsa])?(:[^{}]*)?\}")
_WORD = pattern(r"[A-Za-zÄÖÜäöüß']{2,}")
_LETTERS_OF_ITS_OWN = 8
"""A form with fewer says little: it counts only where nothing foreign is in its places."""
_LEAST_BETWEEN = 4
_LONGEST = 2000
_DEEPEST = 6
_KEY = 4
_SENTENCES = pattern(r"(?<=[.!?])( )(?=[A-Z])")
_LIST = pattern(r"(; |, )")
_ENDS_A_WORD = pattern(r"[\w).”]$")
_MEASURE = pattern(r"\d+\.\d+ [A-Za-z]+(?:/s)?")
_SIGNS = str.maketrans(".,", ",.")


class _Form(NamedTuple):
    """A sentence with values, its words between them, and the same in the other language; `letters` counts
    those of its own."""

    text: str
    pieces: tuple[str, ...]
    told: str
    letters: int

    @property
    def joins(self) -> bool:
        """Whether it joins two sentences: one that fits the end of the second would take the first for a
        value of its own."""
        return not self.pieces[0] and self.pieces[1].startswith("; ")

    def match(self, text: str) -> dict[str, str] | None:
        """The values in this text; None where it is another sentence."""
        first, *between, last = self.pieces
        if not (text.startswith(first) and text.endswith(last) and all(one in text for one in between)):
            return None
        found = re.fullmatch(_pattern(self.text), text, re.DOTALL)
        return found.groupdict() if found else None


class _Book(NamedTuple):
    """All that is translated: sentences as they are, and forms by how they begin or else end (`_key`)."""

    sentences: dict[str, str]
    forms: dict[str, tuple[_Form, ...]]

    def forms_of(self, text: str) -> list[_Form]:
        """Those that may fit, with most words of their own first."""
        keys = (text[:_KEY], f"…{text[-_KEY:]}", "")
        found = [form for key in keys for form in self.forms.get(key, ())]
        return sorted(found, key=lambda one: -one.letters)


def retold(text: str) -> str:
    """A stored text in the language that is spoken, with the name that this program has here."""
    return language.called(_told(text, back=False))


def retold_source(text: str) -> str:
    """What evidence was asked by: words are told, and a command stays, however much it looks like words
    (`docker port postfix`)."""
    return language.called(_told(text, back=False, weakly=False))


def stored(text: str) -> str:
    """A text in the language that is spoken as it is stored."""
    return _told(uncalled(text), back=True)


def _told(text: str, back: bool, weakly: bool = True) -> str:
    if language.current() == language.STORED or not text or len(text) > _LONGEST:
        return text
    return _looked_up(language.current(), back, text, _DEEPEST, weakly)


@lru_cache(maxsize=1024)
def _looked_up(tongue: str, back: bool, text: str, depth: int, weakly: bool) -> str:
    book = _book(tongue, back)
    if _MEASURE.fullmatch(text):
        return text.translate(_SIGNS)
    if text in book.sentences or not depth:
        return book.sentences.get(text, text)

    def part(text: str) -> str:
        return _looked_up(tongue, back, text, depth - 1, weakly)

    forms = book.forms_of(text)
    strong = [one for one in forms if one.letters >= _LETTERS_OF_ITS_OWN]
    weak = forms[len(strong) :] if weakly else []
    joining = [one for one in forms if one.joins] if weakly else []
    return (
        _by_form(joining, text, part)
        or _by_form(strong, text, part)
        or _in_pieces(text, part)
        or _by_form(weak, text, part)
        or text
    )


def _by_form(forms: Sequence[_Form], text: str, part: Callable[[str], str]) -> str:
    """The translation of the first form that fits; empty where none does."""
    for form in forms:
        values = form.match(text)
        if values is None:
            continue
        numbers = _numbers(form.text)
        told = {name: _value(value, name in numbers, part) for name, value in values.items()}
        strange = any(" " in value and told[name] == value for name, value in values.items())
        if form.letters >= _LETTERS_OF_ITS_OWN or not strange:
            return _filled(form.told, told)
    return ""


def _value(text: str, number: bool, part: Callable[[str], str]) -> str:
    """A value within a sentence; a single word is a name, and stays."""
    if number:
        return text.translate(_SIGNS)
    return part(text) if " " in text else text


def _filled(told: str, values: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), told)


def _in_pieces(text: str, part: Callable[[str], str]) -> str:
    """A text put together of others: `a (b)`, sentences and lists, `a: b`; empty where that tells nothing."""
    before, bracket, within = text[:-1].rpartition(" (") if text.endswith(")") else ("", "", "")
    if bracket and (told := f"{part(before)} ({part(within)})") != text:
        return told
    for joints in (_SENTENCES, _LIST):
        pieces = joints.split(text)
        if len(pieces) > 1:
            told_pieces = [one if place % 2 else part(one) for place, one in enumerate(pieces)]
            pairs = zip(told_pieces[::2], pieces[::2], strict=True)
            if told_pieces != pieces and all(
                told != one or len(_WORD.findall(one)) < 2 for told, one in pairs
            ):
                return "".join(told_pieces)
    before, colon, after = text.partition(": ")
    if colon and (told := f"{part(before)}: {part(after)}") != text:
        return told
    return ""


# --- the catalogues ---------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _book(tongue: str, back: bool) -> _Book:
    sentences: dict[str, str] = {}
    for part in language.PARTS:
        for english, told in _sentences(language.catalogue(tongue, part)):
            sentences.setdefault(*((told, english) if back else (english, told)))
    whole = {text: told for text, told in sentences.items() if not _PLACE.search(_named(text))}
    forms: dict[str, list[_Form]] = {}
    for text, told in sentences.items():
        form = _form(_named(text), _named(told))
        if text not in whole and _speaks(form):
            forms.setdefault(_key(form.pieces), []).append(form)
    return _Book(whole, {key: tuple(some) for key, some in forms.items()})


def _speaks(form: _Form) -> bool:
    """Whether there is enough of its own to know it by: `{a} is {b}` is anything."""
    open_ended = not (form.pieces[0] or form.pieces[-1])
    return form.letters >= (_LEAST_BETWEEN if open_ended else 1)


def _key(pieces: tuple[str, ...]) -> str:
    """Under what a form is found: its first letters, else its last ones behind a `…`, else nothing."""
    if len(pieces[0]) >= _KEY:
        return pieces[0][:_KEY]
    return f"…{pieces[-1][-_KEY:]}" if len(pieces[-1]) >= _KEY else ""


def _named(text: str) -> str:
    """Places without a name get one."""
    count = itertools.count()
    return re.sub(r"(?<!\{)\{\}(?!\})", lambda place: f"{{_{next(count)}}}", text)


def _form(text: str, told: str) -> _Form:
    pieces = tuple(_PLACE.split(text)[::3])
    return _Form(text, pieces, told, sum(map(len, _WORD.findall(" ".join(pieces)))))


@lru_cache(maxsize=256)
def _pattern(text: str) -> str:
    words, names, _unused = (_PLACE.split(text)[start::3] for start in range(3))
    pattern = re.escape(words[0])
    for place, name in enumerate(names):
        before, after = words[place : place + 2]
        value = f"(?P={name})" if name in names[:place] else f"(?P<{name}>{_anything(before, after, place)})"
        pattern += value + re.escape(after)
    return pattern


def _anything(before: str, after: str, place: int) -> str:
    """What a value can be; one that a sentence has only sometimes can be nothing: `is free{moved}`."""
    if place and not before:  # behind another value, which ends where such an addition begins
        return r"(?:(?:[,;:.]| \().*?)?"
    return ".*?" if _ENDS_A_WORD.search(before) or after[:1].isalpha() else ".+?"


@lru_cache(maxsize=256)
def _numbers(text: str) -> frozenset[str]:
    """The places whose values are written as numbers."""
    return frozenset(place[1] for place in _PLACE.finditer(text) if place[2])


def _sentences(data: bytes) -> Iterator[tuple[str, str]]:
    """The sentences of a .mo file, both of a plural; those with a context, which are single words, aside
    (https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html)."""

    def text(table: int, number: int) -> str:
        place = table + 8 * number
        length, start = (int.from_bytes(data[at : at + 4], "little") for at in (place, place + 4))
        return data[start : start + length].decode("utf-8")

    count, keys, values = (int.from_bytes(data[at : at + 4], "little") for at in (8, 12, 16))
    for number in range(count):
        key = text(keys, number)
        if key and "\x04" not in key:
            yield from zip(key.split("\0"), text(values, number).split("\0"), strict=False)
