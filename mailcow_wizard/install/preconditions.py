"""The stage of preconditions: whether this is a machine and a moment to install mailcow."""

from __future__ import annotations

from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.network.subnet import subnet
from mailcow_wizard.install import by_itself, clone, gate
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.standing import STARTED
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Finding
from mailcow_wizard.names import is_full

_ROUNDS = 5
_PAUSE_S = 4.0


def run(job: Job) -> str:
    """Runs all checks that make sense now. Raises Failed where something blocks."""
    name = hostname(job.facts())
    if not is_full(name.name):
        raise Failed(
            _("the server's full name is not known ('{name}' is none)", name=name.name),
            ("Give it: ./wizard install --hostname mail.example.org",),
        )
    job.stand(hostname=name.name)
    if "generate_config.sh" in (job.facts().get(place).names or ()):
        clone.nobody_else_changes(job)
    some = gate.first_checks()
    job.progress(ngettext("{n} check", "{n} checks", len(some)), now=True)
    findings, mended = by_itself.allowed(job, some, job.look(some), job.standing.choices.fixes)
    for _round in range(_ROUNDS):
        if not job.marked(STARTED) or not _only_ports(gate.blocking(findings)):
            break
        # Docker may still be about the containers of a start that was cut short, and not list them yet.
        job.wait(_PAUSE_S)
        findings = job.look(some)
    findings = _without_network(job, findings)
    gate.pass_through(job, findings)
    troubling = gate.troubling(findings)
    job.stand(notes=tuple(job.shown(f"{one.summary} ({one.id})") for one in troubling))
    troubles = len(troubling)
    unknown = sum(one.status == "unknown" for one in findings)
    parts = [ngettext("{n} finding", "{n} findings", len(findings)), _("none blocks")]
    parts += [_("{n} mended first", n=mended)] if mended else []
    parts += [_("{n} to read", n=troubles)] if troubles else []
    parts += [_("{n} not known", n=unknown)] if unknown else []
    return ", ".join(parts)


def _without_network(job: Job, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Without the finding that a later stage settles: until there is a mailcow.conf the network of the
    containers is mailcow's choice."""
    taken = next((one for one in gate.blocking(findings) if one.left_to_install), None)
    if taken is None:
        return findings
    free = job.facts().get(subnet).free
    job.tell(_("{trouble}; the containers get {free}.0/24", trouble=taken.summary, free=free))
    return tuple(one for one in findings if one is not taken)


def _only_ports(blocking: tuple[Finding, ...]) -> bool:
    return bool(blocking) and all(one.step == "ports" for one in blocking)
