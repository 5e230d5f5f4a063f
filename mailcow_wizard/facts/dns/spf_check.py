"""Whether a domain's SPF record lets an address send for it (RFC 7208, check_host). Pure.

Every answer of DNS comes through `ask`, which may also say that it does not know yet: then the evaluation
goes on as if that word did not match, so that one pass names all questions that can be asked together.
"""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.dns.spf_record import BadRecord, Policy, Sender, Term, expanded, policy
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    Result = Literal["pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"]
    Ask = Callable[[str, str], "Heard | None"]

# RFC 7208, 4.6.4. Empty answers are counted by word, as 11.1 has it: the hosts of one mx are not counted.
MOST_LOOKUPS = 10
MOST_VOID = 2
MOST_HOSTS = 10
# Of IPv4 nobody has more than a /8, of IPv6 nobody more than a /13: who names more names strangers.
_WIDEST = {4: 8, 6: 13}
_MOST_ADDRESSES = 1 << 28
"""Of IPv4, of all words together: the most that anybody has are thirteen /8 (a Department of Defense)."""
# RFC 4193 and RFC 4291 section 2.5.6: nobody sends from these to another network. Not `is_private`, which is
# true of 0.0.0.0/0 before Python 3.11.
_WITHIN_NETWORKS = tuple(map(ipaddress.IPv6Network, ("fc00::/7", "fe80::/10")))

UNNAMED: tuple[Result, ...] = ("fail", "softfail", "neutral", "none")
"""Of an address that a record does not let send."""

_RESULTS: dict[str, Result] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


class Heard(NamedTuple):
    """What DNS says to one question: the values, none where there are none; `trouble` says why not even that
    is known."""

    values: tuple[str, ...]
    trouble: str = ""


class Verdict(NamedTuple):
    """The outcome: `term` is the word that decided (empty: no word did), `why` the reason of an error;
    `lookups` and `void` are what was counted on the way, `wide` is the first word of the record that was met
    and lets more addresses send than anybody has."""

    result: Result
    term: str = ""
    why: str = ""
    lookups: int = 0
    void: int = 0
    wide: str = ""


class _Error(Exception):
    """The evaluation ends here."""

    def __init__(self, result: Result, why: str) -> None:
        self.result: Result = result
        self.why = why


