"""A run as one HTML page: loads nothing, runs nothing, light and dark, for the screen and for paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from mailcow_wizard.language import _, current
from mailcow_wizard.model import STEPS, Finding
from mailcow_wizard.report.acknowledgements import words
from mailcow_wizard.report.document import findings_of, summary
from mailcow_wizard.report.lines import counted, heading, named
from mailcow_wizard.report.markdown import SECTIONS
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_MARKS = {"pass": "✓", "warn": "!", "fail": "✗", "unknown": "?", "skipped": "–", "crashed": "‼"}
# Even what would slip through could load and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #59636e; --line: #d1d9e0;
  --card: #f6f8fa; --pass: #1a7f37; --warn: #8a5a00; --fail: #b3231a; --unknown: #0b6a8f;
  --crashed: #7a3fb0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1; --line: #3d444d; --card: #151b23;
    --pass: #3fb950; --warn: #d29922; --fail: #ff7b72; --unknown: #58b6e4; --crashed: #c297ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 1rem/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .25rem 0; }
a { color: inherit; }
.soft { color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: 1rem 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: .5rem; padding: .25rem .75rem; }
article { border: 1px solid var(--line); border-left: .3rem solid var(--mark); border-radius: .4rem;
  background: var(--card); padding: .75rem 1rem; margin: .75rem 0; break-inside: avoid; }
dl { display: grid; grid-template-columns: 5rem 1fr; gap: .15rem .75rem; margin: .5rem 0 0; }
dt { color: var(--soft); }
dd { margin: 0; }
code, pre { font: .875em ui-monospace, monospace; }
pre { margin: 0; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); padding: .3rem .5rem .3rem 0; vertical-align: top; }
td:first-child { width: 16rem; }
.pass { --mark: var(--pass); }
.warn { --mark: var(--warn); }
.fail { --mark: var(--fail); }
.unknown { --mark: var(--unknown); }
.crashed { --mark: var(--crashed); }
.mark { color: var(--mark); font-weight: 600; }
@media (max-width: 30rem) {
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .4rem; }
  td, td:first-child { display: block; width: auto; border: 0; padding: 0; }
  td:first-child { border-top: 1px solid var(--line); padding-top: .3rem; font-weight: 600; }
}
@media print { body { max-width: none; padding: 0; font-size: 10pt; } }
"""


def html(run: dict[str, Any]) -> Iterator[str]:
    """Its lines; `run` is the run's document."""
    findings = findings_of(run)
    name = escape(run["hostname"] or _("a server without a name"))
    yield f'<!doctype html><html lang="{current()}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>mailcow: {name}</title><style>{_STYLE}</style></head><body><header>"
    yield f"<h1>mailcow: {name}</h1>"
    looked = _(
        "Looked at on {started} by mailcow-wizard {version}", started=run["started"], version=run["version"]
    )
    yield f'<p class="soft">{escape(looked)}</p>'
    yield '<ul class="counts">'
    for status, number in summary(findings).items():
        if number:
            yield f'<li class="{status}">{_mark(status)} {escape(counted(status, number))}</li>'
    yield "</ul></header><main>"
    for status, title in SECTIONS:
        yield from _section(title, [one for one in findings if one.status == status and not one.acknowledged])
    yield from _section(_("Acknowledged"), [one for one in findings if one.acknowledged])
    yield from _table(_("As it should be"), [one for one in findings if one.status == "pass"])
    yield from _table(_("Skipped"), [one for one in findings if one.status == "skipped"])
    yield "</main></body></html>"


def _mark(status: str) -> str:
    return f'<span class="mark {status}" aria-hidden="true">{_MARKS[status]}</span>'


def _section(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield f"<section><h2>{title}</h2>"
    for one in findings:
        yield f'<article class="{one.status}"><h3>{_mark(one.status)} {escape(one.title)}'
        yield f" <code>{escape(named(one.id, one.subject))}</code></h3>"
        yield f"<p>{escape(one.summary)}</p><dl>"
        for label, text in _about(one):
            yield f"<dt>{label}</dt><dd>{text}</dd>"
        yield "</dl></article>"
    yield "</section>"


def _about(one: Finding) -> Iterator[tuple[str, str]]:
    if one.acknowledged:
        yield _("Accepted"), escape(words(one.acknowledged))
    for remedy in one.remedies:
        yield _("Mend"), escape(remedy)
    if one.found and one.found != one.summary:
        yield _("Found"), escape(one.found)
    yield _("Needed"), escape(one.needed)
    yield _("Why"), escape(one.why)
    for seen in one.evidence:
        yield _("See"), f"<pre>{escape(seen.what)}\n{escape(seen.value)}</pre>"
    doc = escape(one.doc)
    yield _("More"), f'<a href="{doc}" rel="noreferrer">{doc}</a>'


def _table(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield f"<section><h2>{title}</h2>"
    for step in STEPS:
        rows = [one for one in findings if one.step == step.id]
        if not rows:
            continue
        yield f"<details open><summary>{escape(heading(step.id))}: {len(rows)}</summary><table>"
        for one in rows:
            subject = f" <code>{escape(one.subject)}</code>" if one.subject else ""
            yield f"<tr><td>{_mark(one.status)} {escape(one.title)}{subject}</td>"
            yield f"<td>{escape(one.summary)}</td></tr>"
        yield "</table></details>"
    yield "</section>"
