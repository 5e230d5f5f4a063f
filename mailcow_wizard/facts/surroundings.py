"""What this machine says to a mailcow.conf, for the rules: each part by itself, as one may be unknown."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.conf.rule import Surroundings
from mailcow_wizard.facts import time_zone
from mailcow_wizard.facts.compose import compose
from mailcow_wizard.facts.compose_files import COMPOSE_FILE
from mailcow_wizard.facts.config import env_link
from mailcow_wizard.facts.environment import environment
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import database_volumes
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeVar

    Answer = TypeVar("Answer")


def surroundings(facts: Facts) -> Surroundings:
    """Asks the machine; what does not answer is not known. Raises nothing."""
    return Surroundings(
        addresses=_or_none(lambda: _addresses(facts)),
        addresses_v6=_or_none(lambda: _addresses_v6(facts)),
        is_zone=_or_none(lambda: _zones(facts)),
        timezone=_or_none(lambda: _timezone(facts)),
        domains=facts.settings.domains,
        exported=_or_none(lambda: frozenset(one.name for one in facts.get(environment).leaks)),
        compose=_or_none(lambda: _compose(facts)),
        projects=_or_none(lambda: projects(facts)),
        env=_or_none(lambda: _env(facts)),
        takes=lambda key: _or_none(lambda: _takes(facts, key)) is True,
    )


def without_machine(facts: Facts) -> Surroundings:
    """What is known of a file that lies elsewhere: only what was named, and which timezones there are."""
    return Surroundings(is_zone=_or_none(lambda: _zones(facts)), domains=facts.settings.domains)


def projects(facts: Facts) -> tuple[str, ...] | None:
    """The compose projects that have a database here; None where that is not certain. Raises HostError."""
    found = facts.get(database_volumes)
    names = tuple(dict.fromkeys(one.project for one in found.volumes))
    return names if names or found.certain else None


def _or_none(ask: Callable[[], Answer]) -> Answer | None:
    try:
        return ask()
    except HostError:
        return None


def _addresses(facts: Facts) -> frozenset[str] | None:
    """None also where the kernel lets programs listen at addresses that the machine does not have."""
    if _or_none(lambda: facts.host.text("/proc/sys/net/ipv4/ip_nonlocal_bind").strip()) == "1":
        return None
    from mailcow_wizard.facts.network.routes import own_v4

    return frozenset(facts.get(own_v4)) or None


def _addresses_v6(facts: Facts) -> frozenset[str] | None:
    """None also where the machine has none that is global: then nothing leaves by IPv6 at all."""
    from mailcow_wizard.facts.network.routes import own_v6

    return frozenset(one.address for one in facts.get(own_v6)) or None


def _zones(facts: Facts) -> Callable[[str], bool | None] | None:
    if not facts.host.exists(time_zone.ZONEINFO):
        return None
    return lambda name: time_zone.is_zone(facts.host, name)


def _timezone(facts: Facts) -> str | None:
    zone = facts.get(time_zone.zone)
    return zone.linked or zone.written or None


def _compose(facts: Facts) -> tuple[str, ...] | None:
    found = facts.get(compose)
    return None if found.unread else found.flavours


def _env(facts: Facts) -> str | None:
    link = facts.get(env_link)
    if link.right or link.kind != "link":
        return "right" if link.right else link.kind
    return "elsewhere"


def _takes(facts: Facts, key: str) -> bool:
    return f"${{{key}}}" in facts.host.text(facts.settings.within(COMPOSE_FILE))
