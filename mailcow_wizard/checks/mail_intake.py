"""Whether postfix takes any mail at all: it asks its filter and looks for room before it hears for whom a
message is, and refuses everybody where one of them is missing."""

from __future__ import annotations

import re

from mailcow_wizard.checks.mail_web import LOGS
from mailcow_wizard.checks.troubles import Trouble
from mailcow_wizard.facts.mail.talks import Talk
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

_SHOWN = 120
# RFC 5321, 4.2.3: an error in processing, no room; another code of this kind may concern this client alone.
_BROKEN = pattern(r"45[12]\b")
_LATER = pattern(r"4\d\d\b")
# Without its filter postfix does not begin TLS; where TLS itself is broken it says 4.7.0.
_NO_TLS_NOW = pattern(r"4\d\d 4\.3\.")
_NO_ROOM = pattern(r"\b4\.3\.1\b|storage", re.IGNORECASE)
_NO_FILTER = pattern("unavailable|try again", re.IGNORECASE)


def intake(talk: Talk) -> Trouble | None:
    """A sender that is refused for now, whoever it is: no mail comes in there, or goes out."""
    mail, tls = talk.reply("MAIL"), talk.reply("STARTTLS")
    said = mail if _LATER.match(mail) else tls if _NO_TLS_NOW.match(tls) else ""
    if not said:
        return None
    words = _("{where} takes no mail now: {reply}", where=talk.where, reply=said[:_SHOWN])
    broken = _BROKEN.match(said) or said == tls
    return Trouble("fail" if broken else "unknown", words, _remedies(said))


def _remedies(said: str) -> tuple[str, ...]:
    logs = LOGS.format("postfix-mailcow")
    if _NO_ROOM.search(said):
        return (_("Free some space (`check system.disk system.inodes`), then `docker compose up -d`."), logs)
    if _NO_FILTER.search(said):
        return (
            _("Postfix takes nothing without its filter: see mail.containers, and what rspamd says."),
            LOGS.format("rspamd-mailcow"),
            logs,
        )
    return (logs,)
