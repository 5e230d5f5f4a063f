"""Postfix's ports bound to IPv4, so that nobody comes through Docker's proxy over IPv6."""

from __future__ import annotations

from mailcow_wizard.facts.bindings import EVERY_ADDRESS_V4
from mailcow_wizard.facts.docker_relay import relay
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.language import _
from mailcow_wizard.model import Plan
from mailcow_wizard.requirements import PORTS


def bind(facts: Facts) -> Plan | None:
    """None where the ports are bound already, or IPv6 is not the trouble."""
    from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect

    seen = facts.get(relay)
    if not seen.keys or seen.passed_by or (seen.rules and not seen.rules.iptables):
        return None
    conf = facts.get(mailcow_conf)
    numbers = {one.key: conf.get(one.key, str(one.number)) for one in PORTS if one.key in seen.keys}
    values = {key: f"{EVERY_ADDRESS_V4}:{number}" for key, number in numbers.items()}
    told = takes_effect(facts, tuple(values))
    return Plan(
        "docker.relay",
        None,
        "relay-v4-binds",
        _("Bind mailcow's SMTP ports to IPv4 ({values})", values=", ".join(values)),
        (edit(facts, values), *((told,) if told else ())),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "mailcow takes mail over IPv4 alone. Where the server has an AAAA record, "
            "others try IPv6 first and come back over IPv4: better take the record away."
        ),
    )
