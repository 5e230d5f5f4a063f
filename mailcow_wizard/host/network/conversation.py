"""Conversations with servers, as the door has them: what is said, and what became of it."""

from mailcow_wizard.typed import NamedTuple

NO_AUTHORITIES = "this machine has no list of authorities"
"""Why nobody's certificate is trusted where that is so."""
UNKNOWN_CHAIN = (
    "unable to get local issuer certificate",
    "unable to get issuer certificate",
    "unable to verify the first certificate",
    "self-signed certificate in certificate chain",
    "self signed certificate in certificate chain",
)
"""OpenSSL's words where a chain ends with nobody who is on the list."""
NO_TLS = "no TLS: "
"""What the text of one that failed begins with where the connection opened, and TLS did not come about."""


class Dialogue(NamedTuple):
    """A conversation with a server, up to its end.

    `protocol` is smtp, imap, pop3, sieve, http, redis, doveadm, or `greeting` for one that only greets;
    `proxied http` is for a web server that hears proxies alone: who asks is said before all else, before TLS
    too (the PROXY line of HAProxy's protocol).
    `tls` from the first byte; `name` is the server that is asked for then. `lines` are said one after the
    other, each when the last was answered, in http all at once; IMAP's tags are put before them. Behind
    STARTTLS (STLS) that is granted all goes on over TLS. Nothing secret may be said: it is recorded.
    """

    protocol: str
    address: str
    port: int
    name: str = ""
    tls: bool = False
    lines: tuple[str, ...] = ()


class Spoken(NamedTuple):
    """What became of a conversation.

    `outcome` is open (it came to its end), silent, refused, reset (ended before its end), no route or failed;
    `text` says more. `greeting` and `replies`, one for each line that was answered, have lines of their own.
    `tls` is the version of TLS that was spoken at the end, empty where none was; `der` the certificate, and
    `trouble` why a client would not trust it. `own` is this machine's end: address and port.
    """

    outcome: str
    greeting: str = ""
    replies: tuple[str, ...] = ()
    tls: str = ""
    der: bytes = b""
    trouble: str = ""
    own: str = ""
    text: str = ""


class Trip(NamedTuple):
    """A test message on its way: how it is handed in, and where it is looked for.

    It is handed in at `smtp` (address, port, TLS from the first byte: 465, else none: 25) and looked for by
    IMAP over TLS at `imap` (address or name, port) in the mailbox `to`. `login` says who logs in to hand it
    in (empty: nobody does). `secret` and `imap_secret` are the names of environment variables that hold the
    passwords, or with `_FILE` behind them the names of the files, or a file's own path, which begins with a
    slash: no password is ever part of this.
    `trusting` that the IMAP server's certificate has to be trusted.
    """

    smtp: tuple[str, ...]
    sender: str
    to: str
    imap: tuple[str, ...]
    imap_secret: str
    login: str = ""
    secret: str = ""
    trusting: bool = False


class Tripped(NamedTuple):
    """How far it came: `stage` is connect, login, send, imap-login, arrive or done; `text` is what was said
    where it ended, `folder` where it was found after `seconds`, `headers` what others wrote on it."""

    stage: str
    text: str = ""
    folder: str = ""
    seconds: float = 0.0
    headers: tuple[str, ...] = ()
