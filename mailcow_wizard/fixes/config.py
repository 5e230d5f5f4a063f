"""What can be done about mailcow.conf and the checkout that it lies in."""

from __future__ import annotations

from functools import partial

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import config, config_lint, config_permissions, config_values
from mailcow_wizard.facts.owners import Owned
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import database
from mailcow_wizard.fixes import NoPlan, Offer
from mailcow_wizard.fixes.choices import for_root, possible, tried
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Fix, Judgement, Manual, Plan, Risk
from mailcow_wizard.sentences import capitalized
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_CONF_MODE = f"{need.CONF_MODE:o}"


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    if judgement.status not in ("warn", "fail"):
        return ()
    if check == "config.present":
        return possible(lambda: tried(lambda: _restore(facts)))
    if check == "config.permissions":
        return possible(lambda: tried(lambda: _mode(facts)))
    if check == "config.hostname":
        said = possible(lambda: tried(lambda: _said_hostname(facts)))
        return (*said, *_rules("hostname", facts), *possible(lambda: _hostname(facts)))
    if check == "config.env-link":
        return possible(lambda: tried(lambda: _env_link(facts)))
    if check == "config.checkout":
        from mailcow_wizard.fixes.checkout_modes import opened

        return possible(lambda: tried(lambda: opened(facts)))
    if check == "config.env-leak":
        return ()
    return _rules(check.partition(".")[2], facts)


def _plan(
    check: str,
    fix: str,
    title: str,
    steps: tuple[PlanStep | None, ...],
    consequence: str,
    risk: Risk = "low",
) -> Plan:
    """A plan for something that root owns and that can be taken back."""
    return for_root(f"config.{check}", fix, title, steps, consequence, risk)


# --- the file itself --------------------------------------------------------------------------------------


def _restore(facts: Facts) -> Plan | None:
    found = facts.get(config.presence)
    if not found.backup:
        return None
    copy = facts.host.read(f"{found.place.directory}/{config.BACKUP}")
    if found.changed:
        return _passwords(facts, copy)
    if found.file.kind not in ("missing", "file"):
        return None
    before = found.file.data if found.file.kind == "file" else None
    plan = _plan(
        "present",
        "restore-conf",
        _("Put {backup} back in its place", backup=config.BACKUP),
        (Edit(found.file.path, before, copy, need.CONF_MODE),),
        _("mailcow has the settings and passwords that it had before; {backup} stays.", backup=config.BACKUP),
    )
    return _for_good(facts, plan)


def _for_good(facts: Facts, plan: Plan) -> Plan:
    """What opens a database is not taken back while that database is there (engine/undo/database.py)."""
    known = database(facts)
    return plan._replace(reversible=not known.project and not known.doubt)


def _passwords(facts: Facts, copy: bytes) -> Plan:
    from mailcow_wizard.conf.document import Document
    from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect

    before = Document.read(copy)
    values = {key: value for key in config.DATABASE_KEYS if (value := before.get(key))}
    plan = _plan(
        "present",
        "restore-conf",
        _("Take the database's passwords over from {backup}", backup=config.BACKUP),
        (edit(facts, values), takes_effect(facts, tuple(values))),
        _(
            "mailcow opens its database with the passwords of {backup}; all other settings stay.",
            backup=config.BACKUP,
        ),
        "medium",
    )
    return _for_good(facts, plan)


def _mode(facts: Facts) -> Plan | None:
    """mailcow.conf and its copies for root alone; directories are left to the administrator."""
    found = facts.get(config_permissions.permissions)
    steps: list[PlanStep] = []
    for one in (found.file, *found.copies):
        if one is None:
            continue
        if one.uid and one is found.file:
            owner = f"{one.uid}:{one.gid}"
            steps.append(Command(("chown", "root:root", one.path), (("chown", owner, one.path),)))
        if one.mode & 0o077:
            steps.append(Command(("chmod", _CONF_MODE, one.path), (("chmod", f"{one.mode:04o}", one.path),)))
    if not steps:
        return None
    steps += [Manual(words) for one in found.directories if (words := _directory(one))]
    return _plan(
        "permissions",
        "conf-mode",
        _("Let only root read and change mailcow.conf"),
        tuple(steps),
        _("Nobody but root can read the passwords any more; mailcow's scripts run as root and still can."),
    )


def _directory(one: Owned) -> str:
    if one.mode & 0o1000 or not (one.uid or one.mode & 0o002 or (one.mode & 0o020 and one.gid)):
        return ""
    return _(
        "{path} can be changed by others than root; whoever can put another file there decides that.",
        path=one.path,
    )


# --- .env -------------------------------------------------------------------------------------------------


