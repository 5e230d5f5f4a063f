"""The first run beside the screen: what the screen need not import for it, and when it ends early."""

import subprocess
import sys

# In a Python of its own: imports are for ever, and a process that forks should have no threads.
SCREEN = """
import asyncio, os, signal, sys
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Settings
from mailcow_wizard.tui.app import WizardApp
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.looking import Looking
from tests.demo_config import DIRECTORY
from tests.demo_machine import DemoMachine
from tests.tui.piloted import until

session = Session(DemoMachine(), Settings(DIRECTORY), StateDirectory("/proc/nonexistent"), recorded=True)
facts = session.new_facts()
looking = Looking(session, facts)
app = WizardApp(session, facts, Look(ascii_only=False, colour=False), looking)

def imported():
    names = [name.split(".") for name in sys.modules if name.startswith("mailcow_wizard.checks.")]
    return ",".join(sorted({name[2].partition("_")[0] for name in names})) or "none"

async def main():
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app._complete and app.board.answered)
        seen = {one.status for one in app.board.findings()}
        print(imported(), len(app.board.checks()), seen >= {"pass", "fail"})
        await then(pilot)

async def then(pilot):
    pass
"""
END = "asyncio.run(main())\nlooking.end()\n"


def _python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def _of_all_checks() -> int:
    return int(_python("from mailcow_wizard import checks; print(len(checks.all_checks()))"))


def test_the_screen_has_all_findings_and_imported_no_check() -> None:
    assert _python(SCREEN + END) == f"none {_of_all_checks()} True"


def test_one_check_again_imports_its_topic_alone() -> None:
    again = """
async def then(pilot):
    some = app.board.checks_of("kernel")
    app.look_again(some)
    await until(pilot, lambda: imported() != "none" and app.board.answered)
    print(imported())
"""
    topics = {*_python(SCREEN + again + END).splitlines()[1].split(",")}
    assert "kernel" in topics
    assert not topics & {"dns", "docker", "network", "mail"}


def test_nothing_again_looks_at_nothing() -> None:
    nothing = """
async def then(pilot):
    app.look_again(())
    await pilot.pause(0.2)
    print(app.board.answered, imported())
"""
    assert _python(SCREEN + nothing + END).splitlines()[1] == "True none"


def test_a_run_that_was_killed_is_made_here() -> None:
    killed = "os.kill(looking._child._pid, signal.SIGKILL)\n"
    said = _python(SCREEN + killed + END)
    assert said.split()[1:] == [str(_of_all_checks()), "True"]
    assert "ports" in said
