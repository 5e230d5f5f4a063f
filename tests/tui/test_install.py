"""The install on the screens: its plan, leaving it and coming back, what stops it, going on."""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from lab import stand_in
from lab.skip import or_skip
from tui.tmux import Terminal

from tests.real import install_place
from tests.real.install_place import NAME, Place

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A machine of its own, whose registry is slow and lacks an image."""
    with or_skip(), install_place.place(tmp_path_factory.mktemp("install")) as made:
        made.reset()
        made.faults(rate=8_000)
        yield made


@contextmanager
def wizard(place: Place, size: tuple[int, int], words: Sequence[str] = ()) -> Iterator[Terminal]:
    """The wizard on that machine."""
    terminal = Terminal(*size)
    variables = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **place.env()}
    command = place.machine.command(["env", "-u", "NO_COLOR", *(words or place.words())])
    terminal.start(shlex.join(map(str, command)), variables)
    try:
        yield terminal
    finally:
        terminal.close()


def test_begun_left_and_come_back_to(place: Place) -> None:
    clone = ["git", "clone", "--quiet", place.repository, str(place.directory)]
    place.machine.run(clone, check=True)
    answers = {"hostname": NAME, "domains": ["example.org"], "step": "install"}
    (place.state / "answers.json").write_text(json.dumps(answers))
    with wizard(place, (80, 24)) as terminal:
        terminal.wait_for("Full name of the mail server")
        terminal.keys("Enter")
        terminal.wait_for("i install", "Preconditions", "waits")
        terminal.keys("i")
        text = terminal.wait_for(f"Install mailcow: {NAME}", "Install now?")
        assert "1. Preconditions" in text
        terminal.keys("y")
        terminal.wait_for("works  Images", "of 5 images", "It goes on by itself")
        terminal.keys("q")
        terminal.wait_for("The install goes on by itself. Leave the wizard?")
        terminal.keys("y")
        terminal.wait_for("left with 0", "icanon")
    assert place.worker()
    with wizard(place, (120, 40)) as terminal:
        terminal.wait_for("works  Images", "ok     Configuration", "== Images", "s stop")
        terminal.keys("Home")
        terminal.wait_for("== Preconditions", "works  Images")
        terminal.keys("s")
        terminal.wait_for("Stopped in Images", "i goes on where it stopped")
        place.faults(missing=[stand_in.IMAGES[0]])
        terminal.keys("Escape")
        terminal.wait_for("Enter next")
        terminal.keys("Enter")
        terminal.wait_for("i install", "Preconditions", "Images")
        terminal.keys("i")
        terminal.wait_for("Go on installing mailcow", "Go on?")
        terminal.keys("y")
        terminal.wait_for("fails  Images", f"the registry has no image {install_place.registry.HOST}")
        terminal.wait_for("i go on")
        terminal.keys("i")
        terminal.wait_for("Go on installing mailcow", "Go on?")


def test_gone_on_with_as_it_was_begun(place: Place) -> None:
    """On the screen, too, what was said on the line counts as long as nothing else is said."""
    place.reset()
    place.faults(missing=[stand_in.IMAGES[0]])
    assert place.install("--yes", "--address", "192.0.2.77").returncode == 1
    assert place.stages()["pull"] == "failed"
    before, secrets = place.standing(), place.secrets()
    place.faults()
    bare = [place.python, "-m", "mailcow_wizard", "--state-dir", place.inside(place.state)]
    with wizard(place, (80, 24), bare) as terminal:
        terminal.wait_for("step Install, i goes on with it")
        terminal.keys("C-p")
        terminal.wait_for("Go to Ports")
        terminal.keys(*"install", "Enter")
        terminal.wait_for("i install", "fails   Images")
        terminal.keys("i")
        text = terminal.wait_for("Go on installing mailcow", "Go on?")
        assert NAME in text
        terminal.keys("y")
        terminal.wait_for("mailcow is installed", "Enter what comes next", seconds=120)
        terminal.keys("Enter")
        terminal.wait_for("What was done", "Esc close")
    after = place.standing()
    assert (after["state"], after["directory"]) == ("done", place.inside(place.directory))
    assert (after["settings"], after["choices"]) == (before["settings"], before["choices"])
    assert place.secrets() == secrets
