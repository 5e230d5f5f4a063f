"""What can be done about the kernel's settings and modules."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import kernel
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import Offer, modules_load, sysctl
from mailcow_wizard.fixes.choices import possible, tried
from mailcow_wizard.language import _
from mailcow_wizard.model import Judgement, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_OPEN_FILES = 1_048_576  # the kernel's own default of fs.nr_open
_INSTANCES = 1024
_WATCHES = 65_536
_IPV6 = ("all", "default", "lo")


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    if check == "kernel.modules":
        return possible(lambda: modules_load.load_modules(judgement, facts))
    if judgement.status not in ("warn", "fail"):
        return ()
    if check == "kernel.overcommit":
        return possible(lambda: tried(lambda: _overcommit(facts)))
    if check == "kernel.inotify":
        return possible(lambda: tried(lambda: _limits(facts)))
    if check == "kernel.ipv6":
        return possible(lambda: tried(lambda: _without_ipv6(facts)), lambda: tried(lambda: _ipv6(facts)))
    return ()


def _overcommit(facts: Facts) -> Plan | None:
    strict = facts.get(kernel.overcommit) == 2
    return sysctl.plan(
        facts,
        "kernel.overcommit",
        {"vm.overcommit_memory": need.OVERCOMMIT_MEMORY},
        _("Grant memory always (vm.overcommit_memory = 1)"),
        "medium" if strict else "low",
        _(
            "Programs get the memory that they ask for, as Redis wants it. Where it then really runs "
            "out, the kernel ends a process."
        )
        + (_(" Somebody set 2 here on purpose, often for PostgreSQL: ask them.") if strict else ""),
    )


def _limits(facts: Facts) -> Plan | None:
    """A limit that was set outside of this container is not ours to raise."""
    found = facts.get(kernel.limits)
    if found.own_hard is not None and found.own_hard < need.DOVECOT_OPEN_FILES:
        return None
    wanted: dict[str, int] = {}
    if found.nr_open < need.DOVECOT_OPEN_FILES:
        wanted["fs.nr_open"] = _OPEN_FILES
    if found.instances < need.INOTIFY_INSTANCES:
        wanted["fs.inotify.max_user_instances"] = _INSTANCES
    if found.watches < need.INOTIFY_WATCHES:
        wanted["fs.inotify.max_user_watches"] = _WATCHES
    names = _(" and ").join(
        words
        for key, words in (("fs.nr_open", _("open files")), ("fs.inotify", _("watched files")))
        if any(one.startswith(key) for one in wanted)
    )
    return sysctl.plan(
        facts,
        "kernel.inotify",
        wanted,
        _("Raise the limits of {names}", names=names),
        "low",
        _("Programs may open or watch more files. The limits bind nobody who keeps below them."),
    )


def _without_ipv6(facts: Facts) -> Plan | None:
    """Telling mailcow is what harms least: the machine stays as it is."""
    found = facts.get(kernel.ipv6)
    if not found.wanted or (found.built and not found.disabled):
        return None
    from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect

    steps: tuple[PlanStep, ...] = (edit(facts, {"ENABLE_IPV6": "false"}),)
    told = takes_effect(facts, ("ENABLE_IPV6",))
    return Plan(
        "kernel.ipv6",
        None,
        "set-ipv6",
        _("Tell mailcow to do without IPv6 (ENABLE_IPV6=false)"),
        (*steps, told) if told else steps,
        "low",
        reversible=True,
        needs_root=True,
        consequence=_("mailcow's network is made without IPv6; mail goes over IPv4 only."),
    )


def _ipv6(facts: Facts) -> Plan | None:
    """Only where it is switched off by a setting; the kernel's command line needs a restart."""
    found = facts.get(kernel.ipv6)
    if not found.built or not found.disabled:
        return None
    return sysctl.plan(
        facts,
        "kernel.ipv6",
        {f"net.ipv6.conf.{name}.disable_ipv6": 0 for name in _IPV6},
        _("Switch IPv6 on"),
        "medium",
        _(
            "Every network card gets IPv6 addresses. Make sure first that the firewall has rules for "
            "IPv6: what listens here can then be reached that way too. Addresses that were set by "
            "hand come back when the network is restarted."
        ),
        interfaces="disable_ipv6",
    )
