"""What can be done about the network: the route by advertisement, the largest packet, mailcow's addresses."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.conf.compose_override import Strange, with_option
from mailcow_wizard.facts.compose_files import NEW_OVERRIDE, override_path
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.echoes import echoes
from mailcow_wizard.facts.network.ipv6 import advertisements, ipv6
from mailcow_wizard.facts.network.mtu import OPTION, mtu
from mailcow_wizard.facts.network.subnet import Subnet, subnet
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, Offer, sysctl
from mailcow_wizard.fixes.choices import for_root, possible, tried
from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect
from mailcow_wizard.host.errors import Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit, Judgement, Plan, Risk
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


_LIKE_THE_NETWORK = ("IPV4_NETWORK",)  # what is made only once, and so needs mailcow to stop


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    build = _BUILDERS.get(check)
    if build is None or judgement.status not in ("warn", "fail"):
        return ()
    return possible(lambda: tried(lambda: build(judgement, facts)))


def _accept_ra(judgement: Judgement, facts: Facts) -> Plan | None:
    found = facts.get(advertisements)
    names = (
        *found.lost,
        *(one.route.interface for one in found.defaults if one.route.advertised and one.accept == 1),
    )
    if not names:
        return None
    # Slashes, for an interface may have a dot in its name (eth0.100).
    wanted = {f"net/ipv6/conf/{name}/accept_ra": 2 for name in dict.fromkeys(names)}
    plan = sysctl.plan(
        facts,
        "network.accept-ra",
        wanted,
        _(
            "Go on accepting IPv6 routes over {names} (accept_ra = 2)",
            names=_(" and ").join(dict.fromkeys(names)),
        ),
        "low",
        _(
            "The default route of IPv6 stays when Docker turns forwarding on. Where it is gone "
            "already, it comes back with the router's next advertisement, within minutes."
        ),
    )
    return plan._replace(fix="accept-ra") if plan else None


def _override(judgement: Judgement, facts: Facts) -> Plan | None:
    found = facts.get(mtu)
    size = found.smallest
    if not size or size >= need.MTU or 0 < found.set <= size:
        return None
    return _largest(facts, size, found.override)


def largest_packet(facts: Facts, size: int) -> Plan:
    """The plan that keeps mailcow's packets to this size. Raises NoPlan, HostError."""
    return _largest(facts, size, override_path(facts))


def _largest(facts: Facts, size: int, path: str) -> Plan:
    directory = facts.settings.directory.rstrip("/")
    if not any(facts.host.exists(f"{directory}/{name}") for name in ("docker-compose.yml", "mailcow.conf")):
        raise NoPlan(
            _(
                "mailcow is not in {directory} yet: run this again when it was downloaded.",
                directory=directory,
            )
        )
    try:
        before: bytes | None = facts.host.read(path)
        text = (before or b"").decode("utf-8")
        after = with_option(text, OPTION, str(size))
    except Missing:
        before, after = None, with_option(NEW_OVERRIDE, OPTION, str(size))
    except (Strange, UnicodeDecodeError) as error:
        raise NoPlan(_("{path} is not changed by the wizard: {error}.", path=path, error=error)) from None
    return for_root(
        "network.mtu",
        "mtu-override",
        _("Let mailcow's network send at most {size} bytes at once", size=size),
        (Edit(path, before, after.encode()), takes_effect(facts, _LIKE_THE_NETWORK)),
        _(
            "mailcow's containers send packets of {size} bytes at most, which pass. The network is "
            "made anew when mailcow is stopped and started.",
            size=size,
        ),
    )


def _subnet(judgement: Judgement, facts: Facts) -> Plan | None:
    found = facts.get(subnet)
    if found.claims_v6 and not any(one.kind != "wide" for one in found.claims):
        return _subnet_v6(found, facts)
    if not found.free or (found.network and not found.claims) or not facts.get(mailcow_conf).exists:
        return None
    return _chosen(
        found,
        facts,
        {"IPV4_NETWORK": found.free},
        _("Give mailcow's containers the network {free}.0/24", free=found.free),
        _(
            "mailcow's containers get addresses that nothing else uses here. What was told the old "
            "ones (firewall rules, trusted networks of other programs) has to be told these."
        ),
    )


def _subnet_v6(found: Subnet, facts: Facts) -> Plan | None:
    if not found.free_v6 or not facts.get(mailcow_conf).exists:
        return None
    return _chosen(
        found,
        facts,
        {"IPV6_NETWORK": found.free_v6},
        _("Give mailcow's containers the network {free} of IPv6", free=found.free_v6),
        _("mailcow's containers get addresses of IPv6 that nothing else here uses."),
    )


def _chosen(found: Subnet, facts: Facts, values: dict[str, str], title: str, consequence: str) -> Plan:
    risk: Risk = "medium" if found.mine else "low"
    return _conf(facts, "network.subnet", "choose-subnet", values, title, consequence, risk)


def _healthcheck(judgement: Judgement, facts: Facts) -> Plan | None:
    """Only where name servers can be asked: else the test says what is so."""
    if judgement.subject != "v4" or not facts.get(mailcow_conf).exists:
        return None
    if not facts.get(echoes)[0].recursion:
        return None
    return _conf(
        facts,
        "network.icmp",
        "skip-healthcheck",
        {need.HEALTHCHECK_KEY: "y"},
        _("Start mailcow without the healthcheck of its resolver"),
        _(
            "mailcow starts although nobody answers a ping; name servers can be asked from here. That "
            "its resolver fails later will not be noticed by this test any more."
        ),
        subject="v4",
    )


def _ipv6(judgement: Judgement, facts: Facts) -> Plan | None:
    """mailcow.conf says what is so here, as far as that is known; where others are told of an address that
    does not work, that has to be taken back first."""
    found = facts.get(ipv6)
    works = bool(found.own) and found.passes
    wanted = "true" if works else "false"
    told = found.published is None or bool(found.published)
    if not facts.get(mailcow_conf).exists or found.configured == wanted:
        return None
    if not works and (told or found.held):
        return None
    title = _("Let mailcow use IPv6") if works else _("Let mailcow do without IPv6")
    return _conf(
        facts,
        "network.ipv6",
        "set-ipv6",
        {"ENABLE_IPV6": wanted},
        f"{title} (ENABLE_IPV6={wanted})",
        _("mailcow's network is made with IPv6.")
        if works
        else _("mailcow's network is made without IPv6; mail goes over IPv4 only."),
    )


def _conf(
    facts: Facts,
    check: str,
    fix: str,
    values: dict[str, str],
    title: str,
    consequence: str,
    risk: Risk = "low",
    subject: str | None = None,
) -> Plan:
    steps = (edit(facts, values), takes_effect(facts, tuple(values)))
    return for_root(check, fix, title, steps, consequence, risk, subject)


_BUILDERS: dict[str, Callable[[Judgement, Facts], Plan | None]] = {
    "network.accept-ra": _accept_ra,
    "network.mtu": _override,
    "network.subnet": _subnet,
    "network.icmp": _healthcheck,
    "network.ipv6": _ipv6,
}
