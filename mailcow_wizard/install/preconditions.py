"""The stage of preconditions: whether this is a machine and a moment to install mailcow."""

from __future__ import annotations

from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.install import gate
from mailcow_wizard.install.job import Failed, Job

_DOTS = 2


def run(job: Job) -> str:
    """Runs all checks that make sense now. Raises Failed where something blocks."""
    name = hostname(job.facts())
    if name.name.count(".") < _DOTS:
        raise Failed(
            f"the server's full name is not known ('{name.name}' is none)",
            ("Give it: ./wizard install --hostname mail.example.org",),
        )
    job.stand(hostname=name.name)
    some = gate.first_checks()
    job.progress(f"{len(some)} checks", now=True)
    findings = job.look(some)
    gate.pass_through(job, findings)
    troubles = len(gate.troubling(findings))
    unknown = sum(one.status == "unknown" for one in findings)
    parts = [f"{len(findings)} findings, none blocks"]
    parts += [f"{troubles} to read"] if troubles else []
    parts += [f"{unknown} not known"] if unknown else []
    return ", ".join(parts)
