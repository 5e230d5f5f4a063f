"""What CAA records let Let's Encrypt do: by the standard (RFC 8659), and by mailcow's own test. Pure."""

from __future__ import annotations

from mailcow_wizard.language import _
from mailcow_wizard.numerals import whole
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

ISSUER = "letsencrypt.org"
HTTP, DNS = "http-01", "dns-01"
"""How mailcow proves a name: by a page, or by a record in DNS (RFC 8555, 8.3 and 8.4)."""
MOST_PARTS = 10
"""Let's Encrypt issues for no name of more parts than these (boulder, policy/pa.go, August 2026)."""
MOST_NAMES = 100
"""So many names Let's Encrypt puts on one certificate at most (its rate limits, August 2026)."""
_METHODS, _ACCOUNT = "validationmethods", "accounturi"  # RFC 8657, 3 and 4
# Tags that Let's Encrypt knows: another one that is critical keeps it from issuing. It takes the bit of 1 for
# the critical one, too, as many write it so (boulder, va/caa.go, August 2026).
_KNOWN_TAGS = {"issue", "issuewild", "iodef", "issuemail", "issuevmc"}
_CRITICAL = 128 | 1
_SPACE = " \t"
_METHOD = pattern(r"[A-Za-z0-9-]+")


class _Issuer(NamedTuple):
    """Who may issue, and the conditions that are set, each as often as it stands there; None where they are
    not written as RFC 8659, 4.2, has it: then the record lets nobody issue."""

    name: str
    conditions: tuple[tuple[str, str], ...] | None

    def all_of(self, name: str) -> list[str]:
        """Every value of one condition."""
        return [value for known, value in self.conditions or () if known == name]


def too_deep(name: str) -> bool:
    """Whether a name has more parts than Let's Encrypt takes."""
    return name.removeprefix("*.").count(".") >= MOST_PARTS


def forbids(values: tuple[str, ...], wild: bool = False, method: str = HTTP) -> str:
    """Why these CAA records keep Let's Encrypt out; empty where they do not. `wild`: for a wildcard; `method`
    is how mailcow proves the name."""
    strange = unknown_tag(values)
    if strange:
        return _("its critical tag {strange} is unknown to Let's Encrypt", strange=strange)
    every = _issuers([_parts(one) for one in values], wild)
    own = [one for one in every if one.name == ISSUER]
    if not every or any(_permits(one, method) for one in own):
        return ""
    if own:
        return _misses(own, method)
    meant = next((one.name for one in every if one.name.lower().removesuffix(".") == ISSUER), "")
    if meant:
        return _("it must be written {issuer}, not {meant}", issuer=ISSUER, meant=meant)
    allowed = ", ".join(one.name for one in every if one.name)
    return _("only {allowed} may", allowed=allowed) if allowed else _("nobody may")


def unknown_tag(values: tuple[str, ...]) -> str:
    """A tag that keeps Let's Encrypt out whatever else stands beside it; empty where there is none."""
    rows = map(_parts, values)
    strange = (tag for flags, tag, _unused in rows if flags & _CRITICAL and tag not in _KNOWN_TAGS)
    return next(strange, "")


def of_one_account(values: tuple[str, ...], wild: bool = False, method: str = HTTP) -> bool:
    """Whether those of the records that let Let's Encrypt issue do so for certain accounts alone."""
    every = _issuers([_parts(one) for one in values], wild)
    permitted = [one for one in every if one.name == ISSUER and _permits(one, method)]
    return bool(permitted) and all(one.all_of(_ACCOUNT) for one in permitted)


def _misses(own: list[_Issuer], method: str) -> str:
    """Why none of the records that name Let's Encrypt is of use."""
    named = ", ".join(dict.fromkeys(value for one in own for value in one.all_of(_METHODS)))
    if any(one.conditions is None for one in own) or not named:
        return _("what stands behind {issuer}; is not written as it must be", issuer=ISSUER)
    return _("it may prove names only by {named}, and mailcow does by {method}", named=named, method=method)


def _issuers(rows: list[tuple[int, str, str]], wild: bool) -> list[_Issuer]:
    """Who may issue, each with the conditions that are set (RFC 8659, 4.2)."""
    tag = "issuewild" if wild and any(row[1] == "issuewild" for row in rows) else "issue"
    parts = [value.partition(";") for _flags, name, value in rows if name == tag]
    return [_Issuer(issuer.strip(_SPACE), _conditions(said)) for issuer, _semicolon, said in parts]


def _conditions(said: str) -> tuple[tuple[str, str], ...] | None:
    """The conditions behind the first semicolon; None where one of them cannot be read. Names and values are
    told apart in these very letters, and a value holds no space."""
    if not said.strip(_SPACE):
        return ()
    found = []
    for part in said.split(";"):
        name, equals, value = (one.strip(_SPACE) for one in part.partition("="))
        if not equals or not (name == "" or (name.isascii() and name.isalnum())):
            return None
        if not all("!" <= one <= "~" for one in value):
            return None
        found.append((name, value))
    return tuple(found)


def _permits(one: _Issuer, method: str) -> bool:
    ways = one.all_of(_METHODS)
    if one.conditions is None or len(one.all_of(_ACCOUNT)) > 1 or len(ways) > 1:
        return False
    return not ways or _lists(ways[0].split(","), method)


def _lists(words: list[str], method: str) -> bool:
    """Whether a list names a method before a word that is none ends its reading."""
    for word in words:
        if not _METHOD.fullmatch(word):
            return False
        if word == method:
            return True
    return False


def mailcow_forbids(values: tuple[str, ...]) -> bool:
    """Whether mailcow leaves a name out because of the CAA records of the name above it: it wants its
    authority's name somewhere in one that is about issuing, and looks nowhere else."""
    issuers = [value for _flags, tag, value in map(_parts, values) if tag == "issue"]
    return bool(issuers) and not any(ISSUER in one for one in issuers)


def _parts(value: str) -> tuple[int, str, str]:
    flags, _unused, rest = value.partition(" ")
    tag, _unused, text = rest.partition(" ")
    return whole(flags), tag.lower(), text.strip('"')
