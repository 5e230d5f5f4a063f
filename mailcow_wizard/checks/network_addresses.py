"""Judge of the addresses that packets leave this machine with."""

from __future__ import annotations

import ipaddress

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.network.egress import Egress, egress
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement

_CARRIER = ipaddress.IPv4Network("100.64.0.0/10")  # RFC 6598: shared by a provider's customers


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
    wrong, unread = _snat(facts)
    if wrong:
        return common._replace(
            status="fail", severity="breaks", summary=wrong, remedies=(_("Correct it in mailcow.conf."),)
        )
    private = v4.private or v6.private
    if private:
        return common._replace(
            status="fail" if v4.private else "warn",
            severity="breaks" if v4.private else "degrades",
            summary=ngettext(
                "{listed} was named as public, and is private: the world cannot send mail there",
                "{listed} were named as public, and are private: the world cannot send mail there",
                len(private),
                listed=listed(private),
            ),
            remedies=(_("Name the public address: `--address ADDRESS`."),),
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
            remedies=(_name_it(v6),),
        )
    if unread:
        return common._replace(
            status="unknown",
            summary=unread,
            certainty="untested",
            remedies=(_("See whether this machine has it: `ip address`."),),
        )
    return _leaving(facts, common)


def _name_it(v6: Addresses) -> str:
    """How the address of IPv4 is named: whoever names addresses names them all."""
    if v6.public:
        return _(
            "Name it, and with it the one of IPv6: `--address ADDRESS --address {own}`.", own=v6.public[0]
        )
    return _("Name it: `--address ADDRESS`.")


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
    other = [one for one in v4.public if v4.translated and facts.has(one)]
    asked_for = [value for family, _key, value in facts.snat if family == 4]
    sent = v4.sent or facts.sent
    if other and not set(other) & {*asked_for, sent}:
        return _unused(other, sent or v4.own, common)
    if v4.translated and not other:
        return _behind_nat(v4, common)
    leaving = listed([one.own for one in (v4, facts.v6) if one.own])
    if sent and not asked_for:
        return common._replace(
            summary=_(
                "mail leaves with {sent}, and this machine's own packets with {own}", sent=sent, own=v4.own
            ),
            remedies=(
                _(
                    "Docker masquerades what mailcow's containers send, whatever source the route names. "
                    "To send mail with {own}, set SNAT_TO_SOURCE={own} in mailcow.conf; its A, PTR and SPF "
                    "records have to fit.",
                    own=v4.own,
                ),
            ),
        )
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


def _unused(other: list[str], own: str, common: Judgement) -> Judgement:
    """Addresses that were named as public, and no mail leaves with any of them."""
    return common._replace(
        status="warn",
        severity="breaks",
        summary=ngettext(
            "{listed} was named as public and is this machine's own, but mail leaves with {own}",
            "{listed} were named as public and are this machine's own, but mail leaves with {own}",
            len(other),
            listed=listed(other),
            own=own,
        ),
        remedies=(
            _("To send with it set SNAT_TO_SOURCE={address} in mailcow.conf.", address=other[0]),
            _("Or name the one that mail leaves with, too: `--address {own}`.", own=own),
        ),
    )


def _behind_nat(v4: Addresses, common: Judgement) -> Judgement:
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
                "All ports of mailcow have to be passed on to {own}; `./wizard reach` "
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


def _snat(facts: Egress) -> tuple[str, str]:
    """What is wrong with the source that mailcow.conf asks for, and what of it nobody knows."""
    unread = ""
    for family, key, value in facts.snat:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return _("mailcow's {key}={value} is no address", key=key, value=value), ""
        if address.version != family:
            said = _(
                "mailcow's {key}={value} is not an address of IPv{family}",
                key=key,
                value=value,
                family=family,
            )
            return said, ""
        known = facts.has(str(address))
        if known is None:
            unread = unread or _(
                "whether mailcow's {key}={value} is an address of this machine could not be read",
                key=key,
                value=value,
            )
        elif not known:
            said = _(
                "mailcow's {key}={value} is not an address of this machine: no mail would leave",
                key=key,
                value=value,
            )
            return said, ""
    return "", unread


def _seen(one: Addresses) -> str:
    if not one.own or one.own in one.public:
        return listed(one.public)
    return _("{own}, seen as {public}", own=one.own, public=listed(one.public) or _("unknown"))


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
)
