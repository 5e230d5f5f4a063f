"""Judge of the hosts that mailcow talks to: one result for each host, port and protocol."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_nameless import (
    STATUS,
    half_looked_up,
    misled,
    of_resolver,
    pinned,
    without_name,
)
from mailcow_wizard.checks.network_untrusted import untrusted
from mailcow_wizard.checks.network_ways import (
    NOT_KNOWN,
    Way,
    allowing,
    ending,
    evidence,
    inner,
    inner_words,
    way,
)
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.network.interception import SAY_NOTHING
from mailcow_wizard.facts.network.outward import Outward, Reached, Try, outward
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement, Severity

_SEVERITY: dict[str, Severity] = {"required": "blocks", "recommended": "degrades", "optional": "advice"}


def judge_hosts(facts: Outward) -> tuple[Judgement, ...]:
    """One judgement for each host; what is needless here is skipped."""
    return tuple(_judge(one, facts)._replace(subject=one.row.subject) for one in facts.hosts)


def _judge(host: Reached, facts: Outward) -> Judgement:
    row = host.row
    common = Judgement(
        "pass", "", evidence=evidence(host.tries), severity=_SEVERITY[row.level], needed=_needed(row)
    )
    if host.needless:
        return _skipped(_("{needless}=y, so mailcow does not need it", needless=host.needless))
    if row.family and row.family not in facts.families:
        return _skipped(
            _("this machine has no IPv{family}, and the host is only there for it", family=row.family)
        )
    if host.through:
        words = _("{host} answers through the proxy {proxy} alone", host=row.host, proxy=host.through)
        return common._replace(summary=words, found=_("not directly"))
    if host.looked.trouble or not (host.tries or row.protocol == "txt"):
        return without_name(host, common, facts)
    if row.protocol == "txt":
        named = common._replace(
            summary=_("{host} is found by name", host=row.host),
            found=f"TXT {row.host}",
            evidence=(Evidence(f"dig +short {row.host} TXT", _("it is there")),),
        )
        return of_resolver(host, named, facts)
    elsewhere = misled(host, common, facts)
    if elsewhere:
        return elsewhere
    if row.protocol in ("udp", "ntp"):
        judged = _datagrams(host, common, facts)
    else:
        judged = _connections(host, common, facts)
    if host.looked.pinned:
        return pinned(host, judged)
    return of_resolver(host, half_looked_up(host, _inside(host, judged), facts), facts)


def _inside(host: Reached, judged: Judgement) -> Judgement:
    """The same, unless what gets out here would not get out of mailcow's containers, which ask for it."""
    held = inner([one for one in host.tries if one.family == 4])
    if judged.status not in ("pass", "unknown") or held is None or held.container is None:
        return judged
    if host.row.by_machine:
        return judged
    met = held.container
    return judged._replace(
        status="unknown" if met.outcome == "unknown" else STATUS[host.row.level],
        stops="here",
        severity=_SEVERITY[host.row.level],
        summary=_(
            "{host} can be reached by this machine, but {inner_words}",
            host=host.row.host,
            inner_words=inner_words(met),
        ),
        remedies=(allowing(met, held.probe),),
        certainty="untested" if met.outcome == "unknown" else "inferred",
    )


_SOURCES = {"documented": _("documented"), "inferred": _("inferred"), "code": _("code")}
_LEVELS = {"required": _("required"), "recommended": _("recommended"), "optional": _("optional")}


def _needed(row: need.Outgoing) -> str:
    over = {"tcp": "TCP", "udp": "UDP", "ntp": "UDP", "txt": "DNS"}[row.protocol]
    return _(
        "{host} can be reached, {over} port {port}: {use} ({source}, {level})",
        host=row.host,
        over=over,
        port=row.port,
        use=row.use,
        source=_SOURCES[row.source],
        level=_LEVELS[row.level],
    )


def _skipped(why: str) -> Judgement:
    return Judgement("skipped", _("skipped: {why}", why=why), certainty="untested")


def _connections(host: Reached, common: Judgement, facts: Outward) -> Judgement:
    row = host.row
    if any(one.taken and not one.proves for one in host.tries):
        return _taken(host, common)
    against = untrusted(host, common, facts)
    if against:
        return against
    by_family = {family: [one for one in host.tries if one.family == family] for family in (4, 6)}
    ways = {family: way(tries, _control(facts, family, host)) for family, tries in by_family.items() if tries}
    good = [family for family, one in ways.items() if one.kind == "open"]
    found = listed(
        [_("IPv{family}: {words}", family=family, words=one.words) for family, one in ways.items()]
    )
    common = common._replace(found=found)
    if good:
        lacking = [family for family in ways if family not in good and family in facts.families]
        also = (
            _("; not over IPv{lacking}: {words}", lacking=lacking[0], words=ways[lacking[0]].words)
            if lacking
            else ""
        )
        over = listed([f"IPv{family}" for family in good])
        summary = _(
            "{host} answers on port {port} ({over}){also}", host=row.host, port=row.port, over=over, also=also
        )
        # Containers without IPv6 have no other way than IPv4.
        return common._replace(summary=summary, status="warn" if lacking == [4] else "pass")
    first = ways.get(4) or ways[6]
    if first.kind in NOT_KNOWN:
        return _untried(host, common, first)
    summary = _(
        "{host} cannot be reached on port {port}: {why}",
        host=row.host,
        port=row.port,
        why=_why(first, host, facts),
    )
    return common._replace(
        status=STATUS[row.level],
        stops="there" if _others(host, facts) and first.stops == "way" else first.stops,
        summary=summary,
        remedies=first.remedies,
        certainty="proved" if first.kind in ("blocked here", "no route", "rejected") else "inferred",
    )


