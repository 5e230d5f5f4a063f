"""Judge of a host whose port opens, and is not the host's, or not known to be, once TLS has named it."""

from __future__ import annotations

from mailcow_wizard.checks.by_clock import see_the_clock
from mailcow_wizard.checks.network_nameless import STATUS
from mailcow_wizard.checks.network_ways import ending
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.mail.certificates import Shown, read
from mailcow_wizard.facts.network.interception import DATES
from mailcow_wizard.facts.network.outward import Outward, Reached, Try
from mailcow_wizard.host.network.conversation import NO_AUTHORITIES, NO_TLS, UNKNOWN_CHAIN
from mailcow_wizard.language import _
from mailcow_wizard.model import Evidence, Judgement

_SEVERAL = 2


def untrusted(host: Reached, common: Judgement, facts: Outward) -> Judgement | None:
    """What TLS says against the host; None where it says nothing against it."""
    foreign = next((one for one in host.tries if one.foreign), None)
    ended = next((one for one in host.tries if one.cut), None)
    spoke = any(one.said and one.said.tls for each in facts.hosts for one in each.tries)
    bad = common._replace(
        status=STATUS[host.row.level],
        stops="way",
        found=listed([f"{each.probe.address}: {ending(each)}" for each in host.tries]),
        certainty="inferred",
    )
    if foreign:
        return _shown(bad, host, foreign) if not _lacks(facts) else _lacking(bad, host, foreign)
    if ended:
        return _ended(bad, host, ended)
    # Where a program takes one family, it does not take the other for what comes after the connection.
    trusted = {one.family for one in host.tries if one.trusted}
    left = [one for one in host.tries if one.family not in trusted]
    dated = next((one.said.trouble for one in left if one.said and one.said.trouble in DATES), "")
    if dated:
        return _dated(bad, host, dated)
    if any(one.said and one.said.trouble == NO_AUTHORITIES for one in left):
        return _without_list(bad, host)
    if any(one.mute for one in left):
        return _mute(bad, host) if spoke else _all_mute(bad, host)
    if not spoke and _like_the_mute(host, facts):
        return _all_mute(bad, host)
    return None


def _like_the_mute(host: Reached, facts: Outward) -> bool:
    """Whether it opens at the port at which hosts are mute, and was not asked over TLS itself."""
    opened = [one for one in host.tries if one.over_tls and one.result.outcome == "open"]
    return any(one.said is None for one in opened) and any(
        one.mute for each in facts.hosts for one in each.tries
    )


def _signer(one: Try) -> Shown | None:
    return read(one.said.der) if one.said and one.said.der else None


def _lacks(facts: Outward) -> bool:
    """Whether it is this machine's list that lacks the authorities: nobody at all is trusted, and they are
    signed by several. Who looks into everything on the way signs for all alike."""
    tries = [one for host in facts.hosts for one in host.tries]
    if any(one.trusted for one in tries):
        return False
    unknown = [one for one in tries if one.said and one.said.trouble in UNKNOWN_CHAIN]
    signers = {shown.maker or shown.issuer for shown in map(_signer, unknown) if shown}
    return len(signers) >= _SEVERAL


def _shown(bad: Judgement, host: Reached, one: Try) -> Judgement:
    trouble = one.said.trouble if one.said else ""
    signer = _signer(one) if trouble in UNKNOWN_CHAIN else None
    issuer = signer.issuer if signer else ""
    if issuer:
        words = _(
            "who answers on port {port} as {host} shows a certificate by {issuer}, whom this machine does "
            "not trust ({trouble})",
            port=host.row.port,
            host=host.row.host,
            issuer=issuer,
            trouble=trouble,
        )
    else:
        words = _(
            "who answers on port {port} as {host} shows no certificate that this machine trusts ({trouble})",
            port=host.row.port,
            host=host.row.host,
            trouble=trouble,
        )
    mends = _(
        "Somebody on the way looks into what is encrypted: ask for an exception, or install their "
        "authority (/usr/local/share/ca-certificates, update-ca-certificates), then restart Docker."
    )
    old = _(
        "Where everybody trusts {issuer}, this machine's list is too old: update ca-certificates.",
        issuer=issuer,
    )
    more = (old,) if issuer else ()
    return bad._replace(summary=words, remedies=(mends, *more), evidence=_evidence(bad, host, trouble))


