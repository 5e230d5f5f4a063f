"""Masks a run's addresses and the server's own names, each always by the same word, for strangers' eyes.

Addresses that everybody has (loopback, private networks) and the names of others stay, but not the people
before an @, nor what leads back to the address: the name that a provider gave to it, a certificate's digest,
a DKIM key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address

from mailcow_wizard.facts.identity import domain_of
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_HEX = "[0-9a-fA-F]"
_OCTETS = r"(?<!\d)\d{1,3}(?P<between>[.-])\d{1,3}(?P=between)\d{1,3}(?P=between)\d{1,3}(?!\d)"
# Behind a word, as in SPF's ip6:2001:db8::1, and before a colon that is none of its own.
_V6_BEGIN = r"(?:(?<![\w:.])|(?<=[pPvV]6:)|(?<=[g-zG-Z]:)|(?<=\w{5}:))"
_V6 = rf"{_V6_BEGIN}{_HEX}{{0,4}}(?::{_HEX}{{0,4}}){{2,7}}(?<![^:]:)(?!:?\w)"
# As providers write them into names: 2001-db8-1--10.host.example.
_V6_DASHED = rf"(?<![\w-]){_HEX}{{1,4}}(?:-{_HEX}{{0,4}}){{3,7}}(?=\.[a-zA-Z])"
# IPv4 also as in 10.99.88.192.host.example and host-192-88-99-10.example.
_ADDRESS = pattern(f"{_V6}|{_V6_DASHED}|{_OCTETS}")
# ::ffff:192.88.99.10, and other prefixes.
_MAPPED = pattern(rf"(?<![\w:.])(?:{_HEX}{{0,4}}:){{2,7}}(?P<v4>{_OCTETS})")
_NIBBLES = pattern(r"(?i)(?<![\w.])(?:[0-9a-f]\.){4,32}ip6\.arpa")
_REVERSE = pattern(r"(?i)(?<![\w.])((?:\d{1,3}\.){2,4})in-addr\.arpa")
_NAME = pattern(r"(?i)(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")
_PERSON = pattern(r"(?<![\w.+%@-])[\w.+%-]+(?=@[\w-]+\.)")
_DIGEST = pattern(rf"(?<!\w){_HEX}{{40,}}(?!\w)")
# Who collects DKIM keys knows whose they are.
_KEY = pattern(r"(?<![\w+/])[A-Za-z0-9+/]{40,}={0,2}")
_KEPT = ("doc", "version", "id", "step")
_OF_CERTIFICATES = ("dns.tlsa", "mail.certificate")
# What the machine and its provider call it: the check, and how its evidence is asked for.
_CALLED = {"dns.ptr": " PTR", "config.hostname": "hostname"}
# These tell nothing of whose server it is.
_USUAL = ("mail", "mx", "smtp", "imap", "mailcow", "server", "email", "post", "webmail", "www", "mx1", "mx2")


def masked(run: dict[str, Any]) -> dict[str, Any]:
    """The same document with addresses and own names masked."""
    mask = _Mask(_own_domains(run), _own_names(run))
    # An address may be read backwards, in a name, before it stands there as it is: the first time collects.
    _each(run, mask.text)
    changed: dict[str, Any] = _each(run, mask.text)
    for check in changed["checks"]:
        if check["id"] in _OF_CERTIFICATES:
            check.update(_each(check, lambda text: _DIGEST.sub("digest", text)))
        if check["id"] == "dns.dkim":
            check.update(_each(check, lambda text: _KEY.sub("key", text)))
        if check.get("acknowledged"):
            check["acknowledged"]["by"] = "somebody"
    return changed


def _own_domains(run: Mapping[str, Any]) -> list[str]:
    """The domain of the server's name, and the names that were checked in DNS; none below another."""
    hostname = str(run.get("hostname") or "")
    names = {domain_of(hostname)}
    for check in run["checks"]:
        subject = str(check.get("subject") or "")
        if check["id"].startswith(("dns.", "reputation.")) and _NAME.fullmatch(subject):
            names.add(subject)
    names = {name.lower() for name in names if "." in name}
    return sorted(name for name in names if not any(name.endswith(f".{other}") for other in names))


