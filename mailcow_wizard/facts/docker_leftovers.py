"""What an older mailcow left in Docker: containers, networks, volumes, and whose they are."""

from __future__ import annotations

from mailcow_wizard.facts import docker
from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.containers import COMPOSE_LABEL
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.requirements_network import MAILCOW_NETWORK
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

# mailcow's services but a few are called so, and no others are known to be.
_SERVICES = "-mailcow"
_BRIDGE = "com.docker.network.bridge.name"
# Volumes of which each mailcow has one; mail and its keys lie in the first two, accounts in the third.
_WITH_MAIL = ("vmail-vol-1", "crypt-vol-1", "mysql-vol-1")
_VOLUMES = (
    *_WITH_MAIL,
    *("vmail-index-vol-1", "redis-vol-1", "rspamd-vol-1", "postfix-vol-1", "mysql-socket-vol-1"),
    *("sogo-web-vol-1", "sogo-userdata-backup-vol-1", "clamd-db-vol-1", "postfix-tlspol-vol-1"),
)


class LeftContainer(NamedTuple):
    """A container of mailcow's: `directory` is where its compose file lay, `here` that this is mailcow's
    directory, `state` Docker's word for it."""

    name: str
    service: str
    project: str
    directory: str
    state: str
    here: bool = False

    @property
    def runs(self) -> bool:
        """Whether it works, or comes back by itself."""
        return self.state in ("running", "restarting", "paused")


class LeftNetwork(NamedTuple):
    """A network of mailcow's, and whether it has IPv6. `settings` are the words for `docker network create`
    that make it anew as it is."""

    name: str
    project: str
    ipv6: bool
    settings: tuple[str, ...]


class LeftVolume(NamedTuple):
    """A volume of mailcow's. `mail`: mail, its keys or its accounts are in it."""

    name: str
    project: str
    mail: bool


class Stack(NamedTuple):
    """All that Docker holds of any mailcow: the running one's parts and those of older ones."""

    containers: tuple[LeftContainer, ...]
    networks: tuple[LeftNetwork, ...]
    volumes: tuple[LeftVolume, ...]


class Leftovers(NamedTuple):
    """What is there besides the mailcow of mailcow's directory (`own` is that one's part).

    `directory` is mailcow's, `project` the name that compose gives it, `configured` that its mailcow.conf is
    there. `asked` is False where no engine answers, and `installed` whether there is one. `apart`: the one
    that answers holds other things than this machine's usual Docker. `still` is the directory of a mailcow
    that is left, has its mailcow.conf, and does not run.
    """

    asked: bool
    installed: bool
    directory: str
    project: str
    configured: bool
    own: Stack
    left: Stack
    apart: bool = False
    still: str = ""


_NOTHING = Stack((), (), ())


def stack(facts: Facts) -> Stack:
    """Every container, network and volume of mailcow's that the engine knows. Raises HostError."""
    listed = [_container(one) for one in docker.rows(facts, "/containers/json?all=1")]
    boxes = tuple(one for one in listed if one.service.endswith(_SERVICES) or one.project == DEFAULT_PROJECT)
    projects = {DEFAULT_PROJECT, *(one.project for one in boxes if one.project)}
    projects |= {facts.get(mailcow_conf).get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)}
    networks = (_network(one) for one in facts.get(docker.networks))
    volumes = (
        _volume(one) for one in docker.items(docker.ask(facts, "/volumes"), "Volumes") if _is_dict(one)
    )
    return Stack(
        boxes,
        tuple(one for one in networks if one.project in projects or one.name.endswith(f"_{MAILCOW_NETWORK}")),
        tuple(sorted(one for one in volumes if one.project in projects or one.mail)),
    )


