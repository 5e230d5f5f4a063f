"""Judge of the registries that mailcow's images come from: one result for each host."""

from __future__ import annotations

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks.by_clock import see_the_clock
from mailcow_wizard.checks.network_nameless import OTHER_RESOLVER
from mailcow_wizard.facts.docker_registry import Registries, Registry, registries
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Check, Evidence, Judgement

_USE = {
    "ghcr.io": _("mailcow's own images"),
    "registry-1.docker.io": _("images of the database, Redis and others"),
    "auth.docker.io": _("permission to fetch images from Docker Hub"),
}
_RESOLVER = _("See /etc/resolv.conf: a resolver named there must answer; Docker asks it too.")


def judge_registries(seen: Registries) -> tuple[Judgement, ...]:
    """One judgement for each host."""
    return tuple(_judge(one, seen)._replace(subject=one.host) for one in seen.hosts)


def _judge(one: Registry, seen: Registries) -> Judgement:
    found = heard(one.text) or _("HTTP {status}", status=one.status)
    common = Judgement(
        "pass",
        "",
        found,
        (Evidence(f"curl -sI https://{one.host}/v2/", found),),
        needed=_("{host} answers over HTTPS: {use}", host=one.host, use=_USE.get(one.host, _("images"))),
    )
    if one.through:
        return _through(one, seen, common)
    if one.outcome == "answered":
        return _answered(one, common)
    if seen.proxy:
        words = _("{host} does not answer here; Docker goes through a proxy, and may reach it", host=one.host)
        return common._replace(status="unknown", summary=words, certainty="untested")
    if one.outcome == "silent":
        return common._replace(
            status="unknown",
            summary=_("{host} has not answered in time: something is slow, or gets lost", host=one.host),
            remedies=(
                _(
                    "Try again; where it stays so, see network.outbound-hosts (port 443 or the name server) "
                    "and network.mtu (connections that hang half-way)."
                ),
            ),
            certainty="untested",
        )
    if one.outcome == "unasked":
        return common._replace(
            status="unknown",
            summary=_("the address of {host} could not be looked up: {why}", host=one.host, why=_short(one)),
            remedies=(*see_the_clock(one.text), _RESOLVER),
            certainty="untested",
        )
    mirrored = bool(seen.mirrors) and one.host != "ghcr.io"
    status = common._replace(status="warn" if mirrored else "fail")
    aside = _("; Docker has a mirror ({mirrors})", mirrors=seen.mirrors[0]) if mirrored else ""
    if one.outcome == "untrusted":
        return status._replace(
            summary=_(
                "{host} shows a certificate that is not trusted: {why}{aside}",
                host=one.host,
                why=_short(one),
                aside=aside,
            ),
            remedies=(
                *see_the_clock(one.text),
                _(
                    "Somebody in between opens TLS, or this machine's clock or its list of "
                    "authorities is wrong. See who signs: openssl s_client -connect {host}:443 "
                    "-servername {host}",
                    host=one.host,
                ),
                _(
                    "A proxy of your own: install its authority (/usr/local/share/ca-certificates, "
                    "update-ca-certificates), then restart Docker."
                ),
            ),
        )
    if one.outcome == "misled":
        return status._replace(
            summary=_(
                "{host} cannot be reached: its name leads to {address} here, which is not its address",
                host=one.host,
                address=one.text,
            )
            + aside,
            remedies=(OTHER_RESOLVER,),
            certainty="inferred",
        )
    if one.outcome == "unnamed":
        return status._replace(
            summary=_("{host} has no address: {why}{aside}", host=one.host, why=_short(one), aside=aside),
            remedies=(*see_the_clock(one.text), _RESOLVER),
        )
    return status._replace(
        summary=_("{host} cannot be reached: {why}{aside}", host=one.host, why=_short(one), aside=aside),
        remedies=(_("See Outgoing hosts, and the firewall: TCP port 443 must be open outwards."),),
    )


def _through(one: Registry, seen: Registries, common: Judgement) -> Judgement:
    """It answers through a proxy alone: what counts is whether Docker goes through it, too."""
    judged = _answered(one, common)
    curl = f"curl -sI --proxy {one.through} https://{one.host}/v2/"
    judged = judged._replace(evidence=(Evidence(curl, common.found),))
    if judged.status == "fail" or not seen.engine or seen.proxy:
        words = _("{summary}, through the proxy {proxy}", summary=judged.summary, proxy=one.through)
        return judged._replace(summary=words)
    return judged._replace(
        status="fail",
        summary=_(
            "{host} can be reached through the proxy {proxy} alone, and Docker does not know it",
            host=one.host,
            proxy=one.through,
        ),
        found=_("the proxy is named in {where}", where=seen.named.where),
        remedies=(
            _('Name it in /etc/docker/daemon.json ("proxies"), and restart Docker.'),
            _("mailcow's containers go through no proxy: see Outgoing hosts for what they need."),
        ),
    )


def _answered(one: Registry, common: Judgement) -> Judgement:
    if one.status == need.TOO_OFTEN:
        return common._replace(
            status="warn",
            summary=_("{host} says that this address has fetched too often (429)", host=one.host),
            remedies=(_("Wait some hours, or log in with an account of Docker Hub: docker login"),),
            doc=need.DOC_LIMIT,
        )
    plain = one.host == need.TICKETS and one.status < 500
    if one.status in need.REGISTRY_ANSWERS or plain:
        return common._replace(
            summary=_("{host} answers as a registry does (HTTP {status})", host=one.host, status=one.status)
        )
    if one.status >= 500:
        words = _("{host} is in trouble of its own (HTTP {status})", host=one.host, status=one.status)
        return common._replace(status="fail", summary=words, remedies=(_("Try again later."),))
    words = _("{host} answers, but not as a registry does (HTTP {status})", host=one.host, status=one.status)
    remedy = _("A proxy or a captive portal may answer in its place: look at it with curl.")
    return common._replace(status="fail", summary=words, remedies=(remedy,))


def _short(one: Registry) -> str:
    said = one.text.removeprefix(f"{one.host}: ").removeprefix("its certificate is not accepted: ")
    return heard(said)


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.registry",
        title=_("Image registries"),
        needed=_("the registries of mailcow's images answer over HTTPS, with certificates of their own"),
        why=_("Some eighteen images come from there at the first start and at each update."),
        doc=need.DOC_DOCKER,
        severity="blocks",
        source=registries,
        judge=judge_registries,
        network=True,
        deadline=13.0,  # directly, then through a proxy
    ),
)
