"""The log of mailcow's acme, which fetches certificates, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple


class Acme(NamedTuple):
    """What acme is at: `state` is working, failed, done, skips or empty (its log does not tell), `words` say
    it as part of a sentence, `remedies` what helps, `line` is the line of the log that says so."""

    state: str
    words: str
    remedies: tuple[str, ...] = ()
    line: str = ""


_PORT_80 = _(
    "Let port 80 of this name reach this server from the internet (firewall, NAT, another web "
    "server in front), and from this server itself (hairpin). acme tries again by itself: `docker "
    "compose restart acme-mailcow` lets it try at once."
)
_NAME = r"'?([\w.*-]+)'?"
# acme-tiny writes Let's Encrypt's whole answer behind the name, as Python writes a dictionary.
_FAILED = rf"Challenge did not pass for {_NAME}:? .{{0,2500}}?acme:error:"
_DETAIL = r"'.{0,20}'detail': [\"'](.{1,200}?)[\"'](?:, '|\})"
_TRIED = _("Let's Encrypt tried \\1, and says: \\2")
# Said of a name: why it gets no certificate. The server's own name counts most.
_REASONS: tuple[tuple[str, str, str], ...] = (
    (
        rf"Cannot match your IP (\S*) against hostname {_NAME} \(DNS returned (\S+)\)",
        _("\\2 leads to \\3, and this server is seen as \\1"),
        _(
            "Correct the address records of the name (`check dns.a dns.aaaa`), or set SKIP_IP_CHECK=y "
            "where the difference is meant."
        ),
    ),
    (
        f"No A or AAAA record found for hostname {_NAME}",
        _("\\1 has no address record"),
        _("Publish the name's address (`check dns`)."),
    ),
    (
        "Confirmed (A|AAAA) record with IP (\\S+?),? but HTTP validation failed",
        _("the name leads here (\\2), but its port 80 does not answer with acme's file"),
        _PORT_80,
    ),
    (
        f"Lets Encrypt disallowed for {_NAME} by CAA record",
        _("a CAA record of \\1 forbids Let's Encrypt"),
        _('Add `0 issue "letsencrypt.org"` to the CAA records (`check dns.caa`).'),
    ),
    (
        r"Order cannot contain more than (\d{1,5})",
        _("Let's Encrypt puts no more than \\1 names on a certificate"),
        _("Have one made for each domain: ENABLE_SSL_SNI=y in mailcow.conf, then `docker compose up -d`."),
    ),
    (
        rf"{_FAILED}(?:dns|caa){_DETAIL}",
        _TRIED,
        _("Let its name servers answer everybody alike: `check dns.a dns.aaaa dns.caa dns.dnssec`"),
    ),
    (rf"{_FAILED}\w+{_DETAIL}", _TRIED, _PORT_80),
    (
        rf"Challenge did not pass for {_NAME}",
        _("Let's Encrypt could not prove that \\1 leads here"),
        _PORT_80,
    ),
    (
        r"Cannot find DNS API hook for: ?(\S{1,80})",
        _("acme.sh knows no DNS provider of the name \\1"),
        _("Correct ACME_DNS_PROVIDER in mailcow.conf: acme.sh's names begin with dns_."),
    ),
    (
        r"Error add(?:ing)? (?:txt|TXT record) (?:for|to) domain: ?(\S{1,255})",
        _("the record \\1, which proves the name, could not be put into DNS"),
        _("See whether data/conf/acme/dns-01.conf holds what the DNS provider wants, and what it may do."),
    ),
    (
        r"(too many [\w ]{1,60}\w).{0,200}?retry after ([\d-]{10}[T ][\d:]{5,8})",
        _("Let's Encrypt has had enough of tries until \\2 (\\1)"),
        _("Mend the cause, then wait: the limits of Let's Encrypt last from an hour to a week."),
    ),
    (
        "(rateLimited|too many (?:certificates|failed authorizations|registrations|new orders))",
        _("Let's Encrypt has had enough of tries for now (\\1)"),
        _("Mend the cause, then wait: the limits of Let's Encrypt last from an hour to a week."),
    ),
    (
        "couldn't download http://([\\w.-]+)/",
        _("Let's Encrypt's file could not be fetched from http://\\1/"),
        _PORT_80,
    ),
    (
        r"acme:error:(\w+)",
        _("Let's Encrypt refused (\\1)"),
        _("See the whole log: `docker compose logs acme-mailcow`."),
    ),
    (
        "Some services do return old end dates",
        _("a new certificate is there, but not every service took it"),
        _("Let them take it: `docker compose restart postfix-mailcow dovecot-mailcow nginx-mailcow`."),
    ),
)
_STATES: tuple[tuple[str, str, str], ...] = (
    (r"SKIP_LETS_ENCRYPT=y, skipping", "skips", _("it is told to skip Let's Encrypt (SKIP_LETS_ENCRYPT=y)")),
    (
        "issuer other than mailcow snake-oil CA and Let's Encrypt",
        "skips",
        _("it leaves alone a certificate that neither mailcow nor Let's Encrypt made"),
    ),
    (
        "Certificates (?:were )?successfully|Certificates were successfully",
        "done",
        _("it has done its work"),
    ),
    ("Cannot validate any hostnames", "failed", _("no name passed its test; it tries again in an hour")),
    (
        "Some errors occurred|Failed to obtain certificate",
        "failed",
        _("it got no certificate; it tries again"),
    ),
    ("Some services do return old end dates", "failed", _("it could not hand over the new certificate")),
    ("Waiting for ([\\w ]+?)\\.\\.\\.", "working", _("it waits for \\1")),
    (
        "Using command acme-tiny|Registering account|Verifying|Parsing",
        "working",
        _("it talks to Let's Encrypt"),
    ),
    ("Deploying certificate|Reloading or restarting", "working", _("it hands over a new certificate")),
    (
        "Generating missing|Initializing|Detecting IP|Restoring|start obtaining|start renewing|Checking res",
        "working",
        _("it is at it"),
    ),
)
# What it waited for is there.
_CAME = pattern(r"(?:Docker API|Postfix|Dovecot|Database|Nginx|Resolver) OK|^OK$")


def explained(lines: Sequence[str], name: str) -> Acme:
    """What the end of acme's log means for a server of this name."""
    state, words, at = "", "", ""
    for line in lines:
        for spelled, kind, saying in _STATES:
            match = re.search(spelled, line)
            if match:
                state, words, at = kind, match.expand(saying), line
                break
        else:
            if state == "working" and _CAME.search(line):
                words, at = _("it is at it"), line
    if state in ("done", "skips", ""):
        return Acme(state, words, (), at)
    reason, remedy, line = _reason(lines, name)
    if not reason:
        return Acme(state, words, (), at)
    return Acme(state, f"{reason}; {words}", (remedy,), line)


def _reason(lines: Sequence[str], name: str) -> tuple[str, str, str]:
    """The last reason that the log gives, best one that names the server."""
    found: list[tuple[bool, str, str, str]] = []
    for number, line in enumerate(lines):
        for spelled, saying, remedy in _REASONS:
            match = re.search(spelled, line)
            if match:
                # HTTP validation is said without the name, which stands in the line before.
                about = line + (lines[number - 1] if number and "HTTP validation" in line else "")
                # What Let's Encrypt refuses costs the whole certificate, whichever name it is.
                counts = name.lower() in about.lower() or "Challenge did not pass" in line
                found.append((counts, match.expand(saying), remedy, line))
                break
    own = [one for one in found if one[0]] or found
    return own[-1][1:] if own else ("", "", "")
