"""What a far server wrote on a test message: SPF, DKIM and DMARC as it saw them (RFC 8601), and how the
message came in. Only its own words count: a header further down may be anybody's."""

from __future__ import annotations

import re

from mailcow_wizard.facts.mail.hops import Hop, hop, same_house
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

_RESULTS = "authentication-results"
_METHODS = ("spf", "dkim", "dmarc")
_METHOD = pattern(r"\s*([a-z][a-z0-9-]*)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = pattern(r"\b([a-z]+\.[a-z]+)\s*=\s*(\"[^\"]*\"|[^\s;\"]+)", re.IGNORECASE)
_REASON = pattern(r"\breason\s*=\s*(\"[^\"]*\"|[^\s;\"]+)", re.IGNORECASE)
# Whom a result is about, the most telling first.
_ABOUT = ("header.d", "header.i", "smtp.mailfrom", "header.from", "smtp.helo")
# What mailcow writes in place of its own name where it hides who logged in.
_OURS = "(Mailerdaemon)"
_SHOWN = 120


class Verdict(NamedTuple):
    """What came of one method, both in small letters. `domain` is whom it is about (empty: not said),
    `helo` that it is the name in the greeting, `said` the comment or reason behind it."""

    method: str
    result: str
    domain: str = ""
    helo: bool = False
    said: str = ""


class Seen(NamedTuple):
    """What the far server saw. `by` is how it calls itself (empty: it does not say), `tls` the version that
    the message came over (`none`: over none; empty: not said), `address` where it came from."""

    by: str = ""
    verdicts: tuple[Verdict, ...] = ()
    tls: str = ""
    address: str = ""

    def of(self, method: str, domain: str) -> Verdict | None:
        """What it thinks of a method for mail of `domain`; None where it does not say. A signature of
        somebody else's is none of ours."""
        every = [one for one in self.verdicts if one.method == method]
        every = [one for one in every if not one.helo] or every
        ours = [one for one in every if not one.domain or same_house(one.domain, domain)]
        best = next((one for one in ours if one.result == "pass"), ours[0] if ours else None)
        if best or not every:
            return best
        others = ", ".join(dict.fromkeys(one.domain for one in every))
        return Verdict(method, "none", domain, said=others)


def seen(headers: tuple[str, ...], server: str) -> Seen:
    """What was written on a message behind `server`, this machine's own name, by the last one that took it
    in. `headers` are whole lines, the uppermost first."""
    way = [(place, hop(line)) for place, line in enumerate(headers) if _name(line) == "received"]
    ours = next((place for place, one in way if _is_ours(one, server)), None)
    # The sender's own server is the first to write one.
    end = ours if ours is not None else (way[-1][0] if len(way) > 1 else len(headers))
    before = [(place, one) for place, one in way if place < end]
    if not before:
        return Seen()
    border, entry = next((row for row in before if _comes_in(row[1], server)), before[-1])
    below = next((place for place, _ in way if place > border), end)
    told = []
    for place, line in enumerate(headers[:below]):
        if _name(line) != _RESULTS:
            continue
        by, verdicts = results(line.partition(":")[2])
        # Below the mark of its entry only what is called as it is, unless what follows is ours.
        if place > border and below != ours and not same_house(by, entry.by):
            continue
        if not server or by != server.lower():
            told.append((by, verdicts))
    who = told[0][0] if told else ""
    every = tuple(one for by, verdicts in told if by == who for one in verdicts)
    return Seen(who, every, entry.tls, entry.address)


def results(value: str) -> tuple[str, tuple[Verdict, ...]]:
    """Who says it, in small letters, and the results that one header holds."""
    parts = _parts(value)
    by = ""
    if parts and not _METHOD.match(parts[0][0]):
        by = parts.pop(0)[0].split(" ")[0].strip('"').rstrip(".").lower()
    verdicts = []
    for plain, comment in parts:
        method = _METHOD.match(plain)
        if method and method[1].lower() in _METHODS:
            verdicts.append(_verdict(method, plain, comment))
    return by, tuple(verdicts)


def _verdict(method: re.Match[str], plain: str, comment: str) -> Verdict:
    named = {key.lower(): value.strip('"') for key, value in _PROPERTY.findall(plain)}
    about = next((one for one in _ABOUT if named.get(one)), "")
    domain = named.get(about, "").rpartition("@")[2].rstrip(".").lower()
    reason = _REASON.search(plain)
    said = (reason[1].strip('"') if reason else comment)[:_SHOWN]
    return Verdict(method[1].lower(), method[2].lower(), domain, about == "smtp.helo", said)


def _parts(value: str) -> list[tuple[str, str]]:
    """What stands between semicolons, each without its comments, which come behind it."""
    parts: list[tuple[str, str]] = []
    plain, comment = "", ""
    depth, quoted = 0, False
    letters = iter(value)
    for letter in letters:
        if letter == "\\":
            letter += next(letters, "")
        elif letter == '"' and not depth:
            quoted = not quoted
        elif not quoted and letter in "()":
            depth = max(0, depth + (1 if letter == "(" else -1))
            letter = " "  # what stands on both sides stays apart
        elif letter == ";" and not quoted and not depth:
            parts.append((plain, comment))
            plain, comment = "", ""
            continue
        if depth:
            comment += letter
        else:
            plain += letter
    parts.append((plain, comment))
    told = ((" ".join(plain.split()), " ".join(comment.split())) for plain, comment in parts)
    return [one for one in told if one[0]]


def _name(line: str) -> str:
    return line.partition(":")[0].strip().lower()


def _is_ours(one: Hop, server: str) -> bool:
    return (bool(server) and one.by == server.lower()) or _OURS in one.text


def _comes_in(one: Hop, server: str) -> bool:
    """Whether a server took the message from somebody else's, or from this one."""
    if server and server.lower() in one.names:
        return True
    strange = bool(one.names) and not one.inside and not one.delivers
    return strange and not any(same_house(name, one.by) for name in one.names)
