"""What the SPF records of the mail domains say of the server's addresses, and of everybody else.

All questions of one depth are asked together: a record of ten includes costs as many round trips as its
includes are deep, not ten.
"""

from __future__ import annotations

from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.dns.delegation import WAIT_S, Zone, resolvers, zone_of
from mailcow_wizard.facts.dns.domain_records import domains
from mailcow_wizard.facts.dns.host_records import host_records
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer, answer
from mailcow_wizard.facts.dns.published import Seen, is_answer
from mailcow_wizard.facts.dns.spf_check import UNNAMED, Heard, Verdict, check, policies
from mailcow_wizard.facts.dns.spf_record import Sender
from mailcow_wizard.facts.dns.state import at_once, values
from mailcow_wizard.facts.network.ipv6 import leads_nowhere
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Addresses of nobody (RFC 5737, 3849): what a record says of them it says of everybody.
STRANGERS = {4: "192.0.2.123", 6: "2001:db8::7b"}
_LOCAL_PART = "postmaster"
_MOST_RECORDS = 16  # as many as servers are asked: each may have another one
_MOST_ROUNDS = 12
_MOST_QUESTIONS = 400


_Case = tuple[str, str, str]
"""A domain, its record, and the sender's address."""


class Opinion(NamedTuple):
    """What one record says of each of the server's addresses, and of a stranger's in each of its families; of
    one in the other family where that may send: what else is said there is no matter of this server's.
    `behind` are the server's addresses that it will let send once the server's name has them, and the
    domain's mail goes there."""

    own: tuple[tuple[str, Verdict], ...]
    strangers: tuple[Verdict, ...]
    behind: tuple[str, ...] = ()


class Spf(NamedTuple):
    """A mail domain, its TXT records, what each SPF record among them says, by its text, and the families
    whose address is not known; `idle` are addresses of IPv6, which leads nowhere, that a record does not
    let send: the opinions are without them."""

    domain: str
    seen: Seen
    opinions: Mapping[str, Opinion]
    unseen: tuple[Addresses, ...] = ()
    idle: tuple[str, ...] = ()


def spf(facts: Facts) -> tuple[Spf, ...]:
    """Evaluates the records of all domains together. Raises HostError."""
    facts.begin((domains,), (host_records,))
    server, records = facts.get(domains)
    rows = [(one.domain, one.at("", "TXT"), _policies(one.at("", "TXT"))) for one in records]
    families = sorted({6 if ":" in one else 4 for one in server.addresses}) or [4]
    strangers = [STRANGERS[family] for family in families]
    others = [one for one in STRANGERS.values() if one not in strangers]
    cases = [
        (text, Sender(address, server.name, _LOCAL_PART, domain))
        for domain, _unused, found in rows
        for text in found
        for address in (*server.addresses, *strangers, *others)
    ]
    verdicts, behind = _evaluated(facts, server, cases) if cases else ({}, frozenset())

    def refused(domain: str, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            one
            for one in (server.v6.senders if server.v4.senders and server.uses_v6 else ())
            if any(verdicts[domain, text, one].result in UNNAMED for text in texts)
        )

    every = {domain: refused(domain, found) for domain, _unused, found in rows}
    idle = every if any(every.values()) and facts.get(leads_nowhere) else {}

    def opinion(domain: str, text: str) -> Opinion:
        return Opinion(
            tuple(
                (one, verdicts[domain, text, one])
                for one in server.addresses
                if one not in idle.get(domain, ())
            ),
            tuple(
                verdicts[domain, text, one]
                for one in (*strangers, *others)
                if one in strangers or verdicts[domain, text, one].result == "pass"
            ),
            tuple(one for one in server.addresses if (domain, text, one) in behind),
        )

    return tuple(
        Spf(
            domain,
            seen,
            {text: opinion(domain, text) for text in found},
            server.untold,
            idle.get(domain, ()),
        )
        for domain, seen, found in rows
    )


