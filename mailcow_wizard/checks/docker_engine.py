"""Judges of Docker's engine: the right one, new enough; that it runs, now and after the next start."""

from __future__ import annotations

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks.troubles import Trouble, judged, listed, skipped, word
from mailcow_wizard.facts import docker
from mailcow_wizard.facts.docker_context import Context, context
from mailcow_wizard.facts.docker_daemon import SERVICE, Daemon, daemon
from mailcow_wizard.facts.docker_json import daemon_settings
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Certainty, Check, Evidence, Judgement
from mailcow_wizard.typed import NamedTuple

_MINIMUM = ".".join(map(str, need.ENGINE_MINIMUM))
_INSTALL = _(
    "Install Docker: this distribution's where it is new enough, else from its own packages: {page}",
    page=need.DOC_DOCKER,
)
_START = _("Start the system's Docker, which runs as root: systemctl enable --now docker")
_AS_ROOT = (_("Run the wizard as root: sudo ./wizard"),)


class Found(NamedTuple):
    """The engine, its programs, what it says of itself (None: it does not answer), who runs a rootless one
    while it does not, and the context that the command docker uses (None: the usual one)."""

    engine: docker.Engine
    programs: docker.Programs
    info: docker.Info | None
    users: tuple[str, ...] = ()
    context: Context | None = None


def found(facts: Facts) -> Found:
    """All that tells which engine this is. Raises HostError."""
    engine, programs = facts.get(docker.engine), facts.get(docker.programs)
    users = () if engine.state == "answers" else facts.get(docker.rootless_users)
    # Docker's command follows DOCKER_HOST before any context.
    used = facts.get(context) if programs.client and not engine.remote else None
    return Found(engine, programs, facts.get(docker.info), users, used)


def judge_engine(seen: Found) -> Judgement:
    """Which engine it is, and whether it is new enough; that it runs is another check's question."""
    engine, programs, evidence = seen.engine, seen.programs, _evidence(seen)
    version = engine.version or programs.server
    troubles = [*_kind(seen), *_age(version, programs.client, engine)]
    plain = _presence(seen, evidence)
    if not troubles:
        return plain
    if plain.status != "pass" and not any(one.status == "fail" for one in troubles):
        # What leads the client elsewhere is not all that there is to say.
        troubles.append(Trouble(plain.status, plain.summary, plain.remedies))
    return judged(troubles, evidence, version)


def _presence(seen: Found, evidence: tuple[Evidence, ...]) -> Judgement:
    """Whether there is one, and answers."""
    engine = seen.engine
    if engine.version:
        return Judgement(
            "pass", _("Docker {version} runs here", version=engine.version), engine.version, evidence
        )
    if not engine.installed:
        words = _("Docker is not installed")
        if engine.client:
            words = _("the command docker is there, but no engine is installed")
        return Judgement("fail", _beside(words, seen.users), _("none"), evidence, (_INSTALL,))
    version = seen.programs.server
    which = _("Docker {version} is installed", version=version) if version else _("Docker is installed")
    if engine.state == "denied":
        words = _beside(_("{which}; how it runs, root can tell", which=which), seen.users)
        return Judgement("unknown", words, version, evidence, _AS_ROOT, certainty="untested")
    words = _("{which}, but does not answer: which one would run is not proved", which=which)
    if seen.users:
        words = _beside(_("{which}, but does not answer", which=which), seen.users)
    return Judgement("unknown", words, version, evidence, certainty="untested")


def _evidence(seen: Found) -> tuple[Evidence, ...]:
    engine, client = seen.engine, seen.programs.client
    if not client:
        client = _("not installed") if not engine.client else "podman" if seen.programs.shim else _("unclear")
    shown = [
        Evidence("docker version --format '{{.Server.Version}}'", engine.version or engine.trouble),
        Evidence("docker --version", client),
    ]
    if seen.info:
        shown.append(Evidence("docker info --format '{{.SecurityOptions}}'", " ".join(seen.info.security)))
    return tuple(shown)


def _beside(words: str, users: tuple[str, ...]) -> str:
    """For somebody who sees that Docker works: that one is another."""
    if not users:
        return words
    return _(
        "{words}; the rootless Docker of {users}, which runs here, is none that mailcow works with",
        words=words,
        users=listed(users),
    )