def policies(values: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the TXT records that are of SPF (4.5)."""
    return tuple(one for one in values if one.lower() == "v=spf1" or one.lower().startswith("v=spf1 "))


def check(text: str, sender: Sender, ask: Ask) -> Verdict:
    """What the sender's domain, whose record this is, says about mail from the sender's address."""
    evaluation = _Evaluation(sender, ask)
    try:
        verdict = Verdict(*evaluation.of(sender.domain, text))
    except _Error as error:
        verdict = Verdict(error.result, why=error.why)
    return verdict._replace(lookups=evaluation.lookups, void=evaluation.void, wide=evaluation.wide)


class _Evaluation:
    def __init__(self, sender: Sender, ask: Ask) -> None:
        self._sender = sender
        self._ask = ask
        self._address = ipaddress.ip_address(sender.address)
        self._type = "AAAA" if sender.version == 6 else "A"
        self.lookups = 0
        self.void = 0
        self.wide = ""
        self._named = 0

    def of(self, domain: str, text: str) -> tuple[Result, str]:
        """The result of one record, and the word that decided."""
        record = self._read(domain, text)
        for term in record.terms:
            before, named = self.wide, self._named
            matched = self._matches(term, domain)
            self._named += _number(term)
            # What an included record says counts as the word that includes it does.
            too_many = self.wide or _is_wide(term) or self._named > _MOST_ADDRESSES
            wide = before or (term.text if too_many else "")
            self.wide, self._named = (wide, self._named) if term.qualifier == "+" else (before, named)
            if matched:
                return _RESULTS[term.qualifier], term.text
        if not record.redirect:
            return "neutral", ""
        self._count()
        target = self._name(record.redirect, domain)
        other = self._record_of(target, "redirect")
        return ("neutral", "") if other is None else self.of(target, other)

    def _read(self, domain: str, text: str) -> Policy:
        try:
            return policy(text)
        except BadRecord as error:
            where = "" if domain == self._sender.domain else _("the record of {domain}: ", domain=domain)
            raise _Error("permerror", f"{where}{error}") from None

    def _matches(self, term: Term, domain: str) -> bool:
        if term.name == "all":
            return True
        if term.network:
            return self._inside(term.network)
        self._count()
        target = self._name(term.domain, domain) if term.domain else domain
        if term.name == "include":
            return self._included(target)
        if term.name == "exists":
            return bool(self._counted(target, "A"))
        if term.name == "ptr":
            return self._is_named(target)
        length = term.v6 if self._type == "AAAA" else term.v4
        if term.name == "a":
            return any(self._inside(f"{one}/{length}") for one in self._counted(target, self._type))
        return any(self._inside(f"{one}/{length}") for one in self._of_exchangers(target))

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise _Error(
                "permerror", _("it needs more than {most_lookups} look-ups", most_lookups=MOST_LOOKUPS)
            )

    def _inside(self, network: str) -> bool:
        try:
            return self._address in ipaddress.ip_network(network, strict=False)
        except ValueError:
            return False

    def _included(self, target: str) -> bool:
        other = self._record_of(target, "include")
        return other is not None and self.of(target, other)[0] == "pass"

    def _record_of(self, target: str, word: str) -> str | None:
        """The record of a domain that another one names; None where it is not known yet."""
        heard = self._heard(target, "TXT")
        if heard is None:
            return None
        found = policies(heard.values)
        if len(found) > 1:
            raise _Error(
                "permerror",
                _(
                    "{target}, named by {word}, has {number} SPF records",
                    target=target,
                    word=word,
                    number=len(found),
                ),
            )
        if not found:
            raise _Error(
                "permerror", _("{target}, named by {word}, has no SPF record", target=target, word=word)
            )
        return found[0]

    def _of_exchangers(self, target: str) -> list[str]:
        hosts = [one.partition(" ")[2] for one in self._counted(target, "MX")]
        if len(hosts) > MOST_HOSTS:
            raise _Error(
                "permerror",
                _("{target} has more than {most_hosts} MX records", target=target, most_hosts=MOST_HOSTS),
            )
        # All of them, though the first may match: they are then asked in one round.
        heard = [self._heard(one, self._type) for one in hosts if one != "."]
        return [value for one in heard if one for value in one.values]

    def _is_named(self, target: str) -> bool:
        return any(one == target or one.endswith(f".{target}") for one in self._own_names(counted=True))

    def _own_names(self, counted: bool = False) -> list[str]:
        """The names of the sender's address that lead back to it (5.5); errors mean no names."""
        heard = self._ask(self._address.reverse_pointer, "PTR")
        if heard is None or heard.trouble:
            return []
        if counted and not heard.values:
            self._count_void()
        back = [(one, self._ask(one, self._type)) for one in heard.values[:MOST_HOSTS]]
        return [one for one, there in back if there and any(self._inside(value) for value in there.values)]

    def _name(self, spec: str, domain: str) -> str:
        return expanded(spec, self._sender, domain, lambda: self._best_name(domain))

    def _best_name(self, domain: str) -> str:
        """%{p}: the domain itself, else a name below it, else any name (7.3)."""
        names = self._own_names()
        below = [one for one in names if one.endswith(f".{domain}")]
        return next((one for one in (domain,) if one in names), "") or next(iter([*below, *names]), "unknown")

    def _counted(self, name: str, type: str) -> tuple[str, ...]:
        heard = self._heard(name, type)
        if heard is None:
            return ()
        if not heard.values:
            self._count_void()
        return heard.values

    def _count_void(self) -> None:
        self.void += 1
        if self.void > MOST_VOID:
            raise _Error(
                "permerror", _("more than {most_void} of its look-ups find nothing", most_void=MOST_VOID)
            )

    def _heard(self, name: str, type: str) -> Heard | None:
        if not _can_be_asked(name):
            return Heard(())
        heard = self._ask(name, type)
        if heard and heard.trouble:
            raise _Error(
                "temperror",
                _("{name} {type} could not be asked: {trouble}", name=name, type=type, trouble=heard.trouble),
            )
        return heard


def _is_wide(term: Term) -> bool:
    """Whether a word names more addresses than anybody has; `all` is another matter, and nobody sends from
    those that are none of the world's (fc00::/7)."""
    if term.network:
        network = ipaddress.ip_network(term.network)
        within = network.version == 6 and any(network.subnet_of(one) for one in _WITHIN_NETWORKS)
        return network.prefixlen < _WIDEST[network.version] and not within
    return term.name in ("a", "mx") and (term.v4 < _WIDEST[4] or term.v6 < _WIDEST[6])


def _number(term: Term) -> int:
    """How many addresses of IPv4 a word names."""
    return 0 if not term.network or ":" in term.network else ipaddress.ip_network(term.network).num_addresses


def _can_be_asked(name: str) -> bool:
    return len(name) < 254 and all(0 < len(one) < 64 for one in name.split("."))
