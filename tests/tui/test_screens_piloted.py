"""What single screens say and refuse: the details, the palette, the log, the steps, the names, the way in."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.events import Paste
from tui.piloted import piloted, shown, until

from mailcow_wizard import language
from mailcow_wizard.answers.collecting import collect
from mailcow_wizard.engine.mending import Outcome
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.identity import Hostname
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.recording.recorded import FORMAT, RecordedHost
from mailcow_wizard.install.stages import STAGES
from mailcow_wizard.install.standing import Choices, Record, fresh
from mailcow_wizard.model import STEPS, Event, Settings
from mailcow_wizard.report import reach as report
from mailcow_wizard.tui.greeting import greeting
from mailcow_wizard.tui.install_run import InstallRun
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.reach_proof import ShownProof
from mailcow_wizard.tui.screens.changes import STATES, Changes
from mailcow_wizard.tui.screens.installing import InstallScreen
from mailcow_wizard.tui.screens.reach import ReachScreen
from mailcow_wizard.tui.screens.working import Working
from mailcow_wizard.tui.widgets.welcome import Welcome
from mailcow_wizard.tui.work import Work
from mailcow_wizard.tui.writing import Line

CONFIGURED = Hostname("mail.example.org", "mailcow.conf")


@pytest.mark.asyncio
async def test_enter_pressed_fast_opens_the_details_once(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("kernel")
        await pilot.pause()
        for _ in range(4):
            app._list.action_open()
        await until(pilot, lambda: len(app.screen_stack) > 1)
        await pilot.pause(0.2)
        assert len(app.screen_stack) == 2


@pytest.mark.asyncio
async def test_the_palette_finds_ids_and_says_where_nothing_fits(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("ctrl+p", *"zzz")
        assert "Nothing found. Esc goes back." in shown(app)
        await pilot.press("backspace", "backspace", "backspace", *"config")
        assert "Go to Configuration" in shown(app)
        await pilot.press("escape", "ctrl+p")
        assert "Ports: SMTP" not in shown(app)
        await pilot.press(*"ports.smtp", "enter")
        await until(pilot, lambda: app.current == "ports")
        row = app.row()
        assert row is not None
        assert row.check.id == "ports.smtp"


@pytest.mark.asyncio
async def test_what_is_pasted_narrows_a_list(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("ctrl+p")
        app.post_message(Paste(" ports.smtp\n"))
        await until(pilot, lambda: "Ports: SMTP" in shown(app) and "Go to System" not in shown(app))
        await pilot.press("escape")
        app.action_go("config")
        await pilot.press("s")
        await until(pilot, lambda: "MAILCOW_HOSTNAME" in shown(app))
        await pilot.press("slash")
        await until(pilot, lambda: "SKIP_CLAMD" not in shown(app))
        app.post_message(Paste("skip_\x07clamd"))
        await until(pilot, lambda: "SKIP_CLAMD" in shown(app) and "HTTP_PORT" not in shown(app))


@pytest.mark.asyncio
async def test_the_log_speaks_the_language(tmp_path: Path) -> None:
    language.use("de")
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("l")
        text = shown(app)
    # Which check ends first depends on the machine.
    assert re.search(r"(?m)^ [a-z]+\.[a-z0-9-]+: .* nach ", text)
    assert ": pass after" not in text


@pytest.mark.asyncio
async def test_steps_that_are_left_out_leave_a_mark(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        lines = {}
        for step in ("welcome", "dns", "summary"):
            app.go_to(step)
            await pilot.pause()
            lines[step] = shown(app).splitlines()[0].rstrip()
        assert lines["welcome"].startswith(" Welcome")
        assert lines["welcome"].endswith(" …")
        assert lines["dns"].startswith(" …")
        assert lines["dns"].endswith(" …")
        assert lines["summary"].startswith(" …")
        assert lines["summary"].endswith("Summary")
        await pilot.resize_terminal(250, 24)
        app.go_to("dns")
        await pilot.pause()
        assert "…" not in shown(app).splitlines()[0]


@pytest.mark.asyncio
async def test_a_typed_name_does_not_count_more_than_the_configured_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def configured(facts: Any) -> Hostname:
        said = facts.settings.hostname
        return Hostname(said, "option") if said else CONFIGURED

    monkeypatch.setattr("mailcow_wizard.engine.session.hostname", configured)
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("tab", "end", "ctrl+u", *"mx.example.net")
        await until(pilot, lambda: "mailcow.conf says mail.example.org, and that counts" in shown(app))
        assert "from mailcow.conf" not in shown(app)
        assert app.screen_stack[0].query_one(Welcome).answer() == ("mx.example.net", "example.net")
        await pilot.press("enter")
        await until(pilot, lambda: app.current != "welcome")
        assert app.session.answers.hostname == "mail.example.org"
        assert app.session.hostname() == CONFIGURED
    monkeypatch.setattr("mailcow_wizard.answers.collecting.hostname", configured)
    known = collect(app.session, app.session.given.choices).tables["server"]["hostname"]
    assert known == ("mail.example.org", "from mailcow.conf")


@pytest.mark.asyncio
async def test_notes_of_an_installs_stages_stand_below_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a stage's title is longer than the English ones."""
    german = STAGES[0]._replace(title="Voraussetzungen")
    monkeypatch.setattr("mailcow_wizard.tui.install_words.STAGES", (german, *STAGES[1:]))
    settings = {"directory": "/opt/mailcow-dockerized"}
    begun = fresh("run", "2026-11-27T17:00:00Z", "mail.example.org", settings, Choices())
    done = begun._replace(stages=tuple(one._replace(state="done", note="@") for one in begun.stages))
    async with piloted(tmp_path) as (app, pilot):
        await app.push_screen(InstallScreen(app.look, InstallRun(done), lambda: None))
        await pilot.pause()
        lines = shown(app).splitlines()
        assert any("Voraussetzungen" in line for line in lines)
        assert len({line.index("@") for line in lines if "@" in line}) == 1


