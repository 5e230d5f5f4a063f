"""The registries that mailcow's images come from: whether they answer, over TLS, as registries do."""

from __future__ import annotations

import queue
import threading

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.facts import docker
from mailcow_wizard.facts.named_proxy import NamedProxy, named_proxy
from mailcow_wizard.facts.network.names import (
    NO_SUCH_NAME,
    astray,
    families,
    look_up,
    resolver_trouble,
    why_none,
)
from mailcow_wizard.facts.network.names import ask as ask_names
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.network.proxy import read
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Outcome = Literal["answered", "silent", "untrusted", "unnamed", "unasked", "misled", "failed"]

_WAIT_S = 5.0
_TARGET = "/v2/"
_HIDDEN = "xxxxx"


class Registry(NamedTuple):
    """What became of GET /v2/ at one host. `status` is the answer's, 0 where none came; `text` says why.
    `through` is the proxy that it answered through, where it does not answer directly. Unnamed is a host that
    has no address, unasked one whose address nobody told, misled one whose name leads to somebody else's."""

    host: str
    outcome: Outcome
    status: int = 0
    text: str = ""
    through: str = ""


class Registries(NamedTuple):
    """All hosts; the mirrors of Docker Hub and the proxy that the engine goes through, where it has them; the
    proxy that the administrator names; whether there is an engine."""

    hosts: tuple[Registry, ...]
    mirrors: tuple[str, ...]
    proxy: str
    named: NamedProxy = NamedProxy()
    engine: bool = True


def registries(facts: Facts) -> Registries:
    """Asks all hosts, side by side. Raises what asking one of them was not meant to raise."""
    answers: queue.SimpleQueue[Registry | Exception] = queue.SimpleQueue()

    def ask(host: str) -> None:
        try:
            answers.put(_asked(facts, host))
        except Exception as error:  # a thread that ends without a word would be waited for for ever
            answers.put(error)

    for host in need.REGISTRIES:
        threading.Thread(target=ask, args=(host,), daemon=True, name=f"ask {host}").start()
    found = {}
    for one in [answers.get() for _unused in need.REGISTRIES]:
        if isinstance(one, Exception):
            raise one
        found[one.host] = one
    hosts = tuple(found[one] for one in need.REGISTRIES)
    known, named = facts.get(docker.told), facts.get(named_proxy)
    about = (known.mirrors, known.proxy) if known else ((), "")
    return Registries(hosts, *about, named, known is not None)


def _way(facts: Facts) -> str:
    """The URL of the proxy that the engine goes through, else of the one that the administrator names; empty
    where there is none that can be asked."""
    known, named = facts.get(docker.told), facts.get(named_proxy)
    if known and known.proxy:
        # The engine tells no password: through such a proxy nobody can ask but itself.
        return "" if _HIDDEN in known.proxy else known.proxy
    return named.url if named.address else ""


def _asked(facts: Facts, host: str) -> Registry:
    """Directly, else through the proxy, where one is named."""
    direct = _directly(facts, host)
    proxy = _way(facts) if direct.outcome != "answered" else ""
    if not proxy:
        return _told(facts, direct)
    try:
        reply = facts.host.fetch(host, _TARGET, 0, _WAIT_S, True, proxy)
    except HostError as error:
        said = direct._replace(text=_("{direct}; through the proxy: {why}", direct=direct.text, why=error))
        # Who goes through a proxy needs no resolver: that the proxy refuses is an answer.
        refuses = direct.outcome == "unasked" and not isinstance(error, NoAnswer)
        return said._replace(outcome="failed") if refuses else said
    return Registry(host, "answered", reply.status, through=read(proxy).address)


def _directly(facts: Facts, host: str) -> Registry:
    try:
        reply = facts.host.fetch(host, _TARGET, 0, _WAIT_S, True)
    except NoAnswer as error:
        return _silent(facts, host, str(error))
    except HostError as error:
        said = str(error)
        if "certificate" in said:
            return Registry(host, "untrusted", text=said)
        if "looked up" in said:
            return Registry(host, "unnamed", text=_why_unnamed(facts, host) or said)
        return Registry(host, "failed", text=said)
    return Registry(host, "answered", reply.status)


def _told(facts: Facts, found: Registry) -> Registry:
    """The same, where a name's own address does not answer; else, to which other it leads."""
    if found.outcome in ("answered", "unnamed", "unasked"):
        return found
    try:
        looked = facts.get(look_up, need.REGISTRIES, facts.get(families) or (4,))[found.host]
    except HostError:
        return found
    told = {*looked.v4, *looked.v6}
    lies = astray(facts, told)
    # Where one is the host's, it is that one which does not answer: programs pass over the other.
    return found._replace(outcome="misled", text=sorted(lies)[0]) if told and told == lies else found


def _silent(facts: Facts, host: str, said: str) -> Registry:
    if "looked up" not in said:
        return Registry(host, "silent", text=said)
    why = _why_unnamed(facts, host)
    nowhere = why == f"{host}: {NO_SUCH_NAME}"
    return Registry(host, "unnamed" if nowhere else "unasked", text=why or said)


def _why_unnamed(facts: Facts, host: str) -> str:
    """Whether the name is missing everywhere, or this machine's own resolver does not answer."""
    try:
        (heard,) = ask_names(facts, ((host, "A"),))
    except HostError:
        return ""
    if heard.values("A"):
        words = _("{host} has an address, but this machine's own resolver gives none", host=host)
        trouble = facts.get(resolver_trouble)
        return f"{words} ({trouble})" if trouble else words
    return f"{host}: {why_none(heard) or _('no resolver answers')}"
