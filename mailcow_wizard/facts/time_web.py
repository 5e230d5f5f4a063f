"""What web servers say of the time, where no time server answers: their word is good to some seconds."""

from mailcow_wizard.facts.addresses import ASKED, at_given_resolver, at_known_resolvers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

DOUBT_S = 2.0
"""How far off such a word may be: its stamp has no parts of a second, and it was a while on the way."""

_WAIT_S = 1.0
_APART_S = 2 * DOUBT_S
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# IMF-fixdate, the only form that is sent: RFC 9110, section 5.6.7.
_DATE = pattern(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{{2}}) ({'|'.join(_MONTHS)}) ([0-9]{{4}}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)


class WebClock(NamedTuple):
    """A web server's word: by how many seconds this machine's clock is ahead of it, and the word itself."""

    name: str
    ahead: float
    said: str


def web_clocks(facts: Facts, nameless: bool = False) -> tuple[WebClock, ...]:
    """The servers that mailcow asks for its address, until two said the time or one is silent: then nothing
    gets out. Plain HTTP: with a wrong clock no certificate is good. `nameless`: this machine's own resolver
    finds no names, so others are asked for theirs."""
    find = at_known_resolvers if nameless else at_given_resolver
    found: list[WebClock] = []
    for family, names in ASKED.items():
        for name in names:
            try:
                # Each name has addresses of one family. Who asks for the address names it: what that one
                # heard, in other time, is kept apart in a recording.
                at = find(facts, name, family)
                reply = facts.host.fetch(name, "/", 0, _WAIT_S, address=at)
            except NoAnswer:
                break
            except HostError:
                continue
            ahead = _ahead(reply)
            if ahead is not None:
                found.append(WebClock(name, ahead, reply.date))
            if len(found) == 2:
                return tuple(found)
    return tuple(found)


def agreed(clocks: tuple[WebClock, ...]) -> float | None:
    """By how many seconds this clock is ahead of them; None where they are too few to be believed, or do not
    agree."""
    values = [one.ahead for one in clocks]
    if len(values) < 2 or max(values) - min(values) > _APART_S:
        return None
    return sum(values) / len(values)


def _ahead(reply: HttpReply) -> float | None:
    there = read_date(reply.date)
    return None if there is None or not reply.at else reply.at - (there + 0.5)


def read_date(text: str) -> float | None:
    """The seconds since 1970 that a Date line of HTTP means; None where it is none."""
    read = _DATE.fullmatch(text)
    if not read:
        return None
    day, month, year, hour, minute, second = read.groups()
    clock = int(hour), int(minute), int(second)
    if not 1 <= int(day) <= 31 or int(year) < 1970 or clock > (23, 59, 60) or clock[1] > 59 or clock[2] > 60:
        return None
    # With it come locale and datetime, for an answer that is rarely asked for.
    import calendar

    return float(calendar.timegm((int(year), _MONTHS.index(month) + 1, int(day), *clock)))
