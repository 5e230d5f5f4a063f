"""Options of Docker's bridge networks, as mailcow's network has them: its own once it is there, else those
that the daemon gives to every new one (default-network-opts). What daemon.json says of the default bridge,
such as `ip` and `icc`, does not concern it (tried with 26.1 and 28.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mailcow_wizard.facts import docker
from mailcow_wizard.facts.docker_leftovers import stack
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

PREFIX = "com.docker.network.bridge."
_SETTING, _WORD = "default-network-opts", "--default-network-opt"
_OF_A_NETWORK = f"--opt={PREFIX}"


class NetworkOptions(NamedTuple):
    """The options, without the beginning that all have; `made`: those of the network that is there."""

    made: bool = False
    options: Mapping[str, str] = MappingProxyType({})


def defaults(words: Sequence[str], settings: Mapping[str, Any]) -> dict[str, str]:
    """What the daemon gives to a new bridge network, by its command line and by its file."""
    found = docker.entries(docker.entries(settings, _SETTING), "bridge")
    pairs = [f"{key}={value}" for key, value in found.items()]
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == _WORD:
            said = value if equals else "".join(words[number + 1 : number + 2])
            kind, _unused, pair = said.partition("=")
            pairs += [pair] if kind == "bridge" else []
    split = (one.partition("=") for one in pairs if one.startswith(PREFIX))
    return {key.removeprefix(PREFIX): value for key, _unused, value in split}


def network_options(facts: Facts, words: Sequence[str], settings: Mapping[str, Any]) -> NetworkOptions:
    """Asks Docker for the network. Raises nothing: where it does not tell, a new one is taken for granted."""
    new = NetworkOptions(False, MappingProxyType(defaults(words, settings)))
    try:
        project = facts.get(mailcow_conf).get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
        known = facts.get(stack).networks if facts.get(docker.engine).state == "answers" else ()
    except HostError:
        return new
    for one in known:
        if one.project == project:
            split = (word.removeprefix(_OF_A_NETWORK).partition("=") for word in one.settings)
            own = {key: value for key, equals, value in split if equals and not key.startswith("-")}
            return NetworkOptions(True, MappingProxyType(own))
    return new
