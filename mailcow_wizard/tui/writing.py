"""Sentences of the screens: a finding in full, the summary's verdict. Plain text with roles, no widgets."""

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap

from mailcow_wizard.install.stages import mends
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import STEPS, Finding
from mailcow_wizard.report.acknowledgements import words
from mailcow_wizard.tui.board import INSTALL, Board, Row
from mailcow_wizard.tui.look import WORDS
from mailcow_wizard.tui.parts import cut
from mailcow_wizard.typed import NamedTuple

_LABEL_WIDTH = 8
# Lines that what was found, what mends it, why it matters and what is needed have before any has more.
_LEAST = (2, 2, 1, 1)


class Line(NamedTuple):
    """A line of text: a label in its first cells, the words after it, and the role that styles the words.

    A status as role marks the finding's own sentence, which begins at the edge, as a link does.
    """

    label: str
    text: str
    role: str = ""


_CERTAINTY = {"inferred": _("inferred, not proved"), "untested": _("could not be tested")}
_SEVERITY = {
    "blocks": _("blocks the install"),
    "breaks": _("breaks mail"),
    "degrades": _("mailcow runs worse"),
    "advice": _("advice"),
}


def logged(finding: Finding) -> str:
    """What was found, in a line of the log."""
    return _(
        "{id}: {status} after {duration} ms",
        id=finding.id,
        status=WORDS[finding.status],
        duration=finding.duration_ms,
    )


def details(row: Row, width: int) -> list[Line]:
    """Everything about a row, wrapped to `width` cells."""
    finding = row.finding
    if finding is None:
        return [Line("", _("Looking…")), *_wrapped(_("Needed"), row.check.needed, width)]
    return [
        *(Line("", part, finding.status) for part in wrap(finding.summary, width, break_on_hyphens=False)),
        *_remedies(finding, width),
        *_wrapped(_("Found"), "" if finding.found == finding.summary else finding.found, width),
        *_wrapped(_("Needed"), _needed(finding), width),
        *_wrapped(_("Why"), finding.why, width),
        *(
            one
            for seen in finding.evidence
            for one in _wrapped(_("See"), f"{seen.what}  {seen.value}", width)
        ),
        *_wrapped(_("State"), _state(finding), width),
        # A link is never wrapped: broken in two it can be neither clicked nor copied.
        Line(_("More") if len(finding.doc) <= width - _LABEL_WIDTH else "", finding.doc, "link"),
    ]


def whole(row: Row, width: int, height: int) -> list[Line]:
    """Everything about a row; where it is longer than `height` its last line tells the key that shows all."""
    lines = details(row, width)
    return lines if len(lines) <= height else [*lines[: height - 1], _all_by_key()]


def _all_by_key() -> Line:
    return Line("", _("Enter shows all of it"), "dim")


def brief(row: Row, width: int, height: int, more: str) -> list[Line]:
    """A row in `height` lines of `width` cells: what was found, what is needed, what mends it and why.
    `more` is the mark, one cell wide, of what is cut.

    Each part has its first lines before any has more of them; the last line tells the key that shows all.
    """
    finding = row.finding
    if finding is None:
        return [Line("", _("Looking…")), *_wrapped(_("Needed"), row.check.needed, width)][:height]
    parts = (
        [Line("", part, finding.status) for part in wrap(finding.summary, width, break_on_hyphens=False)],
        _remedies(finding, width),
        _wrapped(_("Why"), finding.why, width),
        _wrapped(_("Needed"), _needed(finding), width),
    )
    room = max(1, height - 1)
    shares = _shares(room, parts)
    cells = (width, *[width - _LABEL_WIDTH] * 3)
    found, remedies, why, needed = (_first(*one, more) for one in zip(shares, parts, cells, strict=True))
    lines = [*found, *needed, *remedies, *why]
    blank = [Line("", "")] * (room - len(lines))
    return [*lines, *blank, _all_by_key()][:height]


def _shares(room: int, parts: Sequence[Sequence[Line]]) -> list[int]:
    """How many lines each part gets: first those it cannot do without, then all of it, in the order given."""
    lengths = [len(part) for part in parts]
    shares = [0] * len(parts)
    for most in (map(min, _LEAST, lengths), lengths):
        for place, wanted in enumerate(most):
            more = min(room, wanted - shares[place])
            shares[place] += more
            room -= more
    return shares


def _first(most: int, lines: list[Line], cells: int, more: str) -> list[Line]:
    """At most so many, the last with a mark where more would follow."""
    if len(lines) <= most or not most:
        return lines[:most]
    last, word = lines[most - 1], lines[most].text.partition(" ")[0]
    # What was wrapped goes on where its next word had no room; else a text of its own follows.
    rest = lines[most].text if len(last.text) + len(word) >= cells else more
    return [*lines[: most - 1], last._replace(text=cut(f"{last.text} {rest}", cells, more))]


