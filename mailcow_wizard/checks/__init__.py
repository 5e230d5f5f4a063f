"""The checks by topic. A topic's file is imported when one of its checks is asked for."""

from mailcow_wizard.model import STEP_OF_TOPIC, Check

TOPICS: tuple[str, ...] = (
    "system",
    "kernel",
    "ports",
    "network",
    "firewall",
    "dns",
    "reputation",
    "time",
    "docker",
    "config",
    "mail",
)
"""Topics in the order of the wizard's steps; each is a module here with a tuple `CHECKS`."""

STEPS: tuple[str, ...] = tuple(dict.fromkeys(STEP_OF_TOPIC.get(topic, topic) for topic in TOPICS))
"""The ids of the steps that have checks: those that are selectors."""

_FAR = ("network", "reputation", "docker", "time")
"""Topics with checks that ask servers which may be far away; what usually takes longest is first."""


def of_topic(topic: str) -> tuple[Check, ...]:
    """The checks of one topic, in the order in which they are shown."""
    checks: tuple[Check, ...] = __import__(f"mailcow_wizard.checks.{topic}", fromlist=["CHECKS"]).CHECKS
    return checks


def all_checks() -> tuple[Check, ...]:
    """Every check, in the order of the steps."""
    return tuple(check for topic in TOPICS for check in of_topic(topic))


def longest() -> tuple[Check, ...]:
    """The checks that wait longest for answers, and for no other check: a run of all begins with them."""
    return tuple(check for topic in _FAR for check in of_topic(topic) if check.network and not check.after)
