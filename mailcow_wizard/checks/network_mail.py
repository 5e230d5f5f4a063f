"""Judge of port 25 outwards, by family: free, blocked (and by whom), or intercepted."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks import mail_refusals
from mailcow_wizard.checks.network_nameless import OTHER_RESOLVER
from mailcow_wizard.checks.network_ways import NOT_KNOWN, Way, allowing, evidence, inner, inner_words, way
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.network.mail_ways import MailTry, MailWay, mail_ways
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Judgement

_FORM = _(
    "Ask the provider to open outgoing port 25; most have a form for it, some do it only for "
    "older customers or after the first invoice."
)
_TRY_AGAIN = _("Run this check again.")
_RELAY = _(
    "Until then, or if they refuse: send through a relay host (in mailcow: System, Configuration, "
    "Routing), which takes mail on port 587 or 465."
)
_OTHER_RELAY = _(
    "Until then, or if they refuse: send through a relay host (in mailcow: System, Configuration, "
    "Routing) that takes mail on another port, such as 2525: port 465 does not get out of here either."
)


_IPV6_TOO = _("Mail leaves over IPv4, where port 25 is open; ask the provider to open it over IPv6, too.")


def judge_mail(ways: tuple[MailWay, ...]) -> tuple[Judgement, ...]:
    """One judgement for each family."""
    judged: list[Judgement] = []
    for one in ways:
        leaves = any(other.status == "pass" or other.severity == "advice" for other in judged)
        judged.append(_judge(one, leaves)._replace(subject=f"v{one.family}"))
    return tuple(judged)


def _judge(found: MailWay, leaves: bool) -> Judgement:
    """`leaves`: mail gets out over IPv4, which was judged before."""
    common = Judgement(
        "pass",
        "",
        found=listed([f"{one.operator.name}: {_ended(one)}" for one in found.servers]),
        evidence=evidence([one.tried for one in found.servers]),
        severity="breaks" if found.family == 4 else "degrades",
    )
    if not found.present:
        return _absent(found)
    turned = next((one.tried.own for one in found.servers if one.tried.own and one.tried.own.elsewhere), None)
    if turned:
        return common._replace(
            status="fail",
            stops="here",
            summary=_(
                "this machine's own firewall sends port 25 to {elsewhere}: {named}",
                elsewhere=turned.elsewhere,
                named=turned.named,
            ),
            remedies=(
                _(
                    "See it: {command}. Take that rule away: mail has to reach other servers.",
                    command=turned.command,
                ),
            ),
        )
    decoys = [one for one in found.decoys if one.result.outcome == "open"]
    if decoys:
        return _intercepted(
            common._replace(evidence=evidence(decoys) + common.evidence),
            _("even {address}, which is no mail server, answers on port 25", address=decoys[0].probe.address)
            + (f": '{decoys[0].result.greeting}'" if decoys[0].result.greeting else ""),
            proved=True,
        )
    if not found.servers:
        why = _("none of the mail servers asked for has an IPv{family} address", family=found.family)
        if found.trouble:
            why = _("no mail server's name could be looked up ({trouble})", trouble=found.trouble)
        return common._replace(
            status="unknown",
            stops="names" if found.trouble else "",
            summary=_("port 25 could not be tried: {why}", why=why),
            certainty="untested",
            remedies=(_("See /etc/resolv.conf: a resolver named there must answer."),)
            if found.trouble
            else (),
        )
    places = {one.tried.probe.address for one in found.servers}
    if places <= found.astray:
        return _misled(common, listed(sorted(places)))
    opened = tuple(one for one in found.servers if one.tried.result.outcome == "open")
    if not opened:
        return _blocked(found, common, leaves)
    return _of_containers(_opened(found, opened, common), opened)


def _misled(common: Judgement, address: str) -> Judgement:
    """Names that have nothing to do with each other lead to one address: it is not theirs."""
    return common._replace(
        status="unknown",
        stops="names",
        summary=_(
            "port 25 could not be tried: the names of mail servers all lead to {address}, so who tells them "
            "here does not tell the truth",
            address=address,
        ),
        certainty="untested",
        remedies=(OTHER_RESOLVER,),
    )


def _of_containers(judged: Judgement, opened: tuple[MailTry, ...]) -> Judgement:
    """The same, unless what gets out here would not get out of mailcow's containers."""
    held = inner([one.tried for one in opened])
    if judged.status == "fail" or held is None or held.container is None:
        return judged
    met = held.container
    words = _("port 25 is free for this machine, but {inner_words}", inner_words=inner_words(met))
    return judged._replace(
        status="unknown" if met.outcome == "unknown" else "fail",
        stops="here",
        summary=words,
        certainty="untested" if met.outcome == "unknown" else "inferred",
        severity="breaks",
        remedies=(allowing(met, held.probe),),
    )


