"""Which packages hold the missing tools, what the package managers say, and what is removed again."""

from collections.abc import Mapping

import pytest

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.tools import TOOLS
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, packages_install, system
from mailcow_wizard.fixes.packages_install import Coming, packages_of, parse_apt, parse_dnf
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import FileInfo, Ran
from mailcow_wizard.model import Command, Judgement, Plan
from tests.fake_host import FakeHost
from tests.judged import look

FAIL = Judgement("fail", "missing: jq")
PRESENT = [one for one in (*need.TOOLS_REQUIRED, *need.TOOLS_ADVISED, "cp", "sed") if one != "jq"]
LISTS = {"/var/lib/apt/lists/deb.debian.org_dists_bookworm_main_binary-amd64_Packages": ""}
IDS = {"apt": "debian", "dnf": "rocky", "apk": "alpine", "zypper": "opensuse", "pacman": "arch"}

APT_SAID = """NOTE: This is only a simulation!
Reading package lists...
The following NEW packages will be installed:
  jq libjq1 libonig5
Inst libonig5 (6.9.8-1 Debian:12.0/stable [amd64])
Inst libjq1 (1.6-2.1 Debian:12.0/stable [amd64])
Inst libc6 [2.36-9] (2.36-9+deb12u14 Debian:12.11/stable [amd64]) []
Inst jq (1.6-2.1 Debian:12.0/stable [amd64])
Conf libonig5 (6.9.8-1 Debian:12.0/stable [amd64])
"""
DNF_SAID = """Last metadata expiration check: 0:01:02 ago on Sun Nov 22 2026.
Dependencies resolved.
================================================================================
 Package           Architecture  Version                  Repository       Size
================================================================================
Installing:
 jq                x86_64        1.6-17.el9               appstream       186 k
Installing dependencies:
 oniguruma         x86_64        6.9.6-1.el9.6            appstream       217 k
 a-package-with-a-name-that-is-longer-than-its-column
                   noarch        1-1                      appstream        10 k
Upgrading:
 openssl-libs      x86_64        1:3.2.2-6.el9            baseos          2.1 M

Transaction Summary
================================================================================
Install  3 Packages
Operation aborted.
"""
DNF5_SAID = """Updating and loading repositories:
Repositories loaded.
Package         Arch   Version          Repository      Size
Installing:
 jq             x86_64 0:1.7.1-10.fc42  fedora     449.7 KiB
Installing dependencies:
 oniguruma      x86_64 0:6.9.10-2.fc42  fedora     755.3 KiB

Transaction Summary:
 Installing:         2 packages

Total size of inbound packages is 400 KiB.
Operation aborted by the user.
"""
APK_SAID = """fetch https://dl-cdn.alpinelinux.org/alpine/v3.20/main/x86_64/APKINDEX.tar.gz
(1/3) Upgrading musl (1.2.5-r0 -> 1.2.5-r1)
(2/3) Installing oniguruma (6.9.9-r0)
(3/3) Installing jq (1.7.1-r0)
OK: 12 MiB in 30 packages
"""
ZYPPER_SAID = """<?xml version='1.0'?>
<stream>
<message type="info">Loading repository data...</message>
<install-summary download-size="1" space-usage-diff="2" packages-to-change="2">
<to-install>
<solvable type="package" name="jq" edition="1.6-3.3.1" arch="x86_64" summary="JSON">
<description>t</description></solvable>
<solvable type="package" name="libjq1" edition="1.6-3.3.1" arch="x86_64" summary="JSON">
<description>t</description></solvable>
</to-install>
<to-upgrade>
<solvable type="package" name="libonig4" edition="2.0-1" arch="noarch" edition-old="1-1" summary="t"/>
</to-upgrade>
</install-summary>
</stream>
"""

