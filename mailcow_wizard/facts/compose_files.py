"""Whether docker compose takes the files that were changed or added beside mailcow's own."""

from __future__ import annotations

from mailcow_wizard.facts.compose import compose
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.redaction import of_compose

_COMMANDS = {"native": ("docker", "compose"), "standalone": ("docker-compose",)}
_TIMEOUT_S = 8.0
_MOST_SHOWN = 200


def command(flavour: str, directory: str) -> tuple[str, ...]:
    """The question to compose that starts nothing and asks no engine."""
    return (*_COMMANDS[flavour], "--project-directory", directory, "config", "--quiet")


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