@pytest.mark.asyncio
async def test_titles_of_changes_stand_below_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a change's state is a longer word than the English ones."""
    monkeypatch.setitem(STATES, "failed", ("fail", "fehlgeschlagen"))
    made: Any = [
        SimpleNamespace(
            id=str(n), at="2026-11-27T17:00:00Z", state=state, title="@", check="ports.smtp", unfinished=False
        )
        for n, state in enumerate(STATES, 7)
    ]
    async with piloted(tmp_path) as (app, pilot):
        await app.push_screen(Changes(app.look, made, lambda what, change: None))
        await pilot.pause()
        lines = [line for line in shown(app).splitlines() if "@" in line]
        assert len(lines) == len(STATES)
        assert len({line.index("@") for line in lines}) == 1


@pytest.mark.asyncio
async def test_the_cursor_stays_in_view_when_the_terminal_gets_smaller(tmp_path: Path) -> None:
    made: Any = [
        SimpleNamespace(
            id=str(n), at="2026-11-27T17:00:00Z", state="applied", title=f"@{n}", check="x", unfinished=False
        )
        for n in range(46)
    ]
    async with piloted(tmp_path) as (app, pilot):
        await app.push_screen(Changes(app.look, made, lambda what, change: None))
        await pilot.press("end")
        await until(pilot, lambda: "@45" in shown(app))
        await pilot.resize_terminal(60, 10)
        await until(pilot, lambda: "of 46" in shown(app) and len(shown(app).splitlines()) <= 10)
        await until(pilot, lambda: f"{app.look.glyphs.cursor} 45 " in shown(app))


def test_what_a_command_says_is_broken_between_words_and_set_in_deeper() -> None:
    work = Work("Start it", "ports.smtp", 1, lambda listen: Outcome("1", "undone", None, ""))
    work.lines.append(Line("", "    the control process exited with error code."))
    lines = Working(Look(False, False), work, lambda: None, lambda: None).body(32)
    assert ["".join(text for text, _style in line) for line in lines] == [
        "     the control process exited",
        "       with error code.",
    ]


