"""What blocklists in DNS (RFC 5782) say of the server's addresses, its name and its mail domains.

Each list is asked for its test entries first, or rather in the same round: a list that does not list them,
or lists everything, is blind, and what it says counts for nothing. The servers of each list are asked from
here, as mailcow's own resolver will, and not through a resolver that lists may refuse; only of a list that
gives no answer so is the system's resolver asked.
"""

from __future__ import annotations

import contextlib
import ipaddress
import threading

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.facts.dns.delegation import WAIT_S, resolvers, zone_of
from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer, answer
from mailcow_wizard.facts.dns.published import is_answer
from mailcow_wizard.facts.dns.resolvers import known_resolvers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.language import _, heard
from mailcow_wizard.requirements_dns import Blocklist
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    State = Literal["listed", "clean", "refused", "blind", "silent"]

_WALK_S = 4.0
_MOST_NAMES = 3
_MOST_ADDRESSES = 4
_MOST_CODES = 8
_LISTS = ipaddress.ip_network("127.0.0.0/8")
_REFUSALS = ipaddress.ip_network(need.BLOCKLIST_REFUSALS)
_NAME = "n"


class Opinion(NamedTuple):
    """What one list says: listed and clean count; refused, blind and silent say `why` it does not.

    `asked` is the name that was asked for, `server` who answered (empty: nobody), `codes` the answer.
    """

    list: Blocklist
    state: State
    asked: str
    server: str = ""
    codes: tuple[str, ...] = ()
    why: str = ""


class Subject(NamedTuple):
    """An address or a name of the server, or a mail domain, and each list's opinion of it."""

    subject: str
    opinions: tuple[Opinion, ...]


class Reputation(NamedTuple):
    """The server, its addresses and names, and the system's resolvers where lists refuse such."""

    server: MailServer
    subjects: tuple[Subject, ...]
    open_resolvers: tuple[str, ...] = ()


class _Case(NamedTuple):
    """A subject at a list, and the names to ask there: itself, one that is listed, one that is not."""

    subject: str
    list: Blocklist
    names: tuple[str, str, str]


def reputation(facts: Facts) -> Reputation:
    """Asks all lists about everything together. Raises HostError."""
    server = facts.get(mail_server)
    subjects = tuple(dict.fromkeys((*server.addresses, server.name, *server.domains)))
    cases = [_case(one, each) for one in subjects for each in need.BLOCKLISTS if kind(one) in each.holds]
    servers = _servers(facts, tuple(dict.fromkeys(one.list.zone for one in cases)))
    opinions = _asked(facts, cases, servers, recursive=False)
    local = known_resolvers(facts)
    open_ones = tuple(one for one in local if one in need.OPEN_RESOLVERS)
    again = [one for one in cases if opinions[one].state not in ("listed", "clean")]
    closed = tuple(one for one in local if one not in open_ones)
    if again and closed:
        by_resolver = _asked(facts, again, dict.fromkeys((one.list.zone for one in again), closed), True)
        opinions |= {case: one for case, one in by_resolver.items() if one.state in ("listed", "clean")}
    return Reputation(
        server,
        tuple(
            Subject(one, tuple(opinion for case, opinion in opinions.items() if case.subject == one))
            for one in subjects
        ),
        open_ones,
    )


def kind(subject: str) -> str:
    """`4`, `6`, or `n` for a name."""
    try:
        return str(ipaddress.ip_address(subject).version)
    except ValueError:
        return _NAME


def reversed_address(address: str) -> str:
    """An address as lists have it (RFC 5782, 2.1, 2.4): octets of IPv4, nibbles of IPv6, the last first."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return ".".join(reversed(str(parsed).split(".")))
    # Not `exploded`: since Python 3.13 that of an IPv4-mapped address ends in dotted numbers.
    return ".".join(reversed(f"{int(parsed):032x}"))


def _case(subject: str, list: Blocklist) -> _Case:
    if kind(subject) == _NAME:
        words = (subject, list.test, need.BLOCKLIST_CLEAN_NAME)
    else:
        version = int(kind(subject))
        tests = (need.BLOCKLIST_LISTED[version], need.BLOCKLIST_CLEAN[version])
        words = (reversed_address(subject), reversed_address(tests[0]), reversed_address(tests[1]))
    return _Case(
        subject, list, (f"{words[0]}.{list.zone}", f"{words[1]}.{list.zone}", f"{words[2]}.{list.zone}")
    )


def _servers(facts: Facts, zones: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The addresses of each list's own name servers. Who they are is no secret: any resolver may tell, and
    where none does, the zones above are asked, from the roots down."""
    told = dict(zip(zones, _look_up(facts, tuple((zone, "NS") for zone in zones)), strict=True))
    above = {zone: _zone_above(zone, heard) for zone, heard in told.items()}
    upper = tuple(dict.fromkeys(one for one in above.values() if one))
    told |= dict(zip(upper, _look_up(facts, tuple((one, "NS") for one in upper)), strict=True))
    names = {zone: told[above[zone] or zone].values("NS")[:_MOST_NAMES] for zone in zones}
    unique = tuple(dict.fromkeys(name for some in names.values() for name in some))
    kinds = ("A", "AAAA") if facts.get(mail_server).v6.public else ("A",)
    heard = iter(_look_up(facts, tuple((name, type) for name in unique for type in kinds)))
    addresses = {
        name: tuple(value for type in kinds for value in next(heard).values(type)) for name in unique
    }
    found = {zone: _by_turns(tuple(addresses[name] for name in some)) for zone, some in names.items()}
    failed = [zone for zone in zones if not found[zone] and told[zone].code not in (NOERROR, NXDOMAIN)]
    return found | _walked(facts, failed)


