"""Puts mailcow behind the web server that has ports 80 and 443: mailcow.conf and the server's own site."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.blockers import CONTAINER, blockers
from mailcow_wizard.facts.free_places import free_port
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT
from mailcow_wizard.facts.ports import PortFacts, survey
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect
from mailcow_wizard.fixes.port_choices import Choice
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.fixes.proxy_servers import STEPS_OF
from mailcow_wizard.fixes.proxy_sites import Site
from mailcow_wizard.host.door import Listener
from mailcow_wizard.model import Edit, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_LOOPBACK = "127.0.0.1"
_NAME = r"[A-Za-z0-9*](?:[A-Za-z0-9.*-]*[A-Za-z0-9])?"
_PORT_OF = {one.id: one for one in need.PORTS}


def plan(conflict: Conflict, choice: Choice) -> Plan:
    """One edit of mailcow.conf, and the site for the very server that was found. Raises HostError."""
    facts, blocker = conflict.facts, conflict.blockers[0]
    every = facts.get(survey)
    web, secure = every["ports.http"], every["ports.https"]
    _same_holder(conflict, web, secure)
    http = _port(conflict, web)
    https = _port(conflict, secure, (http,))
    values = {
        "HTTP_BIND": _LOOPBACK,
        "HTTP_PORT": str(http),
        "HTTPS_BIND": _LOOPBACK,
        "HTTPS_PORT": str(https),
        # The redirect to HTTPS is made on the plain port too, which the proxy asks: it would never end.
        "HTTP_REDIRECT": "n",
    }
    site = _site(conflict, web, secure, http)
    if conflict.around.sites and site.server.lower() in (one.lower() for one in conflict.around.sites):
        raise NoPlan(f"{blocker.name} has a site for {site.server} already: it has to be changed by hand")
    before, after = STEPS_OF[blocker.role](conflict, site)
    effect = takes_effect(facts, tuple(values))
    by_hand = not any(isinstance(step, Edit) for step in after)
    when = " as soon as you have put the lines below into its configuration" if by_hand else ""
    steps: tuple[PlanStep, ...] = (
        *before,
        edit(facts, values),
        *after,
        *((effect,) if effect else ()),
        *_in_docker(conflict, site),
    )
    return conflict.plan(
        choice,
        steps,
        f"mailcow listens on {_LOOPBACK}:{http} and {_LOOPBACK}:{https}; {blocker.name} keeps "
        f"{_kept(conflict, web, secure, site)} its sites, and passes {site.server} on to mailcow{when}.",
        "" if by_hand else f"{blocker.name} for a moment, while it takes up its new configuration",
        settle=5.0,
    )


def _kept(conflict: Conflict, web: PortFacts, secure: PortFacts, site: Site) -> str:
    """The ports that the proxy has, and those that its new site has it take."""
    role = conflict.blockers[0].role
    free = [
        str(port.binding.port.number)
        for port in (web, secure)
        if port.binding.number == port.binding.port.number and not _listeners(role, port, conflict)
    ]
    if not free or len(free) == 2:
        return "ports 80 and 443 and"
    has = "443" if free == ["80"] else "80"
    takes = site.ready or free == ["80"] or role not in ("nginx", "apache")
    return f"port {has}, takes port {free[0]} as well, keeps" if takes else f"port {has} and"


def _same_holder(conflict: Conflict, web: PortFacts, secure: PortFacts) -> None:
    """Both ports have to be the proxy's; refuses where another, or mailcow itself, has one of them."""
    proxy = conflict.blockers[0]
    for port in (web, secure):
        if port.binding.number != port.binding.port.number:
            continue
        for other in blockers(port.occupants):
            if other.role != proxy.role or other.kind != proxy.kind:
                raise NoPlan(
                    f"{port.binding.where} is held by {other.name}, not by {proxy.name}: mailcow cannot be "
                    "put behind both. Free one of them first."
                )
        if any(one.own for one in port.occupants):
            raise NoPlan(
                f"mailcow itself listens on {port.binding.where} at the moment, where {proxy.name} has to "
                f"listen then: run `docker compose down` in {conflict.facts.settings.directory} first"
            )


def _port(conflict: Conflict, port: PortFacts, besides: tuple[int, ...] = ()) -> int:
    """The port that mailcow has already, where that is out of the way; else a free one."""
    binding = port.binding
    if binding.number not in (80, 443) and not blockers(port.occupants) and not binding.problem:
        return binding.number
    found = free_port(conflict.facts, binding.port, besides)
    if not found:
        raise NoPlan(f"no port is free for mailcow's {binding.port.service} behind the proxy")
    return found


def _site(conflict: Conflict, web: PortFacts, secure: PortFacts, http: int) -> Site:
    facts, proxy = conflict.facts, conflict.blockers[0]
    server = facts.get(hostname).name
    added = conflict.port.conf.get("ADDITIONAL_SERVER_NAMES")
    names = tuple(one for one in added.replace(" ", "").split(",") if one)
    domains = facts.settings.domains or ((server.partition(".")[2],) if server.count(".") > 1 else (server,))
    for one in (server, *names, *domains):
        if not re.fullmatch(_NAME, one):
            raise NoPlan(f"{one!r} is not a name that a web server could be told: correct mailcow.conf first")
    assets = f"{facts.settings.directory.rstrip('/')}/data/assets/ssl"
    if not re.fullmatch(r"[\w/.+-]+", assets):
        raise NoPlan(f"the path {assets} holds characters that a web server's configuration cannot")
    certificate, key = f"{assets}/cert.pem", f"{assets}/key.pem"
    plain = _listeners(proxy.role, web, conflict)
    other = _listeners(proxy.role, secure, conflict)
    backend = f"nginx-mailcow:{http}" if proxy.kind == CONTAINER else f"{_LOOPBACK}:{http}"
    return Site(
        server,
        names,
        domains,
        backend,
        _where(plain or other, 80),
        _where(other or plain, 443),
        certificate,
        key,
        facts.host.exists(certificate) and facts.host.exists(key),
    )


def _listeners(role: str, port: PortFacts, conflict: Conflict) -> tuple[Listener, ...]:
    """The sockets that the proxy has open on a port that mailcow would take."""
    if port.binding.number != port.binding.port.number:
        return ()
    return tuple(one for held in blockers(port.occupants) if held.role == role for one in held.listeners)


def _where(sockets: tuple[Listener, ...], number: int) -> tuple[str, ...]:
    """The addresses as nginx and Apache write them: `80`, `10.0.0.2:80`, `[::]:80`."""
    words = []
    for one in sockets:
        if one.address == "0.0.0.0":
            words.append(str(number))
        else:
            words.append(f"[{one.address}]:{number}" if one.family == 6 else f"{one.address}:{number}")
    return tuple(dict.fromkeys(words)) or (str(number),)


def _in_docker(conflict: Conflict, site: Site) -> tuple[Manual, ...]:
    """A proxy in a container reaches mailcow in mailcow's own network only."""
    proxy = conflict.blockers[0]
    if proxy.kind != CONTAINER:
        return ()
    project = conflict.port.conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
    return (
        Manual(
            f"{proxy.names[0]} is a container: once mailcow runs, connect it to mailcow's network, where "
            f"mailcow is http://{site.backend}: docker network connect {project}_mailcow-network "
            f"{proxy.names[0]}"
        ),
    )
