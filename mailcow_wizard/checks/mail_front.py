"""Judge of the reverse proxy through which the world comes to mailcow's web server, where that one is bound
to loopback: it runs on this machine, and is asked as everybody asks it. It is no part of mailcow, and mail
does not need it: what is wrong there is a warning."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.mail_web import named, status_of
from mailcow_wizard.checks.troubles import Trouble, judged
from mailcow_wizard.facts.mail.talks import PROTOCOLS, Talk, Talks
from mailcow_wizard.language import _
from mailcow_wizard.model import Evidence, Judgement
from mailcow_wizard.patterns import pattern

_HOW = _("See what the reverse proxy says of it, and whether it has this name: `ss -Hltnp` says who it is.")
_SHOWN = 120
_PAGE, _LOG_IN = 200, 401
_LOCATION = pattern(r"(?im)^location:[ \t]*https?://([a-z0-9.-]{1,253})")
_TITLE = pattern("(?is)<title[^>]{0,200}>(.{0,400}?)</title")


def judge_fronts(talks: Talks) -> tuple[Judgement, ...]:
    """One judgement for each port at which a proxy is to be."""
    numbers = dict.fromkeys(one.asked.port for one in talks.fronts)
    return tuple(_front([one for one in talks.fronts if one.asked.port == port], talks) for port in numbers)


def _front(every: list[Talk], talks: Talks) -> Judgement:
    troubles = [trouble for one in every for trouble in _troubles(one, talks)]
    evidence = tuple(_evidence(one) for one in every)
    subject = str(every[0].asked.port)
    if troubles:
        return judged(troubles, evidence)._replace(subject=subject, severity="degrades", doc=need.DOC_PROXY)
    places = _(" and ").join(dict.fromkeys(one.where for one in every))
    words = _("the reverse proxy before mailcow answers at {places}", places=places)
    return Judgement("pass", words, _said(every[0]), evidence, subject=subject)


def _troubles(talk: Talk, talks: Talks) -> list[Trouble]:
    spoken, tls = talk.spoken, PROTOCOLS[talk.binding.port.id][1]
    where = talk.where
    if spoken.outcome in ("silent", "no route"):
        return [Trouble("unknown", _("{where} did not answer in time", where=where), (_HOW,))]
    if spoken.outcome == "refused":
        words = _("nothing listens at {where}, where a reverse proxy is to lead to mailcow", where=where)
        return [Trouble("warn", words, (_HOW,))]
    if tls and not spoken.tls:
        return [Trouble("warn", _("{where} has no TLS: {text}", where=where, text=spoken.text), (_HOW,))]
    status, phrase = status_of(talk)
    if not status:
        said = _said(talk) or spoken.text
        return [Trouble("warn", _("{where} does not speak HTTP: {said}", where=where, said=said), (_HOW,))]
    found = [_of_page(talk, talks, status, phrase), named(talk, talks.name) if spoken.der else None]
    return [one for one in found if one]


def _of_page(talk: Talk, talks: Talks, status: int, phrase: str) -> Trouble | None:
    words = _("{where} answers {status}{phrase}", where=talk.where, status=status, phrase=phrase)
    inside = talks.of(talk.binding.port.id)
    place = next((one.where for one in inside), "")
    remedies = (_("Let it lead to mailcow at {place}.", place=place), _HOW)
    if status >= 500:
        return Trouble(
            "warn", _("{words}: the reverse proxy does not come to mailcow", words=words), remedies
        )
    own = [status_of(one)[0] for one in inside]
    # Who asks for a password may lead to mailcow behind it.
    if status in (404, 421) or (400 <= status != _LOG_IN and status not in own):
        return Trouble("warn", _("{words}: mailcow's pages are not there", words=words), remedies)
    away = _leads_to(talk)
    if away and away not in (talks.name.lower(), *map(_leads_to, inside)):
        return Trouble(
            "warn",
            _("{where} leads on to {host}, and not to mailcow", where=talk.where, host=away),
            remedies,
        )
    ours = [_title(one) for one in inside]
    if ours[:1] not in ([], [""], [_title(talk)]) and status == _PAGE:
        said = _title(talk) or _("no title")
        words = _("{where} shows another page than mailcow: {title}", where=talk.where, title=said)
        return Trouble("warn", words, remedies)
    return None


def _leads_to(talk: Talk) -> str:
    """The name that visitors are led on to; empty where none is named."""
    head = talk.spoken.replies[0].partition("\n\n")[0] if talk.spoken.replies else ""
    found = _LOCATION.search(head) if 300 <= status_of(talk)[0] < 400 else None
    return found[1].lower() if found else ""


def _title(talk: Talk) -> str:
    """What a page calls itself; empty where it does not, or there is none."""
    found = _TITLE.search(talk.spoken.replies[0]) if talk.spoken.replies else None
    return " ".join(found[1].split())[:_SHOWN] if found and status_of(talk)[0] == _PAGE else ""


def _said(talk: Talk) -> str:
    return talk.spoken.replies[0].partition("\n")[0][:_SHOWN] if talk.spoken.replies else ""


def _evidence(talk: Talk) -> Evidence:
    scheme = "https" if talk.asked.tls else "http"
    host = f"[{talk.asked.address}]" if ":" in talk.asked.address else talk.asked.address
    what = f"curl -skI --connect-to ::{host}: {scheme}://{talk.asked.name}:{talk.asked.port}/"
    return Evidence(what, _said(talk) or talk.spoken.text)
