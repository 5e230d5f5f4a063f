"""Judge of what a far server saw of a message: SPF, DKIM and DMARC, each in words, with what mends it."""

from __future__ import annotations

from mailcow_wizard.checks.mail_refusals import is_refusal, remedies
from mailcow_wizard.checks.troubles import Trouble
from mailcow_wizard.facts.mail.authentication_results import Seen, Verdict
from mailcow_wizard.facts.mail.postfix_log import Fate
from mailcow_wizard.language import _
from mailcow_wizard.model import Evidence

_METHODS = ("spf", "dkim", "dmarc")
_SHOWN = 100
_LONGEST_REASON = 110
DELIVERY_LOGS = _(
    "See mailcow's logs: `docker compose logs --tail 50 postfix-mailcow rspamd-mailcow dovecot-mailcow`."
)
_QUEUE = _("Look into the queue: `docker compose exec postfix-mailcow mailq`.")
# Microsoft's word where there is no DMARC record, and one that asked for alignment would be met.
_AS_IF = "bestguesspass"
_NO_KEY = ("no key", "key not found", "no such key")


def words(seen: Seen, domain: str) -> str:
    """All that it says, short: `spf=pass, dkim=pass, dmarc=none`."""
    every = (seen.of(method, domain) for method in _METHODS)
    return ", ".join(f"{one.method}={one.result}" for one in every if one)


def troubles(seen: Seen, domain: str, far: str) -> list[Trouble]:
    """What is not as it should be at the server of the mailbox `far` for mail of `domain`."""
    by = seen.by or far
    found = [(method, seen.of(method, domain)) for method in _METHODS]
    if not any(one for _method, one in found):
        said = _(
            "the message reached {far}, which does not say what it thinks of SPF, DKIM and DMARC", far=far
        )
        return [
            Trouble("unknown", said, (_("Name a mailbox whose provider writes Authentication-Results."),))
        ]
    lacking = ", ".join(method.upper() for method, one in found if one is None)
    told = [_trouble(one, domain, by, seen.address) for _method, one in found if one]
    if lacking:
        told.append(
            Trouble("unknown", _("{by} does not say what it thinks of {lacking}", by=by, lacking=lacking))
        )
    return [one for one in told if one]


def not_there(fate: Fate, far: str, seconds: float) -> Trouble:
    """The message to `far` is not there after so many seconds; what postfix says of it."""
    said = fate.said[:_LONGEST_REASON]
    if fate.status == "sent":
        return Trouble(
            "unknown",
            _(
                "{relay} took the message to {far}, where it was not found after {seconds:.0f} s: {said}",
                relay=fate.relay,
                far=far,
                seconds=seconds,
                said=said,
            ),
            (_("Look into that mailbox's other folders and its provider's quarantine."),),
        )
    if fate.status == "deferred" and not is_refusal(fate.said):
        nobody = _("Nobody was reached: `check network.outbound-25 network.recursion`.")
        later = _("The far server asks to try again later (greylisting?): verify again in ten minutes.")
        return Trouble(
            "unknown",
            _("the message to {far} waits in postfix's queue: {said}", far=far, said=said),
            (later if fate.relay else nobody, _QUEUE),
        )
    words = (
        _("{relay} takes no mail from this server: {said}", relay=fate.relay or far, said=said)
        if fate.status == "deferred"
        else _("the message to {far} came back: {said}", far=far, said=said)
    )
    return Trouble("fail", words, remedies(fate.said))


def not_delivered(fate: Fate, seconds: float) -> Trouble:
    """The message through port 25 was taken and is not in the mailbox; what postfix says of it."""
    said = fate.said[:_LONGEST_REASON]
    if fate.status == "sent":
        words = _(
            "the message through port 25 was delivered, and not found after {seconds:.0f} s: {said}",
            seconds=seconds,
            said=said,
        )
        return Trouble(
            "unknown", words, (_("A filter of this mailbox may put messages into other folders."),)
        )
    words = (
        _("the message through port 25 waits in postfix's queue: {said}", said=said)
        if fate.status == "deferred"
        else _("the message through port 25 came back: {said}", said=said)
    )
    return Trouble("fail", words, (DELIVERY_LOGS, _QUEUE))


