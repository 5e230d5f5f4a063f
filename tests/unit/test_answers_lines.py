"""The lines of a TOML document: right for documents that chance makes; all mistakes of what is none."""

import random
import re
from typing import Any

import pytest
import tomli

from mailcow_wizard.answers.lines import lines_of
from mailcow_wizard.answers.toml import Mistake, read

SEEDS = range(300)
_BARE = "abcxyzABC019_-"
_WILD = "aä\"'\\#=[]{},. \t€𝄞"

Path = tuple[str | int, ...]


class Written:
    """A document that chance wrote, line by line, and where it put what."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.lines = [""]
        self.places: dict[Path, int] = {}
        self._number = 0

    @property
    def text(self) -> str:
        """All of it."""
        return self._end.join(self.lines)

    def make(self) -> "Written":
        """Tables, arrays of tables, pairs before all of them."""
        self._end = self._chance.choice(["\n", "\r\n"])
        self._pairs(())
        for _ in range(self._chance.randint(0, 5)):
            if self._chance.random() < 0.5:
                self._table((), "[]")
            else:
                self._tables()
        return self

    def _tables(self) -> None:
        name = self._name()
        for number in range(self._chance.randint(1, 3)):
            self._new_line()
            self.places.setdefault((name,), len(self.lines))
            self.places[name, number] = len(self.lines)
            self._put(f"[[{self._blank()}{self._quoted(name)}{self._blank()}]]{self._remark()}")
            self._pairs((name, number))
            if self._chance.random() < 0.4:
                self._table((name, number), "[]", self._quoted(name) + ".")

    def _table(self, above: Path, brackets: str, before: str = "") -> None:
        self._new_line()
        name = self._name()
        self.places[(*above, name)] = len(self.lines)
        self._put(f"{self._blank()}[{before}{self._quoted(name)}]{self._remark()}")
        self._pairs((*above, name))

    def _pairs(self, above: Path) -> None:
        for _ in range(self._chance.randint(0, 4)):
            self._new_line()
            names = [self._name() for _ in range(self._chance.choice([1, 1, 1, 2, 3]))]
            for length in range(1, len(names) + 1):
                self.places[(*above, *names[:length])] = len(self.lines)
            dots = f"{self._blank()}.{self._blank()}".join(map(self._quoted, names))
            self._put(f"{self._blank()}{dots}{self._blank()}={self._blank()}")
            self._value((*above, *names), 0)
            self._put(self._remark())

    def _value(self, path: Path, depth: int) -> None:
        kind = self._chance.choice(["text", "plain", "array", "inline"] if depth < 3 else ["text", "plain"])
        if kind == "text":
            self._text()
        elif kind == "plain":
            self._put(self._chance.choice(["1", "-3.5", "true", "2027-12-31", "1979-05-27 07:32:00", "0x1F"]))
        elif kind == "array":
            self._array(path, depth)
        else:
            self._inline(path, depth)

    def _text(self) -> None:
        some = "".join(self._chance.choice(_WILD) for _ in range(self._chance.randint(0, 9)))
        escaped = some.replace("\\", "\\\\").replace('"', '\\"')
        plain = some.replace("'", "")
        style = self._chance.choice(['"', "'", '"""', "'''"])
        if len(style) == 1:
            self._put(f"{style}{escaped if style == chr(34) else plain}{style}")
            return
        self._put(style)
        for _ in range(self._chance.randint(0, 2)):
            self._put(escaped if style[0] == '"' else plain)
            self.lines.append("")
        extra = style[0] * self._chance.randint(0, 2)
        self._put(f"x{extra}{style}")

    def _array(self, path: Path, depth: int) -> None:
        self._put("[")
        for number in range(self._chance.randint(0, 3)):
            self._put(self._space())
            self.places[(*path, number)] = len(self.lines)
            self._value((*path, number), depth + 1)
            self._put(self._space() + ",")
        self._put(self._space() + "]")

    def _inline(self, path: Path, depth: int) -> None:
        self._put("{")
        for number in range(self._chance.randint(0, 2)):
            name = self._name()
            self._put(f"{', ' if number else ' '}{self._quoted(name)} = ")
            self.places[(*path, name)] = len(self.lines)
            self._text_or_number()
        self._put(" }")

    def _text_or_number(self) -> None:
        self._put(self._chance.choice(["7", '"a # b"', "'='", "false"]))

    def _space(self) -> str:
        """Nothing, or new lines with remarks; whatever is put behind stands in the last of them."""
        for _ in range(self._chance.choice([0, 0, 1, 2])):
            self._put(self._remark())
            self.lines.append("")
        return self._blank()

    def _new_line(self) -> None:
        for _ in range(self._chance.randint(1, 2)):
            self.lines.append("")
        if self._chance.random() < 0.2:
            self._put(f"# {self._chance.choice(['[x]', 'a = 1', chr(34) * 3])}")
            self.lines.append("")

    def _name(self) -> str:
        self._number += 1
        letters = _BARE if self._chance.random() < 0.7 else _WILD
        return f"k{self._number}" + "".join(self._chance.choice(letters) for _ in range(3))

    def _quoted(self, name: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9_-]+", name) and self._chance.random() < 0.8:
            return name
        if "'" not in name and self._chance.random() < 0.5:
            return f"'{name}'"
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def _remark(self) -> str:
        return self._chance.choice(["", "", " # x = [1, ", " # \" ' ]]"])

    def _blank(self) -> str:
        return self._chance.choice(["", "", " ", "\t "])

    def _put(self, text: str) -> None:
        self.lines[-1] += text


