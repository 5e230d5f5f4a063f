"""Sends a test message and looks for it where it should arrive. Passwords are read here and go no further."""

from __future__ import annotations

import base64
import contextlib
import email.message
import email.policy
import email.utils
import imaplib
import os
import re
import secrets
import smtplib
import ssl
import stat
import time
from collections.abc import Callable, Iterator

from mailcow_wizard.host.network.conversation import Trip, Tripped
from mailcow_wizard.host.network.tls import indifferent, trusting
from mailcow_wizard.host.processes.in_time import why

_FILE = "_FILE"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 4096
_REFUSED = 400
_LOOK_EVERY_S = 1.0
_FOLDERS = ("INBOX", "Junk", "Spam", "INBOX.Junk", "INBOX.Spam", "Junk-E-Mail", "[Gmail]/Spam")
_WRITTEN_ON_IT = ("received", "authentication-results")
_MOST_HEADERS = 100
_LONGEST_HEADER = 4000
_QUEUED = "the test message of mailcow-wizard; it may be deleted"


class _Stopped(Exception):
    """It went no further; the stage, and what was said."""

    def __init__(self, stage: str, text: str) -> None:
        super().__init__(text)
        self.stage = stage


def send_and_find(trip: Trip, timeout: float) -> Tripped:
    """Hands the message in, then looks for it until `timeout` seconds are over."""
    end = time.monotonic() + timeout
    token = secrets.token_hex(8)
    begun = time.monotonic()
    try:
        password = _password(trip.imap_secret, "imap-login")
        taken = _hand_in(trip, token, min(20.0, timeout))
        with _mailbox(trip, password, min(15.0, timeout)) as box:
            while True:
                for folder in _FOLDERS:
                    headers = _found(box, folder, token)
                    if headers is not None:
                        return Tripped("done", "", folder, time.monotonic() - begun, headers)
                if time.monotonic() + _LOOK_EVERY_S > end:
                    waited = time.monotonic() - begun
                    return Tripped("arrive", _never_there(waited, taken), seconds=waited)
                time.sleep(_LOOK_EVERY_S)
    except _Stopped as stopped:
        return Tripped(stopped.stage, str(stopped), seconds=time.monotonic() - begun)
    except (OSError, imaplib.IMAP4.error, ValueError) as error:
        return Tripped("arrive", why(error), seconds=time.monotonic() - begun)


def _never_there(waited: float, taken: str) -> str:
    return f"it was not there after {waited:.0f} s ({taken})"


