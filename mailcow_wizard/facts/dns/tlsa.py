"""TLSA records (DANE, RFC 6698 and 7672) of the server's ports, and the certificate that mailcow serves."""

from __future__ import annotations

from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.dns.der import public_key
from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.published import Seen, Wanted, look
from mailcow_wizard.facts.dns.signatures import signatures
from mailcow_wizard.facts.dns.state import texts
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.ports import survey
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

# Only the first is asked by other mail servers; the others by whoever cares.
PORTS = (25, 465, 587, 993, 443)
_SMTP = "ports.smtp"
_HASHES = {0: None, 1: "sha256", 2: "sha512"}
_LENGTHS = {1: 64, 2: 128}
_WAIT_S = 8.0


class Association(NamedTuple):
    """A TLSA record: what kind of certificate it names, whole (0) or its key (1), and how it is hashed."""

    usage: int
    selector: int
    matching: int
    data: str


class Tlsa(NamedTuple):
    """The server's TLSA records by port, whether its zone is signed (`valid`, `broken`, `unsigned`, or empty:
    not known), and the certificate of mailcow's port 25 (DER), or why there is none to compare with;
    `silent` that mailcow's port was asked and showed none."""

    server: MailServer
    seen: tuple[tuple[int, Seen], ...]
    signed: str
    certificate: bytes = b""
    not_served: str = ""
    silent: bool = False


class NoAssociation(ValueError):
    """The record is not one; the text says why."""


def tlsa(facts: Facts) -> Tlsa:
    """Asks for the records, and for the certificate where there is something to compare. Raises HostError."""
    server = facts.get(mail_server)
    names = tuple(Wanted(f"_{port}._tcp.{server.name}", "TLSA", server.within) for port in PORTS)
    seen = tuple(zip(PORTS, look(facts, names), strict=True))
    signed = _signed(facts, server)
    found = Tlsa(server, seen, signed)
    if signed != "valid" and not texts(seen[0][1]):
        return found
    try:
        return found._replace(certificate=_served(facts, server))
    except HostError as error:
        return found._replace(not_served=str(error), silent=isinstance(error, NoAnswer))


def _signed(facts: Facts, server: MailServer) -> str:
    try:
        every = facts.get(signatures)
    except HostError:
        return ""
    own = next((one for one in every if one.name == server.within), None)
    if own is None:
        return ""
    verdicts = [one.verdict for one in own.opinions if not one.blind]
    if own.delegated is False and "valid" not in verdicts:
        return "unsigned"
    if "broken" in verdicts or "valid" in verdicts:
        return "broken" if "broken" in verdicts else "valid"
    return "unsigned" if "unsigned" in verdicts and not own.delegated else ""


def _served(facts: Facts, server: MailServer) -> bytes:
    """The certificate of mailcow's own port 25. Raises HostError where mailcow does not serve it."""
    conf = facts.get(mailcow_conf)
    if not conf.exists:
        raise HostError(facts.get(place).absent or _("there is no {path}", path=conf.path))
    port = facts.get(survey)[_SMTP]
    if not any(one.own for one in port.occupants):
        raise HostError(_("mailcow does not serve {where} here", where=port.binding.where))
    address, number = port.binding.from_here, port.binding.number
    try:
        return facts.host.certificate(address, number, server.name, True, _WAIT_S).der
    except HostError as error:
        raise NoAnswer(str(error)) from error


def association(text: str) -> Association:
    """The parts of a record. Raises NoAssociation."""
    words = text.split()
    if len(words) < 4 or not all(one.isascii() and one.isdigit() for one in words[:3]):
        raise NoAssociation(_("it is not three numbers and a hash"))
    usage, selector, matching = (int(one[:4]) for one in words[:3])
    data = "".join(words[3:]).lower()
    if usage > 3 or selector > 1 or matching > 2:
        raise NoAssociation(
            _(
                "{usage} {selector} {matching} are numbers that have no meaning",
                usage=usage,
                selector=selector,
                matching=matching,
            )
        )
    if matching in _LENGTHS and len(data) != _LENGTHS[matching]:
        raise NoAssociation(
            _(
                "a {hashes} hash has {lengths} digits, this has {number}",
                hashes=_HASHES[matching],
                lengths=_LENGTHS[matching],
                number=len(data),
            )
        )
    return Association(usage, selector, matching, data)


def names(record: Association, certificate: bytes) -> bool:
    """Whether a record is of this very certificate. Raises ValueError where the certificate is none."""
    return record.data == digest(certificate, record.selector, record.matching)


def digest(certificate: bytes, selector: int = 1, matching: int = 1) -> str:
    """The last part of a record for a certificate (DER). Raises ValueError where it is none."""
    import hashlib  # loads OpenSSL: 2 to 10 ms, which only this needs

    try:
        data = public_key(certificate) if selector else certificate
    except IndexError:
        raise ValueError(_("not a certificate")) from None
    method = _HASHES[matching]
    return hashlib.new(method, data).hexdigest() if method else data.hex()
