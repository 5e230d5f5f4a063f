"""A run as Markdown, for a forum or a ticket: what is not right in full, the rest in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcow_wizard.model import Finding
from mailcow_wizard.report.acknowledgements import words
from mailcow_wizard.report.document import findings_of, summary
from mailcow_wizard.report.lines import WORDS, named
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

SECTIONS = (
    ("crashed", "Mistakes of the wizard"),
    ("fail", "Fails"),
    ("warn", "Warnings"),
    ("unknown", "Could not be found out"),
)


def markdown(run: dict[str, Any]) -> Iterator[str]:
    """Its lines; `run` is the run's document."""
    findings = findings_of(run)
    yield f"# mailcow: {_plain(run['hostname'] or 'a server without a name')}"
    yield ""
    words_of: dict[str, str] = dict(WORDS.items())
    numbers = summary(findings).items()
    counts = ", ".join(f"{number} {words_of[name].lower()}" for name, number in numbers if number)
    yield f"{counts}. Looked at on {run['started']} by mailcow-wizard {run['version']}."
    open_findings = [one for one in findings if one.acknowledged is None]
    for status, title in SECTIONS:
        yield from _section(title, [one for one in open_findings if one.status == status])
    yield from _section("Acknowledged", [one for one in findings if one.acknowledged])
    yield from _listed("As it should be", [one for one in findings if one.status == "pass"])
    yield from _listed("Skipped", [one for one in findings if one.status == "skipped"])


def _section(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield from ("", f"## {title}")
    for one in findings:
        yield from ("", f"### {_plain(one.title)} (`{_code(named(one.id, one.subject))}`)", "")
        yield _plain(one.summary)
        yield ""
        if one.acknowledged:
            yield f"- acknowledged: {_plain(words(one.acknowledged))}"
        if one.found and one.found != one.summary:
            yield f"- found: {_plain(one.found)}"
        yield f"- needed: {_plain(one.needed)}"
        yield f"- why: {_plain(one.why)}"
        yield from (f"- mend: {_plain(remedy)}" for remedy in one.remedies)
        yield from (f"- see: `{_code(seen.what)}` {_plain(seen.value)}" for seen in one.evidence)
        yield f"- more: <{one.doc}>"


def _listed(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield from ("", f"## {title}", "")
    for one in findings:
        yield f"- {_plain(one.title)} (`{_code(named(one.id, one.subject))}`): {_plain(one.summary)}"


def _plain(text: str) -> str:
    """Text in which nothing is markup."""
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#" else one for one in text)


def _code(text: str) -> str:
    """Text between backticks."""
    return text.replace("`", "'")
