"""Judge of the open relay through Docker's proxy (G01)."""

from __future__ import annotations

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks.docker_settings import WITH_IPTABLES
from mailcow_wizard.checks.docker_words import RESTART
from mailcow_wizard.checks.troubles import listed, skipped
from mailcow_wizard.facts.docker_relay import Relay, relay
from mailcow_wizard.facts.storage import DAEMON_JSON
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_relay(seen: Relay) -> Judgement:
    """Whoever connects must not look like an address of mailcow's own network."""
    if seen.absent:
        return skipped(seen.absent)
    rules = seen.rules
    runs = bool(seen.published)
    evidence = (
        Evidence("docker ps --filter name=postfix-mailcow --format '{{.Ports}}'", _published(seen)),
        Evidence(
            "docker network ls -qf name=_mailcow-network | xargs docker network inspect "
            "--format '{{.EnableIPv6}}'",
            _network(seen),
        ),
        Evidence(f"grep -E 'userland-proxy|tables' {DAEMON_JSON}", _rules(seen)),
        Evidence("ip -6 addr show scope global", ", ".join(seen.addresses) or _("none")),
    )
    common = Judgement("pass", "", _network(seen), evidence, certainty="proved" if runs else "inferred")
    if rules and not rules.proxy:
        words = _("Docker's proxy is off (userland-proxy: false): nobody's address is hidden from postfix")
        return common._replace(summary=words)
    if rules and not rules.iptables and (runs or seen.keys):
        words = _(
            "Docker makes no firewall rules, so every client looks like a neighbour to postfix: open relay"
        )
        return common._replace(
            status="fail",
            summary=words,
            remedies=(WITH_IPTABLES,),
        )
    if rules and seen.passed_by:
        words = _(
            "Docker's rules for postfix are gone, its proxy takes what comes over {families}: open relay",
            families=listed(tuple(f"IPv{one}" for one in seen.passed_by)),
        )
        return common._replace(status="fail", summary=words, remedies=(RESTART,))
    if not seen.addresses:
        return common._replace(summary=_("this machine has no global IPv6 address: nobody comes that way"))
    if not seen.open_v6:
        return common._replace(summary=_("mailcow's SMTP ports are bound to IPv4: nobody comes over IPv6"))
    if seen.untold:
        return common._replace(
            status="unknown",
            summary=_(
                "whether mailcow's network has IPv6 could not be found out: {why}", why=heard(seen.untold)
            ),
            remedies=(_("Try again; where it stays so, see docker.engine."),),
            certainty="untested",
        )
    if rules is None:
        return common._replace(
            status="unknown",
            summary=_("which rules Docker makes is not known: daemon.json is not valid"),
            remedies=(_("See docker.daemon-json first."),),
            certainty="untested",
        )
    if seen.network and not rules.ip6tables:
        words = _(
            "Docker makes no rules for IPv6: every IPv6 client looks like a neighbour to postfix, open relay"
        )
        return common._replace(
            status="fail",
            summary=words,
            remedies=(
                _("Let Docker make them: ip6tables (and, before Docker 27, experimental) in daemon.json."),
                _BIND,
            ),
        )
    if seen.network:
        return common._replace(
            summary=_("mailcow's network has IPv6: postfix sees every client's own address")
        )
    words = _(
        "port 25 will take IPv6, mailcow's network has none: IPv6 clients look like neighbours, open relay"
    )
    if runs:
        words = _(
            "port 25 takes IPv6, mailcow's network has none: IPv6 clients look like neighbours, open relay"
        )
    return common._replace(
        status="fail",
        summary=words,
        remedies=(
            _BIND,
            _("Or give mailcow IPv6, where it works here: ENABLE_IPV6=true, then down and up -d."),
            _(
                'Or turn Docker\'s proxy off ("userland-proxy": false in daemon.json); see afterwards '
                "that IPv4 still works, for one report says that it did not."
            ),
        ),
    )


_BIND = _(
    "Bind mailcow's SMTP ports to IPv4: SMTP_PORT=0.0.0.0:25 and so on in mailcow.conf, then down and up -d."
)


def _published(seen: Relay) -> str:
    if not seen.published:
        keys = ", ".join(seen.keys) or _("none")
        return _("postfix does not run; mailcow.conf leaves open: {keys}", keys=keys)
    return ", ".join(f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                     for address, port in seen.published)  # fmt: skip


def _network(seen: Relay) -> str:
    if seen.untold:
        return _("not known")
    has = {True: "IPv6", False: _("no IPv6"), None: _("not said")}[seen.network]
    return has if seen.made else _("{has} (by ENABLE_IPV6; the network is not made yet)", has=has)


def _rules(seen: Relay) -> str:
    if not seen.rules:
        return _("not known")
    parts = {
        "userland-proxy": seen.rules.proxy,
        "iptables": seen.rules.iptables,
        "ip6tables": seen.rules.ip6tables,
    }
    return ", ".join(f"{name}: {_('on') if on else _('off')}" for name, on in parts.items())


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.relay",
        title=_("Open relay by proxy"),
        needed=_("postfix sees the address of whoever connects, over IPv4 and IPv6"),
        why=_(
            "mailcow's postfix relays for addresses of its own network. Where Docker's proxy "
            "passes connections on, strangers seem to come from there: they send spam through "
            "this server within hours."
        ),
        doc=need.DOC_RELAY,
        severity="breaks",
        source=relay,
        judge=judge_relay,
    ),
)
