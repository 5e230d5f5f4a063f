"""What can be done about the installed server: the administrator gets another password."""

from __future__ import annotations

from mailcow_wizard.facts.mail.installed import installed
from mailcow_wizard.facts.run_as_root import changed_by
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, Offer
from mailcow_wizard.fixes.choices import possible, tried
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.programs.admin_reset import SCRIPT
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Command, Judgement, Manual, Plan

RESET = "reset-admin"
RESETS = ("mail.admin-password", RESET)
"""The check, and what gives the administrator another password."""
PASSWORD_FILE = "/root/mailcow-admin-password"
_NEEDED = ("mysql-mailcow", "dovecot-mailcow")
_TIMEOUT_S = 120.0
_SETTLE_S = 3.0


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    if check != "mail.admin-password" or judgement.status != "fail":
        return ()
    return possible(lambda: tried(lambda: _reset(facts)))


def _reset(facts: Facts) -> Plan | None:
    """mailcow's own script sets a password that it makes up. Raises HostError."""
    directory = facts.settings.directory.rstrip("/")
    if not facts.host.exists(f"{directory}/{SCRIPT}"):
        return None
    if who := changed_by(facts.host, (f"{directory}/{SCRIPT}",)):
        raise NoPlan(_("mailcow's script would run as root, but {who}", who=who))
    about = facts.get(installed)
    if about.untold:
        raise HostError(about.untold)
    running = {one.service for one in about.boxes if one.state == "running"}
    lacking = [one for one in _NEEDED if one not in running]
    if lacking:
        raise NoPlan(
            ngettext(
                "mailcow's script needs {lacking}, which does not run",
                "mailcow's script needs {lacking}, which do not run",
                len(lacking),
                lacking=_(" and ").join(lacking),
            )
        )
    return Plan(
        "mail.admin-password",
        None,
        RESET,
        _("Give the administrator a new password, made up by mailcow's own script"),
        (
            Command((*program("admin_reset"), directory, PASSWORD_FILE), timeout=_TIMEOUT_S),
            Manual(
                _(
                    "The new password of admin is then in {password_file}, which root alone may read. "
                    "Log in with it, set one of your own in the web interface, and delete the file.",
                    password_file=PASSWORD_FILE,
                )
            ),
        ),
        "low",
        reversible=False,
        needs_root=True,
        consequence=_(
            "{script} makes the account admin anew: another password, no second factor.", script=SCRIPT
        ),
        settle=_SETTLE_S,
    )
