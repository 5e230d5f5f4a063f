"""From the state of a record in the world to a judgement: what all checks of DNS have in common."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.dns.certificate import Verdict, is_refused
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.state import State
from mailcow_wizard.language import _
from mailcow_wizard.model import Certainty, Evidence, Judgement, Severity, Status
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Level = Literal["required", "recommended", "optional"]


class Record(NamedTuple):
    """What should be published: the record in words (`the address (A) of mail.example.org`), the line to
    publish, how much depends on it, and what else mends it."""

    words: str
    line: str
    level: Level
    remedies: tuple[str, ...] = ()


def of_guess(server: MailServer, judgement: Judgement) -> Judgement:
    """The same; where nobody said the server's name that comes before records that are not as it wants."""
    if not server.guessed or judgement.status not in ("fail", "warn"):
        return judgement
    choose = _(
        "No name was chosen yet: {name} is only what this machine calls itself. If the server is to be "
        "called otherwise, say so first: `--hostname mail.example.org`.",
        name=server.name,
    )
    return judgement._replace(remedies=(choose, *judgement.remedies))


_MISSING: dict[str, Status] = {"required": "fail", "recommended": "warn", "optional": "pass"}
_WRONG: dict[str, Status] = {"required": "fail", "recommended": "warn", "optional": "warn"}
_SEVERITY: dict[str, Severity] = {"required": "breaks", "recommended": "degrades", "optional": "advice"}


def judged(record: Record, seen: Seen, found: State, right: str, subject: str | None) -> Judgement:
    """The judgement of one record; `right` is the sentence for a record that is as it should be."""
    common = Judgement(
        "pass",
        right,
        found=values(seen),
        evidence=evidence(seen),
        certainty=certainty(seen),
        severity=_SEVERITY[record.level],
        subject=subject,
    )
    publish = (*record.remedies, _publish(record, seen))
    if found.kind == "split view":
        common = common._replace(
            summary=_("{right}; this machine's own resolver says otherwise", right=right)
        )
    if found.holds:
        return refused(common, record.level, seen) if is_refused(seen) else common
    if found.kind == "could not ask" and seen.answered:
        return _unfollowed(common, record, seen)
    if found.kind == "could not ask":
        return common._replace(
            status="unknown",
            summary=_("{words} could not be asked: {trouble}", words=record.words, trouble=seen.trouble),
            certainty="untested",
            remedies=(see_why(seen),),
        )
    if found.kind == "not everywhere yet":
        return common._replace(
            status="warn",
            summary=_(
                "{words} is right, but not everywhere yet{left}", words=record.words, left=left(found.left)
            ),
            found=_("{values}; not yet at {where}", values=values(seen), where=", ".join(found.where)),
            remedies=(_("Wait, then run this check again."), *record.remedies),
        )
    if found.kind == "missing":
        return common._replace(
            status=_MISSING[record.level],
            summary=_("{words} is not published", words=record.words)
            + (_(", and need not be") if record.level == "optional" else ""),
            remedies=publish,
        )
    return common._replace(
        status=_WRONG[record.level],
        summary=_("{words} is not as it should be: {values}", words=record.words, values=values(seen)),
        remedies=publish,
    )


def _publish(record: Record, seen: Seen) -> str:
    """Nothing else stands beside an alias (RFC 1034, 3.6.2), and its end may be somebody else's."""
    if seen.aliases and " CNAME " not in record.line:
        return _(
            "Mend it at {aliases}, where its alias (CNAME) leads, or publish in place of the alias: {line}",
            aliases=", ".join(seen.aliases),
            line=record.line,
        )
    return _("Publish: {line}", line=record.line)


def refused(common: Judgement, level: Level, seen: Seen) -> Judgement:
    """A record that is right where it is kept, and that nobody gets."""
    return common._replace(
        status=_WRONG[level],
        summary=_("{right}, but resolvers do not tell it (SERVFAIL)", right=common.summary),
        why=_(
            "Most servers and programs ask resolvers that check signatures; what those refuse is not there "
            "for them."
        ),
        certainty="inferred",
        remedies=(
            _(
                "See dns.dnssec: the signatures of {zone} may be broken. Where they are not, its name "
                "servers must answer all the world.",
                zone=seen.zone.name,
            ),
        ),
    )


