"""What CAA records let Let's Encrypt do: by the standard (RFC 8659), and by mailcow's own test. Pure."""

from __future__ import annotations

from mailcow_wizard.language import _
from mailcow_wizard.numerals import whole

ISSUER = "letsencrypt.org"
# Tags that an authority knows (RFC 8659, 8657, 9495): an unknown one that is critical forbids to issue.
_KNOWN_TAGS = {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}
_CRITICAL = 128


def forbids(values: tuple[str, ...], wild: bool = False) -> str:
    """Why these CAA records keep Let's Encrypt out; empty where they do not. `wild`: for a wildcard."""
    rows = [_parts(one) for one in values]
    strange = [tag for flags, tag, _unused in rows if flags & _CRITICAL and tag not in _KNOWN_TAGS]
    if strange:
        return _("the critical tag {strange} is known to no authority", strange=strange[0])
    tag = "issuewild" if wild and any(row[1] == "issuewild" for row in rows) else "issue"
    issuers = [value.partition(";")[0].strip().lower() for _flags, name, value in rows if name == tag]
    if not issuers or ISSUER in issuers:
        return ""
    allowed = ", ".join(one for one in issuers if one)
    return _("only {allowed} may", allowed=allowed) if allowed else _("nobody may")


def mailcow_forbids(values: tuple[str, ...]) -> bool:
    """Whether mailcow leaves a name out because of the CAA records of the name above it: it wants its
    authority's name somewhere in one that is about issuing, and looks nowhere else."""
    issuers = [value for _flags, tag, value in map(_parts, values) if tag == "issue"]
    return bool(issuers) and not any(ISSUER in one for one in issuers)


def _parts(value: str) -> tuple[int, str, str]:
    flags, _unused, rest = value.partition(" ")
    tag, _unused, text = rest.partition(" ")
    return whole(flags), tag.lower(), text.strip('"')
