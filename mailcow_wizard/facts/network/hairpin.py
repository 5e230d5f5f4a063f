"""Whether this machine reaches itself under its public address, which matters behind NAT (hairpin)."""

from __future__ import annotations

from mailcow_wizard.facts.addresses import Addresses, addresses
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.mail_ways import mail_ways
from mailcow_wizard.facts.ports import PortFacts, survey
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Probe
from mailcow_wizard.typed import NamedTuple

_ASKED = ("ports.http", "ports.https", "ports.smtp")
_WAIT_S = 2.5
HTTP, _HTTPS, _SMTP = 80, 443, 25
_CHALLENGES = "/.well-known/acme-challenge/mailcow-wizard"  # where mailcow answers before all redirects


class Turned(NamedTuple):
    """One port of the public address, tried from here.

    `outcome` as in `replies.Hairpin`, and same or other: somebody listens here, and what answers under the
    public address is the same, or is not; alike: both give the same page, as others might; open: that could
    not be compared.
    """

    port: int
    outcome: str


class Reflection(NamedTuple):
    """One public address of a family: whether it is this machine's own, else what was tried.

    `unchecked` is the variable of mailcow.conf that keeps mailcow from asking itself under its public name,
    `web` the port on which it would ask. `mail_leaves`: port 25 alone is silent here, and that of others
    answers.
    """

    addresses: Addresses
    public: str = ""
    local: bool = False
    turned: tuple[Turned, ...] = ()
    unchecked: str = ""
    web: int = HTTP
    mail_leaves: bool = False


def reflections(facts: Facts) -> tuple[Reflection, ...]:
    """All public addresses of both families, one after the other: few machines have NAT in both, or several
    addresses behind it. Raises HostError."""
    return tuple(one for family in (4, 6) for one in _of_family(facts, family))


def _of_family(facts: Facts, family: int) -> tuple[Reflection, ...]:
    known = facts.get(addresses, family)
    if not known.own or not known.public:
        return (Reflection(known),)
    return tuple(_reflection(facts, known, public) for public in known.public)


def _reflection(facts: Facts, known: Addresses, public: str) -> Reflection:
    if _is_local(facts, public):
        return Reflection(known, public, local=True)
    turned = _turned(facts, known.own, public)
    return Reflection(
        known,
        public,
        turned=turned,
        unchecked=_unchecked(facts),
        web=facts.get(survey)[_ASKED[0]].binding.public_number or HTTP,
        mail_leaves=_is_mail_alone_silent(turned) and _mail_leaves(facts, known.family),
    )


def _is_mail_alone_silent(turned: tuple[Turned, ...]) -> bool:
    """Where others are silent, too, it does not matter why, and all the time there is was waited for them."""
    return [one for one in turned if one.outcome == "silent"] == [Turned(_SMTP, "silent")]


def _mail_leaves(facts: Facts, family: int) -> bool:
    """Whether a mail server of others answers, so that nobody stops port 25 on the way out."""
    try:
        ways = facts.get(mail_ways)
    except HostError:
        return False
    tries = (one.tried for way in ways if way.family == family for one in way.servers)
    return any(one.result.outcome == "open" for one in tries)


def _is_local(facts: Facts, address: str) -> bool:
    """Whether the kernel keeps packets to this address to itself."""
    try:
        return facts.host.source_address(address) == address
    except HostError:
        return False


def _turned(facts: Facts, own: str, public: str) -> tuple[Turned, ...]:
    # The list of who listens comes first: our own listeners must not be in it.
    known = _met(facts)
    tried = facts.host.hairpin(public, own, tuple(known), _WAIT_S)
    return tuple(
        Turned(one.port, _compared(facts, own, public, one.port, known[one.port].binding.port.number))
        if one.outcome == "in use"
        else Turned(one.port, one.outcome)
        for one in tried
    )


def _met(facts: Facts) -> dict[int, PortFacts]:
    """What is asked, by the port at which the world meets it: where mailcow listens on loopback alone that is
    the proxy's before it, and no router passes mailcow's own on."""
    met = {one.binding.public_number: one for one in map(facts.get(survey).__getitem__, _ASKED)}
    return {number: one for number, one in met.items() if number}


def _compared(facts: Facts, own: str, public: str, number: int, standard: int) -> str:
    """Whether the same server answers under both addresses; `own` may be one where it does not listen.
    `standard` is the service's usual port."""
    kind = "greeting" if standard == _SMTP else "tcp"
    here, there = facts.host.probe((Probe(kind, own, number), Probe(kind, public, number)), _WAIT_S)
    if there.outcome != "open":
        return there.outcome
    if here.outcome != "open":
        return "open"
    if standard == _SMTP:
        return _same(_name(here.greeting), _name(there.greeting))
    if standard == _HTTPS:
        return _certificates(facts, own, public, number)
    return _pages(facts, own, public) if number == HTTP else "open"


def _pages(facts: Facts, own: str, public: str) -> str:
    """Whether both give the same page where Let's Encrypt would look. A page that differs proves nothing:
    some change with every answer."""
    name = facts.get(hostname).name or public
    try:
        here, there = (facts.host.fetch(name, _CHALLENGES, 0, _WAIT_S, address=one) for one in (own, public))
    except HostError:
        return "open"
    return "alike" if (here.status, here.body) == (there.status, there.body) else "open"


def _name(greeting: str) -> str:
    """The code and name of a greeting, which do not change from one to the next; a hyphen is between them
    where more lines follow, as postfix has them for strangers (postscreen)."""
    code, _unused, rest = greeting.replace("-", " ", 1).partition(" ")
    return " ".join((code, *rest.split()[:1]))


def _certificates(facts: Facts, own: str, public: str, port: int) -> str:
    name = facts.get(hostname).name
    try:
        shown = [facts.host.certificate(one, port, name, timeout=_WAIT_S).der for one in (own, public)]
    except HostError:
        return "open"
    return _same(*shown)


def _same(here: object, there: object) -> str:
    if not here or not there:
        return "open"
    return "same" if here == there else "other"


def _unchecked(facts: Facts) -> str:
    try:
        conf = facts.get(mailcow_conf)
    except HostError:
        return ""
    keys = ("SKIP_LETS_ENCRYPT", "SKIP_HTTP_VERIFICATION")
    return next((key for key in keys if conf.yes(key)), "")
