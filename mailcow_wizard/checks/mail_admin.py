"""Judge of the administrator's password: every mailcow starts with the same one."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import skipped
from mailcow_wizard.facts.mail.admin import DEFAULT, USER, Admin, admin
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_admin(found: Admin) -> Judgement:
    """The password that stands in the manual does not work any more."""
    if found.about.skip:
        return skipped(found.about.skip)
    evidence = (Evidence(found.how, found.said),) if found.how else ()
    if found.default is None:
        return Judgement(
            "unknown",
            _(
                "whether {user} still has the password {default} could not be found out: {trouble}",
                user=USER,
                default=DEFAULT,
                trouble=found.trouble,
            ),
            "",
            evidence,
            (
                _(
                    "Try it: log in to the web interface as {user} with the password {default}.",
                    user=USER,
                    default=DEFAULT,
                ),
            ),
            certainty="untested",
        )
    if found.default:
        return Judgement(
            "fail",
            _(
                "{user} still has the password that every mailcow starts with ({default})",
                user=USER,
                default=DEFAULT,
            ),
            found.said,
            evidence,
            (
                _(
                    "Set another: log in to the web interface and change it, or run "
                    "helper-scripts/mailcow-reset-admin.sh in mailcow's directory."
                ),
            ),
        )
    if not found.there:
        return Judgement(
            "pass", _("there is no active administrator called {user}", user=USER), found.said, evidence
        )
    return Judgement(
        "pass",
        _("{user} does not have the password that every mailcow starts with", user=USER),
        found.said,
        evidence,
        certainty="proved" if found.certain else "inferred",
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.admin-password",
        title=_("Admin password"),
        needed=_("another password for {user} than {default}", user=USER, default=DEFAULT),
        why=_(
            "The first password stands in mailcow's manual: whoever finds the server can log in "
            "with it, and read and send everybody's mail."
        ),
        doc=need.DOC_INSTALL,
        severity="breaks",
        source=admin,
        judge=judge_admin,
        deadline=30.0,
    ),
)
