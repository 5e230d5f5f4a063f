"""The machine's own name: /etc/hostname, /etc/hosts, the kernel; and what cloud-init would make of it."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import identity
from mailcow_wizard.facts.presence import read_if_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, Offer
from mailcow_wizard.fixes.choices import fix_of
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Manual, Plan
from mailcow_wizard.names import NotAName, host_name
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_HOSTS = "/etc/hosts"
_HOSTNAME = "/etc/hostname"
_OWN = "127.0.1.1"  # Debian's address for the machine's own name
_CLOUD = "/etc/cloud/cloud.cfg.d"
_CLOUD_FILE = f"{_CLOUD}/99-mailcow-wizard.cfg"
_CLOUD_SETTINGS = (
    b"# Written by mailcow-wizard: the server's name stays as it was set\n"
    b"preserve_hostname: true\nmanage_etc_hosts: false\n"
)
# Systems where the name is more than a name: a node of a cluster, the key of a licence.
_BOUND = ("Proxmox VE", "cPanel", "Plesk")


def set_hostname(facts: Facts) -> Offer:
    """An offer to give this machine mailcow's name (check config.hostname). Raises HostError, NoPlan where
    no name was chosen or the machine must keep its own."""
    return Offer(fix_of(plan(facts)), lambda: plan(facts))


def plan(facts: Facts) -> Plan:
    """The plan to call this machine as mailcow is called. Raises HostError."""
    host = facts.host
    name = _name(facts)
    _may_be_renamed(facts)
    node = host.uname().node
    short = name.partition(".")[0]
    # A machine that has its full name as its name keeps doing so; others have the first part only.
    new = name if "." in node else short
    steps: list[PlanStep] = []
    hosts = read_if_there(host, _HOSTS)
    after = with_name(hosts, name, node)
    if after != (hosts or b""):
        steps.append(Edit(_HOSTS, hosts, after))
    if node != new:
        steps += _renamed(host, node, new)
    if not steps:
        raise NoPlan(_("This machine is called {name} already.", name=name))
    steps += _cloud_init(host, hosts)
    renamed = _(" and {new} in its prompt and logs", new=new) if node != new else ""
    return Plan(
        "config.hostname",
        None,
        "set-hostname",
        _("Call this machine {name}", name=name),
        tuple(steps),
        "medium" if node != new else "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "The machine calls itself {name}{renamed}. Programs that run already keep the "
            "old name until they are restarted.",
            name=name,
            renamed=renamed,
        ),
    )


def _name(facts: Facts) -> str:
    known = identity.hostname(facts)
    if known.origin == "guess":
        raise NoPlan(_("No name was chosen yet: say it with --hostname mail.example.org."))
    try:
        name = host_name(known.name)
    except NotAName as error:
        raise NoPlan(
            _("{known} cannot be this machine's name: {error}.", known=known.name, error=error)
        ) from None
    if "." not in name:
        raise NoPlan(_("{name} is no full name.", name=name))
    if name in facts.settings.domains:
        raise NoPlan(_("{name} is a mail domain itself: give the server a name of its own first.", name=name))
    return name


def _may_be_renamed(facts: Facts) -> None:
    for product, paths in (*((one.name, one.paths) for one in need.APPLIANCES), *need.CONTROL_PANELS):
        if product in _BOUND and any(map(facts.host.exists, paths)):
            raise NoPlan(
                _("{product} runs here and depends on this machine's name: change it there.", product=product)
            )


def _renamed(host: Host, node: str, new: str) -> list[PlanStep]:
    """The name in the file that is read at boot, and in the kernel."""
    before = read_if_there(host, _HOSTNAME)
    after = f"{new}\n".encode()
    try:
        host.which("hostname")
    except Missing:
        # systemd's own command writes the file too.
        host.which("hostnamectl")
        return [Command(("hostnamectl", "set-hostname", new), (("hostnamectl", "set-hostname", node),))]
    edit: list[PlanStep] = [Edit(_HOSTNAME, before, after)] if before != after else []
    return [*edit, Command(("hostname", new), (("hostname", node),))]


def with_name(hosts: bytes | None, name: str, node: str) -> bytes:
    """/etc/hosts with the full name, and the short one after it, where the machine's name is looked up.

    The first line that has the name counts, so that one is changed, or a line is put before it where it is
    localhost's. Other names of the line stay, behind; all other lines stay byte for byte.
    """
    data = hosts or b""
    lines = data.splitlines(keepends=True)
    short = name.partition(".")[0]
    wanted = {name, short}
    rows = [_names(line) for line in lines]
    place = next((number for number, row in enumerate(rows) if wanted & set(row[1:])), None)
    if place is None:
        own = {node.lower(), _OWN}
        place = next((n for n, row in enumerate(rows) if row[:1] == [_OWN] or own & set(row[1:])), None)
    if place is None:
        at = max((number + 1 for number, row in enumerate(rows) if row[:1] == ["127.0.0.1"]), default=0)
        return _inserted(lines, at, name, short)
    if any(one.startswith("localhost") for one in rows[place][1:]):
        return _inserted(lines, place, name, short)
    lines[place] = _renamed_line(lines[place], name, short)
    return b"".join(lines)


def _names(line: bytes) -> list[str]:
    """A line's address and names, in lower case."""
    return line.partition(b"#")[0].decode("utf-8", "replace").lower().split()


def _inserted(lines: list[bytes], at: int, name: str, short: str) -> bytes:
    before = b"".join(lines[:at])
    if before and not before.endswith(b"\n"):
        before += b"\n"
    return before + f"{_OWN}\t{name} {short}\n".encode() + b"".join(lines[at:])


def _renamed_line(line: bytes, name: str, short: str) -> bytes:
    """The line with full and short name first; its address, spaces, other names, comment and end stay."""
    found = re.match(rb"([ \t]*\S+[ \t]+)([^#\r\n]*?)([ \t]*(?:#[^\r\n]*)?\r?\n?)$", line)
    if not found:
        return line
    others = [one for one in found[2].split() if one.decode("utf-8", "replace").lower() not in (name, short)]
    return found[1] + b" ".join([name.encode(), short.encode(), *others]) + found[3]


def _cloud_init(host: Host, hosts: bytes | None) -> list[PlanStep]:
    """cloud-init writes name and hosts anew at every start unless it is told not to."""
    if not host.exists(_CLOUD) or host.exists("/etc/cloud/cloud-init.disabled"):
        return []
    before = read_if_there(host, _CLOUD_FILE)
    steps: list[PlanStep] = []
    if before != _CLOUD_SETTINGS:
        steps.append(Edit(_CLOUD_FILE, before, _CLOUD_SETTINGS))
    if b"manage_etc_hosts" in (hosts or b""):
        steps.append(
            Manual(
                _(
                    "cloud-init says in /etc/hosts that it writes this file. Where the provider's "
                    "user data sets manage_etc_hosts or preserve_hostname, that counts more than our "
                    "file: see after the next start whether the name is still there."
                )
            )
        )
    return steps
