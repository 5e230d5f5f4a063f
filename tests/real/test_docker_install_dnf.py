"""Docker's own packages installed, and old ones replaced, by a real dnf 4, as Alma and Rocky have it.

No root file system of those is to be had where tests run: this is a Debian whose os-release, dnf and rpm are
like theirs. The packages are made here, with the names and conflicts of the real ones."""

from collections.abc import Iterator

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from mailcow_wizard.requirements_docker import PACKAGES_OWN
from tests.real.mending import Mender, commands
from tests.real.paper_engine import PAPER_ENGINE

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.long]

KEPT = "/var/lib/docker/volumes/mail"
REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"
_OS = 'ID="{}"\nID_LIKE="rhel centos fedora"\nVERSION_ID="{}"\nPLATFORM_ID="platform:el9"\n'
# The place is called like Docker's, so that the wizard finds its repository configured: its key is not had.
_MAKE = r"""set -e
mkdir -p /srv/download.docker.com /etc/rpm /etc/yum.repos.d /etc/dnf/vars
echo "%_dbpath /var/lib/rpm" > /etc/rpm/macros
echo 9 > /etc/dnf/vars/releasever
for one in "$@"; do
    IFS=/ read -r name version conflicts <<< "$one"
    {
        printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: t\n' "$name" "$version"
        printf 'License: t\nBuildArch: noarch\nAutoReqProv: no\n'
        if [ -n "$conflicts" ]; then echo "Conflicts: $conflicts"; fi
        printf '%%description\nt\n%%install\nmkdir -p %%{buildroot}/usr/share/%s\n' "$name"
        case $name in docker | docker-ce)
            echo 'mkdir -p %{buildroot}/usr/lib/systemd/system %{buildroot}/usr/sbin'
            echo 'cp /tmp/docker.service %{buildroot}/usr/lib/systemd/system/'
            echo "sed s/VERSION/$version/ /tmp/engine > %{buildroot}/usr/sbin/dockerd"
            echo 'chmod 755 %{buildroot}/usr/sbin/dockerd'
            printf '%%preun -p <lua>\nos.execute("systemctl disable --now docker.service")\n'
        esac
        printf '%%files\n/usr/share/%s\n' "$name"
        case $name in docker | docker-ce)
            printf '/usr/lib/systemd/system/docker.service\n/usr/sbin/dockerd\n'
        esac
    } > /tmp/one.spec
    rpmbuild -bb --quiet --define "_rpmdir /srv/download.docker.com" /tmp/one.spec
done
createrepo_c --quiet /srv/download.docker.com
"""
_SERVICE = "[Service]\nExecStart=/usr/sbin/dockerd\n[Install]\nWantedBy=multi-user.target\n"
_REPO = "[docker]\nname=docker\nbaseurl=file:///srv/download.docker.com\nenabled=1\ngpgcheck=0\n"


@pytest.fixture(scope="module", params=[("almalinux", "9.4"), ("rocky", "8.10")], ids=["alma9", "rocky8"])
def el(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A machine with dnf, and a repository of old packages and Docker's own."""
    with or_skip(), machine.booted("dnf", "rpm", "createrepo-c") as made:
        made.write("/tmp/docker.service", _SERVICE)
        made.write("/tmp/engine", PAPER_ENGINE)
        own = (f"{one}/28.5.1/{'docker' if one == 'docker-ce' else ''}" for one in PACKAGES_OWN)
        packages = ("docker/20.10.24/", "podman-docker/4.9/", *own)
        made.run(["bash", "-c", _MAKE, "make", *packages], check=True, timeout=120)
        made.write(REPOSITORY, _REPO)
        made.write("/etc/os-release", _OS.format(*request.param))
        made.run(["mkdir", "-p", KEPT], check=True)
        yield made


@pytest.fixture
def mender(el: Machine) -> Mender:
    """Fixes there."""
    return Mender(el, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", "/var/lib/mailcow-wizard")


def installed(el: Machine) -> set[str]:
    """All packages that rpm knows."""
    return set(el.run(["rpm", "-qa", "--qf", "%{NAME}\n"], check=True).stdout.split())


def is_active(el: Machine) -> bool:
    """Whether systemd runs the engine."""
    return el.run(["systemctl", "is-active", "docker.service"]).stdout.strip() == "active"


def test_where_nothing_is(el: Machine, mender: Mender) -> None:
    change = mender.apply("docker.engine", "install-docker")["change"]
    assert installed(el) == set(PACKAGES_OWN)
    assert wait_until(lambda: is_active(el), 10)
    mender.undo(change)
    assert installed(el) == set()
    assert not is_active(el)
    assert el.run(["test", "-d", KEPT]).returncode == 0


def test_old_packages_make_room(el: Machine, mender: Mender) -> None:
    old = {"docker", "podman-docker"}
    el.run(["dnf", "install", "-y", *old], check=True, timeout=120)
    el.run(["systemctl", "enable", "--now", "docker.service"], check=True)
    plan = mender.plan("docker.engine", "install-docker")
    assert f"rpm -e {' '.join(sorted(old))}" in commands(plan)
    change = mender.apply("docker.engine", "install-docker")["change"]
    assert installed(el) == set(PACKAGES_OWN)
    assert wait_until(lambda: is_active(el), 10)
    mender.undo(change)
    assert installed(el) == old
    assert el.run(["test", "-d", KEPT]).returncode == 0
    el.run(["rpm", "-e", *old], check=True)


def test_compose_alone(el: Machine, mender: Mender) -> None:
    """Beside an engine of Docker's own that has none."""
    there = set(PACKAGES_OWN) - {"docker-compose-plugin"}
    el.run(["dnf", "install", "-y", *there], check=True, timeout=120)
    el.run(["systemctl", "enable", "--now", "docker.service"], check=True)
    assert wait_until(lambda: is_active(el), 10)
    assert mender.offered("docker.compose")[0] == "install-compose"
    ended = mender.ask("apply", "docker.compose", "install-compose")
    assert installed(el) == set(PACKAGES_OWN), ended
    mender.undo(ended["change"])
    assert installed(el) == there
    el.run(["rpm", "-e", *there], check=True)


def test_a_repository_that_is_not_there(el: Machine, mender: Mender) -> None:
    """Docker's key cannot be fetched here: nothing is installed, and nothing is written."""
    el.run(["mv", REPOSITORY, "/tmp/aside"], check=True)
    try:
        refused = mender.plan("docker.engine", "install-docker")
        assert "Docker's package repository cannot be reached" in refused["refused"]
        assert installed(el) == set()
    finally:
        el.run(["mv", "/tmp/aside", REPOSITORY], check=True)
