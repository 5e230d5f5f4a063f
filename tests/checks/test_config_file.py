"""Every branch of the judges of mailcow.conf as a file: present, permissions, .env."""

import pytest

from mailcow_wizard.checks import config_file as judges
from mailcow_wizard.checks.config import CHECKS
from mailcow_wizard.facts.config import ConfFile, EnvLink, Place, Presence, presence
from mailcow_wizard.facts.config_permissions import Permissions
from mailcow_wizard.facts.owners import Owned
from mailcow_wizard.facts.running_database import Differing
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import DatabaseVolumes, Volume
from mailcow_wizard.model import Check, Judgement, Settings
from tests.docker_machine import MAILCOW, DockerHost, box, volume

DIRECTORY = "/opt/mailcow-dockerized"
NOWHERE = Place(DIRECTORY, None, False)
EMPTY = Place(DIRECTORY, (), False)
CLONED = Place(DIRECTORY, (".env", ".git", "docker-compose.yml", "generate_config.sh"), True)
NO_VOLUMES = DatabaseVolumes((), True, "docker volume ls -q")
OLD = DatabaseVolumes(
    (Volume("mailcowdockerized_mysql-vol-1", "mailcowdockerized", "2024-05-01T10:00:00Z"),),
    True,
    "docker volume ls",
)
CONF = b"MAILCOW_HOSTNAME=mail.example.org\n"


def words(judgement: Judgement) -> str:
    return " ".join((judgement.summary, judgement.found, *judgement.remedies, judgement.why or ""))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_check_says_what_why_and_where(check: Check) -> None:
    assert check.title
    assert len(check.needed) <= 120
    assert check.why.endswith(".")
    assert check.doc.startswith("https://")
    assert check.step == "config"
    assert not check.network


def present(
    place: Place = CLONED,
    kind: str = "missing",
    data: bytes = b"",
    backup: bool = False,
    volumes: DatabaseVolumes | None = NO_VOLUMES,
    trouble: str = "",
    changed: bool = False,
    older: bool = False,
    differing: tuple[str, ...] = (),
) -> Judgement:
    file = ConfFile(f"{DIRECTORY}/mailcow.conf", kind, data)  # type: ignore[arg-type]
    others = Differing("mailcowdockerized-mysql-mailcow-1", differing)
    return judges.judge_present(Presence(place, file, backup, volumes, trouble, changed, older, others))


@pytest.mark.parametrize("place", [NOWHERE, EMPTY])
@pytest.mark.parametrize("volumes", [NO_VOLUMES, None, NO_VOLUMES._replace(certain=False)])
def test_a_fresh_server_does_not_fail(place: Place, volumes: DatabaseVolumes | None) -> None:
    said = present(place, volumes=volumes, trouble="Docker does not answer")
    assert said.status == "skipped"
    assert "not installed yet" in said.summary
    assert DIRECTORY in said.summary


@pytest.mark.parametrize("place", [NOWHERE, EMPTY, CLONED])
def test_a_database_without_its_file_fails_wherever_it_is_found(place: Place) -> None:
    said = present(place, volumes=OLD)
    assert said.status == "fail"
    assert "mailcowdockerized_mysql-vol-1" in said.summary
    assert "Access denied" in (said.why or "")
    assert "generate_config" not in words(said)
    assert "rm" not in " ".join(said.remedies).split()


def test_a_backup_is_offered_where_there_is_one() -> None:
    with_volume, alone = present(volumes=OLD, backup=True), present(backup=True)
    for said in (with_volume, alone):
        assert said.status == "fail"
        assert "mailcow.conf_backup" in said.summary
        assert any("cp -p" in one for one in said.remedies)


def test_a_clone_without_a_file_fails_with_what_makes_one() -> None:
    said = present()
    assert (said.status, said.severity) == ("fail", None)
    assert "conf new" in said.remedies[0]
    assert "not known: Docker is silent" in words(present(volumes=None, trouble="Docker is silent"))


def test_a_mailcow_in_another_place_is_named() -> None:
    said = present(NOWHERE._replace(elsewhere="/srv/mail cow"), volumes=OLD)
    assert said.status == "warn"
    assert "/srv/mail cow" in said.summary
    assert "--dir '/srv/mail cow'" in said.remedies[0]


