"""Whether what answered the far side on a port in use is what answers on this machine.

Both were asked in the same way (see `host.reach.talk`), and a server does not say the same to everybody: of a
mail server's greeting its name counts, of a web server what it calls itself, of any other what is neither a
number nor between brackets.
"""

from __future__ import annotations

import re

from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Likeness: TypeAlias = Literal["same", "alike", "other", "untold"]
else:
    Likeness = str

_SMTP = pattern(r"([2-5])\d\d[_-]+([^_]*)")
_HTTP = pattern(r"HTTP_\d,\d_(\d{3})_?(.*)")
_CHANGING = pattern(r"\d+")


def likeness(here: str, there: str) -> Likeness:
    """Compares two answers, `there` that of the far side.

    same: nobody else would have answered so; alike: other servers of this kind would, too; other: it was
    another server; untold: one of them, or neither, said enough.
    """
    mine, other = (_words(one) for one in (here, there))
    tls = [one.startswith("t") for one in (here, there)]
    if all(tls):
        return "alike" if not mine or not other else "same" if mine == other else "other"
    if any(tls):
        return "other" if (other if tls[0] else mine) else "untold"
    if not mine or not other:
        return "untold"
    for kind, compare in ((_SMTP, _smtp), (_HTTP, _http)):
        one, two = kind.match(mine), kind.match(other)
        if one and two:
            return compare(one, two)
        if one or two:
            return "other"
    return "alike" if _lasting(mine) == _lasting(other) else "other"


def shown(answer: str) -> str:
    """What was said, for people; empty where it is a certificate, or nothing."""
    return _words(answer).replace(",", ".").replace("_", " ") if answer.startswith("o") else ""


def _words(answer: str) -> str:
    return answer.partition("~")[2].rstrip("_")


def _smtp(here: re.Match[str], there: re.Match[str]) -> Likeness:
    if here[1] != "2" or there[1] != "2":
        # Who is refused is greeted differently.
        return "untold"
    if here[2].lower() != there[2].lower():
        return "other"
    return "same" if "," in here[2] else "alike"


def _http(here: re.Match[str], there: re.Match[str]) -> Likeness:
    if here[2] and there[2]:
        return "alike" if here[2] == there[2] else "other"
    return "alike" if here.groups() == there.groups() else "untold"


def _lasting(text: str) -> str:
    return _CHANGING.sub("", text)
