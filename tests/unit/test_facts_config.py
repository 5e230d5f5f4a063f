"""Where the facts of config come from: variables and start files, volumes, copies, directories above."""

import json

import pytest

from mailcow_wizard.facts.checkout import checkout
from mailcow_wizard.facts.config import env_link, place, presence
from mailcow_wizard.facts.config_permissions import permissions
from mailcow_wizard.facts.environment import HERE, Environment, Leak, environment
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import database_volumes
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer
from mailcow_wizard.host.replies import MIB, HttpReply, Ran
from mailcow_wizard.model import Settings
from tests.fake_host import FakeHost

DIRECTORY = "/opt/mailcow-dockerized"
CONF = "MAILCOW_HOSTNAME=mail.example.org\nTZ=Europe/Berlin\nLOG_LINES=9999\nDBPASS=old\nDBROOT=x\n"
COMPOSE = """\
services:
  a:
    environment:
      - TZ=${TZ}
      - L=${LOG_LINES:-1} $DBPASS $${NOT_ME} $$NOR_ME
"""
FILES = {
    f"{DIRECTORY}/docker-compose.yml": COMPOSE,
    f"{DIRECTORY}/mailcow.conf": CONF,
    "/proc/self/environ": "PATH=/bin\0HOME=/root\0",
}


class Docker(FakeHost):
    """A machine whose Docker lists these volumes; None: it does not answer."""

    listed: object = None
    created = 0.0

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if self.listed is None:
            raise NoAnswer("Docker does not answer")
        return HttpReply(200, json.dumps(self.listed).encode())


def leaks(files: dict[str, str | bytes | HostError], variables: dict[str, str] | None = None) -> Environment:
    host = FakeHost({**FILES, **files}, variables=variables)
    return environment(Facts(host, Settings(directory=DIRECTORY)))


# --- variables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, []),
        ({"TZ": "UTC"}, ["TZ"]),
        ({"TZ": "Europe/Berlin"}, []),
        ({"TZ": ""}, ["TZ"]),
        ({"MAILCOW_HOSTNAME": "other"}, []),
        ({"NOT_ME": "1", "NOR_ME": "1"}, []),
        ({"DBPASS": "old"}, ["DBPASS"]),
        ({"COMPOSE_FILE": "other.yml"}, ["COMPOSE_FILE"]),
        ({"LOG_LINES": "1", "TZ": "UTC"}, ["LOG_LINES", "TZ"]),
    ],
)
def test_exported_here(variables: dict[str, str], names: list[str]) -> None:
    environ = "".join(f"{name}={value}\0" for name, value in variables.items())
    found = leaks({"/proc/self/environ": environ}, variables)
    assert found.leaks == tuple(Leak(name, HERE) for name in names)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("export TZ=UTC\n", [1]),
        ("\n  export  TZ='UTC'  # mine\n", [2]),
        ("export A=1 TZ=UTC\n", [1]),
        ("declare -x TZ=UTC\n", [1]),
        ("TZ=UTC\nexport TZ\n", [2]),
        ("export TZ=$(cat /etc/timezone)\n", [1]),
        ('export TZ="$OTHER"\n', [1]),
        ("export TZ\n", [1]),
        ("export TZ=Europe/Berlin\n", []),
        ('export TZ="Europe/Berlin"\n', []),
        ("TZ=UTC\n", []),
        ("# export TZ=UTC\n", []),
        ("export -n TZ\n", []),
        ("export TZDIR=/x MYTZ=1\n", []),
    ],
)
def test_exported_in_start_files(text: str, lines: list[int]) -> None:
    for path in ("/root/.bashrc", "/etc/profile", "/etc/profile.d/own.sh"):
        assert leaks({path: text}).leaks == tuple(Leak("TZ", f"{path}, line {line}") for line in lines)
    assert leaks({"/etc/profile.d/own.txt": text}).leaks == ()


def test_etc_environment_exports_what_it_sets() -> None:
    found = leaks({"/etc/environment": 'PATH="/bin"\nTZ="UTC"\nLOG_LINES=9999\n'})
    assert found.leaks == (Leak("TZ", "/etc/environment, line 2"),)


def test_what_may_not_be_read_is_named() -> None:
    found = leaks({"/root/.profile": Denied("no"), "/etc/profile.d": Denied("no")})
    assert found.unread == ("/etc/profile.d", "/root/.profile")


def test_without_a_compose_file_the_keys_of_mailcow_conf_count() -> None:
    host = FakeHost(
        {
            f"{DIRECTORY}/mailcow.conf": CONF,
            "/proc/self/environ": "MAILCOW_HOSTNAME=x\0",
        },
        variables={"MAILCOW_HOSTNAME": "x"},
    )
    assert environment(Facts(host, Settings(directory=DIRECTORY))).leaks == (Leak("MAILCOW_HOSTNAME", HERE),)


# --- volumes ----------------------------------------------------------------------------------------------

SOCKET = {"/run/docker.sock": ""}
NAME = "mailcowdockerized_mysql-vol-1"


