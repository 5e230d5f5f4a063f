"""Judge of the certificates that mailcow shows: whose they are, how long they are good, who made them, and
what mailcow's acme is doing about it."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.mail_containers import span
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.mail.acme import Acme, explained
from mailcow_wizard.facts.mail.certificates import FILE, Certificates, Group, Shown, certificates
from mailcow_wizard.facts.mail.talks import PROTOCOLS
from mailcow_wizard.host.network.conversation import NO_AUTHORITIES
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement

_DAY = 86400.0
# mailcow renews 30 days before the end; so much later it has had its tries.
_RENEWED_BY_D = 20.0
_SHOWN_LINE = 400
_ACME_LOG = "docker compose logs --tail 20 acme-mailcow"
_OWN = _(
    "Bring a certificate that clients trust: put it at data/assets/ssl/cert.pem and key.pem, or "
    "set SKIP_LETS_ENCRYPT=n and let mailcow fetch one."
)
_PROXY = _("Give the reverse proxy before mailcow a certificate for this name that clients trust.")
_NOT_ITS_OWN = Acme("", "")
"""What mailcow's acme does says nothing of a proxy's certificate."""
_SERVED = _("See mail.containers and mail.ports first: TLS is served by postfix, dovecot and nginx.")
_LOAD = _("Let them take it: `docker compose restart postfix-mailcow dovecot-mailcow nginx-mailcow`.")
_AGAIN = _("Let it try at once: `docker compose restart acme-mailcow`, then see its log: `{}`.")


def judge_certificate(found: Certificates) -> Judgement:
    """Every port shows one certificate that clients trust, for this server, for some time to come."""
    talks = found.talks
    if talks.about.skip:
        return skipped(talks.about.skip)
    acme = explained(found.lines, talks.name)
    evidence = _evidence(found, acme)
    unseen = _unseen(found)
    own = tuple(one for one in found.groups if not one.before)
    if not own:
        return _none(unseen, evidence)
    troubles = [one for group in own for one in _troubles(group, found, acme)]
    for group in found.groups[len(own) :]:
        found_there = _troubles(group, found, _NOT_ITS_OWN)
        troubles += [one._replace(status="warn", remedies=(_PROXY,)) for one in found_there]
    if len({one.der for one in own}) > 1:
        troubles.append(_different(own))
    if unseen:
        troubles.append(unseen)
    if troubles:
        return judged(troubles, evidence, "; ".join(_words(one, found.now) for one in found.groups))
    shown = found.groups[0].shown
    left = shown.ends - found.now if shown else 0.0
    issuer = shown.issuer if shown else ""
    return Judgement(
        "pass",
        _(
            "the certificate is for {talks}, by {issuer}, and good for {span} more",
            talks=talks.name,
            issuer=issuer,
            span=span(left),
        ),
        "; ".join((*(_words(one, found.now) for one in found.groups), *_more(found, shown))),
        evidence,
    )


def _unseen(found: Certificates) -> Trouble | None:
    """Where a certificate may be shown and none was seen. A port that refuses, or has no TLS, shows none:
    mail.ports tells that."""
    places = [
        one.where
        for one in found.talks.talks
        if any(PROTOCOLS[one.binding.port.id][1:])
        and not one.spoken.der
        and one.spoken.outcome not in ("refused", "open")
        and "TLS" not in one.spoken.text
    ]
    if not places:
        return None
    more = _(" and {number} more", number=len(places) - 4) if places[4:] else ""
    words = _(
        "the certificate at {places} could not be seen, for lack of an answer",
        places=", ".join(places[:4]) + more,
    )
    return Trouble("unknown", words, (_SERVED,))


def _none(unseen: Trouble | None, evidence: tuple[Evidence, ...]) -> Judgement:
    if unseen:
        return Judgement(
            "unknown",
            _("no port answered in time to show a certificate"),
            _("none seen"),
            evidence,
            (_SERVED,),
            certainty="untested",
        )
    return Judgement("fail", _("no port shows a certificate"), _("none"), evidence, (_SERVED,))


def _troubles(group: Group, found: Certificates, acme: Acme) -> list[Trouble]:
    """What speaks against one certificate, worst first."""
    shown = group.shown
    if shown is None:
        return [Trouble("unknown", _("the certificate on {ports} is not readable", ports=_ports(group)))]
    loaded = found.file if found.file and not group.before and _is_better(found.file, shown, found) else None
    if _is_makeshift(shown):
        return [_makeshift(shown, group, found, acme, loaded)]
    name, left = found.talks.name, shown.ends - found.now
    trying = (_LOAD,) if loaded else _trying(found, acme)
    why = _newer(loaded, found) if loaded else _by(acme)
    rows = []
    if left <= 0:
        rows.append(
            Trouble(
                "fail",
                _(
                    "the certificate on {ports} ended {span} ago{by}",
                    ports=_ports(group),
                    span=span(-left),
                    by=why,
                ),
                trying,
            )
        )
    elif shown.begins > found.now:
        rows.append(
            Trouble(
                "fail",
                _(
                    "the certificate on {ports} is good only in {span}",
                    ports=_ports(group),
                    span=span(shown.begins - found.now),
                ),
                (_("See the clock first (`check time.offset`)."),),
            )
        )
    if not shown.is_for(name):
        names = ", ".join(shown.names[:4]) or shown.common or "nobody"
        words = _(
            "the certificate on {ports} is for {names}, not for {name}{by}",
            ports=_ports(group),
            names=names,
            name=name,
            by=why,
        )
        rows.append(Trouble("fail", words, trying))
    if rows:
        return rows
    if group.trouble:
        rows.append(_distrusted(group, shown, found, loaded))
    if left < min(_RENEWED_BY_D * _DAY, (shown.ends - shown.begins) / 4):
        rows.append(
            Trouble(
                "warn",
                _(
                    "the certificate on {ports} ends in {span}{by}",
                    ports=_ports(group),
                    span=span(left),
                    by=why,
                ),
                trying,
            )
        )
    return rows


def _is_better(file: Shown, shown: Shown, found: Certificates) -> bool:
    """Whether what lies on the disk would do where what is shown does not."""
    name = found.talks.name
    better = file.ends > shown.ends or not shown.is_for(name) or _is_makeshift(shown)
    fits = file.is_for(name) and file.begins <= found.now < file.ends
    return fits and better and not _is_makeshift(file)


def _is_makeshift(one: Shown) -> bool:
    return one.maker == "mailcow" or one.itself


def _newer(file: Shown, found: Certificates) -> str:
    return _(
        "; {file} holds another, good for {span} more, which was not loaded",
        file=FILE,
        span=span(file.ends - found.now),
    )


def _makeshift(shown: Shown, group: Group, found: Certificates, acme: Acme, loaded: Shown | None) -> Trouble:
    """mailcow's own stand-in, or one that signed itself: nobody trusts it."""
    what = _("mailcow's stand-in") if shown.maker == "mailcow" else _("one that signed itself")
    words = _("the certificate on {ports} is {what}, which no client trusts", ports=_ports(group), what=what)
    if group.before:
        return Trouble("fail", words)
    if loaded:
        return Trouble("fail", f"{words}{_newer(loaded, found)}", (_LOAD,))
    if _skips(found):
        return Trouble("fail", f"{words}; SKIP_LETS_ENCRYPT=y", (_OWN,))
    if found.acme == "running" and acme.state == "working":
        return Trouble(
            "warn",
            _("{words}; mailcow's acme is fetching another: {acme}", words=words, acme=acme.words),
            (*acme.remedies, _("Look again in some minutes; its log: `{command}`.", command=_ACME_LOG)),
        )
    return Trouble("fail", f"{words}{_by(acme)}{_not_running(found)}", _trying(found, acme))


