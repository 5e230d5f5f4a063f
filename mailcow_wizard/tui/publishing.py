"""DNS records published by the wizard: from the list to the plan that is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.facts.dns.push import push as look
from mailcow_wizard.fixes import dns_records
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.language import _
from mailcow_wizard.tui import mending
from mailcow_wizard.tui.background import waited_for

if TYPE_CHECKING:
    from mailcow_wizard.model import Plan
    from mailcow_wizard.tui.wizard import Wizard

NO_KEY = _("Needs a key of your name servers: ./wizard dns --push --tsig FILE")


def show(
    app: Wizard, names: set[tuple[str, str]], say: Callable[[str], None], made: Callable[[], None]
) -> None:
    """Opens the plan for these names and types; `say` shows why there is none, `made` follows the change."""

    def ask() -> Callable[[], object]:
        try:
            found = _planned(app, names)
        except NotRecorded:
            found = _("A recorded machine cannot publish anything")
        except HostError as error:
            found = _("This cannot be published: {error}", error=harmless(str(error)))
        return lambda: _open(app, found, say, made)

    waited_for(app, _("Publish DNS records"), _("Asking the servers that take changes…"), ask)


def _planned(app: Wizard, names: set[tuple[str, str]]) -> Plan | str:
    facts = app.session.new_facts()
    if not dns_records.configured(facts):
        return NO_KEY
    found = facts.get(look)
    entries = [one for one in found.entries if (one.name, one.type) in names]
    left = [one for one in found.left if (one.name, one.type) in names]
    if entries:
        return dns_records.plan(facts, entries, left, (entries[0].check, entries[0].subject))
    return (
        f"{left[0].name} {left[0].type}: {left[0].words}" if left else _("There is nothing to publish here")
    )


def _open(app: Wizard, found: Plan | str, say: Callable[[str], None], made: Callable[[], None]) -> None:
    if isinstance(found, str):
        say(f"{found}.")
        return
    mending.ask(app, found, "dns --push --tsig FILE", lambda: None, made)
