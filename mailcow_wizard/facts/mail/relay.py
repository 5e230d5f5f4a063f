"""Whether strangers may send to strangers through this server: asked at its own address, ended before any
message is sent."""

from __future__ import annotations

import ipaddress
import json
import re

from mailcow_wizard.facts.bindings import bindings
from mailcow_wizard.facts.containers import docker_socket
from mailcow_wizard.facts.docker import networks
from mailcow_wizard.facts.identity import domain_of, hostname
from mailcow_wizard.facts.mail.installed import Installed, installed
from mailcow_wizard.facts.mail.talks import STRANGER, own_addresses, place, reached
from mailcow_wizard.facts.mail.trips import MAILBOX
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.conversation import Dialogue
from mailcow_wizard.language import _
from mailcow_wizard.names import NotAName, mailbox
from mailcow_wizard.numerals import whole
from mailcow_wizard.patterns import pattern
from mailcow_wizard.requirements_network import MAILCOW_NETWORK
from mailcow_wizard.typed import NamedTuple

_HELLO = "EHLO mailcow-wizard.invalid"
_PATIENCE_S = 12.0
_ASKED = (2, 5)  # where the two recipients stand among the lines
_SENDERS = (1, 4)
_RELAYING = pattern(r"relay", re.IGNORECASE)
# Addresses, and the client's name: words of others that may have any word in them.
_NAMED = pattern(r"<[^>]*>")
# A sender whom nobody has is refused for that, whatever a real one may do.
_NOBODY = pattern(r"unknown|does not exist|no such|not found|unlisted", re.IGNORECASE)
_ESTABLISHED_OR_AFTER = {"01", "04", "05", "06", "08", "09", "0B"}


class Tried(NamedTuple):
    """One try: the address, what became of it, and the server's own words.

    `outcome` is refused, accepted, other (refused for another reason), closed (nobody can even connect), half
    (one of the two recipients was refused, of the other nothing is known) or silent (no answer to judge).
    `seen` is the address that mailcow saw us come from, empty where that is not known; `trusted` that it is
    among those that may relay (None: not known). `unlisted` that who said that he is one of ours was refused
    because there is no such mailbox.
    """

    where: str
    family: int
    outcome: str
    said: str
    seen: str = ""
    trusted: bool | None = None
    unlisted: bool = False


class Relay(NamedTuple):
    """The tries, over each family. `proxied_v6`: IPv6 comes in by Docker's proxy, and every client of it
    looks as if it came from inside (G01); `gateway` is the address that it looks like then."""

    about: Installed
    tries: tuple[Tried, ...] = ()
    gateway: str = ""
    proxied_v6: bool = False


def relay(facts: Facts) -> Relay:
    """Asks to relay over IPv4 and IPv6. Raises HostError."""
    about = facts.get(installed)
    if about.skip:
        return Relay(about)
    conf = facts.get(mailcow_conf)
    binding = next(one for one in bindings(conf.values, conf.odd) if one.port.id == "ports.smtp")
    # Docker publishes on IPv6 too where mailcow does not use it: that is when it is dangerous (G01).
    addresses = reached(binding, own_addresses(facts, True))
    asked = tuple(Dialogue("smtp", one, binding.number, lines=_lines(facts)) for one in addresses)
    spoken = facts.host.converse(asked, min(_PATIENCE_S, (facts.settings.timeout or _PATIENCE_S) * 0.9))
    gateway = f"{conf.network}.1"
    tries = []
    for one, said in zip(asked, spoken, strict=True):
        outcome, words, unlisted = _outcome(said.outcome, said.text, said.greeting, said.replies)
        seen = _seen(facts, about, said.own, gateway) if outcome == "accepted" else ""
        trusted = _trusted(facts, about, seen) if outcome == "accepted" else None
        family = 6 if ":" in one.address else 4
        tries.append(Tried(place(one.address, one.port), family, outcome, words, seen, trusted, unlisted))
    proxied = any(":" in one for one in addresses) and not _has_v6(facts, about.project)
    return Relay(about, tuple(tries), gateway, proxied)


def _lines(facts: Facts) -> tuple[str, ...]:
    """A bounce (no sender), and somebody who says that he is one of us; both to a stranger."""
    to = f"RCPT TO:<{STRANGER}>"
    return (
        _HELLO,
        "MAIL FROM:<>",
        to,
        "RSET",
        f"MAIL FROM:<{_one_of_us(facts)}>",
        to,
        "RSET",
        "QUIT",
    )


def _one_of_us(facts: Facts) -> str:
    """The mailbox that was named for test messages; else an address that most domains have."""
    try:
        return mailbox(facts.settings.mailbox or facts.host.variable(MAILBOX))
    except (HostError, NotAName):
        return f"postmaster@{(facts.settings.domains or (domain_of(facts.get(hostname).name),))[0]}"