def _ended(one: MailTry) -> str:
    result = one.tried.result
    return result.greeting or {"open": _("no greeting"), "silent": _("no answer")}.get(
        result.outcome, result.outcome
    )


def _absent(found: MailWay) -> Judgement:
    if found.family == 6:
        return Judgement("skipped", _("skipped: this machine has no IPv6"), certainty="untested")
    return Judgement(
        "fail",
        _("this machine has no way out over IPv4, and most mail servers have no other address"),
        stops="here",
        remedies=(_("See the routes: `ip route`."),),
        severity="breaks",
    )


def _intercepted(common: Judgement, how: str, proved: bool) -> Judgement:
    return common._replace(
        status="fail",
        stops="way",
        summary=_("somebody on the way answers in place of other mail servers: {how}", how=how),
        certainty="proved" if proved else "inferred",
        remedies=(
            _(
                "Ask the provider to take this server out of its transparent mail filter: mail would "
                "leave under its name, and encryption to the receiver is not yours any more."
            ),
            _RELAY,
        ),
    )


def _opened(found: MailWay, opened: tuple[MailTry, ...], common: Judgement) -> Judgement:
    greeted = [one for one in opened if one.tried.result.greeting]
    if not greeted:
        return _mute(opened, common)
    same = len({one.greeter for one in greeted}) == 1 and len({one.operator for one in greeted}) > 1
    if same and not any(one.fits for one in greeted) and not found.near:
        greeting = greeted[0].tried.result.greeting
        if found.doubt:
            return _doubted(common, greeting, greeted[0].greeter, found.doubt)
        return _intercepted(common, _("all greet with '{greeting}'", greeting=greeting), proved=False)
    refusing = [one for one in greeted if one.tried.result.greeting.startswith(("4", "5"))]
    if greeted and len(refusing) == len(greeted):
        return common._replace(
            status="warn",
            stops="there",
            summary=_(
                "port 25 is free, but they refuse this machine's address: {greeting}",
                greeting=refusing[0].tried.result.greeting,
            ),
            remedies=(
                *mail_refusals.known(refusing[0].tried.result.greeting),
                _('See "Blocklists": this address has a bad name, perhaps from who had it before.'),
            ),
        )
    return _free(found, opened, common, len(refusing))


def _doubted(common: Judgement, greeting: str, name: str, why: str) -> Judgement:
    """One name greets for all, and whether it is theirs is not known."""
    return common._replace(
        status="unknown",
        stops="names",
        summary=_(
            "whether other mail servers answer themselves could not be proved: all greet with '{greeting}', "
            "and {name} cannot be looked up: {why}",
            greeting=greeting,
            name=name,
            why=why,
        ),
        certainty="untested",
        remedies=(_("See /etc/resolv.conf: a resolver named there must answer."),),
    )


def _mute(opened: tuple[MailTry, ...], common: Judgement) -> Judgement:
    """Connections that are taken without a greeting prove no mail server; one alone may just be slow."""
    doubt = _("A filter on the way may take connections in their place: ask the provider. Else try again.")
    operators = dict.fromkeys(one.operator.name for one in opened)
    if len(operators) > 1:
        return common._replace(
            status="warn",
            stops="way",
            summary=_("{number} mail servers take the connection and none says a word", number=len(opened)),
            certainty="inferred",
            remedies=(doubt,),
        )
    return common._replace(
        status="unknown",
        summary=_(
            "whether port 25 is free could not be proved: {name} takes the connection and says nothing",
            name=next(iter(operators)),
        ),
        certainty="untested",
        remedies=(_("Run this check again; if it stays so, ask the provider."), doubt),
    )


