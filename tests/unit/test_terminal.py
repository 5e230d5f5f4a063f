"""What a terminal is taken for, and what stands in the way of its listeners' table."""

import builtins
import sys
from typing import Any

import pytest

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.processes import listeners
from mailcow_wizard.host.terminal import abilities as terminal
from mailcow_wizard.host.terminal import streams


@pytest.mark.parametrize(
    ("variables", "utf8"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8", "LC_ALL": ""}, True),
    ],
)
def test_the_locale_says_what_can_be_drawn(variables: dict[str, str], utf8: bool) -> None:
    assert terminal._is_utf8(variables) is utf8


@pytest.mark.parametrize(("term", "able"), [("xterm", True), ("dumb", False), ("", False)])
def test_no_escapes_on_a_teletype(monkeypatch: pytest.MonkeyPatch, term: str, able: bool) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert streams.on_terminal() is able
    assert streams.wants_colour() is able


@pytest.mark.parametrize("missing", ["/proc/net/tcp", "/proc/net/tcp6"])
def test_a_missing_table_is_not_an_empty_one(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    real = builtins.open

    def no_table(path: Any, *rest: Any, **more: Any) -> Any:
        if path == missing:
            raise FileNotFoundError(2, "No such file or directory", path)
        return real(path, *rest, **more)

    def refused(family: int) -> Any:
        raise OSError(1, "refused")

    monkeypatch.setattr(builtins, "open", no_table)
    monkeypatch.setattr(listeners, "_dump", refused)
    if missing == "/proc/net/tcp":
        with pytest.raises(HostError, match="/proc/net/tcp: No such file"):
            listeners.listeners((25,))
    else:
        assert listeners.listeners((25,)).source == "proc"


@pytest.mark.parametrize(
    ("program", "launcher", "start"),
    [
        ("/opt/x/.venv/bin/mailcow-wizard", "./wizard", "./wizard"),
        ("/opt/x/mailcow-wizard", "", "/opt/x/mailcow-wizard"),
        ("/x/mailcow_wizard/__main__.py", "", f"{sys.executable} -m mailcow_wizard"),
        ("/usr/bin/env", "", "env"),
    ],
)
def test_what_to_run_instead(
    monkeypatch: pytest.MonkeyPatch, program: str, launcher: str, start: str
) -> None:
    monkeypatch.setenv("MAILCOW_WIZARD_NAME", launcher)
    monkeypatch.setattr("sys.argv", [program, "--demo", "--dir", "/srv/my mail"])
    assert terminal.instead() == f"{start} check --plain --demo --dir '/srv/my mail'"
