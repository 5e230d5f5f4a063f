"""Puts mailcow behind the web server that has ports 80 and 443: mailcow.conf and the server's own site."""

from __future__ import annotations

import re

from mailcow_wizard.facts.bindings import EVERY_ADDRESS_V4, LOOPBACK_V4
from mailcow_wizard.facts.blockers import CONTAINER, blockers
from mailcow_wizard.facts.free_places import free_port
from mailcow_wizard.facts.identity import domain_of, hostname
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT
from mailcow_wizard.facts.ports import PortFacts, survey
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect
from mailcow_wizard.fixes.port_choices import Choice
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.fixes.proxy_servers import STEPS_OF
from mailcow_wizard.fixes.proxy_sites import Site
from mailcow_wizard.host.replies import Listener
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_NAME = r"[A-Za-z0-9*](?:[A-Za-z0-9.*-]*[A-Za-z0-9])?"


def plan(conflict: Conflict, choice: Choice) -> Plan:
    """One edit of mailcow.conf, and the site for the very server that was found. Raises HostError."""
    facts, blocker = conflict.facts, conflict.blockers[0]
    every = facts.get(survey)
    web, secure = every["ports.http"], every["ports.https"]
    _same_holder(conflict, web, secure)
    http = _port(conflict, web)
    https = _port(conflict, secure, (http,))
    values = {
        "HTTP_BIND": LOOPBACK_V4,
        "HTTP_PORT": str(http),
        "HTTPS_BIND": LOOPBACK_V4,
        "HTTPS_PORT": str(https),
        # The redirect to HTTPS is made on the plain port too, which the proxy asks: it would never end.
        "HTTP_REDIRECT": "n",
    }
    site = _site(conflict, web, secure, http)
    if conflict.around.sites and site.server.lower() in (one.lower() for one in conflict.around.sites):
        raise NoPlan(
            _(
                "{blocker} has a site for {server} already: it has to be changed by hand",
                blocker=blocker.name,
                server=site.server,
            )
        )
    before, after = STEPS_OF[blocker.role](conflict, site)
    effect = takes_effect(facts, tuple(values))
    by_hand = not any(isinstance(step, Edit) for step in after)
    when = _(" as soon as you have put the lines below into its configuration") if by_hand else ""
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
        _(
            "mailcow listens on {loopback}:{http} and {loopback}:{https}; {blocker} keeps {kept} its "
            "sites, and passes {server} on to mailcow{when}.",
            loopback=LOOPBACK_V4,
            http=http,
            https=https,
            blocker=blocker.name,
            kept=_kept(conflict, web, secure, site),
            server=site.server,
            when=when,
        ),
        ""
        if by_hand
        else _("{blocker} for a moment, while it takes up its new configuration", blocker=blocker.name),
        settle=5.0,
    )


def _kept(conflict: Conflict, web: PortFacts, secure: PortFacts, site: Site) -> str:
    """The ports that the proxy has, and those that its new site has it take."""
    role = conflict.blockers[0].role
    free = [
        str(port.binding.port.number)
        for port in (web, secure)
        if port.binding.number == port.binding.port.number and not _listeners(role, port)
    ]
    if not free or len(free) == 2:
        return _("ports 80 and 443 and")
    has = "443" if free == ["80"] else "80"
    takes = site.ready or free == ["80"] or role not in ("nginx", "apache")
    return (
        _("port {has}, takes port {free} as well, keeps", has=has, free=free[0])
        if takes
        else _("port {has} and", has=has)
    )


def _same_holder(conflict: Conflict, web: PortFacts, secure: PortFacts) -> None:
    """Both ports have to be the proxy's; refuses where another, or mailcow itself, has one of them."""
    proxy = conflict.blockers[0]
    for port in (web, secure):
        if port.binding.number != port.binding.port.number:
            continue
        for other in blockers(port.occupants):
            if other.role != proxy.role or other.kind != proxy.kind:
                raise NoPlan(
                    _(
                        "{where} is held by {other}, not by {proxy}: mailcow cannot be put behind "
                        "both. Free one of them first.",
                        where=port.binding.where,
                        other=other.name,
                        proxy=proxy.name,
                    )
                )
        if any(one.own for one in port.occupants):
            raise NoPlan(
                _(
                    "mailcow itself listens on {where} at the moment, where {proxy} has to listen "
                    "then: run `docker compose down` in {directory} first",
                    where=port.binding.where,
                    proxy=proxy.name,
                    directory=conflict.facts.settings.directory,
                )
            )


def _port(conflict: Conflict, port: PortFacts, besides: tuple[int, ...] = ()) -> int:
    """The port that mailcow has already, where that is out of the way; else a free one."""
    binding = port.binding
    if binding.number not in (80, 443) and not blockers(port.occupants) and not binding.problem:
        return binding.number
    found = free_port(conflict.facts, binding.port, besides)
    if not found:
        raise NoPlan(
            _("no port is free for mailcow's {service} behind the proxy", service=binding.port.service)
        )
    return found


def _site(conflict: Conflict, web: PortFacts, secure: PortFacts, http: int) -> Site:
    facts, proxy = conflict.facts, conflict.blockers[0]
    server = facts.get(hostname).name
    added = conflict.port.conf.get("ADDITIONAL_SERVER_NAMES")
    names = tuple(one for one in added.replace(" ", "").split(",") if one)
    domains = facts.settings.domains or (domain_of(server),)
    for one in (server, *names, *domains):
        if not re.fullmatch(_NAME, one):
            raise NoPlan(
                _(
                    "{name!r} is not a name that a web server could be told: correct mailcow.conf first",
                    name=one,
                )
            )
    assets = facts.settings.within("data/assets/ssl")
    if not re.fullmatch(r"[\w/.+-]+", assets):
        raise NoPlan(
            _("the path {assets} holds characters that a web server's configuration cannot", assets=assets)
        )
    certificate, key = f"{assets}/cert.pem", f"{assets}/key.pem"
    plain = _listeners(proxy.role, web)
    other = _listeners(proxy.role, secure)
    backend = f"nginx-mailcow:{http}" if proxy.kind == CONTAINER else f"{LOOPBACK_V4}:{http}"
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


def _listeners(role: str, port: PortFacts) -> tuple[Listener, ...]:
    """The sockets that the proxy has open on a port that mailcow would take."""
    if port.binding.number != port.binding.port.number:
        return ()
    return tuple(one for held in blockers(port.occupants) if held.role == role for one in held.listeners)


def _where(sockets: tuple[Listener, ...], number: int) -> tuple[str, ...]:
    """The addresses as nginx and Apache write them: `80`, `10.0.0.2:80`, `[::]:80`."""
    words = []
    for one in sockets:
        if one.address == EVERY_ADDRESS_V4:
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
            _(
                "{names} is a container: once mailcow runs, connect it to mailcow's network, where "
                "mailcow is http://{backend}: docker network connect {project}_mailcow-network "
                "{names}",
                names=proxy.names[0],
                backend=site.backend,
                project=project,
            )
        ),
    )
