"""The lasting key of mailcow's API for a face: its plan, and the key that is shown once."""

from __future__ import annotations

from mailcow_wizard.conf.document import Document
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.fixes import api_key
from mailcow_wizard.model import Edit, Plan


def planned(session: Session, allowed: str = "") -> Plan:
    """The plan; empty `allowed`: this machine alone may use the key. Raises HostError, NoPlan."""
    return api_key.plan(session.new_facts(), allowed)


def this_machine(session: Session) -> str:
    """The addresses that stand for this machine alone. Raises HostError."""
    return api_key.this_machine(session.new_facts())


def server(session: Session) -> str:
    """The server's name, which programs call."""
    return session.new_facts().get(hostname).name


def made(plan: Plan) -> str:
    """The key that this plan makes; empty where it makes none."""
    edits = [one.after for one in plan.steps if isinstance(one, Edit) and one.after]
    return Document.read(edits[0]).get(api_key.KEY) or "" if edits and plan.fix == api_key.FIX else ""
