"""The words of an SPF record (RFC 7208, 4.6 and 12) and its macros (7). Pure."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# Far above what anybody publishes: a hostile one should not keep us busy.
_MOST_LETTERS = 16384
_MOST_LABELS = 127
_LONGEST_NAME = 253

_MACRO = r"%\{[slodiphcrtv][0-9]*r?[.\-+,/_=]*\}|%%|%_|%-"
_STRING = rf"(?:{_MACRO}|[!-$&-~])*"
_TOP = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_MODIFIER = r"([a-z][a-z0-9_.-]*)=(.*)"
_MECHANISM = r"([+?~-]?)([a-z][a-z0-9_.-]*)((?:[:/].*)?)"
_DUAL = r"(?::(?P<domain>.*?))?(?:/(?P<v4>0|[1-9][0-9]?))?(?://(?P<v6>0|[1-9][0-9]{0,2}))?"
_PLAIN = r"(?::(?P<domain>.*))?"
_NETWORK = r":(?P<address>[^/]*)(?:/(?P<length>0|[1-9][0-9]{0,2}))?"
_ONLY_IN_EXPLANATIONS = "crt"


class BadRecord(ValueError):
    """The record cannot be used by anybody; the text says why."""


class Term(NamedTuple):
    """A mechanism as it is written, and its parts: `domain` is not expanded yet, empty where none is given;
    `network` is of ip4 and ip6; `v4` and `v6` are lengths in bits."""

    text: str
    qualifier: str
    name: str
    domain: str = ""
    network: str = ""
    v4: int = 32
    v6: int = 128


class Policy(NamedTuple):
    """A record: its mechanisms in order, and the domain that takes over where none matches."""

    terms: tuple[Term, ...]
    redirect: str = ""


class Sender(NamedTuple):
    """Whose mail is judged: the address that it comes from, the name said in HELO, and the sender."""

    address: str
    helo: str
    local: str
    domain: str

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.address else 4


@lru_cache(maxsize=256)
def policy(text: str) -> Policy:
    """The words of a record that begins with `v=spf1`. Raises BadRecord."""
    if len(text) > _MOST_LETTERS:
        raise BadRecord(_("it is longer than {most_letters} letters", most_letters=_MOST_LETTERS))
    if not text.isascii():
        raise BadRecord(_("it holds letters that are not ASCII"))
    terms: list[Term] = []
    modifiers: dict[str, str] = {}
    for word in text.split(" ")[1:]:
        modifier = re.fullmatch(_MODIFIER, word, re.IGNORECASE)
        if modifier:
            _keep(modifiers, modifier[1].lower(), modifier[2], word)
        elif word:
            terms.append(_term(word))
    return Policy(tuple(terms), modifiers.get("redirect", ""))


def _keep(modifiers: dict[str, str], name: str, value: str, word: str) -> None:
    if name in ("redirect", "exp"):
        if name in modifiers:
            raise BadRecord(_("{name}= stands there twice", name=name))
        _checked(value, word)
        modifiers[name] = value
    elif not re.fullmatch(_STRING, value, re.IGNORECASE):
        raise BadRecord(_("'{short}' has a % that begins no macro", short=_short(word)))


def _term(word: str) -> Term:
    match = re.fullmatch(_MECHANISM, word, re.IGNORECASE)
    if not match:
        raise BadRecord(_("'{short}' is no word of SPF", short=_short(word)))
    qualifier, name, rest = match[1] or "+", match[2].lower(), match[3]
    term = Term(word, qualifier, name)
    if name == "all":
        if rest:
            raise BadRecord(_("'{short}': nothing may follow all", short=_short(word)))
        return term
    if name in ("a", "mx"):
        return _with_lengths(term, rest)
    if name in ("include", "exists", "ptr"):
        return _with_domain(term, rest)
    if name in ("ip4", "ip6"):
        return _with_network(term, rest)
    raise BadRecord(_("'{short}' is no word of SPF", short=_short(word)))


def _with_lengths(term: Term, rest: str) -> Term:
    match = re.fullmatch(_DUAL, rest)
    if not match or match["domain"] == "":
        raise BadRecord(_("'{short}' cannot be read", short=_short(term.text)))
    v4, v6 = int(match["v4"] or 32), int(match["v6"] or 128)
    if v4 > 32 or v6 > 128:
        raise BadRecord(_("'{short}': no address has so many bits", short=_short(term.text)))
    domain = match["domain"] or ""
    if domain:
        _checked(domain, term.text)
    return term._replace(domain=domain, v4=v4, v6=v6)


def _with_domain(term: Term, rest: str) -> Term:
    match = re.fullmatch(_PLAIN, rest)
    if not match or match["domain"] == "" or (match["domain"] is None and term.name != "ptr"):
        raise BadRecord(_("'{short}' needs a domain", short=_short(term.text)))
    domain = match["domain"] or ""
    if domain:
        _checked(domain, term.text)
    return term._replace(domain=domain)


def _with_network(term: Term, rest: str) -> Term:
    match = re.fullmatch(_NETWORK, rest)
    kind = "IPv4" if term.name == "ip4" else "IPv6"
    try:
        if not match or "%" in match["address"]:
            raise ValueError
        network = ipaddress.ip_network(rest[1:], strict=False)
    except ValueError:
        raise BadRecord(
            _("'{short}' names no {kind} address or network", short=_short(term.text), kind=kind)
        ) from None
    if network.version != (4 if term.name == "ip4" else 6):
        raise BadRecord(_("'{short}' names no {kind} address or network", short=_short(term.text), kind=kind))
    return term._replace(network=str(network))


def _checked(spec: str, word: str) -> None:
    """Raises BadRecord where a domain is none (7.1): it ends with a dot and a label, or with a macro."""
    if not re.fullmatch(_STRING, spec, re.IGNORECASE):
        raise BadRecord(
            _("'{short}' has a % that begins no macro, or a letter that may not be there", short=_short(word))
        )
    for macro in re.finditer(r"%\{([a-z])([0-9]*)", spec, re.IGNORECASE):
        if macro[1].lower() in _ONLY_IN_EXPLANATIONS:
            raise BadRecord(
                _(
                    "'{short}': %{{{macro}}} may stand in explanations only",
                    short=_short(word),
                    macro=macro[1],
                )
            )
        if macro[2] and not int(macro[2][:9]):
            raise BadRecord(_("'{short}': a macro cannot keep 0 parts", short=_short(word)))
    _unused, dot, top = spec.removesuffix(".").rpartition(".")
    is_label = dot and re.fullmatch(_TOP, top, re.IGNORECASE) and not top.isdigit()
    if not is_label and not re.search(rf"(?:{_MACRO})$", spec, re.IGNORECASE):
        raise BadRecord(_("'{short}' does not name a full domain", short=_short(word)))


def _short(word: str) -> str:
    return word if len(word) <= 60 else f"{word[:59]}…"


def expanded(spec: str, sender: Sender, domain: str, named: Callable[[], str]) -> str:
    """A domain with its macros replaced; `domain` is the one whose record this is, `named` tells the name of
    the sender's address (%{p})."""
    if "%" in spec:
        spec = re.sub(_MACRO, lambda one: _value(one[0], sender, domain, named), spec, flags=re.IGNORECASE)
    name = spec.removesuffix(".")
    while len(name) > _LONGEST_NAME and "." in name:
        name = name.partition(".")[2]
    return name.lower()


