"""The stage of Docker: an engine and a Compose that mailcow takes, running, with settings that it needs."""

from __future__ import annotations

from mailcow_wizard.engine.selection import select
from mailcow_wizard.facts import docker
from mailcow_wizard.fixes import docker_settings
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Probe
from mailcow_wizard.install import by_itself, gate
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.stages import BY_ITSELF
from mailcow_wizard.language import _
from mailcow_wizard.model import Finding

_BY_ITSELF = tuple(fix for _check, fix in BY_ITSELF["docker"])
_MOST_ROUNDS = 6
_SETTLE_S = 60.0
_TURN_S = 2.0
# What mailcow's own script asks, to see whether IPv6 leads anywhere.
_FAR = ("2001:4860:4860::8888", "2606:4700:4700::1111")
_PATIENCE_S = 2.5


def run(job: Job) -> str:
    """Mends what can be mended without harm. Raises Failed where something blocks all the same."""
    done: by_itself.Done = {}
    some = select(("docker",))
    findings = job.look(some)
    for _round in range(_MOST_ROUNDS):
        job.may_stop()
        made = _mended(job, findings, done)
        if not made:
            break
        _await_engine(job)
        findings = job.look(some)
    findings, number = by_itself.allowed(job, some, findings, job.standing.choices.fixes)
    if number:
        _await_engine(job)
        findings = job.look(some)
    if not gate.blocking(findings) and _lacks_ipv6(job):
        _await_engine(job)
        findings = job.look(some)
    gate.pass_through(job, findings, done)
    seen = job.facts().get(docker.engine)
    if seen.state != "answers":
        raise Failed(
            _("Docker does not answer: {trouble}", trouble=seen.trouble), ("systemctl status docker",)
        )
    return f"Docker {seen.version}"


def _mended(job: Job, findings: tuple[Finding, ...], done: by_itself.Done) -> bool:
    """Applies the first fix that helps and was not tried yet; whether there was one."""
    return any(by_itself.mended(job, one, by_itself.by_stage(one, _BY_ITSELF), done) for one in findings)


def _lacks_ipv6(job: Job) -> bool:
    """Gives Docker what it needs for IPv6 of containers; whether that was needed.

    mailcow's own script would write it otherwise, and restart Docker when it does.
    """
    if not reaches_ipv6(job.session.host):
        return False
    try:
        plan = docker_settings.merge(job.facts(), ipv6=True)
    except HostError as error:
        job.tell(_("Docker's settings for IPv6 stay as they are: {error}", error=error))
        return False
    if plan is None:
        return False
    job.change(plan)
    return True


def reaches_ipv6(host: Host) -> bool:
    """Whether IPv6 leads anywhere from here, as mailcow's own script finds out."""
    probes = tuple(Probe("ping", one) for one in _FAR)
    try:
        return any(one.outcome == "open" for one in host.probe(probes, _PATIENCE_S))
    except HostError:
        return False


def _await_engine(job: Job) -> None:
    waited = 0.0
    while waited < _SETTLE_S and job.facts().get(docker.engine).state != "answers":
        job.wait(_TURN_S)
        waited += _TURN_S
