"""Judges of Docker's engine: the right one, new enough; that it runs, now and after the next start."""

from __future__ import annotations

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts import docker
from mailcow_wizard.facts.docker_daemon import SERVICE, Daemon, daemon
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Certainty, Check, Evidence, Judgement
from mailcow_wizard.typed import NamedTuple

_MINIMUM = ".".join(map(str, need.ENGINE_MINIMUM))
_INSTALL = f"Install Docker from its own packages: {need.DOC_DOCKER}"
_AS_ROOT = ("Run the wizard as root: sudo ./wizard",)


class Found(NamedTuple):
    """The engine, its programs, and what it says of itself (None: it does not answer)."""

    engine: docker.Engine
    programs: docker.Programs
    info: docker.Info | None


def found(facts: Facts) -> Found:
    """All that tells which engine this is. Raises HostError."""
    return Found(facts.get(docker.engine), facts.get(docker.programs), facts.get(docker.info))


def judge_engine(seen: Found) -> Judgement:
    """Which engine it is, and whether it is new enough; that it runs is another check's question."""
    engine, programs = seen.engine, seen.programs
    evidence = (
        Evidence("docker version --format '{{.Server.Version}}'", engine.version or engine.trouble),
        Evidence(
            "docker --version", programs.client or ("not installed" if not engine.client else "unclear")
        ),
    )
    troubles = [*_kind(seen), *_age(engine.version or programs.server, programs.client, engine)]
    if troubles:
        return judged(troubles, evidence, engine.version or programs.server)
    if engine.version:
        return Judgement("pass", f"Docker {engine.version} runs here", engine.version, evidence)
    if not engine.installed:
        words = "Docker is not installed"
        if engine.client:
            words = "the command docker is there, but no engine is installed"
        return Judgement("fail", words, "none", evidence, (_INSTALL,))
    version = programs.server
    which = f"Docker {version} is installed" if version else "Docker is installed"
    if engine.state == "denied":
        words = f"{which}; how it runs, root can tell"
        return Judgement("unknown", words, version, evidence, _AS_ROOT, certainty="untested")
    words = f"{which}, but does not answer: which one would run is not proved"
    return Judgement("unknown", words, version, evidence, certainty="untested")


def _kind(seen: Found) -> list[Trouble]:
    """Engines that are not Docker as mailcow needs it."""
    engine, info = seen.engine, seen.info
    troubles = []
    if engine.kind == "podman" or seen.programs.shim:
        words = "this is Podman under Docker's name, with which mailcow does not work"
        troubles.append(
            Trouble("fail", words, (f"Remove podman-docker. {_INSTALL}",), doc=need.DOC_ISSUE.format(5483))
        )
    if engine.snap and not (engine.server and engine.server.startswith("/usr")):
        words = "Docker is installed as a snap, which cannot see /opt nor keep mailcow's files"
        why = "A snap sees a part of the file system only; files that mailcow mounts are then missing."
        remedy = f"Remove it after saving what its containers hold: snap remove docker. {_INSTALL}"
        troubles.append(Trouble("fail", words, (remedy,), why=why))
    if info and info.rootless:
        words = "Docker runs rootless, which mailcow does not support"
        remedy = "Use the system's Docker, which runs as root; stop the other: systemctl --user stop docker"
        troubles.append(Trouble("fail", words, (remedy,), doc=need.DOC_ISSUE.format(6359)))
    if info and info.remapped:
        words = "Docker maps the users of containers to others (userns-remap), which mailcow does not support"
        remedy = (
            'Take "userns-remap" out of daemon.json. Docker then has its data in another directory: what '
        )
        remedy += "containers hold now stays where it is, unseen."
        troubles.append(Trouble("fail", words, (remedy,), doc=need.DOC_ISSUE.format(656)))
    if engine.remote and not engine.remote.endswith(engine.socket.removeprefix("/var")):
        words = f"DOCKER_HOST is set: docker talks to {engine.remote}, not to this machine's engine"
        troubles.append(Trouble("warn", words, ("Take it away: unset DOCKER_HOST",)))
    return troubles


def _age(version: str, client: str, engine: docker.Engine) -> list[Trouble]:
    numbers = docker.numbers(version)
    runs = "runs here" if engine.version else "is installed"
    sure: Certainty = "proved" if engine.version else "inferred"
    troubles = []
    if version and engine.kind != "podman" and numbers < need.ENGINE_MINIMUM:
        words = f"Docker {version} {runs}; mailcow needs {_MINIMUM} or newer"
        troubles.append(Trouble("fail", words, (_INSTALL,), certainty=sure))
    first, last = need.ENGINE_BAD
    if version and first <= numbers <= last:
        words = f"Docker {version} {runs}: IPv6 of containers is broken in 25.0.0 to 25.0.2"
        troubles.append(Trouble("fail", words, ("Bring Docker to 25.0.3 or newer.",), certainty=sure))
    refuses = docker.numbers(engine.least_api) >= need.API_OF_CLIENT_25
    if refuses and client and docker.numbers(client)[0] < need.CLIENT_OF_API[0]:
        words = f"the command docker is {client}, too old for Docker {version}, which refuses it"
        remedy = ("Bring both to one version: install docker-ce-cli beside docker-ce.",)
        troubles.append(Trouble("fail", words, remedy, doc=need.DOC_ISSUE.format(6999)))
    return troubles


