"""Whether the administrator's password is still the one that every mailcow starts with."""

from __future__ import annotations

import re

from mailcow_wizard.facts.bindings import bindings
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mail.installed import Installed, installed
from mailcow_wizard.facts.mail.talks import web_protocol
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.conversation import Dialogue
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

USER, DEFAULT = "admin", "moohoo"
# Asked in the container, with the password that it was given itself: none leaves it. What comes back is how
# many administrators of that name there are, and how many of them have the password (SSHA256: the hash of
# password and salt, and behind it the salt).
_HASHED = "FROM_BASE64(SUBSTR(password,10))"
_QUERY = (
    f"SELECT COUNT(*), COALESCE(SUM(password LIKE '{{SSHA256}}%' AND LEFT(HEX({_HASHED}),64) = "  # noqa: S608  # of our own words alone
    f"UPPER(SHA2(CONCAT('{DEFAULT}', SUBSTR({_HASHED},33)),256))),0), "
    f"COALESCE(SUM(password NOT LIKE '{{SSHA256}}%'),0) "
    f"FROM admin WHERE username = '{USER}' AND active = 1"
)
SCRIPT = (
    'MYSQL_PWD="$MYSQL_PASSWORD" exec "$(command -v mariadb || command -v mysql)" -N -B '
    f'-u"$MYSQL_USER" "$MYSQL_DATABASE" -e "{_QUERY}"'
)
_COUNTS = pattern(r"^(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})$", re.MULTILINE)
# Strangers' addresses that fail to log in are banned by mailcow; from loopback nobody is.
_FORM = f"login_user={USER}&pass_user={DEFAULT}"
# Where mailcow leads who has logged in; before 2025 the form was at the top, and it led to /debug.
_LOGGED_IN = pattern(r"(?im)^location:\s*(?:https?://[^/\s]+)?(/(?:admin(?:/dashboard)?|debug))/?\s*$")
_PLACES = ("/admin/", "/")
# Since 2025 the form at the top is for the users of mailboxes: it is asked only where there is no other.
_NOT_THERE = pattern(r"HTTP/1\.[01] 404\b")
# The password is right, and a second factor is asked for.
_PENDING = 'id="ConfirmTFAModal"'
_FIELD = 'name="pass_user"'


class Admin(NamedTuple):
    """`default` says whether the password works (None: not known), `how` where that was seen, `trouble` why
    it was not; `there` that there is an administrator of that name at all."""

    about: Installed
    default: bool | None = None
    there: bool = True
    certain: bool = True
    how: str = ""
    said: str = ""
    trouble: str = ""


def admin(facts: Facts) -> Admin:
    """Asks the database, else tries to log in. Raises HostError."""
    about = facts.get(installed)
    if about.skip:
        return Admin(about)
    found = _in_database(facts, about)
    return found if found.default is not None else _by_login(facts, about, found.trouble)


def _in_database(facts: Facts, about: Installed) -> Admin:
    box = next((one for one in about.boxes if one.service == "mysql-mailcow"), None)
    if box is None or box.state != "running":
        return Admin(about, trouble=about.untold or _("the database does not run"))
    try:
        ran = facts.host.run(("docker", "exec", box.id, "sh", "-c", SCRIPT), 6.0)
    except HostError as error:
        return Admin(about, trouble=str(error))
    counts = _COUNTS.search(ran.out) if ran.code == 0 else None
    if not counts:
        return Admin(about, trouble=_("the database does not tell"))
    number, default, other = (int(one) for one in counts.groups())
    return Admin(
        about,
        default > 0,
        number > 0,
        other == 0 or default > 0,
        _("the administrator's row in mailcow's database"),
        _("{number} active, {default} with the default password", number=number, default=default),
    )


def _by_login(facts: Facts, about: Installed, trouble: str) -> Admin:
    """Logs in as everybody would who knows mailcow's manual, and out again with the connection."""
    conf = facts.get(mailcow_conf)
    binding = next(one for one in bindings(conf.values, conf.odd) if one.port.id == "ports.https")
    address, name = binding.from_here, facts.get(hostname).name
    for path in _PLACES:
        lines = (
            f"POST {path} HTTP/1.0",
            f"Host: {name}",
            "User-Agent: mailcow-wizard",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(_FORM)}",
            "",
            _FORM,
        )
        asked = Dialogue(web_protocol(binding, conf), address, binding.number, name, True, lines)
        said = facts.host.converse((asked,), 8.0)[0]
        reply = said.replies[0] if said.replies else ""
        found = _judged(reply)
        if found is not None:
            default, words = found
            how = _(
                "POST https://{address}:{port}{path} as {user}",
                address=address,
                port=binding.number,
                path=path,
                user=USER,
            )
            # The form once more may have another reason than the password.
            return Admin(about, default, certain=default, how=how, said=words)
        trouble = said.text or _(
            "{address}:{port} does not answer with mailcow's form", address=address, port=binding.number
        )
        if not _NOT_THERE.match(reply):
            break
    return Admin(about, trouble=trouble)


def _judged(reply: str) -> tuple[bool, str] | None:
    """Whether the log-in went well, and the answer in words; None where the answer is not mailcow's."""
    head, _unused, body = reply.partition("\n\n")
    words = head.split(None, 2)
    status = words[1] if len(words) > 1 else ""
    leads = _LOGGED_IN.search(head)
    if status in ("302", "303") and leads and "set-cookie:" in head.lower():
        return True, _("{status}, it leads to {leads}", status=status, leads=leads[1])
    if status == "200" and _PENDING in body:
        return True, _("200, the second factor is asked for")
    if status == "200" and _FIELD in body:
        return False, _("200, the form once more")
    return None
