"""Kernel modules: loaded now, and at every start by a file of ours in /etc/modules-load.d."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import modules, virtualization
from mailcow_wizard.facts.presence import read_if_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, Offer
from mailcow_wizard.fixes.choices import tried
from mailcow_wizard.host.errors import Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Fix, Judgement, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

FILE = "/etc/modules-load.d/mailcow-wizard.conf"
_HEAD = b"# Written by mailcow-wizard: modules that Docker's networks and images need\n"
_THERE = ("built in", "loaded")


def load_modules(judgement: Judgement, facts: Facts) -> Offer | None:
    """An offer to load what may be there or not; None where loading cannot help. Raises HostError.

    Modules that are known to be loadable need no help: Docker loads them itself. Those that are missing are
    in a package, or in another kernel.
    """
    found = facts.get(modules.modules)
    if judgement.status != "unknown" or found.others or not wanted(found):
        return None
    if facts.get(virtualization.virtualization).containers:
        return None  # in a container, the kernel is the business of the machine outside
    facts.host.info(f"/lib/modules/{found.release}")
    title = _("Load the kernel modules that Docker needs")
    return tried(lambda: plan(facts), Fix("load-modules", title, "low", True, True))


def wanted(found: modules.Modules) -> tuple[str, ...]:
    """The modules to load: of each part of the kernel that is not surely there its first set."""
    states = dict(found.states)
    names: dict[str, None] = {}
    for part in need.KERNEL_PARTS:
        if not any(all(states[one] in (*_THERE, "loadable") for one in names_) for names_ in part.sets):
            names.update(dict.fromkeys(one for one in part.sets[0] if states[one] not in _THERE))
    return tuple(names)


def plan(facts: Facts) -> Plan | None:
    """The plan to load them. Raises NoPlan where loading is switched off, HostError."""
    host, found = facts.host, facts.get(modules.modules)
    host.which("modprobe")
    try:
        if host.text("/proc/sys/kernel/modules_disabled", 64).strip() == "1":
            raise NoPlan(_("Loading modules is switched off until the next start (kernel.modules_disabled)."))
    except Missing:
        pass
    names = wanted(found)
    steps: list[PlanStep] = []
    if not host.exists(f"/lib/modules/{found.release}/modules.dep"):
        host.which("depmod")
        steps.append(Command(("depmod", "-a"), timeout=300.0))
    steps += [Command(("modprobe", name), (("modprobe", "-r", name),), undo_optional=True) for name in names]
    before = read_if_there(host, FILE)
    after = with_names(before, names)
    if after != before:
        steps.append(Edit(FILE, before, after))
    return Plan(
        "kernel.modules",
        None,
        "load-modules",
        _("Load the kernel modules {names}", names=", ".join(names)),
        tuple(steps),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "They are loaded now and at every start. Taken back, those that are in use by "
            "then stay loaded until the next start."
        ),
    )


def with_names(before: bytes | None, names: tuple[str, ...]) -> bytes:
    """Our file with these modules, one a line; what it names already stays."""
    data = before if before else _HEAD
    there = {line.strip() for line in data.decode("utf-8", "replace").splitlines()}
    end = "" if data.endswith(b"\n") else "\n"
    new = [name for name in names if name not in there]
    return data + (end + "".join(f"{name}\n" for name in new)).encode() if new else data
