"""A program of its own: changes records of a zone by its provider's API, through dns-lexicon.

  python dns_provider.py --provider NAME --zone ZONE [--others-may-change] INSTRUCTION…

The instructions are those of `dns_update.py`. A provider knows no prerequisites: what is there is listed and
compared before, and only records with the very content that is named are changed or deleted. Credentials come
from lexicon's own variables (LEXICON_NAME_AUTH_TOKEN …) or from ~/lexicon_NAME.yml.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # As in dns_update.py.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import dns.exception
import dns.rdatatype

from mailcow_wizard.harmless import harmless, shown
from mailcow_wizard.host.dns_update import Failure, Instruction, instruction
from mailcow_wizard.host.lexicon import obstacle
from mailcow_wizard.redaction import without_credentials
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_OK, _NOT_DONE, _USAGE = 0, 1, 64
_OTHERS = "--others-may-change"
_SECRETS = ("auth", "token", "password", "secret", "key")


class Record(NamedTuple):
    """A record as lexicon speaks of it: no final dots, no quotes; `priority` is of MX."""

    type: str
    name: str
    content: str
    priority: int = 0
    ttl: int = 0


def record(wanted: Instruction) -> Record:
    """The record of an instruction."""
    name, type = wanted.place
    data: Any = wanted.data
    kind = dns.rdatatype.to_text(type)
    label = name.to_text(omit_final_dot=True)
    if data is None:
        return Record(kind, label, "")
    if kind == "TXT":
        text = b"".join(data.strings).decode("utf-8", "replace")
        return Record(kind, label, text, ttl=wanted.ttl)
    if kind == "MX":
        target = data.exchange.to_text(omit_final_dot=True)
        return Record(kind, label, target, data.preference, wanted.ttl)
    return Record(kind, label, data.to_text().removesuffix("."), ttl=wanted.ttl)


class Zone:
    """A zone at its provider."""

    def __init__(self, provider: str, zone: str) -> None:
        self.provider = provider
        self.zone = zone

    def there(self, type: str, name: str) -> list[tuple[str, str]]:
        """The records of a name and type: identifier and content, in the form of `Record`. Raises Failure."""
        listed = self._do("list_records", {}, type, name)
        found = []
        for one in listed:
            same = str(one.get("name", "")).removesuffix(".").lower() in (name, self._relative(name))
            if same and one.get("type") == type:
                found.append((str(one.get("id", "")), plain(type, str(one.get("content", "")))))
        return found

    def add(self, new: Record) -> None:
        """Makes a record. Raises Failure."""
        if not self._do("create_record", _options(new), new.type, new.name, new.content):
            raise Failure(f"{self.provider} did not make the record")

    def replace(self, identifier: str, new: Record) -> None:
        """Gives a record another content. Raises Failure."""
        if not self._do("update_record", _options(new), identifier, new.type, new.name, new.content):
            raise Failure(f"{self.provider} did not change the record")

    def delete(self, identifier: str) -> None:
        """Deletes one record. Raises Failure."""
        if not self._do("delete_record", {}, identifier):
            raise Failure(f"{self.provider} did not delete the record")

    def _relative(self, name: str) -> str:
        return name.removesuffix(self.zone).removesuffix(".")

    def _do(self, action: str, options: dict[str, Any], *words: str) -> Any:
        from lexicon.client import Client  # type: ignore[import-not-found,unused-ignore]
        from lexicon.config import ConfigResolver  # type: ignore[import-not-found,unused-ignore]

        # `delegated` says that the zone is cut here: lexicon would guess it from the public suffixes.
        about = {"provider_name": self.provider, "domain": self.zone, "delegated": self.zone, **options}
        config = ConfigResolver().with_dict(about).with_env().with_config_dir(os.path.expanduser("~"))
        try:
            with Client(config) as zone:
                return getattr(zone, action)(*words)
        except Exception as error:
            # Whatever went wrong there: a wrong token, no network, a zone of somebody else.
            raise Failure(f"{self.provider} refuses: {_said(error)}") from None


def _options(new: Record) -> dict[str, Any]:
    return {"ttl": new.ttl, **({"priority": new.priority} if new.type == "MX" else {})}


def _said(error: Exception) -> str:
    """The error in a line, without what is secret: an address that was called may have it."""
    text = without_credentials(str(error)).split("?", 1)[0]
    for name, value in os.environ.items():
        if name.startswith("LEXICON_") and any(one in name.lower() for one in _SECRETS) and len(value) > 3:
            text = text.replace(value, "•" * 4)
    return harmless(f"{type(error).__name__}: {text}", 200)


def plain(type: str, content: str) -> str:
    """A content as providers give it, in the form in which contents are compared."""
    if type == "TXT":
        if content.startswith('"') and content.endswith('"') and len(content) > 1:
            content = content[1:-1].replace('" "', "")
        return content.replace('\\"', '"')
    content = content.lower().removesuffix(".")
    return content.rpartition(" ")[2] if type == "MX" else content


def perform(zone: Zone, wanted: Sequence[Instruction], lenient: bool) -> str:
    """Does what the instructions say; what there is to tell. Raises Failure."""
    adds = [record(one) for one in wanted if one.what == "add"]
    deletes = [record(one) for one in wanted if one.what == "delete"]
    places = dict.fromkeys((one.type, one.name) for one in (*adds, *deletes))
    now = {place: zone.there(*place) for place in places}
    contents = {place: [content for _, content in found] for place, found in now.items()}

    def is_there(one: Record) -> bool:
        return plain(one.type, one.content) in contents[one.type, one.name]

    if all(map(is_there, adds)) and not any(map(is_there, deletes)):
        return "it is so already"
    if not all(map(is_there, deletes)) or not (lenient or _holds(zone, wanted, contents)):
        said = "; ".join(
            f"{name} {type} is {', '.join(there) or 'not there'}" for (type, name), there in contents.items()
        )
        raise Failure(
            f"the zone at {zone.provider} was changed since, and stays as it is: {harmless(said, 300)}"
        )
    _change(zone, adds, deletes, now)
    return "done"


def _change(
    zone: Zone,
    adds: Sequence[Record],
    deletes: Sequence[Record],
    now: dict[tuple[str, str], list[tuple[str, str]]],
) -> None:
    left = list(adds)
    for old in deletes:
        content = plain(old.type, old.content)
        identifier = next(id for id, there in now[old.type, old.name] if there == content)
        new = next((one for one in left if (one.type, one.name) == (old.type, old.name)), None)
        if new:
            left.remove(new)
            zone.replace(identifier, new)
        else:
            zone.delete(identifier)
    for one in left:
        zone.add(one)


def _holds(zone: Zone, wanted: Sequence[Instruction], contents: dict[tuple[str, str], list[str]]) -> bool:
    """Whether the zone is as the prerequisites want it."""
    needed: dict[tuple[str, str], list[str]] = {}
    for one in wanted:
        asked = record(one)
        if one.what == "nxrrset" and zone.there(asked.type, asked.name):
            return False
        if one.what == "nxdomain" and any(zone.there(type, asked.name) for type in _ANY):
            return False
        if one.what == "yxrrset":
            needed.setdefault((asked.type, asked.name), []).append(plain(asked.type, asked.content))
    return all(sorted(contents.get(place, [])) == sorted(texts) for place, texts in needed.items())


_ANY = ("A", "AAAA", "CNAME", "TXT", "MX")


def main(words: Sequence[str]) -> int:
    """Runs the program; its exit code. What it did, or why not, is on standard output."""
    left = list(words)
    lenient = _OTHERS in left
    lines = [one for one in left if one != _OTHERS]
    if len(lines) < 5 or (lines[0], lines[2]) != ("--provider", "--zone"):
        print("it takes --provider, --zone and at least one update")
        return _USAGE
    provider, zone = lines[1], lines[3].removesuffix(".")
    try:
        wanted = [instruction(one) for one in lines[4:]]
    except (ValueError, dns.exception.DNSException) as error:
        print(harmless(str(error)))
        return _USAGE
    problem = obstacle(provider)
    try:
        if problem:
            raise Failure(problem)
        print(shown(perform(Zone(provider, zone), wanted, lenient)))
    except Failure as failure:
        print(shown(str(failure)))
        return _NOT_DONE
    return _OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
