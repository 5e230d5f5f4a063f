"""A lasting key of mailcow's API, for programs that manage mailcow: in mailcow.conf, taken up, tried."""

from __future__ import annotations

from mailcow_wizard.facts.mail.mailboxes import database, has_key
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, conf_set
from mailcow_wizard.fixes.first_mailbox import api_place
from mailcow_wizard.fixes.mailcow_conf import compose_words
from mailcow_wizard.host.files.fresh_secrets import letters_and_digits
from mailcow_wizard.host.programs.api_key import BEGINS
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Manual, Plan

FIX = "api-key"
KEY, ALLOWED = "API_KEY", "API_ALLOW_FROM"
SERVICE = "php-fpm-mailcow"
_LENGTH = 32
_TIMEOUT_S = 300.0


def this_machine(facts: Facts) -> str:
    """Who may use the key where nobody is named: this machine alone, by each address that mailcow's
    containers may see it under. Raises HostError."""
    return api_place(facts, "")[-1]


def plan(facts: Facts, allowed: str = "") -> Plan:
    """The plan that makes a key, for `allowed` (addresses with commas between them; this machine where
    that is empty). Raises HostError, NoPlan."""
    if facts.get(mailcow_conf).get(KEY):
        raise NoPlan(_("mailcow.conf has an {key} already", key=KEY))
    if facts.get(has_key):
        raise NoPlan(
            _(
                "mailcow has a key of its API already, made in its web interface; it would be replaced, and "
                "programs that use it would be shut out"
            )
        )
    values = {KEY: BEGINS + letters_and_digits(_LENGTH), ALLOWED: allowed or this_machine(facts)}
    (edit,) = conf_set.plan(facts, values).steps
    directory = facts.settings.directory.rstrip("/")
    where = (directory, *api_place(facts, facts.get(database).name))
    anew = (*compose_words(facts), "--project-directory", directory, "up", "-d", "--no-deps", SERVICE)

    def api_key(task: str, *more: str) -> tuple[str, ...]:
        return (*program("api_key"), task, *where, *more)

    return Plan(
        conf_set.CHECK,
        None,
        FIX,
        _("Make a lasting key of mailcow's API"),
        (
            # Taken back last: mailcow does not forget by itself what stood in mailcow.conf.
            Command(api_key("first"), (api_key("forget", *anew),), _TIMEOUT_S),
            edit,
            Command(anew, timeout=_TIMEOUT_S),
            Command(api_key("try"), timeout=_TIMEOUT_S),
            Manual(
                _(
                    "It is taken from {allowed} alone ({name} in mailcow.conf).",
                    allowed=values[ALLOWED],
                    name=ALLOWED,
                )
            ),
            Manual(_("The key is made up here, shown once at the end, and stays in mailcow.conf.")),
        ),
        "medium",
        reversible=True,
        needs_root=True,
        consequence=_(
            "Programs that have the key can change everything in mailcow. Taken back, mailcow.conf is as "
            "before, and mailcow does not know the key any more."
        ),
        interrupts=_("the web interface is made anew, for half a minute"),
    )
