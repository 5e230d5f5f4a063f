"""What plans say of themselves: their titles, notes and the commands that come after."""

from typing import Any

import pytest

from mailcow_wizard.fixes.docker_leftovers import remove
from mailcow_wizard.fixes.mailcow_conf import takes_effect_words
from mailcow_wizard.model import Manual, Plan
from mailcow_wizard.report.plan import plan_lines
from tests.catalogues import Sentence, read
from tests.docker_machine import MAILCOW, DockerHost, box, facts

OLD = [box(1, "nginx-mailcow", "exited", "/srv/m")]
TWO = [*OLD, box(2, "postfix-mailcow", "exited", "/srv/m")]
NETWORK = [{"Name": "mailcowdockerized_mailcow-network", "Id": "n"}]


@pytest.mark.parametrize(
    ("boxes", "networks", "title"),
    [
        (OLD, [], "Remove 1 stopped container"),
        (TWO, [], "Remove 2 stopped containers"),
        ([], NETWORK, "Remove 1 unused network"),
        (TWO, NETWORK, "Remove 2 stopped containers and 1 unused network"),
    ],
)
def test_the_title_leaves_out_what_there_is_none_of(boxes: Any, networks: Any, title: str) -> None:
    plan = remove(facts(DockerHost({"/containers/json?all=1": boxes, "/networks": networks})))
    assert plan is not None
    assert plan.title == title


def test_a_note_is_called_as_on_the_screen() -> None:
    note = Manual("2 messages wait in the queue.")
    plan = Plan("ports.smtp", None, "stop-service", "Stop exim4", (note,), "low", True, True, "")
    assert [*plan_lines(plan)][-1] == "1. note: 2 messages wait in the queue."
    (screen,), (line,) = (
        read("de", "tui")[Sentence("Note", context="a step")],
        read("de", "report")[Sentence("{number} note: {first}")],
    )
    assert screen in line


@pytest.mark.parametrize(
    ("key", "commands"),
    [
        ("SMTP_PORT", f"cd {MAILCOW} && docker compose down && docker compose up -d"),
        ("SKIP_CLAMD", f"cd {MAILCOW} && docker compose up -d"),
    ],
)
def test_what_mailcow_takes_up_is_one_line_for_a_shell(key: str, commands: str) -> None:
    running = {"/containers/json": [box(1, "postfix-mailcow")]}
    for said in (running, {}):
        words = takes_effect_words(facts(DockerHost(said)), (key,))
        assert words.endswith(f": {commands}")
        assert ("does not run here" in words) is (said == {})


def test_what_is_skipped_is_one_word_in_german() -> None:
    assert (
        read("de", "tui")[Sentence("skipped", context="a state")]
        == read("de", "report")[Sentence("skipped", context="a line")]
        == ("entfiel",)
    )
