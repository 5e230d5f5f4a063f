"""The checks of the network: which addresses this machine has, what gets out of it, which ways lead where."""

from mailcow_wizard.checks import (
    network_hairpin,
    network_hosts,
    network_ipv6,
    network_mail,
    network_names,
    network_places,
)
from mailcow_wizard.model import Check

_ADDRESSES, _MTU, _SUBNET = network_places.CHECKS

CHECKS: tuple[Check, ...] = (
    _ADDRESSES,
    *network_mail.CHECKS,
    *network_hosts.CHECKS,
    *network_names.CHECKS,
    *network_ipv6.CHECKS,
    _MTU,
    _SUBNET,
    *network_hairpin.CHECKS,
)