def _free(found: MailWay, opened: tuple[MailTry, ...], common: Judgement, refusing: int) -> Judgement:
    names = listed([one.operator.name for one in opened])
    total = len(found.servers)
    if 2 * len(opened) < total:
        silent = listed([one.operator.name for one in found.servers if one not in opened])
        return common._replace(
            status="warn",
            stops="there",
            summary=_(
                "only {number} of {total} mail servers answer on port 25 ({names}), not {silent}",
                number=len(opened),
                total=total,
                names=names,
                silent=silent,
            ),
            certainty="inferred",
            remedies=(_("Run this check again; if it stays so, ask the provider."), _RELAY),
        )
    notes = _("; {refusing} refuse this machine's address", refusing=refusing) if refusing else ""
    passed = common._replace(
        summary=ngettext(
            "port 25 is free: {names} answers{notes}",
            "port 25 is free: {names} answer{notes}",
            len(opened),
            names=names,
            notes=notes,
        )
    )
    if found.submission and not any(one.result.outcome == "open" for one in found.submission):
        why = way(found.submission, True)
        return passed._replace(
            status="warn",
            severity="advice",
            stops=why.stops,
            summary=_("port 25 is free, but port 465 does not get out: {words}", words=why.words),
            remedies=(_("It is needed for a relay host only, and to fetch mail for others."), *why.remedies),
        )
    return passed


def _blocked(found: MailWay, common: Judgement, leaves: bool) -> Judgement:
    why = way([one.tried for one in found.servers], found.control)
    relay = _RELAY
    if any(one.result.outcome == "open" for one in found.submission):
        relay += _(" Port 465 gets out of here.")
    elif found.submission and way(found.submission, found.control).kind not in NOT_KNOWN:
        relay = _OTHER_RELAY
    if why.kind in NOT_KNOWN:
        return common._replace(
            status="unknown",
            summary=_("port 25 could not be tried: {why}", why=why.words),
            certainty="untested",
            remedies=why.remedies or (_TRY_AGAIN,),
        )
    form = found.provider.opened if found.provider else _FORM
    summary, remedies = _words(found, why, (_IPV6_TOO,) if leaves else (form, relay))
    return common._replace(
        # Where nothing passes, that is what the check of IPv6 is about.
        status="warn" if why.kind == "dead" and found.family == 6 else "fail",
        stops=why.stops,
        summary=summary,
        remedies=remedies,
        evidence=common.evidence + evidence([one for one in found.controls if one.returned], 1),
        certainty="inferred" if why.kind in ("dropped", "dead", "refused") else "proved",
    )


def _words(found: MailWay, why: Way, asking: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The verdict in a line, and what mends it: `asking` the provider, where it is on the way."""
    count = len(found.servers)
    over = f"IPv{found.family}"
    if why.kind == "dropped":
        said = ngettext(
            "port 25 is blocked on the way, most likely by the provider: {operator} is silent over {over}",
            "port 25 is blocked on the way, most likely by the provider: {n} mail servers are silent over "
            "{over}",
            count,
            operator=found.servers[0].operator.name if found.servers else "",
            over=over,
        )
        if any(one.result.outcome == "open" for one in found.controls):
            return _("{said}, other ports pass", said=said), asking
        return _("{said}, other ports are refused at once", said=said), asking
    if why.kind == "dead":
        ports = sorted({one.probe.port for one in (*(one.tried for one in found.servers), *found.controls)})
        said = _(
            "no connection gets out over {over} (ports tried: {ports})",
            over=over,
            ports=listed([str(one) for one in ports]),
        )
        return said, (_("See the routes and the firewall: `ip route`, `ip -6 route`."), *why.remedies)
    if why.kind in ("refused", "rejected"):
        by = (
            _("by {router}", router=found_by)
            if (found_by := _told_by(found))
            else _("by something on the way, for all {count}", count=count)
        )
        return _("port 25 is refused over {over} {by}", over=over, by=by), asking
    if why.kind == "blocked here":
        what = _("does not let port 25 out ({over})", over=over)
        return why.words.replace(_("does not let it out"), what), why.remedies
    if why.kind == "cut":
        return _(
            "connections to port 25 are cut off at once over {over}, for all {count}", over=over, count=count
        ), asking
    return _("port 25 cannot be reached over {over}: {words}", over=over, words=why.words), why.remedies


def _told_by(found: MailWay) -> str:
    return next((one.tried.result.told_by for one in found.servers if one.tried.result.told_by), "")


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.outbound-25",
        title=_("Outgoing mail"),
        needed=_("port 25 of other mail servers can be reached, and it is they who answer"),
        why=_(
            "Mail to others leaves on port 25 and on no other. Many providers block it until they are asked."
        ),
        doc=need.DOC_OUTGOING,
        severity="breaks",
        source=mail_ways,
        judge=judge_mail,
        per="family",
        network=True,
    ),
)
