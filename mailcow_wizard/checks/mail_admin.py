"""Judge of the administrator's password: every mailcow starts with the same one."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import skipped
from mailcow_wizard.facts.mail.admin import DEFAULT, USER, Admin, admin
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_admin(found: Admin) -> Judgement:
    """The password that stands in the manual does not work any more."""
    if found.about.skip:
        return skipped(found.about.skip)
    evidence = (Evidence(found.how, found.said),) if found.how else ()
    if found.default is None:
        return Judgement(
            "unknown",
            f"whether {USER} still has the password {DEFAULT} could not be found out: {found.trouble}",
            "",
            evidence,
            (f"Try it: log in to the web interface as {USER} with the password {DEFAULT}.",),
            certainty="untested",
        )
    if found.default:
        return Judgement(
            "fail",
            f"{USER} still has the password that every mailcow starts with ({DEFAULT})",
            found.said,
            evidence,
            (
                "Set another: log in to the web interface and change it, or run "
                "helper-scripts/mailcow-reset-admin.sh in mailcow's directory.",
            ),
        )
    if not found.there:
        return Judgement("pass", f"there is no active administrator called {USER}", found.said, evidence)
    return Judgement(
        "pass",
        f"{USER} does not have the password that every mailcow starts with",
        found.said,
        evidence,
        certainty="proved" if found.certain else "inferred",
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.admin-password",
        title="Admin password",
        needed=f"another password for {USER} than {DEFAULT}",
        why="The first password stands in mailcow's manual: whoever finds the server can log in with it, and "
        "read and send everybody's mail.",
        doc=need.DOC_INSTALL,
        severity="breaks",
        source=admin,
        judge=judge_admin,
        deadline=30.0,
    ),
)
