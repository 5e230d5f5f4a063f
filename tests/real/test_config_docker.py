"""What a real Docker engine says of databases that are left, and which real Compose is found."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import compose
from lab.engine import Engine
from lab.skip import or_skip
from real.config_place import GOOD_CONF

pytestmark = pytest.mark.real

VOLUME = "mailcowdockerized_mysql-vol-1"


@pytest.fixture
def directory() -> Iterator[Path]:
    """mailcow's directory: a clone of which only the marks are there."""
    with tempfile.TemporaryDirectory(prefix="mailcow-wizard-config-") as name:
        made = Path(name) / "mailcow"
        made.mkdir()
        (made / "docker-compose.yml").write_text("services:\n  a:\n    image: x\n")
        yield made


def check(docker: Engine, directory: Path, name: str) -> dict[str, Any]:
    """One finding of config, looked at in the engine's namespaces."""
    state = str(directory.parent / "state")
    options = ("--json", "--dir", str(directory), "--state-dir", state)
    done = docker.wizard("check", f"config.{name}", *options, env={"PATH": "/usr/bin:/bin"})
    (finding,) = json.loads(done.stdout)["checks"]
    assert "ExampleDbPassword" not in done.stdout + done.stderr
    return dict(finding)


@pytest.fixture
def volume(docker: Engine) -> Iterator[str]:
    """A database volume, as mailcow leaves one."""
    docker.docker("volume", "create", VOLUME)
    yield VOLUME
    docker.docker("volume", "rm", VOLUME)


def test_a_database_that_is_left(docker: Engine, directory: Path, volume: str) -> None:
    finding = check(docker, directory, "present")
    assert finding["status"] == "fail"
    assert volume in finding["summary"]
    assert "docker volume ls -q" in [one["what"] for one in finding["evidence"]]
    nowhere = check(docker, directory.parent, "present")
    assert nowhere["status"] == "fail"
    (directory / "mailcow.conf").write_text(GOOD_CONF)
    assert check(docker, directory, "present")["status"] == "pass"


def test_a_file_made_anew_over_a_database(docker: Engine, directory: Path, volume: str) -> None:
    time.sleep(1.1)  # Docker and stat tell whole seconds
    (directory / "mailcow.conf_backup").write_text(GOOD_CONF)
    conf = directory / "mailcow.conf"
    conf.write_text(GOOD_CONF.replace("ExampleDbPassword", "ExampleDbPasswordNew"))
    finding = check(docker, directory, "present")
    assert (finding["status"], finding["certainty"]) == ("warn", "inferred")
    assert [one["id"] for one in finding["fixes"]] == ["restore-conf"]
    options = ("--dir", str(directory), "--state-dir", str(directory.parent / "state"))
    shown = docker.wizard("fix", "config.present", "restore-conf", "--dry-run", *options)
    assert "-DBPASS=" in shown.stdout
    assert "ExampleDbPassword" not in shown.stdout + shown.stderr
    done = docker.wizard("fix", "config.present", "restore-conf", "--yes", "--json", *options)
    assert json.loads(done.stdout)["result"]["status"] == "pass"
    assert conf.read_text() == GOOD_CONF


def test_changed_while_the_database_runs(docker: Engine, directory: Path) -> None:
    """Its container is asked for what it was made with; neither value is shown or recorded."""
    conf, record = directory / "mailcow.conf", directory.parent / "record.json"
    conf.write_text(GOOD_CONF)
    values = dict(line.split("=", 1) for line in GOOD_CONF.splitlines() if "=" in line)
    rows = {"project": "mailcowdockerized", "service": "mysql-mailcow", "project.working_dir": str(directory)}
    options = [
        word for name, value in rows.items() for word in ("--label", f"com.docker.compose.{name}={value}")
    ]
    for name, key in (
        ("MYSQL_PASSWORD", "DBPASS"),
        ("MYSQL_ROOT_PASSWORD", "DBROOT"),
        ("MYSQL_USER", "DBUSER"),
    ):
        options += ["--env", f"{name}={values[key]}"]
    with docker.container("mailcowdockerized-mysql-mailcow-1", *options):
        assert check(docker, directory, "present")["status"] == "pass"
        conf.write_text(GOOD_CONF.replace(values["DBPASS"], f"'{values['DBPASS']}'"))
        assert check(docker, directory, "present")["status"] == "pass"
        conf.write_text(GOOD_CONF.replace("ExampleDbPassword", "ExampleDbPasswordNew"))
        finding = check(docker, directory, "present")
        assert (finding["status"], finding["certainty"]) == ("warn", "proved")
        assert finding["summary"].startswith("DBPASS in mailcow.conf is not what the database runs with")
        words = ("check", "config.present", "--record", str(record), "--dir", str(directory))
        docker.wizard(*words, "--state-dir", str(directory.parent / "state"))
        assert "ExampleDbPassword" not in record.read_text()
    # The database that is stopped is not asked.
    assert check(docker, directory, "present")["status"] == "pass"


