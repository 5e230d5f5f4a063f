"""DNS records in words: their states, where they stand, what is to be done. No widgets, and no judgement."""

from collections.abc import Sequence

from mailcow_wizard.engine import records, watching
from mailcow_wizard.facts.dns.standing import Standing, standings
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _, heard, ngettext, pgettext
from mailcow_wizard.report.dns import KINDS
from mailcow_wizard.sentences import capitalized

ON_ITS_WAY = _("on its way")
"""The status of a record that is not everywhere yet, beside those of checks."""

COPIED = _("Sent to the clipboard, where the terminal allows it")
MOST_CHARACTERS = 4000
# Where room is short, and where there is hardly any.
_SHORT = {"not everywhere yet": _("not everywhere")}
_SHORTEST = {"not everywhere yet": _("partly"), "split view": _("split"), "could not ask": _("unknown")}
_WORDS: tuple[tuple[int, int, dict[str, str]], ...] = (
    (100, 18, KINDS),
    (60, 14, {**KINDS, **_SHORT}),
    (0, 7, {**KINDS, **_SHORTEST}),
)
_NUMBERS = (
    *(pgettext("how many", "no"), pgettext("how many", "one"), _("two"), _("three"), _("four"), _("five")),
    *(_("six"), _("seven"), _("eight"), _("nine"), _("ten")),
)
_STANDS = {"right": "pass", "wrong": "fail", "missing": "fail", "silent": "unknown"}
_LEVELS = {"required": _("needed"), "recommended": _("recommended"), "optional": _("optional")}


def status(row: Row) -> str:
    """How a row is marked."""
    kind, level = row.state.kind, row.expected.level
    if kind == "missing":
        if not row.expected.value:
            return "skipped"
        return "skipped" if level == "optional" else "fail" if row.expected.fails(kind) else "warn"
    if kind == "wrong":
        return "warn" if level == "optional" else "fail"
    marks = {"right": "pass", "not everywhere yet": ON_ITS_WAY, "split view": "warn"}
    return marks.get(kind, "unknown")


def needs_hands(row: Row) -> bool:
    """Whether somebody has to do something about a row."""
    return status(row) in ("fail", "warn")


def state_word(row: Row, width: int) -> str:
    """The state's name, padded, on a screen of this width."""
    cells, short = next((cells, short) for least, cells, short in _WORDS if width >= least)
    return f"{short[row.state.kind]:<{cells}}"


def value(row: Row) -> str:
    """What to publish, as a provider's form takes it; empty where it is not known yet."""
    return harmless(row.value, MOST_CHARACTERS)


def value_or_note(row: Row) -> str:
    """What to publish, or what it waits for."""
    return value(row) or f"({row.expected.note})"


def published(row: Row) -> str:
    """What is there now."""
    there = (*row.seen.aliases, *row.seen.values)
    return harmless(", ".join(there), MOST_CHARACTERS)


def what(row: Row) -> str:
    """Name, type and how much it is needed."""
    said = row.expected.note if row.expected.value and not _told_by_note(row) else ""
    note = f"; {said}" if said else ""
    return f"{row.expected.name}  {row.expected.type}  {_LEVELS[row.expected.level]}{note}"


def sentence(row: Row, seconds: int) -> str:
    """The state in words; `seconds` is for how long resolvers may still keep what is not right."""
    stand = standings(row.seen, row.right)
    zone = [one for one in stand if one.whose == "zone"]
    kept = (
        _("; resolvers may keep what is not right for {duration}", duration=duration(seconds))
        if seconds
        else ""
    )
    kind = row.state.kind
    if kind == "right":
        return _("right at {servers} and {resolvers}", servers=_of_zone(zone), resolvers=_of_others(stand))
    if kind == "missing":
        if row.seen.values and row.expected.type == "TXT":
            return _("missing: there are texts at this name, and none of this kind")
        return _("missing: {nobody}", nobody=_nobody(zone))
    if kind == "wrong":
        return _("wrong: {published}", published=published(row))
    if kind == "not everywhere yet":
        return _(
            "right at {servers} and {resolvers}{kept}",
            servers=_of_zone(zone),
            resolvers=_of_others(stand),
            kept=kept,
        )
    if kind == "split view":
        seen = next((one.values for one in stand if one.whose == "local"), ())
        return _(
            "this machine's resolver says {values}{kept}",
            values=harmless(", ".join(seen)) or _("that there is none"),
            kept=kept,
        )
    why = row.expected.note if _told_by_note(row) else heard(row.seen.trouble)
    return _("could not ask: {trouble}", trouble=harmless(why))


