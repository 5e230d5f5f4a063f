"""Judges of what is inside of mailcow.conf: how lines are written, what values are, what goes together."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts import config_lint
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.conf.rule import LintFinding
    from mailcow_wizard.model import Severity, Status

_MOST = 20
_STOPS_A_START = ("refused-by-compose", "redis-password-missing")


def judge_syntax(found: config_lint.Lint) -> Judgement:
    """Lines that bash and docker compose do not read alike."""
    return _judge(
        found,
        "syntax",
        _("bash and docker compose read all {settings} settings alike", settings=found.settings),
    )


def judge_values(found: config_lint.Lint) -> Judgement:
    """Values that mailcow does not know, or that cannot work on this machine."""
    return _not_text(found) or _judge(
        found, "values", _("all {settings} settings have values that mailcow knows", settings=found.settings)
    )


def judge_consistency(found: config_lint.Lint) -> Judgement:
    """Settings that contradict each other."""
    return _not_text(found) or _judge(found, "consistency", _("no setting contradicts another"))


def _not_text(found: config_lint.Lint) -> Judgement | None:
    """What is no text has no values (config.syntax says so)."""
    return skipped(_("{path} is not a text file", path=found.path)) if b"\0" in found.data else None


def _judge(found: config_lint.Lint, part: str, fine: str) -> Judgement:
    if found.skip:
        return skipped(found.skip)
    mine = found.part(part)
    bad = [one for one in mine if one.level != "advice"]
    advice = "; ".join(one.message for one in mine if one.level == "advice")
    evidence = tuple(
        Evidence(f"{found.path}:{one.line}" if one.line else found.path, f"{one.message} ({one.rule})")
        for one in mine[:_MOST]
    )
    if not bad:
        number = len(mine)
        aside = ngettext("; {n} hint", "; {n} hints", number) if number else ""
        return Judgement("pass", f"{fine}{aside}", advice or fine, evidence)
    return judged([_trouble(one) for one in bad[:_MOST]], evidence, advice)


def _trouble(one: LintFinding) -> Trouble:
    status: Status = "fail" if one.level == "error" else "warn"
    severity: Severity = "degrades"
    if one.level == "error":
        severity = "blocks" if one.rule in _STOPS_A_START else "breaks"
    where = _("In line {line}", line=one.line) if one.line else _("In mailcow.conf")
    if one.fix and "=" in one.remedy and "…" not in one.remedy:
        remedy = _("{where}: `./wizard conf set {remedy}`", where=where, remedy=one.remedy)
    elif one.remedy:
        remedy = f"{where}: {one.remedy}."
    else:
        remedy = _("{where}: write what is meant. `./wizard conf lint` says when all is well.", where=where)
    return Trouble(status, one.message, (remedy,), severity)


SYNTAX = Check(
    id="config.syntax",
    title=_("Syntax"),
    needed=_("every line reads the same for bash and for docker compose"),
    why=_(
        "mailcow's scripts run mailcow.conf as a bash script, docker compose reads it by rules of "
        "its own. What they read differently has two values, and a stray word is run as a command "
        "by root."
    ),
    doc=need.DOC_ISSUE.format(1519),
    severity="breaks",
    source=config_lint.lint,
    judge=judge_syntax,
)
VALUES = Check(
    id="config.values",
    title=_("Values"),
    needed=_("values that mailcow knows, and addresses that this machine has"),
    why=_(
        "mailcow does not complain about a value that it does not know: a container does not "
        "start, or the setting has no effect."
    ),
    doc=need.DOC_INSTALL,
    severity="breaks",
    source=config_lint.lint,
    judge=judge_values,
)
CONSISTENCY = Check(
    id="config.consistency",
    title=_("Consistency"),
    needed=_("settings that go together: proxy mode, certificates, API, master user, ports"),
    why=_("Each of these settings may be right alone, and all the same the service does not work."),
    doc=need.DOC_INSTALL,
    severity="breaks",
    source=config_lint.lint,
    judge=judge_consistency,
)
