"""Whether strangers look like neighbours to mailcow's postfix, which would then relay for them (G01).

Where Docker has no firewall rule for a published port, a program of its own (docker-proxy) takes the
connection and opens another one to the container, from the gateway of mailcow's network: postfix sees an
address that it trusts. That is so for IPv6 where mailcow's network has none, and for everything where Docker
makes no rules.
"""

from __future__ import annotations

from mailcow_wizard import requirements as base
from mailcow_wizard import requirements_docker as need
from mailcow_wizard import requirements_network as of_network
from mailcow_wizard.facts import docker, docker_json
from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.containers import containers
from mailcow_wizard.facts.docker_leftovers import stack
from mailcow_wizard.facts.firewall.entries import entries
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.facts.network.routes import own_v6
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

_POSTFIX = "postfix-mailcow"
_EVERYWHERE = ("", "0.0.0.0")  # with which Docker publishes over IPv6, too
_V4 = pattern(r"\d+(\.\d+){3}:")


class Relay(NamedTuple):
    """What decides whether strangers look like neighbours.

    `absent`: why there is nothing to judge. `addresses` are this machine's global ones of IPv6. `published`
    are where the running postfix is published, empty where it does not run; `keys` the ports of postfix that
    mailcow.conf leaves open to IPv6. `network`: whether mailcow's network has IPv6 (None: it is not made yet
    and nobody has said), and `made` that it is there; `untold` why that could not be found out. `rules` are
    None where no daemon's settings are known, because daemon.json is not valid. `passed_by` are the families
    in which no rule sends connections on to the postfix that runs.
    """

    absent: str
    addresses: tuple[str, ...] = ()
    published: tuple[tuple[str, int], ...] = ()
    keys: tuple[str, ...] = ()
    network: bool | None = None
    made: bool = False
    untold: str = ""
    rules: docker_json.Rules | None = None
    passed_by: tuple[int, ...] = ()

    @property
    def open_v6(self) -> bool:
        """Whether a port of postfix takes connections over IPv6, now or when it starts."""
        if self.published:
            return any(":" in address for address, _unused in self.published)
        address = self.rules.address if self.rules and not self.made else ""
        return bool(self.keys) and (address in _EVERYWHERE or ":" in address)


def relay(facts: Facts) -> Relay:
    """Reads mailcow.conf, Docker's settings, and what runs. Raises HostError."""
    here, conf = facts.get(place), facts.get(mailcow_conf)
    if here.absent or not conf.exists:
        return Relay(here.absent or _("there is no {path} yet", path=conf.path))
    if not facts.get(docker.engine).installed:
        return Relay(_("Docker is not installed yet"))
    addresses = tuple(
        one.address for one in facts.get(own_v6) if not one.temporary and not one.address.startswith("f")
    )
    keys = tuple(
        one.key
        for one in base.PORTS
        if one.key in need.RELAY_KEYS and not _V4.match(conf.get(one.key, str(one.number)))
    )
    said = {"true": True, "false": False}.get(conf.ipv6 or "true")
    broken = facts.get(docker_json.daemon_json).shape == "broken"
    rules = None if broken else facts.get(docker_json.rules)
    found = Relay("", addresses, keys=keys, network=said, rules=rules)
    if facts.get(docker.engine).state != "answers":
        return _by_bridge(facts, found)
    project = conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
    published = [
        one for box in facts.get(containers) if box.project == project and box.service == _POSTFIX
        for one in box.published
    ]  # fmt: skip
    found = found._replace(published=tuple(published), passed_by=_passed_by(facts) if published else ())
    try:
        networks = [one for one in facts.get(stack).networks if one.project == project]
    except HostError as error:
        return found._replace(untold=str(error))
    if networks:
        return found._replace(network=networks[0].ipv6, made=True)
    # A postfix that runs is in a network: what mailcow.conf says of the next one is not about that.
    return found._replace(
        untold=_("Docker lists no network of {project}", project=project) if published else ""
    )


def _by_bridge(facts: Facts, found: Relay) -> Relay:
    """What is known of the network where Docker does not answer: its bridge stays, with the addresses."""
    if any(one.interface == of_network.MAILCOW_BRIDGE for one in facts.get(own_v6)):
        return found._replace(network=True, made=True)
    return found._replace(untold=_("Docker does not answer")) if found.network else found


def _passed_by(facts: Facts) -> tuple[int, ...]:
    """Families in which a port of postfix stays with Docker's proxy; none where the rules cannot be read."""
    try:
        return tuple(
            dict.fromkeys(
                one.family for one in facts.get(entries).passed_by if one.port.key in need.RELAY_KEYS
            )
        )
    except HostError:
        return ()
