"""Docker Compose beside mailcow: which versions its scripts take, which of the two mailcow.conf names."""

from __future__ import annotations

from mailcow_wizard.facts.compose import Compose, compose
from mailcow_wizard.facts.config import conf_file, place
from mailcow_wizard.facts.config_values import ConfCompose, conf_compose
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple

# Where mailcow's scripts look at the version: the newer layout first.
_SCRIPTS = ("_modules/scripts/core.sh", "_modules/core.sh", "update.sh")
# Scripts since 2025-12 look for a range of numbers; before, for a 2 alone (#6939).
_TWO_ONLY = (b'"^2."', b'"^2\\."', b"'^2.'", b"'^2\\.'", b'"^v2."', b'"^v2\\."')
_LOOKS = b"compose version --short"


class Installed(NamedTuple):
    """What is installed, and whether this checkout's scripts take Compose 2 and nothing newer."""

    compose: Compose
    takes_two_only: bool


class Flavor(NamedTuple):
    """What is installed, and what mailcow.conf says."""

    installed: Compose
    conf: ConfCompose


def installed(facts: Facts) -> Installed:
    """Asks for versions, and reads mailcow's script where it is there."""
    return Installed(facts.get(compose), _takes_two_only(facts))


def flavor(facts: Facts) -> Flavor:
    """Holds both against each other. Raises HostError where there is a mailcow.conf that cannot be read."""
    if facts.get(conf_file).kind not in ("file", "missing"):
        raise HostError(facts.get(conf_compose).skip)
    return Flavor(facts.get(compose), facts.get(conf_compose))


def _takes_two_only(facts: Facts) -> bool:
    here = facts.get(place)
    if not here.mailcow:
        return False
    for name in _SCRIPTS:
        try:
            text = facts.host.read(f"{here.directory}/{name}")
        except HostError:
            continue
        lines = [line for line in text.splitlines() if _LOOKS in line and b"grep" in line]
        if lines:
            return all(any(one in line for one in _TWO_ONLY) for line in lines)
    return False
