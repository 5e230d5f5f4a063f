"""Keeps a postfix of the machine for the machine's own mail: without listeners, relaying through mailcow."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.identity import hostname, own_name
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.port_choices import Choice
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.fixes.port_stops import SETTLE_S, with_places
from mailcow_wizard.fixes.port_units import read_again
from mailcow_wizard.fixes.postfix_files import listeners, parameter, with_parameter, without_listeners
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

MAIN, MASTER = "/etc/postfix/main.cf", "/etc/postfix/master.cf"
# mailcow's Postfix has this fixed place in its network (IPV4_NETWORK, by mailcow's docker-compose.yml).
_HOST_OF_POSTFIX = 253
# Whose mail stays here where main.cf does not say (postconf(5), mydestination).
_DESTINATIONS = "$myhostname, localhost.$mydomain, localhost"


def can_do_without(facts: Facts, port: int) -> bool:
    """Whether master.cf is there and names a listener on this port."""
    try:
        facts.host.info(MAIN)
        return bool(listeners(facts.host.text(MASTER), (port,)))
    except HostError:
        return False


def plan(conflict: Conflict, choice: Choice) -> Plan:
    """Edits both files and restarts postfix. Raises HostError."""
    facts = conflict.facts
    main, master = _read(facts, MAIN), _read(facts, MASTER)
    off = listeners(master, need.POSTFIX_PORTS)
    if not off:
        raise NoPlan(
            _(
                "{master} names no listener on port {port}",
                master=MASTER,
                port=conflict.port.binding.number,
            )
        )
    words: list[PlanStep] = []
    changed = with_parameter(main, "inet_interfaces", "loopback-only")
    relay = f"[{conflict.port.conf.network}.{_HOST_OF_POSTFIX}]"
    kept = parameter(main, "relayhost")
    if not kept:
        changed = with_parameter(changed, "relayhost", relay)
        words.append(
            Manual(
                _(
                    "Mail of this machine's own programs goes out through mailcow ({relay}). Until "
                    "mailcow runs it waits in postfix's queue, five days at most.",
                    relay=relay,
                )
            )
        )
    server = facts.get(hostname).name
    if (parameter(main, "myhostname") or facts.get(own_name)).lower() == server.lower():
        # Two mail servers of one name take each other for themselves and refuse the mail as a loop.
        changed = _renamed(changed, server)
    restart = _restart(conflict)
    steps: tuple[PlanStep, ...] = (
        *with_places(conflict, _before(conflict, restart)),
        *_edit(MAIN, main, changed),
        *_edit(MASTER, master, without_listeners(master, need.POSTFIX_PORTS)),
        Command(("postfix", "check")),
        Command(restart),
        *words,
    )
    goes = _("through {kept} as before", kept=kept) if kept else _("through mailcow")
    return conflict.plan(
        choice,
        steps,
        _(
            "Postfix keeps sending this machine's own mail, {goes}, and no longer listens ({off}).",
            goes=goes,
            off=", ".join(off),
        ),
        _("nobody can hand mail to this postfix over the network any more"),
        settle=SETTLE_S,
    )


def _renamed(main: str, server: str) -> str:
    """With a name of its own for what was called as the server. Where mail for the old name stayed here, that
    for both does: local mail gets the new one, and what waits or is written out the old one."""
    changed = with_parameter(main, "myhostname", f"local.{server}")
    said = parameter(main, "mydestination")
    here = _DESTINATIONS if said is None else said
    names = here.replace(",", " ").lower().split()
    variable = any(name in ("$myhostname", "${myhostname}", "$(myhostname)") for name in names)
    literal = server.lower() in names
    if variable == literal:
        return changed
    return with_parameter(changed, "mydestination", f"{here}, {server if variable else '$myhostname'}")


def _read(facts: Facts, path: str) -> str:
    """The file, each byte a character: comments in an old encoding stay as they are."""
    return facts.host.read(path).decode("latin-1")


def _edit(path: str, before: str, after: str) -> tuple[Edit, ...]:
    return (Edit(path, before.encode("latin-1"), after.encode("latin-1")),) if after != before else ()


def _before(conflict: Conflict, restart: tuple[str, ...]) -> tuple[Command, ...]:
    """Postfix's own test; then, taken back last of all, the restart that has it read its files again: not
    where the test failed, for nothing was done then, and not where somebody stopped postfix since."""
    if restart[0] != "systemctl":
        return (Command(("postfix", "check"), (restart,)),)
    unit = conflict.blockers[0].names[0]
    again = read_again("try-restart", restart[2])
    return (Command(("postfix", "check")), Command(("systemctl", "is-active", "--quiet", unit), again))


def _restart(conflict: Conflict) -> tuple[str, ...]:
    if conflict.around.script:
        return (f"/etc/init.d/{conflict.around.script}", "restart")
    return ("systemctl", "restart", conflict.blockers[0].names[0].replace("@-.", "."))
