"""The checks of DNS, in the order in which they are shown: first what mail cannot do without."""

from mailcow_wizard.checks import (
    dns_addresses,
    dns_caa,
    dns_dkim,
    dns_dmarc,
    dns_domains,
    dns_local_view,
    dns_mta_sts,
    dns_mx,
    dns_reverse,
    dns_services,
    dns_signatures,
    dns_spf,
    dns_tlsa,
)
from mailcow_wizard.model import Check

_ORDER = (
    "a", "aaaa", "ptr", "mx", "autodiscover", "autoconfig", "spf", "dkim", "dmarc", "srv", "caa", "dnssec",
    "wildcard", "local-view", "mta-sts", "tlsa",
)  # fmt: skip
_FILES = (
    dns_addresses, dns_reverse, dns_mx, dns_domains, dns_spf, dns_dkim, dns_dmarc, dns_services, dns_caa,
    dns_signatures, dns_local_view, dns_mta_sts, dns_tlsa,
)  # fmt: skip

CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (check for file in _FILES for check in file.CHECKS),
        key=lambda check: _ORDER.index(check.id.partition(".")[2]),
    )
)
