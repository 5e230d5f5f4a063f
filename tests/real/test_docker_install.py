"""Docker installed and replaced by a real apt on a booted Debian, from repositories made for it, whose
packages are made here: small, but with the names, versions, conflicts and the purge of the real ones."""

from collections.abc import Iterator

import pytest
from lab.inside import wait_until
from lab.machine import CHECKOUT_INSIDE, Machine

from tests.real.mending import Mender
from tests.real.paper_engine import PAPER_ENGINE

pytestmark = pytest.mark.real

KEPT = "/var/lib/docker/volumes/mail"
OLD, NEW = "20.10.24+dfsg1-1", "26.1.5+dfsg1-9"
OWN = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")
# A purge of Debian's docker.io can take away the data: it must never run.
_MAKE = r"""set -e
place=$1; shift
mkdir -p "$place"
for one in "$@"; do
    IFS=/ read -r name version conflicts <<< "$one"
    root=$(mktemp -d)
    chmod 755 "$root"
    mkdir -p "$root/DEBIAN" "$root/usr/share/$name"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: t\n' \
        "$name" "$version" > "$root/DEBIAN/control"
    if [ -n "$conflicts" ]; then echo "Conflicts: $conflicts" >> "$root/DEBIAN/control"; fi
    case $name in docker.io | docker-ce)
        mkdir -p "$root/lib/systemd/system" "$root/usr/sbin"
        printf '[Service]\nExecStart=/usr/sbin/dockerd\n[Install]\nWantedBy=multi-user.target\n' \
            > "$root/lib/systemd/system/docker.service"
        number=${version#*:}
        echo "$ENGINE" | sed "s/VERSION/${number%%-*}/" > "$root/usr/sbin/dockerd"
        chmod 755 "$root/usr/sbin/dockerd"
        printf '#!/bin/sh\nif [ "$1" = purge ]; then rm -rf /var/lib/docker; fi\n' > "$root/DEBIAN/postrm"
        printf '#!/bin/sh\nsystemctl stop docker.service\n' > "$root/DEBIAN/prerm"
        chmod 755 "$root/DEBIAN/postrm" "$root/DEBIAN/prerm"
    esac
    dpkg-deb --root-owner-group --build "$root" "$place" > /dev/null
    rm -rf "$root"
done
cd "$place"
for one in *.deb; do
    dpkg-deb -f "$one"
    echo "Filename: ./$one"; echo "Size: $(stat -c %s "$one")"
    echo "SHA256: $(sha256sum < "$one" | cut -d' ' -f1)"
    echo
done > Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo "deb [trusted=yes] file:$place ./" > /etc/apt/sources.list.d/one.list
apt-get -q update
"""


@pytest.fixture
def debian(booted: Machine) -> Iterator[Machine]:
    """The machine with something in Docker's data; afterwards without Docker."""
    booted.run(["mkdir", "-p", KEPT], check=True)
    yield booted
    booted.run(["systemctl", "stop", "docker.service"])
    booted.run(["dpkg", "--purge", "docker.io", "docker-compose", "docker-cli", "podman-docker", *OWN])


