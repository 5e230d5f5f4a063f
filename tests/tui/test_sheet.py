"""A screen of text, before its parts are there and after they are gone."""

from collections.abc import Sequence

import pytest
from textual.app import App

from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part


class Text(Sheet[str]):
    """Three lines."""

    CSS_PATH = None

    def title_parts(self) -> Sequence[Part]:
        """One word."""
        return [("title", self.look.bold)]

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """One line."""
        return [[("text", self.look.plain)]]

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """One line."""
        return [[("foot", self.look.plain)]]

    def every(self) -> None:
        """All that a thread or a timer may ask of it at any time."""
        self.draw()
        self.draw_rule()
        self.action_edge(1)


@pytest.mark.asyncio
async def test_what_comes_too_early_or_too_late_is_no_mistake() -> None:
    app: App[None] = App()
    async with app.run_test(size=(40, 10)) as pilot:
        screen = Text(Look(False, True))
        screen.every()
        pushed = app.push_screen(screen)
        screen.every()
        await pushed
        await pilot.pause()
        assert screen.has_parts
        screen.every()
        screen.dismiss()
        await pilot.pause()
        assert not screen.has_parts
        screen.every()