def _env_link(facts: Facts) -> Plan | None:
    found = facts.get(config.env_link)
    path, conf = found.path, f"{found.place.directory}/{config.NAME}"
    if found.right:
        return None
    link: tuple[str, ...] = ("ln", "-s", config.NAME, path)
    title, consequence = (
        _("Make .env a link to mailcow.conf"),
        _("docker compose reads mailcow.conf from now on."),
    )
    if found.kind == "missing":
        return _plan("env-link", "conf-env-link", title, (Command(link, (("rm", path),)),), consequence)
    if found.kind == "link":
        back = ("ln", "-sfn", found.target, path)
        step = Command(("ln", "-sfn", config.NAME, path), (back,))
        return _plan("env-link", "conf-env-link", title, (step,), consequence)
    if found.kind == "file" and found.settings and not found.conf:
        aside, consequence = conf, _("The settings are in mailcow.conf, and .env leads to it.")
    else:
        aside = _free(found)
        consequence += _(" What .env held counts no more; it is kept as {aside}.", aside=aside)
    moved = Command(("mv", "-T", path, aside), (("mv", "-T", aside, path),))
    steps = (moved, Command(link, (("rm", path),)))
    return _plan("env-link", "conf-env-link", title, steps, consequence, "medium")


def _free(found: config.EnvLink) -> str:
    names = found.place.names or ()
    name = next(
        (one for one in (".env.old", *(f".env.old{n}" for n in range(2, 50))) if one not in names), ""
    )
    if not name:
        raise NoPlan(_("{path} cannot be moved away: too many old ones lie beside it.", path=found.path))
    return f"{found.place.directory}/{name}"


# --- values -----------------------------------------------------------------------------------------------


def _said_hostname(facts: Facts) -> Plan | None:
    """The name that was said, where mailcow.conf has another one or none."""
    from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect
    from mailcow_wizard.names import NotAName, mail_host_name

    found = facts.get(config_values.server_name)
    if found.configured is None or found.origin not in ("option", "saved"):
        return None
    try:
        name = mail_host_name(found.name)
    except NotAName as error:
        raise NoPlan(
            _("{name} cannot be the server's name: {error}.", name=found.name, error=error)
        ) from None
    if name == found.configured.lower():
        return None
    steps = (edit(facts, {"MAILCOW_HOSTNAME": name}), takes_effect(facts, ("MAILCOW_HOSTNAME",)))
    words = _(
        "mailcow is called {name}: certificates, DNS records and greetings must have that name too.",
        name=name,
    )
    return _plan(
        "hostname", "conf-hostname", _("Set MAILCOW_HOSTNAME={name}", name=name), steps, words, "medium"
    )


def _hostname(facts: Facts) -> Offer | None:
    from mailcow_wizard.fixes.hostname import set_hostname

    found = facts.get(config_values.server_name)
    name = found.configured or found.name
    return set_hostname(facts) if name.lower() != found.own else None


# --- what the rules can mend ------------------------------------------------------------------------------


def _rules(check: str, facts: Facts) -> tuple[Offer, ...]:
    """An offer for each rule that found something of this check and knows one safe answer.

    The plan is made when it is wanted: each change reads the whole file anew.
    """
    by_rule: dict[str, list[str]] = {}
    for one in facts.get(config_lint.lint).part(check):
        if one.fix is not None:
            by_rule.setdefault(one.rule, []).append(one.remedy)
    return tuple(
        Offer(
            Fix(f"conf-{rule}", _title(remedies), "low", True, True),
            partial(_mended, check, rule, _title(remedies), facts),
        )
        for rule, remedies in by_rule.items()
    )


def _mended(check: str, rule: str, title: str, facts: Facts) -> Plan:
    from mailcow_wizard.conf import rules
    from mailcow_wizard.conf.document import Document
    from mailcow_wizard.facts.surroundings import surroundings
    from mailcow_wizard.fixes.mailcow_conf import content, path_of, takes_effect

    before = content(facts)
    after = rules.mended(before, rule, surroundings(facts))
    if after.data == before:
        raise NoPlan(_("There is nothing left to do here: mailcow.conf was changed since it was looked at."))
    old = Document.read(before)
    changed = tuple(
        key for key in dict.fromkeys((*old.keys(), *after.keys())) if old.get(key) != after.get(key)
    )
    # Only mailcow's scripts read this one.
    later = takes_effect(facts, changed) if set(changed) - {"DOCKER_COMPOSE_VERSION"} else None
    steps = (Edit(path_of(facts), before, after.data, need.CONF_MODE), later)
    words = _CONSEQUENCES.get(check, _("mailcow.conf has the value shown; nothing else changes."))
    return _plan(check, f"conf-{rule}", title, steps, words)


def _title(remedies: list[str]) -> str:
    """What a rule would do: its first change, and how many more there are."""
    different = tuple(dict.fromkeys(remedies))
    more = _(", and {number} more", number=len(different) - 1) if len(different) > 1 else ""
    return f"{_words(different[0])}{more}"


def _words(remedy: str) -> str:
    """What a rule would do, as a title."""
    first = remedy.partition(" ")[0]
    return _("Set {remedy}", remedy=remedy) if "=" in first else capitalized(remedy)


_CONSEQUENCES = {
    "syntax": _("bash and docker compose read these lines alike; nothing else changes."),
    "values": _("mailcow gets a value that it knows; nothing else changes."),
    "consistency": _("These settings go together; nothing else changes."),
}