INSTALLS = {
    "apt": "env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get install -y "
    "--no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold jq",
    "dnf": "dnf install -y --setopt=install_weak_deps=False jq",
    "apk": "apk add --no-cache --upgrade jq",
    "zypper": "zypper --non-interactive install --no-recommends jq",
    "pacman": "pacman -S --needed --noconfirm jq",
}
SIMULATIONS: dict[str, dict[str, Ran | str]] = {
    "apt": {
        "apt-get -s install --no-install-recommends jq": APT_SAID,
        "dpkg-query -W -f ${Package} ${db:Status-Status}\n libonig5 libjq1 jq": Ran(
            1, "libjq1 config-files\n", "dpkg-query: no packages found matching jq"
        ),
    },
    "dnf": {"dnf install --assumeno --setopt=install_weak_deps=False jq": Ran(1, DNF_SAID, "")},
    "apk": {"apk add --no-cache --upgrade --simulate jq": APK_SAID},
    "zypper": {
        "zypper --non-interactive --xmlout install --dry-run --no-recommends jq": ZYPPER_SAID,
    },
    "pacman": {
        "pacman -S --needed --print --print-format %n jq": "oniguruma\nglibc\njq\n",
        "pacman -Qq": "bash\nglibc\n",
    },
}


class Packaged(FakeHost):
    """Its lists of packages were fetched `age` seconds ago."""

    age = 3600.0

    def info(self, path: str, follow: bool = True) -> FileInfo:
        return super().info(path, follow)._replace(mtime=self.now() - self.age)


def machine(
    packager: str,
    commands: Mapping[str, Ran | str | HostError] | None = None,
    files: Mapping[str, str | bytes | HostError] | None = None,
) -> Packaged:
    release = {"/etc/os-release": f"ID={IDS[packager]}\n", "/etc/apk/world": "busybox\ncurl\n"}
    said = SIMULATIONS[packager] if commands is None else commands
    return Packaged({**release, **LISTS, **(files or {})}, said, tools=(*PRESENT, "apt-get"))


def plan(host: FakeHost) -> Plan:
    (offer,) = system.offers("system.tools", FAIL, Facts(host))
    assert offer.fix.id == "install-tools"
    return offer.plan()


def undos(made: Plan) -> list[str]:
    return [" ".join(argv) for step in made.steps if isinstance(step, Command) for argv in step.undo]


@pytest.mark.parametrize("packager", IDS)
def test_the_command_that_installs(packager: str) -> None:
    made = plan(machine(packager))
    assert [" ".join(step.argv) for step in made.steps if isinstance(step, Command)] == [INSTALLS[packager]]
    assert made.title == "Install jq"
    assert "install-tools" in [fix.id for fix in look(TOOLS, Facts(machine(packager))).fixes]


@pytest.mark.parametrize(
    ("packager", "commands", "said"),
    [
        (
            "apt",
            [
                "env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 dpkg --remove libjq1",
                "env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 dpkg --purge libonig5 jq",
            ],
            "left there: libc6",
        ),
        (
            "dnf",
            ["rpm -e jq oniguruma a-package-with-a-name-that-is-longer-than-its-column"],
            "left there: openssl-libs",
        ),
        ("apk", ["apk del jq"], "left there: musl"),
        ("zypper", ["rpm -e jq libjq1"], "left there: libonig4"),
        ("pacman", ["pacman -Rn --noconfirm oniguruma jq"], "left there: glibc"),
    ],
)
def test_only_what_was_new_is_removed(packager: str, commands: list[str], said: str) -> None:
    made = plan(machine(packager))
    assert undos(made) == commands
    assert said in made.consequence


def test_lists_that_are_old_or_missing_are_fetched_first() -> None:
    host = machine("apt")
    assert len(plan(host).steps) == 1
    host.age = 8 * 86_400.0
    first, second = plan(host).steps
    assert isinstance(first, Command)
    assert (first.argv, first.undo) == (("apt-get", "update"), ())
    host = machine("apt", {})
    del host.files[next(iter(LISTS))]
    made = plan(host)
    assert len(made.steps) == 2
    assert undos(made) == ["env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 dpkg --purge jq"]
    assert "named one only" in made.consequence
    assert isinstance(second, Command)


REFUSALS: tuple[tuple[str, Ran, str], ...] = (
    ("apt", Ran(100, "", "E: Unable to locate package jq\n"), "Unable to locate package jq"),
    ("apt", Ran(0, "Remv exim4 [4.96]\nInst jq (1.6 Debian)\n", ""), "would remove exim4"),
    ("dnf", Ran(1, "", "Error: Unable to find a match: jq\n"), "Unable to find a match"),
    ("dnf", Ran(1, "", "Error: This command has to be run with superuser privileges."), "superuser"),
    ("apk", Ran(1, "", "ERROR: unable to select packages:\n"), "unable to select"),
    ("apk", Ran(0, "(1/1) Purging foo (1-r0)\n", ""), "would remove foo"),
    (
        "zypper",
        Ran(104, "<message type='error'>No provider of &apos;jq&apos; found.</message>", ""),
        "of 'jq' found",
    ),
    (
        "zypper",
        Ran(0, '<install-summary><to-remove><solvable name="a"/></to-remove></install-summary>', ""),
        "would remove a",
    ),
    ("pacman", Ran(1, "", "error: target not found: jq\n"), "target not found"),
    ("pacman", Ran(1, "", ""), "does not say why"),
)