def _distrusted(group: Group, shown: Shown, found: Certificates, loaded: Shown | None) -> Trouble:
    if group.trouble == NO_AUTHORITIES:
        words = _(
            "whether clients trust the certificate on {ports}, by {issuer}, is not known: this machine has "
            "no list of authorities",
            ports=_ports(group),
            issuer=shown.issuer,
        )
        return Trouble("unknown", words, (_("Install it: the package is called ca-certificates."),))
    said = group.trouble[:1].lower() + group.trouble[1:]
    words = _(
        "clients would not trust the certificate on {ports}, by {issuer}: {said}",
        ports=_ports(group),
        issuer=shown.issuer,
        said=said,
    )
    if loaded:
        words = f"{words}{_newer(loaded, found)}"
        return Trouble("warn" if _skips(found) else "fail", words, (_LOAD,))
    if _skips(found):
        # An authority of one's own may be known to one's own clients.
        return Trouble(
            "warn",
            words,
            (_("If {issuer} is no authority of your own: {own}", issuer=shown.issuer, own=_OWN),),
        )
    return Trouble(
        "fail", words, (_("Serve the whole chain: cert.pem holds the certificate and those above it."), _OWN)
    )


def _different(groups: tuple[Group, ...]) -> Trouble:
    parts = _(" and ").join(_("one on {ports}", ports=_ports(one)) for one in groups[:3])
    return Trouble(
        "warn",
        _("the ports show different certificates, {parts}", parts=parts),
        (_("Let all take it: `docker compose restart postfix-mailcow dovecot-mailcow nginx-mailcow`."),),
    )