@pytest.mark.asyncio
async def test_an_address_that_is_not_known_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "notes", lambda proof: ())
    said = "ADDRESS in this line: put this server's public address in its place."
    async with piloted(tmp_path) as (app, pilot):
        proofs = ShownProof(app.session, lambda: None)
        proof: Any = SimpleNamespace(
            forbidden=False, addresses=(), token="", ports=(), seconds_left=0, targets=(),
            all_arrived=False, told=False,
        )  # fmt: skip
        proofs._listen(proof)
        await app.push_screen(ReachScreen(app.look, proofs, lambda what, line: None))
        await pilot.pause()
        assert shown(app).count(said) == 1
        await pilot.press("c")
        assert shown(app).count(said) == 2


def test_a_recording_without_a_name_is_asked_for_one(tmp_path: Path) -> None:
    """It was made with --hostname, so the machine's own name was not asked for."""
    machine = RecordedHost({"format": FORMAT, "answers": {}})
    session = Session(machine, Settings(), StateDirectory(str(tmp_path)), recorded=True)
    said = greeting(session, session.new_facts(), STEPS)
    assert (said.values, said.origin) == (("", ""), "guess")


def test_a_name_that_was_said_last_time_is_from_last_time(tmp_path: Path) -> None:
    """Also where an unfinished install gives it as if it were on the line again."""
    machine = RecordedHost({"format": FORMAT, "answers": {}})
    settings = Settings(hostname="mail.example.org")
    session = Session(machine, settings, StateDirectory(str(tmp_path)), recorded=True)
    assert greeting(session, session.new_facts(), STEPS).origin == "option"
    session.keep(session.answers._replace(hostname="mail.example.org"))
    assert greeting(session, session.new_facts(), STEPS).origin == "saved"


def test_a_mailcow_whose_install_has_stopped_is_not_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its containers may run; its end, and the proof, are missing."""
    monkeypatch.setattr("mailcow_wizard.tui.greeting.is_set_up", lambda facts: True)
    machine = RecordedHost({"format": FORMAT, "answers": {}})
    session = Session(machine, Settings(), StateDirectory(str(tmp_path)))
    assert greeting(session, session.new_facts(), STEPS).there
    begun = fresh("1", "2026-01-01T00:00:00Z", "mail.example.org", {"directory": "/"}, Choices())
    Record(session.state).save(begun._replace(state="failed"))
    assert not greeting(session, session.new_facts(), STEPS).there


@pytest.mark.parametrize(
    ("place", "key", "asked"),
    [
        ("summary", "w", "mailcow_wizard.tui.answering.collect"),
        ("install", "i", "mailcow_wizard.install.outlook.present"),
        ("config", "s", "mailcow_wizard.tui.settings.open_draft"),
        ("verify", "K", "mailcow_wizard.engine.api_key.this_machine"),
    ],
)
@pytest.mark.asyncio
async def test_a_mistake_beside_the_screen_is_told(
    place: str, key: str, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not printed over it; and nobody waits for what does not come."""

    def mistaken(*_unused: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(asked, mistaken)
    async with piloted(tmp_path) as (app, pilot):
        app.go_to(place)
        await pilot.press(key)
        await until(pilot, lambda: "The wizard made a mistake here: ZeroDivisionError" in shown(app))
        assert len(app.screen_stack) == 1


@pytest.mark.asyncio
async def test_a_server_without_a_name_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailcow_wizard.engine.session.hostname", lambda facts: Hostname("vm", "guess"))
    async with piloted(tmp_path) as (app, pilot):
        await until(pilot, lambda: "a full name is needed" in shown(app) and app.focused is not None)
        await pilot.press("escape")
        await until(pilot, lambda: "go on without them" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.focused is not None)
        await pilot.press("n", "enter")
        await pilot.pause()
        assert app.current == "welcome"
        await pilot.press("escape", "n", "n")
        await until(pilot, lambda: app.current == "kernel")
        assert app.session.answers.hostname == ""


@pytest.mark.asyncio
async def test_the_summary_names_the_install_where_it_comes_next(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("summary")
        await pilot.pause()
        assert "i install" not in shown(app)
        run = app.board.ask(())
        for one in app.board.findings():
            passed = one._replace(status="skipped" if one.step == "verify" else "pass", subject=None)
            app.board.hear(Event("finished", one.id, (passed,)), run)
        app.show_step("summary")
        await until(pilot, lambda: "i install" in shown(app))
