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
    """Checks the certificate and the name, by this machine's own list of authorities. What the environment
    names (SSL_CERT_FILE) is no part of it: neither Docker nor git asks a shell whom to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As curl and Docker do: who is on the list is trusted, whoever vouches for them.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    built = ssl.get_default_verify_paths()
    for one in (
        {"cafile": built.openssl_cafile},
        {"capath": built.openssl_capath},
        {"cafile": "" if _is_listed() else _own_list()},
    ):
        with contextlib.suppress(OSError):  # it is not there; what is no list trusts nobody more
            context.load_verify_locations(**one)
    return context


def knows_authorities() -> bool:
    """Whether this machine has a list of authorities: without one (ca-certificates) nobody is trusted."""
    return _is_listed() or bool(_own_list() and trusting().get_ca_certs())


def _is_listed() -> bool:
    """Whether OpenSSL finds a list. Single ones are none: Debian's ssl-cert puts its own beside them."""
    built = ssl.get_default_verify_paths()
    try:
        if os.path.exists(built.openssl_cafile) and os.path.getsize(built.openssl_cafile):
            return True
        return sum(one.endswith(".0") for one in os.listdir(built.openssl_capath)) >= _FEW
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
