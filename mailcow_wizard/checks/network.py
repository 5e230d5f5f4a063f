"""The checks of the network: which addresses this machine has, what gets out of it, which ways lead where."""

from mailcow_wizard.checks import (
    network_addresses,
    network_hairpin,
    network_hosts,
    network_ipv6,
    network_mail,
    network_names,
    network_places,
)
from mailcow_wizard.model import Check

CHECKS: tuple[Check, ...] = (
    *network_addresses.CHECKS,
    *network_mail.CHECKS,
    *network_hosts.CHECKS,
    *network_names.CHECKS,
    *network_ipv6.CHECKS,
    *network_places.CHECKS,
    *network_hairpin.CHECKS,
)
