"""Nothing that matters is cut off: notices, choices, questions, the way out; and what is said where there is
nothing to do."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from tui.piloted import piloted, shown, until
from tui.test_asked_again import Runs

from mailcow_wizard import language
from mailcow_wizard.engine.mending import Outcome
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.tui import greeting, mending
from mailcow_wizard.tui.app import WizardApp
from mailcow_wizard.tui.frame import inside
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.decision import Asked, Decision
from mailcow_wizard.tui.screens.text import Question
from mailcow_wizard.tui.typing_line import TypingLine
from mailcow_wizard.tui.work import Work

SMALL = (60, 15)


def words(app: WizardApp) -> str:
    """What the screen on top shows, its lines as one."""
    return " ".join(shown(app).split())


async def at(app: WizardApp, pilot: Pilot[int], step: str, check: str = "") -> None:
    """Goes to a check of a step."""
    app.action_go(step, check)
    await pilot.pause(0.2)


async def test_a_choice_is_told_whole_with_the_way_out(tmp_path: Path) -> None:
    async with piloted(tmp_path, size=SMALL) as (app, pilot):
        await at(app, pilot, "ports", "ports.smtp")
        await pilot.press("f")
        await until(pilot, lambda: "show the plan" in shown(app))
        assert "Esc back" in shown(app)
        await pilot.press("down", "down")
        await until(pilot, lambda: "no mail from outside arrives" in words(app))


async def test_the_way_out_of_the_records_is_told(tmp_path: Path) -> None:
    async with piloted(tmp_path, size=SMALL) as (app, pilot):
        await at(app, pilot, "dns")
        await pilot.press("t")
        await until(pilot, lambda: "Enter in full" in shown(app))
        assert "Esc back" in shown(app)


@pytest.mark.parametrize("size", [SMALL, (20, 5)])
async def test_why_something_cannot_be_done_is_told_whole(tmp_path: Path, size: tuple[int, int]) -> None:
    why = "port 25 is taken (the container mailcowdockerized-postfix-mailcow-1); first: docker stop it"
    async with piloted(tmp_path, size=SMALL) as (app, pilot):
        await pilot.resize_terminal(*size)
        app.push_screen(Decision(app.look, Asked("Take back: this", "", lambda width: (), obstacle=why)))
        await until(pilot, lambda: "Port 25 is taken" in shown(app))
        assert "Esc back" in shown(app)
        seen = words(app)
        for _line in range(8):
            await pilot.press("down")
            seen += words(app)
        told = ("Port 25 is taken", "the container", "first: docker", "it.")
        assert not [one for one in told if one not in seen]
        assert size != SMALL or f"P{why[1:]}." in seen


@pytest.mark.parametrize("size", [SMALL, (80, 24), (120, 40)])
async def test_a_long_notice_takes_the_lines_it_needs_and_gives_them_back(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with piloted(tmp_path, size=size) as (app, pilot):
        await at(app, pilot, "verify")
        before = shown(app)
        await pilot.press(*"+me@example.org", "enter")
        await until(pilot, lambda: "This cannot be made" in shown(app))
        await until(pilot, lambda: "there is no container of the project mailcowdockerized." in words(app))
        assert "▸" in shown(app)
        await pilot.press("escape")
        await until(pilot, lambda: shown(app) == before)


async def test_an_endless_notice_leaves_the_list_alone(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await at(app, pilot, "ports")
        app.show_keys("word " * 2000)
        await pilot.pause(0.2)
        assert sum("word word" in line for line in shown(app).splitlines()) == 3
        assert shown(app).rstrip().endswith("…")
        assert "▸ ✗ blocks  SMTP" in shown(app)


async def test_details_that_are_longer_than_their_place_say_so(tmp_path: Path) -> None:
    async with piloted(tmp_path, size=(120, 40)) as (app, pilot):
        await at(app, pilot, "network", "network.outbound-25")
        assert "Enter shows all of it" in shown(app)
        await at(app, pilot, "kernel")
        assert "Enter shows all of it" not in shown(app)
        assert "(kernel.overcommit)" in shown(app)


async def test_a_question_is_asked_whole(tmp_path: Path) -> None:
    async with piloted(tmp_path, size=(40, 12)) as (app, pilot):
        app.push_screen(Question(app.look, "A change is under way, and goes on by itself. Leave the wizard?"))
        await until(pilot, lambda: "y yes" in shown(app))
        assert "goes on by itself. Leave the wizard?" in words(app)


async def test_a_step_without_rows_has_no_count(tmp_path: Path) -> None:
    async with piloted(tmp_path, size=(120, 40)) as (app, _pilot):
        assert "0/0" not in shown(app)
        assert "9/13" in shown(app)


async def test_the_ways_out_and_in_have_their_keys_beside_a_mend(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await at(app, pilot, "network", "network.ipv6")
        keys = shown(app).splitlines()[-1]
        assert all(one in keys for one in ("f mend", "o outgoing", "i incoming", "? help", "q quit"))
        await at(app, pilot, "network", "network.addresses")
        assert "r again" in shown(app).splitlines()[-1]


async def test_a_key_that_there_is_not_is_said_to_be_none(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await at(app, pilot, "config")
        await pilot.press("s")
        await until(pilot, lambda: "Server's name" in shown(app))
        await pilot.press("slash", *"zzz")
        await until(pilot, lambda: "Nothing found. Esc goes back." in shown(app))


async def test_mending_what_was_skipped_or_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await at(app, pilot, "verify")
        await pilot.press("f")
        await until(pilot, lambda: "There is nothing to mend here." in shown(app))
        Runs(monkeypatch)
        await pilot.press("r")
        await until(pilot, lambda: "looking" in shown(app))
        await pilot.press("f")
        await until(pilot, lambda: shown(app).splitlines()[-1].strip() == "Looking…")


async def test_the_palette_goes_to_a_step_and_leaves_its_cursor_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        runs = Runs(monkeypatch)
        some = app.board.checks_of("kernel")
        known = {one.id: tuple(two for two in app.board.findings() if two.id == one.id) for one in some}
        app.look_again(some)
        await at(app, pilot, "kernel")
        for found in known.values():
            runs.answers(0, found)
        await until(pilot, lambda: "▸ ! warning Memory overcommit" in shown(app))


async def test_a_report_that_cannot_be_written_is_no_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_unused: object) -> str:
        raise HostError("the disk is full")

    monkeypatch.setattr(StateDirectory, "write_report", refuse)
    async with piloted(tmp_path) as (app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: "The report could not be written: the disk is full" in shown(app))


async def test_details_wrap_to_a_screen_that_became_narrow(tmp_path: Path) -> None:
    async with piloted(tmp_path, size=(120, 40)) as (app, pilot):
        await at(app, pilot, "ports", "ports.smtp")
        await pilot.press("enter")
        await until(pilot, lambda: "Esc close" in shown(app))
        await pilot.resize_terminal(60, 30)
        await until(pilot, lambda: "mail would reach the other program, or nobody." in words(app))


def test_the_cursor_in_wide_letters_is_in_sight() -> None:
    line = TypingLine("日本語" * 10, 29)
    assert line.view(12)[:2] == ("日本語日本", "語")
    assert TypingLine.of("x" * 30).view(12) == ("x" * 11, " ", "")
    assert TypingLine("abc", 1).view(12) == ("a", "b", "c ")


async def test_the_help_is_whole_on_a_narrow_screen(tmp_path: Path) -> None:
    async with piloted(tmp_path, size=(60, 60)) as (app, pilot):
        await at(app, pilot, "kernel")
        await pilot.press("question_mark")
        await until(pilot, lambda: "asks before anything is changed" in words(app))
        assert "…" not in shown(app)


@pytest.mark.parametrize("size", [(60, 15), (80, 12)])
async def test_the_keys_of_a_long_mistake_have_room(tmp_path: Path, size: tuple[int, int]) -> None:
    failed = Outcome("1", "failed", None, "words of what went wrong " * 20)
    async with piloted(tmp_path, size=size) as (app, pilot):
        mending.begin(app, Work("Change it", "config.values", 1, lambda _listen: failed))
        await until(pilot, lambda: "y take it back" in shown(app))
        assert "It did not work" in shown(app)


MACHINE = "Debian GNU/Linux 12 (bookworm), x86_64, kernel 6.1.0-25-amd64, 3.8 GiB memory"


@pytest.mark.parametrize("tongue", ["en", "de"])
@pytest.mark.parametrize("size", [SMALL, (60, 24), (80, 24), (100, 30)])
def test_the_first_screen_says_its_sentences_whole(tongue: str, size: tuple[int, int]) -> None:
    width, height = inside(*size)
    language.use(tongue)
    said = greeting.Greeting(MACHINE, "mail.example.org", "example.org", "guess", "")
    lines = greeting.about(Look(False, False), said, width, height)
    wanted = greeting.about(Look(False, False), said, 500, 50)
    assert max(len(text) for line in lines for text, _style in line) <= width
    told = " ".join(text.strip() for line in lines for text, _style in line)
    assert told == " ".join(text.strip() for line in wanted for text, _style in line)


@pytest.mark.parametrize("height", range(3, 20))
def test_on_a_low_first_screen_the_fields_stay_in_sight(height: int) -> None:
    said = greeting.Greeting(MACHINE, "mail.example.org", "example.org", "guess", "Ports")
    lines = greeting.about(Look(False, False), said, 60, height)
    assert len(lines) <= max(1, height - 6)
    assert lines[0][0][0].startswith(" Looks at this server")
    assert any("Enter goes on" in text for line in lines for text, _style in line) is (height >= 9)