def test_what_opens_the_database_is_not_taken_back(docker: Engine, directory: Path) -> None:
    conf = directory / "mailcow.conf"
    options = ("--dir", str(directory), "--state-dir", str(directory.parent / "state"), "--offline")

    def wizard(*words: str) -> "subprocess.CompletedProcess[str]":
        return docker.wizard(*words, *options, env={"PATH": "/usr/bin:/bin"})

    new = ("conf", "new", "--hostname", "mail.example.org", "TZ=Europe/Berlin", "--yes")
    assert wizard(*new).returncode == 0
    first = conf.read_text()
    assert wizard("conf", "set", "DBPASS=abcdefghijkl", "--yes").returncode == 0
    docker.docker("volume", "create", VOLUME)
    try:
        assert wizard("conf", "set", "DBPASS=other", "--yes").returncode == 64
        for _ in range(2):
            made = conf.read_text()
            done = wizard("undo", "--yes")
            assert done.returncode == 73, done
            assert "the database of mailcowdockerized opens with what is there now" in done.stderr
            assert conf.read_text() == made
            docker.docker("volume", "rm", VOLUME)
            if made != first:
                assert wizard("undo", "--yes").returncode in (0, 1, 2)
                assert conf.read_text() == first
            docker.docker("volume", "create", VOLUME)
        conf.rename(directory / "mailcow.conf_backup")
        done = wizard(*new)
        assert done.returncode == 73
        assert "is still there, and new passwords would not open it" in done.stderr
    finally:
        docker.docker("volume", "rm", VOLUME)


def test_no_database_is_left(docker: Engine, directory: Path) -> None:
    assert "cannot start" in check(docker, directory, "present")["summary"]
    empty = directory.parent / "empty"
    empty.mkdir()
    assert check(docker, empty, "present")["status"] == "skipped"


def test_mailcow_in_another_place(docker: Engine, directory: Path) -> None:
    labels = {
        "com.docker.compose.project": "mailcowdockerized",
        "com.docker.compose.service": "unbound-mailcow",
        "com.docker.compose.project.working_dir": "/srv/mailcow",
    }
    options = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    with docker.container("unbound", *options):
        empty = directory.parent / "empty"
        empty.mkdir()
        finding = check(docker, empty, "present")
    assert finding["status"] == "warn"
    assert "/srv/mailcow" in finding["summary"]


@pytest.fixture(params=[compose.SUITES[0], pytest.param(compose.SUITES[1], marks=pytest.mark.long)])
def programs(request: pytest.FixtureRequest, docker: Engine) -> Iterator[Path]:
    """Places that the engine's namespaces have for themselves, with a Docker client and no Compose; the path
    of a real Compose."""
    with or_skip():
        program = compose.program(request.param)
    client = docker.run(["sh", "-c", "command -v docker"], check=True).stdout.strip()
    script = (
        "mount -t tmpfs tmpfs /usr/local/bin && mount -t tmpfs tmpfs /usr/local/lib && "
        f"cp {client} /usr/local/bin/docker && mkdir -p /usr/local/lib/docker/cli-plugins"
    )
    docker.run(["sh", "-c", script], check=True)
    yield program
    docker.run(["umount", "/usr/local/bin", "/usr/local/lib"], check=True)


@pytest.mark.parametrize(
    ("places", "flavour"),
    [
        (("/usr/local/lib/docker/cli-plugins/docker-compose",), "native"),
        (("/usr/local/bin/docker-compose",), "standalone"),
        (("/usr/local/bin/docker-compose", "/usr/local/lib/docker/cli-plugins/docker-compose"), "native"),
    ],
)
def test_the_compose_that_is_installed(
    docker: Engine, directory: Path, programs: Path, places: tuple[str, ...], flavour: str
) -> None:
    conf = directory / "mailcow.conf"
    conf.write_text(GOOD_CONF)
    if shutil.which("docker-compose") or Path("/usr/libexec/docker/cli-plugins/docker-compose").exists():
        pytest.skip("this machine has a Compose of its own")
    assert check(docker, directory, "compose-version")["status"] == "unknown"
    for place in places:
        docker.run(["cp", str(programs), place], check=True)
    for value in ("native", "standalone"):
        conf.write_text(GOOD_CONF.replace("=native", f"={value}"))
        right = value == flavour or len(places) == 2
        finding = check(docker, directory, "compose-version")
        assert finding["status"] == ("pass" if right else "fail"), finding
    conf.write_text(GOOD_CONF.replace("=native", "="))
    finding = check(docker, directory, "compose-version")
    assert finding["status"] == "warn"
    assert finding["fixes"][0]["title"] == f"Set DOCKER_COMPOSE_VERSION={flavour}"
