"""Judge of the difference between what this machine believes and what the world sees."""

from __future__ import annotations

import ipaddress

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.by_clock import see_the_clock
from mailcow_wizard.checks.dns_states import see_why, unseen
from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.dns.certificate import is_refused
from mailcow_wizard.facts.dns.local_view import LocalView, local_view
from mailcow_wizard.facts.dns.own_resolvers import OwnResolvers
from mailcow_wizard.facts.dns.published import Seen, is_answer
from mailcow_wizard.facts.dns.state import values
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_local_view(facts: LocalView) -> Judgement:
    """The resolver of this machine says the same as the name's own servers, and each of several answers."""
    judgement = _view(facts)
    return _with_silent(judgement, facts.resolvers) if facts.resolvers.silent else judgement


def _with_silent(judgement: Judgement, resolvers: OwnResolvers) -> Judgement:
    """With the name servers of /etc/resolv.conf that are silent while others answer."""
    named = ", ".join(one.server for one in resolvers.silent)
    remedy = ngettext(
        "See why {named} gives no answer, or take its line out of what writes /etc/resolv.conf "
        "(such as netplan, NetworkManager or the DHCP client).",
        "See why {named} give no answer, or take their lines out of what writes /etc/resolv.conf "
        "(such as netplan, NetworkManager or the DHCP client).",
        len(resolvers.silent),
        named=named,
    )
    evidence = tuple(
        Evidence(f"dig . NS @{one.server}", one.code or heard(one.error)) for one in resolvers.heard
    )
    shown = judgement._replace(evidence=(*judgement.evidence, *evidence))
    if judgement.status == "warn":
        return shown._replace(remedies=(*judgement.remedies, remedy))
    said = ngettext(
        "of the {number} name servers in /etc/resolv.conf {named} gives no answer",
        "of the {number} name servers in /etc/resolv.conf {named} give no answer",
        len(resolvers.silent),
        number=len(resolvers.heard),
        named=named,
    )
    why = (
        _(
            "Programs ask the name servers in the order of /etc/resolv.conf: most wait up to {patience} s "
            "for a silent one, at every look-up, before they ask the next.",
            patience=resolvers.patience,
        )
        if resolvers.delaying
        else _(
            "Programs ask it when the name servers before it give no answer: then every look-up fails, or "
            "waits."
        )
    )
    return shown._replace(
        status="warn",
        summary=said,
        found=f"{said}; {judgement.summary}",
        why=why,
        certainty="proved",
        severity="degrades" if resolvers.delaying else "advice",
        remedies=(remedy, *judgement.remedies),
    )


