"""The first mailbox for a face: its plan, the file of its password, what is to be published then."""

from __future__ import annotations

from contextlib import suppress

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.dns.signing import signing_keys
from mailcow_wizard.fixes import first_mailbox
from mailcow_wizard.host.door import HostError
from mailcow_wizard.model import Plan


def password_file(session: Session) -> str:
    """Where the new password lies until it was shown."""
    return f"{session.state.path.rstrip('/')}/first-mailbox-password"


def planned(session: Session, mailbox: str, file: str = "") -> Plan:
    """The plan; the password stays in `file` where one is named. The check that runs again then uses the
    mailbox. Raises HostError, NoPlan."""
    place = file or password_file(session)
    plan = first_mailbox.plan(session.new_facts(), mailbox, place, bool(file))
    session.settings = session.settings._replace(mailbox=mailbox, mailbox_password=place)
    return plan


def made(session: Session, mailbox: str) -> str:
    """The mailbox is there: its domain is one of those whose records are looked after. The record of its DKIM
    key, as a line of a zone; empty where it is not known."""
    domain = mailbox.partition("@")[2]
    session.settings = session.settings._replace(mailbox="", mailbox_password="")
    known = session.settings.domains
    if domain not in known:
        with suppress(HostError):
            session.keep(session.answers._replace(domains=(*known, domain)), named=False)
        session.settings = session.settings._replace(domains=(*known, domain))
    try:
        key = session.new_facts().get(signing_keys).get(domain)
    except HostError:
        return ""
    return f'{key.selector}._domainkey.{domain}. TXT "{key.record}"' if key and key.record else ""