def _own_names(run: Mapping[str, Any]) -> list[str]:
    """The server's names whose first label is its own, and those that others gave to it."""
    hostname = str(run.get("hostname") or "").lower()
    names = {hostname} if hostname.count(".") > 1 and hostname.partition(".")[0] not in _USUAL else set()
    for check in run["checks"]:
        asked = _CALLED.get(check["id"])
        for seen in check.get("evidence") or () if asked else ():
            if str(asked) in str(seen.get("what")):
                names |= {one.lower() for one in _NAME.findall(str(seen.get("value")))}
    return sorted(names)


class _Mask:
    """What stands for what."""

    def __init__(self, domains: list[str], names: list[str]) -> None:
        self._words = {name: f"domain-{number}.example" for number, name in enumerate(domains, 1)}
        others = [one for one in names if one not in self._words and _first(one) not in _USUAL]
        self._words |= {name: f"name-{number}.example" for number, name in enumerate(others, 1)}
        self._words |= {_as_read(name): word for name, word in self._words.items()}
        spelled = "|".join(re.escape(one) for one in sorted(self._words, key=len, reverse=True))
        self._names = re.compile(rf"(?i)(?<![\w-])(?:{spelled})(?![\w-])") if spelled else None
        self._addresses: dict[str, str] = {}

    def text(self, text: str) -> str:
        """A text of the document."""
        if self._names:
            # First: an address within such a name goes with it.
            text = self._names.sub(lambda found: self._words[found[0].lower()], text)
        text = _NIBBLES.sub("address.ip6.arpa", text)
        text = _REVERSE.sub(self._reverse, text)
        text = _MAPPED.sub(lambda found: found[0].replace(found["v4"], self._address(found["v4"])), text)
        text = _ADDRESS.sub(lambda found: self._address(found[0]), text)
        return _PERSON.sub("somebody", text)

    def _reverse(self, found: re.Match[str]) -> str:
        """A reverse name, or a zone of them, which tells the neighbourhood; private ones stay."""
        octets = found[1].rstrip(".").split(".")[::-1]
        whole = ".".join([*octets, "1", "1"][:4])
        return f"{self._address(whole)}.in-addr.arpa" if _is_global(whole) else found[0]

    def _address(self, text: str) -> str:
        readings = list(_readings(text))
        known = next((one for one in readings if one in self._addresses), "")
        if known:
            return self._addresses[known]
        # 127.0.0.1 read backwards is somebody's address, and is not meant.
        if readings and _is_global(readings[0]):
            return self._addresses.setdefault(readings[0], f"address-{len(self._addresses) + 1}")
        return text


def _first(name: str) -> str:
    return name.partition(".")[0]


def _as_read(name: str) -> str:
    """The name as people write it, with the letters that its `xn--` labels stand for."""
    try:
        return name.encode("ascii").decode("idna").lower()
    except UnicodeError:
        return name


def _is_global(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False


def _readings(text: str) -> Iterator[str]:
    """The addresses that a text may mean: as it stands, with dots, the other way round."""
    if ":" in text:
        spellings = [text]
    elif text.count("-") > 3 or re.search("[a-fA-F]|--", text):
        spellings = [text.replace("-", ":")]
    else:
        parts = [one.lstrip("0") or "0" for one in text.replace("-", ".").split(".")]
        spellings = [".".join(parts), ".".join(reversed(parts))]
    for one in spellings:
        try:
            address = ip_address(one)
        except ValueError:
            continue
        yield str(address)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """A document with every text changed, but neither keys nor what the wizard says of itself."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: one if key in _KEPT else _each(one, change) for key, one in value.items()}
    return [_each(one, change) for one in value] if isinstance(value, list) else value
