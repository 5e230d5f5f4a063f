"""Naming the proxy to Docker that the administrator names for this machine."""

from __future__ import annotations

from mailcow_wizard.facts import docker
from mailcow_wizard.facts.docker_json import daemon_json, engine_version
from mailcow_wizard.facts.named_proxy import named_proxy
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, docker_settings
from mailcow_wizard.host.network import proxy, proxy_variables
from mailcow_wizard.language import _
from mailcow_wizard.model import Judgement, Plan

_KEY = "proxies"
_SINCE = (23, 0, 0)
"""The first engine that takes it from daemon.json (docs.docker.com, Daemon proxy configuration)."""
NAMES = {"http_proxy": "http-proxy", "https_proxy": "https-proxy", "no_proxy": "no-proxy"}
"""What each variable is called in daemon.json."""


def name(judgement: Judgement, facts: Facts) -> Plan | None:
    """Puts it into daemon.json; None where Docker has one, or none is named. Raises NoPlan."""
    known, named = facts.get(docker.told), facts.get(named_proxy)
    if known is None or known.proxy or not named.address:
        return None
    if docker.numbers(engine_version(facts)) < _SINCE:
        raise NoPlan(_("This Docker takes a proxy from its unit alone: see docs.docker.com, Daemon proxy."))
    said = proxy_variables.variables(facts.host)
    if proxy.read(named.url).who or any("@" in said.get(one, "") for one in ("http_proxy", "https_proxy")):
        raise NoPlan(
            _("The proxy wants a password: name it in a file of Docker's unit that root alone may read.")
        )
    file = facts.get(daemon_json)
    settings = docker_settings.read(file)
    if _KEY in settings:
        raise NoPlan(
            _("{path} names a proxy already, which Docker does not use: restart Docker.", path=file.path)
        )
    changed = {**settings, _KEY: {NAMES[key]: said[key] for key in sorted(NAMES) if said.get(key)}}
    return Plan(
        "docker.registry",
        judgement.subject,
        "docker-proxy",
        _("Let Docker go through the proxy {proxy}", proxy=named.address),
        docker_settings.steps(facts, file, changed),
        "medium",
        reversible=True,
        needs_root=True,
        consequence=_(
            "{change} Images come through the proxy then; mailcow's containers go through none.",
            change=docker_settings.words(settings, changed),
        ),
        interrupts=docker_settings.interrupted(facts),
        settle=docker_settings.SETTLE_S,
    )
