"""What has to be done at a zone's server for a record to be published, and what only a person may do. Pure.

Nothing is ever deleted that somebody else made, but for the old text of an SPF or DMARC record, which goes on
in the new one.
"""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.facts.dns import spf_check
from mailcow_wizard.facts.dns.dkim import is_key_record
from mailcow_wizard.facts.dns.dmarc import policies
from mailcow_wizard.facts.dns.expected import PATH, Expected
from mailcow_wizard.facts.dns.merging import Merged
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, TypeAlias

    LeftKind = Literal["by hand", "not now", "no answer"]
    Merge: TypeAlias = Callable[[str], Merged | None]
else:
    LeftKind = str

_LONGEST_STRING = 255
_NOTHING_DELETED = _(
    "The wizard deletes nothing that it did not make: remove that where the zone is kept, then push again"
)


class Data(NamedTuple):
    """A record's data as the server has it: in the zone file's form, and `plain`: of a text its strings
    joined, of all else in the form in which values are compared."""

    text: str
    plain: str
    ttl: int


class There(NamedTuple):
    """What the server has at the name: records of the type, an alias, records of other types in an alias's
    way (by type). What only a wildcard answers with does not count."""

    records: tuple[Data, ...] = ()
    aliases: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


class Entry(NamedTuple):
    """Records of one name and type to publish. `check` and `subject` are of the finding that this is about.

    All data is in the zone file's form: `before` is the whole set as it is, of which `old` (empty: nothing)
    goes; `new` comes, for `ttl` seconds. `server` is the address to send it to.
    """

    check: str
    subject: str
    name: str
    type: str
    zone: str
    server: str
    before: tuple[str, ...]
    old: str
    new: tuple[str, ...]
    ttl: int
    old_ttl: int = 0

    @property
    def after(self) -> tuple[str, ...]:
        """The whole set as it will be."""
        return (*(one for one in self.before if one != self.old), *self.new)


class Left(NamedTuple):
    """A record that the wizard does not publish, and why, in words.

    `kind`: somebody has to do it by hand; or it is not wanted now (it waits for something, it is optional);
    or no server could be asked about it.
    """

    check: str
    subject: str
    name: str
    type: str
    words: str
    kind: LeftKind = "by hand"


def grouped(left: Sequence[Left]) -> dict[str, list[str]]:
    """The records (name and type) that share their words, by these words."""
    found: dict[str, list[str]] = {}
    for one in left:
        found.setdefault(one.words, []).append(f"{one.name} {one.type}")
    return found


def decide(
    wanted: tuple[Expected, ...],
    there: There,
    about: Entry,
    merge: Merge,
) -> Entry | Left | None:
    """What is done about the records `wanted`, which share name and type; None: the server has them already.

    `about` is an entry without data: name, type, zone, server and what it is about. `merge` joins the text
    that is there with what is missing.
    """

    def left(words: str) -> Left:
        return Left(about.check, about.subject, about.name, about.type, words)

    if about.type == "CNAME":
        return _alias(wanted[0], there, about, left)
    if there.aliases:
        return left(_in_the_way(_("an alias (CNAME) of {aliases}", aliases=", ".join(there.aliases)), wanted))
    if about.type == "TXT":
        return _text(wanted[0], there, about, merge, left)
    values = {one.plain for one in there.records}
    if values and values <= {_folded(one.value) for one in wanted}:
        return None
    if values:
        return left(_in_the_way(", ".join(one.plain for one in there.records), wanted))
    return about._replace(new=tuple(one.value for one in wanted))


def _alias(wanted: Expected, there: There, about: Entry, left: Callable[[str], Left]) -> Entry | Left | None:
    if there.aliases == (_folded(wanted.value),):
        return None
    if there.aliases:
        return left(_in_the_way(_("an alias of {aliases}", aliases=", ".join(there.aliases)), (wanted,)))
    if there.others:
        kinds = _(" and ").join(there.others)
        return left(
            _(
                "the name has {kinds} records, and an alias cannot stand beside others. {nothing_deleted}",
                kinds=kinds,
                nothing_deleted=_NOTHING_DELETED,
            )
        )
    return about._replace(new=(wanted.value,))


def _text(
    wanted: Expected, there: There, about: Entry, merge: Merge, left: Callable[[str], Left]
) -> Entry | Left | None:
    before = tuple(one.text for one in there.records)
    own = [one for one in there.records if _is_of(wanted, one.plain)]
    # One time to live for the whole set: another one would change that of the texts beside it.
    ttl = there.records[0].ttl if there.records else about.ttl
    if not own:
        return about._replace(before=before, new=(quoted(wanted.value),), ttl=ttl)
    if len(own) > 1:
        said = "; ".join(one.plain for one in own)
        return left(
            _(
                "there are {number} records of this kind, and must be one. Join them where the zone "
                "is: {said}",
                number=len(own),
                said=said,
            )
        )
    merged = merge(own[0].plain)
    if merged is None:
        return None
    if not merged.text:
        return left(merged.words)
    if merged.text == own[0].plain:
        return None
    return about._replace(
        before=before, old=own[0].text, new=(quoted(merged.text),), ttl=own[0].ttl, old_ttl=own[0].ttl
    )


def _is_of(wanted: Expected, text: str) -> bool:
    if wanted.value.startswith("v=spf1"):
        return bool(spf_check.policies((text,)))
    if wanted.value == PATH:
        return text.lower().startswith("path=")
    if wanted.value.startswith("v=DKIM1"):
        return is_key_record(text)
    return bool(policies((text,)))


def _in_the_way(what: str, wanted: tuple[Expected, ...]) -> str:
    right = _(" and ").join(one.value.removesuffix(".") for one in wanted)
    return _(
        "it is {what}, and should be {right}. {nothing_deleted}",
        what=what,
        right=right,
        nothing_deleted=_NOTHING_DELETED,
    )


def _folded(value: str) -> str:
    return " ".join(one.lower().removesuffix(".") for one in value.split(" "))


def quoted(text: str) -> str:
    """A text as strings of at most 255 bytes in the zone file's form (RFC 1035, 5.1)."""
    data = text.encode()
    parts = [data[place : place + _LONGEST_STRING] for place in range(0, len(data), _LONGEST_STRING)] or [b""]
    return " ".join('"' + "".join(map(_escaped, part)) + '"' for part in parts)


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03d}"
