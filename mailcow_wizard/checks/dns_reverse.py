"""Judge of the names of the server's addresses."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import Record, judged, of_guess, unseen
from mailcow_wizard.facts.dns.expected import right_name
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.reverse import Reverse
from mailcow_wizard.facts.dns.reverse_asked import ReverseAsked, reverse_asked
from mailcow_wizard.facts.dns.state import state, texts
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Judgement


def judge_ptr(facts: ReverseAsked) -> tuple[Judgement, ...]:
    """Each address has one name, the server's, which has the address in turn."""
    server, reverses = facts.names
    if not reverses:
        trouble = server.v4.trouble or server.v6.trouble
        return (
            Judgement(
                "unknown",
                _("no public address of this server is known: {trouble}", trouble=trouble),
                certainty="untested",
                remedies=(_("Say it with --address, then run this check again."),),
            ),
        )
    found = tuple(_ptr(server, one, facts.words(one.address)) for one in reverses)
    if facts.nowhere:
        found = tuple(map(_not_yet, found))
    found = tuple(of_guess(server, one) for one in found)
    return (*found, *(unseen(one) for one in server.untold))


def _not_yet(judgement: Judgement) -> Judgement:
    """The same, where it is of an address that no mail leaves with: IPv6 leads nowhere."""
    if judgement.status != "fail" or ":" not in (judgement.subject or ""):
        return judgement
    return judgement._replace(
        status="warn",
        severity="degrades",
        summary=_("{said}; no mail leaves with it as long as IPv6 leads nowhere", said=judgement.summary),
        remedies=(
            _(
                'See "IPv6" first (`check network.ipv6`): where it is not to be used, this address needs no '
                "name."
            ),
        ),
    )


def _ptr(server: MailServer, reverse: Reverse, ask: str) -> Judgement:
    seen, address = reverse.seen, reverse.address
    line = f"{seen.name}. PTR {server.name}."
    record = Record(_("the name (PTR) of {address}", address=address), line, "required")

    found = state(seen, right_name(server))
    judgement = judged(
        record, seen, found, _("{address} is called {server}", address=address, server=server.name), address
    )
    if found.holds and reverse.forward is None:
        if judgement.status != "pass":
            return judgement
        return judgement._replace(
            status="unknown",
            summary=_(
                "{address} is called {server}; whether that name leads back could not be asked",
                address=address,
                server=server.name,
            ),
            certainty="untested",
            remedies=(
                _(
                    "See first why the address of {server} gets no answer: dns.a, dns.aaaa.",
                    server=server.name,
                ),
            ),
        )
    if found.holds and address not in (reverse.forward or ()):
        return judgement._replace(
            status="fail",
            summary=_(
                "{address} is called {server}, but that name does not lead back to it",
                address=address,
                server=server.name,
            ),
            found=_(
                "{server} is {value}",
                server=server.name,
                value=", ".join(reverse.forward or ()) or _("not published"),
            ),
            remedies=(
                _("Publish the address of {server} first: see dns.a and dns.aaaa.", server=server.name),
            ),
        )
    if found.kind == "wrong":
        return judgement._replace(summary=_wrong(server, reverse), remedies=(ask,))
    if found.kind == "missing":
        return judgement._replace(summary=_("{address} has no name (PTR)", address=address), remedies=(ask,))
    return judgement


def _wrong(server: MailServer, reverse: Reverse) -> str:
    names = texts(reverse.seen)
    if not names:
        return _(
            "{address} is an alias (CNAME) of {aliases}, where there is no name (PTR)",
            address=reverse.address,
            aliases=", ".join(reverse.seen.aliases),
        )
    if server.name in names:
        return _(
            "{address} has {number} names, and must have one: {names}",
            address=reverse.address,
            number=len(names),
            names=", ".join(names[:4]),
        )
    return _(
        "{address} is called {names}, not {server}",
        address=reverse.address,
        names=", ".join(names[:4]),
        server=server.name,
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.ptr",
        title=_("Reverse name (PTR)"),
        needed=_("each public address has exactly one name, the server's, and that name has the address"),
        why=_("Many mail servers refuse mail from an address that has no name, or one of somebody else."),
        doc=need.DOC_DNS,
        severity="breaks",
        source=reverse_asked,
        judge=judge_ptr,
        network=True,
        deadline=14.0,
    ),
)