def _taken(host: Reached, common: Judgement) -> Judgement:
    """Somebody in between takes every connection: it is the host that answers only where TLS says so."""
    row = host.row
    taken = [one for one in host.tries if one.taken and not one.proves]
    said = next((one.said for one in taken if one.said and one.said.trouble), None)
    shown = (Evidence(f"curl -vI https://{row.host}/", said.trouble),) if said else ()
    common = common._replace(
        found=listed([f"{one.probe.address}: {ending(one)}" for one in taken]),
        stops="way",
        certainty="untested",
        evidence=(*common.evidence, *shown),
        remedies=(
            _(
                "Connections to {nobody}, an address that nobody has, are taken too: by a portal that wants "
                "a log-in, a proxy or a filter. Ask whoever runs this network to let this machine out.",
                nobody=need.NOBODYS_ADDRESSES[taken[0].family][0],
            ),
        ),
    )
    if said is None or said.trouble in SAY_NOTHING:
        words = _(
            "whether {host} answers on port {port} is not known: somebody in between takes every connection",
            host=row.host,
            port=row.port,
        )
        return common._replace(status="unknown", summary=words)
    words = _(
        "it is not {host} that answers on port {port}: somebody in between takes every connection, and shows "
        "no certificate of it ({trouble})",
        host=row.host,
        port=row.port,
        trouble=said.trouble,
    )
    return common._replace(status=STATUS[row.level], summary=words, certainty="inferred")


def _untried(host: Reached, common: Judgement, first: Way) -> Judgement:
    return common._replace(
        status="unknown",
        summary=_(
            "{host} could not be tried on port {port}: {why}",
            host=host.row.host,
            port=host.row.port,
            why=first.words,
        ),
        certainty="untested",
        remedies=first.remedies or (_("Run this check again."),),
    )


def _why(first: Way, host: Reached, facts: Outward) -> str:
    """The verdict's words, and whose doing it may be where the same port of others answers."""
    if first.kind not in ("dropped", "refused"):
        return first.words
    others = _others(host, facts)
    if others:
        return _(
            "{words}; port {port} of {host} answers, so it is this host",
            words=first.words,
            port=host.row.port,
            host=others[0].row.host,
        )
    return _(
        "{words}; a firewall before this machine may stop port {port}", words=first.words, port=host.row.port
    )


def _others(host: Reached, facts: Outward) -> list[Reached]:
    """Other hosts that answer on the same port."""
    return [
        one for one in facts.hosts if one is not host and one.row.port == host.row.port and _opened(one.tries)
    ]


def _datagrams(host: Reached, common: Judgement, facts: Outward) -> Judgement:
    """Silence is what strangers get from these servers: only a refusal says something."""
    row = host.row
    outcomes = {one.result.outcome for one in host.tries}
    found = listed([f"{one.probe.address}: {ending(one)}" for one in host.tries])
    if "open" in outcomes:
        return common._replace(
            summary=_("{host} answers on UDP port {port}", host=row.host, port=row.port), found=found
        )
    held = any(one.own and one.own.stops for one in host.tries)
    if "silent" in outcomes and row.protocol == "udp" and not held:
        return common._replace(
            status="unknown",
            severity="advice",
            summary=_(
                "UDP to {host} port {port} leaves, and nobody refuses it; whether it arrives "
                "cannot be told, for this server answers no strangers",
                host=row.host,
                port=row.port,
            ),
            found=found,
            certainty="untested",
        )
    first = way(host.tries, _control(facts, host.tries[0].family, host))
    if first.kind in NOT_KNOWN:
        return _untried(host, common, first)
    return common._replace(
        status=STATUS[row.level],
        stops=first.stops,
        summary=_(
            "{host} cannot be reached on UDP port {port}: {words}",
            host=row.host,
            port=row.port,
            words=first.words,
        ),
        found=found,
        remedies=first.remedies,
        certainty="inferred" if "silent" in outcomes else "proved",
    )


def _control(facts: Outward, family: int, host: Reached) -> bool:
    others = any(_opened(one.tries, family) for one in facts.hosts if one is not host)
    return others or any(one.returned and one.family == family for one in facts.controls)


def _opened(tries: Sequence[Try], family: int = 0) -> bool:
    return any(one.proves and family in (0, one.family) for one in tries)


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.outbound-hosts",
        title=_("Outgoing hosts"),
        needed=_("every host that mailcow talks to can be reached"),
        why=_(
            "mailcow fetches its images, updates, certificates and lists of spam and malware from "
            "them; what cannot be reached fails later, and rarely says so."
        ),
        doc=need.DOC_OUTGOING,
        severity="degrades",
        source=outward,
        judge=judge_hosts,
        network=True,
    ),
)
