"""Commands that change the machine: their output as it comes, bounds, and what they leave behind."""

import os
import subprocess
from pathlib import Path

import pytest
from changes import NEW, Place, nothing

from mailcow_wizard.engine import mending
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.files.changing import Changing
from mailcow_wizard.host.processes.doing import Setting
from mailcow_wizard.model import Command

CHANGING = Changing()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A small machine."""
    return Place(tmp_path / "place")


def run(text: str, timeout: float = 10.0, setting: Setting | None = None) -> tuple[int, list[str]]:
    """Runs a shell line; its exit code and its output."""
    lines: list[str] = []
    code = CHANGING.run(("sh", "-c", text), timeout, lines.append, "test", lambda pid: None, setting)
    return code, lines


def test_output_comes_as_it_is_written() -> None:
    assert run("echo one; printf 'two\\rthree\\r\\n\\n'; printf four >&2; exit 3") == (
        3,
        ["one", "two", "three", "four"],
    )
    assert run("kill -9 $$") == (-9, [])
    assert run("printf 'remote: aborting.\\000\\n\\000'") == (0, ["remote: aborting."])
    assert run("cat; echo end") == (0, ["end"])


def test_output_without_end_is_bounded() -> None:
    code, lines = run("yes | head -c 50000000; echo last")
    assert code == 0
    assert sum(map(len, lines)) < 2 << 20
    assert lines[-1] == "(it says more; that is not shown)"
    code, lines = run("head -c 3000000 /dev/zero | tr '\\0' x")
    assert max(map(len, lines)) <= 1 << 17


def test_long_line_is_cut_unless_all_of_it_is_wanted() -> None:
    for text in ("head -c 200000 /dev/zero | tr '\\0' x; echo end", "printf %09999d 7; sleep 0.1; echo end"):
        _code, cut = run(text)
        assert not cut[0].endswith("end")
        _code, lines = run(text, setting=Setting(whole=True))
        assert [len(one) for one in lines] == [len("".join(lines))]
        assert lines[0].endswith("end")


def test_timeout_ends_it_with_its_children() -> None:
    with pytest.raises(NoAnswer, match=r"did not end within 0\.3 s"):
        run(f"sleep 4711.{os.getpid()} & sleep 4711.{os.getpid()}", 0.3)
    found = subprocess.run(["pgrep", "-f", f"sleep 4711.{os.getpid()}"], capture_output=True)
    assert found.returncode == 1


def test_daemon_that_it_starts_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "file"
    code, lines = run(f"(sleep 0.5; echo said; echo done >{file}) & echo begun")
    assert (code, lines) == (0, ["begun"])
    for _ in range(100):
        if file.exists() and file.read_text() == "done\n":
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail("it was ended with the command")


def test_command_that_is_not_there(place: Place) -> None:
    plan = place.made(place.edit("mailcow.conf", NEW), Command(("no-such-command",)))
    outcome = mending.apply(place.session(), plan, nothing, back=True)
    assert (outcome.state, outcome.error) == ("undone", "the command no-such-command is not installed")
    assert place.look() == place.before


def test_directory_that_is_not_there(tmp_path: Path) -> None:
    place = f"{tmp_path}/moved-away"
    with pytest.raises(HostError, match=f"^{place} is not there$"):
        CHANGING.run(("true",), 5, print, "test", lambda pid: None, Setting(place))


def test_command_whose_start_cannot_be_written_down_does_not_start(tmp_path: Path) -> None:
    file = tmp_path / "file"

    def note(pid: int) -> None:
        raise OSError

    with pytest.raises(HostError, match="its start could not be written down"):
        CHANGING.run(("touch", str(file)), 5, print, "test", note)
    assert not file.exists()


_TOLD = 'import os; print({k: v for k, v in os.environ.items() if "roxy" in k.lower()})'


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("git", "-c", "alias.look=!env | grep -i _proxy=", "look"), True),
        (("env", "A=b", "git", "-c", "alias.look=!env | grep -i _proxy=", "look"), True),
        (("python3", "-c", _TOLD), False),
        (("env", "python3", "-c", _TOLD), False),
    ],
)
def test_only_what_downloads_is_told_of_the_proxy(
    argv: tuple[str, ...], told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", "http://192.0.2.2:1")
    changing = Changing({"https_proxy": "http://192.0.2.1:3128"})
    lines: list[str] = []
    assert changing.run(argv, 10, lines.append, "test", lambda pid: None) == 0
    lines = [one for one in lines if not one.startswith("GIT_CONFIG")]
    assert lines == (["https_proxy=http://192.0.2.1:3128"] if told else ["{}"])
