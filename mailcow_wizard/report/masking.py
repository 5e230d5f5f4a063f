"""Masks a run's addresses and the server's own domains, each always by the same word, for strangers' eyes.

Addresses that everybody has (loopback, private networks) and the names of others stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_V6 = r"(?<![\w:.])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])"
# Also as providers write them into names: 10.99.88.192.host.example, host-192-88-99-10.example.
_V4 = r"(?<!\d)\d{1,3}(?P<between>[.-])\d{1,3}(?P=between)\d{1,3}(?P=between)\d{1,3}(?!\d)"
_ADDRESS = re.compile(f"{_V6}|{_V4}")
_NIBBLES = re.compile(r"(?i)(?<![\w.])(?:[0-9a-f]\.){16,32}ip6\.arpa")
_NAME = re.compile(r"(?i)(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")
_KEPT = ("doc", "version", "id", "step", "title")


def masked(run: dict[str, Any]) -> dict[str, Any]:
    """The same document with addresses and own domains masked."""
    mask = _Mask(_own_domains(run))
    changed: dict[str, Any] = _each(run, mask.text)
    return changed


def _own_domains(run: dict[str, Any]) -> list[str]:
    """The domain of the server's name, and the names that were checked in DNS; none below another."""
    hostname = str(run.get("hostname") or "")
    names = {hostname.partition(".")[2] if hostname.count(".") > 1 else hostname}
    for check in run["checks"]:
        subject = str(check.get("subject") or "")
        if check["id"].startswith(("dns.", "reputation.")) and _NAME.fullmatch(subject):
            names.add(subject)
    names = {name.lower() for name in names if "." in name}
    return sorted(name for name in names if not any(name.endswith(f".{other}") for other in names))


class _Mask:
    """What stands for what."""

    def __init__(self, domains: list[str]) -> None:
        self._domains = {name: f"domain-{number}.example" for number, name in enumerate(domains, 1)}
        spelled = "|".join(re.escape(name) for name in domains)
        self._names = re.compile(rf"(?i)(?<![\w-])(?:{spelled})(?![\w-])") if domains else None
        self._addresses: dict[str, str] = {}

    def text(self, text: str) -> str:
        """A text of the document."""
        text = _NIBBLES.sub("address.ip6.arpa", text)
        text = _ADDRESS.sub(lambda found: self._address(found[0]), text)
        if self._names:
            text = self._names.sub(lambda found: self._domains[found[0].lower()], text)
        return text

    def _address(self, text: str) -> str:
        readings = list(_readings(text))
        known = next((one for one in readings if one in self._addresses), "")
        if known:
            return self._addresses[known]
        # 127.0.0.1 read backwards is somebody's address, and is not meant.
        if readings and ip_address(readings[0]).is_global:
            return self._addresses.setdefault(readings[0], f"address-{len(self._addresses) + 1}")
        return text


def _readings(text: str) -> Iterator[str]:
    """The addresses that a text may mean: as it stands, with dots, the other way round."""
    parts = text.replace("-", ".").split(".")
    for one in [text] if ":" in text else [".".join(parts), ".".join(reversed(parts))]:
        try:
            yield str(ip_address(one))
        except ValueError:
            continue


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """A document with every text changed, but neither keys nor what the wizard says of itself."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: one if key in _KEPT else _each(one, change) for key, one in value.items()}
    return [_each(one, change) for one in value] if isinstance(value, list) else value
