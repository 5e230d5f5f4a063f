"""The stages of an install, in their order."""

from __future__ import annotations

from mailcow_wizard.language import _
from mailcow_wizard.model import Finding
from mailcow_wizard.typed import NamedTuple


class Stage(NamedTuple):
    """A stage: its id, its name in the log, the same for people, what it does in a few words."""

    id: str
    logged: str
    title: str
    about: str


STAGES: tuple[Stage, ...] = (
    Stage(
        "preconditions",
        "Preconditions",
        _("Preconditions"),
        _("all checks run; what blocks an install stops it here"),
    ),
    Stage("packages", "Packages", _("Packages"), _("the commands that mailcow's own scripts need")),
    Stage("docker", "Docker", _("Docker"), _("engine, Compose plugin, settings")),
    Stage("clone", "Download", _("Download"), _("mailcow's files, with their history, by git")),
    Stage(
        "configuration",
        "Configuration",
        _("Configuration"),
        _("mailcow.conf, made by mailcow's own script and then corrected"),
    ),
    Stage(
        "override",
        "Adjustments",
        _("Adjustments"),
        _("docker-compose.override.yml, where this machine needs one"),
    ),
    Stage("pull", "Images", _("Images"), _("fetched from their registries, some gigabytes")),
    Stage("up", "Start", _("Start"), _("containers are made and started, until they are healthy")),
    Stage("verify", "Verify", _("Verify"), _("proof that the server works")),
)

ALWAYS = ("preconditions", "up")
"""Stages that run again whenever an install goes on: the machine may be another than it was, and containers
may have ended; starting those that run changes nothing."""

BY_ITSELF = {
    "packages": (("system.tools", "install-tools"),),
    "docker": (
        ("docker.engine", "install-docker"),
        ("docker.daemon", "start-docker"),
        ("docker.compose", "install-compose"),
        ("docker.daemon-json", "merge-daemon-json"),
        ("docker.registry", "docker-proxy"),
    ),
}
"""Checks and their fixes that a stage applies without being asked, for mailcow needs them."""


def mends(finding: Finding) -> bool:
    """Whether the install mends this by itself; a missing Compose comes with the engine."""
    known = {fix for every in BY_ITSELF.values() for _check, fix in every}
    return finding.left_to_install or any(one.id in known for one in finding.fixes)


def title(stage: str) -> str:
    """A stage's name for people."""
    return next((one.title for one in STAGES if one.id == stage), stage)


def logged(stage: str) -> str:
    """A stage's name in the log, which is English in every language."""
    return next((one.logged for one in STAGES if one.id == stage), stage)
