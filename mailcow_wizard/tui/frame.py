"""The lines around a step: the breadcrumb or rail of steps, the heading, the line of keys."""

from collections.abc import Collection, Sequence

from mailcow_wizard.language import _
from mailcow_wizard.model import Step
from mailcow_wizard.tui.board import Board
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.parts import Part

WIDE = (100, 30)
"""Columns and rows from which on the rail of steps stands at the side."""
LOW = 16
"""Fewer rows than these have room for the list only."""
RAIL_WIDTH = 26

Keys = Sequence[tuple[str, str]]

WELCOME_KEYS: Keys = (
    ("Enter", _("next")),
    ("Tab", _("change the names")),
    ("?", _("help")),
    ("q", _("quit")),
)
"""On the first screen, while no field is typed in."""
NAMELESS_KEYS: Keys = (
    ("Enter", _("type the names")),
    ("n", _("go on without them")),
    ("?", _("help")),
    ("q", _("quit")),
)
"""The same where the names cannot be used."""

_MARK = 2
"""The cells of the mark where steps are left out."""
_ALWAYS, _ALWAYS_FROM = ("?", "q"), 60
"""Keys that are always named, on lines of so many columns or more."""


def is_wide(columns: int, rows: int) -> bool:
    """Whether the steps stand at the side."""
    return columns >= WIDE[0] and rows >= WIDE[1]


def inside(columns: int, rows: int) -> tuple[int, int]:
    """The columns and rows that the frame leaves to a step on a screen of that size; as app.tcss says."""
    if is_wide(columns, rows):
        return columns - RAIL_WIDTH, rows - 4
    return columns, rows - (2 if rows < LOW else 3)


def breadcrumb(look: Look, board: Board, current: str, room: int) -> list[Part]:
    """All steps with their states in one line, for narrow screens; the current one stands out."""
    names = [
        (step, look.glyph(state) if (state := board.state(step.id)) != "none" else "") for step in board.steps
    ]
    shown = _around(names, current, room)
    crumbs = [part for step, glyph in shown for part in _crumb(look, board, step, glyph, current)]
    mark = [(f" {look.glyphs.ellipsis}", look.dim)]
    before, after = shown[0] != names[0], shown[-1] != names[-1]
    return [*(mark if before else []), *crumbs, *(mark if after else [])]


def _crumb(look: Look, board: Board, step: Step, glyph: str, current: str) -> list[Part]:
    title = f" {step.title} "
    return [
        (f" {glyph}" if glyph else "", look.state(board.state(step.id))),
        (title, look.selected if step.id == current else look.plain),
    ]


def _around(names: Sequence[tuple[Step, str]], current: str, room: int) -> list[tuple[Step, str]]:
    """The current step and as many about it as there is room for, its neighbours at least."""
    here = next((number for number, (step, _unused) in enumerate(names) if step.id == current), 0)
    first, end = max(0, here - 1), here + 2
    while first > 0 or end < len(names):
        more = max(0, first - 1), end + 1
        marks = _MARK * ((more[0] > 0) + (more[1] < len(names)))
        if _width(names[slice(*more)]) + marks > room:
            break
        first, end = more
    return list(names[first:end])


def _width(names: Sequence[tuple[Step, str]]) -> int:
    return sum(len(step.title) + len(glyph) + 3 for step, glyph in names)


def rail(look: Look, board: Board, current: str) -> list[list[Part]]:
    """The steps below each other with state and count, for wide screens."""
    lines: list[list[Part]] = [[], [(" mailcow-wizard", look.bold)], []]
    for step in board.steps:
        state = board.state(step.id)
        glyph = " " if state == "none" else look.glyph(state)
        style = look.selected if step.id == current else look.plain
        counts = _counts(board, step.id)
        title = f" {step.title} "
        gap = " " * max(1, 22 - len(title) - len(counts) - 4)
        lines.append([(f" {glyph} ", look.state(state)), (title, style), (gap + counts, look.dim)])
        lines.append([])
    return lines


def _counts(board: Board, step: str) -> str:
    """`12/13`: how many of a step's rows are right; nothing while it has none."""
    if step in ("welcome", "summary"):
        return ""
    counts = board.counts(step)
    return f"{counts['pass']}/{sum(counts.values())}" if counts else ""


def heading(look: Look, title: str, about: str) -> list[Part]:
    """The step and what it is about."""
    return [(f" {title}", look.bold), (f"  {look.text(about)}", look.dim)]


def key_line(look: Look, keys: Keys, room: int, always: Collection[str] | None = None) -> list[Part]:
    """Keys and what they do, as many as have room. Those that are `always` there come first: where nothing is
    said, in a line that is not short, the way to the others (help) and the way out."""
    if always is None:
        always = _ALWAYS if room >= _ALWAYS_FROM else ()
    parts: list[Part] = []
    for key, does in _fitting(keys, room, always):
        parts += [(f" {key}", look.bold), (f" {does} ", look.plain)]
    return parts


def _fitting(keys: Keys, room: int, always: Collection[str]) -> Keys:
    kept = [one for one in keys if one[0] in always]
    left = room - sum(map(_taken, kept))
    for one in keys:
        if one in kept:
            continue
        if _taken(one) <= left:
            left -= _taken(one)
            kept.append(one)
    return sorted(kept, key=keys.index)


def _taken(key: tuple[str, str]) -> int:
    return len(key[0]) + len(key[1]) + 3
