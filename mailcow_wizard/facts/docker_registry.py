"""The registries that mailcow's images come from: whether they answer, over TLS, as registries do."""

from __future__ import annotations

import queue
import threading

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.facts import docker
from mailcow_wizard.facts.network.names import ask as look_up
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError, NoAnswer
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Outcome = Literal["answered", "silent", "untrusted", "unnamed", "failed"]

_WAIT_S = 5.0
_TARGET = "/v2/"


class Registry(NamedTuple):
    """What became of GET /v2/ at one host. `status` is the answer's, 0 where none came; `text` says why."""

    host: str
    outcome: Outcome
    status: int = 0
    text: str = ""


class Registries(NamedTuple):
    """All hosts; the mirrors of Docker Hub and the proxy that the engine goes through, where it has them."""

    hosts: tuple[Registry, ...]
    mirrors: tuple[str, ...]
    proxy: str


def registries(facts: Facts) -> Registries:
    """Asks all hosts, side by side."""
    answers: queue.SimpleQueue[Registry] = queue.SimpleQueue()

    def ask(host: str) -> None:
        try:
            answers.put(_asked(facts, host))
        except Exception as error:  # a thread that ends without a word would be waited for for ever
            answers.put(Registry(host, "failed", text=f"{type(error).__name__}: {error}"))

    for host in need.REGISTRIES:
        threading.Thread(target=ask, args=(host,), daemon=True, name=f"ask {host}").start()
    found = {one.host: one for one in (answers.get() for _unused in need.REGISTRIES)}
    try:
        known = facts.get(docker.info)
    except HostError:
        known = None
    hosts = tuple(found[one] for one in need.REGISTRIES)
    return Registries(hosts, known.mirrors if known else (), known.proxy if known else "")


def _asked(facts: Facts, host: str) -> Registry:
    try:
        reply = facts.host.fetch(host, _TARGET, 0, _WAIT_S, True)
    except NoAnswer as error:
        return Registry(host, "silent", text=str(error))
    except HostError as error:
        said = str(error)
        if "certificate" in said:
            return Registry(host, "untrusted", text=said)
        if "looked up" in said:
            return Registry(host, "unnamed", text=_why_unnamed(facts, host) or said)
        return Registry(host, "failed", text=said)
    return Registry(host, "answered", reply.status)


def _why_unnamed(facts: Facts, host: str) -> str:
    """Whether the name is missing everywhere, or this machine's own resolver does not answer."""
    try:
        (heard,) = look_up(facts, ((host, "A"),))
    except HostError:
        return ""
    if heard.values("A"):
        return _("{host} has an address, but this machine's own resolver gives none", host=host)
    return f"{host}: {heard.code or heard.error or _('no resolver answers')}"
