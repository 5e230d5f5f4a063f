"""What is said to each of mailcow's ports, from this machine's own address, not from inside."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.addresses import addresses, uses_v6
from mailcow_wizard.facts.bindings import EVERY_ADDRESS_V4, LOOPBACK_V4, USUAL, Binding, bindings
from mailcow_wizard.facts.dns.reverse import reverse_names
from mailcow_wizard.facts.dns.state import texts
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mail.installed import Installed, installed
from mailcow_wizard.facts.mailcow_conf import MailcowConf, mailcow_conf
from mailcow_wizard.facts.ports import survey
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.conversation import Dialogue, Spoken
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

STRANGER = "postmaster@gmail.com"
"""A recipient elsewhere, whose domain every resolver knows; nothing is ever sent to it."""
_HELLO = "EHLO mailcow-wizard.invalid"
# mailcow's port 25 lets strangers wait for 3 s before it greets (postscreen), and the certificate may take
# two rounds.
_PATIENCE_S = 14.0

# What each port speaks: protocol, TLS from the first byte, and whether STARTTLS is to be offered.
PROTOCOLS: dict[str, tuple[str, bool, bool]] = {
    "ports.smtp": ("smtp", False, True),
    "ports.smtps": ("smtp", True, False),
    "ports.submission": ("smtp", False, True),
    "ports.imap": ("imap", False, True),
    "ports.imaps": ("imap", True, False),
    "ports.pop3": ("pop3", False, True),
    "ports.pop3s": ("pop3", True, False),
    "ports.sieve": ("sieve", False, True),
    "ports.http": ("http", False, False),
    "ports.https": ("http", True, False),
    "ports.doveadm": ("doveadm", False, False),
    "ports.mysql": ("greeting", False, False),
    "ports.redis": ("redis", False, False),
}
SUBMISSION = ("ports.smtps", "ports.submission")


class Talk(NamedTuple):
    """One port, reached at one address: what was asked, and what became of it."""

    binding: Binding
    asked: Dialogue
    spoken: Spoken

    def reply(self, line: str, last: bool = True) -> str:
        """The reply to a line (to the last, or else the first, that begins so); empty where there is none."""
        said = [
            reply
            for one, reply in zip(self.asked.lines, self.spoken.replies, strict=False)
            if one.upper().startswith(line.upper())
        ]
        return said[-1 if last else 0] if said else ""

    @property
    def where(self) -> str:
        """The address and port, for people."""
        return place(self.asked.address, self.asked.port)


class Talks(NamedTuple):
    """All conversations. `name` is the server's name, `conf` its mailcow.conf; `strangers` are those who hold
    a port in mailcow's place (id of the port's check, name). `fronts` are those with the proxy through which
    the world comes to a mailcow whose web server is on loopback."""

    about: Installed
    name: str
    conf: MailcowConf
    talks: tuple[Talk, ...] = ()
    strangers: tuple[tuple[str, str], ...] = ()
    fronts: tuple[Talk, ...] = ()

    def of(self, port: str) -> tuple[Talk, ...]:
        """Those with one port, by the id of its check (`ports.imap`)."""
        return tuple(one for one in self.talks if one.binding.port.id == port)


def place(address: str, port: int) -> str:
    """An address with its port, as people write it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def talks(facts: Facts) -> Talks:
    """Speaks to every port of mailcow.conf, over each family, to all at once. Raises HostError."""
    about = facts.get(installed)
    name = facts.get(hostname).name
    conf = facts.get(mailcow_conf)
    if about.skip:
        return Talks(about, name, conf)
    own = own_addresses(facts)
    every = bindings(conf.values, conf.odd)
    asked = [(one, dialogue(one, address, name, conf)) for one in every for address in reached(one, own)]
    fronts = [(one, _through_front(one, address, name)) for one in _fronts(every) for address in own]
    patience = min(_PATIENCE_S, (facts.settings.timeout or _PATIENCE_S) * 0.9)
    spoken = facts.host.converse(tuple(one for _unused, one in (*asked, *fronts)), patience)
    held = tuple(Talk(*one, said) for one, said in zip((*asked, *fronts), spoken, strict=True))
    return Talks(about, name, conf, held[: len(asked)], _strangers(facts), held[len(asked) :])


