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
_MOST_WAYS = 8
"""In which a text can be one form: where a value ends is tried, and told by what is known of the values."""
_LONGEST = 2000
_DEEPEST = 6
_MOST_PARTS = 200
"""Of one text that are looked at; the wizard's own sentences take 30 at most, what others wrote far more."""
_MOST_PLACES = 2000
"""Where the values of one sentence may end that are tried; its own take 100 at most."""
_KEY = 4
_SENTENCES = pattern(r"(?:(?<=[.!?])|(?<=[.!?]\)))( )(?=[A-Z])")
_LIST = pattern(r"(; |, )")
_ENDS_A_WORD = pattern(r"[\w).”]$")
_NUMBER = pattern(r"0x[0-9a-f]+|[-+]?[0-9]+(?:[.,\s][0-9]{3})*(?:[.,][0-9]+)?")
_AND = " and "
_MEASURE = pattern(r"\d+\.\d+ [A-Za-z]+(?:/s)?")
_THOUSANDS = pattern(r"\d{1,3}(?:,\d{3})+")
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

    def ways(self, text: str) -> Iterator[dict[str, str]]:
        """The values in this text, in every way in which it can be this sentence; the shortest first."""
        first, *between, last = self.pieces
        if text.startswith(first) and text.endswith(last) and all(one in text for one in between):
            names = _PLACE.split(self.text)[1::3]
            for values in _values(self.pieces, text[len(first) :], iter(range(_MOST_PLACES))):
                found = dict(zip(names, values, strict=True))
                # A value that stands there twice is the same.
                same = all(found[name] == value for name, value in zip(names, values, strict=True))
                if same and all(_NUMBER.fullmatch(found[name]) for name in _numbers(self.text)):
                    yield found


def _values(
    pieces: tuple[str, ...], text: str, tries: Iterator[int], first: bool = True
) -> Iterator[tuple[str, ...]]:
    """What stands between the pieces, of which the first ends where the text begins; until `tries` end."""
    before, after, *others = pieces
    can_be = _after_a_value if not (before or first) else _can_be
    if not others:
        value = text.removesuffix(after)
        if text.endswith(after) and can_be(value, before, after):
            yield (value,)
        return
    for place in range(len(text) - len(after) + 1):
        if text.startswith(after, place) and can_be(text[:place], before, after):
            if next(tries, None) is None:
                return
            for rest in _values(pieces[1:], text[place + len(after) :], tries, first=False):
                yield (text[:place], *rest)


def _can_be(value: str, before: str, after: str) -> bool:
    """Whether a value can stand there; one that a sentence has only sometimes can be nothing:
    `is free{moved}`."""
    return bool(value or _ENDS_A_WORD.search(before) or after[:1].isalpha())


def _after_a_value(value: str, before: str, after: str) -> bool:
    """The same where nothing else tells where the value before ends: `{named}{more}`."""
    return not value or value.startswith((",", ";", ":", ".", " ("))


class _Book(NamedTuple):
    """All that is translated: sentences as they are, and forms by how they begin or else end (`_key`); what
    joins the last two of a list, and what does there."""

    sentences: dict[str, str]
    forms: dict[str, tuple[_Form, ...]]
    joint: tuple[str, str]

    def forms_of(self, text: str) -> list[_Form]:
        """Those that may fit, with most words of their own first; of two alike the one that knows which
        values are numbers."""
        keys = (text[:_KEY], f"…{text[-_KEY:]}", "")
        found = [form for key in keys for form in self.forms.get(key, ())]
        return sorted(found, key=lambda one: (-one.letters, not _numbers(one.text)))


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
    return _looked_up(language.current(), back, text, weakly)


@lru_cache(maxsize=1024)
def _looked_up(tongue: str, back: bool, text: str, weakly: bool) -> str:
    return _Telling(_book(tongue, back), weakly).told(text, _DEEPEST)