@pytest.mark.parametrize(
    ("kind", "data", "part"),
    [
        ("directory", b"", "is a directory"),
        ("dangling", b"", "leads nowhere"),
        ("large", b"", "larger than 1 MiB"),
        ("other", b"", "is not a file"),
        ("file", b"A=1\0", "not a text file"),
        ("file", b"", "is empty"),
        ("file", b" \n\n", "is empty"),
        ("file", b"# A=1\n", "sets nothing"),
        ("file", b"\xef\xbb\xbf# A=1\n", "sets nothing"),
    ],
)
def test_what_is_no_configuration_fails(kind: str, data: bytes, part: str) -> None:
    said = present(kind=kind, data=data)
    assert said.status == "fail"
    assert part in said.summary
    assert said.remedies


def test_a_file_passes_and_one_with_other_passwords_is_warned_of() -> None:
    assert present(kind="file", data=CONF).status == "pass"
    assert present(kind="file", data=CONF, volumes=OLD).status == "pass"
    said = present(kind="file", data=CONF, volumes=OLD, backup=True, changed=True)
    assert (said.status, said.certainty, said.severity) == ("warn", "inferred", "breaks")
    said = present(kind="file", data=CONF, volumes=OLD, older=True)
    assert (said.status, said.certainty, said.severity) == ("warn", "inferred", "breaks")
    assert OLD.volumes[0].name in said.summary


# --- permissions ------------------------------------------------------------------------------------------


def owned(path: str, mode: int, uid: int = 0, gid: int = 0) -> Owned:
    return Owned(path, mode, uid, gid, "anna" if uid else "root", "staff" if gid else "root")


def permissions(
    mode: int = 0o600,
    uid: int = 0,
    gid: int = 0,
    copies: tuple[Owned, ...] = (),
    directories: tuple[Owned, ...] = (),
) -> Judgement:
    above = (owned("/", 0o755), *directories, owned(DIRECTORY, 0o755))
    file = owned(f"{DIRECTORY}/mailcow.conf", mode, uid, gid)
    return judges.judge_permissions(Permissions(CLONED, file, copies, above))


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "status"),
    [
        (0o600, 0, 0, "pass"),
        (0o400, 0, 0, "pass"),
        (0o000, 0, 0, "pass"),
        (0o600, 0, 50, "pass"),
        (0o640, 0, 0, "warn"),
        (0o640, 0, 50, "warn"),
        (0o660, 0, 0, "warn"),
        (0o660, 0, 50, "fail"),
        (0o620, 0, 50, "fail"),
        (0o644, 0, 0, "fail"),
        (0o604, 0, 0, "fail"),
        (0o601, 0, 0, "fail"),
        (0o602, 0, 0, "fail"),
        (0o666, 0, 0, "fail"),
        (0o600, 1000, 1000, "warn"),
        (0o644, 1000, 1000, "fail"),
    ],
)
def test_modes_and_owners(mode: int, uid: int, gid: int, status: str) -> None:
    said = permissions(mode, uid, gid)
    assert said.status == status
    if status != "pass":
        assert said.remedies
        assert f"{mode:o}" in said.found


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "status"),
    [
        (0o755, 0, 0, "pass"),
        (0o700, 0, 0, "pass"),
        (0o1777, 0, 0, "pass"),
        (0o775, 0, 0, "pass"),
        (0o775, 0, 50, "warn"),
        (0o1775, 0, 50, "pass"),
        (0o777, 0, 0, "fail"),
        (0o755, 1000, 1000, "warn"),
    ],
)
def test_directories_above(mode: int, uid: int, gid: int, status: str) -> None:
    said = permissions(directories=(owned("/opt", mode, uid, gid),))
    assert said.status == status
    if status != "pass":
        assert "/opt" in said.summary


def test_copies_hold_the_same_secrets_but_may_belong_to_anybody() -> None:
    assert permissions(copies=(owned(f"{DIRECTORY}/mailcow.conf_backup", 0o644),)).status == "fail"
    assert permissions(copies=(owned(f"{DIRECTORY}/mailcow.conf_backup", 0o600, 1000),)).status == "pass"


