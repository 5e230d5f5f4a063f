"""Puts one of mailcow's services elsewhere: on another port, or on one of the machine's addresses."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect
from mailcow_wizard.fixes.port_choices import Choice
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.language import _
from mailcow_wizard.model import Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_SMTP, _HTTP, _HTTPS = 25, 80, 443


def plan_to_move(conflict: Conflict, choice: Choice) -> Plan:
    """Another port in mailcow.conf. Raises HostError."""
    binding, number = conflict.port.binding, conflict.around.port
    value = f"{binding.address}:{number}" if binding.address and not binding.port.bind_key else str(number)
    words = _cost_of_moving(binding.port, number)
    return conflict.plan(
        choice,
        (*((Manual(words),) if words else ()), *_settings(conflict.facts, {binding.port.key: value})),
        _(
            "mailcow's {service} listens on port {number}; {names} keeps {where}.",
            service=binding.port.service,
            number=number,
            names=_names(conflict),
            where=binding.where,
        ),
    )


def _cost_of_moving(port: need.Port, number: int) -> str:
    if port.number == _SMTP:
        return _(
            "Other mail servers deliver to port 25 and nowhere else: no mail from outside "
            "arrives, unless the mail server on port 25 is set up to pass it on to port {number}.",
            number=number,
        )
    if port.number == _HTTP:
        return _(
            "Let's Encrypt comes to port 80 only: mailcow gets no certificate by itself this way, "
            "except with ACME_DNS_CHALLENGE."
        )
    if port.number == _HTTPS:
        return _(
            "The web interface is then at https://…:{number}, and autodiscovery, which asks port 443, fails.",
            number=number,
        )
    if port.address:
        return ""
    return _(
        "Mail programs that are set up by hand need port {number} for {service}.",
        number=number,
        service=port.service,
    )


def plan_to_bind(conflict: Conflict, choice: Choice) -> Plan:
    """One address of this machine in mailcow.conf. Raises HostError."""
    binding, address = conflict.port.binding, conflict.around.address
    port = binding.port
    value = {port.bind_key: address} if port.bind_key else {port.key: f"{address}:{binding.number}"}
    words = _(
        "{service} is then reached at {address} alone: not over IPv6, and not at 127.0.0.1. Names "
        "that point to the server have to point to this address.",
        service=port.service,
        address=address,
    )
    return conflict.plan(
        choice,
        (Manual(words), *_settings(conflict.facts, value)),
        _(
            "mailcow's {service} takes {address}:{binding}; {names} keeps its address.",
            service=port.service,
            address=address,
            binding=binding.number,
            names=_names(conflict),
        ),
    )


def _settings(facts: Facts, values: dict[str, str]) -> tuple[PlanStep, ...]:
    effect = takes_effect(facts, tuple(values))
    return (edit(facts, values), *((effect,) if effect else ()))


def _names(conflict: Conflict) -> str:
    return _(" and ").join(one.name for one in conflict.blockers)
