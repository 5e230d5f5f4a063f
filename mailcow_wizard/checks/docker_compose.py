"""Judges of Docker Compose: there, new enough, and the one that mailcow.conf names."""

from __future__ import annotations

from mailcow_wizard import requirements as base
from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped, word
from mailcow_wizard.facts import compose, docker, docker_compose
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

_INSTALL = _(
    "Install the plugin: the package is called docker-compose-plugin (Docker's own packages), "
    "docker-compose (Debian 13) or docker-cli-compose (Alpine)."
)


def _evidence(seen: compose.Compose) -> tuple[Evidence, ...]:
    none = _("not known") if seen.unread else _("not installed")
    return (
        Evidence("docker compose version --short", seen.native or none),
        Evidence("docker-compose version --short", seen.standalone or none),
    )


def _unread(seen: compose.Compose) -> Judgement:
    return Judgement(
        "unknown",
        _("Docker Compose could not be asked: {unread}", unread=seen.unread),
        "",
        _evidence(seen),
        (_("Try again; where it stays so, see docker.engine."),),
        certainty="untested",
    )


def judge_compose(seen: docker_compose.Installed) -> Judgement:
    """mailcow looks for the plugin first; a program of version 1 does not count."""
    known = seen.compose
    evidence = _evidence(known)
    version = known.native or known.standalone
    taken = docker.numbers(version)[0] >= base.COMPOSE_MINIMUM
    # mailcow looks for the plugin first: where that is silent, only a program that it takes is an answer.
    if known.unread and not known.native and (not taken or seen.takes_two_only):
        return _unread(known)
    if not version:
        return Judgement("fail", _("Docker Compose is not installed"), _("none"), evidence, (_INSTALL,))
    major = docker.numbers(version)[0]
    if major < base.COMPOSE_MINIMUM:
        words = _("Docker Compose {version} is too old; mailcow needs 2 or newer", version=version)
        return Judgement("fail", words, version, evidence, (_INSTALL,))
    if seen.takes_two_only and major != need.COMPOSE_TAKEN_ALONE:
        words = _("this mailcow takes Docker Compose 2 alone, and {version} is installed", version=version)
        remedy = _(
            "Bring mailcow to 2025-12 or newer first: git fetch && git pull in its directory, then "
            "./update.sh; or install Compose 2.40 until then."
        )
        trouble = Trouble(
            "fail", words, (remedy,), why=_("Its update.sh stops with Cannot find Docker Compose.")
        )
        return judged([trouble._replace(doc=need.DOC_ISSUE.format(6939))], evidence, version)
    words = _("Docker Compose {version} is installed, as a program (docker-compose)", version=version)
    if known.native:
        words = _("Docker Compose {version} is installed, as a plugin (docker compose)", version=version)
    return Judgement("pass", words, version, evidence)


def judge_flavor(seen: docker_compose.Flavor) -> Judgement:
    """Which of the two mailcow's scripts will use, and whether that one is there."""
    known, evidence = seen.installed, _evidence(seen.installed)
    if known.unread and not known.flavour:
        return _unread(known)
    if not known.flavour:
        return skipped(_("no Docker Compose that mailcow takes is installed yet"))
    conf = seen.conf
    names = {"native": _("the plugin (docker compose)"), "standalone": _("the program (docker-compose)")}
    will = names[known.flavour]
    if conf.skip and known.unread and not known.native:
        return _unread(known)
    if conf.skip:
        words = _("mailcow will use {will}; there is no mailcow.conf yet that says otherwise", will=will)
        return Judgement("pass", words, known.flavour, evidence)
    evidence = (
        Evidence(f"grep ^DOCKER_COMPOSE_VERSION= {word(conf.path)}", conf.value or _("empty")),
        *evidence,
    )
    change = (_("Set it: `./wizard conf set DOCKER_COMPOSE_VERSION={flavour}`", flavour=known.flavour),)
    if not conf.value:
        words = _(
            "{will} is installed, and DOCKER_COMPOSE_VERSION is empty: mailcow's backup stops", will=will
        )
        return Judgement("warn", words, known.flavour, evidence, change)
    version = {"native": known.native, "standalone": known.standalone}.get(conf.value, "")
    if docker.numbers(version)[0] >= base.COMPOSE_MINIMUM:
        words = _(
            "mailcow uses {which}, which is installed ({version})", which=names[conf.value], version=version
        )
        return Judgement("pass", words, conf.value, evidence)
    if known.unread and not version and conf.value in names:
        return _unread(known)
    wanted = names.get(conf.value, conf.value)
    words = _(
        "mailcow's DOCKER_COMPOSE_VERSION names {wanted}, which is not installed; {will} is",
        wanted=wanted,
        will=will,
    )
    return Judgement("fail", words, f"{conf.value}, {known.flavour}", evidence, change)


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.compose",
        title=_("Docker Compose"),
        needed=_("Docker Compose 2 or newer, as a plugin or as a program"),
        why=_("mailcow is described in a file for Compose; version 1 does not understand it."),
        doc=need.DOC_DOCKER,
        severity="blocks",
        source=docker_compose.installed,
        judge=judge_compose,
    ),
    Check(
        id="docker.flavor",
        title=_("Compose in use"),
        needed=_("the Compose that DOCKER_COMPOSE_VERSION names is the one that is installed"),
        why=_(
            "mailcow's backup, restore and helper scripts run the one that it names, and stop "
            "where that is not there."
        ),
        doc=need.DOC_ISSUE.format(7065),
        severity="degrades",
        source=docker_compose.flavor,
        judge=judge_flavor,
    ),
)
