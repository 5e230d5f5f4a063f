"""The stages of an install, in their order."""

from __future__ import annotations

from mailcow_wizard.typed import NamedTuple


class Stage(NamedTuple):
    """A stage: its id, its name for people, what it does in a few words."""

    id: str
    title: str
    about: str


STAGES: tuple[Stage, ...] = (
    Stage("preconditions", "Preconditions", "all checks run; what blocks an install stops it here"),
    Stage("packages", "Packages", "the commands that mailcow's own scripts need"),
    Stage("docker", "Docker", "engine, Compose plugin, settings"),
    Stage("clone", "Download", "mailcow's files, with their history, by git"),
    Stage("configuration", "Configuration", "mailcow.conf, made by mailcow's own script and then corrected"),
    Stage("override", "Adjustments", "docker-compose.override.yml, where this machine needs one"),
    Stage("pull", "Images", "fetched from their registries, some gigabytes"),
    Stage("up", "Start", "containers are made and started, until they are healthy"),
    Stage("verify", "Verify", "proof that the server works"),
)


def title(stage: str) -> str:
    """A stage's name for people."""
    return next((one.title for one in STAGES if one.id == stage), stage)
