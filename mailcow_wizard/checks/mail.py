"""The checks of the installed server: its containers, ports, certificate, administrator, relaying, mail."""

from mailcow_wizard.checks import (
    mail_admin,
    mail_certificate,
    mail_containers,
    mail_ports,
    mail_relay,
    mail_round_trip,
)
from mailcow_wizard.model import Check

CHECKS: tuple[Check, ...] = (
    *mail_containers.CHECKS,
    *mail_ports.CHECKS,
    *mail_certificate.CHECKS,
    *mail_admin.CHECKS,
    *mail_relay.CHECKS,
    *mail_round_trip.CHECKS,
)
