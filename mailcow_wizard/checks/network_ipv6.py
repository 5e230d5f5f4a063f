"""Judges of IPv6: does it work, what will mailcow make of it, and will it still be there tomorrow."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_ways import NOT_KNOWN, Way, evidence, way
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.network.ipv6 import Advertised, Advertisements, Ipv6, advertisements, ipv6
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement
from mailcow_wizard.requirements import DOC_ISSUE


def judge_ipv6(facts: Ipv6) -> Judgement:
    """What works passes, what is not there at all too; half of it warns, or fails where others need it."""
    common = Judgement(
        "pass",
        "",
        found=", ".join(one.address for one in facts.addresses) or _("no global address"),
        evidence=(
            Evidence("ip -6 route show default", listed([one.interface for one in facts.defaults]) or "none"),
            *evidence((*facts.pings, *facts.connections)),
        ),
    )
    if facts.own and facts.passes:
        return _works(facts, common)
    outwards = _outwards(facts)
    if outwards and outwards.kind in NOT_KNOWN:
        return _untried(common, outwards)
    common = common._replace(stops=outwards.stops if outwards else "here")
    if outwards and facts.held:
        return _held(common, outwards)
    trouble = _trouble(facts)
    half = facts.enabled and bool(facts.addresses or facts.defaults)
    if facts.published:
        return common._replace(
            status="fail",
            severity="breaks",
            summary=_(
                "{name} has an AAAA record ({published}), but {trouble}",
                name=facts.name,
                published=facts.published[0],
                trouble=trouble,
            ),
            remedies=(
                _(
                    "Take the AAAA record of {name} away until IPv6 works: Let's Encrypt then looks "
                    "at it alone, and others try it first.",
                    name=facts.name,
                ),
                *_repair(facts),
            ),
        )
    if facts.configured == "true":
        return common._replace(
            status="fail",
            severity="breaks",
            summary=_("mailcow has ENABLE_IPV6=true, but {trouble}", trouble=trouble),
            remedies=(_("Set ENABLE_IPV6=false in mailcow.conf, or repair IPv6."), *_repair(facts)),
        )
    if facts.published is None and (facts.configured == "false" or not half):
        return _not_told(facts, common, trouble)
    if facts.configured == "false":
        return common._replace(
            summary=_("{trouble}, and mailcow does without (ENABLE_IPV6=false)", trouble=trouble),
            remedies=_repair(facts) if half else (),
        )
    if half:
        return common._replace(
            status="warn",
            summary=_("{trouble}: mailcow will find none and set ENABLE_IPV6=false", trouble=trouble),
            remedies=_repair(facts),
            certainty="inferred",
        )
    return common._replace(
        summary=_(
            "{trouble}: mailcow will find none and set ENABLE_IPV6=false, which works", trouble=trouble
        ),
        certainty="inferred",
    )


def _held(common: Judgement, outwards: Way) -> Judgement:
    """Rules of this machine's own hold back what it sends itself; mailcow has IPv6 on already."""
    return common._replace(
        status="warn",
        summary=_(
            "over IPv6 {words}; whether mailcow's containers get out, by other rules, is not known, and "
            "update.sh will take IPv6 for missing",
            words=outwards.words,
        ),
        certainty="inferred",
        remedies=outwards.remedies,
    )


def _not_told(facts: Ipv6, common: Judgement, trouble: str) -> Judgement:
    """Doing without IPv6 is well only where nobody is told to come by it."""
    return common._replace(
        status="unknown",
        stops="names",
        summary=_(
            "{trouble}; whether {name} has an AAAA record, which must not be then, no resolver tells",
            trouble=trouble,
            name=facts.name,
        ),
        certainty="untested",
        remedies=(
            _("See /etc/resolv.conf: a resolver named there must answer."),
            _("Ask by hand: `dig AAAA {name}`. There must be none.", name=facts.name),
        ),
    )


_KEPT_OFF = (
    _(
        "Let mailcow use it, where address and name fit (`check dns.aaaa dns.ptr dns.spf`): "
        "ENABLE_IPV6=true, then `docker compose down` and `docker compose up -d`."
    ),
    _(
        "Or keep mail alone off it: the line inet_protocols = ipv4 in data/conf/postfix/extra.cf, which "
        "updates leave alone."
    ),
    _("Or look after each update, before mailcow sends: `./wizard conf get ENABLE_IPV6`"),
)


