"""The checks of mailcow.conf and of the checkout that it lies in. The judges have files of their own."""

from mailcow_wizard.checks.config_checkout import CHECKOUT
from mailcow_wizard.checks.config_environment import ENV_LEAK
from mailcow_wizard.checks.config_file import ENV_LINK, PERMISSIONS, PRESENT
from mailcow_wizard.checks.config_lint import CONSISTENCY, SYNTAX, VALUES
from mailcow_wizard.checks.config_values import COMPOSE, HOSTNAME, TIMEZONE
from mailcow_wizard.model import Check

CHECKS: tuple[Check, ...] = (
    PRESENT,
    PERMISSIONS,
    SYNTAX,
    VALUES,
    HOSTNAME,
    TIMEZONE,
    COMPOSE,
    CONSISTENCY,
    ENV_LINK,
    ENV_LEAK,
    CHECKOUT,
)