def docker(listed: object, files: dict[str, str | bytes | HostError] | None = None) -> Facts:
    host = Docker({**SOCKET, **(files or {})})
    host.listed = listed
    return Facts(host, Settings(directory=DIRECTORY))


def test_docker_names_database_volumes() -> None:
    volumes = [
        {"Name": NAME, "CreatedAt": "2024-05-01T10:00:00+02:00", "Labels": None},
        {"Name": "mailcowdockerized_redis-vol-1", "Labels": {}},
        {
            "Name": "renamed",
            "Labels": {"com.docker.compose.volume": "mysql-vol-1", "com.docker.compose.project": "mc"},
        },
    ]
    found = database_volumes(docker({"Volumes": volumes, "Warnings": None}))
    assert found.certain
    assert [(one.name, one.project) for one in found.volumes] == [
        (NAME, "mailcowdockerized"),
        ("renamed", "mc"),
    ]
    none = database_volumes(docker({"Volumes": None}))
    assert (none.volumes, none.certain, none.how) == ((), True, "docker volume ls -q")


@pytest.mark.parametrize(
    "said",
    [
        {"SecurityOptions": ["name=rootless"]},
        {"SecurityOptions": ["name=userns"]},
        {"Components": [{"Name": "Podman Engine"}]},
    ],
    ids=["rootless", "userns-remap", "Podman"],
)
def test_volumes_that_the_one_that_answers_does_not_see(said: dict[str, object]) -> None:
    """It has a place of its own for data: the directory of the usual Docker is looked at all the same."""
    found = database_volumes(
        docker({"Volumes": None, **said}, {f"/var/lib/docker/volumes/{NAME}/_data/x": ""})
    )
    assert [one.name for one in found.volumes] == [NAME]
    unseen = database_volumes(docker({"Volumes": None, **said}))
    assert unseen.certain == ("Components" in said)  # beside Podman no Docker is installed


def test_without_docker_s_word_its_directory_is_looked_at() -> None:
    silent = database_volumes(docker(None, {f"/var/lib/docker/volumes/{NAME}/_data/x": ""}))
    assert [one.name for one in silent.volumes] == [NAME]
    assert not database_volumes(docker(None)).certain
    garbled = database_volumes(docker(["x"], {f"/var/lib/docker/volumes/{NAME}/_data/x": ""}))
    assert [one.name for one in garbled.volumes] == [NAME]
    none = database_volumes(Facts(FakeHost()))
    assert none.certain
    assert not none.volumes
    moved = FakeHost({"/etc/docker/daemon.json": '{"data-root": "/srv/d"}', f"/srv/d/volumes/{NAME}/x": ""})
    assert database_volumes(Facts(moved)).volumes
    with pytest.raises(Denied):
        database_volumes(Facts(FakeHost({"/var/lib/docker": Denied("only root")})))


# --- mailcow.conf and its copy ----------------------------------------------------------------------------

BACKUP = {f"{DIRECTORY}/mailcow.conf_backup": CONF.replace("old", "before")}
STAT = f"stat -c %Z {DIRECTORY}/mailcow.conf_backup"


def with_volume(created: str, moved: str, files: dict[str, str] | None = None) -> bool:
    host = Docker({**SOCKET, **FILES, **BACKUP, **(files or {})}, commands={STAT: moved})
    host.listed = {"Volumes": [{"Name": NAME, "CreatedAt": created, "Labels": {}}]}
    return presence(Facts(host, Settings(directory=DIRECTORY))).changed


@pytest.mark.parametrize(
    ("created", "moved", "changed"),
    [
        ("2024-05-01T10:00:00Z", "1714564800", True),  # an hour and more later
        ("2024-05-01T10:00:00Z", "1714550000", False),  # the database is younger than the copy
        ("2024-05-01T12:00:00+02:00", "1714564800", True),
        ("", "1714564800", False),
        ("yesterday", "1714564800", False),
        ("2024-05-01T10:00:00Z", "?", False),
    ],
)
def test_a_file_made_anew_after_the_database(created: str, moved: str, changed: bool) -> None:
    assert with_volume(created, moved) is changed


def test_the_same_passwords_or_another_project_change_nothing() -> None:
    same = {f"{DIRECTORY}/mailcow.conf_backup": CONF.replace("9999", "1")}
    assert not with_volume("2024-05-01T10:00:00Z", "1714564800", same)
    other = {f"{DIRECTORY}/mailcow.conf": f"{CONF}COMPOSE_PROJECT_NAME=another\n"}
    assert not with_volume("2024-05-01T10:00:00Z", "1714564800", other)


CLONED = f"stat -c %Y {DIRECTORY}/.git/description"


@pytest.mark.parametrize(
    ("created", "cloned", "older"),
    [
        ("2024-05-01T10:00:00Z", "1714564800", True),
        ("2024-05-01T10:00:00Z", "1714550000", False),  # cloned, then started
        ("", "1714564800", False),
        ("2024-05-01T10:00:00Z", "?", False),
    ],
)
def test_a_database_that_was_there_before_the_clone(created: str, cloned: str, older: bool) -> None:
    host = Docker({**SOCKET, **FILES}, commands={CLONED: cloned})
    host.listed = {"Volumes": [{"Name": NAME, "CreatedAt": created, "Labels": {}}]}
    assert presence(Facts(host, Settings(directory=DIRECTORY))).older is older