@pytest.mark.parametrize(("packager", "said", "words"), REFUSALS)
def test_what_cannot_be_installed_is_said(packager: str, said: Ran, words: str) -> None:
    question = next(iter(SIMULATIONS[packager]))
    with pytest.raises(NoPlan, match=words):
        plan(machine(packager, {question: said}))


def test_fresh_lists_are_asked_for_where_the_old_do_not_know_it() -> None:
    host = machine("apt", {next(iter(SIMULATIONS["apt"])): REFUSALS[0][1]})
    host.age = 8 * 86_400.0
    assert undos(plan(host)) == ["env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 dpkg --purge jq"]


def test_not_offered() -> None:
    unknown = FakeHost({"/etc/os-release": "ID=haiku\n"}, tools=PRESENT)
    assert system.offers("system.tools", FAIL, Facts(unknown)) == ()
    no_command = FakeHost({"/etc/os-release": "ID=alpine\n"}, tools=PRESENT)
    assert system.offers("system.tools", FAIL, Facts(no_command)) == ()


NAMES = {
    "apt": {"awk": "gawk", "ping": "iputils-ping", "ip": "iproute2"},
    "dnf": {"awk": "gawk", "ping": "iputils", "ip": "iproute"},
    "apk": {"awk": "gawk", "ping": "iputils", "ip": "iproute2"},
    "zypper": {"awk": "gawk", "ping": "iputils", "ip": "iproute2"},
    "pacman": {"awk": "gawk", "ping": "iputils", "ip": "iproute2"},
}


@pytest.mark.parametrize("packager", IDS)
def test_packages_of_tools(packager: str) -> None:
    for tool, package in {**NAMES[packager], "git": "git", "openssl": "openssl", "sed": "sed"}.items():
        assert packages_of(packager, (tool,)) == (package,)
    assert packages_of(packager, ("sha1sum", "cut", "cp", "jq")) == ("coreutils", "jq")


def test_https_needs_authorities() -> None:
    """Debian's curl only recommends them."""
    asked = "apt-get -s install --no-install-recommends curl jq"
    for there in (False, True):
        words = asked if there else f"{asked} ca-certificates"
        files = {"/etc/ssl/certs/ca-certificates.crt": ""} if there else {}
        host = machine("apt", {words: "Inst curl (1 Debian)\n", **_dpkg("curl")}, files)
        del host.files["/usr/bin/curl"]
        assert plan(host).title == "Install curl, jq"


def _dpkg(*names: str) -> dict[str, str]:
    return {f"dpkg-query -W -f ${{Package}} ${{db:Status-Status}}\n {' '.join(names)}": ""}


def test_what_apt_says() -> None:
    assert parse_apt(APT_SAID) == (["libonig5", "libjq1", "jq"], ["libc6"], [])
    assert parse_apt("Inst libc6:i386 (2.36 Debian)\nPurg a [1]\nInstall x\n") == (["libc6:i386"], [], ["a"])
    assert parse_apt("") == ([], [], [])


def test_what_dnf_says() -> None:
    assert parse_dnf(DNF5_SAID) == {"new": ["jq", "oniguruma"], "newer": [], "removed": []}
    assert parse_dnf("Removing dependent packages:\n podman x86_64 1\n")["removed"] == ["podman"]
    assert parse_dnf("Nothing to do.\n") == {"new": [], "newer": [], "removed": []}


def test_many_packages_are_counted() -> None:
    many = Coming("apt-get", ("git",), ("git", *(f"lib{number}" for number in range(20))))
    assert packages_install.consequence(many) == "New packages: git, and 20 that they need."
    assert packages_install.steps(Coming("dnf", ("git",), ()))[0] == Command(
        ("dnf", "install", "-y", "--setopt=install_weak_deps=False", "git"), (), 900.0
    )
