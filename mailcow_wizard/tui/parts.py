"""Lines as they are made before anything draws them: styled parts, and how they are cut to a width."""

from collections.abc import Sequence

from rich.style import Style

from mailcow_wizard.harmless import shown
from mailcow_wizard.tui.look import Look

Part = tuple[str, Style]


def harmless_parts(line: Sequence[Part], look: Look | None = None) -> tuple[Part, ...]:
    """The line without what a terminal would take for more than text, in the letters that it has."""
    if look and look.ascii_only:
        line = [(look.text(text), style) for text, style in line]
    return tuple((shown(text, lines=False), style) for text, style in line)


def length(parts: Sequence[Part]) -> int:
    """How many cells the parts take."""
    from rich.cells import cell_len

    return sum(cell_len(text) for text, _unused in parts)


def cut(text: str, width: int, ellipsis: str) -> str:
    """The text in at most `width` cells."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + ellipsis if width > 1 else ""


def fitted(parts: Sequence[Part], width: int, ellipsis: str) -> Sequence[Part]:
    """The line in at most `width` cells; a mark tells where words were cut off."""
    if length(parts) <= width:
        return parts
    whole, rest = _divided(parts, width)
    if width < 2 or not "".join(text for text, _unused in rest).strip():
        return whole
    return [*_divided(parts, width - 1)[0], (ellipsis, parts[-1][1])]


def _divided(parts: Sequence[Part], width: int) -> tuple[list[Part], list[Part]]:
    """What is in so many cells, and the rest; half a wide character is a space."""
    from rich.cells import cell_len, set_cell_size

    inside: list[Part] = []
    for number, (text, style) in enumerate(parts):
        takes = cell_len(text)
        if takes > width:
            start = set_cell_size(text, width)
            inside.append((start, style))
            return inside, [(text[len(start) :], style), *parts[number + 1 :]]
        inside.append((text, style))
        width -= takes
    return inside, []
