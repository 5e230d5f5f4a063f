"""What mailcow.conf says to mailcow's acme, which fetches certificates."""

from collections.abc import Iterator

from mailcow_wizard.conf.layout import KEYS
from mailcow_wizard.conf.rule import File, LintFinding, Rule
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

_PROVIDER, _SECRETS = "ACME_DNS_PROVIDER", "data/conf/acme/dns-01.conf"
# How the settings of acme.sh's most used providers begin; mailcow's own comment shows the first.
_OF_PROVIDERS = pattern(r"(?:AZUREDNS|CF|HETZNER|INWX|IONOS|NC|OVH|AWS|DO_API|GANDI|GD|NSUPDATE|DEDYN)_\w+")


def _by_dns(file: File) -> Iterator[LintFinding]:
    """Proof by DNS (DNS-01) needs a provider, an address, and what the provider wants to see."""
    if not file.yes("ACME_DNS_CHALLENGE"):
        return
    for key in (_PROVIDER, "ACME_ACCOUNT_EMAIL"):
        if file.values.get(key, "") in ("", KEYS[key].default):
            words = _("ACME_DNS_CHALLENGE=y needs {key}", key=key)
            yield file.finding(key, "acme-dns-incomplete", "error", words)
    provider = file.values.get(_PROVIDER, "")
    if provider and not provider.startswith("dns_"):
        words = _(
            "{shown}: acme.sh's names begin with dns_, such as dns_cf for Cloudflare",
            shown=file.shown(_PROVIDER),
        )
        yield file.finding(_PROVIDER, "acme-dns-provider", "error", words)
    for key in file.values:
        if _OF_PROVIDERS.fullmatch(key):
            words = _("{key} does not get to acme from here: it reads {file}", key=key, file=_SECRETS)
            yield file.finding(key, "acme-dns-credentials", "warning", words)


def _wildcards(file: File) -> Iterator[LintFinding]:
    key = "ADDITIONAL_SAN"
    if file.yes("ACME_DNS_CHALLENGE") or file.yes("SKIP_LETS_ENCRYPT"):
        return
    for name in file.values.get(key, "").split(","):
        if name.startswith("*."):
            words = _(
                "{key}: {name} needs ACME_DNS_CHALLENGE=y, mailcow leaves it out otherwise",
                key=key,
                name=name,
            )
            yield file.finding(key, "wildcard-without-dns", "warning", words)


def _sources(file: File) -> Iterator[LintFinding]:
    source = file.values.get("SNAT_TO_SOURCE", "")
    if source not in ("", "n") and file.values.get("SKIP_IP_CHECK") == "n":
        words = _("with SNAT_TO_SOURCE, addresses are not compared before certificates are asked for")
        yield file.finding("SNAT_TO_SOURCE", "snat-no-ip-check", "advice", words)


RULES: tuple[Rule, ...] = (_by_dns, _wildcards, _sources)
