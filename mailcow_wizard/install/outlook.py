"""What an install would do on this machine, stage by stage, and what is there already. Changes nothing."""

from __future__ import annotations

import shlex

from mailcow_wizard import names
from mailcow_wizard.engine.given import NEW
from mailcow_wizard.engine.mending import look
from mailcow_wizard.engine.readable import steps as readable_steps
from mailcow_wizard.engine.selection import UnknownSelector
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts import docker
from mailcow_wizard.facts.config import MARKS, place
from mailcow_wizard.facts.identity import Hostname
from mailcow_wizard.facts.mail.installed import installed
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, answered, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import database
from mailcow_wizard.fixes import docker_settings
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install import spoken
from mailcow_wizard.install.by_itself import words
from mailcow_wizard.install.clone import argv as clone_argv
from mailcow_wizard.install.configuration import SCRIPT
from mailcow_wizard.install.docker import reaches_ipv6
from mailcow_wizard.install.services import services
from mailcow_wizard.install.stages import BY_ITSELF, STAGES, Stage
from mailcow_wizard.install.standing import Choices, Record, Standing
from mailcow_wizard.language import _, called, heard
from mailcow_wizard.model import Command, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.model import PlanStep

_LOOKS = _("All checks of system, kernel, ports, network, DNS and time; nothing is changed.")
_OVERRIDE = _("docker-compose.override.yml is written only where a limit of this machine asks.")
_VERIFIES = _("All checks of the installed server (mail); nothing is changed.")
_NEW_PASSWORD = _(
    "All checks of the installed server (mail); the administrator's first password is replaced."
)


class Outlook(NamedTuple):
    """A stage, its steps in the contract's form, what it interrupts, its state where it was begun."""

    stage: Stage
    steps: tuple[dict[str, Any], ...]
    interrupts: str
    state: str
    note: str


def present(session: Session, standing: Standing | None) -> str:
    """Why there is nothing to install: mailcow is here already, and this wizard has not half installed it.
    Empty where there is something to do. Raises HostError where the machine does not tell."""
    ours = standing if standing and standing.directory == session.settings.directory else None
    if ours and ours.state != "done":
        return ""
    facts = session.new_facts()
    conf = facts.get(mailcow_conf)
    if facts.get(place).elsewhere:
        return facts.get(place).apart
    if ours and conf.exists:
        return _("mailcow was installed here by this wizard ({time})", time=ours.ended)
    project = conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
    try:
        boxes = services(facts, project)
    except HostError:
        boxes = ()
    running = sum(one.state == "running" for one in boxes)
    # What stands still and was made without this mailcow.conf is left over, which checks of Docker judge.
    if boxes and (running or (conf.exists and _own(facts))):
        return _(
            "mailcow is here already: {number} containers of {project}, {running} of them run",
            number=len(boxes),
            project=project,
            running=running,
        )
    known = database(facts)
    if known.project and conf.exists:
        return _(
            "mailcow is here already: {path}, and the database of {project}",
            path=conf.path,
            project=known.project,
        )
    return ""


def shown_by(session: Session, usual: str) -> str:
    """What shows how the mailcow is that is here: `usual`, or the command for another directory."""
    there = session.new_facts().get(place).elsewhere
    return called(f"./wizard --dir {shlex.quote(there)} verify") if there else usual


def starts(session: Session) -> str:
    """What starts the mailcow that is here, where none of its containers runs; empty where one does, or
    Docker does not tell."""
    try:
        facts = session.new_facts()
        here = facts.get(place)
        if here.elsewhere and not here.still:
            return ""
        boxes = services(facts, facts.get(mailcow_conf).get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT))
    except HostError:
        return ""
    if any(one.state == "running" for one in boxes):
        return ""
    command = f"cd {shlex.quote(here.elsewhere or session.settings.directory)} && docker compose up -d"
    return _("None of its containers runs; this starts them: {command}", command=command)


def unfit(session: Session) -> str:
    """Why mailcow cannot be installed in its directory; empty where it can."""
    path = session.settings.directory
    try:
        names.directory(path)
    except names.NotAName as error:
        return _("mailcow cannot be installed in {path}: {why}", path=harmless(path, 200), why=error)
    return ""


def _own(facts: Facts) -> bool:
    """Whether a container was made from mailcow's directory; where that is not told, it is taken so."""
    try:
        return bool(facts.get(installed).boxes)
    except HostError:
        return True


def outlook(session: Session, standing: Standing | None, choices: Choices) -> tuple[Outlook, ...]:
    """All stages with what they would run now; what cannot be planned yet is said in words. Raises HostError
    where the machine does not tell what is in mailcow's directory."""
    name = session.hostname_if_known()
    states = {one.id: one for one in standing.stages} if standing and standing.state != "done" else {}
    made = []
    for stage in STAGES:
        steps, interrupts = _steps(session, stage.id, name, choices)
        known = states.get(stage.id)
        made.append(
            Outlook(
                stage,
                readable_steps(_plan(stage, steps)),
                interrupts,
                known.state if known else "waiting",
                known.note if known else "",
            )
        )
    return tuple(made)