def _password(name: str, stage: str) -> str:
    """The password that an environment variable holds, or the file that it names, or this file."""
    said = name if name.startswith("/") else os.environ.get(name, "")
    if said and (said is name or name.endswith(_FILE)):
        try:
            # Not blocking: a FIFO would wait for a writer for ever.
            descriptor = os.open(said, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with open(descriptor, encoding="utf-8") as file:
                if os.fstat(descriptor).st_mode & _OTHERS:
                    raise _Stopped(stage, f"others may read the file that {name} names: chmod 600")
                said = file.read(_MOST_BYTES).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise _Stopped(stage, f"the file that {name} names could not be read: {why(error)}") from None
    if not said:
        raise _Stopped(stage, f"{name} holds no password")
    return said


def _hand_in(trip: Trip, token: str, timeout: float) -> str:
    """What the server said when it took the message."""
    message = email.message.EmailMessage()
    domain = trip.sender.rpartition("@")[2]
    message["From"] = trip.sender
    message["To"] = trip.to
    message["Subject"] = f"mailcow-wizard test {token}"
    message["Date"] = email.utils.formatdate(localtime=False)
    message["Message-ID"] = f"<{token}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"This is {_QUEUED}.\n")
    address, port, tls = trip.smtp
    stage = "connect"
    try:
        link: smtplib.SMTP
        if tls:
            link = smtplib.SMTP_SSL(address, int(port), domain, timeout=timeout, context=indifferent())
        else:
            link = smtplib.SMTP(address, int(port), domain, timeout=timeout)
        with link:
            stage = "login"
            if trip.login:
                _log_in(link, trip.login, _password(trip.secret, stage))
            stage = "send"
            return _given(link, trip, message.as_bytes(policy=email.policy.SMTP))
    except smtplib.SMTPResponseException as error:
        raise _Stopped(stage, f"{error.smtp_code} {_text(error.smtp_error)}") from None
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise _Stopped(stage, why(error)) from None


def _log_in(link: smtplib.SMTP, user: str, password: str) -> None:
    """The library knows ASCII alone."""
    if password.isascii():
        link.login(user, password)
        return
    link.ehlo_or_helo_if_needed()
    code, said = link.docmd("AUTH", f"PLAIN {base64.b64encode(_plain(user, password)).decode()}")
    if code >= _REFUSED:
        raise smtplib.SMTPAuthenticationError(code, said)


def _plain(user: str, password: str) -> bytes:
    """Who logs in, in the words of PLAIN (RFC 4616)."""
    return f"\0{user}\0{password}".encode()


def _given(link: smtplib.SMTP, trip: Trip, message: bytes) -> str:
    link.ehlo_or_helo_if_needed()
    steps: tuple[Callable[[], tuple[int, bytes]], ...] = (
        lambda: link.mail(trip.sender),
        lambda: link.rcpt(trip.to),
        lambda: link.data(message),
    )
    code, said = 0, b""
    for step in steps:
        code, said = step()
        if code >= _REFUSED:
            raise _Stopped("send", f"{code} {_text(said)}")
    return f"{code} {_text(said)}"


def _text(said: bytes | str) -> str:
    return " ".join((said.decode("utf-8", "replace") if isinstance(said, bytes) else said).split())[:200]


@contextlib.contextmanager
def _mailbox(trip: Trip, password: str, timeout: float) -> Iterator[imaplib.IMAP4_SSL]:
    """The mailbox, logged in to over TLS."""
    address, port = trip.imap
    context = trusting() if trip.trusting else indifferent()
    try:
        box = imaplib.IMAP4_SSL(address, int(port), ssl_context=context, timeout=timeout)
    except (OSError, imaplib.IMAP4.error) as error:
        raise _Stopped("imap-connect", why(error)) from None
    try:
        try:
            if password.isascii():
                box.login(trip.to, password)
            else:
                box.authenticate("PLAIN", lambda _: _plain(trip.to, password))
        except (imaplib.IMAP4.error, OSError) as error:
            said = error.args[0] if error.args else ""
            words = _text(said) if isinstance(said, bytes) else _text(str(error))
            # The library may quote the line that it sent.
            raise _Stopped("imap-login", words.replace(password, "…")) from None
        yield box
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def _found(box: imaplib.IMAP4, folder: str, token: str) -> tuple[str, ...] | None:
    """What is written on the message, which is then deleted; None where it is not in this folder."""
    try:
        if box.select(f'"{folder}"')[0] != "OK":
            return None
        kind, listed = box.search(None, "HEADER", "Subject", f'"{token}"')
    except (TimeoutError, imaplib.IMAP4.error, ssl.SSLError):
        return None
    numbers = listed[0].split() if kind == "OK" and listed and listed[0] else []
    if not numbers:
        return None
    _, fetched = box.fetch(numbers[-1], "(BODY.PEEK[HEADER])")
    raw = next((one[1] for one in fetched if isinstance(one, tuple)), b"")
    for number in numbers:
        box.store(number, "+FLAGS", "\\Deleted")
    box.expunge()
    return tuple(_headers(raw.decode("utf-8", "replace")))


def _headers(raw: str) -> list[str]:
    """What servers wrote on the way, the last one first. Only a line feed ends a line: others that Unicode
    has could make headers of what is in one."""
    lines = (line.strip() for line in re.sub(r"\r?\n[ \t]+", " ", raw).split("\n"))
    told = [line for line in lines if line.partition(":")[0].strip().lower() in _WRITTEN_ON_IT]
    # One that is cut would say something else.
    return [line for line in told[:_MOST_HEADERS] if len(line) <= _LONGEST_HEADER]
