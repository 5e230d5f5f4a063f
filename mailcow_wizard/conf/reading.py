"""How the two readers of mailcow.conf see it: bash, which sources it, and docker compose, by way of `.env`.

Every line of mailcow's own file is of a form that both read alike, which one expression tells. Only where a
line is of another form are the two readers themselves (`shell`, `dotenv`) imported and asked.
"""

from mailcow_wizard.conf.seen import ALIKE, Seen, Stop
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

_KEPT = (
    *(
        "UID",
        "EUID",
        "PPID",
        "GROUPS",
        "SHELLOPTS",
        "BASHOPTS",
        "BASHPID",
        "DIRSTACK",
        "FUNCNAME",
        "HISTCMD",
        "LINENO",
    ),
    *(
        "BASH_ARGC",
        "BASH_ARGV",
        "BASH_COMMAND",
        "BASH_LINENO",
        "BASH_SOURCE",
        "BASH_SUBSHELL",
        "BASH_VERSINFO",
    ),
    *("RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "EPOCHREALTIME", "BASH_MONOSECONDS", "_"),
)
KEPT = frozenset(_KEPT)
"""Variables that bash computes itself, whatever a file sets them to (bash(1), "Shell Variables")."""

_KEEPS = _("keeps its own value")


class Readings(NamedTuple):
    """What both readers see, in the order of the file. What stands behind a stop is read as if the line
    that stops them were not there."""

    text: str
    bash: tuple[Seen, ...]
    compose: tuple[Seen, ...]
    bash_stops: Stop | None = None
    compose_stops: Stop | None = None

    def keys(self) -> tuple[str, ...]:
        """Every key that one of the two sets, in the order of the file."""
        first: dict[str, int] = {}
        for seen in (*self.bash, *self.compose):
            first[seen.key] = min(seen.start, first.get(seen.key, seen.start))
        return tuple(sorted(first, key=lambda key: first[key]))

    def last(self, key: str) -> tuple[Seen | None, Seen | None]:
        """The statements that count for a key: bash's, and compose's."""
        return _last(self.bash, key), _last(self.compose, key)

    def values(self) -> dict[str, str]:
        """Each key's value where both agree; where they part, compose's, or else bash's."""
        ours, theirs = _by_key(self.bash), _by_key(self.compose)
        found = {}
        for key in self.keys():
            value = _value(theirs.get(key))
            value = _value(ours.get(key)) if value is None else value
            if value is not None:
                found[key] = value
        return found

    def parted(self) -> dict[str, str]:
        """The keys on which the two do not agree, and what each makes of it, in words without values."""
        ours, theirs = _by_key(self.bash), _by_key(self.compose)
        found = {}
        for key in self.keys():
            in_bash, in_compose = ours.get(key), theirs.get(key)
            if not _same(in_bash, in_compose):
                found[key] = f"bash {_says(in_bash)}, compose {_says(in_compose)}"
        return found

    def odd_lines(self) -> dict[str, str]:
        """The lines that count for the keys on which the two do not agree, as they may be shown; a carriage
        return at the end as `\\r`, for often it is all that they do not agree on."""
        parted = self.parted()
        if not parted:
            return {}
        from mailcow_wizard.redaction import configuration

        lines = configuration(self.text).split("\n")
        found = {}
        for key in parted:
            place = max(one.start for one in self.last(key) if one)
            line = lines[self.text.count("\n", 0, place)]
            found[key] = line.strip() + (r"\r" if line.endswith("\r") else "")
        return found


def text_of(data: bytes) -> str:
    """The bytes as text from which they can be made again (`data_of`), whatever they are."""
    return data.decode("utf-8", "surrogateescape")


def data_of(text: str) -> bytes:
    """The bytes that `text_of` made text of. Raises UnicodeEncodeError for halves of a pair."""
    return text.encode("utf-8", "surrogateescape")


def readings(text: str) -> Readings:
    """What bash and compose read. Nothing is said of values that refer to what the file itself does not set:
    nobody knows with which variables the two are started."""
    alike = _alike(text)
    if alike is not None:
        return Readings(text, _kept_by_bash(alike), alike)
    from mailcow_wizard.conf.dotenv import read as compose_reads
    from mailcow_wizard.conf.shell import read as bash_reads

    bash, bash_stops = bash_reads(text)
    compose, compose_stops = compose_reads(text)
    return Readings(text, _kept_by_bash(bash), compose, bash_stops, compose_stops)


def _kept_by_bash(seen: tuple[Seen, ...]) -> tuple[Seen, ...]:
    """The statements, of which some set variables that bash lets nobody set."""
    if KEPT.isdisjoint(one.key for one in seen):
        return seen
    return tuple(one._replace(value=None, does=_KEEPS) if one.key in KEPT else one for one in seen)


def _alike(text: str) -> tuple[Seen, ...] | None:
    """What both read, where all lines are of the one form."""
    found = []
    place = 0
    for line, match in enumerate(ALIKE.finditer(text), 1):
        if match.start() != place:
            return None
        place = match.end() + 1
        if match[1]:
            found.append(Seen(match[1], line, match.start(), match.end(2), match[2]))
    return tuple(found) if place > len(text) else None


def _last(side: tuple[Seen, ...], key: str) -> Seen | None:
    return next((seen for seen in reversed(side) if seen.key == key), None)


def _by_key(side: tuple[Seen, ...]) -> dict[str, Seen]:
    return {seen.key: seen for seen in side}


def _value(seen: Seen | None) -> str | None:
    return seen.value if seen else None


def _same(one: Seen | None, other: Seen | None) -> bool:
    return one is not None and other is not None and one.value is not None and one.value == other.value


def _says(seen: Seen | None) -> str:
    if seen is None:
        return _("does not set it")
    if seen.does:
        return seen.does
    return _("reads another value") if seen.value else _("sets it to nothing")
