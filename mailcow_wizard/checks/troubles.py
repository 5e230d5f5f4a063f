"""Judgements over several troubles at once: the worst one leads, the others are named behind it."""

from collections.abc import Sequence

from mailcow_wizard.language import _
from mailcow_wizard.model import Certainty, Evidence, Judgement, Severity, Status
from mailcow_wizard.typed import NamedTuple

_WORST_FIRST: tuple[Status, ...] = ("fail", "warn", "unknown")


class Trouble(NamedTuple):
    """One thing that is not as it should be. `words` is short, lower case, without a full stop; the rest
    replaces the check's own where this trouble leads."""

    status: Status
    words: str
    remedies: tuple[str, ...] = ()
    severity: Severity | None = None
    why: str | None = None
    doc: str | None = None
    certainty: Certainty = "proved"


def judged(troubles: Sequence[Trouble], evidence: tuple[Evidence, ...], found: str = "") -> Judgement:
    """What these troubles, one at least, make together; `found` is what else there is to say."""
    ordered = sorted(troubles, key=lambda one: _WORST_FIRST.index(one.status))
    first = ordered[0]
    summary = first.words
    if len(ordered) == 2:
        summary = _("{first}; also: {second}", first=first.words, second=ordered[1].words)
    elif len(ordered) > 2:
        summary = _(
            "{first}; also: {second}; {n} more",
            first=first.words,
            second=ordered[1].words,
            n=len(ordered) - 2,
        )
    return Judgement(
        first.status,
        summary,
        "; ".join([*(one.words for one in ordered), *([found] if found else [])]),
        evidence,
        tuple(dict.fromkeys(remedy for one in ordered for remedy in one.remedies)),
        certainty=first.certainty if first.status != "unknown" else "untested",
        severity=first.severity,
        why=first.why,
        doc=first.doc,
    )


def skipped(reason: str) -> Judgement:
    """What makes no sense yet, with the reason."""
    return Judgement("skipped", reason, certainty="untested")


def word(text: str) -> str:
    """A path, or a unit's name (my\\x2dmail.service), as one word of a shell."""
    import shlex

    return shlex.quote(text)


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return _(" and ").join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
