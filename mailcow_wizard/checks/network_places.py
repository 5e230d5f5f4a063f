"""Judges of places and ways: the largest packet, and the addresses of mailcow's containers."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.network.mtu import Mtu, PathMtu, mtu
from mailcow_wizard.facts.network.subnet import Subnet, subnet
from mailcow_wizard.language import _, heard, pgettext
from mailcow_wizard.model import Certainty, Check, Evidence, Judgement

# --- mtu --------------------------------------------------------------------------------------------------


def judge_mtu(facts: Mtu) -> Judgement:
    """Less than what Docker takes for granted warns, unless mailcow's network is told."""
    common = Judgement(
        "pass",
        "",
        found=listed([f"IPv{one.family}: {one.mtu or heard(one.trouble)}" for one in facts.paths]),
        evidence=tuple(_sized(one) for one in facts.paths),
    )
    smallest = facts.smallest
    if not smallest:
        return common._replace(
            status="unknown",
            summary=_("the largest packet could not be found out: {trouble}", trouble=facts.paths[0].trouble),
            certainty="untested",
            remedies=(_('See "Echo requests": they are what this is measured with.'),),
        )
    if smallest >= need.MTU:
        words = _("packets of {mtu} bytes pass, as Docker takes for granted", mtu=need.MTU)
        return _of_all_paths(facts, common._replace(summary=words))
    made = facts.made or 0
    if 0 < facts.set <= smallest < made:
        return common._replace(
            status="warn",
            summary=_(
                "at most {smallest} bytes pass; mailcow's network is to have {set} and still "
                "has {made}: it is made anew when mailcow is stopped and started",
                smallest=smallest,
                set=facts.set,
                made=made,
            ),
            remedies=(_("In mailcow's directory: `docker compose down`, then `docker compose up -d`."),),
        )
    if 0 < facts.set <= smallest and facts.made is None:
        return common._replace(
            status="unknown",
            summary=_(
                "packets of {smallest} bytes pass, and mailcow's network is to have {set}; what it has, "
                "Docker does not tell",
                smallest=smallest,
                set=facts.set,
            ),
            certainty="untested",
            remedies=(_("Run the wizard as root, and see whether Docker answers: `docker network ls`."),),
        )
    if 0 < facts.set <= smallest:
        words = _(
            "packets of {smallest} bytes pass, and mailcow's network is set to {set}",
            smallest=smallest,
            set=facts.set,
        )
        return _of_all_paths(facts, common._replace(summary=words))
    if not facts.set and 0 < made <= smallest:
        words = _(
            "packets of {smallest} bytes pass, and mailcow's network has {made}", smallest=smallest, made=made
        )
        return _of_all_paths(facts, common._replace(summary=words))
    narrow = next(one for one in facts.paths if one.mtu == smallest)
    return common._replace(
        status="warn",
        severity="degrades" if narrow.told else "breaks",
        stops="here" if narrow.here else "way",
        summary=_too_small(narrow, facts),
        remedies=(_override(facts, smallest), *_of_this_machine(narrow)),
    )


def _of_this_machine(narrow: PathMtu) -> tuple[str, ...]:
    """Its own connections (git, Docker's downloads) hang where nobody reports what gets lost."""
    if narrow.here or narrow.told:
        return ()
    return (
        _(
            "This machine's own downloads hang as well: ip link set dev INTERFACE mtu {size}, for the "
            "interface of the default route (ip route show default), and in the settings of this machine's "
            "network.",
            size=narrow.mtu,
        ),
    )


def _of_all_paths(facts: Mtu, judged: Judgement) -> Judgement:
    """The same, where the other family that mailcow sends over has been measured too."""
    lacking = next((one for one in facts.paths if one.trouble and (one.family == 4 or facts.uses_v6)), None)
    if lacking is None:
        return judged
    return judged._replace(
        status="unknown",
        summary=_(
            "the largest packet over IPv{family} could not be found out: {trouble}; for the other: {words}",
            family=lacking.family,
            trouble=heard(lacking.trouble),
            words=judged.summary,
        ),
        certainty="untested",
        remedies=(_('See "Echo requests": they are what this is measured with.'),),
    )


def _too_small(narrow: PathMtu, facts: Mtu) -> str:
    if narrow.here:
        how = _("this machine's own interface takes no more")
    elif narrow.told:
        how = _("{by} reports it", by=narrow.by)
    else:
        how = _("and nobody reports it, so connections hang half-way")
    now = (
        _("mailcow's network is set to {set}", set=facts.set)
        if facts.set
        else _("containers send {mtu}", mtu=need.MTU)
    )
    return _(
        "at most {mtu} bytes pass over IPv{family} ({how}), and {now}",
        mtu=narrow.mtu,
        family=narrow.family,
        how=how,
        now=now,
    )


def _override(facts: Mtu, size: int) -> str:
    return _(
        "In {override}, below networks, {network}, driver_opts, set {option}: "
        '"{size}"; then `docker compose down` and `docker compose up -d`.',
        override=facts.override,
        network=need.MAILCOW_NETWORK,
        option=need.MTU_OPTION,
        size=size,
    )


