"""Keys that sign dynamic updates (TSIG, RFC 8945), as BIND's tools and knot's write them into files.

Understood are `key "name" { algorithm hmac-sha256; secret "…"; };` and the line `[algorithm:]name:secret`
that nsupdate and knsupdate take. The secret leaves this module only as the bytes that sign.
"""

from __future__ import annotations

import re

from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

ALGORITHMS = ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
"""The algorithms that dnspython and all name servers have, the weakest first."""

WEAK = "hmac-sha1"
"""Not recommended any more (RFC 8945, 6), and still what some servers ask for."""

_MD5 = ("hmac-md5", "hmac-md5.sig-alg.reg.int")
_OTHERWISE = "hmac-sha256"
_COMMENT = pattern(r'("[^"\n]*")|/\*.*?\*/|//[^\n]*|#[^\n]*', re.DOTALL)
_STATEMENT = pattern(r'\bkey\s+("[^"\n]+"|[^\s{};"]+)\s*\{([^{}]*)\}\s*;?', re.IGNORECASE)
_NAME = pattern(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_SHORTEST = 16
_LONGEST = 64 * 1024


class BadKey(ValueError):
    """The text holds no key that can be used; why, without a word of its secret."""


class Key(NamedTuple):
    """A key: its name as the server knows it, the algorithm, the secret's bytes."""

    name: str
    algorithm: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.name!r}, {self.algorithm!r})"


def parse(text: str) -> Key:
    """The one key of a file. Raises BadKey."""
    if len(text) > _LONGEST or "\0" in text:
        raise BadKey("it is no key file")
    # What stands in quotes is no comment: base64 may have // in it.
    bare = _COMMENT.sub(lambda one: one[1] or " ", text) if "{" in text else text
    found = _STATEMENT.findall(bare)
    if found:
        if len(found) > 1:
            raise BadKey(f"it holds {len(found)} keys, and must hold one")
        name, body = found[0]
        return _key(name.strip('"'), _said(body, "algorithm") or _OTHERWISE, _said(body, "secret"))
    lines = [one.strip() for one in text.splitlines() if one.strip() and not one.strip().startswith("#")]
    if len(lines) != 1 or ":" not in lines[0] or any(one in lines[0] for one in "{};"):
        raise BadKey('it holds neither key "name" { … }; nor a line algorithm:name:secret')
    parts = lines[0].split(":")
    if len(parts) > 3:
        raise BadKey("its line has more than algorithm:name:secret")
    *algorithm, name, secret = (one.strip() for one in parts)
    return _key(name, algorithm[0] if algorithm else _OTHERWISE, secret)


def _said(body: str, word: str) -> str:
    """The value of one of a statement's words; empty where it is not there."""
    match = re.search(rf'(?:^|[;\s]){word}\s+("[^"\n]*"|[^\s;]+)\s*;', body, re.IGNORECASE)
    return match[1].strip('"') if match else ""


def _key(name: str, algorithm: str, secret: str) -> Key:
    import base64
    import binascii

    algorithm = algorithm.lower().removesuffix(".")
    if algorithm in _MD5:
        raise BadKey(
            "its algorithm is hmac-md5, which must not be used any more (RFC 8945); make another key with "
            "tsig-keygen -a hmac-sha256"
        )
    if algorithm not in ALGORITHMS:
        raise BadKey(f"its algorithm is none of {', '.join(ALGORITHMS)}")
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise BadKey("the name of its key is none")
    try:
        data = base64.b64decode(re.sub(r"\s", "", secret), validate=True)
    except (binascii.Error, ValueError):
        raise BadKey("its secret is not base64") from None
    if not data:
        raise BadKey("it has no secret")
    return Key(name.lower().removesuffix("."), algorithm, data)


def doubts(key: Key) -> tuple[str, ...]:
    """What speaks against a key that can be used."""
    return tuple(filter(None, (_doubt_of_algorithm(key), _doubt_of_secret(key))))


def _doubt_of_algorithm(key: Key) -> str:
    if key.algorithm == WEAK:
        return "its algorithm hmac-sha1 is not recommended any more; hmac-sha256 is"
    return ""


def _doubt_of_secret(key: Key) -> str:
    if len(key.secret) < _SHORTEST:
        return f"its secret has {len(key.secret)} bytes; {_SHORTEST} are the least that is safe"
    return ""
