"""A run for monitoring: a Nagios or Icinga plugin's output, and Prometheus' text format."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard import __version__
from mailcow_wizard.model import STATUSES, Finding
from mailcow_wizard.report.lines import named, plain

# https://nagios-plugins.org/doc/guidelines.html: 0 ok, 1 warning, 2 critical, 3 unknown.
_NAGIOS = (
    ("fail", "CRITICAL", 2),
    ("crashed", "UNKNOWN", 3),
    ("warn", "WARNING", 1),
    ("unknown", "UNKNOWN", 3),
)
_LONGEST = 120


def nagios(findings: Sequence[Finding], proof: bool = False) -> tuple[str, int]:
    """A plugin's output and its exit code: the worst first, then the rest in lines, and the counts.

    Acknowledged findings are shown in the lines and do not count. `proof`: all is to be proved, so that
    where everything was skipped nothing is known.
    """
    counted = [one for one in findings if one.acknowledged is None]
    word, code = "OK", 0
    worst: list[Finding] = []
    for status, its_word, its_code in _NAGIOS:
        worst = [one for one in counted if one.status == status]
        if worst:
            word, code = its_word, its_code
            break
    if proof and all(one.status == "skipped" for one in findings):
        word, code, worst = "UNKNOWN", 3, list(findings)
    accepted = len(findings) - len(counted)
    calm = f"nothing else is wrong ({accepted} acknowledged)" if accepted else "nothing is wrong"
    first = _piped(f"{named(worst[0].id, worst[0].subject)}: {worst[0].summary}") if worst else calm
    more = f" (and {len(worst) - 1} more)" if len(worst) > 1 else ""
    counts = " ".join(f"{status}={sum(one.status == status for one in counted)}" for status in STATUSES)
    lines = [f"MAILCOW {word} - {_short(first)}{more} | {counts}"]
    lines += [_piped(plain(one)) for one in findings if one.status not in ("pass", "skipped")]
    return "".join(f"{line}\n" for line in lines), code


def _short(text: str) -> str:
    """At a word, and with a mark: a name that is cut looks like another one."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3].rpartition(' ')[0]}..."


def _piped(text: str) -> str:
    """Without the sign that begins performance data."""
    return text.replace("|", "/")


def prometheus(findings: Sequence[Finding], started: float, duration: float) -> str:
    """Prometheus' text exposition format, for the node exporter's textfile collector.

    Each finding is a series with the value 1 and its status as a label; `started` in seconds since 1970.
    """
    lines = _family("mailcow_wizard_finding", "A finding and its status; always 1.")
    for one in findings:
        labels = {
            "id": one.id,
            "subject": one.subject or "",
            "step": one.step,
            "status": one.status,
            "severity": one.severity,
            "acknowledged": "true" if one.acknowledged else "false",
        }
        lines.append(f"mailcow_wizard_finding{_labels(labels)} 1")
    lines += _family("mailcow_wizard_findings", "How many findings have a status; acknowledged ones aside.")
    for status in STATUSES:
        number = sum(one.status == status and one.acknowledged is None for one in findings)
        lines.append(f"mailcow_wizard_findings{_labels({'status': status})} {number}")
    lines += _family("mailcow_wizard_run_timestamp_seconds", "When the run began.")
    lines.append(f"mailcow_wizard_run_timestamp_seconds {started:.0f}")
    lines += _family("mailcow_wizard_run_duration_seconds", "How long it took.")
    lines.append(f"mailcow_wizard_run_duration_seconds {duration:.3f}")
    lines += _family("mailcow_wizard_info", "The wizard that looked; always 1.")
    lines.append(f"mailcow_wizard_info{_labels({'version': __version__})} 1")
    return "".join(f"{line}\n" for line in lines)


def _family(name: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge"]


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