def _remedies(finding: Finding, width: int) -> list[Line]:
    lines: list[Line] = []
    for number, text in enumerate(finding.remedies, 1):
        marked = f"{number}. {text}" if len(finding.remedies) > 1 else text
        lines += _wrapped(_("Mend") if number == 1 else "", marked, width, "remedy")
    return lines


def _needed(finding: Finding) -> str:
    """What is needed, unless the finding's own sentence says just that (a stage that was not begun)."""
    return "" if finding.needed == finding.summary else finding.needed


def _state(finding: Finding) -> str:
    parts = [WORDS[finding.status]]
    if finding.acknowledged:
        parts.append(_("acknowledged: {words}", words=words(finding.acknowledged)))
    if finding.status in ("warn", "fail"):
        parts.append(_SEVERITY[finding.severity])
    if finding.certainty in _CERTAINTY:
        parts.append(_CERTAINTY[finding.certainty])
    return ", ".join(parts) + f" ({finding.id})"


def _wrapped(label: str, text: str, width: int, role: str = "") -> list[Line]:
    if not text:
        return []
    space = max(10, width - _LABEL_WIDTH)
    parts = wrap(text, space, break_on_hyphens=False) or [""]
    return [Line(label if index == 0 else "", part, role) for index, part in enumerate(parts)]


def is_set_up(board: Board) -> bool:
    """Whether mailcow is here already: its containers were looked at, and that gave an answer."""
    found = (row.finding for row in board.rows("verify") if row.check.id == "mail.containers")
    return any(one is not None and one.status not in ("skipped", "crashed", "unknown") for one in found)


def _of_running(board: Board, failing: int) -> str:
    """Where a server stands on which mailcow is set up: nobody wants to install there."""
    own = [row.finding for row in board.rows("verify") if row.finding and row.finding.acknowledged is None]
    number = sum(one.status == "fail" for one in own)
    if number:
        return ngettext(
            "mailcow is set up here; 1 of its checks fails (step Verify). Mend that first.",
            "mailcow is set up here; {n} of its checks fail (step Verify). Mend them first.",
            number,
        )
    return ngettext(
        "mailcow is set up here, and no check of it fails; 1 of this machine does.",
        "mailcow is set up here, and no check of it fails; {n} of this machine do.",
        failing,
    )


def install_is_next(board: Board) -> bool:
    """Whether all was looked at, nothing blocks the install but what it mends itself, and nothing is there
    yet."""
    blocked = board.is_elsewhere or not all(mends(one) for one in board.findings() if _blocks(one))
    return not (board.running() or blocked or is_set_up(board) or board.state(INSTALL) == "pass")


def verdict(board: Board) -> str:
    """One sentence that says where the server stands."""
    counts = board.counts()
    if board.running():
        return _("Still looking: {running} checks have no answer yet.", running=board.running())
    blocking = [one for one in board.findings() if _blocks(one)]
    if counts["fail"] and is_set_up(board):
        return _of_running(board, counts["fail"])
    if board.is_elsewhere:
        return _("mailcow is here, from another directory: nothing is installed beside it.")
    if blocking and all(map(mends, blocking)):
        return _("What blocks the install it mends itself: i installs.")
    if blocking:
        return ngettext(
            "1 finding blocks the install. Mend it first.",
            "{n} findings block the install. Mend these first.",
            len(blocking),
        )
    if counts["fail"]:
        return ngettext(
            "Nothing blocks the install, but 1 check fails.",
            "Nothing blocks the install, but {n} checks fail.",
            counts["fail"],
        )
    if counts["crashed"]:
        return ngettext(
            "1 check could not be judged: a mistake of the wizard.",
            "{n} checks could not be judged: a mistake of the wizard.",
            counts["crashed"],
        )
    if counts["warn"]:
        return ngettext(
            "Nothing fails. 1 warning to read.", "Nothing fails. {n} warnings to read.", counts["warn"]
        )
    if counts["unknown"]:
        return ngettext(
            "Nothing fails, but 1 check has no answer.",
            "Nothing fails, but {n} checks have no answer.",
            counts["unknown"],
        )
    if counts["noted"]:
        return ngettext(
            "Ready for mailcow, with 1 finding acknowledged.",
            "Ready for mailcow, with {n} findings acknowledged.",
            counts["noted"],
        )
    return _("All of this is ready for mailcow.")


def not_looked_at(board: Board, width: int) -> Iterator[str]:
    """What no green here speaks of, in lines of `width` cells."""
    if board.not_looked_at:
        names = ", ".join(one.title for one in board.not_looked_at)
        yield from wrap(_("Not looked at: {names}.", names=names), max(10, width))
    skipped = Counter(row.check.step for row in board.skipped())
    if skipped:
        names = ", ".join(
            _(
                "{step} {some} of {all}",
                step=one.title,
                some=skipped[one.id],
                all=len(board.checks_of(one.id)),
            )
            for one in STEPS
            if one.id in skipped
        )
        yield from wrap(_("Skipped: {names}.", names=names), max(10, width))


def _blocks(finding: Finding) -> bool:
    return finding.status == "fail" and finding.severity == "blocks" and finding.acknowledged is None
