"""What a recording of a machine holds besides the answers of the run."""

from collections.abc import Sequence
from contextlib import suppress

from mailcow_wizard.engine.mending import offers_for
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.dns.delegation import walk_every_way
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Finding


def ask_the_rest(session: Session, findings: Sequence[Finding]) -> None:
    """Plans all that can be done about the last run's findings, and asks what the same checks ask where they
    come in another order."""
    for finding in findings:
        for offer in offers_for(finding, session.facts):
            with suppress(HostError):
                offer.plan()
    walk_every_way(session.facts)