def _view(facts: LocalView) -> Judgement:
    """Of the name; /etc/hosts is only reported."""
    name, seen = facts.records.server.name, (facts.records.a, facts.records.aaaa)
    hosts = _("; /etc/hosts calls it {hosts}", hosts=", ".join(facts.hosts)) if facts.hosts else ""
    evidence = (
        Evidence(f"dig +short {name} A", _local(facts.records.a) or _("nothing")),
        Evidence(f"getent ahosts {name}", f"/etc/hosts: {', '.join(facts.hosts) or _('no line')}"),
    )
    common = Judgement("pass", "", evidence=evidence, found=f"{_local(facts.records.a)}{hosts}".lstrip("; "))
    if not any(one.world for one in seen):
        return common._replace(
            status="unknown",
            summary=_(
                "the world's view of {name} could not be asked: {silence}",
                name=name,
                silence=facts.records.a.silence,
            ),
            certainty="untested",
        )
    if not any(one.exists for one in seen):
        return common._replace(
            status="skipped",
            summary=_("skipped: {name} is not published yet", name=name),
            certainty="untested",
        )
    silent = next((one for one in seen if not one.world), None)
    different = [one for one in seen if _differs(one)]
    if different:
        return _split(common, name, different)
    others = [one for one in facts.hosts if not _is_ours(facts, one)]
    strange = [one for one in others if not _untold(facts, one)]
    if strange:
        return common._replace(
            status="warn",
            summary=_(
                "/etc/hosts calls {name} {strange}, an address of somebody else",
                name=name,
                strange=", ".join(strange),
            ),
            remedies=(_("Remove or correct the line of {name} in /etc/hosts.", name=name),),
        )
    untold = next(filter(None, (_untold(facts, one) for one in others)), None)
    if untold:
        return common._replace(
            status="unknown",
            summary=_(
                "/etc/hosts calls {name} {others}, and which public IPv{family} address this server has "
                "is not known",
                name=name,
                others=", ".join(others),
                family=untold.family,
            ),
            certainty="untested",
            remedies=unseen(untold).remedies,
        )
    if silent:
        return common._replace(
            status="unknown",
            summary=_(
                "the world's view of {name} could not be asked: {silence}",
                name=name,
                silence=f"{silent.type}: {silent.silence}",
            ),
            certainty="untested",
            remedies=(see_why(silent),),
        )
    mute = [one for one in seen if one.exists and not (one.local and is_answer(one.local))]
    if mute:
        # What other resolvers fail at too is no trouble of this machine's.
        refused = any(map(is_refused, mute))
        said = [one.local.said for one in mute if one.local]
        return common._replace(
            status="unknown",
            summary=_("this machine's own resolver gives no answer for {name}", name=name),
            certainty="untested",
            remedies=(_("Others give none either: see dns.dnssec first."),)
            if refused
            else (
                *see_the_clock(*said),
                _("See /etc/resolv.conf: the resolvers named there must answer."),
            ),
        )
    return common._replace(summary=_("this machine's resolver sees {name} as the world does", name=name))


def _split(common: Judgement, name: str, different: list[Seen]) -> Judgement:
    said = "; ".join(
        _("here {values}", values=_local(one) or _("nothing"))
        + _(", in the world {value} ({type})", value=", ".join(_world(one)) or _("nothing"), type=one.type)
        for one in different
    )
    return common._replace(
        status="warn",
        summary=_(
            "this machine's resolver sees {name} differently than the world: {said}", name=name, said=said
        ),
        found=said,
        remedies=(
            _(
                "If the resolver has a zone of its own for this name (split horizon), give it the "
                "same records; else wait until its cache is renewed."
            ),
        ),
    )


def _differs(seen: Seen) -> bool:
    if not seen.world or seen.local is None or not is_answer(seen.local):
        return False
    world = _world(seen)
    return set(values(seen, seen.local)) != set(world) and (bool(world) or not seen.aliases)


def _world(seen: Seen) -> tuple[str, ...]:
    """The values in the world; of an alias into another zone, which its own servers do not follow, those that
    public resolvers have."""
    own = tuple(value for one in seen.world for value in values(seen, one))
    beyond = tuple(value for one in seen.public for value in values(seen, one))
    return tuple(dict.fromkeys(own or (beyond if seen.aliases else ())))


def _local(seen: Seen) -> str:
    return ", ".join(values(seen, seen.local)) if seen.local else ""


def _is_ours(facts: LocalView, address: str) -> bool:
    """Whether a line of /etc/hosts is harmless: loopback, as Debian writes it, or our own address."""
    server = facts.records.server
    try:
        if ipaddress.ip_address(address).is_loopback:
            return True
    except ValueError:
        return False
    return address in (*server.v4.public, *server.v6.public, server.v4.own, server.v6.own)


def _untold(facts: LocalView, address: str) -> Addresses | None:
    """The family that this address is of, where nobody could say which public one this server has."""
    server = facts.records.server
    ours = server.v6 if ":" in address else server.v4
    return ours if ours in server.untold else None


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.local-view",
        title=_("Own view of the name"),
        needed=_(
            "this machine's resolver sees the server's name as the world does, and each name server in "
            "/etc/resolv.conf answers"
        ),
        why=_("mailcow's containers ask other resolvers than this machine: what works here may fail there."),
        doc=need.DOC_DNS,
        severity="degrades",
        source=local_view,
        judge=judge_local_view,
        network=True,
        deadline=12.0,
    ),
)
