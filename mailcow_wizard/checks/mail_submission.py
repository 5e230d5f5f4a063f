"""What a port for users' mail may not do: serve who has not logged in, or let log in without TLS."""

from __future__ import annotations

import re

from mailcow_wizard.checks.mail_web import LOGS
from mailcow_wizard.checks.troubles import Trouble
from mailcow_wizard.facts.mail.talks import PROTOCOLS, SUBMISSION, Talk
from mailcow_wizard.language import _

_SHOWN = 120
# postfix says 454 Relay access denied, too, where it refuses for good.
_FOR_GOOD = re.compile("denied|authenticat", re.IGNORECASE)


def is_submission(talk: Talk) -> bool:
    """Whether it is a port at which users hand in their mail."""
    return talk.binding.port.id in SUBMISSION


def offers(talk: Talk) -> str:
    """What the server says that it can do, before TLS."""
    protocol = PROTOCOLS[talk.binding.port.id][0]
    line = {"smtp": "EHLO", "imap": "CAPABILITY", "pop3": "CAPA"}.get(protocol)
    return talk.reply(line, last=False) if line else talk.spoken.greeting


def submission(talk: Talk) -> list[Trouble]:
    """Who has not logged in may send nothing to others, and nobody is led to log in without TLS."""
    found = []
    reply = talk.reply("RCPT")
    if reply.startswith("2"):
        found.append(
            Trouble(
                "fail",
                _(
                    "{where} takes mail to strangers from who has not logged in: {reply}",
                    where=talk.where,
                    reply=reply[:_SHOWN],
                ),
                (
                    _(
                        "Find out why postfix trusts this sender: `docker compose exec "
                        "postfix-mailcow postconf mynetworks smtpd_client_restrictions`, and "
                        "data/conf/postfix/extra.cf. See mail.relay."
                    ),
                ),
                why=_("Anybody could send in your name; the server ends on blocklists within hours."),
                severity="breaks",
            )
        )
    elif not reply:
        found.append(
            Trouble(
                "unknown",
                _(
                    "whether {where} refuses strangers could not be asked: {text}",
                    where=talk.where,
                    text=talk.spoken.text,
                ),
            )
        )
    elif reply.startswith("4") and not _FOR_GOOD.search(reply):
        found.append(
            Trouble(
                "unknown",
                _(
                    "whether {where} refuses strangers for good is not known: {reply}",
                    where=talk.where,
                    reply=reply[:_SHOWN],
                ),
                (LOGS.format(talk.binding.port.container),),
            )
        )
    if talk.binding.port.id == "ports.submission" and re.search(r"(?m)^250[ -]AUTH\b", offers(talk)):
        found.append(
            Trouble(
                "warn",
                _("{where} lets programs log in without encryption", where=talk.where),
                (_("Remove smtpd_tls_auth_only=no from data/conf/postfix/extra.cf."),),
            )
        )
    return found
