"""What mailcow has of a mail domain already: itself, a mailbox, a DKIM key; its database and Redis tell."""

from __future__ import annotations

import re

from mailcow_wizard.facts.dns.signing import SigningKey, signing_keys
from mailcow_wizard.facts.mail.installed import Listed, installed
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

_PATIENCE_S = 8.0
_COUNTS = pattern(r"^([0-9]{1,9})\s+([0-9]{1,9})\s+([0-9]{1,9})\s+([0-9]{1,9})$", re.MULTILINE)
# Asked in the container, with the password that it was given itself: none leaves it.
_SCRIPT = (
    'MYSQL_PWD="$MYSQL_PASSWORD" exec "$(command -v mariadb || command -v mysql)" -N -B '
    '-u"$MYSQL_USER" "$MYSQL_DATABASE" -e "$1"'
)
_QUERY = (
    "SELECT (SELECT COUNT(*) FROM domain WHERE domain = '{domain}'), "
    "(SELECT COUNT(*) FROM alias_domain WHERE alias_domain = '{domain}'), "
    "(SELECT COUNT(*) FROM mailbox WHERE username = '{mailbox}'), "
    "(SELECT COUNT(*) FROM alias WHERE address = '{mailbox}')"
)
_KEYS = "SELECT COUNT(*) FROM api WHERE access = 'rw' AND NOT (api_key LIKE 'MAILCOW-WIZARD-%')"


class Known(NamedTuple):
    """`database` is the name of the database's container; `domain` that the mail domain is there,
    `alias_domain` that it stands for another one; `mailbox` that the address is one, `alias` that it leads
    elsewhere."""

    database: str
    domain: bool
    alias_domain: bool
    mailbox: bool
    alias: bool
    key: SigningKey


def database(facts: Facts) -> Listed:
    """The running container of mailcow's database. Raises HostError."""
    about = facts.get(installed)
    box = next((one for one in about.boxes if one.service == "mysql-mailcow"), None)
    if box is None or box.state != "running":
        raise HostError(about.skip or about.down or about.untold or _("mailcow's database does not run"))
    return box


def has_key(facts: Facts) -> bool:
    """Whether mailcow's database holds a key of its API that may change things, and is none of the wizard's
    for one command. Raises HostError."""
    box = facts.get(database)
    ran = facts.host.run(("docker", "exec", box.id, "sh", "-c", _SCRIPT, "sh", _KEYS), _PATIENCE_S)
    said = ran.out.strip()
    if ran.code or not is_number(said):
        raise HostError(_("mailcow's database does not tell whether its API has a key"))
    return whole(said) > 0


def known(facts: Facts, mailbox: str) -> Known:
    """Asks for a mailbox (`names.mailbox`) and its domain. Raises HostError."""
    box = facts.get(database)
    domain = mailbox.partition("@")[2]
    query = _QUERY.format(domain=domain, mailbox=mailbox)
    ran = facts.host.run(("docker", "exec", box.id, "sh", "-c", _SCRIPT, "sh", query), _PATIENCE_S)
    counts = _COUNTS.search(ran.out) if ran.code == 0 else None
    if not counts:
        raise HostError(_("mailcow's database does not tell which domains and mailboxes there are"))
    # Nobody outside has to be asked for it.
    of_domain = Facts(facts.host, facts.settings._replace(domains=(domain,), offline=True))
    key = of_domain.get(signing_keys)[domain]
    domain_there, for_another, mailbox_there, alias = (int(one) > 0 for one in counts.groups())
    return Known(box.name, domain_there, for_another, mailbox_there, alias, key)