def leftovers(facts: Facts) -> Leftovers:
    """Parts the machine's own mailcow from others. Raises HostError for an engine that answers oddly."""
    here, conf, engine = facts.get(place), facts.get(mailcow_conf), facts.get(docker.engine)
    docker.must_be_allowed(facts)
    project = conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
    none = Leftovers(
        False, engine.installed, here.directory, project, conf.exists, own=_NOTHING, left=_NOTHING
    )
    if engine.state != "answers":
        return none
    found = facts.get(stack)
    real = _real(facts, here.directory)

    boxes = tuple(
        one._replace(here=bool(one.directory) and _real(facts, one.directory) == real)
        for one in found.containers
    )

    def mine(box: LeftContainer) -> bool:
        return conf.exists and box.project == project and (box.here or not box.directory)

    own = Stack(
        tuple(one for one in boxes if mine(one)),
        tuple(one for one in found.networks if conf.exists and one.project == project),
        tuple(one for one in found.volumes if conf.exists and one.project == project),
    )
    left = Stack(
        tuple(one for one in boxes if one not in own.containers),
        tuple(one for one in found.networks if one not in own.networks),
        tuple(one for one in found.volumes if one not in own.volumes),
    )
    known = facts.get(docker.told)
    return none._replace(
        asked=True,
        own=own,
        left=left,
        apart=bool(known and known.apart),
        still=here.elsewhere if here.still else "",
    )


def _real(facts: Facts, directory: str) -> str:
    try:
        return facts.host.resolve(directory)
    except HostError:
        return directory.rstrip("/")


def _is_dict(one: object) -> bool:
    return isinstance(one, dict)


def _label(one: dict[str, Any], name: str) -> str:
    return str(docker.entries(one, "Labels").get(f"{COMPOSE_LABEL}{name}", ""))


def _container(one: dict[str, Any]) -> LeftContainer:
    names = docker.items(one, "Names")
    return LeftContainer(
        str(names[0]).lstrip("/") if names else str(one.get("Id", ""))[:12],
        _label(one, "service"),
        _label(one, "project"),
        _label(one, "project.working_dir"),
        str(one.get("State", "")),
    )


def _network(one: dict[str, Any]) -> LeftNetwork:
    name = str(one.get("Name", ""))
    project = _label(one, "project") or name.removesuffix(f"_{MAILCOW_NETWORK}")
    ipv6 = one.get("EnableIPv6") is True
    return LeftNetwork(name, project, ipv6, _settings(one))


def _settings(one: dict[str, Any]) -> tuple[str, ...]:
    driver = one.get("Driver") or "bridge"
    words = [f"--driver={driver}"]
    words += [
        f"--{word}"
        for key, word in (("EnableIPv6", "ipv6"), ("Internal", "internal"), ("Attachable", "attachable"))
        if one.get(key) is True
    ]
    pools = docker.items(docker.entries(one, "IPAM"), "Config")
    for pool in (each for each in pools if _is_dict(each)):
        for key, word in (("Subnet", "subnet"), ("IPRange", "ip-range"), ("Gateway", "gateway")):
            words += [f"--{word}={pool[key]}"] if pool.get(key) else []
        kept = docker.entries(pool, "AuxiliaryAddresses")
        words += [f"--aux-address={name}={at}" for name, at in sorted(kept.items())]
    identifier = str(one.get("Id") or "")
    if driver == "bridge" and identifier and _BRIDGE not in docker.entries(one, "Options"):
        # Docker calls the bridge after the network's id, which is another when it is made anew.
        words.append(f"--opt={_BRIDGE}=br-{identifier[:12]}")
    for key, word in (("Options", "opt"), ("Labels", "label")):
        words += [f"--{word}={name}={value}" for name, value in sorted(docker.entries(one, key).items())]
    return tuple(words)


def _volume(one: dict[str, Any]) -> LeftVolume:
    name = str(one.get("Name", ""))
    kind = next((end for end in _VOLUMES if name.endswith(f"_{end}")), _label(one, "volume"))
    project = _label(one, "project") or name.removesuffix(f"_{kind}")
    return LeftVolume(name, project, kind in _WITH_MAIL)
