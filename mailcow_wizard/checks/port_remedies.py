"""What mends a port conflict, in words; they agree with what `fixes.ports` offers."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import word
from mailcow_wizard.facts.bindings import Binding
from mailcow_wizard.facts.blockers import (
    CONTAINER,
    DOCKER,
    KEPT,
    PROCESS,
    RUNNER,
    UNIT,
    Blocker,
    blockers,
    is_script,
)
from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.facts.protected_services import where_to_look
from mailcow_wizard.language import _

_SMTP = 25
_WEB = (80, 443)
_WAYS_OUT = {
    "connected": _(
        "End the connection, then run this check again. File systems mounted by NFS take ports like this one."
    ),
    "closing": _("Wait a minute, then run this check again: the kernel lets go by itself."),
    "unseen": _(
        "Find the program: one that binds a port without listening on it, or that connects "
        "from it. Linux 6.8 and newer list it: ss -tanpB."
    ),
}


def remedies(facts: PortFacts) -> tuple[str, ...]:
    """For each who is in the way, then for mailcow itself; each once."""
    binding = facts.binding
    held = blockers(facts.occupants)
    words = [_of_one(one, binding) for one in held]
    states = {one.listener.state for one in facts.occupants if one.own is False}
    unseen = any(
        one.own is False and not one.holder.processes and one.listener.state in ("listening", "bound")
        for one in facts.occupants
    )
    if not facts.is_root and unseen:
        words.append(_("Run the wizard as root to see which process it is."))
    if binding.number in need.POSTFIX_PORTS and any(
        one.role == "postfix" and one.kind != CONTAINER for one in held
    ):
        words.append(
            _(
                "Or keep postfix for this machine's own mail, without its listener: inet_interfaces = "
                "loopback-only in main.cf, and a # before the line `smtp inet` in master.cf."
            )
        )
    if states - set(_WAYS_OUT):
        words.append(_elsewhere(facts))
    return tuple(dict.fromkeys(filter(None, words)))


def _of_one(one: Blocker, binding: Binding) -> str:
    """Words for one who is in the way."""
    state = one.listeners[0].state
    if state in _WAYS_OUT:
        return _WAYS_OUT[state]
    if one.container and one.container.home:
        return _(
            "That is the mailcow in {directory}. If it is meant: `./wizard --dir {word} check`. If it is to "
            "go: back it up first, then `docker compose down` there, which keeps its volumes.",
            directory=one.container.home,
            word=word(one.container.home),
        )
    if one.kind == CONTAINER:
        return _(
            "Stop the container and keep it from coming back: docker update --restart=no {names} "
            "&& docker stop {names}",
            names=one.names[0],
        )
    if one.kind == KEPT:
        return _(
            "Take port {binding} out of the configuration of {names}, and make sure that another "
            "way into this machine stays open: it is not stopped here.",
            binding=binding.number,
            names=one.names[0],
        )
    if one.kind == RUNNER:
        return _of_runner(one)
    if one.kind == UNIT and one.main:
        return _(
            "Find out how {name} starts {program} (process {pid}), and end that. Stopping {name} "
            "itself ends all else that it runs, too: systemctl status {names}",
            name=one.name,
            program=one.program,
            pid=one.pid,
            names=word(one.names[0]),
        )
    if one.kind == UNIT:
        names = " ".join(word(name.replace("@-.", ".")) for name in one.names)
        command = f"systemctl disable --now {names}"
        if is_script(one.names[0], one.role):
            command = f"systemctl disable {names} && systemctl stop {names}"
        return _("Stop it and keep it from starting again: {command}", command=command)
    if one.kind == PROCESS:
        return _("Stop {names} (process {pid}) and what starts it.", names=one.names[0], pid=one.pid)
    if one.kind == DOCKER:
        return _(
            "Find the container and stop it: docker ps --filter publish={binding}", binding=binding.number
        )
    return ""


def _of_runner(one: Blocker) -> str:
    """It goes on: only what it runs on the port is to be ended, where it was told to run it."""
    unit = one.name.partition("@")[0]
    hint = where_to_look(unit.removesuffix(".socket"), one.user)
    who = (
        _("{program} (process {pid})", program=one.program, pid=one.pid)
        if one.program
        else _("the program on this port")
    )
    if one.program in (unit, f"{unit}d"):
        who = _("what listens here")
    words = _(
        "{name} runs programs of others and stays. Find how it starts {who}, and end that",
        name=one.name,
        who=who,
    )
    return f"{words}: {hint}." if hint else f"{words}."


def _elsewhere(facts: PortFacts) -> str:
    """What mailcow itself could do; without a mailcow.conf it is to be said when that is written."""
    port = facts.binding.port
    if port.number in _WEB and not facts.conf.exists:
        return _(
            "If it serves web sites that must stay, put mailcow behind it: in the wizard's step "
            "Configuration (s, Behind a web proxy) before the install, or HTTP_BIND=127.0.0.1, "
            "HTTPS_BIND=127.0.0.1, other ports and HTTP_REDIRECT=n in mailcow.conf, once it is written."
        )
    if port.number in _WEB:
        return _(
            "If it serves web sites that must stay, put mailcow behind it: HTTP_BIND=127.0.0.1, "
            "HTTPS_BIND=127.0.0.1, other ports and HTTP_REDIRECT=n in mailcow.conf."
        )
    if port.number == _SMTP:
        return ""
    when = _("in mailcow.conf") if facts.conf.exists else _("in mailcow.conf, once it is written")
    return _(
        "Or move mailcow's {service} to another port: {key} {when}.",
        service=port.service,
        key=port.key,
        when=when,
    )
