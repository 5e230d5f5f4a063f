"""What is offered for Docker, and the plans: steps, what they keep, what takes them back."""

import subprocess
from typing import Any

import pytest

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks import docker as checks
from mailcow_wizard.fixes import NoPlan, docker, docker_install, docker_repository
from mailcow_wizard.host.errors import NoAnswer, Refused
from mailcow_wizard.host.replies import HttpReply, Process
from mailcow_wizard.model import Command, Edit, Plan
from tests.docker_machine import DEFAULT_V6, GLOBAL_V6, JSON, MAILCOW, DockerHost, box, facts, units, volume
from tests.judged import look

CHECKS = {one.id: one for one in checks.CHECKS}
DEAD = Refused("nobody takes connections")
SYSTEMD = {"/run/systemd/system/": ""}
CONF = f"{MAILCOW}/mailcow.conf"
NAME = "MAILCOW_HOSTNAME=mail.example.org\n"
DEBIAN = 'ID=debian\nVERSION_CODENAME={}\nVERSION_ID="{}"\n'
NONE = {"/usr/bin/dockerd": None, "/usr/bin/docker": None, "/var/run/docker.sock": None}
SILENT = {
    "docker --version": None,
    "dockerd --version": None,
    f"dockerd --validate --config-file {JSON}": None,
}
OWN = " ".join(need.PACKAGES_OWN)
LISTS = "/var/lib/apt/lists/x_main_binary-amd64_Packages"


def offered(check: str, host: DockerHost) -> list[str]:
    known = facts(host)
    return [one.fix.id for one in docker.offers(check, look(CHECKS[check], known), known)]


def plan(check: str, host: DockerHost, **settings: Any) -> Plan:
    known = facts(host, **settings)
    return docker.offers(check, look(CHECKS[check], known), known)[0].plan()


def lines(made: Plan) -> list[str]:
    return [" ".join(one.argv) for one in made.steps if isinstance(one, Command)]


def policy(**versions: str) -> str:
    rows = (
        f"{name.replace('_', '-')}:\n  Installed: (none)\n  Candidate: {one}\n"
        for name, one in versions.items()
    )
    return "".join(rows).replace("docker-io:", "docker.io:")


COMPOSES = " ".join(need.PACKAGES_COMPOSE["apt"])
INSTALLED = "dpkg-query -W -f ${Package} ${db:Status-Status}\n"


def debian(
    codename: str, number: str, engine: str, compose: str, installed: str = "", **more: Any
) -> DockerHost:
    """A Debian without Docker, or with old packages of it; what apt has."""
    files = {
        "/etc/os-release": DEBIAN.format(codename, number),
        "/usr/bin/apt-get": "",
        LISTS: "",
        **SYSTEMD,
        **({} if installed else NONE),
    }
    rows = "".join(f"{name} installed\n" for name in installed.split())
    conflicting = " ".join(need.CONFLICTING["apt"])
    known = policy(docker_io=engine, docker_compose=compose)
    commands = {
        **units("not-found inactive ", "not-found inactive "),
        f"apt-cache policy docker.io {COMPOSES}": known,
        f"apt-cache policy {COMPOSES}": known,
        "apt-cache policy docker-cli": policy(docker_cli=engine),
        f"{INSTALLED} docker-ce podman-docker": "",
        f"{INSTALLED} {conflicting}": rows,
        f"{INSTALLED} {OWN}": "",
        **({} if installed else SILENT),
        **more.pop("commands", {}),
    }
    said = {"said": more.pop("said", Refused("x"))} if not installed else {}
    return DockerHost(files=files, commands=commands, daemon=(), **said, **more)


def test_a_new_enough_distribution_installs_its_own() -> None:
    new = "docker.io docker-cli docker-compose"
    commands = {
        f"apt-get -s install --no-install-recommends {new}": "".join(
            f"Inst {name} (1.0 Debian [amd64])\n" for name in (*new.split(), "runc")
        ),
        f"{INSTALLED} {new} runc": "",
    }
    host = debian("trixie", "13", "26.1.5+dfsg1-9", "2.26.1-4", commands=commands)
    assert offered("docker.engine", host) == ["install-docker"]
    made = plan("docker.engine", host)
    install = next(one for one in made.steps if isinstance(one, Command) and "install" in one.argv)
    assert install.argv[-3:] == tuple(new.split())
    assert "--purge" not in str(install.undo)  # the data of containers is in Docker's packages' care
    assert "--remove" in str(install.undo)
    assert lines(made)[-1] == "systemctl enable --now docker.service"
    assert not [one for one in made.steps if isinstance(one, Edit)]


