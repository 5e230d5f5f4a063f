"""What options of Docker's bridge networks do to mailcow: whom its ports are published to, whether its
containers reach each other and the world."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.checks.troubles import Trouble
from mailcow_wizard.facts.docker_network import PREFIX, NetworkOptions
from mailcow_wizard.language import _

_FALSE = ("0", "f", "F", "false", "FALSE", "False")  # as Docker reads it (strconv.ParseBool)
_TRANSLATES = ("", "nat", "nat-unprotected")
_ADDRESS, _ICC, _MASQUERADE = "host_binding_ipv4", "enable_icc", "enable_ip_masquerade"
_MODE = "gateway_mode_ipv4"


def troubles(seen: NetworkOptions) -> list[Trouble]:
    """One for each option that mailcow does not get along with."""
    found = [_of_address(seen)]
    if seen.options.get(_ICC) in _FALSE:
        words = _(
            "containers of mailcow's network do not reach each other: {option}", option=_named(seen, _ICC)
        )
        found.append(Trouble("fail", words, _remedies(seen, _ICC), "breaks"))
    if seen.options.get(_MASQUERADE) in _FALSE:
        words = _(
            "containers of mailcow's network have no way out: {option}", option=_named(seen, _MASQUERADE)
        )
        found.append(Trouble("fail", words, _remedies(seen, _MASQUERADE), "breaks"))
    if seen.options.get(_MODE, "") not in _TRANSLATES:
        words = _("mailcow's ports are not published over IPv4: {option}", option=_named(seen, _MODE))
        found.append(Trouble("fail", words, _remedies(seen, _MODE), "breaks"))
    return [one for one in found if one]


def _of_address(seen: NetworkOptions) -> Trouble | None:
    said = seen.options.get(_ADDRESS, "")
    if not said:
        return None
    option, remedies = _named(seen, _ADDRESS), _remedies(seen, _ADDRESS)
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        words = _("Docker makes no network with {option}, which is no address", option=option)
        return Trouble("fail", words, remedies, "breaks")
    if address.version == 6:
        words = _("mailcow's ports are not published over IPv4: {option}", option=option)
        return Trouble("fail", words, remedies, "breaks")
    if address.is_loopback:
        words = _("mailcow's ports are published to this machine alone: {option}", option=option)
        return Trouble("fail", words, remedies, "breaks")
    if address.is_unspecified:
        return None
    words = _(
        "mailcow's ports are published at one address alone, and not over IPv6: {option}", option=option
    )
    return Trouble("warn", words, remedies)


def _named(seen: NetworkOptions, key: str) -> str:
    return f"{PREFIX}{key}={seen.options[key]}"


def _remedies(seen: NetworkOptions, key: str) -> tuple[str, ...]:
    if seen.made:
        return (
            _(
                "Take {option} out (default-network-opts in daemon.json, driver_opts in mailcow's override "
                "file), restart Docker, and have the network made anew: docker compose down, then docker "
                "compose up -d",
                option=f"{PREFIX}{key}",
            ),
        )
    return (
        _(
            "Take {option} out of default-network-opts in daemon.json, and restart Docker.",
            option=f"{PREFIX}{key}",
        ),
    )
