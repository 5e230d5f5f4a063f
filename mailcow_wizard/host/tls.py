"""TLS as a client: whom this machine trusts is read once, for it takes longer than many a handshake."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

_FEW = 5


@lru_cache(maxsize=1)
def trusting() -> ssl.SSLContext:
    """Checks the certificate and the name, by this machine's own list of authorities."""
    context = ssl.create_default_context()
    # From 3.13 on Python refuses authorities of companies that curl, git and Docker take.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def knows_authorities() -> bool:
    """Whether this machine has a list of authorities: without one (ca-certificates) nobody is trusted. Single
    ones are none: Debian's ssl-cert puts its own beside them."""
    paths = ssl.get_default_verify_paths()
    try:
        if paths.cafile and os.path.getsize(paths.cafile):
            return True
        return sum(one.endswith(".0") for one in os.listdir(paths.capath or "")) >= _FEW
    except OSError:
        return False


def indifferent() -> ssl.SSLContext:
    """Checks nothing: what is shown matters too where nobody trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
