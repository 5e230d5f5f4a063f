"""The records of the mail domains, asked all at once: what they should be is judged elsewhere."""

from __future__ import annotations

from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.published import Seen, Wanted, is_answer, look
from mailcow_wizard.facts.dns.signing import SigningKey, signing_keys
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import NamedTuple

# Name below the domain, key in `PORTS` of requirements, and priority and weight as mailcow writes them.
SERVICES: tuple[tuple[str, str], ...] = (
    ("_autodiscover._tcp", "ports.https"),
    ("_caldavs._tcp", "ports.https"),
    ("_carddavs._tcp", "ports.https"),
    ("_imap._tcp", "ports.imap"),
    ("_imaps._tcp", "ports.imaps"),
    ("_pop3._tcp", "ports.pop3"),
    ("_pop3s._tcp", "ports.pop3s"),
    ("_sieve._tcp", "ports.sieve"),
    ("_smtps._tcp", "ports.smtps"),
    ("_submission._tcp", "ports.submission"),
    ("_submissions._tcp", "ports.smtps"),
)
PATHS = ("_caldavs._tcp", "_carddavs._tcp")
"""Services whose TXT record names a path (RFC 6764)."""
CLIENTS = ("autodiscover", "autoconfig")
WILD_TYPES = ("A", "AAAA", "MX", "TXT")
"""What a wildcard is looked for by: each is also answered with an alias (CNAME), where it is one."""


class DomainRecords(NamedTuple):
    """A mail domain, what is published below it, by name below the domain and type, and the key that mailcow
    signs its mail with."""

    domain: str
    seen: dict[tuple[str, str], Seen]
    key: SigningKey = SigningKey()

    def at(self, below: str, type: str) -> Seen:
        """One record; `below` is empty for the domain itself."""
        return self.seen[below, type]

    @property
    def silent(self) -> tuple[tuple[str, str, str], ...]:
        """Name servers of the domain's zone that answered none of the questions while others did: name,
        address, and the response code, where there is one; of those without only where others of the same
        family of addresses have said something. One that answers at another address did not refuse where
        nobody answers over the first one's family: somebody on the way spoke in its place, and in that of
        the others there."""
        zone = self.at("", "MX").zone
        heard: dict[str, bool] = {}
        codes: dict[str, str] = {}
        for one in self.seen.values():
            for said in one.own if one.zone.name == zone.name else ():
                heard[said.server] = heard.get(said.server, False) or is_answer(said)
                codes[said.server] = said.code or codes.get(said.server, "")
        reached = {":" in server for server, code in codes.items() if code}
        answering = {":" in server for server, answered in heard.items() if answered}
        alive = {server for server in zone.servers if any(map(heard.get, server.addresses))}
        between = {":" in one for server in alive for one in server.addresses if codes.get(one)} - answering
        return tuple(
            (server.name, address, codes[address])
            for server in zone.servers
            for address in server.addresses
            if any(heard.values()) and heard.get(address) is False and (":" in address) in reached
            if (":" in address) in answering or (server not in alive and (":" in address) not in between)
        )


class Domains(NamedTuple):
    """The server, and the records of each of its mail domains."""

    server: MailServer
    records: tuple[DomainRecords, ...]


def domains(facts: Facts) -> Domains:
    """Asks for all records of all domains together. Raises HostError."""
    server = facts.get(mail_server)
    keys = facts.get(signing_keys)
    rows = [
        (domain, below, type)
        for domain in server.domains
        for below, type in _asked(domain, keys[domain].selector)
    ]
    seen = look(facts, tuple(Wanted(_below(domain, below), type, domain) for domain, below, type in rows))
    found: dict[str, dict[tuple[str, str], Seen]] = {domain: {} for domain in server.domains}
    for (domain, below, type), one in zip(rows, seen, strict=True):
        found[domain][below, type] = one
    return Domains(
        server, tuple(DomainRecords(domain, found[domain], keys[domain]) for domain in server.domains)
    )


def _asked(domain: str, selector: str) -> list[tuple[str, str]]:
    return [
        ("", "MX"),
        ("", "TXT"),
        # For SPF, whose most common word beside mx is a: it then needs no round of its own.
        ("", "A"),
        ("", "AAAA"),
        ("_dmarc", "TXT"),
        (f"{selector}._domainkey", "TXT"),
        *((client, type) for client in CLIENTS for type in ("A", "AAAA")),
        *((service, "SRV") for service, _ in SERVICES),
        *((service, "TXT") for service in PATHS),
        ("_mta-sts", "TXT"),
        ("mta-sts", "A"),
        ("mta-sts", "AAAA"),
        ("_smtp._tls", "TXT"),
        *((nobody(domain), type) for type in WILD_TYPES),
    ]


def nobody(domain: str) -> str:
    """A name that nobody has made: what answers for it is a wildcard.

    The same for one domain each time, so that a recorded machine knows its answer.
    """
    import hashlib  # loads OpenSSL: 2 to 10 ms, which no other check should wait for

    return f"wizard-{hashlib.sha256(domain.encode()).hexdigest()[:12]}"


def _below(domain: str, below: str) -> str:
    return f"{below}.{domain}" if below else domain
