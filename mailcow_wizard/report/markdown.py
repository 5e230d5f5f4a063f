"""A run as Markdown, for a forum or a ticket: what is not right in full, the rest in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcow_wizard.language import _
from mailcow_wizard.model import Finding
from mailcow_wizard.patterns import pattern
from mailcow_wizard.report.acknowledgements import words
from mailcow_wizard.report.document import findings_of, summary
from mailcow_wizard.report.lines import counted, named
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

SECTIONS = (
    ("crashed", _("Mistakes of the wizard")),
    ("fail", _("Fails")),
    ("warn", _("Warnings")),
    ("unknown", _("Could not be found out")),
)

_MARKUP = frozenset("\\`*_[]<>|#&~$")
_PIECES = pattern(r"""(\s+|["'()\[\]<>,;]+|[.:!?…]+(?=\s|$))""")
# What forums make links, mentions and references of, escaped or not: addresses, names, @name, #12, GH-12.
_LINKING = pattern(r"://|www\.|mailto:|@\w|#\d|\bGH-\d|\w\.[^\W\d_]{2}")
# At a line's beginning these make it an item of a list, a heading or a rule.
_OF_A_BLOCK = pattern(r"^(\d*)([-+=.)])")


def markdown(run: dict[str, Any]) -> Iterator[str]:
    """Its lines; `run` is the run's document."""
    findings = findings_of(run)
    yield f"# mailcow: {_plain(run['hostname'] or _('a server without a name'))}"
    yield ""
    counts = ", ".join(counted(status, number) for status, number in summary(findings).items() if number)
    yield _(
        "{counts}. Looked at on {started} by mailcow-wizard {version}.",
        counts=counts,
        started=run["started"],
        version=run["version"],
    )
    open_findings = [one for one in findings if one.acknowledged is None]
    for status, title in SECTIONS:
        yield from _section(title, [one for one in open_findings if one.status == status])
    yield from _section(_("Acknowledged"), [one for one in findings if one.acknowledged])
    yield from _listed(_("As it should be"), [one for one in findings if one.status == "pass"])
    yield from _listed(_("Skipped"), [one for one in findings if one.status == "skipped"])


def _section(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield from ("", f"## {title}")
    for one in findings:
        yield from ("", f"### {_plain(one.title)} (`{_code(named(one.id, one.subject))}`)", "")
        yield _plain(one.summary)
        yield ""
        if one.acknowledged:
            yield _("- acknowledged: {text}", text=_plain(words(one.acknowledged)))
        if one.found and one.found != one.summary:
            yield _("- found: {text}", text=_plain(one.found))
        yield _("- needed: {text}", text=_plain(one.needed))
        yield _("- why: {text}", text=_plain(one.why))
        yield from (_("- mend: {text}", text=_plain(remedy)) for remedy in one.remedies)
        yield from ("- " + _("see") + f": `{_code(seen.what)}` {_plain(seen.value)}" for seen in one.evidence)
        yield "- " + _("more") + f": <{one.doc}>"


def _listed(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield from ("", f"## {title}", "")
    for one in findings:
        yield f"- {_plain(one.title)} (`{_code(named(one.id, one.subject))}`): {_plain(one.summary)}"


def _plain(text: str) -> str:
    """Text in which nothing is markup, and nothing becomes a link, a mention or a reference."""
    said = "".join(
        f"`{_code(piece)}`" if _LINKING.search(piece) else _escaped(piece)
        for piece in _PIECES.split(text.strip())
    )
    return _OF_A_BLOCK.sub(r"\1\\\2", said)


def _escaped(text: str) -> str:
    return "".join(f"\\{one}" if one in _MARKUP else one for one in text)


def _code(text: str) -> str:
    """Text between backticks."""
    return text.replace("`", "'")