def _kind(seen: Found) -> list[Trouble]:
    """Engines that are not Docker as mailcow needs it."""
    engine, info = seen.engine, seen.info
    troubles = []
    if engine.state == "podman" or seen.programs.shim:
        words = _("this is Podman under Docker's name, with which mailcow does not work")
        troubles.append(
            Trouble(
                "fail",
                words,
                (_("Remove podman-docker; Podman itself may stay. {install}", install=_INSTALL),),
                doc=need.DOC_ISSUE.format(5483),
            )
        )
    # Beside the system's own, it is the one whose data the answer speaks of.
    if (info and info.snap) or (engine.snap and not engine.server.startswith("/usr")):
        words = _("Docker is installed as a snap, which cannot see /opt nor keep mailcow's files")
        why = _("A snap sees a part of the file system only; files that mailcow mounts are then missing.")
        remedy = _(
            "Remove it after saving what its containers hold: snap remove docker. {install}",
            install=_START if engine.server.startswith("/usr") else _INSTALL,
        )
        troubles.append(Trouble("fail", words, (remedy,), why=why))
    if info and info.rootless:
        words = _("Docker runs rootless, which mailcow does not support")
        stop = _("Stop it, as the user who runs it: systemctl --user disable --now docker")
        start = _INSTALL
        if engine.server:
            start = _START
        troubles.append(Trouble("fail", words, (stop, start), doc=need.DOC_ISSUE.format(6359)))
    if info and info.remapped:
        words = _(
            "Docker maps the users of containers to others (userns-remap), which mailcow does not support"
        )
        remedy = _(
            'Take "userns-remap" out of daemon.json (or --userns-remap out of docker.service), then: '
            "systemctl restart docker. What Docker holds now stays in {root}, unseen.",
            root=info.root,
        )
        troubles.append(Trouble("fail", words, (remedy,), doc=need.DOC_ISSUE.format(656)))
    return [*troubles, *_led(seen)]


def _led(seen: Found) -> list[Trouble]:
    """What leads the command docker to another engine."""
    engine, used, own = seen.engine, seen.context, seen.engine.socket.removeprefix("/var")
    if engine.remote and not engine.remote.endswith(own):
        words = _(
            "DOCKER_HOST is set: docker talks to {remote}, not to the system's Docker", remote=engine.remote
        )
        return [Trouble("warn", words, (_("Take it away: unset DOCKER_HOST"),))]
    if used and not used.address.endswith(own):
        words = _(
            "docker uses its context {name}: it talks to {address}, not to the system's Docker",
            name=used.name,
            address=used.address or _("another engine"),
        )
        remedy = _("Back to the system's: `docker context use default`, and unset DOCKER_CONTEXT")
        return [Trouble("warn", words, (remedy,))]
    return []


def _age(version: str, client: str, engine: docker.Engine) -> list[Trouble]:
    numbers = docker.numbers(version)
    sure: Certainty = "proved" if engine.version else "inferred"
    troubles = []
    if version and numbers < need.ENGINE_MINIMUM:
        words = _(
            "Docker {version} is installed; mailcow needs {minimum} or newer",
            version=version,
            minimum=_MINIMUM,
        )
        if engine.version:
            words = _(
                "Docker {version} runs here; mailcow needs {minimum} or newer",
                version=version,
                minimum=_MINIMUM,
            )
        troubles.append(Trouble("fail", words, (_INSTALL,), certainty=sure))
    first, last = need.ENGINE_BAD
    if version and first <= numbers <= last:
        words = _(
            "Docker {version} is installed: IPv6 of containers is broken in 25.0.0 to 25.0.2",
            version=version,
        )
        if engine.version:
            words = _(
                "Docker {version} runs here: IPv6 of containers is broken in 25.0.0 to 25.0.2",
                version=version,
            )
        troubles.append(Trouble("fail", words, (_("Bring Docker to 25.0.3 or newer."),), certainty=sure))
    refuses = docker.numbers(engine.least_api) >= need.API_OF_CLIENT_25
    if refuses and client and docker.numbers(client)[0] < need.CLIENT_OF_API[0]:
        words = _(
            "the command docker is {client}, too old for Docker {version}, which refuses it",
            client=client,
            version=version,
        )
        remedy = (_("Bring both to one version: install docker-ce-cli beside docker-ce."),)
        troubles.append(Trouble("fail", words, remedy, doc=need.DOC_ISSUE.format(6999)))
    return troubles


def judge_daemon(seen: Daemon) -> Judgement:
    """Whether it answers, and whether it comes back with the machine."""
    engine = seen.engine
    if not engine.installed:
        return skipped(_("Docker is not installed yet"))
    if seen.rootless:
        return skipped(_("a rootless Docker answers in place of the system's: see docker.engine"))
    unit = seen.service
    evidence = [Evidence(f"curl --unix-socket {engine.socket} http://docker/_ping", engine.trouble or "OK")]
    if unit:
        runs = _("active") if unit.active else _("not active")
        evidence.append(Evidence(f"systemctl status {SERVICE}", f"{unit.load}, {unit.state}, {runs}"))
    if seen.last:
        evidence.append(Evidence("journalctl -u docker -b -n 30", seen.last))
    shown = tuple(evidence)
    if engine.state == "denied":
        words = _("Docker is installed; whether it works, root can tell")
        return Judgement("unknown", words, engine.trouble, shown, _AS_ROOT, certainty="untested")
    if engine.state == "silent" and seen.last and unit and not unit.runs:
        return _dead(seen, shown)
    if engine.state == "silent":
        return Judgement(
            "unknown",
            _("Docker takes connections but does not answer: {trouble}", trouble=engine.trouble),
            engine.trouble,
            shown,
            (_("See what it is busy with: journalctl -u docker -n 50; then: systemctl restart docker"),),
            certainty="untested",
        )
    if engine.state == "odd":
        return Judgement(
            "fail",
            _("what answers is not Docker: {trouble}", trouble=engine.trouble),
            engine.trouble,
            shown,
            (_("See who listens there: `ss -xlp | grep {socket}`", socket=word(engine.socket)),),
            severity="blocks",
        )
    if engine.state != "answers" and unit and unit.active and not unit.runs and not seen.last:
        return Judgement(
            "unknown",
            _("Docker is starting, and does not answer yet: {trouble}", trouble=engine.trouble),
            engine.trouble,
            shown,
            (_("Run this check again in a moment."),),
            certainty="untested",
        )
    if engine.state != "answers":
        return _dead(seen, shown)
    if unit and unit.ending:
        words = _("Docker is being stopped; it still answers at this moment")
        remedy = (_("Run this check again in a moment."),)
        return Judgement("unknown", words, engine.version, shown, remedy, certainty="untested")
    return _alive(seen, shown)