def _plan(stage: Stage, steps: tuple[PlanStep, ...]) -> Plan:
    return Plan(stage.id, None, stage.id, stage.title, steps, "medium", True, True, stage.about)


def _steps(
    session: Session, stage: str, name: Hostname, choices: Choices
) -> tuple[tuple[PlanStep, ...], str]:
    directory = session.settings.directory.rstrip("/")
    if stage in BY_ITSELF:
        return _fixes(session, stage)
    if stage == "preconditions" and choices.fixes:
        return (Manual(_allowed(choices)),), ""
    made: dict[str, tuple[PlanStep, ...]] = {
        "clone": _clone(session, choices, directory),
        "configuration": _configuration(session, directory, name, choices),
        "override": (Manual(_adjusted(choices)),),
        "pull": (Command(("docker", "compose", "pull")),),
        "up": (Command(("docker", "compose", "up", "-d", "--remove-orphans")),),
    }
    said = {"preconditions": _LOOKS, "verify": _NEW_PASSWORD if choices.admin == NEW else _VERIFIES}
    return made.get(stage) or (Manual(said[stage]),), ""


def _allowed(choices: Choices) -> str:
    names = "; ".join(map(words, choices.fixes))
    return _(
        "All checks of system, kernel, ports, network, DNS and time; mended without asking: {names}.",
        names=names,
    )


def _adjusted(choices: Choices) -> str:
    if not choices.mtu:
        return _OVERRIDE
    return _(
        "docker-compose.override.yml is written, so that packets have {size} bytes at most.",
        size=choices.mtu,
    )


def _fixes(session: Session, stage: str) -> tuple[tuple[PlanStep, ...], str]:
    """The plans of what the stage would mend as things are now."""
    steps: list[PlanStep] = []
    interrupts: list[str] = []
    for check, fix in BY_ITSELF[stage]:
        try:
            seen = look(session, check)
        except UnknownSelector:
            continue
        for finding in seen.findings:
            offer = next((one for one in seen.offers(finding) if one.fix.id == fix), None)
            if offer is None or finding.acknowledged is not None:
                continue
            try:
                plan = offer.plan()
            except HostError as error:
                why = _(
                    "{summary}; {fix} is not possible here: {why}",
                    summary=finding.summary,
                    fix=fix,
                    why=heard(error),
                )
                steps.append(Manual(why))
                continue
            steps += plan.steps
            interrupts += [plan.interrupts] if plan.interrupts else []
    if stage == "docker" and not steps:
        more = _for_ipv6(session)
        steps += more.steps if more else ()
        interrupts += [more.interrupts] if more and more.interrupts else []
    return tuple(steps) or (Manual(_("Nothing to do, as it looks now.")),), "; ".join(interrupts)


def _for_ipv6(session: Session) -> Plan | None:
    """What Docker's settings lack for IPv6, where an engine is there to be asked."""
    facts = session.new_facts()
    try:
        if facts.get(docker.engine).state != "answers" or not reaches_ipv6(session.host):
            return None
        return docker_settings.merge(facts, ipv6=True)
    except HostError:
        return None


def _clone(session: Session, choices: Choices, directory: str) -> tuple[PlanStep, ...]:
    here = session.new_facts().get(place)
    if all(one in (here.names or ()) for one in MARKS[:2]):
        told = _("{directory} holds mailcow already; it is looked at and used.", directory=directory)
        return (Manual(told),)
    return (Command(clone_argv(choices.repository, choices.branch, directory)),)


def _configuration(
    session: Session, directory: str, name: Hostname, choices: Choices
) -> tuple[PlanStep, ...]:
    if session.host.exists(f"{directory}/mailcow.conf"):
        told = _("mailcow.conf is there already; it is used, and corrected where it has to be.")
        return (Manual(told),)
    given = f"MAILCOW_HOSTNAME={name.name}", f"MAILCOW_BRANCH={choices.branch}"
    answered_keys = [key for key in answered(session.new_facts()) if key != "TZ"]
    more = (
        (Manual(_("Then set as answered: {names}.", names=", ".join(answered_keys))),)
        if answered_keys
        else ()
    )
    told = _("Passwords are made here and told to nobody. DOCKER_COMPOSE_VERSION is set afterwards.")
    return Command(("env", *given, f"{directory}/{SCRIPT}")), Manual(told), *more


def standing_of(session: Session) -> Standing | None:
    """The install of this machine, if there is one, in the language that is spoken. Raises Unreadable."""
    said = Record(session.state).look()
    return said and spoken.standing(said)
