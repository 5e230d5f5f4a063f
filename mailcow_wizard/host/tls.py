"""TLS as a client: whom this machine trusts is read once, for it takes longer than many a handshake."""

from __future__ import annotations

import contextlib
import os
import ssl
from functools import lru_cache

_FEW = 5
LISTS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where Docker, curl and git look for the authorities, whatever this Python's OpenSSL was built for."""


@lru_cache(maxsize=1)
def trusting() -> ssl.SSLContext:
    """Checks the certificate and the name, by this machine's own list of authorities."""
    context = ssl.create_default_context()
    # From 3.13 on Python refuses authorities of companies that curl, git and Docker take.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if _is_elsewhere() or not _is_listed():
        own = _own_list()
        if own:
            with contextlib.suppress(ssl.SSLError):  # what is no list trusts nobody more
                context.load_verify_locations(own)
    return context


def knows_authorities() -> bool:
    """Whether this machine has a list of authorities: without one (ca-certificates) nobody is trusted."""
    return _is_listed() or bool(_own_list() and trusting().get_ca_certs())


def _is_elsewhere() -> bool:
    """Whether the environment names another list than what Docker and git read."""
    return any(os.environ.get(one) for one in ("SSL_CERT_FILE", "SSL_CERT_DIR"))


def _is_listed() -> bool:
    """Whether OpenSSL finds a list. Single ones are none: Debian's ssl-cert puts its own beside them."""
    paths = ssl.get_default_verify_paths()
    try:
        if paths.cafile and os.path.getsize(paths.cafile):
            return True
        return sum(one.endswith(".0") for one in os.listdir(paths.capath or "")) >= _FEW
    except OSError:
        return False


def _own_list() -> str:
    """The list of this machine that is there and not empty; empty: there is none."""
    for one in LISTS:
        with contextlib.suppress(OSError):
            if os.path.getsize(one):
                return one
    return ""


def indifferent() -> ssl.SSLContext:
    """Checks nothing: what is shown matters too where nobody trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
