"""Judges of Docker Compose: there, new enough, and the one that mailcow.conf names."""

from __future__ import annotations

from mailcow_wizard import requirements as base
from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts import compose, docker, docker_compose
from mailcow_wizard.model import Check, Evidence, Judgement

_INSTALL = "Install the plugin: the package is called docker-compose-plugin (Docker's own packages), "
_INSTALL += "docker-compose (Debian 13) or docker-cli-compose (Alpine)."


def _evidence(seen: compose.Compose) -> tuple[Evidence, ...]:
    return (
        Evidence("docker compose version --short", seen.native or "not installed"),
        Evidence("docker-compose version --short", seen.standalone or "not installed"),
    )


def judge_compose(seen: docker_compose.Installed) -> Judgement:
    """mailcow looks for the plugin first; a program of version 1 does not count."""
    known = seen.compose
    evidence = _evidence(known)
    version = known.native or known.standalone
    if not version and known.unread:
        words = f"Docker Compose could not be asked: {known.unread}"
        return Judgement("unknown", words, "", evidence, certainty="untested")
    if not version:
        return Judgement("fail", "Docker Compose is not installed", "none", evidence, (_INSTALL,))
    major = docker.numbers(version)[0]
    if major < base.COMPOSE_MINIMUM:
        words = f"Docker Compose {version} is too old; mailcow needs 2 or newer"
        return Judgement("fail", words, version, evidence, (_INSTALL,))
    if seen.takes_two_only and major != need.COMPOSE_TAKEN_ALONE:
        words = f"this mailcow takes Docker Compose 2 alone, and {version} is installed"
        remedy = "Bring mailcow to 2025-12 or newer first: git fetch && git pull in its directory, then "
        remedy += "./update.sh; or install Compose 2.40 until then."
        trouble = Trouble(
            "fail", words, (remedy,), why="Its update.sh stops with Cannot find Docker Compose."
        )
        return judged([trouble._replace(doc=need.DOC_ISSUE.format(6939))], evidence, version)
    how = "as a plugin (docker compose)" if known.native else "as a program (docker-compose)"
    return Judgement("pass", f"Docker Compose {version} is installed, {how}", version, evidence)


def judge_flavor(seen: docker_compose.Flavor) -> Judgement:
    """Which of the two mailcow's scripts will use, and whether that one is there."""
    known, evidence = seen.installed, _evidence(seen.installed)
    if not known.flavour:
        return skipped("no Docker Compose that mailcow takes is installed yet")
    conf = seen.conf
    names = {"native": "the plugin (docker compose)", "standalone": "the program (docker-compose)"}
    will = names[known.flavour]
    if conf.skip:
        words = f"mailcow will use {will}; there is no mailcow.conf yet that says otherwise"
        return Judgement("pass", words, known.flavour, evidence)
    evidence = (Evidence(f"grep ^DOCKER_COMPOSE_VERSION= {conf.path}", conf.value or "empty"), *evidence)
    change = (f"Set it: `mailcow-wizard conf set DOCKER_COMPOSE_VERSION={known.flavour}`",)
    if not conf.value:
        words = f"{will} is installed, and DOCKER_COMPOSE_VERSION is empty: mailcow's backup stops"
        return Judgement("warn", words, known.flavour, evidence, change)
    version = {"native": known.native, "standalone": known.standalone}.get(conf.value, "")
    if docker.numbers(version)[0] >= base.COMPOSE_MINIMUM:
        words = f"mailcow uses {names[conf.value]}, which is installed ({version})"
        return Judgement("pass", words, conf.value, evidence)
    wanted = names.get(conf.value, conf.value)
    words = f"mailcow.conf names {wanted}, which is not installed; {will} is"
    return Judgement("fail", words, f"{conf.value}, {known.flavour}", evidence, change)


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.compose",
        title="Docker Compose",
        needed="Docker Compose 2 or newer, as a plugin or as a program",
        why="mailcow is described in a file for Compose; version 1 does not understand it.",
        doc=need.DOC_DOCKER,
        severity="blocks",
        source=docker_compose.installed,
        judge=judge_compose,
    ),
    Check(
        id="docker.flavor",
        title="Compose in use",
        needed="the Compose that DOCKER_COMPOSE_VERSION names is the one that is installed",
        why="mailcow's backup, restore and helper scripts run the one that it names, and stop where that is "
        "not there.",
        doc=need.DOC_ISSUE.format(7065),
        severity="degrades",
        source=docker_compose.flavor,
        judge=judge_flavor,
    ),
)
