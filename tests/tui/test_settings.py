"""The form for mailcow.conf in a real terminal: good and bad input, the search, the saving."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_host import FakeHost
from tui.scratch import CONF, SECRET, Scratch, open_step
from tui.scratch import scratch as scratch
from tui.tmux import SIZES, Terminal

from mailcow_wizard.engine import lock
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.replies import User
from mailcow_wizard.model import Settings
from mailcow_wizard.tui import settings as saving


def open_form(terminal: Terminal) -> str:
    """The form, from the step Configuration."""
    open_step(terminal)
    terminal.wait_for("s settings")
    terminal.keys("s")
    return terminal.wait_for("Server's name", "mail.example.org", "Nothing is changed yet.")


def go_down(terminal: Terminal, label: str) -> None:
    """Moves the cursor to a row."""
    terminal.keys("Home")
    terminal.wait_for("▸ Server's name")  # a key on its way would move the cursor once more
    terminal.go_down(f"▸ {label}")


@SIZES
def test_a_value_is_typed_seen_in_the_diff_and_saved(scratch: Scratch, size: tuple[int, int]) -> None:
    scratch.conf.chmod(0o600)
    with scratch.wizard(size) as terminal:
        open_form(terminal)
        terminal.keys("Enter", "C-u")
        terminal.keys(*"mx.example.org")
        terminal.wait_for("Server's name        * mx.example.org", "+MAILCOW_HOSTNAME=mx.example.org")
        terminal.keys("Enter")
        terminal.wait_for("s save, shows the plan first")
        terminal.keys("s")
        terminal.wait_for("Set MAILCOW_HOSTNAME in mailcow.conf", "-MAILCOW_HOSTNAME=mail", "Do this?")
        terminal.keys("y")
        terminal.wait_for("Set MAILCOW_HOSTNAME", "u take it back")
        assert scratch.conf.read_text() == CONF.replace("=mail.example.org", "=mx.example.org")
        assert scratch.mode == 0o600
        terminal.escape_to("s settings")
        terminal.keys("u")
        terminal.wait_for("+MAILCOW_HOSTNAME=mail.example.org", "Take this back?")
        terminal.keys("y")
        terminal.wait_for("Taken back")
    assert scratch.conf.read_text() == CONF


@SIZES
def test_what_cannot_be_written_says_why_and_is_not_saved(scratch: Scratch, size: tuple[int, int]) -> None:
    with scratch.wizard(size) as terminal:
        open_form(terminal)
        terminal.keys("Enter", "C-u", "x", "'", "y", "Enter")
        terminal.wait_for("✗ a value with a '", "docker compose read the same")
        terminal.keys("s")
        terminal.wait_for("cannot be saved like this")
        terminal.keys("d")
        terminal.wait_for("mail.example.org", "Nothing is changed yet.")
        terminal.keys("s")
        terminal.wait_for("there is nothing to save")
    assert scratch.conf.read_text() == CONF


def test_esc_while_typing_gives_the_value_back(scratch: Scratch) -> None:
    with scratch.wizard() as terminal:
        open_form(terminal)
        terminal.keys("Enter", "C-u", "z")
        terminal.wait_for("+MAILCOW_HOSTNAME=z")
        terminal.escape_to("Nothing is changed yet.")
        terminal.wait_for("mail.example.org")


@SIZES
def test_choices_are_taken_by_a_key_and_proxy_mode_is_one(scratch: Scratch, size: tuple[int, int]) -> None:
    with scratch.wizard(size) as terminal:
        open_form(terminal)
        go_down(terminal, "Virus scan")
        terminal.keys("Space")
        terminal.wait_for("left out", "+SKIP_CLAMD=y")
        terminal.keys("Left")
        terminal.wait_for("Nothing is changed yet.")
        go_down(terminal, "Behind a web proxy")
        terminal.keys("Enter")
        text = terminal.wait_for("* 127.0.0.1", "* 8080", "* 8443", "+HTTP_BIND=127.0.0.1")
        assert "+HTTP_REDIRECT" not in text  # it was n before
        terminal.keys("s")
        terminal.wait_for("Set 4 settings in mailcow.conf")


@SIZES
def test_every_other_key_is_found_with_the_files_own_words(scratch: Scratch, size: tuple[int, int]) -> None:
    with scratch.wizard(size) as terminal:
        open_form(terminal)
        terminal.keys("/")
        terminal.wait_for("Type a part of a key", "DBNAME")
        terminal.keys("s", "k", "i", "p", "_", "f")
        terminal.wait_for("▸ SKIP_FTS", "Leave out the search, on little machines.")
        terminal.keys("C-u")
        terminal.keys(*"watchdog_verb")
        terminal.wait_for("▸ WATCHDOG_VERBOSE", "Log more of what the watchdog does")
        terminal.keys("Enter")
        terminal.wait_for("▸ WATCHDOG_VERBOSE", "Enter other value")
        terminal.keys("Enter")
        terminal.wait_for("+WATCHDOG_VERBOSE=y")


def test_secrets_are_never_drawn(scratch: Scratch) -> None:
    with scratch.wizard((120, 40)) as terminal:
        seen = open_form(terminal)
        terminal.keys("/")
        terminal.wait_for("DBNAME")
        terminal.keys(*"dbpass")
        seen += terminal.wait_for("▸ DBPASS", "••••")
        terminal.keys("Enter")
        seen += terminal.wait_for("▸ DBPASS", "••••", "all other keys")
        terminal.keys("/")
        terminal.wait_for("DBNAME")
        terminal.keys(*"notify_webhook")
        terminal.wait_for("▸ WATCHDOG_NOTIFY_WEBHOOK")
        terminal.keys("Enter")
        terminal.wait_for("▸ WATCHDOG_NOTIFY_WEBHOOK", "all other keys")
        terminal.keys("Enter")
        terminal.keys(*"https://topsecret1.example/")
        seen += terminal.wait_for("**********", "+WATCHDOG_NOTIFY_WEBHOOK=••••")
        terminal.keys("Enter")
        terminal.wait_for("s save")
        terminal.keys("s")
        seen += terminal.wait_for("Do this?", "+WATCHDOG_NOTIFY_WEBHOOK=••••")
    assert SECRET not in seen
    assert "topsecret1" not in seen


def test_what_is_not_saved_is_kept_until_the_form_opens_again(scratch: Scratch) -> None:
    with scratch.wizard() as terminal:
        open_form(terminal)
        go_down(terminal, "IPv6")
        terminal.keys("Enter")
        terminal.wait_for("+ENABLE_IPV6=false")
        terminal.escape_to("kept, but not saved")
        terminal.keys("s")
        terminal.wait_for("+ENABLE_IPV6=false", "Server's name")
    assert scratch.conf.read_text() == CONF


@SIZES
def test_without_a_file_the_form_writes_a_new_one(scratch: Scratch, size: tuple[int, int]) -> None:
    scratch.conf.unlink()
    (scratch.directory / ".env").unlink()
    with scratch.wizard(size) as terminal:
        open_step(terminal)
        terminal.keys("s")
        seen = terminal.wait_for("Server's name          mail.example.org", "s save", "a new file")
        terminal.keys("Enter", "C-u")
        terminal.keys(*"mx.example.org")
        seen += terminal.wait_for("Server's name        * mx.example.org")
        terminal.keys("Enter")
        terminal.wait_for("s save")
        terminal.keys("s")
        seen += terminal.wait_for("Write a new mailcow.conf", "Do this?", "+MAILCOW_HOSTNAME=mx.example.org")
        terminal.keys("y")
        seen += terminal.wait_for("u take it back")
        written = scratch.conf.read_text()
        assert "MAILCOW_HOSTNAME=mx.example.org\n" in written
        assert scratch.mode == 0o600
        assert (scratch.directory / ".env").resolve() == scratch.conf
        secret = next(line for line in written.splitlines() if line.startswith("DBPASS=")).partition("=")[2]
        assert secret
        assert secret not in seen
        terminal.keys("u")
        terminal.wait_for("Take this back?", "Remove ")
        terminal.keys("y")
        terminal.wait_for("Taken back")
    assert not scratch.conf.exists()


@SIZES
def test_before_mailcow_is_there_the_form_says_what_the_install_takes(
    scratch: Scratch, size: tuple[int, int]
) -> None:
    for path in scratch.directory.iterdir():
        path.unlink()

    def known() -> Any:
        return json.loads((scratch.state / "answers.json").read_text())["conf"]

    was: list[str] = []
    for kept, before, after in ((["SKIP_CLAMD=y"], "on", "left out"), (["SKIP_CLAMD=n"], "left out", "on")):
        with scratch.wizard(size) as terminal:
            open_step(terminal)
            assert known() == was  # also behind the names of the first screen
            terminal.keys("s")
            terminal.wait_for(
                "for the install:", "Nothing is changed yet.", f"Virus scan (ClamAV)    {before}"
            )
            go_down(terminal, "Virus scan (ClamAV)")
            terminal.keys("Right")
            terminal.wait_for(f"Virus scan (ClamAV)  * {after}", "s keep for the install")
            terminal.keys("s")
            terminal.wait_for("1 setting is kept for the install.")
            terminal.keys("s")
            terminal.wait_for("Nothing is changed yet.", f"Virus scan (ClamAV)    {after}")
        was = known()
        assert was == kept
    assert not any(scratch.directory.iterdir())


def test_while_mailcow_is_installed_nothing_more_is_kept_for_it(scratch: Scratch) -> None:
    for path in scratch.directory.iterdir():
        path.unlink()
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("s")
        terminal.wait_for("for the install:")
        go_down(terminal, "Virus scan (ClamAV)")
        terminal.keys("Right")
        terminal.wait_for("s keep for the install")
        held = lock.take(StateDirectory(str(scratch.state)), lock.INSTALL)
        terminal.keys("s")
        terminal.wait_for("An install is under way", "what was chosen before")
        held.close()
        terminal.keys("s")
        terminal.wait_for("1 setting is kept for the install.")


def test_a_link_that_leads_nowhere_opens_no_form(scratch: Scratch) -> None:
    scratch.conf.unlink()
    scratch.conf.symlink_to("nowhere")
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("s")
        terminal.wait_for("No settings to change", "leads nowhere")


@pytest.mark.parametrize("content", [b"\x00\x01binary", b"A=" + b"x" * (5 << 20)], ids=["binary", "5 MB"])
def test_a_file_that_is_none_of_mailcow_opens_no_form(scratch: Scratch, content: bytes) -> None:
    scratch.conf.write_bytes(content)
    with scratch.wizard() as terminal:
        open_step(terminal)
        terminal.keys("s")
        text = terminal.wait_for("mailcow.conf")
        assert "Server's name" not in text
    assert scratch.conf.read_bytes() == content


@pytest.mark.parametrize("size", [(40, 10), (20, 5)], ids=["40x10", "20x5"])
def test_little_room_does_no_harm(scratch: Scratch, size: tuple[int, int]) -> None:
    with scratch.wizard() as terminal:
        open_form(terminal)
        terminal.resize(*size)
        terminal.wait_for("Server's name")
        terminal.keys("Enter", "C-u", "q", "q")
        terminal.wait_for("Server's name")
        terminal.resize(80, 24)
        terminal.wait_for("+MAILCOW_HOSTNAME=qq")
        assert terminal.pid_of_wizard()
    assert scratch.conf.read_text() == CONF


def test_in_ascii_everything_is_ascii(scratch: Scratch) -> None:
    with scratch.wizard(before=("env", "TERM=linux")) as terminal:
        open_step(terminal)
        terminal.keys("s")
        text = terminal.wait_for("Server's name", "Nothing is changed yet.")
        terminal.keys("/")
        terminal.wait_for("DBNAME")
        terminal.keys(*"dbpass")
        text += terminal.wait_for("> DBPASS")
    assert text.isascii()


@SIZES
def test_rules_speak_while_a_value_is_typed(scratch: Scratch, size: tuple[int, int]) -> None:
    with scratch.wizard(size) as terminal:
        open_form(terminal)
        terminal.keys("Enter", "C-u")
        terminal.keys(*"mailserver")
        terminal.wait_for("✗ is no full name", "Server's name: is no full name", "mailcow's scripts")
        terminal.keys(*".example.org")
        text = terminal.wait_for("* mailserver.example.org")
        assert "✗ is no full name" not in text
        terminal.keys("Enter")
        go_down(terminal, "SMTP")
        terminal.keys("Enter", "C-u")
        terminal.keys(*"99999")
        terminal.wait_for("✗ is neither a port", "192.0.2.1:25")
        terminal.keys("Enter")
        go_down(terminal, "Containers' subnet")
        terminal.keys("Enter", "C-u")
        terminal.keys(*"8.8.8")
        terminal.wait_for("✗ is not private: use")
        terminal.keys("Enter")
        terminal.wait_for("s save")
        terminal.keys("s")
        terminal.wait_for("SMTP cannot be saved like this")
    assert scratch.conf.read_text() == CONF


def test_keys_that_come_all_at_once_keep_their_order(scratch: Scratch) -> None:
    with scratch.wizard() as terminal:
        open_form(terminal)
        terminal.tmux("send-keys", "Down", "Down", "Down", "Down", "Enter", "Up", "Enter", "Home", "Enter")
        terminal.tmux("send-keys", "C-u", "q", "s", "d", "n", "Enter", "Down", "Down", "Down", "d")
        terminal.wait_for("* qsdn", "* left out", "Virus scan (ClamAV)    on", "▸ Virus scan")


def test_a_value_that_belongs_to_the_database_is_kept_and_the_reason_is_seen_whole(scratch: Scratch) -> None:
    # An engine that does not answer may hold a database.
    with scratch.wizard(before=("env", "DOCKER_HOST=unix:///nowhere")) as terminal:
        open_form(terminal)
        terminal.keys("/")
        terminal.wait_for("DBNAME")
        terminal.keys(*"dbuser")
        terminal.wait_for("▸ DBUSER")
        terminal.keys("Enter")
        terminal.wait_for("▸ DBUSER", "all other keys")
        terminal.keys("Enter")
        terminal.keys(*"other")
        terminal.wait_for("+DBUSER=mailcowother")
        terminal.keys("Enter")
        terminal.wait_for("s save")
        terminal.keys("s")
        terminal.wait_for("This cannot be saved: DBUSER is kept")
    assert scratch.conf.read_text() == CONF


def test_a_low_screen_says_that_there_are_more_rows(scratch: Scratch) -> None:
    with scratch.wizard((80, 24)) as terminal:
        open_form(terminal)
        terminal.wait_for("── 1 to 11 of 20 ──")
        terminal.keys("End")
        terminal.wait_for("── 10 to 20 of 20 ──")


def test_who_is_not_root_is_told_that_the_install_does_not_know_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state is another one: root's install begins without it."""
    monkeypatch.setattr(saving, "remember", lambda session, draft: 1)
    for uid, words in ((0, "1 setting is kept for the install."), (1000, "Root, who installs, takes them")):
        host = FakeHost(user=User(uid, "somebody", 0))
        said: list[str] = []
        app: Any = SimpleNamespace(
            session=Session(host, Settings(), StateDirectory(str(tmp_path))),
            board=SimpleNamespace(checks=tuple),
            look_again=lambda some: None,
            show_keys=said.append,
        )
        screen: Any = SimpleNamespace(dismiss=lambda: None)
        draft: Any = None
        saving._remember(app, draft, screen)
        assert words in said[0]
