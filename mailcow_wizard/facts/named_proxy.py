"""The proxy that this machine goes out through, as far as its administrator says so."""

from __future__ import annotations

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network import proxy, proxy_variables
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple


class NamedProxy(NamedTuple):
    """The proxy for HTTPS (`url`, which may hold a password; empty: none is named), its address without what
    is secret (empty too where it cannot be asked), and where it is named."""

    url: str = ""
    address: str = ""
    where: str = ""


def named_proxy(facts: Facts) -> NamedProxy:
    """The proxy for HTTPS, which is what Docker, git and package managers fetch by."""
    try:
        url = proxy_variables.variables(facts.host).get("https_proxy", "")
        own = any(facts.host.variable(name) for name in ("https_proxy", "HTTPS_PROXY"))
    except HostError:  # a machine that was recorded before anybody asked for it
        return NamedProxy()
    if not url:
        return NamedProxy()
    where = _("this shell's environment") if own else proxy_variables.FILE
    try:
        return NamedProxy(url, proxy.read(url).address, where)
    except HostError:
        return NamedProxy(url, "", where)
