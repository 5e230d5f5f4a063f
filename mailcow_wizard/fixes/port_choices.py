"""Which choices a port conflict leaves, best first, and what each costs. Pure: it asks nobody."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.blockers import CONTAINER, MAIL_SERVERS, UNIT, Blocker
from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.facts.protected_services import is_runner
from mailcow_wizard.language import _
from mailcow_wizard.model import Risk
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.facts.mail_queue import Queue

_SMTP = 25
_WEB = (80, 443)
# What is known as a proxy that mailcow can stand behind.
PROXIES = ("nginx", "apache", "caddy", "haproxy", "traefik")
# Packages that are servers and nothing else; removing others could take away more than a listener.
_REMOVABLE = (
    "postfix", "exim4", "exim", "sendmail", "opensmtpd", "nginx", "apache2", "httpd", "lighttpd", "caddy",
    "haproxy", "dovecot", "courier", "cyrus", "mariadb-server", "mysql-server", "redis", "redis-server",
    "valkey",
)  # fmt: skip


class Choice(NamedTuple):
    """A fix that makes sense here: its id, title and price."""

    id: str
    title: str
    risk: Risk
    reversible: bool = True


class Circumstances(NamedTuple):
    """What else decides: whether mailcow.conf is there to be edited, the other web sites of the holder
    (None: not known), its mail queue, whether postfix can do without its listener, a port and an address
    that are free; `script` names the init script of a service where there is no systemd; `gone` says that
    who holds the port cannot be started again once it is stopped. `besides` are the units that systemd stops
    along with it."""

    conf: bool = False
    sites: tuple[str, ...] | None = ()
    queue: Queue | None = None
    postfix: bool = False
    port: int = 0
    address: str = ""
    script: str = ""
    gone: bool = False
    besides: tuple[str, ...] = ()


def choices(port: PortFacts, blockers: tuple[Blocker, ...], around: Circumstances) -> tuple[Choice, ...]:
    """Best first: what keeps people's things running, then what is simple, last what cannot be undone."""
    stop = _stop(blockers, around)
    proxy = _proxy(port, blockers, around)
    postfix = _postfix(port, blockers, around)
    move = _move(port, blockers, around)
    bind = _bind(port, around)
    if port.binding.port.address:
        order = [move, stop]
    elif port.binding.port.number in _WEB:
        order = [proxy, stop, bind, move] if around.sites != () else [stop, proxy, bind, move]
    elif around.queue and around.queue.number:
        order = [postfix, stop, bind, move]
    else:
        order = [stop, postfix, bind, move]
    return tuple(one for one in (*order, _remove(blockers, around)) if one)


def is_service(blocker: Blocker, around: Circumstances) -> bool:
    """Whether it is started by an init system, which can be told to leave it off."""
    return blocker.kind == UNIT or bool(around.script)


def _stop(blockers: tuple[Blocker, ...], around: Circumstances) -> Choice | None:
    if not blockers or not all(one.kind == CONTAINER or is_service(one, around) for one in blockers):
        return None
    # A running mailcow is ended whole, if at all.
    if any(one.container and one.container.home for one in blockers):
        return None
    names = _(" and ").join(one.name for one in blockers)
    back = not around.gone
    if all(one.kind == CONTAINER for one in blockers):
        return Choice("stop-container", _("Stop {names}", names=names), "medium" if back else "high", back)
    risk: Risk = "low"
    if any(one.kind == CONTAINER for one in blockers) or (around.queue and around.queue.number):
        risk = "medium"
    if around.besides:
        risk = "high" if any(map(_is_much, around.besides)) else "medium"
    if any(one.main for one in blockers):
        risk = "high"
    if not back or (around.sites and any(one.role in PROXIES for one in blockers)):
        risk = "high"
    return Choice("stop-service", _("Stop and disable {names}", names=names), risk, back)


def _is_much(unit: str) -> bool:
    """Whether more than one service is gone with this unit."""
    return unit.endswith((".target", ".mount")) or is_runner((), (unit,))


def _postfix(port: PortFacts, blockers: tuple[Blocker, ...], around: Circumstances) -> Choice | None:
    wanted = (port.binding.number, port.binding.port.number)
    if not around.postfix or not all(one in need.POSTFIX_PORTS for one in wanted):
        return None
    if not all(one.role == "postfix" and is_service(one, around) for one in blockers):
        return None
    return Choice("loopback-mta", _("Keep postfix for this machine's own mail, without listeners"), "low")


def _proxy(port: PortFacts, blockers: tuple[Blocker, ...], around: Circumstances) -> Choice | None:
    if not around.conf or port.binding.port.number not in _WEB or port.binding.number not in _WEB:
        return None
    if len(blockers) != 1 or blockers[0].role not in PROXIES:
        return None
    if not (blockers[0].kind == CONTAINER or is_service(blockers[0], around)):
        return None
    return Choice("proxy-mode", _("Put mailcow behind {blockers}", blockers=blockers[0].name), "medium")


def _move(port: PortFacts, blockers: tuple[Blocker, ...], around: Circumstances) -> Choice | None:
    if not around.conf or not around.port:
        return None
    binding = port.binding
    title = _("Move mailcow's {service} to port {port}", service=binding.port.service, port=around.port)
    if binding.port.number == _SMTP:
        # Only a mail server in front could pass mail on: the world delivers to port 25 alone.
        relay = any(one.role in MAIL_SERVERS for one in blockers)
        return (
            Choice("move-port", _("{title}: no mail from outside arrives", title=title), "high")
            if relay
            else None
        )
    if binding.port.address:
        return Choice("move-port", title, "low")
    return Choice("move-port", title, "medium")


def _bind(port: PortFacts, around: Circumstances) -> Choice | None:
    if not around.conf or not around.address:
        return None
    title = _(
        "Bind mailcow's {service} to {address} alone",
        service=port.binding.port.service,
        address=around.address,
    )
    return Choice("bind-address", title, "medium")


def _remove(blockers: tuple[Blocker, ...], around: Circumstances) -> Choice | None:
    packages = {one.package for one in blockers}
    if len(packages) != 1 or not all(is_service(one, around) and one.kind != CONTAINER for one in blockers):
        return None
    package = packages.pop()
    if not any(package == one or package.startswith(f"{one}-") for one in _REMOVABLE):
        return None
    return Choice(
        "remove-package", _("Remove the package {package}", package=package), "high", reversible=False
    )
