"""What bash makes of words of mailcow.conf, and what it has set so far."""

from mailcow_wizard.typed import NamedTuple

_OWN = (
    *(
        "PATH",
        "IFS",
        "ENV",
        "HOME",
        "PWD",
        "OLDPWD",
        "BASH_ENV",
        "BASH_COMPAT",
        "BASH_XTRACEFD",
        "POSIXLY_CORRECT",
    ),
    *("CDPATH", "GLOBIGNORE", "EXECIGNORE", "OPTARG", "OPTERR", "OPTIND", "PROMPT_COMMAND", "PS4", "TMOUT"),
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"),
)
OWN = frozenset(_OWN)
"""Variables that change how bash and what it starts work: mailcow's scripts source the file."""


class Refused(Exception):
    """A syntax error; the text says what is wrong."""


class Ends(Exception):
    """bash ends the script there, or what follows can no longer be told; the text says why."""


class Word(NamedTuple):
    """A word as it stands there, and where it is KEY=value, the key and the value.

    `value` is None where it cannot be told, and `does` says why; `substitutes` says that a command runs,
    `vanishes` that the word may come to nothing, as one does that is nothing but expansions.
    """

    raw: str
    end: int
    key: str = ""
    value: str | None = None
    does: str = ""
    substitutes: bool = False
    vanishes: bool = False


class Values:
    """`now` holds each key's value, None where it cannot be told."""

    def __init__(self) -> None:
        self.now: dict[str, str | None] = {}
        self._before: list[tuple[str, bool, str | None]] = []

    def set(self, key: str, value: str | None) -> None:
        """Gives a key a value."""
        self._before.append((key, key in self.now, self.now.get(key)))
        self.now[key] = value

    def mark(self) -> int:
        """A point to which `back` returns."""
        return len(self._before)

    def back(self, mark: int) -> None:
        """Takes back what was set since."""
        while len(self._before) > mark:
            key, there, value = self._before.pop()
            if there:
                self.now[key] = value
            else:
                del self.now[key]
