"""Whether this machine reaches itself under its public address, which matters behind NAT (hairpin)."""

from __future__ import annotations

from mailcow_wizard.facts.addresses import Addresses, addresses
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.ports import PortFacts, survey
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError, Probe
from mailcow_wizard.typed import NamedTuple

_ASKED = ("ports.http", "ports.https", "ports.smtp")
_WAIT_S = 2.5
_HTTP, _HTTPS, _SMTP = 80, 443, 25


class Turned(NamedTuple):
    """One port of the public address, tried from here.

    `outcome` as in `door.Hairpin`, and same or other: somebody listens here, and what answers under the
    public address is the same, or is not; open: that could not be compared.
    """

    port: int
    outcome: str


class Reflection(NamedTuple):
    """One family: its addresses, whether the public one is this machine's own, else what was tried.

    `unchecked` is the variable of mailcow.conf that keeps mailcow from asking itself under its public name.
    """

    addresses: Addresses
    public: str = ""
    local: bool = False
    turned: tuple[Turned, ...] = ()
    unchecked: str = ""


def reflections(facts: Facts) -> tuple[Reflection, ...]:
    """Both families, one after the other: few machines have NAT in both. Raises HostError."""
    return tuple(_reflection(facts, family) for family in (4, 6))


def _reflection(facts: Facts, family: int) -> Reflection:
    known = facts.get(addresses, family)
    if not known.own or not known.public:
        return Reflection(known)
    public = next((one for one in known.public if _is_local(facts, one)), "")
    if public:
        return Reflection(known, public, local=True)
    public = known.public[0]
    return Reflection(known, public, turned=_turned(facts, known.own, public), unchecked=_unchecked(facts))


def _is_local(facts: Facts, address: str) -> bool:
    """Whether the kernel keeps packets to this address to itself."""
    try:
        return facts.host.source_address(address) == address
    except HostError:
        return False


def _turned(facts: Facts, own: str, public: str) -> tuple[Turned, ...]:
    # The list of who listens comes first: our own listeners must not be in it.
    listening = facts.get(survey)
    known = {listening[one].binding.number: listening[one] for one in _ASKED}
    tried = facts.host.hairpin(public, own, tuple(known), _WAIT_S)
    return tuple(
        Turned(one.port, _compared(facts, own, public, known[one.port]))
        if one.outcome == "in use"
        else Turned(one.port, one.outcome)
        for one in tried
    )


def _compared(facts: Facts, own: str, public: str, port: PortFacts) -> str:
    """Whether the same server answers under both addresses; `own` may be one where it does not listen."""
    number, standard = port.binding.number, port.binding.port.number
    kind = "greeting" if standard == _SMTP else "tcp"
    here, there = facts.host.probe((Probe(kind, own, number), Probe(kind, public, number)), _WAIT_S)
    if there.outcome != "open":
        return there.outcome
    if here.outcome != "open":
        return "open"
    if standard == _SMTP:
        return _same(_name(here.greeting), _name(there.greeting))
    return _certificates(facts, own, public, number) if standard == _HTTPS else "open"


def _name(greeting: str) -> str:
    """The name in a greeting, which is what does not change from one to the next."""
    return " ".join(greeting.split()[:2])


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
    return next((key for key in keys if conf.get(key).lower() in ("y", "yes")), "")
