"""A program of its own: changes records of a zone by its provider's API, through dns-lexicon.

  python dns_provider.py --provider NAME --zone ZONE [--others-may-change] INSTRUCTION…

The instructions are those of `dns_update.py`. A provider knows no prerequisites: what is there is listed and
compared before, only records with the very content that is named are changed or deleted, and what is there
then is compared once more. Credentials come from lexicon's own variables (LEXICON_NAME_AUTH_TOKEN …) or from
~/lexicon_NAME.yml.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time

if not __package__:
    # As in dns_update.py.
    sys.path[0] = os.path.abspath(os.path.join(__file__, "../../../.."))

import dns.exception
import dns.rdatatype

from mailcow_wizard.harmless import harmless, shown
from mailcow_wizard.host.programs.dns_update import Instruction, instruction
from mailcow_wizard.host.programs.lexicon import obstacle
from mailcow_wizard.host.programs.provider_zone import Failure, Record, There, Zone, plain
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    Before: TypeAlias = dict[tuple[str, str], list[There]]

_OK, _NOT_DONE, _USAGE = 0, 1, 64
_OTHERS = "--others-may-change"
_PAUSES_S = (0.0, 0.5, 1.5, 3.0)


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


def perform(zone: Zone, wanted: Sequence[Instruction], lenient: bool) -> str:
    """Does what the instructions say; what there is to tell. Raises Failure, and then the zone is as it was,
    as far as its provider lets it be."""
    adds = [record(one) for one in wanted if one.what == "add"]
    deletes = [record(one) for one in wanted if one.what == "delete"]
    places = dict.fromkeys((one.type, one.name) for one in (*adds, *deletes))
    before = {place: list(zone.there(*place)) for place in places}

    def is_there(one: Record) -> bool:
        return _content(one) in _contents(before[one.type, one.name])

    if all(map(is_there, adds)) and not any(map(is_there, deletes)):
        return "it is so already"
    if not all(map(is_there, deletes)) or not (lenient or _holds(zone, wanted)):
        said = "; ".join(
            f"{name} {type} is {', '.join(_contents(there)) or 'not there'}"
            for (type, name), there in before.items()
        )
        raise Failure(
            f"the zone at {zone.provider} was changed since, and stays as it is: {harmless(said, 300)}"
        )
    adds = [one for one in adds if not is_there(one)]
    try:
        _change(zone, adds, deletes, before)
        if _await(zone, _after(before, adds, deletes), adds):
            return "done"
    except (Failure, Ended):
        _put_back(zone, before, adds)
        raise
    return f"done, but {zone.provider} does not list it yet"


def _content(one: Record) -> str:
    return plain(one.type, one.content)


def _contents(there: Sequence[There]) -> list[str]:
    return [one.content for one in there]


def _change(zone: Zone, adds: Sequence[Record], deletes: Sequence[Record], before: Before) -> None:
    left = list(adds)
    for gone in deletes:
        old = next(one for one in before[gone.type, gone.name] if one.content == _content(gone))
        new = next((one for one in left if (one.type, one.name) == (gone.type, gone.name)), None)
        if new:
            left.remove(new)
            zone.replace(old, new)
        else:
            zone.delete(old)
    for one in left:
        zone.add(one)


def _after(
    before: Before, adds: Sequence[Record], deletes: Sequence[Record]
) -> dict[tuple[str, str], list[str]]:
    """The contents that each place shall have."""
    found = {place: _contents(there) for place, there in before.items()}
    for one in deletes:
        found[one.type, one.name].remove(_content(one))
    for one in adds:
        found[one.type, one.name].append(_content(one))
    return found


def _await(zone: Zone, wanted: dict[tuple[str, str], list[str]], adds: Sequence[Record]) -> bool:
    """Whether the provider lists all as it shall be; False where only what was added is not listed yet.
    Raises Failure where anything else is otherwise: the library says yes to much that it does not do."""
    added = {(one.type, one.name, _content(one)) for one in adds}
    for pause in _PAUSES_S:
        time.sleep(pause)
        zone.forget()
        now = {place: _contents(zone.there(*place)) for place in wanted}
        if all(sorted(now[place]) == sorted(contents) for place, contents in wanted.items()):
            return True
    missing = {
        (*place, one) for place, contents in wanted.items() for one in contents if one not in now[place]
    }
    strange = [one for place, contents in now.items() for one in contents if one not in wanted[place]]
    if not strange and missing <= added:
        return False
    said = "; ".join(f"{name} {type} is {', '.join(now[type, name]) or 'not there'}" for type, name in now)
    raise Failure(f"{zone.provider} said yes, but its records are not so: {harmless(said, 300)}")


def _put_back(zone: Zone, before: Before, adds: Sequence[Record]) -> None:
    """Makes what is gone once more, and deletes what we made; what the provider refuses stays as it is."""
    zone.forget()
    for place, were in before.items():
        with contextlib.suppress(Failure):
            now = list(zone.there(*place))
            for one in were:
                if one.content not in _contents(now):
                    zone.add(one.again)
            for one in now:
                if one.content not in _contents(were) and any(_is_made(one, new) for new in adds):
                    zone.delete(one)


def _is_made(one: There, new: Record) -> bool:
    """Whether a record is one that we made, also where the zone's name was put behind its content."""
    content = _content(new)
    same = one.content == content or one.content.startswith(f"{content}.")
    return same and (one.type, one.name) == (new.type, new.name)


def _holds(zone: Zone, wanted: Sequence[Instruction]) -> bool:
    """Whether the zone is as the prerequisites want it."""
    needed: dict[tuple[str, str], list[str]] = {}
    for one in wanted:
        asked = record(one)
        if one.what == "nxrrset" and zone.there(asked.type, asked.name):
            return False
        if one.what == "nxdomain" and zone.at(asked.name):
            return False
        if one.what == "yxrrset":
            needed.setdefault((asked.type, asked.name), []).append(_content(asked))
    return all(sorted(_contents(zone.there(*place))) == sorted(texts) for place, texts in needed.items())


class Ended(BaseException):
    """It was asked to end; no Exception, which the library would take for the provider's refusal."""


def _stopped(number: int, frame: object) -> None:
    """What was begun is taken back."""
    raise Ended


def _performed(zone: Zone, wanted: Sequence[Instruction], lenient: bool) -> str:
    try:
        return perform(zone, wanted, lenient)
    except Ended:
        raise Failure(f"it was ended before {zone.provider} had answered") from None


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
    # The libraries log what they send, and the way through their code, where that goes to a person.
    logging.disable()
    # A provider may hang: the library waits for ever.
    signal.signal(signal.SIGTERM, _stopped)
    try:
        if problem:
            raise Failure(problem)
        print(shown(_performed(Zone(provider, zone), wanted, lenient)))
    except Failure as failure:
        print(shown(str(failure)))
        return _NOT_DONE
    return _OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