def daemon_facts(facts: Facts) -> Daemon:
    """The daemon, and of one that is down whether its settings keep it so."""
    seen = facts.get(daemon)
    if not seen.engine.installed or seen.engine.state == "answers":
        return seen
    try:
        return seen._replace(stopped=facts.get(daemon_settings).stops_docker)
    except HostError:
        return seen


def _dead(seen: Daemon, evidence: tuple[Evidence, ...]) -> Judgement:
    unit = seen.service
    start = "systemctl enable --now docker"
    if seen.openrc or seen.script:
        start = "rc-service docker start" if seen.openrc else "service docker start"
    how = ""
    if unit and unit.state.startswith("masked"):
        how, start = _(" (the unit is masked)"), f"systemctl unmask docker && {start}"
    elif unit and unit.load != "not-found" and not unit.enabled:
        how = _(" (the unit is {state})", state=unit.state)
    settings = _("Its settings keep it from starting: see docker.daemon-json first.")
    remedies = [settings if seen.stopped else _("Start it: `{start}`", start=start)]
    if seen.last:
        remedies.insert(0, _("It says why it did not start: {last}", last=seen.last))
    elif unit:
        remedies.append(_("See why it ended: `journalctl -u docker -b -n 50`"))
    words = _("Docker is installed, but does not run{how}: {trouble}", how=how, trouble=seen.engine.trouble)
    words = _beside(words, seen.users)
    return Judgement("fail", words, seen.engine.trouble, evidence, tuple(remedies))


def _alive(seen: Daemon, evidence: tuple[Evidence, ...]) -> Judgement:
    version = seen.engine.version
    if seen.unread:
        words = _(
            "Docker {version} answers; whether it starts with the machine is not known: {unread}",
            version=version,
            unread=seen.unread,
        )
        return Judgement("unknown", words, version, evidence, certainty="untested")
    if seen.at_boot is False:
        by_socket = bool(seen.socket and seen.socket.enabled)
        words = _("Docker runs, but does not start with the machine")
        if by_socket:
            words = _(
                "Docker runs, but does not start with the machine (only when somebody asks it: docker.socket)"
            )
        enable = "systemctl enable docker"
        if seen.openrc or seen.script:
            enable = "rc-update add docker default" if seen.openrc else "update-rc.d docker"
            enable += "" if seen.openrc else " enable" if seen.links else " defaults"
        return Judgement(
            "warn",
            words,
            version,
            evidence,
            (_("Start it at every boot: `{enable}`", enable=enable),),
            severity="breaks",
            why=_("After a restart of the server mailcow would stay down: Docker starts its containers."),
        )
    if seen.at_boot is None:
        words = _("Docker {version} answers; what starts it with the machine was not found", version=version)
        return Judgement("pass", words, version, evidence, certainty="inferred")
    return Judgement(
        "pass", _("Docker {version} runs, and starts with the machine", version=version), version, evidence
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.engine",
        title=_("Docker Engine"),
        needed=_(
            "Docker Engine {minimum} or newer, not 25.0.0 to 25.0.2; no Podman, no snap, not rootless, no "
            "userns-remap",
            minimum=_MINIMUM,
        ),
        why=_(
            "mailcow is made of containers. Its scripts stop at older engines, and its network "
            "and file permissions need the system's own Docker."
        ),
        doc=need.DOC_DOCKER,
        severity="blocks",
        source=found,
        judge=judge_engine,
    ),
    Check(
        id="docker.daemon",
        title=_("Docker daemon"),
        needed=_("Docker runs, answers, and starts with the machine"),
        why=_("Without it no container runs. mailcow's own script calls a daemon that is down too old."),
        doc=need.DOC_START,
        severity="blocks",
        source=daemon_facts,
        judge=judge_daemon,
    ),
)
