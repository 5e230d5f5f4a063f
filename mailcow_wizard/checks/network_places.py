"""Judges of places and ways: the addresses that leave this machine, those of mailcow's containers, and the
largest packet."""

from __future__ import annotations

import ipaddress

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_ways import listed
from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.network.egress import Egress, egress
from mailcow_wizard.facts.network.mtu import Mtu, PathMtu, mtu
from mailcow_wizard.facts.network.subnet import Subnet, subnet
from mailcow_wizard.language import _, heard, pgettext
from mailcow_wizard.model import Check, Evidence, Judgement

_CARRIER = ipaddress.IPv4Network("100.64.0.0/10")  # RFC 6598: shared by a provider's customers


# --- addresses --------------------------------------------------------------------------------------------


def judge_addresses(facts: Egress) -> Judgement:
    """The worst of what the two families say."""
    v4, v6 = facts.v4, facts.v6
    common = Judgement(
        "pass",
        "",
        found=listed([_seen(one) for one in (v4, v6) if one.own or one.public]) or "none",
        evidence=(Evidence("ip route get 1.1.1.1", f"src {v4.own}" if v4.own else heard(v4.trouble)),),
    )
    if not v4.own:
        return common._replace(
            status="fail",
            severity="breaks",
            stops="here",
            summary=_("this machine has no way out over IPv4, and much of the world's mail has no other"),
            remedies=(_("See the addresses and routes: `ip address`, `ip route`."),),
        )
    wrong = _snat(facts)
    if wrong:
        return common._replace(
            status="fail", severity="breaks", summary=wrong, remedies=(_("Correct it in mailcow.conf."),)
        )
    if v4.own and ipaddress.ip_address(v4.own) in _CARRIER and v4.origin != "option":
        return common._replace(
            status="fail",
            severity="breaks",
            summary=_(
                "{own} is shared with other customers of the provider (CGNAT): no mail can come in",
                own=v4.own,
            ),
            certainty="inferred",
            remedies=(
                _("Ask the provider for a public IPv4 address of your own, or rent a server that has one."),
            ),
        )
    if not v4.public and v4.origin == "option":
        return common._replace(
            status="unknown",
            summary=_(
                "the public addresses that were named are none of IPv4; packets leave with {own}", own=v4.own
            ),
            certainty="untested",
            remedies=(_("Name the one of IPv4, too: `--address ADDRESS`."),),
        )
    if not v4.public:
        return common._replace(
            status="unknown",
            summary=_(
                "{own} is private, and which public address the world sees could not be found out: {trouble}",
                own=v4.own,
                trouble=v4.trouble,
            ),
            certainty="untested",
            remedies=(_("Name it: `--address ADDRESS`."),),
        )
    return _leaving(facts, common)


def _leaving(facts: Egress, common: Judgement) -> Judgement:
    v4 = facts.v4
    private = [one for one in facts.all_v6 if one.temporary and one.address == facts.v6.own]
    if private and not any(family == 6 for family, _key, _value in facts.snat):
        return common._replace(
            status="warn",
            summary=_(
                "IPv6 packets leave with {address}, a privacy address that changes every day",
                address=private[0].address,
            ),
            remedies=(
                _(
                    "Use the lasting address: `sysctl -w net.ipv6.conf.all.use_tempaddr=0` and the "
                    "same for {interface}, also in /etc/sysctl.d; or name it as SNAT6_TO_SOURCE in "
                    "mailcow.conf.",
                    interface=private[0].interface,
                ),
            ),
        )
    if v4.translated:
        return common._replace(
            status="warn",
            severity="advice",
            summary=_(
                "this machine ({own}) is behind NAT: the world sees {listed}",
                own=v4.own,
                listed=listed(v4.public),
            ),
            certainty="inferred",
            remedies=(
                _(
                    "All ports of mailcow have to be passed on to {own}; `mailcow-wizard reach` "
                    "proves it. The PTR record belongs to the public address.",
                    own=v4.own,
                ),
                _(
                    "Where mailcow.conf binds ports to one address (HTTP_BIND, SMTP_PORT=ADDRESS:25), "
                    "that has to be {own}: the public address is not on this machine.",
                    own=v4.own,
                ),
            ),
        )
    leaving = listed([one.own for one in (v4, facts.v6) if one.own])
    if facts.others and not facts.snat:
        return common._replace(
            summary=_(
                "mail leaves with {leaving}; this machine has {listed} too",
                leaving=leaving,
                listed=listed(facts.others),
            ),
            remedies=(
                _(
                    "To send with another one set SNAT_TO_SOURCE (or SNAT6_TO_SOURCE) in "
                    "mailcow.conf; its A, PTR and SPF records have to fit."
                ),
                _(
                    "To receive on one alone bind the ports to it: HTTP_BIND and HTTPS_BIND, and "
                    "SMTP_PORT=ADDRESS:25 and so on."
                ),
            ),
        )
    asked = "".join(_("; {key} makes it {value}", key=key, value=value) for _unused, key, value in facts.snat)
    return common._replace(
        summary=_(
            "packets leave with {leaving}, public and this machine's own{asked}", leaving=leaving, asked=asked
        )
    )


