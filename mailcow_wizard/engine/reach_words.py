"""The words that go between the two sides of `reach`: the token, and the report of the far side."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailcow_wizard.host.files.fresh_secrets import letters_and_digits
from mailcow_wizard.host.reach.talk import TEXT_LENGTH, Kind
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

TOKEN_LENGTH = 20
_MARKS: dict[str, Kind] = {"": "knock", "x": "knock", "g": "greets", "t": "tls", "h": "http"}
_ITEM = rf"[0-9]{{1,5}}(?:[amrsn]|[ot](?:~[A-Za-z0-9+*,_-]{{1,{TEXT_LENGTH}}})?)"
_REPORT = pattern(rf"[46]:{_ITEM}(?:\.{_ITEM})*")
_ANSWER = pattern(r"([0-9]+)(.*)")
_AROUND = pattern(r".*--result|[\s'\"]+", re.DOTALL)
_TOKEN = pattern(rf"(?P<secret>[A-Za-z0-9]{{{TOKEN_LENGTH}}})(?P<ports>(?:-[0-9]{{1,5}}[gthx]?){{1,64}})")


class BadReport(ValueError):
    """It is no report of a far side."""


class Asked(NamedTuple):
    """A port that the far side is to try, and how: `knock` where the wizard listens there."""

    port: int
    kind: Kind


class Report(NamedTuple):
    """What a far side tells: the answer of each port, by port and family (see `host.reach.talk`); whether its
    line lets port 25 out, None where it does not say."""

    answers: dict[tuple[int, int], str]
    mail_leaves: bool | None


def new_token(ports: Sequence[Asked], extra: int = 0) -> str:
    """A token for one proof: 119 random bits, and which ports to try (`g`, `t`, `h`: in use, and how to ask;
    `x`: there for the report alone)."""
    marks = {kind: mark for mark, kind in _MARKS.items() if mark != "x"}
    words = (f"-{one.port}{'x' if one == (extra, 'knock') else marks[one.kind]}" for one in ports)
    return letters_and_digits(TOKEN_LENGTH) + "".join(words)


def ports_of(token: str) -> tuple[Asked, ...]:
    """The ports that a token names, and how to ask each. Raises BadReport."""
    found = _TOKEN.fullmatch(token)
    words = found["ports"].removeprefix("-").split("-") if found else ()
    ports = tuple(Asked(int(one.rstrip("gthx")), _MARKS[one.lstrip("0123456789")]) for one in words)
    if not ports or not all(0 < one.port < 65536 for one in ports):
        raise BadReport(_("that is no token of reach"))
    return ports


def extra_of(token: str) -> int:
    """The port that is there for the report alone; 0 where there is none."""
    return next((int(one[:-1]) for one in token.split("-")[1:] if one.endswith("x")), 0)


def pasted(text: str) -> str:
    """The report in what the far side shows: it may be pasted with the words around it, and with line breaks
    of a terminal."""
    return _AROUND.sub("", text)


def read_report(text: str) -> Report:
    """Reads a report, such as `4:25a.465s;6:25n;c:o`. Raises BadReport."""
    answers: dict[tuple[int, int], str] = {}
    leaves: bool | None = None
    for part in text.strip().split(";"):
        if part in ("c:o", "c:s", "c:n"):
            leaves = {"o": True, "s": False}.get(part[2])
        elif _REPORT.fullmatch(part):
            for item in part[2:].split("."):
                port, answer = _ANSWER.fullmatch(item).groups()  # type: ignore[union-attr]
                answers[int(port), int(part[0])] = answer
        else:
            raise BadReport(_("that is no report of reach"))
    return Report(answers, leaves)
