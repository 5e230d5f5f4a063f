"""DMARC: the policy of each domain, the one that it inherits, and who may receive its reports."""

from __future__ import annotations

from mailcow_wizard.facts.dns.delegation import zone_of
from mailcow_wizard.facts.dns.domain_records import domains
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer
from mailcow_wizard.facts.dns.published import Seen, look_up
from mailcow_wizard.facts.dns.state import texts
from mailcow_wizard.facts.dns.tags import is_version, repeated, tags
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.numerals import whole
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

VERSION = "DMARC1"
POLICIES = ("none", "quarantine", "reject")
_CHOICES = {
    "sp": POLICIES,
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "np": POLICIES,
    "psd": ("y", "n", "u"),
    "t": ("y", "n"),  # of RFC 7489's successor (RFC 9989)
}
_MOST_RECEIVERS = 10


class Receiver(NamedTuple):
    """A domain that is to receive reports about another, and whether it agrees (None: no answer)."""

    domain: str
    agrees: bool | None


class Inherited(NamedTuple):
    """The domain above whose policies hold, and those; or that could not be asked, and why. `found_by` all
    receivers, or by the few that climb name by name."""

    domain: str = ""
    policies: tuple[str, ...] = ()
    trouble: str = ""
    found_by: Literal["all", "few"] = "all"


class Dmarc(NamedTuple):
    """A domain's own record, that of its organisation (RFC 7489, 6.6.3), and the receivers outside it."""

    domain: str
    seen: Seen
    inherited: Inherited
    receivers: tuple[Receiver, ...]


def dmarc(facts: Facts) -> tuple[Dmarc, ...]:
    """Each domain's DMARC. Raises HostError."""
    found = []
    for one in facts.get(domains).records:
        seen = one.at("_dmarc", "TXT")
        found.append(
            Dmarc(one.domain, seen, _inherited(facts, one.domain, seen), _receivers(facts, one.domain, seen))
        )
    return tuple(found)


def policies(values: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the TXT records that are of DMARC."""
    return tuple(one for one in values if is_version(one, VERSION))


def _inherited(facts: Facts, domain: str, seen: Seen) -> Inherited:
    """The policy of the organisation, where the domain has none: that of the highest name that has one, but
    for a public suffix, which says that it is one (`psd=y`) and is asked last."""
    if policies(texts(seen)):
        return Inherited()
    labels = domain.split(".")
    above = tuple(".".join(labels[place:]) for place in range(len(labels) - 2, 0, -1))
    heard = look_up(facts, tuple((f"_dmarc.{one}", "TXT") for one in above))
    suffix = Inherited()
    for holder, one in zip(above, heard, strict=True):
        if one.code not in (NOERROR, NXDOMAIN):
            return Inherited(holder, trouble=one.error or one.explained or one.code)
        found = policies(one.values("TXT"))
        if found and all(tags(text).get("psd", "").lower() == "y" for text in found):
            suffix = Inherited(holder, found, found_by="few")
        elif found:
            return Inherited(holder, found, found_by="few" if _is_inside(holder, seen) else "all")
    return suffix


def _is_inside(holder: str, seen: Seen) -> bool:
    """Whether a name is a part of the zone that the domain is in, and not its top: no organisation's domain
    (RFC 7489, 3.2), though receivers that climb (its successor) find it."""
    zone = "" if seen.zone.problem else seen.zone.name
    return bool(zone.strip(".")) and holder.endswith(f".{zone}")


def _receivers(facts: Facts, domain: str, seen: Seen) -> tuple[Receiver, ...]:
    """The domains outside this one that reports go to, and whether they have agreed (RFC 7489, 7.1)."""
    outside = tuple(
        dict.fromkeys(
            one
            for policy in policies(texts(seen))
            for one in addressed(policy)
            if not _same(one, domain) and not _within(one, seen) and not _holds(facts, one, domain)
        )
    )[:_MOST_RECEIVERS]
    asked = tuple((f"{domain}._report._dmarc.{one}", "TXT") for one in outside)
    return tuple(
        Receiver(one, _agrees(heard)) for one, heard in zip(outside, look_up(facts, asked), strict=True)
    )


def addressed(policy: str) -> tuple[str, ...]:
    """The domains of the mail addresses in `rua` and `ruf`."""
    known = tags(policy)
    addresses = ",".join(known.get(name, "") for name in ("rua", "ruf")).split(",")
    mails = [one.strip().partition("!")[0] for one in addresses if one.strip().lower().startswith("mailto:")]
    return tuple(dict.fromkeys(one.rpartition("@")[2].lower() for one in mails if "@" in one))


def mistakes(policy: str) -> list[str]:
    """What is wrong with a policy (RFC 7489, 6.3)."""
    known = tags(policy)
    found = []
    names = list(known)
    if known.get("p", "").lower() not in POLICIES:
        found.append(
            _("p= is missing")
            if "p" not in known
            else _("p={known} is none of its words", known=known["p"][:40])
        )
    elif names.index("p") != 1:
        found.append(_("p= must come second, after v="))
    found += [_("{name}= stands there twice", name=one[:40]) for one in repeated(policy)]
    for name, words in _CHOICES.items():
        if name in known and known[name].lower() not in words:
            found.append(_("{name}={known} is none of its words", name=name, known=known[name][:40]))
    share = known.get("pct", "100")
    if whole(share, 101) > 100:
        found.append(_("pct={share} is no percentage", share=share[:40]))
    for name in ("rua", "ruf"):
        for address in (one.strip() for one in known.get(name, "").split(",")):
            if address and not address.lower().startswith(("mailto:", "https:")):
                found.append(_("{name}={address} lacks mailto:", name=name, address=address[:60]))
    return found


def _same(receiver: str, domain: str) -> bool:
    """Whether the two are one organisation's, as far as their names tell."""
    return receiver == domain or receiver.endswith(f".{domain}") or domain.endswith(f".{receiver}")


def _within(receiver: str, seen: Seen) -> bool:
    """Whether a receiver is in the domain's own zone: those are one organisation's, too. No top-level domain
    is meant."""
    zone = "" if seen.zone.problem else seen.zone.name
    return "." in zone.strip(".") and f".{receiver}".endswith(f".{zone}")


def _holds(facts: Facts, receiver: str, domain: str) -> bool:
    """Whether the domain lies below the zone that a receiver is in: the two are one organisation's, too."""
    try:
        zone = facts.get(zone_of, receiver)
    except HostError:
        return False
    return not zone.problem and "." in zone.name.strip(".") and domain.endswith(f".{zone.name}")


def _agrees(heard: Answer) -> bool | None:
    if heard.code not in (NOERROR, NXDOMAIN):
        return None
    return bool(policies(heard.values("TXT")))