def _works(facts: Ipv6, common: Judgement) -> Judgement:
    if facts.configured == "false":
        common = common._replace(found=f"{common.found}; ENABLE_IPV6=false")
        if _overlooked(facts):
            return common._replace(summary=_("IPv6 works here, and mailcow has ENABLE_IPV6=false"))
        return common._replace(
            status="warn",
            severity="advice",
            summary=_(
                "IPv6 works here, and mailcow has ENABLE_IPV6=false until its next update: update.sh sets it "
                "to true"
            ),
            remedies=_KEPT_OFF,
            why=_(
                "update.sh looks for IPv6 by a ping, whatever mailcow.conf says, and switches it on where "
                "that is answered. Mail then leaves over IPv6, and bounces where PTR or SPF do not fit."
            ),
            doc=DOC_ISSUE.format(7436),
        )
    untold = not facts.pinged and any(one.result.outcome == "not allowed" for one in facts.pings)
    overlooked = "" if untold else _overlooked(facts)
    if overlooked:
        return _unseen(facts, common, overlooked)
    if facts.configured == "true":
        return common._replace(
            summary=_("IPv6 works, and mailcow uses it: {own} leaves this machine", own=facts.own)
        )
    if untold:
        return common._replace(
            summary=_("IPv6 works; whether mailcow's detection will see it, root can tell"),
            certainty="inferred",
        )
    return common._replace(
        summary=_("IPv6 works, and mailcow will find that: {own} leaves this machine", own=facts.own)
    )


def _overlooked(facts: Ipv6) -> str:
    """Why mailcow's detection (_modules/scripts/ipv6_controller.sh) takes IPv6 that works for missing; empty
    where it does not."""
    if not (facts.defaults and facts.default_shown):
        return _("`ip -6 route show default` shows no default route")
    if not facts.has_ping:
        return _("there is no command `ping`")
    return "" if facts.pinged else _("nobody answers a ping over it")


def _unseen(facts: Ipv6, common: Judgement, why: str) -> Judgement:
    """IPv6 that works, and that mailcow's own scripts switch off."""
    if not (facts.defaults and facts.default_shown):
        repair = _(
            "Give the main table a default route (`ip -6 route add default …`) that leads where the routes "
            "lead that are there, and write it into the network's configuration."
        )
    elif not facts.has_ping:
        repair = _("Install `ping`: `apt install iputils-ping` (Alpine and EL: iputils).")
    else:
        repair = _("Let ICMPv6 out and in.")
    return common._replace(
        status="warn",
        summary=_(
            "IPv6 works, and mailcow uses it until its next update: {why}, so update.sh takes it for missing",
            why=why,
        )
        if facts.configured == "true"
        else _("IPv6 works, but {why}: mailcow will take it for missing", why=why),
        remedies=(
            repair,
            _(
                "Or set ENABLE_IPV6=true in mailcow.conf after generate_config.sh and after each update.sh, "
                "before mailcow starts: they set it to false."
            ),
        ),
        certainty="inferred",
    )


def _trouble(facts: Ipv6) -> str:
    """Where it ends, from the kernel outwards."""
    if not facts.enabled:
        return _("IPv6 is switched off in this machine's kernel")
    if not facts.addresses and not facts.defaults:
        return _("this machine has no IPv6")
    if not facts.addresses:
        return _("there is a default route of IPv6, but no address")
    outwards = _outwards(facts)
    if outwards is None:
        tentative = all(one.tentative for one in facts.addresses)
        return (
            _(
                "{address} is not usable yet (tentative, or in use elsewhere)",
                address=facts.addresses[0].address,
            )
            if tentative
            else _(
                "there is no default route for this machine's IPv6 address ({address})",
                address=facts.addresses[0].address,
            )
        )
    return _("IPv6 leads nowhere: {words}", words=outwards.words)


def _outwards(facts: Ipv6) -> Way | None:
    """What became of all attempts together, where there is a way for them."""
    return way(facts.tries, False) if facts.own and facts.defaults else None


def _untried(common: Judgement, outwards: Way) -> Judgement:
    return common._replace(
        status="unknown",
        summary=_("IPv6 could not be tried: {why}", why=outwards.words),
        certainty="untested",
        remedies=outwards.remedies or (_("Run this check again."),),
    )


def _repair(facts: Ipv6) -> tuple[str, ...]:
    if not facts.enabled:
        return (_("Switch it on: `sysctl -w net.ipv6.conf.all.disable_ipv6=0` (see the kernel's step)."),)
    if not facts.addresses:
        return (_("Give this machine an address of the network that the provider has assigned to it."),)
    if not facts.defaults:
        return (
            _(
                "Add the default route that the provider names, often `ip -6 route add default via "
                "fe80::1 dev {interface}`, and write it into the network's configuration.",
                interface=facts.addresses[0].interface,
            ),
        )
    return (
        _(
            "See whether the gateway answers (`ip -6 neigh`), whether the address is the assigned "
            "one, and whether a firewall stops IPv6; else ask the provider."
        ),
    )


# --- router advertisements --------------------------------------------------------------------------------