def _fronts(every: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Where the world comes in to a web server that is bound to loopback."""
    hidden = (one for one in every if one.port.key in USUAL and one.address.startswith("127."))
    usual = (one._replace(address="", number=USUAL[one.port.key]) for one in hidden)
    taken = {one.number for one in every}
    return tuple(one for one in usual if one.number not in taken)


def _through_front(binding: Binding, address: str, name: str) -> Dialogue:
    protocol, tls, starts = PROTOCOLS[binding.port.id]
    lines = _lines(binding.port.id, protocol, starts, name)
    return Dialogue(protocol, address, binding.number, name, tls, lines)


def _strangers(facts: Facts) -> tuple[tuple[str, str], ...]:
    """Who else than mailcow listens on its ports, as far as that can be told."""
    try:
        known = facts.get(survey)
    except HostError:
        return ()
    found = []
    for port, about in known.items():
        for one in about.occupants:
            if one.own is False and one.listener.state == "listening":
                process = next(iter(one.holder.processes), None)
                name = (
                    _("{process} (process {pid})", process=process.name, pid=process.pid)
                    if process
                    else _("another program")
                )
                found.append(
                    (
                        port,
                        _("the container {container}", container=one.container.name)
                        if one.container
                        else name,
                    )
                )
    return tuple(dict(found).items())


class Spoke(NamedTuple):
    """The conversations, and the names that the world's name servers give this server's addresses (PTR):
    none where these are not known."""

    talks: Talks
    reverse: tuple[tuple[str, tuple[str, ...]], ...] = ()


def spoke(facts: Facts) -> Spoke:
    """The conversations, with the reverse names that greetings are held against. Raises HostError."""
    found = facts.get(talks)
    if found.about.skip or facts.settings.offline:
        return Spoke(found)
    try:
        names = facts.get(reverse_names)
    except HostError:
        return Spoke(found)
    return Spoke(found, tuple((one.address, texts(one.seen)) for one in names.reverses))


def own_addresses(facts: Facts, all_families: bool = False) -> tuple[str, ...]:
    """This machine's own addresses, of IPv4 and, where mailcow uses it or with `all_families`, of IPv6: not
    loopback, where what comes in looks as if it came from inside."""
    found = []
    for family in (4, 6) if all_families or facts.get(uses_v6) else (4,):
        own = facts.get(addresses, family).own
        if own and not ipaddress.ip_address(own).is_loopback:
            found.append(own)
    return tuple(found) or (LOOPBACK_V4,)


def reached(binding: Binding, own: tuple[str, ...]) -> tuple[str, ...]:
    """Where a port of mailcow is reached: at the address it is bound to, else at the machine's own."""
    if binding.address == EVERY_ADDRESS_V4:
        return tuple(one for one in own if ":" not in one) or (LOOPBACK_V4,)
    return (binding.address,) if binding.address else own


def dialogue(binding: Binding, address: str, name: str, conf: MailcowConf) -> Dialogue:
    """What is said to a port there."""
    protocol, tls, starts = PROTOCOLS[binding.port.id]
    lines = _lines(binding.port.id, protocol, starts, name)
    asked = web_protocol(binding, conf) if protocol == "http" else protocol
    return Dialogue(asked, address, binding.number, name, tls, lines)


def web_protocol(binding: Binding, conf: MailcowConf) -> str:
    """How nginx is spoken to at a port: where a proxy stands before it, as by that proxy. What only leads to
    HTTPS hears everybody."""
    by_proxy = conf.yes("NGINX_USE_PROXY_PROTOCOL")
    leads = binding.port.id == "ports.http" and conf.yes("HTTP_REDIRECT")
    return "proxied http" if by_proxy and not leads else "http"


def _lines(port: str, protocol: str, starts: bool, name: str) -> tuple[str, ...]:
    if protocol == "smtp":
        lines = (_HELLO, "STARTTLS", _HELLO) if starts else (_HELLO,)
        # Who has not logged in asks to send to a stranger; it ends there, and nothing is sent.
        asks = (f"RCPT TO:<{STRANGER}>",) if port in SUBMISSION else ()
        return (*lines, "MAIL FROM:<>", *asks, "QUIT")
    if protocol == "imap":
        return ("CAPABILITY", *(("STARTTLS", "CAPABILITY") if starts else ()), "LOGOUT")
    if protocol == "pop3":
        return ("CAPA", *(("STLS", "CAPA") if starts else ()), "QUIT")
    if protocol == "sieve":
        return ("STARTTLS", "LOGOUT")
    if protocol == "http":
        return ("GET / HTTP/1.0", f"Host: {name}", "User-Agent: mailcow-wizard")
    return {"redis": ("PING",), "doveadm": ("VERSION\tdoveadm-server\t1\t2",)}.get(protocol, ())
