"""Hosts whose names lead to no address, or by /etc/hosts, and what that says of this machine's resolvers."""

from __future__ import annotations

from mailcow_wizard.checks.by_clock import see_the_clock
from mailcow_wizard.facts.network.names import NO_ADDRESS
from mailcow_wizard.facts.network.outward import Outward, Reached
from mailcow_wizard.language import _
from mailcow_wizard.model import Evidence, Judgement, Status

STATUS: dict[str, Status] = {"required": "fail", "recommended": "warn", "optional": "warn"}
"""What a host that cannot be reached comes to, by how much depends on it."""


def without_name(host: Reached, common: Judgement, facts: Outward) -> Judgement:
    """A name that has no address is a fault; one that no resolver answers for is not known, unless programs
    on this machine get none at all."""
    silent = _unanswered(host)
    if _of_other_family(host, facts):
        return _lacking(host, common, facts)
    unknown = silent and not (facts.nameless and host.row.by_machine)
    trouble = host.looked.trouble
    if host.row.family and not silent:
        trouble = _("the name has no IPv{family} address", family=host.row.family)
    elif not trouble:
        trouble = _("no resolver answers for its IPv{family} address", family=host.row.family)
    remedies = (
        _(
            'See /etc/resolv.conf: a resolver named there must answer. "Name servers" shows '
            "whether others can be asked from here."
        ),
    )
    return common._replace(
        status="unknown" if unknown else STATUS[host.row.level],
        stops="names",
        summary=_("{host} cannot be looked up: {trouble}", host=host.row.host, trouble=trouble),
        evidence=(Evidence(f"dig {host.row.host}", trouble),),
        remedies=remedies,
        certainty="untested" if unknown else "inferred" if silent else "proved",
    )


OTHER_RESOLVER = _(
    "See /etc/resolv.conf: a portal that wants a log-in, or a filter, answers every question "
    "with its own address. Name another resolver there: `dig github.com` and "
    "`dig github.com @9.9.9.9` should agree."
)


def misled(host: Reached, common: Judgement, facts: Outward) -> Judgement | None:
    """A name that leads to somebody else's address, unless TLS tells that the host is there all the same;
    None: it does not. Containers ask the roots for names, and may be told the truth."""
    led = [one for one in host.tries if one.probe.address in facts.astray and not one.trusted]
    if not led or host.looked.pinned:
        return None
    answered = any(one.proves for one in host.tries if one not in led)
    if answered and not any(one.result.outcome == "open" for one in led):
        return None  # programs pass over an address where nobody answers
    address = led[0].probe.address
    if host.row.by_machine:
        words = _(
            "{host} cannot be reached: its name leads to {address} here, which is not its address",
            host=host.row.host,
            address=address,
        )
    else:
        words = _(
            "whether {host} can be reached is not known: its name leads to {address} here, which is not its "
            "address",
            host=host.row.host,
            address=address,
        )
    return common._replace(
        status=STATUS[host.row.level] if host.row.by_machine else "unknown",
        stops="names",
        summary=words,
        found=address,
        evidence=(Evidence(f"dig {host.row.host}", address),),
        remedies=(OTHER_RESOLVER,),
        certainty="inferred" if host.row.by_machine else "untested",
    )


def _of_other_family(host: Reached, facts: Outward) -> bool:
    """Whether a name that is there has no address of the one family that this machine has; it was asked for
    no other."""
    return len(facts.families) == 1 and host.looked.trouble == NO_ADDRESS and not host.row.family


def _lacking(host: Reached, common: Judgement, facts: Outward) -> Judgement:
    (ours,) = facts.families
    why = _(
        "its name has no IPv{family} address, and this machine has no IPv{other}",
        family=ours,
        other=10 - ours,
    )
    return common._replace(
        status=STATUS[host.row.level],
        stops="here",
        summary=_(
            "{host} cannot be reached on port {port}: {why}", host=host.row.host, port=host.row.port, why=why
        ),
        evidence=(Evidence(f"dig {host.row.host} {'AAAA' if ours == 6 else 'A'}", NO_ADDRESS),),
        remedies=(
            _(
                "Give this machine a way out over IPv{family}: an address of its own, or one behind NAT.",
                family=10 - ours,
            ),
        ),
        certainty="inferred",
    )


def _unanswered(host: Reached) -> tuple[int, ...]:
    """The families, of those that count for this host, whose addresses no resolver told."""
    return tuple(one for one in host.looked.unanswered if host.row.family in (0, one))


def half_looked_up(host: Reached, judged: Judgement, facts: Outward) -> Judgement:
    """The same, unless nobody told the IPv4 addresses: IPv6 says nothing of them, and containers may have no
    other way."""
    if 4 not in facts.families or 4 not in _unanswered(host):
        return judged
    return judged._replace(
        status="unknown",
        stops="names",
        summary=_(
            "no resolver answers for the IPv4 addresses of {host}; over IPv6: {words}",
            host=host.row.host,
            words=judged.summary,
        ),
        remedies=(_("See /etc/resolv.conf: a resolver named there must answer."), *judged.remedies),
        certainty="untested",
    )


def of_resolver(host: Reached, judged: Judgement, facts: Outward) -> Judgement:
    """Adds that only public resolvers knew the name: containers have a resolver of their own, git and Docker
    have not."""
    trouble = facts.resolver
    if not trouble or judged.status != "pass" or host.row.level == "optional":
        return judged
    return judged._replace(
        status=STATUS[host.row.level] if facts.nameless and host.row.by_machine else "warn",
        stops="names",
        summary=_(
            "{host} can be reached, but this machine's own resolver gives no answer: {trouble}",
            host=host.row.host,
            trouble=trouble,
        ),
        evidence=(*judged.evidence, Evidence(f"getent ahosts {host.row.host}", trouble)),
        remedies=(
            *see_the_clock(trouble),
            _("See /etc/resolv.conf: a resolver named there must answer."),
        ),
    )


def pinned(host: Reached, judged: Judgement) -> Judgement:
    """What is said of a host whose address /etc/hosts gives; where it does not answer, that may be old."""
    if judged.status == "pass":
        return judged
    return judged._replace(
        summary=_(
            "/etc/hosts calls {host} {addresses}; {words}",
            host=host.row.host,
            addresses=", ".join((*host.looked.v4, *host.looked.v6)),
            words=judged.summary,
        ),
        remedies=(
            _("Take {host} out of /etc/hosts, or correct its address there.", host=host.row.host),
            *judged.remedies,
        ),
    )
