"""DKIM keys as they are published (RFC 6376, 3.6.1): their strings joined, their public key measured."""

from __future__ import annotations

import base64
import binascii

from mailcow_wizard.facts.dns.der import inside
from mailcow_wizard.facts.dns.domain_records import domains
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.signing import SigningKey
from mailcow_wizard.facts.dns.tags import tags
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

# RFC 8301, 3.2: shorter keys are not to be trusted.
LEAST_BITS = 1024
# RFC 8301, 3.2; and what mailcow makes.
ADVISED_BITS = 2048
_KINDS = ("rsa", "ed25519")
_ED25519_BITS = 256


class Dkim(NamedTuple):
    """A domain, the key record at mailcow's selector, and the key that mailcow has."""

    domain: str
    seen: Seen
    key: SigningKey


class Key(NamedTuple):
    """A published key: its kind, its length in bits (0: none), its flags; `trouble` says why it is none."""

    kind: str
    bits: int
    flags: tuple[str, ...] = ()
    trouble: str = ""


def dkim(facts: Facts) -> tuple[Dkim, ...]:
    """Each domain's key record. Raises HostError."""
    return tuple(
        Dkim(one.domain, one.at(f"{one.key.selector}._domainkey", "TXT"), one.key)
        for one in facts.get(domains).records
    )


def key_of(text: str) -> Key:
    """The key in a record, read as strictly as verifiers do (3.2): its tags are told apart by their case."""
    rows = [(name.strip(), equals, value.strip()) for name, equals, value in _parts(text)]
    known = {name: value for name, _unused, value in rows}
    kind = known.get("k", "rsa")
    flags = tuple(one.strip().lower() for one in known.get("t", "").split(":") if one.strip())
    if "v" in known and known["v"] != "DKIM1":
        return Key(kind, 0, flags, _("v={known} is not DKIM1", known=known["v"][:20]))
    other = _unread(rows) or _other_use(known)
    if other:
        return Key(kind, 0, flags, other)
    if "p" not in known:
        return Key(kind, 0, flags, _("it holds no key (p= is missing)"))
    if not known["p"]:
        return Key(kind, 0, flags, _("the key is withdrawn (p= is empty)"))
    try:
        data = base64.b64decode("".join(known["p"].split()), validate=True)
    except (binascii.Error, ValueError):
        return Key(kind, 0, flags, _("the key is not whole: its text is no base64"))
    bits = len(data) * 8 if kind == "ed25519" else _rsa_bits(data)
    whole = bits == _ED25519_BITS if kind == "ed25519" else bits > 0
    return Key(kind, bits if whole else 0, flags, "" if whole else _("the key is not whole"))


def _parts(text: str) -> list[tuple[str, str, str]]:
    """The tags of a record, of which the last may be followed by a semicolon."""
    parts = text.split(";")
    return [one.partition("=") for one in (parts if parts[-1].strip() else parts[:-1])]


def _unread(rows: list[tuple[str, str, str]]) -> str:
    """Why verifiers cannot read a list of tags; empty where they can."""
    names = [name for name, _unused, _unused in rows]
    for place, (name, equals, _unused) in enumerate(rows):
        if not name or not equals:
            return _("'{name}' between two semicolons is no tag", name=name[:40])
        if name in names[:place]:
            return _("{name}= stands there twice", name=name[:40])
    return _("v= must come first") if "v" in names[1:] else ""


def _other_use(known: dict[str, str]) -> str:
    """Why a key is none for the mail that mailcow signs, by rsa-sha256; empty where it is (3.6.1)."""
    if known.get("k", "rsa") not in _KINDS:
        return _("k={kind} is no kind of key that receivers know", kind=known["k"][:20])
    if "sha256" not in _listed(known.get("h", "sha256")):
        return _("h={hashes} leaves out sha256, by which mailcow signs", hashes=known["h"][:40])
    if not {"*", "email"} & {one.strip() for one in known.get("s", "*").split(":")}:
        return _("s={services} says that it is not for mail", services=known["s"][:40])
    return ""


def _listed(value: str) -> list[str]:
    return [one.strip().lower() for one in value.split(":")]


def trouble(text: str) -> str:
    """Why a record is no key that receivers use; empty where it is one."""
    key = key_of(text)
    if not key.trouble and key.kind == "rsa" and key.bits < LEAST_BITS:
        return _("{bits} bits are too short", bits=key.bits)
    return key.trouble


def shortcoming(text: str, ours: SigningKey) -> str:
    """What is not as it could be about a record that receivers use, in a few words; empty where nothing is.
    `ours` is what mailcow signs with."""
    key = key_of(text)
    if ours.runs and not ours.public:
        return _("mailcow has no key, and does not sign")
    if key.kind != "rsa" and not ours.public:
        return _("{kind}: mailcow makes no such key, and will sign with another", kind=key.kind)
    if "y" in key.flags:
        return _("marked as a test (t=y): receivers ignore it")
    if key.kind == "rsa" and key.bits < ADVISED_BITS:
        return _("{bits} bits; {advised} are advised", bits=key.bits, advised=ADVISED_BITS)
    return ""


def usable(text: str) -> bool:
    """Whether receivers can use the key in a record."""
    return not trouble(text)


def public_key(text: str) -> str:
    """The key's own text in a record, without the spaces that may be in it."""
    return "".join(tags(text).get("p", "").split())


def is_key_record(text: str) -> bool:
    """Whether a text is a DKIM key's record, a right one or not; a wildcard answers with quite others."""
    known = tags(text)
    return known["v"].lower().startswith("dkim") if "v" in known else bool({"p", "k"} & set(known))


def _rsa_bits(data: bytes) -> int:
    """The length of the modulus in a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7); 0 where it is not whole."""
    try:
        whole, _unused = inside(data, 0, 0x30)
        _unused, after = inside(data, whole, 0x30)
        bits, _unused = inside(data, after, 0x03)
        key, _unused = inside(data, bits + 1, 0x30)
        start, end = inside(data, key, 0x02)
    except (IndexError, ValueError):
        return 0
    return int.from_bytes(data[start:end], "big").bit_length() if end <= len(data) else 0
