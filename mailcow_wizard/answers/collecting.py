"""What a machine and its wizard know by now, as answers, each with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailcow_wizard import fixes
from mailcow_wizard.answers import keys
from mailcow_wizard.answers.mailcow import mistakes
from mailcow_wizard.conf.document import Document, written
from mailcow_wizard.conf.layout import KEYS
from mailcow_wizard.conf.new import SECRETS
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.engine.acknowledging import Acknowledgements, Entry, holds, today
from mailcow_wizard.engine.given import NEW, Allowed, Choices
from mailcow_wizard.engine.journal import Change, Journal
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.settings import FIRST
from mailcow_wizard.facts.checkout import checkout
from mailcow_wizard.facts.config import conf_file
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mailcow_conf import answered
from mailcow_wizard.facts.network.mtu import override
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import conf_new
from mailcow_wizard.fixes.first_mailbox import FIX as MAILBOX
from mailcow_wizard.fixes.mail import RESET
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command
from mailcow_wizard.redaction import REMOVED
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, TypeGuard

    from mailcow_wizard.model import PlanStep

_SAID = _("said by option, on a screen or in answers")
_CONF = _("from mailcow.conf")
_FOUND = _("found on this machine")
_CHOSEN = _("chosen for the install")
_ORIGINS = {"option": _SAID, "mailcow.conf": _CONF, "saved": _SAID, "guess": _("this machine's own name")}
_MOST_ROUNDS = 40
_ADD = "add-mailbox"
_BY_THE_INSTALL = ("docker", "config", "mail")
"""Topics that an install looks after by itself."""


class Known(NamedTuple):
    """A value and where it comes from, in words."""

    value: Any
    origin: str


class Mended(NamedTuple):
    """A fix that was made here or allowed before."""

    allowed: Allowed
    origin: str


class Collected(NamedTuple):
    """All that can be written: `tables` by table and key, `conf` by key of mailcow.conf, `secrets` by key.
    `left_out` are settings that no answers file may have, each with why."""

    name: str
    tables: Mapping[str, Mapping[str, Known]]
    conf: Mapping[str, Known]
    secrets: Mapping[str, str]
    accepted: tuple[Entry, ...]
    mended: tuple[Mended, ...]
    left_out: tuple[str, ...] = ()


def collect(session: Session, choices: Choices, by_install: tuple[str, ...] = ()) -> Collected:
    """What is known now; `by_install` are the changes that an install made by itself."""
    facts = session.new_facts()
    name = hostname(facts)
    conf, secrets = _conf(facts)
    settings = session.settings
    left_out = _settled(None if session.recorded else facts.host, facts, name.name, conf, secrets)
    zone = conf.pop("TZ", None)
    server = {
        "hostname": Known(name.name if "." in name.name else "", _ORIGINS[name.origin]),
        "domains": Known(settings.domains, _SAID),
        "timezone": zone or Known("", ""),
        "directory": Known(settings.directory, _("as here")),
        "addresses": Known(settings.addresses, _SAID),
    }
    tables = {
        "server": server,
        "source": _source(facts, choices),
        "network": {
            "mtu": _mtu(facts, choices),
            "resolver": Known(settings.resolver, _SAID),
            "ntp": Known(settings.ntp, _SAID),
        },
        "dns": {
            "tsig": Known(settings.tsig, _SAID),
            "server": Known(settings.dns_server, _SAID),
            "provider": Known(settings.dns_provider, _SAID),
        },
        "far_mailbox": {
            "address": Known(settings.far_mailbox, _SAID),
            "imap": Known(settings.far_imap, _SAID),
            "password_file": Known(settings.far_password, _SAID),
        },
        **_at_the_end(session, choices),
    }
    accepted = tuple(_accepted(session))
    mended = tuple(_mended(session, choices, by_install))
    return Collected(name.name, tables, conf, secrets, accepted, mended, left_out)


def _conf(facts: Facts) -> tuple[dict[str, Known], dict[str, str]]:
    """The settings of mailcow.conf that are not mailcow's own or that a first install asks for; and those
    secrets that somebody chose."""
    try:
        file = facts.get(conf_file)
    except HostError:
        return {}, {}
    if file.kind != "file":
        said = answered(facts)
        found = {
            key: Known(value, _SAID if key in said else _FOUND)
            for key, value in conf_new.answers(facts).items()
        }
        return {key: one for key, one in found.items() if key == "TZ" or key not in keys.ELSEWHERE}, {}
    document = Document.read(file.data)
    asked = {one.key for one in FIRST}
    plain = {}
    for key in ("TZ", *keys.conf_keys(secret=False)):
        value = document.get(key)
        layout = KEYS.get(key)
        default = "" if layout is None or layout.off else layout.default
        if value is not None and (key in asked or value != default) and _fits(key, value):
            plain[key] = Known(value, _CONF)
    secrets = {}
    for key in keys.conf_keys(secret=True):
        value = document.get(key)
        if value and value != REMOVED and key not in SECRETS and _fits(key, value):
            secrets[key] = value
    return plain, secrets


def _settled(
    host: Host | None, facts: Facts, name: str, conf: dict[str, Known], secrets: dict[str, str]
) -> tuple[str, ...]:
    """Takes away what the rules do not allow, or puts right what has one safe answer; says what it was."""
    told: list[str] = []
    for _round in range(_MOST_ROUNDS):
        values = {key: one.value for key, one in conf.items()} | secrets
        wrong = mistakes(host, name, facts.settings.domains, values)
        one = next((one for one in wrong if one.key in values), None)
        if one is None:
            break
        told.append(one.message)
        right = one.fix.get(one.key) if one.fix else None
        if right is not None and one.key in conf and right != conf[one.key].value:
            conf[one.key] = Known(right, _("{origin}, put right", origin=conf[one.key].origin))
        else:
            conf.pop(one.key, None)
            secrets.pop(one.key, None)
    return tuple(told)


def _fits(key: str, value: str) -> bool:
    try:
        written(key, value)
    except Unwritable:
        return False
    return True


def _source(facts: Facts, choices: Choices) -> dict[str, Known]:
    branch = Known(choices.branch, _CHOSEN)
    if choices == Choices():
        try:
            there = facts.get(checkout).branch
        except HostError:
            there = ""
        if there:
            branch = Known(there, _("the branch of the checkout here"))
    return {"repository": Known(choices.repository, _CHOSEN), "branch": branch}


def _mtu(facts: Facts, choices: Choices) -> Known:
    if choices.mtu:
        return Known(choices.mtu, _SAID)
    try:
        path, size = override(facts)
    except HostError:
        return Known(0, "")
    return Known(size, _("from {file}", file=path))


def _at_the_end(session: Session, choices: Choices) -> dict[str, dict[str, Known]]:
    """The administrator's password and the first mailbox, also where they were made after the install."""
    password = Known(choices.admin, _CHOSEN)
    address, file = (Known(one, _CHOSEN) for one in choices.mailbox)
    journal = Journal(session.state)
    for change in () if session.recorded else reversed(journal.list()):
        if change.state != "applied":
            continue
        if change.fix == RESET:
            password = Known(NEW, _made_by(change))
        argv = next((one.argv for one in journal.plan(change.id).steps if _adds_mailbox(one)), None)
        if change.fix == MAILBOX and argv:
            at = argv.index(_ADD)
            address, file = (Known(one, _made_by(change)) for one in argv[at + 1 : at + 3])
    return {"admin": {"password": password}, "mailbox": {"address": address, "password_file": file}}


def _adds_mailbox(step: PlanStep) -> TypeGuard[Command]:
    return isinstance(step, Command) and _ADD in step.argv[:-2]


def _made_by(change: Change) -> str:
    return _("made here, change {id} of {day}", id=change.id, day=change.at[:10])


def _accepted(session: Session) -> Iterator[Entry]:
    seen = set()
    for one in (*session.given.accepted, *Acknowledgements(session.state).entries):
        if one.key not in seen and holds(one.acknowledgement.until, today()):
            seen.add(one.key)
            yield one


def _mended(session: Session, choices: Choices, by_install: tuple[str, ...]) -> Iterator[Mended]:
    seen = set()
    for one in choices.fixes:
        seen.add(one)
        yield Mended(one, _("allowed before"))
    if session.recorded:
        return
    for change in reversed(Journal(session.state).list()):
        made = Allowed(change.check, change.fix, change.subject)
        own = change.id in by_install or change.check.partition(".")[0] in _BY_THE_INSTALL
        applies = change.state == "applied" and fixes.is_known(change.check, change.fix)
        if applies and not own and made not in seen and change.fix not in keys.ALONE:
            seen.add(made)
            yield Mended(made, _made_by(change))
