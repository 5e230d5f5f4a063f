"""Compose's own word on an override file and on edits: when it is asked, and what of it is kept."""

import pytest

from mailcow_wizard.checks.config_checkout import judge_checkout
from mailcow_wizard.facts.checkout import Checkout, checkout
from mailcow_wizard.facts.compose_files import said
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Ran
from mailcow_wizard.model import Settings
from tests.fake_host import FakeHost

DIRECTORY = "/opt/mailcow-dockerized"
FILES = {
    f"{DIRECTORY}/docker-compose.yml": "services:\n  unbound-mailcow:\n    image: x\n",
    f"{DIRECTORY}/generate_config.sh": "",
    f"{DIRECTORY}/mailcow.conf": "MAILCOW_HOSTNAME=mail.example.org\n",
}
OVERRIDE = f"{DIRECTORY}/docker-compose.override.yml"
BROKEN = "services:\n  unbound-mailcow:\n    environment: ["
ASK = f"docker compose --project-directory {DIRECTORY} config --quiet"
VERSION = {"docker compose version --short": "2.39.1\n"}
COMPLAINT = 'time="x" level=warning msg="y"\nyaml: line 3: did not find expected node content\n'


def look(files: dict[str, str], commands: dict[str, Ran | str]) -> tuple[Checkout, FakeHost]:
    host = FakeHost({**FILES, **files}, commands=commands)
    return checkout(Facts(host, Settings(directory=DIRECTORY))), host


def test_a_broken_override_is_refused_by_compose_and_what_it_says_is_shown() -> None:
    found, _unused = look({OVERRIDE: BROKEN}, {**VERSION, ASK: Ran(15, "", COMPLAINT)})
    assert found.refusal == "yaml: line 3: did not find expected node content"
    judged = judge_checkout(found)
    assert (judged.status, judged.severity) == ("fail", "blocks")
    assert found.refusal in judged.found + judged.summary
    assert any(f"mv {OVERRIDE}" in one for one in judged.remedies)


def test_what_compose_takes_or_was_never_changed_is_no_fault() -> None:
    assert not look({OVERRIDE: "services: {}\n"}, {**VERSION, ASK: ""})[0].refusal
    assert not look({}, {**VERSION, ASK: Ran(15, "", COMPLAINT)})[0].refusal


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({OVERRIDE: BROKEN}, {}),
        ({OVERRIDE: BROKEN}, {"docker-compose version --short": "1.29.2\n"}),
        ({OVERRIDE: "include:\n  - https://example.org/x.yml\n"}, VERSION),
    ],
)
def test_a_compose_that_cannot_or_must_not_be_asked_is_no_fault(
    files: dict[str, str], commands: dict[str, str]
) -> None:
    found, _unused = look(files, {**commands, ASK: Ran(15, "", COMPLAINT)})
    assert not found.refusal


def test_secrets_are_not_repeated() -> None:
    assert "hunter2" not in said("invalid interpolation format\nDBPASS=hunter2 is wrong\n")
    for line in (
        "failed to read /m/.env: unterminated quoted value 'hunter2 and more",
        'failed to read /m/.env: line 3: unexpected character "+" in variable name "hunter2+abc"',
        'failed to read /m/.env: unexpected character "-" in variable name near "A-B=x\\nDBPASS=hunter2\\n"',
        'failed to read /m/.env: Invalid template: "ab${hunter2"',
        "failed to read /m/.env: required variable hunter2 is missing a value: hunter2",
    ):
        assert "hunter2" not in said(f"{line}\n")
        assert "failed to read /m/.env: " in said(f"{line}\n")
    assert said("level=warning x\n") == ""
    assert len(said("x" * 9_000)) == 200
