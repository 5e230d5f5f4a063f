"""Judges of echo requests: mailcow's healthcheck counts their answers, its IPv6 detection waits for one."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_ways import Way, allowing, evidence, inner, inner_words, only_own, way
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.network.echoes import Echoes
from mailcow_wizard.facts.network.outward import Try
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Judgement

_MEANT = ("y", "yes", "true", "1", "on")
"""What people write where mailcow knows `y` alone."""


def judge_echoes(found: tuple[Echoes, ...]) -> tuple[Judgement, ...]:
    """One judgement for each family: what the healthcheck will say, what the IPv6 detection will."""
    return tuple((_v4 if one.family == 4 else _v6)(one)._replace(subject=f"v{one.family}") for one in found)


def _v4(found: Echoes) -> Judgement:
    if not found.present:
        return Judgement(
            "fail",
            _("this machine has no way out over IPv4"),
            remedies=(_("See the routes: `ip route`."),),
            stops="here",
        )
    answered, total = len(found.answered), len(found.tries)
    common = Judgement(
        "pass",
        "",
        found=_("{answered} of {total} answer", answered=answered, total=total),
        evidence=evidence(found.tries),
    )
    why = _why([one for one in found.tries if one.result.outcome != "open"])
    if why.kind == "not allowed":
        return common._replace(
            status="unknown",
            summary=_("echo requests could not be sent: this user may not"),
            certainty="untested",
            remedies=why.remedies,
        )
    skipped = found.skipped == "y"
    if answered >= total - need.HEALTHCHECK_MAY_FAIL:
        return _enough(found, common, skipped)
    if skipped:
        return common._replace(
            summary=_(
                "{few} of {total} addresses answers a ping, and {key}=y says that it does not matter",
                few=_few(answered),
                total=total,
                key=need.HEALTHCHECK_KEY,
            ),
            severity="advice",
        )
    if why.kind == "untried":
        return _unsent(common, why)
    if only_own([(one.own, one.container) for one in found.tries if one.result.outcome != "open"]):
        return common._replace(
            status="warn",
            stops="here",
            severity="degrades",
            summary=_(
                "{few} of {total} addresses answers a ping of this machine ({words}); those of mailcow's "
                "containers pass other rules, which let them out",
                few=_few(answered),
                total=total,
                words=why.words,
            ),
            remedies=why.remedies,
            certainty="inferred",
        )
    return common._replace(
        status="fail",
        stops=why.stops,
        summary=_(
            "{few} of {total} addresses answers a ping ({words}): mailcow's unbound will be "
            "unhealthy, and the stack will not start",
            few=_few(answered),
            total=total,
            words=why.words,
        ),
        remedies=_remedies(found, why.remedies),
        certainty="inferred",
    )


def _enough(found: Echoes, common: Judgement, skipped: bool) -> Judgement:
    """So many answer as the healthcheck asks for; mailcow's containers may still be held back."""
    answered, total = len(found.answered), len(found.tries)
    held = inner([one for one in found.tries if one.result.outcome == "open"])
    if held and held.container and not skipped:
        unknown = held.container.outcome == "unknown"
        return common._replace(
            status="unknown" if unknown else "fail",
            stops="here",
            summary=ngettext(
                "{listed} answers this machine, but {inner_words}: mailcow's unbound healthcheck will fail",
                "{listed} answer this machine, but {inner_words}: mailcow's unbound healthcheck will fail",
                answered,
                listed=listed(found.answered),
                inner_words=inner_words(held.container),
            ),
            remedies=(allowing(held.container, held.probe),),
            certainty="untested" if unknown else "inferred",
        )
    note = (
        ""
        if answered == total
        else _(", {total} does not, which the healthcheck forgives", total=total - answered)
    )
    return common._replace(
        summary=_(
            "{listed} answer{note}: enough for the pings of mailcow's unbound healthcheck",
            listed=listed(found.answered),
            note=note,
        )
    )


def _unsent(common: Judgement, why: Way) -> Judgement:
    return common._replace(
        status="unknown",
        summary=_("echo requests could not be sent: {why}", why=why.words),
        certainty="untested",
        remedies=(_("Run this check again."),),
    )


def _few(number: int) -> str:
    return _("only {number}", number=number) if number else _("none")


def _why(silent: Sequence[Try]) -> Way:
    """Why echo requests are not answered; that other things get out says nothing about them."""
    why = way(silent, True)
    return why._replace(words=_("nothing comes back")) if why.kind == "dropped" else why


def _remedies(found: Echoes, others: tuple[str, ...]) -> tuple[str, ...]:
    key = need.HEALTHCHECK_KEY
    allow = _("Let echo requests (ICMP type 8) out and their answers (type 0) in.")
    if found.recursion is False:
        skip = _('{key}=y would not help: name servers cannot be asked either (see "Name servers").', key=key)
    elif found.skipped.lower() in _MEANT:
        said = _("mailcow's {key} is {skipped}: only a small y counts.", key=key, skipped=found.skipped)
        return (_("{said} Write {key}=y.", said=said, key=key), allow, *others)
    elif found.recursion:
        skip = _("Or, as name servers can be asked from here: set {key}=y in mailcow.conf.", key=key)
    else:
        skip = _(
            '{key}=y in mailcow.conf turns the test off; do that only if "Name servers" passes.', key=key
        )
    return (allow, skip, *others)


def _v6(found: Echoes) -> Judgement:
    if not found.present:
        return Judgement("skipped", _("skipped: this machine has no IPv6"), certainty="untested")
    common = Judgement("pass", "", evidence=evidence(found.tries), severity="degrades")
    if found.answered:
        return common._replace(
            summary=ngettext(
                "{listed} answers: enough for the ping by which mailcow finds IPv6",
                "{listed} answer: enough for the ping by which mailcow finds IPv6",
                len(found.answered),
                listed=listed(found.answered),
            ),
            found=_("{answered} of {total} answer", answered=len(found.answered), total=len(found.tries)),
        )
    why = _why(found.tries)
    if why.kind == "not allowed":
        return common._replace(
            status="unknown",
            summary=_("echo requests could not be sent: this user may not"),
            certainty="untested",
            remedies=why.remedies,
        )
    if why.kind == "untried":
        return _unsent(common, why)
    return common._replace(
        status="warn",
        stops=why.stops,
        summary=_(
            "no address answers a ping over IPv6 ({words}): mailcow will take it for missing "
            "and set ENABLE_IPV6=false",
            words=why.words,
        ),
        found=_("0 of {number} answer", number=len(found.tries)),
        remedies=(
            _(
                'Let ICMPv6 out and in: IPv6 does not work without it. "IPv6" shows whether anything '
                "else passes."
            ),
        ),
        certainty="inferred",
    )
