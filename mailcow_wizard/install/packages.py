"""The stage of packages: the commands that mailcow's own scripts need."""

from __future__ import annotations

from mailcow_wizard.engine.mending import offers
from mailcow_wizard.engine.selection import select
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install import gate
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.language import _

_CHECK = "system.tools"
_FIX = "install-tools"


def run(job: Job) -> str:
    """Installs what is missing. Raises Failed where it cannot be had."""
    (finding,) = job.look(select((_CHECK,)))
    if finding.status == "pass":
        return _("all are there")
    if any(one.id == _FIX for one in finding.fixes):
        offer = next((one for one in offers(job.session, _CHECK) if one.fix.id == _FIX), None)
        if offer is not None:
            job.may_stop()
            try:
                plan = offer.plan()
            except HostError as error:
                raise Failed(
                    _("what is missing cannot be installed: {error}", error=error), finding.remedies
                ) from None
            job.change(plan)
            (finding,) = job.look(select((_CHECK,)))
    gate.pass_through(job, (finding,))
    return finding.summary