def _unfollowed(common: Judgement, record: Record, seen: Seen) -> Judgement:
    """An alias whose end nobody tells: where several resolvers fail, nobody gets what should be there."""
    if is_refused(seen):
        return common._replace(
            status=_WRONG[record.level],
            summary=_("nobody gets {words}: {trouble}", words=record.words, trouble=seen.trouble),
            certainty="inferred",
            remedies=(*record.remedies, _publish(record, seen)),
        )
    return common._replace(
        status="unknown",
        summary=_("{words} could not be asked: {trouble}", words=record.words, trouble=seen.trouble),
        certainty="untested",
        remedies=(see_why(seen),),
    )


def unseen(ours: Addresses, subject: str | None = None) -> Judgement:
    """The judgement of a family whose public address is not known."""
    own = ours.own if (ours.family, ours.origin) == (6, "option") else ""
    return Judgement(
        "unknown",
        _(
            "the public IPv{family} address of this server is not known: {trouble}",
            family=ours.family,
            trouble=ours.trouble,
        ),
        certainty="untested",
        remedies=(
            _("Name it, too: `--address {own}`.", own=own)
            if own
            else _("Say it with --address, then run this check again."),
        ),
        subject=subject,
    )


def with_fate(judgement: Judgement, fate: Verdict | None) -> Judgement:
    """With what becomes of the name on mailcow's certificate."""
    if fate is None:
        return judgement
    does = {
        "asked for": _("asks for it"),
        "refused": _("asks for it"),
        "left out": _("leaves this name out"),
        "open": _("may leave this name out"),
    }[fate.fate]
    found = f"{judgement.found}; " if judgement.found else ""
    return judgement._replace(
        found=_(
            "{found}for the certificate mailcow {does}: {words}", found=found, does=does, words=fate.words
        )
    )


def left(seconds: int) -> str:
    """How long caches may still keep what was there before, in words."""
    if seconds <= 0:
        return ""
    if seconds < 120:
        return _("; caches may keep the old one for {seconds} s", seconds=seconds)
    if seconds < 7200:
        return _("; caches may keep the old one for {seconds} min", seconds=round(seconds / 60))
    return _("; caches may keep the old one for {seconds} h", seconds=round(seconds / 3600))


def values(seen: Seen) -> str:
    """What is published, in words."""
    if seen.aliases:
        return _("an alias (CNAME) of {aliases}", aliases=", ".join(seen.aliases))
    return ", ".join(seen.values) or (_("nothing") if seen.answered else "")


def evidence(seen: Seen) -> tuple[Evidence, ...]:
    """How to ask by hand: a server of the zone, and a resolver."""
    servers = [one.server for one in seen.own if one.server][:1] or [one.server for one in seen.public][:1]
    at = f" @{servers[0]}" if servers else ""
    return (Evidence(f"dig +short {seen.name} {seen.type}{at}", values(seen) or seen.trouble),)


def certainty(seen: Seen) -> Certainty:
    """Proved by the zone's own servers, inferred from a resolver's word."""
    if not seen.answered:
        return "untested"
    return "proved" if seen.directly else "inferred"


def see_why(seen: Seen) -> str:
    """What to do about silence: whose servers they are, or who does not follow the alias that they tell."""
    if seen.aliases:
        return _(
            "See why nobody answers for {aliases}, then run this check again.",
            aliases=", ".join(seen.aliases),
        )
    return _(
        "See why {server_words} give no answer, then run this check again.",
        server_words=_("the name servers of {zone}", zone=seen.zone.name)
        if seen.zone.name != "."
        else _("the name servers"),
    )


def is_address(text: str) -> bool:
    """Whether it is an IP address of either family, and no name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
