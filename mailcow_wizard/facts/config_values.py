"""The settings of mailcow.conf that are held against the machine: its name, its timezone, its Compose."""

from __future__ import annotations

from mailcow_wizard.facts import time_zone
from mailcow_wizard.facts.compose import Compose, compose
from mailcow_wizard.facts.config import NAME, conf_file, place
from mailcow_wizard.facts.hosts_file import addresses_in_hosts
from mailcow_wizard.facts.identity import hostname, own_name
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple


def nothing_to_read(facts: Facts) -> str:
    """Why no setting can be judged yet, in words; empty where mailcow.conf can be read. Raises Denied."""
    here = facts.get(place)
    if here.absent:
        return here.absent
    kind = facts.get(conf_file).kind
    if kind == "missing":
        return _("there is no {name} yet", name=NAME)
    return "" if kind == "file" else _("{name} is no file that can be read", name=NAME)


class ServerName(NamedTuple):
    """What the server is called.

    `configured` is MAILCOW_HOSTNAME (None: there is no mailcow.conf); `name` and `origin` are what counts by
    precedence; `own` is what the machine calls itself; `mapped` are the addresses that /etc/hosts gives the
    configured name; `domains` are the mail domains that were named.
    """

    path: str
    configured: str | None
    name: str
    origin: str
    own: str
    mapped: tuple[str, ...]
    domains: tuple[str, ...]


def server_name(facts: Facts) -> ServerName:
    """The name in mailcow.conf, the one that was asked for, and the machine's own."""
    conf = None if nothing_to_read(facts) else facts.get(mailcow_conf)
    configured = conf.values.get("MAILCOW_HOSTNAME", "") if conf else None
    known = hostname(facts)
    name = configured or known.name
    path = f"{facts.get(place).directory}/{NAME}"
    return ServerName(
        path,
        configured,
        known.name,
        known.origin,
        own_name(facts),
        _mapped(facts, name),
        facts.settings.domains,
    )


def _mapped(facts: Facts, name: str) -> tuple[str, ...]:
    try:
        return addresses_in_hosts(facts.host.text("/etc/hosts"), name)
    except HostError:
        return ()


class ConfZone(NamedTuple):
    """TZ of mailcow.conf: the file, the value, whether this machine knows that zone (None: it has no zones at
    all), and the machine's own zone (empty where it is not known). `skip` says why there is nothing to
    judge."""

    skip: str
    value: str
    known: bool | None
    machine: str
    path: str = NAME


def conf_zone(facts: Facts) -> ConfZone:
    """Holds TZ against the machine's zones."""
    skip = nothing_to_read(facts)
    if skip:
        return ConfZone(skip, "", None, "")
    value = facts.get(mailcow_conf).values.get("TZ", "")
    known: bool | None = None
    if facts.host.exists(time_zone.ZONEINFO):
        known = time_zone.is_zone(facts.host, value)
    try:
        zone = facts.get(time_zone.zone)
        machine = zone.linked or zone.written or ""
    except HostError:
        machine = ""
    return ConfZone("", value, known, machine, f"{facts.get(place).directory}/{NAME}")


class ConfCompose(NamedTuple):
    """DOCKER_COMPOSE_VERSION of mailcow.conf (None: no such line), beside what is installed."""

    skip: str
    path: str
    value: str | None
    installed: Compose


def conf_compose(facts: Facts) -> ConfCompose:
    """Holds DOCKER_COMPOSE_VERSION against the Compose that is installed."""
    skip = nothing_to_read(facts)
    path = f"{facts.get(place).directory}/{NAME}"
    if skip:
        return ConfCompose(skip, path, None, Compose("", "", False, ""))
    value = facts.get(mailcow_conf).values.get("DOCKER_COMPOSE_VERSION")
    return ConfCompose("", path, value, facts.get(compose))
