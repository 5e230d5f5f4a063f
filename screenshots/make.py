"""Makes the pictures of every screen from the recorded machine that ships with the wizard.

`python screenshots/make.py` writes screenshots/*.svg; a test compares them with what it would write now.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from textual.pilot import Pilot

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine import mending, readable
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.recording.recorded import DEMO, load
from mailcow_wizard.model import Settings
from mailcow_wizard.tui import book
from mailcow_wizard.tui.app import WizardApp
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.mending import begin
from mailcow_wizard.tui.work import Work

HERE = Path(__file__).parent
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
MAKE = "(make)"
"""Not a key: a recorded machine cannot be changed, so the work is played."""

WALK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("welcome", ()),
    ("system", ("enter",)),
    ("kernel", ("go kernel",)),
    ("ports", ("go ports",)),
    ("ports-details", ("enter",)),
    ("choices", ("escape", *("down",) * 8, "f")),
    ("plan", ("enter",)),
    ("applied", ("escape", "escape", "home", "f", "enter", MAKE)),
    ("changes", ("escape", "escape", "escape", "U")),
    ("network", ("escape", "go network")),
    ("dns", ("go dns",)),
    ("records", ("t",)),
    ("waiting", ("w",)),
    ("time", ("w", "escape", "go time")),
    ("docker", ("go docker",)),
    ("config", ("go config",)),
    ("settings", ("s", *("down",) * 5, "enter")),
    ("install", ("escape", "go install")),
    ("verify", ("go verify",)),
    ("summary", ("go summary",)),
    ("help", ("question_mark",)),
)
"""Names of the pictures, and the keys that lead from each to the next; `go` leads to a step."""

CHANGES = (
    ("2026-09-21T13:58:02Z", "ports.smtp", "applied"),
    ("2026-09-21T13:57:45Z", "system.swap", "applied"),
    ("2026-09-21T13:51:10Z", "config.permissions", "undone"),
)
"""What the wizard would have changed on that machine: when, for which check, its state now."""


def open_demo(state: str) -> Session:
    """A session on the demo machine that keeps its answers in `state`."""
    host = load(DEMO)
    return Session(host, Settings(directory=host.directory), StateDirectory(state))


async def settle(app: WizardApp) -> None:
    """Waits until every check has its finding."""
    for _ in range(500):
        await asyncio.sleep(0.01)
        if not app.board.running() and len(app.events_log) >= len(all_checks()):
            return


async def drawn_still(app: WizardApp, pilot: Pilot[int]) -> str:
    """The screen as SVG when it has not changed for a while."""
    seen: list[str] = []
    while len(seen) < 4 or len(set(seen[-4:])) > 1 or (app.book and app.book.asking):
        await pilot.pause(0.05)
        seen.append(app.export_screenshot(title="mailcow-wizard"))
    return seen[-1]


def keep_changes(session: Session) -> None:
    """Writes a journal as that machine would have it."""
    journal = Journal(session.state)
    for at, check, state in reversed(CHANGES):
        plan = mending.offers(session, check)[0].plan()
        change = journal.add(plan, {}, at, session.settings._asdict())
        standing = journal.standing(change)
        back = ("done",) * len(plan.steps) if state == "undone" else standing.back
        journal.write(change, standing._replace(state=state, marks=("done",) * len(plan.steps), back=back))


def play(app: WizardApp) -> None:
    """Shows how stopping exim4 would have gone."""
    plan = mending.offers(app.session, "ports.smtp")[0].plan()

    def work(listen: Callable[[mending.Progress], None]) -> mending.Outcome:
        for number, step in enumerate(plan.steps):
            listen(mending.Progress("step", number, readable.line(step)))
            listen(mending.Progress("done", number, ""))
        listen(mending.Progress("check", -1, plan.check))
        finding = next(one for one in app.board.findings() if one.id == plan.check)
        return mending.Outcome("1", "applied", finding._replace(status="pass", summary="port 25 is free"), "")

    begin(app, Work(plan.title, plan.check, len(plan.steps), work))


async def pictures(size: tuple[int, int]) -> dict[str, str]:
    """Every screen as SVG, by name."""
    drawn: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as state:
        session = open_demo(state)
        keep_changes(session)
        app = WizardApp(session, session.new_facts(), Look(ascii_only=False, colour=True))
        async with app.run_test(size=size) as pilot:
            await settle(app)
            for name, keys in WALK:
                for key in keys:
                    if key == MAKE:
                        play(app)
                    elif key.startswith("go "):
                        app.go_to(key.removeprefix("go "))
                    else:
                        await pilot.press(key)
                    await drawn_still(app, pilot)
                drawn[name] = await drawn_still(app, pilot)
    return drawn


def all_pictures() -> Iterator[tuple[str, str]]:
    """File names and contents."""
    # Times are shown as the clock of the one who looks shows them.
    os.environ["TZ"] = "UTC"
    time.tzset()
    # What counts down stands still.
    book.clock = lambda: 0.0
    for label, size in SIZES.items():
        for name, svg in asyncio.run(pictures(size)).items():
            yield f"{name}-{label}.svg", svg


if __name__ == "__main__":
    drawn = dict(all_pictures())
    for old in HERE.glob("*.svg"):
        old.unlink()
    for file_name, svg in drawn.items():
        (HERE / file_name).write_text(svg, encoding="utf-8")
