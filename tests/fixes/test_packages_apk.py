"""Alpine: what apk 2 and apk 3 say when Docker is wanted, and what is made of it.

The texts are what both said of a repository of stand-ins for these packages.
"""

from typing import Any

import pytest

from mailcow_wizard.checks import docker as checks
from mailcow_wizard.fixes import NoPlan, docker, packages_apk
from mailcow_wizard.host.errors import Refused
from mailcow_wizard.host.replies import Ran
from mailcow_wizard.model import Command, Edit, Plan
from tests.docker_machine import JSON, DockerHost, facts
from tests.fake_host import FakeHost
from tests.judged import look

CHECK = {one.id: one for one in checks.CHECKS}["docker.engine"]
HERE = "https://mirror.example.org/alpine/v3.22"
OFF = f"/media/cdrom/apks\n{HERE}/main\n#{HERE}/community\n@edge https://other.example.org/alpine/edge/main\n"
ON = OFF.replace("#", "")
WANTED = "docker docker-cli-compose"
ASK = "apk add --no-cache --upgrade --simulate"
COMING = (
    "runc",
    "containerd",
    "docker-engine",
    "docker-cli",
    "docker",
    "docker-cli-compose",
    "docker-openrc",
)
NOWHERE = """ERROR: unable to select packages:
  docker (no such package):
    required by: world[docker]
  docker-cli-compose (no such package):
    required by: world[docker-cli-compose]
"""
UNREAD = {
    "apk 2": f"WARNING: updating and opening {HERE}/main: could not connect to server\n",
    "apk 3": f"WARNING: fetching {HERE}/main/x86_64/APKINDEX.tar.gz: Connection refused\n",
}
FROM_CACHE = f"WARNING: opening from cache {HERE}/community: No such file or directory\n"


def installing(width: int) -> str:
    """What apk is about to do; apk 2 pads the number to one place, apk 3 as far as the last one is long."""
    total = 10
    rows = (
        f"({number:>{width}}/{total}) Installing {name} (1-r0)\n" for number, name in enumerate(COMING, 4)
    )
    return f"fetch {HERE}/main/x86_64/APKINDEX.tar.gz\n{''.join(rows)}OK: 1 MiB in 14 packages\n"


def alpine(
    repositories: str = ON, commands: dict[str, Any] | None = None, installed: bool = False, **files: str
) -> DockerHost:
    """An Alpine with OpenRC; without Docker, or with one that is too old."""
    places: dict[str, Any] = {
        "/etc/os-release": "ID=alpine\nVERSION_ID=3.22.1\n",
        "/sbin/apk": "",
        "/sbin/openrc-run": "",
        "/etc/apk/repositories": repositories,
        "/etc/apk/world": "alpine-base\nbusybox\n"
        + ("docker=~20\ndocker-cli-compose\n" if installed else ""),
        **files,
    }
    if installed:
        return DockerHost(version="20.10.11", files=places, commands=commands)
    none = {"/usr/bin/dockerd": None, "/usr/bin/docker": None, "/var/run/docker.sock": None}
    silent = dict.fromkeys(
        ("docker --version", "dockerd --version", f"dockerd --validate --config-file {JSON}")
    )
    said = {**silent, **(commands or {})}
    return DockerHost(Refused("x"), files={**places, **none}, commands=said, daemon=())


def plan(host: DockerHost) -> Plan:
    known = facts(host)
    (offer,) = [one for one in docker.offers(CHECK.id, look(CHECK, known), known) if "install" in one.fix.id]
    return offer.plan()


def lines(made: Plan) -> list[str]:
    return [" ".join(one.argv) for one in made.steps if isinstance(one, Command)]


def undos(made: Plan) -> list[str]:
    return [" ".join(argv) for one in made.steps if isinstance(one, Command) for argv in one.undo]


@pytest.mark.parametrize("width", [1, 2])
def test_docker_is_installed_and_started_by_openrc(width: int) -> None:
    made = plan(alpine(commands={f"{ASK} {WANTED}": installing(width)}))
    assert lines(made) == [
        f"apk add --no-cache --upgrade {WANTED}",
        "rc-update add docker default",
        "rc-service docker start",
    ]
    assert undos(made) == [f"apk del {WANTED}", "rc-update del docker default", "rc-service docker stop"]
    assert all(name in made.consequence for name in COMING)