def _sized(one: PathMtu) -> Evidence:
    header, target = (28, need.HEALTHCHECK_PINGS[0]) if one.family == 4 else (48, need.IPV6_PINGS[0])
    shown = _("at most {mtu} bytes", mtu=one.mtu) if one.mtu else heard(one.trouble)
    return Evidence(f"ping -c 1 -M do -s {need.MTU - header} {target}", shown)


# --- subnet -----------------------------------------------------------------------------------------------


def judge_subnet(facts: Subnet) -> Judgement:
    """Another owner of the same addresses fails; a wider route, of which mailcow takes a part, warns."""
    common = Judgement(
        "pass",
        "",
        found=listed([f"{one.by} ({one.network})" for one in facts.claims]) or _("nothing else uses it"),
        evidence=(
            Evidence("ip route show table all", listed([one.network for one in facts.claims]) or "nothing"),
        ),
    )
    choose = _choose(facts)
    if facts.trouble:
        return common._replace(
            status="fail",
            summary=_("mailcow.conf: {trouble}", trouble=facts.trouble),
            found=facts.trouble,
            evidence=(),
            remedies=(choose,),
        )
    hard = [one for one in facts.claims if one.kind != "wide"]
    if hard:
        return common._replace(
            status="fail",
            summary=_(
                "{network}, mailcow's network, is in use: {listed}",
                network=facts.network,
                listed=listed([one.by for one in hard[:3]]),
            ),
            remedies=(choose,),
            left_to_install=facts.left_to_install,
        )
    if facts.claims_v6:
        return _taken_v6(facts)
    if facts.claims:
        return common._replace(
            status="warn",
            severity="degrades",
            summary=_(
                "{network} lies within {wider}, {by}: mailcow takes these addresses away from it",
                network=facts.network,
                wider=facts.claims[0].network,
                by=facts.claims[0].by,
            ),
            remedies=(choose,),
        )
    if facts.routes_unread:
        return common._replace(
            status="unknown",
            summary=_(
                "no route of the main table uses {network}; the other tables could not be read: {unread}",
                network=facts.network,
                unread=heard(facts.routes_unread),
            ),
            certainty="untested",
            remedies=(
                _(
                    "See them: `ip route show table all`. Nothing in there may hold {network}.",
                    network=facts.network,
                ),
            ),
        )
    if facts.unread and not facts.mine:
        return common._replace(
            status="unknown",
            summary=_(
                "no route uses {network}; Docker's networks could not be read: {unread}",
                network=facts.network,
                unread=facts.unread[0],
            ),
            certainty="untested",
            remedies=(_("Run the wizard as root, and see whether Docker answers: `docker network ls`."),),
        )
    note = ""
    if facts.pool and not facts.mine:
        note = _("; until mailcow runs, Docker may give it to another network (pool {pool})", pool=facts.pool)
    owner = _("is mailcow's own") if facts.mine else pgettext("a network", "is free")
    # Of a network that Docker does not tell, its bridge tells.
    certainty: Certainty = "inferred" if facts.unread else "proved"
    return common._replace(summary=f"{facts.network} {owner}{note}", certainty=certainty)


def _choose(facts: Subnet) -> str:
    """What gives mailcow another network; where the install does it, that it does."""
    if not facts.free:
        return _("Set IPV4_NETWORK in mailcow.conf to the first three numbers of a free private network.")
    if facts.open:
        return _(
            "Nothing to do where the wizard installs mailcow: it takes {free}.0/24. By hand: set "
            "IPV4_NETWORK={free} in mailcow.conf, before the first start.",
            free=facts.free,
        )
    return _set(facts, "IPV4_NETWORK", facts.free)


def _set(facts: Subnet, key: str, value: str) -> str:
    return _("Set {key}={value} in {source}", key=key, value=value, source=facts.source) + (
        _(", after `docker compose down`.") if facts.mine else _(", before the first start.")
    )


def _taken_v6(facts: Subnet) -> Judgement:
    others = facts.claims_v6
    return Judgement(
        "fail",
        _(
            "{network}, mailcow's network of IPv6, is in use: {listed}",
            network=facts.network_v6,
            listed=listed(list(dict.fromkeys(one.by for one in others))[:3]),
        ),
        listed([f"{one.by} ({one.network})" for one in others]),
        (
            Evidence(
                "ip -6 route show table all"
                if others[0].kind == "route"
                else "docker network ls -q | xargs docker network inspect | grep Subnet",
                listed([one.network for one in others]),
            ),
        ),
        (_set(facts, "IPV6_NETWORK", facts.free_v6 or "fd…/64"),),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.mtu",
        title=_("Packet size"),
        needed=_("packets of {mtu} bytes pass, or mailcow's network is told what does", mtu=need.MTU),
        why=_(
            "Docker's networks send 1500 bytes at once. Where less passes, and nobody says so, "
            "connections open and then hang: mail with attachments, TLS, downloads."
        ),
        doc=need.DOC_MTU,
        severity="degrades",
        source=mtu,
        judge=judge_mtu,
        network=True,
    ),
    Check(
        id="network.subnet",
        title=_("Container network"),
        needed=_("a /24 for mailcow's containers that nothing else uses"),
        why=_(
            "Two owners of one network: Docker refuses to start mailcow, or answers to a VPN, an "
            "office or a database end in the wrong place."
        ),
        doc=need.DOC_NETWORK,
        severity="blocks",
        source=subnet,
        judge=judge_subnet,
    ),
)
