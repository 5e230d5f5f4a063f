"""The first mailbox for a face: its plan, the file of its password, what is to be published then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.dns.signing import signing_keys
from mailcow_wizard.fixes import first_mailbox
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Plan


def password_file(session: Session) -> str:
    """Where the new password lies until it was shown."""
    return f"{session.state.path.rstrip('/')}/first-mailbox-password"


def planned(session: Session, mailbox: str, file: str = "") -> Plan:
    """The plan; the password stays in `file` where one is named. Raises HostError, NoPlan."""
    return first_mailbox.plan(session.new_facts(), mailbox, file or password_file(session), bool(file))


@contextmanager
def tried(session: Session, mailbox: str, file: str = "") -> Iterator[None]:
    """What is made meanwhile is tried: the check that runs again sends a message to the mailbox."""
    before = session.settings
    session.settings = before._replace(mailbox=mailbox, mailbox_password=file or password_file(session))
    try:
        yield
    finally:
        session.settings = before


def made(session: Session, mailbox: str) -> str:
    """The mailbox is there: its domain is one of those whose records are looked after. The record of its DKIM
    key, as a line of a zone; empty where it is not known."""
    domain = mailbox.partition("@")[2]
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