def test_a_repository_that_is_switched_off_is_read_first() -> None:
    commands = {
        f"{ASK} {WANTED}": Ran(2, "", NOWHERE),
        f"{ASK} --repository {HERE}/community {WANTED}": installing(2),
    }
    made = plan(alpine(OFF, commands))
    assert made.steps[0] == Edit("/etc/apk/repositories", OFF.encode(), ON.encode())
    assert lines(made)[0] == f"apk add --no-cache --upgrade {WANTED}"
    assert "/etc/apk/repositories will name the repository community too" in made.consequence
    # A file that does not even name it.
    without = f"{HERE}/main/\n"
    made = plan(alpine(without, commands))
    assert made.steps[0] == Edit(
        "/etc/apk/repositories", without.encode(), f"{without}{HERE}/community\n".encode()
    )


@pytest.mark.parametrize(
    ("repositories", "said", "reason"),
    [
        (ON, NOWHERE, "no such package: docker, docker-cli-compose"),
        ("", NOWHERE, "no such package: docker, docker-cli-compose"),
        ("@edge https://other.example.org/edge/main\n", NOWHERE, "no such package"),
        (OFF, UNREAD["apk 2"] + NOWHERE, "updating and opening .*could not connect to server"),
        (OFF, UNREAD["apk 3"] + NOWHERE, "fetching .*Connection refused"),
        (OFF, "ERROR: Unable to lock database: Permission denied\n", "Permission denied"),
    ],
)
def test_why_it_cannot_be_installed(repositories: str, said: str, reason: str) -> None:
    with pytest.raises(NoPlan, match=reason):
        plan(alpine(repositories, {f"{ASK} {WANTED}": Ran(2, "", said)}))


def test_the_other_repository_may_not_have_it_either() -> None:
    commands = {
        f"{ASK} {WANTED}": Ran(2, "", FROM_CACHE + NOWHERE),
        f"{ASK} --repository {HERE}/community {WANTED}": Ran(2, "", UNREAD["apk 3"] + NOWHERE),
    }
    with pytest.raises(NoPlan, match="no such package: docker, docker-cli-compose"):
        plan(alpine(OFF, commands))


@pytest.mark.parametrize("number", ["1/2", " 1/10"])
def test_no_package_goes_to_make_room(number: str) -> None:
    said = f"({number}) Purging podman-docker (5.5.2-r0)\n"
    with pytest.raises(NoPlan, match="would remove podman-docker"):
        plan(alpine(commands={f"{ASK} {WANTED}": said}))


def test_a_newer_version_takes_the_place_of_the_old() -> None:
    said = (
        "(1/2) Upgrading docker-engine (20.10.11-r1 -> 28.3.3-r0)\n(2/2) Upgrading docker (20 -> 28.3.3-r0)\n"
    )
    files = {"/etc/runlevels/default/docker": ""}
    made = plan(alpine(commands={f"{ASK} {WANTED}": said}, installed=True, **files))
    # The old engine runs on until it is started again, and what was there before stays when it is taken back.
    assert lines(made) == [f"apk add --no-cache --upgrade {WANTED}", "rc-service docker restart"]
    assert undos(made) == []
    assert "Brought to a newer version, and left there: docker-engine, docker." in made.consequence


def test_no_newer_version_is_said() -> None:
    nothing = "OK: 1367 KiB in 14 packages\n"
    with pytest.raises(NoPlan, match="apk has no newer Docker than the one that is here"):
        plan(alpine(commands={f"{ASK} {WANTED}": nothing}, installed=True))


def test_what_somebody_asked_for() -> None:
    host = FakeHost({"/etc/apk/world": "busybox\ndocker=~20\ngit@edge\nmusl>1.2\n!podman\n"})
    assert packages_apk.chosen(host) == ("busybox", "docker", "git", "musl", "!podman")
    assert packages_apk.chosen(FakeHost()) == ()
