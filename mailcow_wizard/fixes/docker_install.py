"""Installing Docker's engine and Compose: the distribution's where they are new enough, else Docker's own."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as base
from mailcow_wizard import requirements_docker as need
from mailcow_wizard.facts import docker, docker_daemon, tools, units
from mailcow_wizard.facts.containers import containers
from mailcow_wizard.facts.docker_json import daemon_json
from mailcow_wizard.facts.docker_shims import containers_run
from mailcow_wizard.facts.package_sources import Places, texts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, Offer, docker_repository, packages_install
from mailcow_wizard.fixes.docker_settings import NOT_WITH_THESE_SETTINGS, would_not_start
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Fix, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_PATIENCE_S = 60.0
_INSTALL_S = 1800.0
_SETTLE_S = 30.0
_APT = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "apt-get")
_OWN_UNIT = "/etc/systemd/system/docker.service"
_UNIT_FILES = Places((_OWN_UNIT,), ((f"{_OWN_UNIT}.d", (".conf",)),))


def engine(check: str, facts: Facts) -> Offer | None:
    """An offer to install the engine and Compose. The package manager is asked when the plan is wanted."""
    packager = tools.packager(facts)
    seen = facts.get(docker.engine)
    if not packager or seen.snap:
        return None
    title = (
        _("Bring Docker to a newer version") if seen.installed else _("Install Docker and its Compose plugin")
    )
    fix = Fix("install-docker", title, "medium", True, True)
    return Offer(fix, lambda: _engine(check, facts, packager, title))


def _engine(check: str, facts: Facts, packager: str, title: str) -> Plan:
    if would_not_start(facts):  # and what runs would end with the restart
        raise NoPlan(NOT_WITH_THESE_SETTINGS)
    _refuse_settings(facts)
    command = packages_install.command(facts.host, packager)
    own = packager in ("apt", "dnf") and not _is_new_enough(facts, packager)
    if own:
        steps, words = _from_docker(facts, packager)
    else:
        coming = packages_install.coming(facts.host, command, _of_distribution(facts, packager))
        if coming.new == coming.newer == ():
            raise NoPlan(_("{command} has no newer Docker than the one that is here.", command=command))
        steps = _without_purge(packages_install.steps(coming))
        words = _(
            "Docker comes from this distribution's own packages. {consequence}",
            consequence=packages_install.consequence(coming),
        )
    return Plan(
        check,
        None,
        "install-docker",
        title,
        (*steps, *_started(facts)),
        "medium",
        reversible=True,
        needs_root=True,
        consequence=_(
            "{words} Docker starts now and with the machine. Images, containers and "
            "volumes that are there stay, also when this is taken back.",
            words=words,
        ),
        interrupts=interrupted(facts),
        settle=_SETTLE_S,
    )


def _refuse_settings(facts: Facts) -> None:
    """Raises NoPlan where the engine that comes would not start with settings that one of before has left."""
    try:
        file = facts.get(daemon_json)
    except HostError:
        return
    named = str(file.settings.get("storage-driver"))
    if named in need.DRIVERS_GONE:
        raise NoPlan(
            _(
                '"storage-driver" in {path} is {driver}, with which newer Docker does not start: take it out '
                "first.",
                path=file.path,
                driver=named,
            )
        )
    first = units.is_running(facts) and not facts.get(docker.engine).installed
    if first and "hosts" in file.settings and not _starts_without_hosts(facts.host):
        raise NoPlan(
            _(
                '"hosts" is in {path}, and the docker.service that comes says -H, too: Docker does not start '
                "with both. Take it out first.",
                path=file.path,
            )
        )


def _starts_without_hosts(host: Host) -> bool:
    """Whether what one of before has left says how systemd starts the daemon, and without -H (as Docker's
    manual has it for "hosts" in the file); not known of a variable."""
    left = "\n".join(texts(host, _UNIT_FILES, all=False)).replace("\\\n", " ")
    starts = re.findall(r"^ExecStart[ \t]*=[ \t]*(\S.*)$", left, re.MULTILINE)
    return bool(starts) and not any(re.search(r"\s(?:-H|--host)|\$", one) for one in starts)


def _is_new_enough(facts: Facts, packager: str) -> bool:
    """Whether the distribution has an engine and a Compose that mailcow takes."""
    if packager != "apt":
        return packager != "dnf"
    # Debian's engine and podman-docker exclude each other; Docker's own packages come once that is removed.
    if _installed(facts.host, "apt", ("docker-ce", "podman-docker")):
        return False
    known = _candidates(facts.host, (need.PACKAGES_ENGINE["apt"], *need.PACKAGES_COMPOSE["apt"]))
    version = docker.numbers(known.get(need.PACKAGES_ENGINE["apt"], ""))
    first, last = need.ENGINE_BAD
    return version >= need.ENGINE_MINIMUM and not first <= version <= last and bool(_compose(known))


def _of_distribution(facts: Facts, packager: str) -> tuple[str, ...]:
    engine = need.PACKAGES_ENGINE[packager]
    if packager != "apt":
        return engine, need.PACKAGES_COMPOSE[packager][0]
    known = _candidates(facts.host, need.PACKAGES_COMPOSE["apt"])
    client = ("docker-cli",) if _candidates(facts.host, ("docker-cli",)) else ()
    return engine, *client, _compose(known)


def _compose(known: dict[str, str]) -> str:
    """The first package that brings a Compose which mailcow takes; empty: none does."""
    names = (name for name in need.PACKAGES_COMPOSE["apt"] if name in known)
    return next((one for one in names if docker.numbers(known[one])[0] >= base.COMPOSE_MINIMUM), "")


def _candidates(host: Host, names: tuple[str, ...]) -> dict[str, str]:
    """The version of each package that apt would install, without its epoch; packages that it has not are
    left out."""
    said = host.run(("apt-cache", "policy", *names), _PATIENCE_S).out
    found, name = {}, ""
    for line in said.splitlines():
        if line and not line.startswith(" "):
            name = line.rstrip(":")
        match = re.match(r"\s+Candidate: (?:\d+:)?(\d\S*)", line)
        if match and name:
            found[name] = match[1]
    return found


def _installed(host: Host, packager: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these packages are installed."""
    if packager == "apt":
        return packages_install.in_dpkg(host, names, "installed")
    return tuple(name for name in names if host.run(("rpm", "-q", name)).code == 0)