def _value(macro: str, sender: Sender, domain: str, named: Callable[[], str]) -> str:
    if macro[1] != "{":
        return {"%": "%", "_": " ", "-": "%20"}[macro[1]]
    letter, rest = macro[2], macro[3:-1]
    count = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    rest = rest[len(count) :]
    backwards = rest[:1] in ("r", "R")
    delimiters = rest[backwards:] or "."
    text = _letter(letter.lower(), sender, domain, named)
    parts = re.split(f"[{re.escape(delimiters)}]", text)
    if backwards:
        parts.reverse()
    if count:
        parts = parts[-min(int(count[:4]), _MOST_LABELS) :]
    text = ".".join(parts)
    if letter.isupper():
        from urllib.parse import quote

        return quote(text, safe="")
    return text


def _letter(letter: str, sender: Sender, domain: str, named: Callable[[], str]) -> str:
    if letter == "p":
        return named()
    if letter == "i":
        return dotted(sender.address)
    return {
        "s": f"{sender.local}@{sender.domain}",
        "l": sender.local,
        "o": sender.domain,
        "d": domain,
        "h": sender.helo,
        "v": "ip6" if sender.version == 6 else "in-addr",
    }[letter]


def dotted(address: str) -> str:
    """An address as macros have it: IPv6 as 32 nibbles with dots between them."""
    parsed = ipaddress.ip_address(address)
    return ".".join(f"{int(parsed):032x}") if parsed.version == 6 else str(parsed)
