"""A proof from outside as lines and as a document."""

from __future__ import annotations

from mailcow_wizard import __version__
from mailcow_wizard.engine.reach import Reach, Target, Verdict
from mailcow_wizard.facts.reached import STATES as STATES
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.report.document import SCHEMA
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

GOOD = "arrived"
BAD = ("never arrived", "refused on the way", "closed here")


def row(target: Target, verdicts: list[tuple[int, Verdict]]) -> str:
    """One port: its number, service, and what is known of each family."""
    said = ", ".join(_("IPv{family} {words}", family=family, words=words(one)) for family, one in verdicts)
    use = "" if target.free or target.trouble else _(" (in use, asked as it is)")
    trouble = f" ({target.trouble})" if target.trouble else ""
    return f"{target.port:>5}  {target.service:<20} {said}{use}{trouble}"


def words(verdict: Verdict) -> str:
    """A state, and from where it was asked."""
    if verdict.state == "closed here":
        return _("closed here: {peer} came, and was not let in", peer=verdict.peer)
    said = STATES.get(verdict.state, verdict.state)
    if verdict.said:
        return _("{state}: “{said}”", state=said, said=verdict.said)
    return _("{state} from {peer}", state=said, peer=verdict.peer) if verdict.peer else said


def verdicts(reach: Reach, target: Target) -> list[tuple[int, Verdict]]:
    """What is known of a port, by family."""
    return [(family, reach.verdict(target, family)) for family in reach.families]


def summary(reach: Reach) -> dict[str, int]:
    """How many ports arrived, did not, and are not known."""
    found = {"arrived": 0, "blocked": 0, "unknown": 0}
    for target in reach.targets:
        states = [one.state for _unused, one in verdicts(reach, target)]
        if any(one in BAD for one in states):
            found["blocked"] += 1
        else:
            found["arrived" if set(states) == {GOOD} else "unknown"] += 1
    return found


def verdict(counts: dict[str, int]) -> str:
    """The verdict over all ports, in a sentence."""
    total = sum(counts.values())
    if counts["arrived"] == total:
        return _("All {total} ports are reached from outside.", total=total)
    blocked, unknown = counts["blocked"], counts["unknown"]
    rest = [ngettext("{n} is not", "{n} are not", blocked)] if blocked else []
    rest += [_("of {unknown} it is not known", unknown=unknown)] if unknown else []
    return _(
        "{arrived} of {total} ports are reached from outside, {rest}.",
        arrived=counts["arrived"],
        total=total,
        rest=", ".join(rest),
    )


def notes(reach: Reach) -> list[str]:
    """What else there is to say, in sentences."""
    said = [
        _(
            "This server's public IPv{family} address is not known, and the line leaves it out: name "
            "it with --address.",
            family=family,
        )
        for family in reach.nameless
        if reach.addresses
    ]
    states = {one.state for target in reach.targets for _unused, one in verdicts(reach, target)}
    if reach.unheard and reach.extra:
        said.append(
            _(
                "Connections from {unheard} come to this machine, and its report does not: this "
                "machine's own firewall may close port {extra}. The other machine then shows what to "
                "run here.",
                unheard=reach.unheard,
                extra=reach.extra,
            )
        )
    elif reach.unheard:
        said.append(
            _(
                "Connections from {unheard} come to this machine, and none is heard: this machine's "
                "own firewall may not let them in (nft list ruleset, iptables -S, ufw status).",
                unheard=reach.unheard,
            )
        )
    if reach.inside and not reach.knocks:
        peer = next(iter(reach.inside.values()))
        said.append(
            _(
                "It was asked from {peer}, in this server's own network: no provider's firewall was "
                "passed, and nothing is proved. Ask from elsewhere.",
                peer=peer,
            )
        )
    if states & {
        "not asked: that line lets no port 25 out",
        "not asked: that line may let no port 25 out",
    }:
        said.append(
            _("Many lines at home and at work let no port 25 out: ask from a rented server, or another line.")
        )
    if "not asked: no way from there" in states:
        said.append(_("The machine that asked has no IPv6; a telephone's hotspot often has it."))
    return said


def of_reach(reach: Reach) -> dict[str, Any]:
    """The document of `reach`."""
    rows = [
        {
            "port": target.port,
            "service": target.service,
            "listening": target.free,
            "family": f"v{family}",
            "state": one.state,
            "peer": one.peer or None,
            "how": one.how or None,
            "said": one.said or None,
        }
        for target in reach.targets
        for family, one in verdicts(reach, target)
    ]
    return {
        "schema": SCHEMA,
        "version": __version__,
        "addresses": list(reach.addresses),
        "summary": summary(reach),
        "ports": rows,
    }