def _evaluated(
    facts: Facts, server: MailServer, cases: list[tuple[str, Sender]]
) -> tuple[dict[_Case, Verdict], frozenset[_Case]]:
    """The verdict of each case: evaluated as far as answers reach until no question is left; and those that
    are let through only if the domain's mail goes to the server's name, and that has its addresses."""
    known = _Known(facts)
    for _unused in range(_MOST_ROUNDS):
        for text, sender in cases:
            check(text, sender, known.ask)
        if not known.look():
            break

    def named_right(name: str, type: str) -> Heard:
        if type == "MX" and name in server.domains:
            return Heard((f"10 {server.name}",))
        if name != server.name or type not in ("A", "AAAA"):
            return known.say(name, type)
        return Heard(tuple(one for one in server.addresses if (":" in one) == (type == "AAAA")))

    found = {(one.domain, text, one.address): check(text, one, known.say) for text, one in cases}
    behind = frozenset(
        key
        for text, one in cases
        if found[key := (one.domain, text, one.address)].result in UNNAMED
        and one.address in server.addresses
        and check(text, one, named_right).result == "pass"
    )
    return found, behind


def texts(seen: Seen) -> tuple[str, ...]:
    """The SPF records of a domain, as the servers have it that count."""
    return at_once(seen, policies)


def _policies(seen: Seen) -> tuple[str, ...]:
    """The SPF records that any server has: those of a zone may differ, and caches may be behind."""
    heard = [one for one in (*seen.own, *seen.public, seen.local) if one and is_answer(one)]
    found = dict.fromkeys(text for one in heard for text in policies(values(seen, one)))
    return tuple(found)[:_MOST_RECORDS]


class _Known:
    """The answers so far, and the questions that came up since."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._answers: dict[tuple[str, str], Heard] = {}
        self._wanted: dict[tuple[str, str], None] = {}
        self._asked = 0
        self._elsewhere: set[tuple[str, str]] = set()
        every = facts.get(domains)
        self._zones = _zones(facts, every.server)
        self._learn(one.at("", type) for one in every.records for type in ("MX", "TXT", "A", "AAAA"))
        hosts = facts.get(host_records)
        self._learn((hosts.a, hosts.aaaa))

    def _learn(self, some: Iterable[Seen]) -> None:
        """Takes over what was asked already."""
        for seen in some:
            found = _values(seen)
            if seen.answered and (found or not seen.aliases):
                self._answers[seen.name, seen.type] = Heard(found)

    def ask(self, name: str, type: str) -> Heard | None:
        """The answer, or None, and then the question is one of the next round."""
        heard = self._answers.get((name, type))
        if heard is None:
            self._wanted[name, type] = None
        return heard

    def say(self, name: str, type: str) -> Heard:
        """The answer, or why there is none."""
        return self._answers.get((name, type)) or Heard((), _("there were too many questions"))

    def look(self) -> bool:
        """Asks what is wanted, all at once; False where nothing is, or no more is allowed."""
        wanted = tuple(self._wanted)[: max(0, _MOST_QUESTIONS - self._asked)]
        self._wanted = {}
        self._asked += len(wanted)
        questions = tuple(self._question(name, type) for name, type in wanted)
        heard = [answer(one) for one in self._facts.host.ask_dns(questions, WAIT_S)] if questions else []
        for question, one in zip(questions, heard, strict=True):
            self._take(question, one)
        return bool(wanted)

    def _question(self, name: str, type: str) -> DnsQuestion:
        """To the zone's own servers where the zone is ours, so that no cache learns that a record is missing
        which is about to be published; to resolvers otherwise."""
        labels = name.split(".")
        above = (".".join(labels[place:]) for place in range(len(labels)))
        zone = next((self._zones[one] for one in above if one in self._zones), None)
        if zone and (name, type) not in self._elsewhere:
            return DnsQuestion(name, type, zone.addresses, recursive=False)
        return DnsQuestion(name, type, resolvers(self._facts))

    def _take(self, question: DnsQuestion, heard: Answer) -> None:
        place = (question.name, question.type)
        found = heard.values(question.type)
        whole = is_answer(heard) and (found or not heard.of("CNAME"))
        if not question.recursive and not whole:
            # The name is an alias into another zone, or one of a zone below: resolvers follow that.
            self._elsewhere.add(place)
            self._wanted[place] = None
        elif heard.code in (NOERROR, NXDOMAIN):
            self._answers[place] = Heard(found)
        else:
            self._answers[place] = Heard((), heard.error or heard.explained or heard.code)


def _values(seen: Seen) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for one in seen.answered for value in values(seen, one)))


def _zones(facts: Facts, server: MailServer) -> dict[str, Zone]:
    """The zones that are ours, and can be asked."""
    found = {}
    for name in dict.fromkeys((*server.domains, server.within)):
        try:
            zone = facts.get(zone_of, name)
        except HostError:
            continue
        if not zone.problem and zone.name != "." and zone.addresses:
            found[name] = zone
    return found
