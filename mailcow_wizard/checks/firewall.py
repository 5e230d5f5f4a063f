"""The checks of firewalls: this machine's own, and those before it."""

from mailcow_wizard.checks import firewall_backend, firewall_inbound, firewall_local, firewall_masquerade
from mailcow_wizard.model import Check

CHECKS: tuple[Check, ...] = (
    *firewall_local.CHECKS,
    *firewall_backend.CHECKS,
    *firewall_masquerade.CHECKS,
    *firewall_inbound.CHECKS,
)