def test_settings_that_would_not_let_it_start_come_first() -> None:
    """The new one would not start with them, and what runs would end with the restart."""
    why = {'{"ipv6": true,': "broken", '{"storage-driver": "aufs"}': "is aufs", '{"hosts": []}': "says -H"}
    for settings, said in why.items():
        host = debian("trixie", "13", "26.1.5+dfsg1-9", "2.26.1-4")
        host.files["/etc/docker/daemon.json"] = settings
        with pytest.raises(NoPlan, match=said):
            plan("docker.engine", host)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    """Two real keys: fingerprint, and the public key as people publish it."""
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)
    found = []
    for name in ("one", "two"):
        gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
        make = [
            *gpg,
            "--passphrase",
            "",
            "--quick-generate-key",
            f"{name}@example.org",
            "rsa2048",
            "sign",
            "1d",
        ]
        try:
            subprocess.run(make, check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("gpg makes no keys here")
        listed = subprocess.run(
            [*gpg, "--with-colons", "--fingerprint", name], check=True, capture_output=True, text=True
        ).stdout
        mark = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        armored = subprocess.run([*gpg, "--armor", "--export", name], check=True, capture_output=True).stdout
        found.append((mark, armored))
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
    return found


def test_fingerprints_are_those_that_gpg_shows(keys: list[tuple[str, bytes]]) -> None:
    for mark, armored in keys:
        assert docker_repository.fingerprints(armored) == (mark,)
    assert docker_repository.fingerprints(keys[0][1] + keys[1][1]) == ()
    for broken in (b"", b"x", keys[0][1][:300], keys[0][1].replace(b"\n\n", b"\n\nAAAA", 1)):
        assert docker_repository.fingerprints(broken) == ()


GPG = f"{need.REPOSITORY}/linux/debian/gpg"


def test_a_docker_that_does_not_tell_its_containers_is_not_replaced_unsaid() -> None:
    shim = ("/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "0" * 64)
    left = Process(1300, "containerd-shim", "root", shim, shim[0], "/system.slice/docker.service")
    for others, words in (((left,), "go on without it stop"), ((), "")):
        host = DockerHost(NoAnswer("late"), others=others, files={"/proc/1300/status": "NSpid:\t1300\n"})
        said = docker_install.interrupted(facts(host))
        assert words in said
        assert bool(said) is bool(words)


def test_an_old_distribution_takes_dockers_own(
    keys: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (mark, armored), (_, stranger) = keys
    monkeypatch.setattr(need, "KEY_DEB", mark)

    def made(answer: HttpReply, **settings: Any) -> Plan:
        host = debian(
            "bookworm", "12", "20.10.24+dfsg1-1", "1.29.2-3",
            installed="docker.io docker-compose containerd runc",
            version="20.10.24+dfsg1", pages={GPG: answer},
        )  # fmt: skip
        host.said["/containers/json"] = [box(1, "shop", Names=["/shop-web-1"])]
        return plan("docker.engine", host, **settings)

    good = made(HttpReply(200, armored))
    key, sources = (one for one in good.steps if isinstance(one, Edit))
    assert (key.path, key.after) == (docker_repository.KEYRING, armored)
    assert b"Suites: bookworm\n" in (sources.after or b"")
    assert b"Signed-By: /etc/apt/keyrings/docker.asc\n" in (sources.after or b"")
    update, remove, install, enable, restart = (one for one in good.steps if isinstance(one, Command))
    assert update.argv[-1] == "update"
    assert remove.argv[-4:] == ("docker.io", "docker-compose", "containerd", "runc")
    assert "purge" not in str((remove, install))
    assert remove.undo[0][-4:] == remove.argv[-4:]
    assert install.argv[-5:] == need.PACKAGES_OWN
    assert enable.undo == restart.undo == ()  # there was one before: taking back leaves Docker running
    assert "shop-web-1" in good.interrupts
    for answer in (HttpReply(200, stranger), HttpReply(200, b"<html>"), HttpReply(403, b"")):
        with pytest.raises(NoPlan):
            made(answer)
    with pytest.raises(NoPlan):
        made(HttpReply(200, armored), offline=True)


@pytest.mark.parametrize("version", ["24.0.0", "28.5.1"])
def test_a_good_engine_gets_no_offer(version: str) -> None:
    files = {"/etc/os-release": DEBIAN.format("trixie", "13")}
    assert offered("docker.engine", DockerHost(version=version, files=files)) == []


def test_what_no_installation_mends_gets_no_offer() -> None:
    files = {"/etc/os-release": DEBIAN.format("trixie", "13")}
    for name in ("rootless", "userns"):
        host = DockerHost(info={"SecurityOptions": [f"name={name}"]}, files=files)
        assert offered("docker.engine", host) == []
    snap = {"DockerRootDir": "/var/snap/docker/common/var-lib-docker"}
    assert offered("docker.engine", DockerHost(info=snap, files=files)) == []


# --- starting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "files", "expected"),
    [
        (
            "masked inactive masked",
            {},
            [
                "systemctl unmask docker.service",
                "systemctl enable docker.service",
                "systemctl reset-failed --all docker.*",
                "systemctl restart docker.service",
            ],
        ),
        (
            "masked inactive masked",
            {"/etc/systemd/system/multi-user.target.wants/docker.service": ""},
            [
                "systemctl unmask docker.service",
                "systemctl reset-failed --all docker.*",
                "systemctl restart docker.service",
            ],
        ),
        (
            "loaded failed enabled",
            {},
            [
                "systemctl reset-failed --all docker.*",
                "systemctl restart docker.service",
            ],
        ),
    ],
)
def test_starting(state: str, files: dict[str, str], expected: list[str]) -> None:
    host = DockerHost(DEAD, files={**SYSTEMD, **files}, commands=units(state))
    made = plan("docker.daemon", host)
    assert lines(made) == expected
    assert made.steps[-1].undo == (("systemctl", "stop", "docker.service", "docker.socket"),)  # type: ignore[union-attr]


def test_docker_that_runs_is_only_enabled() -> None:
    made = plan("docker.daemon", DockerHost(files=SYSTEMD, commands=units("loaded active disabled")))
    assert lines(made) == ["systemctl enable docker.service"]


def test_nothing_is_started_with_broken_settings() -> None:
    host = DockerHost(DEAD, files={**SYSTEMD, JSON: "{"}, commands=units("loaded failed enabled"))
    assert offered("docker.daemon", host) == []


# --- daemon.json ------------------------------------------------------------------------------------------

TRIAL = f"{JSON}.mailcow-wizard"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "{}\n"),
        ('{"log-driver": "local",}', '{\n  "log-driver": "local"\n}\n'),
        ('\ufeff{"dns": ["192.0.2.1"],}', '{\n  "dns": [\n    "192.0.2.1"\n  ]\n}\n'),
        ('// mine\n{"mtu": 1400,\n}', '{\n  "mtu": 1400\n}\n'),
        ('{"iptables": false, "data-root": "/srv/é"}', '{\n  "data-root": "/srv/é"\n}\n'),
        ('{"firewall-backend": "nftables"}', "{}\n"),
        ('{"iptables": false, "tag": "\\ud800"}', '{\n  "tag": "\\ud800"\n}\n'),
        ('{"iptables": true, "tag": "a,]b",}', '{\n  "iptables": true,\n  "tag": "a,]b"\n}\n'),
    ],
)
def test_settings_are_merged(before: str, after: str) -> None:
    made = plan("docker.daemon-json", DockerHost(files={JSON: before, **SYSTEMD}, commands=units()))
    edit = next(one for one in made.steps if isinstance(one, Edit) and one.path == JSON)
    assert (edit.before, edit.after) == (before.encode(), after.encode())
    names = lines(made)
    assert names[0] == f"dockerd --validate --config-file {TRIAL}"
    places = [one.path if isinstance(one, Edit) else "" for one in made.steps]
    assert places.index(TRIAL) < places.index(JSON)  # Docker looks at it before it takes effect
    if before:
        stop, again, start = (
            one for one in made.steps if isinstance(one, Command) and one.argv[0] == "systemctl"
        )
        assert (stop.undo, start.undo) == ((again.argv, start.argv), (stop.argv,))


