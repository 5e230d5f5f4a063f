"""Words on the command lines of systemd's units: each arrives as it was given, whatever is in it."""

import json
from collections.abc import Iterator

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import Machine
from lab.skip import or_skip

pytestmark = pytest.mark.real

WORDS = (
    "/root/a b  c",
    '/root/it\'s "quoted"',
    "/root/$HOME/${HOME}/$$/$",
    "$HOME",
    "${HOME}",
    "/root/%n%%/%h",
    "/root/a\\b\\x41\\n\\",
    "/root/; rm -rf x",
    "/root/ä ‮ 🐄",
    "/root/\udcff",
    "/root/\a\tb\rc\nd",
    "-- --",
    "",
    "@x",
    "{}*?~",
)
_TELLS = """
import json, os
def main(words):
    with open("/root/said.new", "w") as file:
        json.dump(words, file)
    os.rename("/root/said.new", "/root/said")
    return 0
"""
_APART = """
import json, sys
from mailcow_wizard.host.processes import detached
made = detached.start_apart("teller", tuple(json.loads(sys.argv[1])), "a-test", "tells")
print(type(made).__name__)
"""
_BACK = """
import json, sys
from mailcow_wizard.host.files import way_back
print(way_back.arm("teller", tuple(json.loads(sys.argv[1])), 1.0, "/root/kept"))
"""


@pytest.fixture(scope="module")
def debian() -> Iterator[Machine]:
    with or_skip(), machine.booted() as made:
        place = made.run(["python3", "-c", "import sys; print(sys.path[-1])"]).stdout.strip()
        made.write(f"{place}/teller.py", _TELLS)
        yield made


def told(debian: Machine, script: str, words: tuple[str, ...]) -> tuple[str, list[str]]:
    """What started it said, and the words that arrived."""
    debian.run(["rm", "-f", "/root/said"])
    done = debian.run(["python3", "-c", script, json.dumps(words)])
    arrived = wait_until(lambda: debian.run(["test", "-e", "/root/said"]).returncode == 0, 20)
    assert arrived, done.stdout + done.stderr + debian.run(["journalctl", "-n", "20", "--no-pager"]).stdout
    return done.stdout.strip(), json.loads(debian.run(["cat", "/root/said"]).stdout)


def test_a_process_apart(debian: Machine) -> None:
    words = tuple(one for one in WORDS if one.isprintable() or "\udcff" not in one)
    assert told(debian, _APART, words) == ("Unit", list(words))


def test_what_no_unit_can_be_told_is_told_all_the_same(debian: Machine) -> None:
    """D-Bus speaks UTF-8 alone; without a unit it is a process in a session of its own."""
    assert told(debian, _APART, WORDS) == ("Detached", list(WORDS))


def test_the_way_back(debian: Machine) -> None:
    said, words = told(debian, _BACK, WORDS)
    assert said == "True"
    assert words == list(WORDS)
    disarm = "from mailcow_wizard.host.files.way_back import disarm; disarm('/root/kept')"
    debian.run(["python3", "-c", disarm])