def test_the_worst_leads_and_all_are_found() -> None:
    said = permissions(
        0o640,
        1000,
        50,
        copies=(owned(f"{DIRECTORY}/mailcow.conf~", 0o644),),
        directories=(owned("/srv", 0o755, 1000),),
    )
    assert said.status == "fail"
    assert said.summary.startswith("everybody may read mailcow.conf~")
    assert "2 more" in said.summary
    assert said.found.count(";") == 4


@pytest.mark.parametrize("place", [NOWHERE, EMPTY, CLONED])
def test_without_a_file_there_are_no_permissions(place: Place) -> None:
    said = judges.judge_permissions(Permissions(place, None, (), ()))
    assert said.status == "skipped"


# --- .env -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "target", "right", "settings", "conf", "status", "part"),
    [
        ("link", "mailcow.conf", True, False, True, "pass", "leads to mailcow.conf"),
        ("link", "mailcow.conf", True, False, False, "pass", "not there yet"),
        ("link", f"{DIRECTORY}/mailcow.conf", True, False, True, "pass", "leads to"),
        ("link", "/srv/old/mailcow.conf", False, False, True, "fail", "/srv/old/mailcow.conf"),
        ("missing", "", False, False, True, "fail", "missing"),
        ("file", "", False, True, True, "fail", "settings of its own"),
        ("file", "", False, False, True, "fail", "is a file, not a link"),
        ("file", "", False, True, False, "fail", "mailcow.conf is missing"),
        ("directory", "", False, False, True, "fail", "is a directory"),
    ],
)
def test_env(kind: str, target: str, right: bool, settings: bool, conf: bool, status: str, part: str) -> None:
    link = EnvLink(CLONED, f"{DIRECTORY}/.env", kind, target, right, settings, conf)
    said = judges.judge_env_link(link)
    assert said.status == status
    assert part in said.summary
    assert bool(said.remedies) == (status == "fail")


def test_env_before_the_install_is_not_judged() -> None:
    said = judges.judge_env_link(EnvLink(EMPTY, f"{DIRECTORY}/.env", "missing", "", False, False, False))
    assert said.status == "skipped"


@pytest.mark.parametrize(
    ("keys", "verb", "variables"),
    [
        (("DBPASS",), "DBPASS in mailcow.conf is not what", "printenv MYSQL_PASSWORD`"),
        (("DBUSER", "DBROOT"), "DBUSER, DBROOT in mailcow.conf are not", "MYSQL_USER MYSQL_ROOT_PASSWORD`"),
    ],
)
def test_changed_while_the_database_runs(keys: tuple[str, ...], verb: str, variables: str) -> None:
    """It counts more than times of files: a running container is asked."""
    said = present(kind="file", data=CONF, volumes=OLD, changed=True, differing=keys)
    assert (said.status, said.certainty, said.severity) == ("warn", "proved", "breaks")
    assert said.summary.startswith(verb)
    assert said.remedies[0].endswith(variables)
    assert present(kind="file", data=CONF, volumes=OLD).status == "pass"


INSIDE = {"Config": {"Env": ["MYSQL_PASSWORD=x"]}}


@pytest.mark.parametrize(
    ("boxes", "inside", "words"),
    [
        ([box(1, "mysql-mailcow")], INSIDE, ""),
        ([], {}, "its database does not run"),
        ([box(1, "mysql-mailcow")], {}, "what its database runs with is not known: Docker's answer to /con"),
        (None, {}, "what its database runs with is not known: Docker's list of containers is not readable"),
    ],
)
def test_a_mailcow_conf_that_is_held_against_nothing(boxes: object, inside: object, words: str) -> None:
    """After `docker compose down` nobody knows what the file was when it ran, nor where Docker is mute."""
    said = {"/volumes": {"Volumes": [volume("mysql-vol-1")]}, "/containers/json": boxes}
    said[f"/containers/{box(1, 'mysql-mailcow')['Id']}/json"] = inside
    files = {f"{MAILCOW}/{name}": "" for name in ("docker-compose.yml", "generate_config.sh", ".git/")}
    files[f"{MAILCOW}/mailcow.conf"] = CONF.decode()
    found = judges.judge_present(
        Facts(DockerHost(said, files=files), Settings(directory=MAILCOW)).get(presence)
    )
    assert (found.status, found.certainty) == ("pass", "inferred" if words else "proved"), found
    assert words in found.summary
