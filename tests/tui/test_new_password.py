"""The screen of a new password: it shows it once, when it is asked to, and never by itself."""

from pathlib import Path

from textual.app import App

from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.new_password import NewPassword
from mailcow_wizard.tui.widgets.lines import Lines


def text(app: App[None]) -> str:
    """What the screen shows."""
    rows = [app.screen.query_one(f"#{one}", Lines) for one in ("title", "text", "close")]
    return "\n".join(one.render_line(y).text for one in rows for y in range(one.size.height))


async def test_shown_once(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("Ge[heim]-4711\n")
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        for shown in ("Ge[heim]-4711", "is not there any more"):
            app.push_screen(NewPassword(Look(False, True), "me@example.org", str(file)))
            await pilot.pause()
            assert "me@example.org" in text(app)
            assert str(file) in text(app)
            assert "4711" not in text(app)
            await pilot.press("s")
            await pilot.pause()
            assert shown in text(app)
            assert not file.exists()
            await pilot.press("escape")
            await pilot.pause()
