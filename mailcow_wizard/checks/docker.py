"""The checks of Docker: the engine, Compose, settings, storage, leftovers, the proxy, the registries."""

from mailcow_wizard.checks import (
    docker_compose,
    docker_engine,
    docker_leftovers,
    docker_registry,
    docker_relay,
    docker_settings,
)
from mailcow_wizard.model import Check

CHECKS: tuple[Check, ...] = (
    *docker_engine.CHECKS,
    *docker_compose.CHECKS,
    *docker_settings.CHECKS,
    *docker_leftovers.CHECKS,
    *docker_relay.CHECKS,
    *docker_registry.CHECKS,
)
