"""What can be done about a port that somebody else holds, best first."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.facts.blockers import CONTAINER, KEPT, MAIL_SERVERS, PROCESS, UNIT, Blocker, blockers
from mailcow_wizard.facts.ports import PortFacts, survey
from mailcow_wizard.facts.protected_services import is_way_in
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import Unit
from mailcow_wizard.fixes import Offer
from mailcow_wizard.fixes.port_choices import PROXIES, Choice, Circumstances, choices
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Fix, Judgement, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeVar

    from mailcow_wizard.facts.mail_queue import Queue

    Answer = TypeVar("Answer")

_WEB = (80, 443)
_OWN_CGROUP = "/proc/self/cgroup"


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """The choices for a port with a foreign holder; none where the port is free or nobody knows."""
    port = facts.get(survey)[check]
    if judgement.status not in ("fail", "warn") or port.binding.problem or port.binding.doubt:
        return ()
    held = tuple(_kept(facts, one) for one in blockers(port.occupants))
    if not held:
        return _kept_from_starting(check, judgement, port, facts) if port.returning else ()
    besides = _besides(facts, tuple(name for one in held if one.kind == UNIT for name in one.names))
    held = tuple(_kept_with(facts, one, besides) for one in held)
    around = _circumstances(facts, port, held)._replace(
        besides=tuple(one.id for one in besides if one.active)
    )
    conflict = Conflict(check, judgement.subject, port, held, around, facts)
    return tuple(_offer(conflict, one) for one in choices(port, held, around))


def _kept_from_starting(check: str, judgement: Judgement, port: PortFacts, facts: Facts) -> tuple[Offer, ...]:
    besides = _besides(facts, port.returning)
    if _must_stay(facts, besides):
        return ()
    from mailcow_wizard.fixes.port_returning import offer

    return (offer(check, judgement, port, [one.id for one in besides if one.active], facts),)


def _offer(conflict: Conflict, choice: Choice) -> Offer:
    def plan() -> Plan:
        return _planner(choice.id)(conflict, choice)

    return Offer(Fix(choice.id, choice.title, choice.risk, choice.reversible, True), plan)


def _planner(fix: str) -> Callable[[Conflict, Choice], Plan]:
    """Who plans a fix; imported when one is chosen, for a check names them only."""
    if fix == "loopback-mta":
        from mailcow_wizard.fixes import port_postfix

        return port_postfix.plan
    if fix == "proxy-mode":
        from mailcow_wizard.fixes import port_proxy

        return port_proxy.plan
    if fix in ("move-port", "bind-address"):
        from mailcow_wizard.fixes import port_moves

        return port_moves.plan_to_move if fix == "move-port" else port_moves.plan_to_bind
    from mailcow_wizard.fixes import port_stops

    return port_stops.plan_to_remove if fix == "remove-package" else port_stops.plan_to_stop


def _kept(facts: Facts, blocker: Blocker) -> Blocker:
    """A unit that this very program runs in is not stopped: it would end with it."""
    if blocker.kind != UNIT:
        return blocker
    return blocker._replace(kind=KEPT) if _runs_us(facts, blocker.names) else blocker


def _runs_us(facts: Facts, units: tuple[str, ...]) -> bool:
    own = _or("", lambda: facts.host.text(_OWN_CGROUP))
    return any(f"/{name}/" in f"{line}/" for name in units for line in own.splitlines())


def _besides(facts: Facts, names: tuple[str, ...]) -> tuple[Unit, ...]:
    """The units that systemd would stop along with these, whether they run or not."""
    none: tuple[Unit, ...] = ()
    if not names:
        return none
    from mailcow_wizard.fixes.port_units import stopped_along

    return _or(none, lambda: stopped_along(facts, names))


def _kept_with(facts: Facts, blocker: Blocker, besides: tuple[Unit, ...]) -> Blocker:
    """A unit is not stopped either where something would end with it that must not."""
    return blocker._replace(kind=KEPT) if blocker.kind == UNIT and _must_stay(facts, besides) else blocker


def _must_stay(facts: Facts, units: tuple[Unit, ...]) -> bool:
    """Whether a way into the machine, or this very program, is among these."""
    names = tuple(one.id for one in units)
    return bool(names) and (is_way_in((), names) or _runs_us(facts, names))


def _circumstances(facts: Facts, port: PortFacts, held: tuple[Blocker, ...]) -> Circumstances:
    """What else decides; each is asked only where a choice depends on it."""
    binding = port.binding
    first = held[0]
    conf = port.conf.exists
    asked_queue = next((one.role for one in held if one.role in MAIL_SERVERS), "")
    addresses = _addresses(facts, port) if conf else ()
    script = ""
    if all(one.kind == PROCESS for one in held):
        from mailcow_wizard.fixes.port_scripts import script_of

        script = _or("", lambda: script_of(facts, held))
    postfix = False
    if first.role == "postfix" and not binding.port.bind_key:
        from mailcow_wizard.fixes.port_postfix import can_do_without

        postfix = can_do_without(facts, binding.number)
    return Circumstances(
        conf=conf,
        sites=_sites(facts, held) if binding.port.number in _WEB else (),
        queue=_queue(facts, asked_queue) if asked_queue else None,
        postfix=postfix,
        port=_port(facts, port) if conf else 0,
        address=addresses[0] if addresses else "",
        script=script,
        gone=any(_is_gone(facts, one) for one in held),
    )


def _is_gone(facts: Facts, blocker: Blocker) -> bool:
    """Whether nobody could start it again: a unit that systemd-run made, a container started with --rm."""
    try:
        if blocker.container:
            from mailcow_wizard.fixes.port_containers import is_deleted

            return is_deleted(facts, blocker.container)
        paths = (f"/run/systemd/transient/{one}" for one in blocker.names)
        return blocker.kind == UNIT and any(map(facts.host.exists, paths))
    except HostError:
        return False


def _sites(facts: Facts, held: tuple[Blocker, ...]) -> tuple[str, ...] | None:
    """The web sites behind the holder; None where it is a proxy whose sites cannot be read."""
    server = next((one for one in held if one.role in PROXIES), None)
    if not server:
        return ()
    if server.kind == CONTAINER:
        return None
    from mailcow_wizard.facts.web_sites import sites

    found = sites(facts, server.role)
    return found.names if found.known else None


def _queue(facts: Facts, role: str) -> Queue | None:
    from mailcow_wizard.facts.mail_queue import queue

    return queue(facts, role)


def _port(facts: Facts, port: PortFacts) -> int:
    from mailcow_wizard.facts.free_places import free_port

    return _or(0, lambda: free_port(facts, port.binding.port))


def _addresses(facts: Facts, port: PortFacts) -> tuple[str, ...]:
    from mailcow_wizard.facts.free_places import free_addresses

    none: tuple[str, ...] = ()
    return _or(none, lambda: free_addresses(facts, port))


def _or(otherwise: Answer, ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except HostError:
        return otherwise