def judge_daemon(seen: Daemon) -> Judgement:
    """Whether it answers, and whether it comes back with the machine."""
    engine = seen.engine
    if not engine.installed:
        return skipped("Docker is not installed yet")
    unit = seen.service
    evidence = [Evidence(f"curl --unix-socket {engine.socket} http://docker/_ping", engine.trouble or "OK")]
    if unit:
        runs = "active" if unit.active else "not active"
        evidence.append(Evidence(f"systemctl status {SERVICE}", f"{unit.load}, {unit.state}, {runs}"))
    if seen.last:
        evidence.append(Evidence("journalctl -u docker -b -n 30", seen.last))
    shown = tuple(evidence)
    if engine.state == "denied":
        words = "Docker is installed; whether it works, root can tell"
        return Judgement("unknown", words, engine.trouble, shown, _AS_ROOT, certainty="untested")
    if engine.state == "silent" and seen.last and unit and not unit.runs:
        return _dead(seen, shown)
    if engine.state == "silent":
        return Judgement(
            "unknown",
            f"Docker takes connections but does not answer: {engine.trouble}",
            engine.trouble,
            shown,
            ("See what it is busy with: journalctl -u docker -n 50; then: systemctl restart docker",),
            certainty="untested",
        )
    if engine.state == "odd":
        return Judgement(
            "fail", f"what answers is not Docker: {engine.trouble}", engine.trouble, shown, severity="blocks"
        )
    if engine.state != "answers":
        return _dead(seen, shown)
    return _alive(seen, shown)


def _dead(seen: Daemon, evidence: tuple[Evidence, ...]) -> Judgement:
    unit = seen.service
    start = "rc-service docker start" if seen.openrc else "systemctl enable --now docker"
    how = ""
    if unit and unit.state.startswith("masked"):
        how, start = " (the unit is masked)", f"systemctl unmask docker && {start}"
    elif unit and unit.load != "not-found" and not unit.enabled:
        how = f" (the unit is {unit.state})"
    remedies = [f"Start it: `{start}`"]
    if seen.last:
        remedies.insert(0, f"It says why it did not start: {seen.last}")
    elif unit:
        remedies.append("See why it ended: `journalctl -u docker -b -n 50`")
    words = f"Docker is installed, but does not run{how}: {seen.engine.trouble}"
    return Judgement("fail", words, seen.engine.trouble, evidence, tuple(remedies))


def _alive(seen: Daemon, evidence: tuple[Evidence, ...]) -> Judgement:
    version = seen.engine.version
    if seen.unread:
        words = f"Docker {version} answers; whether it starts with the machine is not known: {seen.unread}"
        return Judgement("unknown", words, version, evidence, certainty="untested")
    if seen.at_boot is False:
        by_socket = bool(seen.socket and seen.socket.enabled)
        words = "Docker runs, but does not start with the machine"
        if by_socket:
            words += " (only when somebody asks it: docker.socket)"
        enable = "rc-update add docker default" if seen.openrc else "systemctl enable docker"
        return Judgement(
            "warn",
            words,
            version,
            evidence,
            (f"Start it at every boot: `{enable}`",),
            severity="breaks",
            why="After a restart of the server mailcow would stay down: Docker starts its containers.",
        )
    if seen.at_boot is None:
        words = f"Docker {version} answers; what starts it with the machine was not found"
        return Judgement("pass", words, version, evidence, certainty="inferred")
    return Judgement("pass", f"Docker {version} runs, and starts with the machine", version, evidence)


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.engine",
        title="Docker Engine",
        needed=f"Docker Engine {_MINIMUM} or newer, but 25.0.0 to 25.0.2; not Podman, rootless or a snap",
        why="mailcow is made of containers. Its scripts stop at older engines, and its network and file "
        "permissions need the system's own Docker.",
        doc=need.DOC_DOCKER,
        severity="blocks",
        source=found,
        judge=judge_engine,
    ),
    Check(
        id="docker.daemon",
        title="Docker daemon",
        needed="Docker runs, answers, and starts with the machine",
        why="Without it no container runs. mailcow's own script calls a daemon that is down too old.",
        doc=need.DOC_START,
        severity="blocks",
        source=daemon,
        judge=judge_daemon,
    ),
)
