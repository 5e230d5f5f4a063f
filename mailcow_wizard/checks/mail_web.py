"""Judges of mailcow's web server at its ports, and of the name on the certificate that a port shows."""

from __future__ import annotations

import re

from mailcow_wizard.checks.troubles import Trouble
from mailcow_wizard.facts.mail.certificates import read
from mailcow_wizard.facts.mail.talks import Talk
from mailcow_wizard.language import _

LOGS = _("See what it says: `docker compose logs --tail 50 {}` in mailcow's directory.")
CERTIFICATE = _('See "Certificate" (mail.certificate).')


def web(talk: Talk) -> Trouble | None:
    """The web server answers with a page, or leads to one."""
    status, phrase = status_of(talk)
    if status < 400 or status in (401, 403):
        return None
    words = _("{where} answers {status}{phrase}", where=talk.where, status=status, phrase=phrase)
    if status >= 500:
        return Trouble(
            "fail",
            _("{words}: the web server runs, what is behind it does not", words=words),
            (LOGS.format("php-fpm-mailcow"), LOGS.format("nginx-mailcow")),
        )
    return Trouble(
        "warn", _("{words}: mailcow's pages are not there", words=words), (LOGS.format("nginx-mailcow"),)
    )


def status_of(talk: Talk) -> tuple[int, str]:
    """The status of the answer, and the phrase behind it with a space before; 0 where it is none of HTTP."""
    match = re.match(r"HTTP/1\.[01] (\d{3})([^\n]*)", talk.spoken.replies[0] if talk.spoken.replies else "")
    return (int(match[1]), match[2]) if match else (0, "")


def named(talk: Talk, name: str) -> Trouble | None:
    """The certificate is for this server; what nobody trusts at all is the certificate's own check."""
    shown = read(talk.spoken.der)
    if shown is None or shown.is_for(name) or shown.itself or shown.maker == "mailcow":
        return None
    names = ", ".join(shown.names[:3]) or shown.common or "nobody"
    return Trouble(
        "warn",
        _(
            "the certificate at {where} is for {names}, not for {name}",
            where=talk.where,
            names=names,
            name=name,
        ),
        (CERTIFICATE,),
    )
