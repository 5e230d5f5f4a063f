"""Keys that follow each other at once do what they do one by one; what is said stays while more is heard."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from demo_config import DIRECTORY
from textual import events
from textual.screen import Screen
from tui.piloted import piloted, shown, until

from mailcow_wizard.model import Event, Settings
from mailcow_wizard.tui.app import WizardApp
from mailcow_wizard.tui.screens.decision import Asked, Decision
from mailcow_wizard.tui.screens.naming import Asked as Named
from mailcow_wizard.tui.screens.naming import Naming
from mailcow_wizard.tui.screens.palette import Command, Palette
from mailcow_wizard.tui.screens.text import Question, TextScreen
from mailcow_wizard.tui.widgets.welcome import Welcome

SAID = "Something was said of this."


def _type_at_once(app: WizardApp, *keys: str) -> None:
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.asyncio
async def test_a_letter_does_not_overtake_enter_in_the_palette(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("system")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        _type_at_once(app, *"go to kern", "enter", "z", "z")
        await until(pilot, lambda: app.current == "kernel")
        assert len(app.screen_stack) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("opens", ["question", "plan", "palette", "naming"])
async def test_an_answer_that_comes_twice_counts_once(tmp_path: Path, opens: str) -> None:
    async with piloted(tmp_path) as (app, pilot):
        answers: list[object] = []
        look, asked = app.look, Asked("title", "Do this?", lambda _width: ())
        made: dict[str, tuple[Callable[[], Screen[Any]], str]] = {
            "question": (lambda: Question(look, "Do this?"), "y"),
            "plan": (lambda: Decision(look, asked), "y"),
            "palette": (lambda: Palette(look, [Command("Do this?", "", "x")]), "enter"),
            "naming": (lambda: Naming(look, Named("Do this?", "", ""), lambda text: (text,), "x"), "enter"),
        }
        screen, key = made[opens]
        for below in range(2):
            if below:
                app.push_screen(TextScreen(look, "below", []))
            app.push_screen(screen(), answers.append)
            await until(pilot, lambda: "Do this?" in shown(app))
            _type_at_once(app, key, key, key)
            await until(pilot, lambda: bool(answers))
            await pilot.pause(0.2)
            assert len(answers) == 1
            assert len(app.screen_stack) == 1 + below
            answers.clear()


@pytest.mark.asyncio
async def test_a_name_that_comes_in_a_burst_is_what_was_typed(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("tab")
        fields = app.screen_stack[0].query_one(Welcome)._fields
        mistyped = (*"mial", "backspace", "backspace", "backspace")
        typed = ("ctrl+u", *mistyped, *"ail.example.or", "left", "right", "g")
        _type_at_once(app, *typed)
        await until(pilot, lambda: fields[0].value == "mail.example.org")
        _type_at_once(app, "end", "ctrl+w", *"net", "enter", "n", "n")
        await until(pilot, lambda: app.current != "welcome")
        await pilot.pause(0.2)
        assert fields[0].value == "mail.example.net"


@pytest.mark.asyncio
async def test_keys_behind_one_that_leaves_a_field_are_for_what_has_the_focus_then(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("tab")
        fields = app.screen_stack[0].query_one(Welcome)._fields
        names = ("ctrl+u", *"mx.example.org", "tab", "ctrl+u", *"example.net")
        _type_at_once(app, *names, "shift+tab", "backspace", "tab", "end", *"work", "escape", "n")
        await until(pilot, lambda: app.current != "welcome")
        await pilot.pause(0.2)
        assert [field.value for field in fields] == ["mx.example.or", "example.network"]


@pytest.mark.asyncio
async def test_many_letters_behind_one_that_leaves_a_field_are_written_at_once(tmp_path: Path) -> None:
    """As a terminal pastes that does not say so: 250 letters one after the other would take seconds."""
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("tab")
        fields = app.screen_stack[0].query_one(Welcome)._fields
        _type_at_once(app, "shift+tab", "tab", "ctrl+u", *("a" * 250), "tab", "ctrl+u", *"b.example")
        turns = app._turn
        await until(pilot, lambda: sorted(field.value for field in fields) == ["a" * 250, "b.example"])
        assert app._turn - turns < 20


@pytest.mark.asyncio
@pytest.mark.parametrize("pasted", [False, True])
@pytest.mark.parametrize(
    ("typed", "name"), [("mx.example.org", "mx.example.org"), (".example.org", "vm.example.org")]
)
async def test_a_guess_gives_way_to_what_is_typed_or_is_gone_on_with(
    tmp_path: Path, typed: str, name: str, pasted: bool
) -> None:
    async with piloted(tmp_path, Settings(DIRECTORY, hostname="vm")) as (app, pilot):
        field, domain = app.screen_stack[0].query_one(Welcome)._fields
        await until(pilot, lambda: field.has_focus)
        if pasted:
            app.post_message(events.Paste(typed))
        else:
            _type_at_once(app, *typed)
        await until(pilot, lambda: (field.value, domain.value) == (name, "example.org"))
        # What was typed is no guess: who comes back goes on with it. The domain that followed is one.
        _type_at_once(app, "tab", *"b.example", "shift+tab", "e", "tab", *"s")
        await until(pilot, lambda: (field.value, domain.value) == (f"{name}e", "b.examples"))


@pytest.mark.asyncio
async def test_a_dot_goes_where_the_cursor_was_put(tmp_path: Path) -> None:
    async with piloted(tmp_path, Settings(DIRECTORY, hostname="mxexample")) as (app, pilot):
        field, _domain = app.screen_stack[0].query_one(Welcome)._fields
        await until(pilot, lambda: field.has_focus)
        _type_at_once(app, "home", "right", "right", *".a.")
        await until(pilot, lambda: field.value == "mx.a.example")


@pytest.mark.asyncio
async def test_after_a_name_that_cannot_be_used_typing_goes_on(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("tab")
        fields = app.screen_stack[0].query_one(Welcome)._fields
        await pilot.press("ctrl+u", "enter")
        await until(pilot, lambda: not fields[0].sent)
        await pilot.press(*"mx.example.org", "tab")
        await until(pilot, lambda: fields[0].value == "mx.example.org" and fields[1].has_focus)
        await pilot.press("shift+tab", "escape")
        await until(pilot, lambda: app.focused is None)


@pytest.mark.asyncio
async def test_what_is_said_stays_while_more_is_heard(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        for step in ("welcome", "kernel"):
            app.go_to(step)
            await pilot.pause()
            app.show_keys(SAID)
            app._take([Event("started", "system.memory")])
            app._draw_heard()
            await pilot.pause()
            assert SAID in shown(app), step
        app.action_again()
        await until(pilot, lambda: SAID not in shown(app))
        app.show_keys(SAID)
        await until(pilot, lambda: SAID in shown(app))
        await pilot.press("down")
        await until(pilot, lambda: SAID not in shown(app))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("letter", "key", "top"), [("n", "alt+n", 1), ("R", "alt+shift+r", 1), ("?", "alt+question_mark", 2)]
)
async def test_esc_and_a_key_in_one_packet_are_both_pressed(
    tmp_path: Path, letter: str, key: str, top: int
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("system")
        await pilot.press("l")
        await until(pilot, lambda: len(app.screen_stack) == 2 and "What was run" in shown(app))
        app.post_message(events.Key(key, letter))
        await until(pilot, lambda: "What was run" not in shown(app) and len(app.screen_stack) == top)
        await until(pilot, lambda: app.current == ("kernel" if letter == "n" else "system"))
        await until(pilot, lambda: letter != "?" or "Help" in shown(app))


@pytest.mark.asyncio
async def test_what_follows_esc_and_a_key_in_one_packet_comes_after_both(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("system")
        await pilot.press("l")
        await until(pilot, lambda: len(app.screen_stack) == 2 and "What was run" in shown(app))
        app.post_message(events.Key("alt+n", "n"))
        app.post_message(events.Key("question_mark", "?"))
        await until(pilot, lambda: "Help" in shown(app))
        assert app.current == "kernel"


@pytest.mark.asyncio
async def test_keys_are_taken_whenever_a_screen_opens_behind_tab(tmp_path: Path) -> None:
    """A screen that another one covers does not say any more that it was drawn."""
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("system")
        for steps in range(40):
            _type_at_once(app, "l")
            for _step in range(steps):
                await asyncio.sleep(0)
            _type_at_once(app, "shift+tab")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            _type_at_once(app, "escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_a_key_that_comes_when_the_screens_have_ended_is_nothing(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await pilot.pause()
    assert not app.screen_stack
    await app.on_event(events.Key("R", "R"))
    app._held.append(events.Key("R", "R"))
    await app.take_typed()
