"""What can be done about a finding, best first. A topic is imported when a finding of it is seen."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Fix, Judgement, Plan
from mailcow_wizard.typed import NamedTuple

TOPICS: tuple[str, ...] = (
    *("system", "kernel", "ports", "network", "firewall", "dns", "time", "docker", "config", "mail"),
)
"""Topics that have fixes; each is a module here with a function `offers(check, judgement, facts)`."""

IDS: dict[str, tuple[str, ...]] = {
    "ports": (
        *("stop-service", "stop-container", "loopback-mta", "move-port", "bind-address", "proxy-mode"),
        "remove-package",
    ),
    "system": ("swapfile", "skip-clamd", "skip-fts", "install-tools"),
    "kernel": ("sysctl", "load-modules"),
    "time": ("enable-ntp", "set-ntp-servers", "stop-second-ntp", "set-timezone"),
    "config": ("conf-", "set-hostname", "restore-conf", "chmod-tracked"),
    "network": ("accept-ra", "mtu-override", "choose-subnet", "skip-healthcheck", "set-ipv6"),
    "firewall": ("open-ports", "docker-user-rules", "disable-firewall"),
    "dns": ("push-records",),
    "docker": (
        *("install-docker", "install-compose", "merge-daemon-json", "start-docker", "remove-leftovers"),
        *("relay-v4-binds", "docker-proxy"),
    ),
    "mail": ("reset-admin",),
}
"""The ids of all fixes by topic (contract); `conf-` begins the id of one for each rule of lint."""


def is_known(check: str, fix: str) -> bool:
    """Whether a fix of this id can ever be offered for a check of this topic."""
    ids = IDS.get(check.partition(".")[0], ())
    return any(fix.startswith(one) and fix != one if one.endswith("-") else fix == one for one in ids)


class NoPlan(HostError):
    """The change cannot be planned on this machine; the text is one calm sentence that says why."""


class Offer(NamedTuple):
    """A fix that makes sense for a finding, and how to plan it.

    `plan` reads the machine and changes nothing. It raises HostError (NoPlan where the reason is not that
    the machine did not answer).
    """

    fix: Fix
    plan: Callable[[], Plan]


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this judgement of the check with this id, best first. Raises HostError."""
    topic = check.partition(".")[0]
    if topic not in TOPICS:
        return ()
    module = __import__(f"mailcow_wizard.fixes.{topic}", fromlist=["offers"])
    found: tuple[Offer, ...] = module.offers(check, judgement, facts)
    return found