class _Telling:
    """One text and its parts; those beyond `_MOST_PARTS` stay as they are."""

    def __init__(self, book: _Book, weakly: bool) -> None:
        self._book = book
        self._weakly = weakly
        self._known: dict[tuple[str, int], str] = {}

    def told(self, text: str, depth: int) -> str:
        """A text, so many levels deep."""
        if text in self._book.sentences or not depth:
            return self._book.sentences.get(text, text)
        if (text, depth) not in self._known:
            if len(self._known) >= _MOST_PARTS:
                return text
            self._known[text, depth] = text
            self._known[text, depth] = self._taken_apart(text, depth)
        return self._known[text, depth]

    def _taken_apart(self, text: str, depth: int) -> str:
        def part(text: str) -> str:
            told = self.told(text, depth - 1)
            return _listed(text, self._book.joint) if told == text else told

        forms = self._book.forms_of(text)
        strong = [one for one in forms if one.letters >= _LETTERS_OF_ITS_OWN]
        weak = forms[len(strong) :] if self._weakly else []
        joining = [one for one in forms if one.joins] if self._weakly else []
        return (
            _by_form(joining, text, part)
            or _by_form(strong, text, part)
            or _by_form(weak, text, part)
            or _in_pieces(text, part, whole=True)
            or _by_form(strong, text, part, whole=False)
            or _in_pieces(text, part)
            or (text.translate(_SIGNS) if _MEASURE.fullmatch(text) else text)
        )


def _by_form(forms: Sequence[_Form], text: str, part: Callable[[str], str], whole: bool = True) -> str:
    """The translation of the first form that fits, and whose values are told, too, where they are sentences;
    empty where none does. Not `whole`: a value may stay as it is."""
    for form in forms:
        numbers = _numbers(form.text)
        for values in itertools.islice(form.ways(text), _MOST_WAYS if whole else 1):
            signed = numbers | _in_thousands(form.text, values)
            told = {name: _value(value, name in signed, part) for name, value in values.items()}
            strange = any(" " in value.strip() and told[name] == value for name, value in values.items())
            if not (whole and strange):
                return _filled(form.told, told)
    return ""


def _value(text: str, number: bool, part: Callable[[str], str]) -> str:
    """A value within a sentence; a single word is a name, and stays."""
    if number:
        return text.translate(_SIGNS)
    return part(text) if " " in text else text


def _listed(text: str, joint: tuple[str, str]) -> str:
    """A list of names, joined as it is told: `a, b and c`; another text stays."""
    others, here, last = text.rpartition(joint[0])
    names = (*others.split(", "), last)
    return f"{others}{joint[1]}{last}" if here and not any(" " in one for one in names) else text


def _filled(told: str, values: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), told)


def _in_pieces(text: str, part: Callable[[str], str], whole: bool = False) -> str:
    """A text put together of others: `a (b)`, sentences and lists, `a: b`; empty where that tells nothing, or
    `whole`, not all of it."""
    before, bracket, within = text[:-1].rpartition(" (") if text.endswith(")") else ("", "", "")
    if bracket and (told := _joined((before, " (", within), part, whole)):
        return f"{told})"
    for joints in (_SENTENCES, _LIST):
        pieces = joints.split(text)
        if len(pieces) > 1 and (told := _joined(pieces, part, True)):
            return told
    # What is one text to the catalogue may be several sentences.
    for blank in itertools.islice(_SENTENCES.finditer(text), _MOST_WAYS):
        if told := _joined((text[: blank.start()], " ", text[blank.end() :]), part, True):
            return told
    return _joined(text.partition(": "), part, whole) if ": " in text else ""


def _joined(pieces: Sequence[str], part: Callable[[str], str], whole: bool) -> str:
    """Pieces, with what joins them between; empty where nothing is told, or `whole`, one of some words is
    not. What has no blank is a name, as `php-fpm` is."""
    told = [one if place % 2 else part(one) for place, one in enumerate(pieces)]
    lost = any(
        now == one and " " in one.strip() and len(_WORD.findall(one)) > 1
        for now, one in zip(told, pieces, strict=True)
    )
    return "" if told == list(pieces) or (whole and lost) else "".join(told)


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
    joint = next(pair for pair in sentences.items() if pair[back] == _AND)
    return _Book(whole, {key: tuple(some) for key, some in forms.items()}, joint)


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
def _numbers(text: str) -> frozenset[str]:
    """The places whose values are numbers: those with a format, and `n`, which says whether it is one."""
    return frozenset(place[1] for place in _PLACE.finditer(text) if place[2] or place[1] == "n")


def _in_thousands(text: str, values: dict[str, str]) -> frozenset[str]:
    """The places that have digits in thousands, of something that is counted in bytes: elsewhere `143,993`
    may as well be two ports."""
    counted = (place[1] for place in _PLACE.finditer(text) if text.startswith(" bytes", place.end()))
    return frozenset(one for one in counted if _THOUSANDS.fullmatch(values[one]))


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