# --- Docker's own packages --------------------------------------------------------------------------------


def _from_docker(facts: Facts, packager: str) -> tuple[tuple[PlanStep, ...], str]:
    host = facts.host
    made: list[PlanStep] = []
    if not docker_repository.is_configured(facts):
        made += docker_repository.steps(facts, packager)
    old = _installed(host, packager, need.CONFLICTING[packager])
    install: tuple[str, ...] = ("dnf", "install", "-y")
    remove: tuple[str, ...] = ("rpm", "-e")
    if packager == "apt":
        install, remove = ((*_APT, word, "-y", *packages_install.KEEP) for word in ("install", "remove"))
        made.append(Command((*_APT, "update"), timeout=_INSTALL_S))
    if old:
        made.append(Command((*remove, *old), ((*install, *old),), _INSTALL_S))
    new = tuple(one for one in need.PACKAGES_OWN if one not in _installed(host, packager, need.PACKAGES_OWN))
    back = ((*remove, *new),) if new else ()
    made.append(Command((*install, *need.PACKAGES_OWN), back, _INSTALL_S))
    words = _(
        "Docker comes from its own packages ({repository}), whose key was held to its fingerprint.",
        repository=need.REPOSITORY,
    )
    if old:
        words = _(
            "{words} Removed, for they hold the same files: {names}.", words=words, names=", ".join(old)
        )
    return tuple(made), words


def _without_purge(steps: tuple[PlanStep, ...]) -> tuple[PlanStep, ...]:
    """Taking back removes packages and leaves their data: Docker's hold containers and volumes."""
    return tuple(
        step._replace(
            undo=tuple(tuple("--remove" if one == "--purge" else one for one in argv) for argv in step.undo)
        )
        if isinstance(step, Command)
        else step
        for step in steps
    )


def _started(facts: Facts) -> tuple[PlanStep, ...]:
    """Debian starts it with the package, others do not; here it is started either way."""
    if units.is_running(facts):
        stop = ("systemctl", "disable", "--now", "docker.service")
        if not facts.get(docker.engine).installed:
            return (Command(("systemctl", "enable", "--now", "docker.service"), (stop,)),)
        # One that was there may still run with the programs of its old packages.
        return tuple(Command(("systemctl", verb, "docker.service")) for verb in ("enable", "restart"))
    if facts.host.exists("/sbin/openrc-run") or facts.host.exists("/sbin/rc-service"):
        return _started_by_openrc(facts)
    return ()


def _started_by_openrc(facts: Facts) -> tuple[PlanStep, ...]:
    begin = Command(("rc-service", "docker", "start"), (("rc-service", "docker", "stop"),))
    if facts.get(docker.engine).installed:
        begin = Command(("rc-service", "docker", "restart"))  # apk leaves the old one running
    if facts.host.exists(docker_daemon.RUNLEVEL):
        return (begin,)
    add, delete = (("rc-update", verb, "docker", "default") for verb in ("add", "del"))
    return Command(add, (delete,)), begin


def interrupted(facts: Facts) -> str:
    """Which containers stop for a while, in words; empty where none runs."""
    try:
        names = [one.name for one in facts.get(containers)]
    except HostError:
        if facts.get(containers_run) is False:
            return ""
        return _("Docker is started anew, and containers that go on without it stop and come back.")
    if not names:
        return ""
    return _("containers stop: {names}, while Docker is replaced", names=", ".join(names))


# --- Compose ----------------------------------------------------------------------------------------------


def compose(check: str, facts: Facts) -> Offer | None:
    """An offer to install Compose beside the engine that is there."""
    packager = tools.packager(facts)
    seen = facts.get(docker.engine)
    if not packager or not seen.server:
        return None
    title = _("Install Docker Compose 2 as a plugin")
    return Offer(
        Fix("install-compose", title, "low", True, True), lambda: _with_compose(check, facts, packager, title)
    )


def _with_compose(check: str, facts: Facts, packager: str, title: str) -> Plan:
    command = packages_install.command(facts.host, packager)
    name = need.PACKAGES_COMPOSE[packager][0]
    if packager == "apt" and not _installed(facts.host, "apt", ("docker-ce",)):
        name = _compose(_candidates(facts.host, need.PACKAGES_COMPOSE["apt"]))
        if not name:
            raise NoPlan(
                _("This distribution has no Compose that is new enough: install Docker's own packages.")
            )
    coming = packages_install.coming(facts.host, command, (name,))
    return Plan(
        check,
        None,
        "install-compose",
        title,
        packages_install.steps(coming),
        "medium" if coming.newer else "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "mailcow can be started with docker compose. {consequence}",
            consequence=packages_install.consequence(coming),
        ),
    )