@pytest.fixture
def mender(debian: Machine) -> Mender:
    """Fixes there."""
    return Mender(debian, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", "/var/lib/mailcow-wizard")


def repository(debian: Machine, place: str, *packages: str) -> None:
    """The only repository that apt knows: packages as name/version/conflicts."""
    debian.run(
        ["bash", "-c", _MAKE, "make", place, *packages], check=True, timeout=120, env={"ENGINE": PAPER_ENGINE}
    )


def installed(debian: Machine) -> set[str]:
    """Docker's packages that are installed, of either kind."""
    said = debian.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"], check=True).stdout
    rows = (line.split() for line in said.splitlines())
    return {
        name for name, state in rows if state == "installed" and name.startswith(("docker", "containerd"))
    }


def is_active(debian: Machine) -> bool:
    """Whether systemd runs the engine."""
    return debian.run(["systemctl", "is-active", "docker.service"]).stdout.strip() == "active"


def test_from_a_distribution_that_is_new_enough(debian: Machine, mender: Mender) -> None:
    names = {"docker.io", "docker-cli", "docker-compose"}
    repository(debian, "/srv/new", f"docker.io/{NEW}/", f"docker-cli/{NEW}/", "docker-compose/2.26.1-4/")
    change = mender.apply("docker.engine", "install-docker")["change"]
    assert installed(debian) == names
    assert wait_until(lambda: is_active(debian), 10)
    mender.undo(change)
    assert installed(debian) == set()
    assert not is_active(debian)
    assert debian.run(["test", "-d", KEPT]).returncode == 0


def test_old_packages_make_room_for_dockers_own(debian: Machine, mender: Mender) -> None:
    old = {"docker.io", "docker-compose"}
    rows = (f"{one}/5:28.5.1-1/{'docker.io' if one == 'docker-ce' else ''}" for one in OWN)
    packages = (f"docker.io/{OLD}/", "docker-compose/1.29.2-3/", *rows)
    repository(debian, "/srv/download.docker.com", *packages)
    debian.run(["apt-get", "install", "-y", *old], check=True, timeout=60)
    debian.run(["systemctl", "enable", "--now", "docker.service"], check=True)
    plan = mender.plan("docker.engine", "install-docker")
    assert "Removed, for they hold the same files: docker.io, docker-compose" in plan["consequence"]
    change = mender.apply("docker.engine", "install-docker")["change"]
    assert installed(debian) == set(OWN)
    assert wait_until(lambda: is_active(debian), 10)
    assert debian.run(["test", "-d", KEPT]).returncode == 0
    mender.undo(change)
    assert installed(debian) == old
    assert debian.run(["test", "-d", KEPT]).returncode == 0


def test_podman_docker_makes_room(debian: Machine, mender: Mender) -> None:
    """Also where the distribution has a new engine, which would not come beside it."""
    own = (f"{one}/5:28.5.1-1/" for one in OWN)
    new = (f"docker.io/{NEW}/podman-docker", f"docker-cli/{NEW}/", "docker-compose/2.26.1-4/")
    repository(debian, "/srv/beside/download.docker.com", *new, *own, "podman-docker/4.3.1/docker.io")
    debian.run(["apt-get", "install", "-y", "podman-docker"], check=True, timeout=60)
    named = ["dpkg-query", "-W", "-f", "${db:Status-Status}", "podman-docker"]
    change = mender.apply("docker.engine", "install-docker")["change"]
    assert installed(debian) == set(OWN)
    assert debian.run(named).stdout != "installed"
    mender.undo(change)
    assert installed(debian) == set()
    assert debian.run(named).stdout == "installed"


def test_compose_alone(debian: Machine, mender: Mender) -> None:
    """Beside an engine that is new enough; the engine goes on meanwhile."""
    repository(debian, "/srv/new", f"docker.io/{NEW}/", f"docker-cli/{NEW}/", "docker-compose/2.26.1-4/")
    debian.run(["apt-get", "install", "-y", "docker.io", "docker-cli"], check=True, timeout=60)
    debian.run(["systemctl", "enable", "--now", "docker.service"], check=True)
    assert wait_until(lambda: is_active(debian), 10)
    process = debian.run(["systemctl", "show", "--property=MainPID", "docker.service"]).stdout
    assert mender.offered("docker.compose")[0] == "install-compose"
    change = mender.ask("apply", "docker.compose", "install-compose")["change"]
    assert installed(debian) == {"docker.io", "docker-cli", "docker-compose"}
    mender.undo(change)
    assert installed(debian) == {"docker.io", "docker-cli"}
    assert debian.run(["systemctl", "show", "--property=MainPID", "docker.service"]).stdout == process


def test_compose_that_no_repository_has(debian: Machine, mender: Mender) -> None:
    repository(debian, "/srv/old-compose", f"docker.io/{NEW}/", "docker-compose/1.29.2-3/")
    debian.run(["apt-get", "install", "-y", "docker.io"], check=True, timeout=60)
    debian.run(["systemctl", "enable", "--now", "docker.service"], check=True)
    assert wait_until(lambda: is_active(debian), 10)
    refused = mender.plan("docker.compose", "install-compose")
    assert "This distribution has no Compose that is new enough" in refused["refused"]
    assert installed(debian) == {"docker.io"}


def test_a_distribution_that_is_too_old_and_no_way_to_docker(debian: Machine, mender: Mender) -> None:
    repository(debian, "/srv/old", f"docker.io/{OLD}/", "docker-compose/1.29.2-3/")
    refused = mender.plan("docker.engine", "install-docker")
    assert "Docker's package repository cannot be reached" in refused["refused"]
    assert installed(debian) == set()
