"""Test messages: one that comes in through port 25, one that goes out by submission. They need mailboxes that
the administrator names in the environment, or the first one, which the wizard has just made."""

from __future__ import annotations

from mailcow_wizard.facts.bindings import EVERY_ADDRESS_V4, bindings
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mail.authentication_results import Seen, seen
from mailcow_wizard.facts.mail.installed import Installed, installed
from mailcow_wizard.facts.mail.postfix_log import Fate, fate
from mailcow_wizard.facts.mail.talks import own_addresses
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import far_mailbox
from mailcow_wizard.host.network.conversation import Trip, Tripped
from mailcow_wizard.typed import NamedTuple

MAILBOX, PASSWORD = "MAILCOW_WIZARD_MAILBOX", "MAILCOW_WIZARD_MAILBOX_PASSWORD"
FAR, FAR_IMAP, FAR_PASSWORD = far_mailbox.MAILBOX, far_mailbox.IMAP, far_mailbox.PASSWORD
_FILE = "_FILE"
_IMAPS = "993"
_PATIENCE_S = 60.0


class Trips(NamedTuple):
    """The way in and the way out (None: not tried). `lacking` are the variables that are not set and would be
    needed for the way in, `lacking_far` those for the way out. `seen` is what the far server saw, `fate` what
    postfix says of the message where it did not arrive, `fate_in` the same of the one that came in."""

    about: Installed
    mailbox: str = ""
    far: str = ""
    inward: Tripped | None = None
    outward: Tripped | None = None
    lacking: tuple[str, ...] = ()
    lacking_far: tuple[str, ...] = ()
    seen: Seen = Seen()
    fate: Fate | None = None
    fate_in: Fate | None = None

    @property
    def domain(self) -> str:
        """The domain that messages are sent from."""
        return self.mailbox.rpartition("@")[2].lower()


def trips(facts: Facts) -> Trips:
    """Sends what can be sent. Raises HostError."""
    about = facts.get(installed)
    if about.skip:
        return Trips(about)
    mailbox, secret = _said(facts, MAILBOX), _secret(facts, PASSWORD)
    if facts.settings.mailbox:
        mailbox, secret = facts.settings.mailbox, facts.settings.mailbox_password
    far, server, far_secret = _far_end(facts)
    server = server or f"imap.{far.rpartition('@')[2]}" * bool(far)
    lacking = tuple(name for name, said in ((MAILBOX, mailbox), (PASSWORD, secret)) if not said)
    lacking_far = tuple(name for name, said in ((FAR, far), (FAR_PASSWORD, far_secret)) if not said)
    found = Trips(about, mailbox, far, lacking=lacking, lacking_far=lacking_far)
    if lacking:
        return found
    smtp, imap, submission = (_end(facts, one) for one in ("ports.smtp", "ports.imaps", "ports.smtps"))
    patience = min(_PATIENCE_S, (facts.settings.timeout or _PATIENCE_S) * 0.4)
    inward = facts.host.send_and_find(Trip((*smtp, ""), mailbox, mailbox, imap, secret), patience)
    found = found._replace(inward=inward, fate_in=_fate(facts, about, inward))
    if lacking_far:
        return found
    name, _, port = server.partition(":")
    away = Trip(
        (*submission, "tls"), mailbox, far, (name, port or _IMAPS), far_secret, mailbox, secret, trusting=True
    )
    outward = facts.host.send_and_find(away, patience)
    saw = seen(outward.headers, facts.get(hostname).name)
    return found._replace(outward=outward, seen=saw, fate=_fate(facts, about, outward))


def _far_end(facts: Facts) -> tuple[str, str, str]:
    """The mailbox elsewhere, where it is read (empty: as its domain says), and what holds its password (see
    `Trip`); empty where none is named."""
    said = facts.settings
    if said.far_mailbox:
        return said.far_mailbox, said.far_imap, said.far_password
    return _said(facts, FAR), _said(facts, FAR_IMAP), _secret(facts, FAR_PASSWORD)


def far_file(facts: Facts) -> tuple[str, str, str]:
    """The same, with the path of the file that holds its password; empty where the environment names none."""
    if facts.settings.far_mailbox:
        return _far_end(facts)
    mailbox, server, secret = _far_end(facts)
    path = _said(facts, secret) if secret.endswith(_FILE) else ""
    return (mailbox, server, path) if mailbox and path else ("", "", "")


def _fate(facts: Facts, about: Installed, trip: Tripped) -> Fate | None:
    return fate(facts, about, trip.text) if trip.stage == "arrive" else None


def _said(facts: Facts, variable: str) -> str:
    """What a variable holds; nothing on a machine that was not asked."""
    try:
        return facts.host.variable(variable).strip()
    except HostError:
        return ""


def _secret(facts: Facts, variable: str) -> str:
    """The variable that holds a password, or the name of its file; empty where neither is set."""
    return next((one for one in (variable, f"{variable}{_FILE}") if _said(facts, one)), "")


def _end(facts: Facts, port: str) -> tuple[str, str]:
    conf = facts.get(mailcow_conf)
    binding = next(one for one in bindings(conf.values, conf.odd) if one.port.id == port)
    address = binding.address
    if address in ("", EVERY_ADDRESS_V4):
        address = own_addresses(facts)[0]
    return address, str(binding.number)
