"""Every branch of the judge of the checkout, and the plain reading of compose files."""

from typing import Any

import pytest

from mailcow_wizard.checks.config_checkout import judge_checkout
from mailcow_wizard.facts.checkout import Checkout, services
from mailcow_wizard.facts.owners import Owned

DIRECTORY = "/opt/mailcow-dockerized"
ROOTS = tuple(Owned(path, 0o755, 0, 0, "root", "root") for path in (DIRECTORY, f"{DIRECTORY}/.git"))
ANNAS = tuple(one._replace(uid=1000, user="anna") for one in ROOTS)
GOOD = Checkout(
    "",
    DIRECTORY,
    (".env", ".git", "docker-compose.yml", "generate_config.sh", "mailcow.conf"),
    "directory",
    False,
    "master",
    ROOTS,
    (),
    False,
    (),
    (),
    "",
    (),
)


@pytest.mark.parametrize(
    ("changes", "status", "part"),
    [
        ({}, "pass", "branch master"),
        ({"edited": ("data/conf/postfix/main.cf",)}, "pass", "1 other file changed"),
        ({"edited": (".env",)}, "pass", "branch master"),
        ({"git": "missing", "owners": (), "branch": ""}, "warn", "not cloned"),
        ({"git": "file"}, "pass", "branch master"),
        ({"names": (".git", "generate_config.sh")}, "fail", "no whole checkout"),
        ({"shallow": True}, "warn", "shallow"),
        ({"owners": ANNAS}, "warn", "belongs to anna"),
        ({"branch": "nightly"}, "warn", "untested"),
        ({"branch": "legacy"}, "warn", "February 2026"),
        ({"branch": "staging"}, "warn", "none of mailcow's"),
        ({"branch": ""}, "warn", "no branch"),
        ({"alone": True}, "warn", "follows none of mailcow's: update.sh has nothing to merge"),
        ({"alone": True, "branch": "nightly"}, "warn", "branch nightly"),
        (
            {"branch": "", "unnamed": True, "unread": ("der Zweig (x)",)},
            "unknown",
            "not looked at: der Zweig",
        ),
        ({"edited": ("data/a", "b"), "unmerged": ("data/a", "b")}, "fail", "2 files hold both sides"),
        ({"edited": ("data/a",), "deleted": ("data/a",)}, "warn", "1 file of mailcow's is gone: data/a"),
        ({"edited": (".env",), "deleted": (".env",)}, "pass", "branch master"),
        ({"edited": ("docker-compose.yml",)}, "warn", "is edited"),
        ({"committed": True}, "warn", "commits made here"),
        ({"unreadable": ("README.md",)}, "warn", "1 file is closed"),
        ({"unreadable": ("data/", "data/web/index.php")}, "fail", "2 files are closed"),
        ({"instead": "compose.yaml"}, "fail", "compose.yaml"),
        ({"orphans": ("ipv6nat-mailcow",)}, "fail", "ipv6nat-mailcow"),
        ({"refusal": "yaml: line 3: x"}, "fail", "docker compose refuses the files here: yaml: line 3: x"),
        (
            {"unread": ("local changes (the command git is not installed)",)},
            "unknown",
            "git is not installed",
        ),
        ({"skip": "mailcow is not installed yet"}, "skipped", "not installed"),
    ],
)
def test_one_trouble(changes: dict[str, Any], status: str, part: str) -> None:
    said = judge_checkout(GOOD._replace(**changes))
    assert said.status == status
    assert part in said.summary
    if status in ("warn", "fail"):
        assert said.remedies


def test_a_change_is_to_be_moved_into_the_override_file_that_compose_takes() -> None:
    """Beside compose.override.yml it passes over docker-compose.override.yml."""
    edited = GOOD._replace(edited=("docker-compose.yml",))
    assert "Move it to docker-compose.override.yml" in judge_checkout(edited).remedies[0]
    beside = edited._replace(names=(*GOOD.names, "compose.override.yml"))
    assert "Move it to compose.override.yml" in judge_checkout(beside).remedies[0]


def test_a_known_fault_is_worse_than_what_was_not_seen() -> None:
    said = judge_checkout(GOOD._replace(shallow=True, unread=("local changes (no git)",)))
    assert said.status == "warn"
    assert "no git" in said.found


def test_files_that_containers_read_are_named_first() -> None:
    said = judge_checkout(GOOD._replace(unreadable=(".gitignore", "data/", "data/conf/x.conf", "update.sh")))
    assert "data/conf/x.conf, .gitignore, update.sh and 1 more" in said.summary


MAILCOW = """\
services:

    unbound-mailcow:
      image: ghcr.io/mailcow/unbound:1.24
      environment:
        - TZ=${TZ}
    "mysql-mailcow":   # quoted
      image: mariadb:10.11
networks:
  mailcow-network:
    driver: bridge
"""


def test_services_of_a_compose_file() -> None:
    found = services(MAILCOW)
    assert found is not None
    assert list(found) == ["unbound-mailcow", "mysql-mailcow"]
    assert "image: mariadb" in found["mysql-mailcow"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("version: '2.1'\n", []),
        ("services: # all of them\n  a:\n    ports: []\n", ["a"]),
        ("services:\n  a: {image: x}\n  b:\n", ["a", "b"]),
        ("services:\n# no service\n  a:\n   x: 1\nvolumes:\n  v:\n", ["a"]),
    ],
)
def test_forms_that_are_read(text: str, names: list[str]) -> None:
    assert list(services(text) or {}) == names


@pytest.mark.parametrize(
    "text", ["services: {a: {image: x}}\n", "services:\n  ? a\n  : image\n", "services: &x\n"]
)
def test_forms_that_are_left_alone(text: str) -> None:
    assert services(text) is None
