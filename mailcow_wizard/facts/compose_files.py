"""Which files docker compose reads in mailcow's directory, and whether it takes those that were changed or
added there."""

from __future__ import annotations

from mailcow_wizard.facts.compose import compose
from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.redaction import of_compose
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPOSE_FILE = "docker-compose.yml"
BEFORE_IT = ("compose.yaml", "compose.yml")
"""Compose takes the first of these that is there, and docker-compose.yml only after them."""
OVERRIDE = "docker-compose.override.yml"
"""Where mailcow's manual has what is added, and where the wizard writes it."""
OVERRIDES = ("compose.override.yml", "compose.override.yaml", OVERRIDE, "docker-compose.override.yaml")
"""In the order in which compose looks for them; it takes the first alone."""
NEW_OVERRIDE = (
    "# Settings of docker compose beside mailcow's own; updates of mailcow leave this file alone.\n"
)
"""How one begins that the wizard makes."""
COMMANDS = {"native": ("docker", "compose"), "standalone": ("docker-compose",)}
"""How each flavour of Compose is called."""
_TIMEOUT_S = 8.0
_MOST_SHOWN = 200


def override_among(names: Sequence[str]) -> str:
    """The override file among these that compose takes; empty where there is none."""
    return next((one for one in OVERRIDES if one in names), "")


def override_name(facts: Facts) -> str:
    """The override file of mailcow's directory; the usual one where none is there, or nobody may look."""
    try:
        names = facts.get(place).names or ()
    except HostError:
        names = ()
    return override_among(names) or OVERRIDE


def override_path(facts: Facts) -> str:
    """The same with its directory."""
    return facts.settings.within(override_name(facts))


def override_text(facts: Facts) -> str:
    """What stands in it; empty where none is there. Raises HostError."""
    try:
        return facts.host.text(override_path(facts))
    except Missing:
        return ""


def command(flavour: str, directory: str) -> tuple[str, ...]:
    """The question to compose that starts nothing and asks no engine."""
    return (*COMMANDS[flavour], "--project-directory", directory, "config", "--quiet")


def refusal(facts: Facts, directory: str, changed: tuple[str, ...]) -> str:
    """Why compose refuses the files in `directory`, in its own words; empty where it takes them or cannot be
    asked. `changed` are those that are not mailcow's: where they include others by address, compose would
    fetch those, and is not asked."""
    host = facts.host
    try:
        facts.get(mailcow_conf)  # compose needs to read it, and without it fails for that alone
        if any("://" in host.text(f"{directory}/{name}") for name in changed):
            return ""
        flavour = facts.get(compose).flavour
        if not flavour:
            return ""
        ran = host.run(command(flavour, directory), _TIMEOUT_S)
    except HostError:
        return ""
    return "" if ran.code == 0 else said(ran.err or ran.out)


def said(text: str) -> str:
    """The last line that is not a warning, short and without secrets."""
    lines = [one.strip() for one in text.splitlines() if one.strip() and "level=warning" not in one]
    return of_compose(lines[-1])[:_MOST_SHOWN] if lines else ""