def paths(value: Any, above: Path = ()) -> set[Path]:
    """Every path of a document as TOML's own reader has it."""
    found: set[Path] = {above} if above else set()
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in rows:
        found |= paths(below, (*above, key))
    return found


@pytest.mark.seeded
@pytest.mark.parametrize("seed", SEEDS)
def test_every_key_and_element_stands_where_it_was_written(seed: int) -> None:
    made = Written(seed).make()
    document = tomli.loads(made.text)
    found = lines_of(made.text)
    assert set(found) == paths(document), made.text
    assert found == made.places, made.text


@pytest.mark.seeded
@pytest.mark.parametrize("seed", range(150))
def test_a_text_that_is_no_toml_never_ends_in_an_error_of_ours(seed: int) -> None:
    """And what is read of it is TOML, line for line where it was."""
    chance = random.Random(seed)
    lines = Written(seed).make().lines
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        line = lines[at]
        cut = chance.randint(0, len(line))
        lines[at] = line[:cut] + chance.choice(["", '"', "[", "=", "\x00", "}", "a b"]) + line[cut + 1 :]
    text = "\n".join(lines)
    document, mistakes, rest = read(text)
    assert all(1 <= one.line <= len(lines) for one in mistakes)
    assert tomli.loads(rest) == document
    assert set(lines_of(rest)) == paths(document)
    if not mistakes:
        assert tomli.loads(text) == document


def test_all_mistakes_with_their_lines() -> None:
    text = 'a = mail.example.org\n[x\ny = 1\n[z]\nq = "a"\nq = "b"\nr = 2\nk = [1,\n  2\n'
    document, mistakes, _ = read(text)
    assert [one.line for one in mistakes] == [1, 2, 6, 8]
    assert mistakes[0].right == 'text stands in quotes: a = "mail.example.org"'
    assert "second time" in mistakes[2].what
    assert "no end" in mistakes[3].what
    assert document == {"z": {"q": "a", "r": 2}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a = """\nb\n' + "c\n" * 30, 1),
        ("a = 1\nb = [\n" + "1,\n" * 50, 2),
        ("a = 1\nb\n", 2),
        ("a = 1 b = 2", 1),
        ('a = "\x01"', 1),
        ("[a]\n[a]\n", 2),
    ],
)
def test_where_it_is_wrong(text: str, line: int) -> None:
    assert [one.line for one in read(text)[1]] == [line]


def test_what_is_too_long_or_deep_ends_soon() -> None:
    assert read("a = " + "[" * 5000)[1]
    many = read("\n".join(["x"] * 400))[1]
    assert len(many) == 20
    assert isinstance(many[0], Mistake)
    assert len(read('a = """\n' + "b\n" * 20_000)[1]) == 1


@pytest.mark.parametrize("parts", [500, 800, 990])
def test_a_key_of_many_parts_is_told_to_be_too_deep(parts: int) -> None:
    """tomli makes tables of it one after the other, and who looks through them goes down each; how deep that
    can be depends on Python."""
    found, mistakes, _left = read(".".join("a" * parts) + " = 1\n")
    assert mistakes in ((), (Mistake(1, "not TOML: it is nested too deeply", ""),))
    assert bool(found) == (not mistakes)
