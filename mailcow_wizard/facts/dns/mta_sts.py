"""MTA-STS (RFC 8461) and reports about TLS (RFC 8460): what DNS announces, and the policy that is fetched."""

from __future__ import annotations

import threading

from mailcow_wizard.facts.addresses import addresses
from mailcow_wizard.facts.dns.domain_records import DomainRecords, domains
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.state import at_once, texts
from mailcow_wizard.facts.dns.tags import tags
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

PATH = "/.well-known/mta-sts.txt"
MODES = ("enforce", "testing", "none")
LONGEST_AGE_S = 31_557_600
# RFC 8461, 3.3 and 3.2.
_MOST_BYTES = 65536
_WAIT_S = 5.0


class Page(NamedTuple):
    """What fetching the policy gave: its text, or why there is none; `silent` that there was no answer."""

    text: str = ""
    trouble: str = ""
    silent: bool = False


class MtaSts(NamedTuple):
    """A mail domain: what is published, and the policy where one is announced."""

    domain: str
    server: str
    announced: Seen
    host: Seen
    reports: Seen
    exchangers: tuple[str, ...]
    page: Page | None = None


class StsPolicy(NamedTuple):
    """A policy: its mode, the names of exchangers that it permits, and what is wrong with it."""

    mode: str
    patterns: tuple[str, ...]
    mistakes: tuple[str, ...] = ()


def mta_sts(facts: Facts) -> tuple[MtaSts, ...]:
    """Fetches the policies that are announced, all at once. Raises HostError."""
    server, records = facts.get(domains)
    rows = [_published(server.name, one) for one in records]
    pages: dict[str, Page] = {}
    # What has an IPv4 address alone, a machine without that cannot look at, and it is not the page's fault.
    blind = not facts.get(addresses, 4).own
    threads = [
        threading.Thread(target=_fetch, args=(facts, row.domain, pages, blind), daemon=True)
        for row in rows
        if announcements(row.announced)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tuple(row._replace(page=pages.get(row.domain)) for row in rows)


def _published(server: str, records: DomainRecords) -> MtaSts:
    names = (one.partition(" ")[2] for one in texts(records.at("", "MX")))
    exchangers = tuple(one for one in names if one != ".")  # a null MX (RFC 7505) names nobody
    return MtaSts(
        records.domain,
        server,
        records.at("_mta-sts", "TXT"),
        records.at("mta-sts", "A"),
        records.at("_smtp._tls", "TXT"),
        exchangers,
    )


def _fetch(facts: Facts, domain: str, pages: dict[str, Page], blind: bool) -> None:
    try:
        reply = facts.host.fetch(f"mta-sts.{domain}", PATH, 0, _WAIT_S, True)
    except NoAnswer as error:
        pages[domain] = Page(trouble=str(error), silent=True)
    except HostError as error:
        pages[domain] = Page(trouble=str(error), silent=blind)
    else:
        pages[domain] = _page(reply)


def _page(reply: HttpReply) -> Page:
    if reply.status != 200:
        return Page(trouble=_("the web server answers {status}", status=reply.status))
    if len(reply.body) > _MOST_BYTES:
        return Page(trouble=_("it is longer than 64 KiB"))
    return Page(reply.body.decode("utf-8", "replace"))


def announcements(seen: Seen) -> tuple[str, ...]:
    """The TXT records that announce a policy."""
    return _of(seen, "STSv1")


def report_records(seen: Seen) -> tuple[str, ...]:
    """The TXT records that say where reports about TLS go."""
    return _of(seen, "TLSRPTv1")


def _of(seen: Seen, version: str) -> tuple[str, ...]:
    # Senders pass over what does not begin with these very letters (RFC 8461, 3.1; RFC 8460, 3).
    begin = f"v={version}"
    return at_once(
        seen, lambda values: tuple(one for one in values if one.partition(";")[0].rstrip(" \t") == begin)
    )


def bad_announcement(text: str) -> str:
    """What is wrong with an announcement; empty where nothing is."""
    number = tags(text, folded=False).get("id", "")
    if not number:
        return _("id= is missing")
    if len(number) > 32 or not (number.isascii() and number.isalnum()):
        return _("id={number} must be letters and digits, at most 32", number=number[:40])
    return ""


def bad_report_record(text: str) -> str:
    """What is wrong with a record for reports; empty where nothing is."""
    said = tags(text, folded=False).get("rua", "")
    places = [one.strip() for one in said.split(",") if one.strip()]
    if not places:
        return _("rua= is missing")
    strange = next((one for one in places if not one.lower().startswith(("mailto:", "https:"))), "")
    return _("rua={strange} lacks mailto: or https:", strange=strange[:60]) if strange else ""


def sts_policy(text: str) -> StsPolicy:
    """The policy in a file of lines `key: value` (3.2), which end with LF, before which a CR may stand; of a
    key that comes twice the first counts."""
    known: dict[str, str] = {}
    patterns: list[str] = []
    for line in text.split("\n"):
        key, colon, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if colon and key == "mx":
            patterns.append(value.lower().removesuffix("."))
        elif colon:
            known.setdefault(key, value)
    age = known.get("max_age", "")
    seconds = int(age) if age.isascii() and age.isdigit() and len(age) <= 10 else -1
    mistakes = []
    if known.get("version") != "STSv1":
        mistakes.append(_("it does not say version: STSv1"))
    mode = known.get("mode", "")
    if mode not in MODES:
        mistakes.append(
            _("its mode is {mode!r}, none of {modes}", mode=mode[:40], modes=", ".join(MODES))
            if mode
            else _("mode is missing")
        )
    if not 0 <= seconds <= LONGEST_AGE_S:
        mistakes.append(_("max_age is {age!r}", age=age[:40]) if age else _("max_age is missing"))
    if not patterns and mode != "none":
        mistakes.append(_("it names no exchanger (mx)"))
    return StsPolicy(mode, tuple(patterns), tuple(mistakes))


def permits(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a name fits one of the patterns; `*.` stands for exactly one label (4.1)."""
    above = name.partition(".")[2]
    return any(one == name or (one.startswith("*.") and one[2:] == above) for one in patterns)