def test_places() -> None:
    def at(files: dict[str, str | bytes | HostError]) -> tuple[bool, str]:
        found = place(Facts(FakeHost(files), Settings(directory=f"{DIRECTORY}/")))
        return found.mailcow, found.absent

    assert at({}) == (False, f"mailcow is not installed yet: {DIRECTORY} is not there")
    assert at({f"{DIRECTORY}/notes.txt": ""})[1].endswith("holds no mailcow")
    assert at({f"{DIRECTORY}/generate_config.sh": ""}) == (True, "")
    assert at({f"{DIRECTORY}/mailcow.conf_backup": ""}) == (True, "")
    with pytest.raises(Denied):
        at({DIRECTORY: Denied("only root")})


def test_copies_and_directories_are_found() -> None:
    names = ("mailcow.conf_backup", "mailcow.conf.bak", "mailcow.conf~", ".mailcow.conf.swp", "other")
    found = permissions(
        Facts(
            FakeHost({**FILES, **{f"{DIRECTORY}/{name}": "x" for name in names}}),
            Settings(directory=DIRECTORY),
        )
    )
    assert {one.path.rpartition("/")[2] for one in found.copies} == {*names[:-1]}
    assert [one.path for one in found.directories] == ["/", "/opt", DIRECTORY]


def test_a_link_s_own_directories_count_too() -> None:
    files = {f"{DIRECTORY}/docker-compose.yml": "", "/srv/conf/mailcow.conf": CONF}
    host = FakeHost(files, links={f"{DIRECTORY}/mailcow.conf": "/srv/conf/mailcow.conf"})
    found = permissions(Facts(host, Settings(directory=DIRECTORY)))
    assert {"/srv", "/srv/conf", DIRECTORY} <= {one.path for one in found.directories}


def test_a_link_that_leads_elsewhere_is_not_right() -> None:
    host = FakeHost(
        {**FILES, "/srv/old/mailcow.conf": CONF},
        links={f"{DIRECTORY}/.env": "/srv/old/mailcow.conf"},
        commands={f"readlink {DIRECTORY}/.env": "/srv/old/mailcow.conf\n"},
    )
    found = env_link(Facts(host, Settings(directory=DIRECTORY)))
    assert (found.kind, found.target, found.right) == ("link", "/srv/old/mailcow.conf", False)


# --- the checkout -----------------------------------------------------------------------------------------


def test_a_checkout_without_git_installed_is_read_as_far_as_it_goes() -> None:
    files = {
        **FILES,
        f"{DIRECTORY}/.git/HEAD": "ref: refs/heads/feature/x\n",
        f"{DIRECTORY}/.git/shallow": "1\n",
    }
    found = checkout(Facts(FakeHost(files), Settings(directory=DIRECTORY)))
    assert (found.git, found.branch, found.shallow) == ("directory", "feature/x", True)
    assert any("git" in one for one in found.unread)


def test_git_s_complaint_is_no_answer() -> None:
    class Complaining(FakeHost):
        def run(
            self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False
        ) -> Ran:
            return Ran(128, "", "fatal: bad index file\n")

    found = checkout(
        Facts(Complaining({**FILES, f"{DIRECTORY}/.git/HEAD": "0" * 40}), Settings(directory=DIRECTORY))
    )
    assert found.branch == ""
    assert "bad index file" in found.unread[0]


def test_a_worktree_is_followed() -> None:
    files = {
        **FILES,
        f"{DIRECTORY}/.git": "gitdir: /srv/mc/.git/worktrees/x\n",
        "/srv/mc/.git/worktrees/x/HEAD": "ref: refs/heads/master\n",
        "/srv/mc/.git/worktrees/x/commondir": "../..\n",
        "/srv/mc/.git/worktrees/x/../../shallow": "",
    }
    found = checkout(Facts(FakeHost(files), Settings(directory=DIRECTORY)))
    assert (found.git, found.branch, found.shallow) == ("file", "master", True)


def test_an_override_for_a_service_that_is_gone() -> None:
    override = "services:\n  a:\n    ports: []\n  gone:\n    ports: []\n  own:\n    image: x\n"
    files = {**FILES, f"{DIRECTORY}/docker-compose.override.yml": override, f"{DIRECTORY}/compose.yaml": ""}
    found = checkout(Facts(FakeHost(files), Settings(directory=DIRECTORY)))
    assert (found.orphans, found.instead) == (("gone",), "compose.yaml")
    steered = {**files, f"{DIRECTORY}/mailcow.conf": f"{CONF}COMPOSE_FILE=docker-compose.yml\n"}
    found = checkout(Facts(FakeHost(steered), Settings(directory=DIRECTORY)))
    assert (found.orphans, found.instead) == ((), "")


def test_nothing_there_is_nothing_to_judge() -> None:
    assert checkout(Facts(FakeHost())).skip
    with pytest.raises(Missing):
        FakeHost().names(DIRECTORY)