def evidence(seen: Seen) -> list[Evidence]:
    """How it came in, and each word of the far server."""
    over = _("no TLS") if seen.tls == "none" else seen.tls
    rows = [Evidence(_("how it came to the far server"), ", ".join(filter(None, (seen.address, over))))]
    rows += [
        Evidence(
            f"Authentication-Results {seen.by}".rstrip(),
            " ".join(filter(None, (f"{one.method}={one.result}", one.domain, one.said and f"({one.said})"))),
        )
        for one in seen.verdicts
    ]
    return [one for one in rows if one.value]


def _trouble(one: Verdict, domain: str, by: str, address: str) -> Trouble | None:
    if one.result == "pass":
        return None
    if one.result == "temperror" and not _is_without_key(one):
        return Trouble(
            "unknown",
            _(
                "{by} could not look up {method} of {domain}: {said}",
                by=by,
                method=one.method.upper(),
                domain=domain,
                said=_said(one),
            ),
            (
                _(
                    "Try again in ten minutes; the name servers of {domain} may be slow or down.",
                    domain=domain,
                ),
            ),
        )
    judge = {"spf": _spf, "dkim": _dkim, "dmarc": _dmarc}[one.method]
    return judge(one, domain, by, address)


def _spf(one: Verdict, domain: str, by: str, address: str) -> Trouble:
    if one.result == "none":
        return Trouble(
            "warn",
            _("{by} finds no SPF record of {domain}", by=by, domain=domain),
            (_("Publish the SPF record: `dns --domain {domain}` shows it.", domain=domain),),
        )
    if one.result == "permerror":
        return Trouble(
            "warn",
            _("{by} cannot use the SPF record of {domain}: {said}", by=by, domain=domain, said=_said(one)),
            (_("Correct the record: `check dns.spf` says what is wrong."),),
        )
    return Trouble(
        "warn",
        _(
            "SPF is {result} at {by}: the record of {domain} does not allow {address}",
            result=one.result,
            by=by,
            domain=domain,
            address=address or _("the address that it came from"),
        ),
        (_("Put that address into the record: `check dns.spf network.addresses` shows both."),),
    )


def _dkim(one: Verdict, domain: str, by: str, address: str) -> Trouble:
    if one.result == "none":
        others = _(" (only of {others})", others=one.said) if one.said and one.said != domain else ""
        return Trouble(
            "warn",
            _("{by} finds no DKIM signature of {domain}{others}", by=by, domain=domain, others=others),
            (
                _("Make a key for {domain} in mailcow: Configuration, ARC/DKIM keys.", domain=domain),
                _("See why it does not sign: `docker compose logs --tail 50 rspamd-mailcow`."),
            ),
        )
    if _is_without_key(one):
        return Trouble(
            "warn",
            _("{by} finds no DKIM key of {domain} in DNS", by=by, domain=domain),
            (_("Publish the DKIM record: `dns --domain {domain}` shows it.", domain=domain),),
        )
    return Trouble(
        "warn",
        _(
            "the DKIM signature of {domain} is not valid at {by} ({result}: {said})",
            domain=domain,
            by=by,
            result=one.result,
            said=_said(one),
        ),
        (
            _("See whether the published key is the one that mailcow signs with: `check dns.dkim`."),
            _("A relay or filter on the way that changes messages breaks signatures, too."),
        ),
    )


def _dmarc(one: Verdict, domain: str, by: str, address: str) -> Trouble:
    if one.result in ("none", _AS_IF):
        return Trouble(
            "warn",
            _("{by} finds no DMARC record of {domain}", by=by, domain=domain),
            (_("Publish the DMARC record: `dns --domain {domain}` shows it.", domain=domain),),
        )
    if one.result == "permerror":
        return Trouble(
            "warn",
            _("{by} cannot use the DMARC record of {domain}: {said}", by=by, domain=domain, said=_said(one)),
            (_("Correct the record: `check dns.dmarc` says what is wrong."),),
        )
    return Trouble(
        "warn",
        _("DMARC fails at {by}: neither SPF nor DKIM passes for {domain}", by=by, domain=domain),
        (_("Mend SPF and DKIM first; DMARC passes with one of them: `check dns.spf dns.dkim`."),),
    )


def _is_without_key(one: Verdict) -> bool:
    return one.method == "dkim" and any(words in one.said.lower() for words in _NO_KEY)


def _said(one: Verdict) -> str:
    return one.said[:_SHOWN] or one.result
