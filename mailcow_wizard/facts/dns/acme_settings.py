"""What mailcow.conf tells mailcow's acme, which fetches certificates, and the names that it will try.

After mailcow's own script (data/Dockerfiles/acme/acme.sh, of August 2026).
"""

from __future__ import annotations

from mailcow_wizard.facts.dns.caa import ISSUER
from mailcow_wizard.facts.dns.domain_records import CLIENTS
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.mailcow_conf import MailcowConf, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.names import NotAName, host_name
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Whose = Literal["server", "client", "mta-sts", "more"]

STS = "mta-sts"


class AcmeSettings(NamedTuple):
    """`asks` that Let's Encrypt is asked at all; `only_server` that the server's name alone is tried,
    `clients` that autodiscover, autoconfig and mta-sts of each domain are; `apart` that each domain's names
    get a certificate of their own (SNI); `by_dns` that DNS proves the names (DNS-01) and no address is
    compared; `any_v4`, `any_v6` that the addresses of a family are not compared. `prefixes` are tried below
    each domain, `names` as they are. `directory` is the host of another authority than Let's Encrypt."""

    asks: bool = True
    only_server: bool = False
    clients: bool = True
    apart: bool = False
    by_dns: bool = False
    any_v4: bool = False
    any_v6: bool = False
    prefixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    directory: str = ""


class Candidate(NamedTuple):
    """A name that acme tries, and whose it is: the server's own, one of a mail domain (`domain`), or named in
    ADDITIONAL_SAN (more). `covered` is the wildcard that stands for it."""

    name: str
    whose: Whose
    domain: str = ""
    covered: str = ""


def acme_settings(facts: Facts) -> AcmeSettings:
    """Reads mailcow.conf; without one mailcow's own defaults hold. Raises HostError."""
    return settings_of(facts.get(mailcow_conf))


def settings_of(conf: MailcowConf) -> AcmeSettings:
    """The settings in a mailcow.conf."""

    more = [word for part in conf.get("ADDITIONAL_SAN").split(",") for word in part.split()]
    unchecked = conf.yes("SKIP_IP_CHECK")
    return AcmeSettings(
        asks=not conf.yes("SKIP_LETS_ENCRYPT"),
        only_server=conf.yes("ONLY_MAILCOW_HOSTNAME"),
        clients=conf.yes("AUTODISCOVER_SAN", "y"),
        apart=conf.yes("ENABLE_SSL_SNI"),
        by_dns=conf.yes("ACME_DNS_CHALLENGE"),
        any_v4=unchecked or conf.get("SNAT_TO_SOURCE", "n") != "n",
        any_v6=unchecked or conf.get("SNAT6_TO_SOURCE", "n") != "n",
        prefixes=tuple(one[:-2] for one in more if one.endswith(".*") and len(one) > 2),
        names=tuple(one.lower() for one in more if not one.endswith(".*")),
        directory="" if conf.yes("LE_STAGING") else _directory(conf.get("DIRECTORY_URL")),
    )


def _directory(url: str) -> str:
    """The host of another authority's directory; empty for Let's Encrypt's own."""
    host = url.strip().rpartition("://")[2].partition("/")[0].rpartition("@")[2].lower()
    return "" if host == ISSUER or host.endswith(f".{ISSUER}") else host


def candidates(server: MailServer, settings: AcmeSettings) -> tuple[Candidate, ...]:
    """Every name that acme tries for this server and its mail domains, each once, the server's own first."""
    if not settings.asks:
        return ()
    found = [Candidate(server.name, "server", "", _covering(server.name, settings))]
    if not settings.only_server:
        below = (*settings.prefixes, *((*CLIENTS, STS) if settings.clients else ()))
        for domain in server.domains:
            for prefix in dict.fromkeys(below):
                name = f"{prefix}.{domain}".lower()
                whose: Whose = "mta-sts" if prefix == STS else "client"
                found.append(Candidate(name, whose, domain, _covering(name, settings)))
        found += [Candidate(one, "more") for one in settings.names]
    names: dict[str, Candidate] = {}
    for one in found:
        if _is_name(one.name):
            names.setdefault(one.name, one)
    return tuple(names.values())


def _is_name(text: str) -> bool:
    try:
        host_name(text.removeprefix("*."))
    except NotAName:
        return False
    return True


def _covering(name: str, settings: AcmeSettings) -> str:
    """The wildcard of ADDITIONAL_SAN that stands for a name; only DNS can prove one."""
    wildcard = f"*.{name.partition('.')[2]}"
    return wildcard if settings.by_dns and wildcard in settings.names else ""