def _outcome(outcome: str, text: str, greeting: str, replies: tuple[str, ...]) -> tuple[str, str, bool]:
    """What the replies to both recipients mean together, the server's words, and whether the second sender
    was refused because nobody has this address."""
    answers = [_answer(replies, at) for at in range(len(_ASKED)) if len(replies) > _ASKED[at]]
    taken = next((one for one in answers if one.startswith("2")), "")
    if taken:
        return "accepted", taken, False
    other = next((one for place, one in enumerate(answers) if not _refuses(one, bool(place))), "")
    if other:
        return "other", other, False
    if answers and len(answers) < len(_ASKED):
        return "half", text or outcome, False
    if answers:
        hidden = not _is_of_relaying(answers[1]) and bool(_NOBODY.search(_NAMED.sub("", answers[1])))
        return "refused", answers[0], hidden
    if greeting[:1] in ("4", "5"):
        return "other", greeting, False
    return ("closed" if outcome in ("refused", "no route") else "silent"), text or outcome, False


def _answer(replies: tuple[str, ...], at: int) -> str:
    """What came of a try: the reply to the recipient, or to the sender where that one was refused already."""
    sender = replies[_SENDERS[at]]
    return sender if sender[:1] in ("4", "5") else replies[_ASKED[at]]


def _refuses(said: str, as_one_of_us: bool) -> bool:
    """Whether this refuses to relay; who says that he is one of us may be refused for that alone."""
    return _is_of_relaying(said) or (as_one_of_us and said.startswith("5"))


def _is_of_relaying(said: str) -> bool:
    return said[:1] in ("4", "5") and bool(_RELAYING.search(_NAMED.sub("", said)))


def _seen(facts: Facts, about: Installed, own: str, gateway: str) -> str:
    """Which address postfix saw: our own where its list of connections has it with our port, the network's
    gateway where that was there just now, empty where neither can be told."""
    address, _unused, number = own.partition(" ")
    try:
        pid = _pid(facts, about)
        table = facts.host.text(f"/proc/{pid}/net/tcp") + facts.host.text(f"/proc/{pid}/net/tcp6")
        ends = _far_ends(table)
    except (HostError, ValueError):
        return ""
    if (address, whole(number)) in ends:
        return address
    return gateway if any(host == gateway for host, _unused in ends) else ""


def _far_ends(table: str) -> set[tuple[str, int]]:
    """Who is connected to port 25, by the kernel's tables. Raises ValueError where they are none."""
    ends = set()
    for line in table.splitlines():
        words = line.split()
        if len(words) > 3 and words[1].endswith(":0019") and words[3] in _ESTABLISHED_OR_AFTER:
            host, _unused, number = words[2].partition(":")
            ends.add((_address(host), int(number, 16)))
    return ends


def _address(digits: str) -> str:
    """An address as the kernel writes it in /proc/net/tcp: words in the machine's own order."""
    data = bytes.fromhex(digits)
    swapped = b"".join(data[place : place + 4][::-1] for place in range(0, len(data), 4))
    found = ipaddress.ip_address(swapped)
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def _postfix(about: Installed) -> str:
    return next(one.id for one in about.boxes if one.service == "postfix-mailcow")


def _pid(facts: Facts, about: Installed) -> int:
    try:
        reply = facts.host.http(docker_socket(facts), f"/containers/{_postfix(about)}/json")
        return int(json.loads(reply.body)["State"]["Pid"])
    except (StopIteration, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise HostError(_("Docker does not say which process postfix is")) from None


def _trusted(facts: Facts, about: Installed, seen: str) -> bool | None:
    """Whether postfix counts this address among its own networks."""
    if not seen:
        return None
    try:
        ran = facts.host.run(("docker", "exec", _postfix(about), "postconf", "-hx", "mynetworks"), 6.0)
    except (HostError, StopIteration):
        return None
    if ran.code != 0:
        return None
    for word in re.split(r"[\s,]+", ran.out.strip()):
        try:
            if ipaddress.ip_address(seen) in ipaddress.ip_network(word.strip("[]").replace("]/", "/"), False):
                return True
        except ValueError:
            continue
    return False


def _has_v6(facts: Facts, project: str) -> bool:
    """Whether mailcow's network has IPv6 of its own, so that clients keep their addresses. Where Docker does
    not tell, it is taken to: the try itself says the rest."""
    try:
        own = [one for one in facts.get(networks) if one.get("Name") == f"{project}_{MAILCOW_NETWORK}"]
    except HostError:
        return True
    return all(one.get("EnableIPv6", True) for one in own)
