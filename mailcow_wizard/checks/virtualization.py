"""Judges of the kind of machine: virtualization, appliances, control panels."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import virtualization as facts
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement

_FULL_MACHINE = _("Move to a virtual machine (KVM, VMware, Hyper-V, Xen) or to bare metal.")


def judge_virtualization(found: facts.Virtualization) -> Judgement:
    """Our own evidence of a container wins over a tool that sees none."""
    evidence = tuple(Evidence(sign.seen, sign.value) for sign in (*found.containers, *found.machines))
    if not evidence:
        evidence = (Evidence("systemd-detect-virt", _("none") if found.excluded else _("did not answer")),)
    refused = [sign for sign in found.containers if sign.name in need.REFUSED_VIRTUALIZATION]
    if refused:
        name = need.REFUSED_VIRTUALIZATION[refused[0].name]
        return Judgement(
            "fail",
            _("this is a container of {name}; mailcow does not run in one", name=name),
            _("{name} container", name=name),
            evidence,
            (_FULL_MACHINE, _("On a Proxmox host: make a virtual machine instead of a container.")),
        )
    if found.containers:
        sign = found.containers[0].name
        name = need.OTHER_CONTAINERS.get(sign, _('a container ("{sign}")', sign=sign))
        return Judgement(
            "warn",
            _("this is inside {name}; mailcow is made for a machine with a kernel of its own", name=name),
            _("inside {name}", name=name),
            evidence,
            (_FULL_MACHINE,),
            severity="breaks",
            why=_(
                "Docker inside a container depends on what the outer one allows; addresses, "
                "firewall and memory limits are not its own."
            ),
        )
    if not found.excluded:
        summary = _("cannot tell whether this is a container: /proc/1/environ says nothing")
        remedies: tuple[str, ...] = (_("Ask your provider for the kind of virtualization."),)
        if found.denied:
            summary = _("needs root: whether this is a container can be seen in /proc/1/environ only")
            remedies = (
                _("Run this check with sudo."),
                _("Or ask your provider for the kind of virtualization."),
            )
        return Judgement(
            "unknown",
            summary,
            _("no sign of a container in what could be read"),
            tuple(
                Evidence(f"ls -l {path}", _("not readable")) for path in found.unread if path.startswith("/")
            ),
            remedies,
            certainty="untested",
        )
    if found.machines:
        names = [need.VIRTUAL_MACHINES.get(sign.name, "") for sign in found.machines]
        name = next((one for one in names if one), "")
        words = _("a virtual machine ({name})", name=name) if name else _("a virtual machine")
        return Judgement("pass", words, words, evidence)
    unseen = any(path.startswith(("/sys/class/dmi", "/proc/cpuinfo")) for path in found.unread)
    words = (
        _("a machine of its own") if unseen else _("bare metal: no sign of a container or virtual machine")
    )
    return Judgement("pass", words, words, evidence, certainty="inferred")


def judge_appliance(found: facts.Places) -> Judgement:
    """A storage box's firmware fails; systems that are servers with a purpose of their own warn."""
    if not found.found:
        words = _("an ordinary system, no appliance")
        return Judgement("pass", words, words, (Evidence("ls /etc", _("nothing that an appliance has")),))
    evidence = tuple(Evidence(f"ls -d {path}", path) for _unused, path in found.found)
    firmware = {one.name for one in need.APPLIANCES if one.firmware}
    names = [name for name, _unused in found.found]
    bad = [name for name in names if name in firmware]
    if bad:
        words = _(" and ").join(bad)
        return Judgement(
            "fail",
            _("this is {words}; mailcow does not run on appliance firmware", words=words),
            words,
            evidence,
            (_("Run mailcow in a virtual machine on it (Debian or Ubuntu), or on a server of its own."),),
        )
    words = _(" and ").join(names)
    return Judgement(
        "warn",
        _("this is {words}; mailcow belongs on a system of its own", words=words),
        words,
        evidence,
        (_("Make a virtual machine for mailcow on it."),),
        severity="degrades",
        why=_(
            "Such a system manages its network, web server and packages itself; Docker's rules "
            "and mailcow's ports get in its way, and its updates in mailcow's."
        ),
    )


def judge_panel(found: facts.Places) -> Judgement:
    """Panels and mail suites run servers on mailcow's ports."""
    if not found.found:
        words = _("no control panel and no other mail suite")
        return Judgement("pass", words, words, (Evidence("ls /usr/local /etc /opt", _("none that we know")),))
    names = [name for name, _unused in found.found]
    words = _(" and ").join(names)
    apart = _("Give mailcow a machine of its own.")
    judgement = Judgement(
        "warn",
        ngettext(
            "{words} is on this machine; its web and mail servers want mailcow's ports",
            "{words} are on this machine; their web and mail servers want mailcow's ports",
            len(names),
            words=words,
        ),
        words,
        tuple(Evidence(f"ls -d {path}", path) for _unused, path in found.found),
        (apart, _("Or switch off its mail server and put mailcow behind its web server (reverse proxy).")),
    )
    if not set(names) <= set(need.WEB_PANELS):
        return judgement
    return judgement._replace(
        summary=ngettext(
            "{words} is on this machine; its web server wants mailcow's ports 80 and 443",
            "{words} are on this machine; their web servers want mailcow's ports 80 and 443",
            len(names),
            words=words,
        ),
        remedies=(apart, _("Or put mailcow behind its web server (reverse proxy).")),
        why=_("It holds ports 80 and 443, and takes them again with each update."),
    )


VIRTUALIZATION = Check(
    id="system.virtualization",
    title=_("Virtualization"),
    needed=_("bare metal or a virtual machine with a kernel of its own"),
    why=_(
        "OpenVZ, Virtuozzo and LXC share their host's kernel: Docker's networks, firewall and "
        "limits do not work there as mailcow needs them (not supported since 2020)."
    ),
    doc=need.DOC_SYSTEM,
    severity="blocks",
    source=facts.virtualization,
    judge=judge_virtualization,
)
APPLIANCE = Check(
    id="system.appliance",
    title=_("Appliance"),
    needed=_("an ordinary server system, not the firmware of a storage box"),
    why=_(
        "Such firmware comes with its own kernel, Docker and web server, without the parts that "
        "mailcow needs, and resets changes at updates (not supported since 2020)."
    ),
    doc=need.DOC_SYSTEM,
    severity="blocks",
    source=facts.appliances,
    judge=judge_appliance,
)
CONTROL_PANEL = Check(
    id="system.control-panel",
    title=_("Control panels"),
    needed=_("none beside mailcow"),
    why=_("They hold ports 25, 80 and 443, rewrite the firewall and take over mail again with each update."),
    doc=need.DOC_FIREWALL,
    severity="breaks",
    source=facts.control_panels,
    judge=judge_panel,
)
CHECKS = (VIRTUALIZATION, APPLIANCE, CONTROL_PANEL)
