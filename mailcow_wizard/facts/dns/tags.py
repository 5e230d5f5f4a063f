"""Records made of tags, `v=DMARC1; p=reject`: DMARC (RFC 7489, 6.4), DKIM (RFC 6376, 3.2), MTA-STS."""

from __future__ import annotations


def tags(text: str, folded: bool = True) -> dict[str, str]:
    """The tags of a record, names in lower case (or as they stand there), in their order; what is no tag has
    an empty value."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip().lower() if folded else name.strip()
        if name and name not in found:
            found[name] = value.strip() if equals else ""
    return found


def repeated(text: str) -> tuple[str, ...]:
    """The names of tags that stand in a record more than once, which makes it invalid (RFC 6376, 3.2)."""
    names = [part.partition("=")[0].strip().lower() for part in text.split(";")]
    return tuple(dict.fromkeys(one for place, one in enumerate(names) if one and one in names[:place]))


def is_version(text: str, version: str) -> bool:
    """Whether a TXT record is one of DMARC, say: it begins with `v=VERSION`, in these very letters (RFC 7489,
    6.3 and 6.6.3); what does not is ignored by receivers."""
    name, equals, value = text.partition(";")[0].partition("=")
    return bool(equals) and name.rstrip() in ("v", "V") and value.strip() == version
