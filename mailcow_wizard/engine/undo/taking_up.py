"""What makes a running mailcow take up its old settings: taking a change back changes the file alone."""

from __future__ import annotations

import os.path

from mailcow_wizard.facts.compose_files import OVERRIDES
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Edit, Manual
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailcow_wizard.model import PlanStep

_CONF = "mailcow.conf"
_MADE_ONCE = "IPV4_NETWORK"
"""A key that mailcow has to stop for, as for what an override file says of its network."""


def taken_up(facts: Facts, steps: Sequence[PlanStep]) -> tuple[Manual, ...]:
    """The note for a plan that gives keys of a mailcow.conf other values, or changes the override file beside
    it; none where mailcow does not run."""
    edits = [
        one for one in steps if isinstance(one, Edit) and os.path.basename(one.path) in (_CONF, *OVERRIDES)
    ]
    if not edits:
        return ()
    from mailcow_wizard.fixes.mailcow_conf import takes_effect

    keys = set().union(*map(_changed, edits))
    directory = os.path.dirname(edits[0].path)
    note = takes_effect(Facts(facts.host, facts.settings._replace(directory=directory)), keys)
    return (note,) if note else ()


def _changed(edit: Edit) -> set[str]:
    if os.path.basename(edit.path) != _CONF:
        return {_MADE_ONCE}
    from mailcow_wizard.conf.document import Document

    now, then = Document.read(edit.before or b""), Document.read(edit.after or b"")
    return {key for key in (*now.keys(), *then.keys()) if now.get(key) != then.get(key)}
