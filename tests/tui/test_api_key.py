"""A lasting key of mailcow's API by keys alone: by itself or after the first mailbox; for whom, plan, key."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tui.piloted import piloted, shown, until

from mailcow_wizard.engine import api_key, first_mailbox, mending
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Command, Edit, Plan
from mailcow_wizard.tui import first_mailbox as first
from mailcow_wizard.tui import mending as screens
from mailcow_wizard.tui.app import WizardApp

KEY = "LASTING-aB3dE5gH7"
HERE = "172.22.1.1,127.0.0.1,::1"
ASKED: list[str] = []


def plan(fix: str, *steps: Any) -> Plan:
    return Plan("config.values", None, fix, f"Make {fix}", steps, "low", True, True, "It is there.")


def planned(_session: object, allowed: str) -> Plan:
    ASKED.append(allowed)
    before = b"MAILCOW_HOSTNAME=mail.example.org\n"
    after = before + f"API_KEY={KEY}\nAPI_ALLOW_FROM={allowed}\n".encode()
    return plan("api-key", Edit("/opt/mailcow-dockerized/mailcow.conf", before, after, 0o600))


@pytest.fixture(autouse=True)
def mailcow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A mailcow that takes all of it; what is asked of it is kept."""
    ASKED.clear()
    (tmp_path / "password").write_text("pass-word\n")
    monkeypatch.setattr(api_key, "planned", planned)
    monkeypatch.setattr(api_key, "this_machine", lambda _session: HERE)
    monkeypatch.setattr(first_mailbox, "planned", lambda *_: plan("first-mailbox", Command(("true",))))
    monkeypatch.setattr(first_mailbox, "made", lambda *_: "")
    monkeypatch.setattr(first_mailbox, "tried", lambda *_: _nothing())
    monkeypatch.setattr(first_mailbox, "password_file", lambda _: str(tmp_path / "password"))
    monkeypatch.setattr(screens.obstacles, "obstacle_of", lambda *_: "")
    done = mending.Outcome("1", "applied", None, "")
    monkeypatch.setattr(mending, "apply", lambda *_args, **_more: done)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


async def to_plan(app: WizardApp, pilot: Any, text: str = "") -> None:
    """From the question for whom it is to the plan."""
    await until(pilot, lambda: "Who may use the key" in shown(app))
    assert "this machine alone" in shown(app)
    for one in text:
        await pilot.press(one)
    await pilot.press("enter")
    await until(pilot, lambda: "Do this?" in shown(app))
    assert "+API_KEY=••••" in shown(app)
    assert KEY not in shown(app)


async def to_key(app: WizardApp, pilot: Any) -> None:
    await pilot.press("y")
    await until(pilot, lambda: "The key of mailcow's API" in shown(app))
    assert KEY not in shown(app)
    assert "/opt/mailcow-dockerized/mailcow.conf" in shown(app)
    await pilot.press("s")
    await until(pilot, lambda: KEY in shown(app))
    assert "curl" in shown(app)
    await pilot.press("escape")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_by_itself(tmp_path: Path, size: tuple[int, int]) -> None:
    async with piloted(tmp_path / "state", size=size) as (app, pilot):
        await pilot.press("K")
        await to_plan(app, pilot)
        await to_key(app, pilot)
        assert ASKED == [HERE]
        log = "\n".join(app.events_log)
        assert KEY not in log


async def test_for_another_address_and_never_for_everybody(tmp_path: Path) -> None:
    async with piloted(tmp_path / "state") as (app, pilot):
        await pilot.press("K")
        await until(pilot, lambda: "Who may use the key" in shown(app))
        for one in ",::/0":
            await pilot.press(one)
        await until(pilot, lambda: "is everybody" in shown(app))
        await pilot.press("enter")
        assert ASKED == []
        for _unused in range(4):
            await pilot.press("backspace")
        await to_plan_of(app, pilot, "203.0.113.9")
        assert ASKED[0] == f"{HERE},203.0.113.9"


async def to_plan_of(app: WizardApp, pilot: Any, address: str) -> None:
    for one in address:
        await pilot.press(one)
    await until(pilot, lambda: address in shown(app))
    assert "this machine alone" not in shown(app)
    await pilot.press("enter")
    await until(pilot, lambda: "Do this?" in shown(app))


@pytest.mark.parametrize(("answer", "comes"), [("k", True), ("y", False)])
async def test_after_the_first_mailbox(tmp_path: Path, answer: str, comes: bool) -> None:
    """Its password is shown first; the key comes when that is closed, with a question of its own."""
    async with piloted(tmp_path / "state") as (app, pilot):
        first.show(app)
        await until(pilot, lambda: "First mailbox" in shown(app))
        for one in "me@example.org":
            await pilot.press(one)
        await pilot.press("enter")
        await until(pilot, lambda: "Do this?" in shown(app))
        assert "Yes, and a key" in shown(app)
        assert "Most servers need none" in " ".join(shown(app).split())
        await pilot.press(answer)
        await until(pilot, lambda: "The new password of me@example.org" in shown(app))
        await pilot.press("escape")
        if comes:
            await to_plan(app, pilot)
            await to_key(app, pilot)
        else:
            await pilot.pause(0.3)
            assert "Who may use the key" not in shown(app)
        assert len(ASKED) == comes


async def test_what_is_in_the_way_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Plan:
        raise HostError("mailcow.conf has an API_KEY already")

    monkeypatch.setattr(api_key, "planned", refuse)
    async with piloted(tmp_path / "state") as (app, pilot):
        await pilot.press("K")
        await until(pilot, lambda: "Who may use the key" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "mailcow.conf has an API_KEY already" in shown(app))
