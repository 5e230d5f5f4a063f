"""The first mail domain of an installed mailcow, its DKIM key and a mailbox, through mailcow's own API."""

from __future__ import annotations

from mailcow_wizard.facts.bindings import LOOPBACK_V4, bindings
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mail.mailboxes import Known, known
from mailcow_wizard.facts.mail.talks import own_addresses, place
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Manual, Plan

CHECK, FIX = "mail.round-trip", "first-mailbox"
# A new domain restarts SOGo.
_TIMEOUT_S = 150.0


def plan(facts: Facts, mailbox: str, file: str, kept: bool) -> Plan:
    """The plan that makes this mailbox (`names.mailbox`), and what it lacks; its password goes into `file`,
    to stay there where it is `kept`. Raises HostError, NoPlan."""
    domain = mailbox.partition("@")[2]
    there = known(facts, mailbox)
    _refuse(facts, mailbox, domain, there, file)
    where = api_place(facts, there.database)

    def api(*words: str) -> tuple[str, ...]:
        return (*program("mailcow_api"), *words, *where)

    steps: list[Command | Manual] = []
    if not there.domain:
        steps.append(Command(api("add-domain", domain), (api("remove-domain", domain),), _TIMEOUT_S))
    if not there.key.public:
        undo = api("remove-dkim", domain, mailbox)
        steps.append(Command(api("add-dkim", domain), (undo,), _TIMEOUT_S))
    steps.append(Command(api("add-mailbox", mailbox, file), (api("remove-mailbox", mailbox),), _TIMEOUT_S))
    steps.append(
        Manual(
            _("The password is made up here. It stays in {file}, which root alone may read.", file=file)
            if kept
            else _("The password is made up here and shown once, at the end.")
        )
    )
    steps.append(
        Manual(_("Then publish the DKIM key of {domain}: ./wizard dns shows the record.", domain=domain))
    )
    return Plan(
        CHECK,
        None,
        FIX,
        _("Make the mailbox {mailbox} through mailcow's API", mailbox=mailbox),
        tuple(steps),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "{mailbox} can receive and send mail; a test message is sent to it. Taken back, a mailbox that "
            "holds mail stays.",
            mailbox=mailbox,
        ),
        interrupts="" if there.domain else _("webmail (SOGo) restarts, for some seconds"),
    )


def _refuse(facts: Facts, mailbox: str, domain: str, there: Known, file: str) -> None:
    """Raises NoPlan where it cannot be made."""
    if there.mailbox:
        raise NoPlan(
            _("{mailbox} is there already; who knows its password can name it to verify", mailbox=mailbox)
        )
    if there.alias:
        raise NoPlan(_("{mailbox} is an alias in mailcow: choose another address", mailbox=mailbox))
    if there.alias_domain:
        raise NoPlan(
            _("{domain} stands for another domain in mailcow: choose another address", domain=domain)
        )
    if domain == facts.get(hostname).name:
        raise NoPlan(
            _(
                "{domain} is the server's own name, which mailcow does not take for a mail domain; the part "
                "behind the @ is usually shorter, such as example.org",
                domain=domain,
            )
        )
    if there.key.trouble:
        raise NoPlan(there.key.trouble)
    if facts.host.exists(file):
        raise NoPlan(_("{file} exists already: name another file for the password, or remove it", file=file))


def api_place(facts: Facts, database: str) -> tuple[str, ...]:
    """Where mailcow's API is, the container of its database, and who may use a key: this machine, as the
    containers may see it. Raises HostError."""
    conf = facts.get(mailcow_conf)
    binding = next(one for one in bindings(conf.values, conf.odd) if one.port.id == "ports.https")
    gateway = f"{conf.network}.1"
    allowed = dict.fromkeys((gateway, LOOPBACK_V4, "::1", binding.from_here, *own_addresses(facts, True)))
    name = facts.get(hostname).name
    return place(binding.from_here, binding.number), name, database, ",".join(allowed)
