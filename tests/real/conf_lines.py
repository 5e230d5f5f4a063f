"""Lines as somebody may write them into mailcow.conf, made by chance: what two readers could part on."""

import random
from typing import NamedTuple

# What is a command in one of them is one that does not exist, and what is a path leads nowhere.
_PIECES = (
    *("ab", "x1", "7", "Mail", "example.org", "é", "n", "0101"),
    *("$@", "${@}", "${@:-x}", "${@-}", "${@:+y z}", "${@+}", "${%:-${@}}", "$% ", "$$", "$"),
    *("${%:-a'b}", "${#@}"),
    *("$(ab)", "`ab`", "$((1))", "$[1]", "${", "$(", "`", "$'a'", '$"a"', "$1", "$(ab 'c')",
      "${@:?m}", "${@/a/b}"),
    *("'", '"', "\\", "\\'", '\\"', "\\$", "\\n", "\\\\", "''", '""', "'a b'", '"a b"', "\\0101",
      "\\x41", "\\`"),
    *(" ", "  ", "\t", " #", "#", "\t#", " # c", "\r", "\u00a0", "\u2003", "\u0085", "\v", "\\\n"),
    *("&", ";", "|", "&&", "||", "<", ">", "(", ")", "<(ab)", "2>", ";;", "&>", "|&", ">>", "<<<"),
    *("~", "~/x", ":~", "*", "?", "[", "]", "{", "}", "{a,b}", "!", "^", "%", "=", ":", ",", "+", "-",
      "@", "/dev/null/x"),
    *("ab=1", " %=2", ";%=3", "&%=4", "&&%=5", "||%=6", " %", "\n"),
)  # fmt: skip
_PLAIN = ("ab", "7", "example.org", "192.0.2.1:25", "y", "a,b", "[::1]", "+", "=", "/x", "*")
_FORMS: tuple[tuple[str, int], ...] = (
    ("@=*\n", 20),
    ("@='*'\n", 6),
    ('@="*"\n', 6),
    ("export @=*\n", 3),
    ("@= *\n", 2),
    ("@ =*\n", 1),
    ("@: *\n", 1),
    ("@\n", 1),
    (" \t@=*\n", 1),
    ("#@=*\n", 1),
    ("@='*\n*'\n", 1),
    ('@="*\n*"\n', 1),
    ("@+=*\n", 1),
    ("@=*\r\n", 2),
    ("*\n", 1),
    ("\n", 1),
    ("@=(*)\n", 1),
    ("@-x=*\n", 1),
    ("export @ %=*\n", 1),
    ("export\t@=*\n", 1),
)


class Case(NamedTuple):
    """A few lines, and the keys that they are about, which no other case has."""

    data: bytes
    keys: tuple[str, ...]


class Lines:
    """Makes cases: a few lines that set two keys, and a last line that shows whether it is still read."""

    def __init__(self, seed: int) -> None:
        """The same seed makes the same cases."""
        self._random = random.Random(seed)

    def case(self, number: int) -> Case:
        """The next case; its keys end with the number."""
        keys = (f"A{number}", f"B{number}", f"Z{number}")
        some = self._random.choice((1, 1, 2, 3))
        lines = "".join(self._line(keys) for _ in range(some))
        return Case(f"{lines}{keys[2]}=end\n".encode(), keys)

    def _line(self, keys: tuple[str, ...]) -> str:
        form = self._random.choices([form for form, _ in _FORMS], [often for _, often in _FORMS])[0]
        line = "".join(self._filling() if character == "*" else character for character in form)
        first, second = self._random.sample(keys[:2], 2)
        return line.replace("@", first).replace("%", second)

    def _filling(self) -> str:
        pieces = _PLAIN if self._random.random() < 0.3 else _PIECES
        return "".join(
            self._random.choice(pieces) for _ in range(self._random.choice((0, 1, 1, 2, 2, 3, 4, 6)))
        )


def cases(seed: int, number: int) -> list[Case]:
    """So many cases, which no other seed makes."""
    lines = Lines(seed)
    return [lines.case(one) for one in range(number)]