def _snat(facts: Egress) -> str:
    """What is wrong with the source that mailcow.conf asks for."""
    own = {*facts.all_v4, *(one.address for one in facts.all_v6)}
    for family, key, value in facts.snat:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return _("mailcow's {key}={value} is no address", key=key, value=value)
        if address.version != family:
            return _(
                "mailcow's {key}={value} is not an address of IPv{family}",
                key=key,
                value=value,
                family=family,
            )
        if own and str(address) not in own:
            return _(
                "mailcow's {key}={value} is not an address of this machine: no mail would leave",
                key=key,
                value=value,
            )
    return ""


def _seen(one: Addresses) -> str:
    if not one.own or one.own in one.public:
        return listed(one.public)
    return _("{own}, seen as {public}", own=one.own, public=listed(one.public) or _("unknown"))


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
        return common._replace(
            summary=_("packets of {mtu} bytes pass, as Docker takes for granted", mtu=need.MTU)
        )
    if 0 < facts.set <= smallest < facts.made:
        return common._replace(
            status="warn",
            summary=_(
                "at most {smallest} bytes pass; mailcow's network is to have {set} and still "
                "has {made}: it is made anew when mailcow is stopped and started",
                smallest=smallest,
                set=facts.set,
                made=facts.made,
            ),
            remedies=(_("In mailcow's directory: `docker compose down`, then `docker compose up -d`."),),
        )
    if 0 < facts.set <= smallest:
        return common._replace(
            summary=_(
                "packets of {smallest} bytes pass, and mailcow's network is set to {set}",
                smallest=smallest,
                set=facts.set,
            )
        )
    if not facts.set and 0 < facts.made <= smallest:
        return common._replace(
            summary=_(
                "packets of {smallest} bytes pass, and mailcow's network has {made}",
                smallest=smallest,
                made=facts.made,
            )
        )
    narrow = next(one for one in facts.paths if one.mtu == smallest)
    return common._replace(
        status="warn",
        severity="degrades" if narrow.told else "breaks",
        stops="here" if narrow.here else "way",
        summary=_too_small(narrow, facts),
        remedies=(_override(facts, smallest),),
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
    choose = (
        _("Set IPV4_NETWORK={free} in mailcow.conf", free=facts.free)
        + (_(", after `docker compose down`.") if facts.mine else _(", before the first start."))
        if facts.free
        else _("Set IPV4_NETWORK in mailcow.conf to the first three numbers of a free private network.")
    )
    if facts.trouble:
        return common._replace(
            status="fail", summary=_("mailcow.conf: {trouble}", trouble=facts.trouble), remedies=(choose,)
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
        )
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
    if facts.unread:
        return common._replace(
            status="unknown",
            summary=_(
                "no route uses {network}; Docker's networks could not be read: {unread}",
                network=facts.network,
                unread=facts.unread[0],
            ),
            certainty="untested",
            remedies=(_("Run the wizard as root: sudo ./wizard"),),
        )
    note = ""
    if facts.pool and not facts.mine:
        note = _("; until mailcow runs, Docker may give it to another network (pool {pool})", pool=facts.pool)
    owner = _("is mailcow's own") if facts.mine else pgettext("a network", "is free")
    return common._replace(summary=f"{facts.network} {owner}{note}")


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.addresses",
        title=_("Addresses"),
        needed=_("public addresses, those that the world sees when this machine sends"),
        why=_(
            "Other mail servers look at the address that mail comes from: its name, its record, "
            "its reputation. It has to be known, lasting and this server's own."
        ),
        doc=need.DOC_SNAT,
        severity="degrades",
        source=egress,
        judge=judge_addresses,
    ),
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
