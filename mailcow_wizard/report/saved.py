"""The report of a run that was remembered, in one of its forms."""

from __future__ import annotations

import json

from mailcow_wizard.report.document import findings_of
from mailcow_wizard.report.masking import masked
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

FORMS = {"markdown": "md", "json": "json", "html": "html"}
"""The forms, and how the names of their files end."""


def as_text(run: dict[str, Any], form: str, mask: bool = False) -> str:
    """The run's document as Markdown, JSON or HTML; `mask` hides addresses and the server's names.

    Raises KeyError or TypeError where the document is none of a run.
    """
    run = masked(run) if mask else run
    if form == "json":
        findings_of(run)
        return json.dumps(run) + "\n"
    if form == "html":
        from mailcow_wizard.report.html import html

        return "".join(f"{line}\n" for line in html(run))
    from mailcow_wizard.report.markdown import markdown

    return "".join(f"{line}\n" for line in markdown(run))