def _lacking(bad: Judgement, host: Reached, one: Try) -> Judgement:
    signer = _signer(one)
    words = _(
        "this machine's list of authorities does not have {issuer}, by whom {host} is certified on port "
        "{port}, nor those of the other hosts",
        issuer=signer.issuer if signer else "?",
        host=host.row.host,
        port=host.row.port,
    )
    return bad._replace(
        summary=words,
        stops="here",
        remedies=(
            _(
                "Install the package ca-certificates once more, then restart Docker, which reads it as "
                "git does."
            ),
        ),
        evidence=_evidence(bad, host, one.said.trouble if one.said else ""),
    )


def _without_list(bad: Judgement, host: Reached) -> Judgement:
    return bad._replace(
        status="warn",
        stops="here",
        summary=_(
            "{host} answers on port {port}, but this machine has no list of authorities, without which git "
            "and Docker trust nobody",
            host=host.row.host,
            port=host.row.port,
        ),
        remedies=(_("Install it: the package is called ca-certificates."),),
    )


def _dated(bad: Judgement, host: Reached, trouble: str) -> Judgement:
    """Nearly always this machine's clock; whoever it is, git and Docker end there."""
    words = _(
        "{host} answers on port {port}, but by this machine's clock its certificate is not good ({trouble}): "
        "git, Docker and mailcow refuse it",
        host=host.row.host,
        port=host.row.port,
        trouble=trouble,
    )
    return bad._replace(
        summary=words, stops="here", remedies=see_the_clock(trouble), evidence=_evidence(bad, host, trouble)
    )


def _ended(bad: Judgement, host: Reached, one: Try) -> Judgement:
    why = one.said.text.removeprefix(NO_TLS) if one.said else ""
    words = _(
        "port {port} of {host} opens, but no encryption comes about there ({why})",
        port=host.row.port,
        host=host.row.host,
        why=why,
    )
    return bad._replace(summary=words, remedies=(_by_names(host),), evidence=_evidence(bad, host, why))


def _mute(bad: Judgement, host: Reached) -> Judgement:
    """Others answer: a filter that goes by names, or a slow host."""
    words = _(
        "port {port} of {host} opens, but nothing comes back once TLS has named it, while other hosts "
        "answer: something stops it, or it is slow",
        port=host.row.port,
        host=host.row.host,
    )
    return _unanswered(bad, host, words, _by_names(host))


def _all_mute(bad: Judgement, host: Reached) -> Judgement:
    """Nobody answers over TLS: that ports open proves nothing then."""
    words = _(
        "port {port} of {host} opens, but when encryption (TLS) begins no host answers there: something on "
        "the way stops it, or this line is very slow",
        port=host.row.port,
        host=host.row.host,
    )
    remedy = _(
        "A filter on the way may stop encryption, or long packets are lost (see network.mtu): ask "
        "whoever runs this network."
    )
    return _unanswered(bad, host, words, remedy)


def _unanswered(bad: Judgement, host: Reached, words: str, remedy: str) -> Judgement:
    """A timeout is no failure."""
    return bad._replace(
        status="unknown",
        summary=words,
        certainty="untested",
        remedies=(_("Run this check again."), remedy),
        evidence=_evidence(bad, host, _("no answer")),
    )


def _by_names(host: Reached) -> str:
    return _(
        "A filter on the way may go by names: ask whoever runs this network to let {host} pass.",
        host=host.row.host,
    )


def _evidence(common: Judgement, host: Reached, said: str) -> tuple[Evidence, ...]:
    return (*common.evidence, Evidence(f"curl -vI https://{host.row.host}/", said))