def _told_by_note(row: Row) -> bool:
    """Whether the record was heard, and what it says is what nobody could ask."""
    return row.state.kind == "could not ask" and not row.seen.trouble


def _resolvers(stand: Sequence[Standing]) -> list[Standing]:
    return [one for one in stand if one.whose != "zone"]


def _of_zone(zone: Sequence[Standing]) -> str:
    """`2 of 3 name servers`."""
    servers = _servers(zone)
    return ngettext(
        "{right} of {n} name server", "{right} of {n} name servers", len(servers), right=_right(servers)
    )


def _of_others(stand: Sequence[Standing]) -> str:
    """`1 of 2 resolvers`."""
    servers = _servers(_resolvers(stand))
    return ngettext(
        "{right} of {n} resolver", "{right} of {n} resolvers", len(servers), right=_right(servers)
    )


def _right(servers: Sequence[Sequence[Standing]]) -> int:
    """How many have it right; one with several addresses at each of them that answers."""
    return sum({one.stands for one in each} - {"silent"} == {"right"} for each in servers)


def _servers(some: Sequence[Standing]) -> list[list[Standing]]:
    """The addresses of each server together."""
    found: dict[str, list[Standing]] = {}
    for one in some:
        found.setdefault(one.name or one.server, []).append(one)
    return list(found.values())


def _nobody(zone: Sequence[Standing]) -> str:
    count = len(_servers([one for one in zone if one.stands != "silent"]))
    if count > 1:
        return _("none of the zone's {count} name servers has it", count=count)
    return _("the zone's name server does not have it") if count else _("no resolver has it")


def mark_of(standing: Standing, row: Row) -> str:
    """How a server is marked, for a row."""
    if standing.stands == "missing" and status(row) == "skipped":
        return "skipped"
    return _STANDS[standing.stands]


def at_server(standing: Standing) -> tuple[str, str, str]:
    """A server's address, its name or whose it is, and what it has."""
    name = standing.name or {"public": _("public resolver"), "local": _("this machine's")}.get(
        standing.whose, ""
    )
    has = harmless(", ".join(standing.values))
    words = {
        "right": _("right"),
        "wrong": has,
        "missing": _("has none"),
        "silent": _("no answer: {has}", has=has),
    }
    return standing.server, harmless(name, 80), words[standing.stands]


def duration(seconds: int) -> str:
    """`42 s`, `4:12`, `1:02:03`."""
    hours, rest = divmod(seconds, 3600)
    if hours:
        return f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"{rest // 60}:{rest % 60:02}" if rest >= 60 else f"{rest} s"


def to_do(rows: Sequence[Row]) -> str:
    """What is to be done about all of them, in a sentence."""
    publish, correct = records.to_publish(rows), records.to_correct(rows)
    if publish and records.nothing_published(rows):
        return _(
            "Nothing is there yet: publish these {number}, from the top down", number=number(len(publish))
        )
    parts = [_("publish these {number}", number=number(len(publish)))] if len(publish) > 1 else []
    parts += [_("publish one")] if len(publish) == 1 else []
    parts += [_("correct {number}", number=number(len(correct)))] if correct else []
    provider = bool(records.for_provider(rows))
    if parts:
        said = _(" and ").join(parts) + (_("; your provider sets the PTR") if provider else "")
        return capitalized(said)
    if provider:
        return _("Your provider has to set the server's name (PTR)")
    waits = [one for one in rows if watching.holds_up(one)]
    waited = len(waits)
    if any(one.state.kind == "could not ask" for one in waits):
        unknown = sum(one.state.kind == "could not ask" for one in rows)
        said = ngettext(
            "one could not be asked: whether it is right is not known",
            "{number} could not be asked: whether they are right is not known",
            unknown,
            number=number(unknown),
        )
        return capitalized(said)
    if waited:
        return ngettext(
            "All is published; one is not right everywhere yet",
            "All is published; {number} are not right everywhere yet",
            waited,
            number=number(waited),
        )
    return _("All that mail needs is there and right")


def number(count: int) -> str:
    """A small number in letters."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def counted(rows: Sequence[Row]) -> str:
    """`3 of 19 right`."""
    return _("{sum} of {number} right", sum=sum(one.state.kind == "right" for one in rows), number=len(rows))
