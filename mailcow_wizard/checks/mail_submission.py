"""What a port for users may not do: serve who has not logged in, let log in without TLS, or let nobody in."""

from __future__ import annotations

import re

from mailcow_wizard.checks.mail_web import LOGS
from mailcow_wizard.checks.troubles import Trouble
from mailcow_wizard.facts.bindings import LOOPBACK_V4
from mailcow_wizard.facts.mail.talks import PROTOCOLS, SUBMISSION, Talk
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

_SHOWN = 120
# postfix says 454 Relay access denied, too, where it refuses for good.
_FOR_GOOD = pattern("denied|authenticat", re.IGNORECASE)
# The recipient is not looked at where the sender was refused.
_NOT_LOOKED_AT = pattern(r"503\b")
# What offers a log-in, in the answer that lists what a server can do.
_LOG_IN = {
    "smtp": r"(?m)^250[ -]AUTH[ =]\S",
    "imap": r"(?i)\bAUTH=|^(?!.*\bLOGINDISABLED\b)",
    "pop3": r"(?im)^(?:USER|SASL \S.*)$",
    "sieve": r'(?im)^"SASL" "\s*\w',
}
_SETTINGS = {"postfix-mailcow": "postfix/extra.cf", "dovecot-mailcow": "dovecot/extra.conf"}
_LISTS = {"smtp": "EHLO", "imap": "CAPABILITY", "pop3": "CAPA", "sieve": "STARTTLS"}
# Only such an answer lists anything.
_LISTED = {"smtp": r"250", "imap": r"(?s).*^a\d+ OK\b", "pop3": r"\+OK", "sieve": r"(?s).*\n"}


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
    elif _NOT_LOOKED_AT.match(reply) and not _FOR_GOOD.search(talk.reply("MAIL")):
        found.append(
            Trouble(
                "unknown",
                _(
                    "whether {where} refuses strangers for good is not known: {reply}",
                    where=talk.where,
                    reply=talk.reply("MAIL")[:_SHOWN],
                ),
                (LOGS.format(talk.binding.port.container),),
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
    return found


def readable_log_in(talk: Talk) -> Trouble | None:
    """Before TLS there is no way to log in. From its own address dovecot lets everybody do so."""
    port = talk.binding.port
    protocol, tls, starts = PROTOCOLS[port.id]
    inside = protocol != "smtp" and talk.asked.address == LOOPBACK_V4
    if tls or not starts or port.id == "ports.smtp" or inside or not _lets_log_in(protocol, offers(talk)):
        return None
    words = _("{where} lets programs log in without encryption", where=talk.where)
    setting = "smtpd_tls_auth_only=no" if protocol == "smtp" else "disable_plaintext_auth=no"
    fix = _("Remove {setting} from data/conf/{place}.", setting=setting, place=_SETTINGS[port.container])
    return Trouble("warn", words, (fix,))


def log_in(talk: Talk) -> Trouble | None:
    """Over TLS there is a way to log in."""
    port = talk.binding.port
    protocol = PROTOCOLS[port.id][0]
    if protocol not in _LOG_IN or not talk.spoken.tls or (protocol == "smtp" and not is_submission(talk)):
        return None
    if _lets_log_in(protocol, talk.reply(_LISTS[protocol])) is not False:
        return None
    words = _("{where} offers no way to log in, even over TLS", where=talk.where)
    fix = _("See whether data/conf/{place} turns it off.", place=_SETTINGS[port.container])
    return Trouble("fail", words, (fix, LOGS.format(port.container)))


def _lets_log_in(protocol: str, said: str) -> bool | None:
    """Whether a log-in is offered; None where nothing is listed there."""
    if not re.match(_LISTED[protocol], said, re.MULTILINE):
        return None
    return bool(re.search(_LOG_IN[protocol], said, re.DOTALL))
