"""The screen of the names that mailcow will try for its certificate."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailcow_wizard.facts.dns.certificate import APART, NOT_ASKED
from mailcow_wizard.facts.dns.overview import Overview
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _
from mailcow_wizard.report.dns import CERTIFICATE, FATES
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.text import TextScreen
from mailcow_wizard.tui.widgets.lines import Part

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard

_MARKS = {"asked for": "pass", "left out": "warn", "refused": "fail", "open": "unknown"}
_INDENT = 4


def show(app: Wizard, found: Overview) -> None:
    """Opens it."""

    def lines(width: int) -> list[list[Part]]:
        return list(_lines(app.look, found, max(20, width - 4)))

    app.push_screen(TextScreen(app.look, CERTIFICATE, lines))


def _lines(look: Look, found: Overview, width: int) -> Iterator[list[Part]]:
    known = found.certificate
    if known is None:
        yield from _wrapped(look, _("This could not be asked: {trouble}", trouble=found.trouble), width)
        return
    if not known.asks:
        yield from _wrapped(look, NOT_ASKED, width)
        return
    for one in known.verdicts:
        mark = _MARKS[one.fate]
        yield [
            (f" {look.glyph(mark)} ", look.state(mark)),
            (look.text(harmless(one.name, 100)), look.bold),
            (f"  {FATES[one.fate]}", look.plain),
        ]
        yield from _wrapped(look, one.words, width)
    if known.apart:
        yield from _wrapped(look, APART, width)


def _wrapped(look: Look, text: str, width: int) -> Iterator[list[Part]]:
    for line in textwrap.wrap(harmless(text, 400), width - _INDENT):
        yield [(" " * _INDENT + look.text(line), look.plain)]
