"""Judge of the open relay test: strangers may not send to strangers, over IPv4 and IPv6."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.mail.relay import Relay, Tried, relay
from mailcow_wizard.facts.mail.talks import STRANGER
from mailcow_wizard.facts.mail.trips import MAILBOX
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

_SHOWN = 140
_WAYS_OUT_V6 = (
    _(
        "Give mailcow's network IPv6 of its own: ENABLE_IPV6=true in mailcow.conf and IPv6 in "
        "Docker's daemon.json (`check network.ipv6`), then `docker compose down && docker compose up "
        "-d`."
    ),
    _(
        'Or let Docker publish on IPv4 alone: `"userland-proxy": false` in daemon.json, or SMTP_PORT '
        "and the others bound to the IPv4 address (SMTP_PORT=192.0.2.10:25)."
    ),
    _("Or take the AAAA record away and close the ports for IPv6 in the firewall."),
)
_LOOK = (
    _(
        "See whom postfix trusts: `docker compose exec postfix-mailcow postconf mynetworks "
        "smtpd_relay_restrictions`, and data/conf/postfix/extra.cf."
    ),
    _("See whether Docker hides who connects: `check firewall.masquerade`."),
)


def judge_relay(found: Relay) -> Judgement:
    """Refused over each family: good, as far as that can be seen from here."""
    if found.about.skip:
        return skipped(found.about.skip)
    evidence = tuple(
        Evidence(
            _(
                "RCPT TO:<{stranger}> at {where}, without logging in",
                stranger=STRANGER,
                where=one.where,
            ),
            one.said[:_SHOWN],
        )
        for one in found.tries
    )
    troubles = [trouble for one in found.tries if (trouble := _trouble(one, found))]
    words = "; ".join(f"{one.where}: {one.said.split(chr(10))[0][:_SHOWN]}" for one in found.tries)
    if troubles:
        return judged(troubles, evidence, words)
    asked = sorted({one.family for one in found.tries if one.outcome == "refused"})
    families = _(" and ").join(f"IPv{family}" for family in asked)
    summary = _(
        "relaying for strangers is refused over {families}, seen from this machine's own address",
        families=families,
    )
    unlisted = any(one.unlisted for one in found.tries)
    if unlisted:
        summary += _("; not tried as one of your own, for want of a mailbox")
    return Judgement(
        "pass",
        summary,
        words,
        evidence,
        (_("To try it in the name of a mailbox: {mailbox}=me@example.org ./wizard verify", mailbox=MAILBOX),)
        if unlisted
        else (),
        certainty="inferred",
    )


def _trouble(one: Tried, found: Relay) -> Trouble | None:
    if one.outcome == "closed" and any(other.outcome != "closed" for other in found.tries):
        return None
    if one.outcome in ("silent", "closed"):
        return Trouble(
            "unknown",
            _("{where} could not be asked: {said}", where=one.where, said=one.said[:_SHOWN]),
            (_("See mail.ports first."),),
        )
    if one.outcome == "half":
        return Trouble(
            "unknown",
            _(
                "{where} refuses a stranger, and gives no answer to one who says that he is yours: {said}",
                where=one.where,
                said=one.said[:_SHOWN],
            ),
            (_("Try again; or ask from outside: `./wizard reach`."),),
        )
    if one.outcome == "other":
        return Trouble(
            "unknown",
            _(
                "{where} refuses, for another reason than relaying: {said}",
                where=one.where,
                said=one.said[:_SHOWN],
            ),
            (_("Ask from outside: a public open relay test, or `./wizard reach`."),),
        )
    if one.outcome == "refused":
        return None
    inside = one.seen == found.gateway
    if one.family == 6 and (found.proxied_v6 or inside):
        return Trouble(
            "fail",
            _(
                "open relay over IPv6: at {where} every client looks like {gateway}, from inside",
                where=one.where,
                gateway=found.gateway,
            ),
            _WAYS_OUT_V6,
            severity="blocks",
            why=_(
                "mailcow trusts its own network. Docker's proxy takes IPv6 in and hands it on "
                "from the network's own gateway, so that all the world may send through this "
                "server."
            ),
            doc=need.DOC_ISSUE.format(5242),
            certainty="inferred",
        )
    if one.trusted and not inside:
        return Trouble(
            "unknown",
            _(
                "{where} relays for {seen}, this machine itself, which postfix trusts (mynetworks); "
                "strangers could not be tried from here",
                where=one.where,
                seen=one.seen,
            ),
            (_("Ask from outside: a public open relay test, or `./wizard reach`."), _LOOK[0]),
        )
    if one.trusted is None and one.seen and not inside:
        return Trouble(
            "unknown",
            _(
                "{where} relays for {seen}, this machine itself; whether postfix trusts it (mynetworks) "
                "could not be asked, so it may relay for everybody",
                where=one.where,
                seen=one.seen,
            ),
            (_("Ask from outside at once: a public open relay test, or `./wizard reach`."), _LOOK[0]),
        )
    seen = _(", who looks as if from inside ({seen})", seen=one.seen) if inside else ""
    return Trouble(
        "fail",
        _(
            "open relay: {where} takes mail from a stranger{seen} to a stranger: {said}",
            where=one.where,
            seen=seen,
            said=one.said[:_SHOWN],
        ),
        _LOOK,
        severity="blocks",
        certainty="inferred" if inside or not one.seen else "proved",
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.relay",
        title=_("No open relay"),
        needed=_("who has not logged in may send to this server's own users only, over IPv4 and IPv6"),
        why=_(
            "Spammers find an open relay within hours and send through it; then its address is on "
            "every blocklist."
        ),
        doc=need.DOC_ISSUE.format(5242),
        severity="breaks",
        source=relay,
        judge=judge_relay,
        deadline=20.0,
    ),
)
