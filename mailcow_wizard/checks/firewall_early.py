"""What is said of that which decides about packets besides all rules."""

from __future__ import annotations

from mailcow_wizard.checks.troubles import Trouble
from mailcow_wizard.facts.firewall.early import Bound, Early, Route
from mailcow_wizard.facts.firewall.forwarding import sysctl_name
from mailcow_wizard.language import _, heard
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import Status

_PROVE = _("Then prove it: ./wizard reach")


def troubles(seen: Early, has_v4: bool) -> list[Trouble]:
    """One for each interface and each address that something is the matter with."""
    return [*map(_bound, seen.bound), *(_route(one, has_v4) for one in seen.routes)]


def _bound(one: Bound) -> Trouble:
    if one.kind == "xdp":
        words = _(
            "whether packets get to the rules is not known: a program at {interface} (XDP) sees them first, "
            "and may drop them",
            interface=one.interface,
        )
        look = f"ip -d link show {one.interface}"
    else:
        words = _(
            "whether packets get to the rules is not known: a filter at {interface} (tc) sees them first, "
            "and may drop them",
            interface=one.interface,
        )
        look = f"tc filter show dev {one.interface} ingress"
    return Trouble("unknown", words, (_("See what it is: {look}.", look=look) + " " + _PROVE,))


def _route(one: Route, has_v4: bool) -> Trouble:
    status: Status = "warn" if one.family == 6 and has_v4 else "fail"
    if one.kind in ("dropped", "doubted"):
        loose = f"sysctl -w {sysctl_name(f'ipv4/conf/{one.interface}/rp_filter')}=2"
        remedy = _(
            "Have the kernel ask for any way back: {loose}, in /etc/sysctl.d too. Answers must leave by "
            "{interface}, or be let through where they leave: ip rule.",
            loose=loose,
            interface=one.interface,
        )
        if one.kind == "doubted":
            words = _(
                "whether packets that come in by {interface} are taken is not known: the way back leads "
                "elsewhere (rp_filter is 1), unless marks lead it",
                interface=one.interface,
            )
            return Trouble("unknown", words, (remedy, _PROVE))
        words = _(
            "packets that come in by {interface} are dropped before all rules: the way back to the world "
            "leads elsewhere (rp_filter is 1)",
            interface=one.interface,
        )
        return Trouble(status, words, (remedy,))
    if one.kind in ("kept out", "stopped"):
        words = (
            _(
                "answers from {address} are stopped by a route, or a rule for routes ({said})",
                address=one.address,
                said=heard(one.said),
            )
            if one.kind == "stopped"
            else _(
                "packets that come in by {interface} are stopped by a route, or a rule for routes ({said})",
                interface=one.interface,
                said=heard(one.said),
            )
        )
        return Trouble(
            status, words, (_("See them: ip -{family} rule; ip -{family} route.", family=one.family),)
        )
    words = _(
        "whether answers arrive is not known: packets come in by {interface}, and answers leave by {other}",
        interface=one.interface,
        other=one.said,
    )
    remedy = _(
        "Have answers from the public address leave by {interface}, too: ip -{family} rule add from ADDRESS "
        "lookup TABLE, where that table's default route leads there.",
        interface=one.interface,
        family=one.family,
    )
    return Trouble("unknown", words, (remedy, _PROVE))