def _walked(facts: Facts, zones: list[str]) -> dict[str, tuple[str, ...]]:
    """The servers of these lists as the zones above them say, all walks side by side."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(zone: str) -> None:
        with contextlib.suppress(HostError):
            held = facts.get(zone_of, zone)
            if held.name == zone:
                found[zone] = held.addresses[:_MOST_ADDRESSES]

    threads = [threading.Thread(target=walk, args=(zone,), daemon=True) for zone in zones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_WALK_S)
    return dict(found)


def _zone_above(zone: str, heard: Answer) -> str:
    """The zone that a list is a part of, where it is none of its own."""
    if heard.values("NS"):
        return ""
    held = next((one.name for one in heard.authority if one.type == "SOA"), "")
    # Of a list that is gone this is a zone such as `org`, whose servers have nothing to say about it.
    return held if "." in held and zone.endswith(f".{held}") else ""


def _by_turns(rows: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """The first address of each server, then the second of each."""
    most = max((len(one) for one in rows), default=0)
    found = (row[place] for place in range(most) for row in rows if place < len(row))
    return tuple(dict.fromkeys(found))[:_MOST_ADDRESSES]


def _look_up(facts: Facts, names: tuple[tuple[str, str], ...]) -> list[Answer]:
    servers = resolvers(facts)
    questions = tuple(DnsQuestion(name, type, servers) for name, type in names)
    return [answer(one) for one in facts.host.ask_dns(questions, WAIT_S)] if questions else []


def _asked(
    facts: Facts, cases: list[_Case], servers: dict[str, tuple[str, ...]], recursive: bool
) -> dict[_Case, Opinion]:
    """Each list's opinion, all asked in one round; the tests of a list once, not for each subject."""
    names = {
        name: servers[case.list.zone] for case in cases for name in case.names if servers[case.list.zone]
    }
    questions = tuple(DnsQuestion(name, "A", some, recursive) for name, some in names.items())
    replies = facts.host.ask_dns(questions, WAIT_S) if questions else ()
    heard = dict(zip(names, map(answer, replies), strict=True))
    return {case: _opinion(case, [heard.get(name) for name in case.names]) for case in cases}


def _opinion(case: _Case, heard: list[Answer | None]) -> Opinion:
    ours, listed, clean = heard
    found = Opinion(case.list, "silent", case.names[0], why=_("its name servers could not be found"))
    if not ours or not listed or not clean:
        return found
    found = found._replace(server=ours.server)
    for one in (listed, ours, clean):
        refusal = _refusal(case.list, one.values("A"))
        if refusal:
            return found._replace(state="refused", why=refusal)
        if one.code in ("REFUSED", "SERVFAIL"):
            return found._replace(state="refused", why=one.explained or _("it answers {code}", code=one.code))
        if one.code not in (NOERROR, NXDOMAIN):
            return found._replace(why=one.error or _("it answers {code}", code=one.code))
        if not is_answer(one):  # a referral to others
            return found
    if not _codes(case.list, listed):
        return found._replace(state="blind", why=_("it does not list its own test entry"))
    if _codes(case.list, clean):
        return found._replace(state="blind", why=_("it lists everything"))
    codes = _codes(case.list, ours)
    return found._replace(state="listed" if codes else "clean", codes=codes[:_MOST_CODES], why="")


def _codes(list: Blocklist, heard: Answer) -> tuple[str, ...]:
    """The answers that mean that something is listed."""
    return tuple(one for one in heard.values("A") if _is_in(one, _LISTS) and one not in list.harmless)


def _refusal(list: Blocklist, values: tuple[str, ...]) -> str:
    for one in values:
        if _is_in(one, _REFUSALS):
            return f"{need.BLOCKLIST_ERRORS.get(one, _('it does not answer'))} ({one})"
        if one in list.refusals:
            return _("it does not answer ({reason})", reason=heard(one))
    return ""


def _is_in(address: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False


def words(list: Blocklist, codes: tuple[str, ...]) -> str:
    """What a list's answers mean; empty where it says no more than that it lists."""
    numbers = sorted(int(one.rpartition(".")[2]) for one in codes)
    if list.bits:
        said = [text for bit, text in list.codes if any(number & bit for number in numbers)]
    else:
        known = dict(list.codes)
        said = [known[number] for number in numbers if number in known]
    return "; ".join(dict.fromkeys(said))