@pytest.mark.parametrize(
    "text", ['{"log-driver": "local"', "[]", "log-driver: local\n", b"\xff", b'{"labels": ["\xff"]}']
)
def test_what_cannot_be_told_is_left(text: str | bytes) -> None:
    assert offered("docker.daemon-json", DockerHost(files={JSON: text, **SYSTEMD}, commands=units())) == []


def test_the_containers_that_stop_are_named_first() -> None:
    said = {"/containers/json": [box(1, "shop", Names=["/shop-web-1"])]}
    files = {JSON: '{"iptables": false}', **SYSTEMD}
    made = plan("docker.daemon-json", DockerHost(said, files=files, commands=units()))
    assert "shop-web-1" in made.interrupts
    live = DockerHost(said, files=files, commands=units(), info={"LiveRestoreEnabled": True})
    assert plan("docker.daemon-json", live).interrupts == ""


def test_a_docker_that_hangs_is_started_anew() -> None:
    """A unit that is active already is not started again."""
    shim = ("/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "0" * 64)
    left = Process(1300, "containerd-shim", "root", shim, shim[0], "/system.slice/docker.service")
    files = {JSON: '{"iptables": false}', "/proc/1300/status": "NSpid:\t1300\n", **SYSTEMD}
    hangs = DockerHost(NoAnswer("late"), files=files, commands=units(), others=(left,))
    made = plan("docker.daemon-json", hangs)
    assert lines(made)[-1] == "systemctl restart docker.service"
    assert "go on without it stop" in made.interrupts
    idle = DockerHost(NoAnswer("late"), files=files, commands=units())
    assert plan("docker.daemon-json", idle).interrupts == ""


def test_ipv6_is_added_to_what_is_there() -> None:
    files = {
        JSON: '{"log-driver": "local"}',
        CONF: f"{NAME}ENABLE_IPV6=true\n",
        "/proc/net/if_inet6": GLOBAL_V6,
        "/proc/net/ipv6_route": DEFAULT_V6,
        **SYSTEMD,
    }
    made = plan("docker.daemon-json", DockerHost(version="26.1.5", files=files, commands=units()))
    (after,) = (one.after for one in made.steps if isinstance(one, Edit) and one.path == JSON)
    assert after is not None
    for word in (b'"log-driver": "local"', b'"ipv6": true', b'"ip6tables": true', need.PREFIX_V6.encode()):
        assert word in after


def test_an_engine_that_cannot_look_is_not_asked_to() -> None:
    host = DockerHost(version="20.10.24", files={JSON: '{"iptables": false}', **SYSTEMD}, commands=units())
    assert not [one for one in lines(plan("docker.daemon-json", host)) if "validate" in one]


# --- leftovers and the relay ------------------------------------------------------------------------------

ALL = "/containers/json?all=1"


def test_leftovers_go_and_volumes_stay() -> None:
    said = {
        ALL: [box(1, "nginx-mailcow", "exited", "/srv/m"), box(2, "redis-mailcow", "created", "/srv/m")],
        "/networks": [{"Name": "mailcowdockerized_mailcow-network", "Id": "f" * 64}],
        "/volumes": {"Volumes": [volume("vmail-vol-1")]},
    }
    made = plan("docker.leftovers", DockerHost(said))
    assert lines(made) == [
        *(f"docker rm mailcowdockerized-{name}-mailcow-1" for name in ("nginx", "redis")),
        "docker network rm mailcowdockerized_mailcow-network",
    ]
    assert not made.reversible
    assert "Containers cannot be put back as they were" in made.consequence
    assert "mailcowdockerized_vmail-vol-1" in made.consequence
    made = plan("docker.leftovers", DockerHost({**said, ALL: []}))
    assert made.reversible
    (command,) = (one for one in made.steps if isinstance(one, Command))
    name = "mailcowdockerized_mailcow-network"
    bridge = f"--opt=com.docker.network.bridge.name=br-{'f' * 12}"
    assert command.undo == (("docker", "network", "create", "--driver=bridge", bridge, name),)


def test_what_runs_is_not_removed() -> None:
    said = {ALL: [box(1, "nginx-mailcow", "exited", "/srv/m"), box(2, "redis-mailcow", "running", "/srv/m")]}
    assert offered("docker.leftovers", DockerHost(said)) == []
    volumes = {"/volumes": {"Volumes": [volume("vmail-vol-1"), volume("mysql-vol-1")]}}
    assert offered("docker.leftovers", DockerHost(volumes)) == []


def test_the_relay_is_closed_in_mailcow_conf() -> None:
    files = {
        CONF: f"{NAME}SMTP_PORT=2525\nSMTPS_PORT=192.0.2.1:465\nENABLE_IPV6=false\n",
        "/proc/net/if_inet6": GLOBAL_V6,
    }
    made = plan("docker.relay", DockerHost(files=files))
    (edit,) = (one for one in made.steps if isinstance(one, Edit))
    after = (edit.after or b"").decode()
    assert "SMTP_PORT=0.0.0.0:2525\n" in after
    assert "SMTPS_PORT=192.0.2.1:465\n" in after
    assert "SUBMISSION_PORT=0.0.0.0:587\n" in after
    host = DockerHost(files={**files, CONF: after})
    assert look(CHECKS["docker.relay"], facts(host)).status == "pass"