def judge_advertisements(facts: Advertisements) -> Judgement:
    """A default route by advertisement stays only where accept_ra is 2, for Docker turns forwarding on."""
    if facts.wanted is False:
        words = _("mailcow has ENABLE_IPV6=false: Docker will not forward IPv6")
        return Judgement("pass", words, found="ENABLE_IPV6=false")
    if facts.lost or facts.awaited:
        return _lost(facts.lost[0]) if facts.lost else _awaited(facts.awaited[0])
    advertised = tuple(one for one in facts.defaults if one.route.advertised)
    evidence = tuple(
        Evidence(f"sysctl net.ipv6.conf.{one.route.interface}.accept_ra", _shown(one))
        for one in facts.defaults
    ) or (Evidence("ip -6 route show default", _("nothing")),)
    if not advertised:
        said = (
            _("there is no default route of IPv6")
            if not facts.defaults
            else _("the default route of IPv6 is fixed")
        )
        words = _("{said}: no router's advertisement is needed", said=said)
        return Judgement("pass", words, found=said, evidence=evidence)
    common = Judgement("pass", "", found=listed([_shown(one) for one in advertised]), evidence=evidence)
    unknown = [one for one in advertised if one.accept is None or one.forwarding is None]
    if unknown:
        return common._replace(
            status="unknown",
            summary=_(
                "what {interface} does with router advertisements could not be read",
                interface=unknown[0].route.interface,
            ),
            certainty="untested",
        )
    danger = [one for one in advertised if one.accept == 1]
    if not danger:
        return common._replace(
            summary=_(
                "the default route of IPv6 comes from a router, and stays when Docker turns forwarding on"
            )
        )
    name = danger[0].route.interface
    if danger[0].forwarding:
        return common._replace(
            status="fail",
            summary=_(
                "the default route of IPv6 over {name} is not renewed any more and will run "
                "out: forwarding is on, and accept_ra is 1",
                name=name,
            ),
            remedies=_keep(name),
        )
    return common._replace(
        status="warn",
        summary=_(
            "the default route of IPv6 over {name} will vanish when Docker turns forwarding "
            "on (accept_ra is 1)",
            name=name,
        ),
        remedies=_keep(name),
        certainty="inferred",
    )


def _lost(name: str) -> Judgement:
    return Judgement(
        "fail",
        _("the default route of IPv6 is gone: {name} forwards packets, and accept_ra is 1", name=name),
        found=_("an address, no default route"),
        evidence=(Evidence(f"sysctl net.ipv6.conf.{name}.accept_ra", _("1, with forwarding on")),),
        remedies=_keep(name),
        certainty="inferred",
    )


def _awaited(name: str) -> Judgement:
    words = _("IPv6 waits for its default route: {name} takes the one that a router advertises", name=name)
    wait = _("Wait for the router's next advertisement, some minutes, then run this check again.")
    return Judgement("unknown", words, _("an address, no default route"), (), (wait,), certainty="untested")


def _shown(one: Advertised) -> str:
    origin = _("advertised") if one.route.advertised else _("fixed")
    return _(
        "{interface}: {origin}, accept_ra {accept}, forwarding {forwarding}",
        interface=one.route.interface,
        origin=origin,
        accept=one.accept,
        forwarding=one.forwarding,
    )


def _keep(interface: str) -> tuple[str, ...]:
    # sysctl takes slashes where an interface's name has dots (eth0.100).
    key = f"net.ipv6.conf.{interface}.accept_ra"
    if "." in interface:
        key = f"net/ipv6/conf/{interface}/accept_ra"
    return (
        _(
            "Accept advertisements although packets are forwarded: `sysctl -w {key}=2`, and the line "
            "`{key} = 2` in /etc/sysctl.d/99-accept-ra.conf.",
            key=key,
        ),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.ipv6",
        title="IPv6",
        needed=_("IPv6 works all the way, or is not there at all"),
        why=_(
            "Half of it is worse than none: others try IPv6 first and wait, Let's Encrypt looks "
            "at nothing else where an AAAA record exists, and mailcow decides by one ping whether "
            "to use it."
        ),
        doc=need.DOC_IPV6,
        severity="degrades",
        source=ipv6,
        judge=judge_ipv6,
        network=True,
    ),
    Check(
        id="network.accept-ra",
        title=_("IPv6 advertisements"),
        needed=_("the default route of IPv6 stays when this machine forwards packets (accept_ra = 2)"),
        why=_(
            "Docker turns forwarding on for IPv6. The kernel then takes no more routes from "
            "routers, unless accept_ra is 2: hours later IPv6 is gone, and nobody remembers why."
        ),
        doc="https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html",
        severity="breaks",
        source=advertisements,
        judge=judge_advertisements,
    ),
)
