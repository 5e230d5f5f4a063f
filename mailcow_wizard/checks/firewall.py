"""The checks of firewalls: this machine's own, and those before it."""

from mailcow_wizard.checks import firewall_inbound
from mailcow_wizard.model import Check

CHECKS: tuple[Check, ...] = firewall_inbound.CHECKS