def _skips(found: Certificates) -> bool:
    return found.talks.conf.yes("SKIP_LETS_ENCRYPT")


def _by(acme: Acme) -> str:
    return _("; mailcow's acme: {words}", words=acme.words) if acme.words and acme.state != "done" else ""


def _not_running(found: Certificates) -> str:
    if found.acme == "running" or not found.talks.about.boxes:
        return ""
    return (
        _("; mailcow's acme is {acme}", acme=found.acme)
        if found.acme
        else _("; mailcow's acme has no container")
    )


def _trying(found: Certificates, acme: Acme) -> tuple[str, ...]:
    if _skips(found):
        return (_OWN,)
    return (*acme.remedies, _AGAIN.format(_ACME_LOG))


def _ports(group: Group) -> str:
    if len(group.ports) > 4:
        return _("{number} ports", number=len(group.ports))
    return ngettext("port {ports}", "ports {ports}", len(group.ports), ports=", ".join(group.ports))


def _words(group: Group, now: float) -> str:
    shown = group.shown
    if shown is None:
        return _("port {ports}: not readable", ports=", ".join(group.ports))
    names = ", ".join(shown.names[:6]) or _("{name} (old style)", name=shown.common or _("nobody"))
    left = shown.ends - now
    until = (
        _("good for {span} more", span=span(left)) if left > 0 else _("ended {span} ago", span=span(-left))
    )
    return _(
        "port {ports}: for {names}, by {issuer}, {until}",
        ports=", ".join(group.ports),
        names=names,
        issuer=shown.issuer or _("nobody"),
        until=until,
    )


def _more(found: Certificates, shown: Shown | None) -> tuple[str, ...]:
    """Names that mailcow would like in it too; where their records are missing it leaves them out."""
    name = found.talks.name
    domain = name.partition(".")[2]
    wanted = [f"{one}.{domain}" for one in ("autodiscover", "autoconfig")] if "." in domain else []
    lacking = [one for one in wanted if shown and not shown.is_for(one)]
    return (_("not for {lacking}", lacking=_(" and ").join(lacking)),) if lacking else ()


def _evidence(found: Certificates, acme: Acme) -> tuple[Evidence, ...]:
    rows = []
    for group in found.groups[:3]:
        every = (*found.talks.talks, *found.talks.fronts)
        talk = next(one for one in every if str(one.asked.port) == group.ports[0])
        start = "" if talk.asked.tls else f" -starttls {talk.asked.protocol}"
        what = f"openssl s_client -connect {talk.where} -servername {talk.asked.name}{start}"
        rows.append(Evidence(what, _words(group, found.now)))
    if acme.line or found.lines:
        rows.append(Evidence(_ACME_LOG, (acme.line or found.lines[-1])[:_SHOWN_LINE]))
    return tuple(rows)


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.certificate",
        title=_("Certificate"),
        needed=_("one certificate on all ports, trusted by clients, for the server's name, good for weeks"),
        why=_(
            "Mail programs refuse to log in where the certificate is not right; other servers "
            "fall back to no encryption, or do not deliver."
        ),
        doc=need.DOC_TLS,
        severity="breaks",
        source=certificates,
        judge=judge_certificate,
        deadline=24.0,
    ),
)
