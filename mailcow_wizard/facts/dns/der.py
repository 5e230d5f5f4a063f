"""DER, as far as public keys and certificates need it (ITU-T X.690): tag, length, content. Pure."""

from __future__ import annotations

_SEQUENCE, _VERSION = 0x30, 0xA0


def inside(data: bytes, place: int, tag: int) -> tuple[int, int]:
    """Where the content of an element begins and ends. Raises ValueError, IndexError where it is another."""
    if data[place] != tag:
        raise ValueError(place)
    return bounds(data, place)


def bounds(data: bytes, place: int) -> tuple[int, int]:
    """Where the content of whatever element stands here begins and ends. Raises ValueError, IndexError."""
    length, start = data[place + 1], place + 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + length > len(data):
        raise ValueError(place)
    return start, start + length


def public_key(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, whole (RFC 5280, 4.1). Raises ValueError, IndexError."""
    place, _ = inside(certificate, 0, _SEQUENCE)
    place, _ = inside(certificate, place, _SEQUENCE)
    # Serial number, signature, issuer, validity and subject come first, and before them a version.
    for _ in range(6 if certificate[place] == _VERSION else 5):
        _, place = bounds(certificate, place)
    _, end = inside(certificate, place, _SEQUENCE)
    return certificate[place:end]
