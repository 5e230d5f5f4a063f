"""What makes a running mailcow take up its old settings: taking a change back changes the file alone."""

from __future__ import annotations

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Edit, Manual
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailcow_wizard.model import PlanStep

_NAME = "/mailcow.conf"


def taken_up(facts: Facts, steps: Sequence[PlanStep]) -> tuple[Manual, ...]:
    """The note for a plan that gives keys of a mailcow.conf other values; none where mailcow does not run."""
    edits = [one for one in steps if isinstance(one, Edit) and one.path.endswith(_NAME)]
    if not edits:
        return ()
    from mailcow_wizard.conf.document import Document
    from mailcow_wizard.fixes.mailcow_conf import takes_effect

    keys: set[str] = set()
    for one in edits:
        now, then = Document.read(one.before or b""), Document.read(one.after or b"")
        keys |= {key for key in (*now.keys(), *then.keys()) if now.get(key) != then.get(key)}
    directory = edits[0].path.removesuffix(_NAME)
    note = takes_effect(Facts(facts.host, facts.settings._replace(directory=directory)), keys)
    return (note,) if note else ()
