"""What CAA records let Let's Encrypt do: by the standard (RFC 8659), and by mailcow's own test. Pure."""

from __future__ import annotations

from mailcow_wizard.facts.dns.tags import tags
from mailcow_wizard.language import _
from mailcow_wizard.numerals import whole

ISSUER = "letsencrypt.org"
HTTP, DNS = "http-01", "dns-01"
"""How mailcow proves a name: by a page, or by a record in DNS (RFC 8555, 8.3 and 8.4)."""
_METHODS, _ACCOUNT = "validationmethods", "accounturi"  # RFC 8657, 3 and 4
# Tags that an authority knows (RFC 8659, 8657, 9495): an unknown one that is critical forbids to issue.
_KNOWN_TAGS = {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}
_CRITICAL = 128


def forbids(values: tuple[str, ...], wild: bool = False, method: str = HTTP) -> str:
    """Why these CAA records keep Let's Encrypt out; empty where they do not. `wild`: for a wildcard; `method`
    is how mailcow proves the name."""
    rows = [_parts(one) for one in values]
    strange = [tag for flags, tag, _unused in rows if flags & _CRITICAL and tag not in _KNOWN_TAGS]
    if strange:
        return _("the critical tag {strange} is known to no authority", strange=strange[0])
    every = _issuers(rows, wild)
    own = [said for name, said in every if name == ISSUER]
    if not every or any(_permits(said, method) for said in own):
        return ""
    if own:
        named = ", ".join(dict.fromkeys(said[_METHODS] for said in own))
        return _(
            "it may prove names only by {named}, and mailcow does by {method}", named=named, method=method
        )
    allowed = ", ".join(name for name, _said in every if name)
    return _("only {allowed} may", allowed=allowed) if allowed else _("nobody may")


def of_one_account(values: tuple[str, ...], wild: bool = False, method: str = HTTP) -> bool:
    """Whether those of the records that let Let's Encrypt issue do so for certain accounts alone."""
    own = [said for name, said in _issuers([_parts(one) for one in values], wild) if name == ISSUER]
    permitted = [said for said in own if _permits(said, method)]
    return bool(permitted) and all(_ACCOUNT in said for said in permitted)


def _issuers(rows: list[tuple[int, str, str]], wild: bool) -> list[tuple[str, dict[str, str]]]:
    """Who may issue, each with the conditions that are set (RFC 8659, 4.2)."""
    tag = "issuewild" if wild and any(row[1] == "issuewild" for row in rows) else "issue"
    parts = [value.partition(";") for _flags, name, value in rows if name == tag]
    return [(issuer.strip().lower(), tags(said)) for issuer, _semicolon, said in parts]


def _permits(said: dict[str, str], method: str) -> bool:
    ways = said.get(_METHODS)
    return ways is None or method in [one.strip().lower() for one in ways.split(",")]


def mailcow_forbids(values: tuple[str, ...]) -> bool:
    """Whether mailcow leaves a name out because of the CAA records of the name above it: it wants its
    authority's name somewhere in one that is about issuing, and looks nowhere else."""
    issuers = [value for _flags, tag, value in map(_parts, values) if tag == "issue"]
    return bool(issuers) and not any(ISSUER in one for one in issuers)


def _parts(value: str) -> tuple[int, str, str]:
    flags, _unused, rest = value.partition(" ")
    tag, _unused, text = rest.partition(" ")
    return whole(flags), tag.lower(), text.strip('"')
