"""Makes the pictures of every screen from the recorded machine that ships with the wizard.

`python screenshots/make.py` writes screenshots/*.svg; a test compares them with what it would write now.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from textual.pilot import Pilot

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.recorded import DEMO, load
from mailcow_wizard.host.state import StateDirectory
from mailcow_wizard.model import Settings
from mailcow_wizard.tui.app import Wizard
from mailcow_wizard.tui.look import Look

HERE = Path(__file__).parent
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
WALK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("welcome", ()),
    ("system", ("enter",)),
    ("kernel", ("n",)),
    ("ports", ("n",)),
    ("ports-details", ("enter",)),
    ("time", ("escape", "n")),
    ("summary", ("n",)),
    ("help", ("question_mark",)),
)
"""Names of the pictures, and the keys that lead from each to the next."""


def open_demo(state: str) -> Session:
    """A session on the demo machine that keeps its answers in `state`."""
    host = load(DEMO)
    return Session(host, Settings(directory=host.directory), StateDirectory(state))


async def settle(app: Wizard) -> None:
    """Waits until every check has its finding."""
    for _ in range(500):
        await asyncio.sleep(0.01)
        if not app.board.running() and len(app.events_log) >= len(all_checks()):
            return


async def drawn_still(app: Wizard, pilot: Pilot[int]) -> str:
    """The screen as SVG when it has not changed for a while."""
    seen: list[str] = []
    while len(seen) < 4 or len(set(seen[-4:])) > 1:
        await pilot.pause(0.05)
        seen.append(app.export_screenshot(title="mailcow-wizard"))
    return seen[-1]


async def pictures(size: tuple[int, int]) -> dict[str, str]:
    """Every screen as SVG, by name."""
    drawn: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as state:
        session = open_demo(state)
        app = Wizard(session, session.new_facts(), Look(ascii_only=False, colour=True))
        async with app.run_test(size=size) as pilot:
            await settle(app)
            for name, keys in WALK:
                for key in keys:
                    await pilot.press(key)
                    await pilot.pause(0.05)
                drawn[name] = await drawn_still(app, pilot)
    return drawn


def all_pictures() -> Iterator[tuple[str, str]]:
    """File names and contents."""
    for label, size in SIZES.items():
        for name, svg in asyncio.run(pictures(size)).items():
            yield f"{name}-{label}.svg", svg


if __name__ == "__main__":
    for old in HERE.glob("*.svg"):
        old.unlink()
    for file_name, svg in all_pictures():
        (HERE / file_name).write_text(svg, encoding="utf-8")
