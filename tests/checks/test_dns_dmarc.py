"""Whose policy of DMARC holds for a domain that has none of its own (RFC 7489, 6.6.3, and its successor)."""

import dns.message
import dns.rrset
import pytest
from dns_world import DOMAIN, NAME, OURS, RESOLVER, SERVER, ZONE, Rows, World
from judged import look

from mailcow_wizard.checks import dns_dkim, dns_dmarc
from mailcow_wizard.facts.dns.dmarc import dmarc
from mailcow_wizard.facts.dns.push import push
from mailcow_wizard.facts.dns.table import table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Check, Judgement, Settings
from mailcow_wizard.report.dns import zone_files

CHECK = dns_dmarc.CHECKS[0]
POLICY, BROKEN, SUFFIX = "v=DMARC1; p=reject", "v=DMARC1; p=foo", "v=DMARC1; p=none; psd=y"
REPORTED = "v=DMARC1; p=reject; rua=mailto:a@{}"


class Zones(World):
    """Who asks for the name servers of a name that is no zone is told the zone above."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.type != "NS" or (asked.name, "NS") in self.records:
            return super()._reply(asked)
        above = asked.name
        while above and (above, "NS") not in self.records:
            above = above.partition(".")[2]
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        soa = "ns.example.net. hostmaster.example.net. 1 3600 900 604800 60"
        response.authority.append(dns.rrset.from_text(f"{above}.", 60, "IN", "SOA", soa))
        return DnsReply(asked.servers[0], "udp", response.to_wire(), 0.01, "")


def known(domain: str, policies: Rows, zones: tuple[str, ...]) -> Facts:
    every = {(one, "NS"): "ns.example.net." for one in ("org", "co.uk", "gov.uk", *zones)}
    rows = {(f"_dmarc.{name}", type): value for (name, type), value in policies.items()}
    settings = Settings(hostname=NAME, domains=(domain,), addresses=(OURS,), resolver=RESOLVER)
    return Facts(Zones({**ZONE, ("ns.example.net", "A"): SERVER, **every, **rows}), settings)


def said(domain: str, policies: Rows, *zones: str) -> Judgement:
    return look(CHECK, known(domain, policies, zones))


@pytest.mark.parametrize(
    ("policies", "status", "words"),
    [
        ({(DOMAIN, "TXT"): POLICY}, "pass", f"that of {DOMAIN} holds"),
        ({(DOMAIN, "TXT"): POLICY, (f"b.{DOMAIN}", "TXT"): BROKEN}, "pass", f"that of {DOMAIN} holds"),
        ({(DOMAIN, "TXT"): BROKEN, (f"b.{DOMAIN}", "TXT"): POLICY}, "warn", f"of {DOMAIN} is not valid"),
        ({(f"b.{DOMAIN}", "TXT"): POLICY}, "warn", f"few receivers look for that of b.{DOMAIN}"),
        ({(DOMAIN, "TXT"): "silence", (f"b.{DOMAIN}", "TXT"): POLICY}, "unknown", "could not be asked"),
        ({(DOMAIN, "TXT"): POLICY, (f"b.{DOMAIN}", "TXT"): "silence"}, "pass", f"that of {DOMAIN} holds"),
    ],
)
def test_the_organisations_policy_holds_and_not_the_closest(policies: Rows, status: str, words: str) -> None:
    found = said(f"a.b.{DOMAIN}", policies)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert status == "pass" or found.remedies


@pytest.mark.parametrize(
    ("policy", "words"),
    [("v=DMARC1; p=reject; p=none", "p= stands"), (f"{REPORTED.format(DOMAIN)}; P=x; RUA=", "rua= stands")],
)
def test_a_tag_that_stands_there_twice(policy: str, words: str) -> None:
    """RFC 7489, 6.4, by RFC 6376, 3.2: the whole list is invalid then."""
    found = said(DOMAIN, {(DOMAIN, "TXT"): policy})
    assert (found.status, words in found.summary) == ("warn", True), found.summary


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("np=reject; psd=n; t=n", ""),
        ("np=none; psd=u", ""),
        ("PSD=Y; NP=Quarantine", ""),
        ("np=refuse", "np=refuse is none of its words"),
        ("psd=yes", "psd=yes is none of its words"),
        ("t=1", "t=1 is none of its words"),
    ],
)
def test_tags_of_the_newer_standard(more: str, words: str) -> None:
    found = said(DOMAIN, {(DOMAIN, "TXT"): f"v=DMARC1; p=reject; {more}"})
    assert (found.status, words in found.summary) == ("warn" if words else "pass", True), found.summary


def test_the_policy_of_a_zone_above_holds() -> None:
    """A part of the organisation whose zone is kept elsewhere."""
    found = said(f"a.b.{DOMAIN}", {(f"b.{DOMAIN}", "TXT"): POLICY}, f"a.b.{DOMAIN}", f"b.{DOMAIN}")
    assert (found.status, f"that of b.{DOMAIN} holds" in found.summary) == ("pass", True), found.summary


@pytest.mark.parametrize(
    ("policies", "status", "words"),
    [
        ({("example.co.uk", "TXT"): POLICY}, "pass", "that of example.co.uk holds"),
        ({("example.co.uk", "TXT"): f"{POLICY}; sp=none"}, "pass", "that of example.co.uk holds"),
        ({("example.co.uk", "TXT"): f"{POLICY}; sp=off"}, "warn", "sp=off is none of its words"),
        ({("co.uk", "TXT"): SUFFIX}, "warn", "few receivers look for that of co.uk"),
        ({("co.uk", "TXT"): SUFFIX, ("example.co.uk", "TXT"): POLICY}, "pass", "that of example.co.uk holds"),
        ({("uk", "TXT"): SUFFIX}, "warn", "is not published"),
    ],
)
def test_a_public_suffix_is_no_organisation(policies: Rows, status: str, words: str) -> None:
    found = said("sub.example.co.uk", policies, "example.co.uk")
    assert (found.status, words in found.summary) == (status, True), found.summary


def receivers(domain: str, receiver: str, *zones: str) -> tuple[str, ...]:
    facts = known(domain, {(domain, "TXT"): REPORTED.format(receiver)}, zones)
    return tuple(one.domain for (found,) in (facts.get(dmarc),) for one in found.receivers)


def test_a_receiver_in_the_zone_above_needs_no_consent() -> None:
    """RFC 7489, 7.1: it is the same organisation's."""
    assert receivers(f"team.{DOMAIN}", f"reports.{DOMAIN}", f"team.{DOMAIN}") == ()
    assert receivers("example.co.uk", "other.co.uk", "example.co.uk", "other.co.uk") == ("other.co.uk",)


class Apart(World):
    """The second of the zone's two servers has another text than the first, wherever that has one."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.servers[0] != "192.0.2.55" or asked.type != "TXT":
            return super()._reply(asked)
        other = {key: ("v=DKIM1; p=", "v=DMARC1; p=bar")[key[0].startswith("_dmarc")] for key in self.records}
        return World({key: value for key, value in other.items() if key[1] == "TXT"})._reply(asked)


@pytest.mark.parametrize(
    ("check", "name", "text", "words"),
    [
        (CHECK, f"_dmarc.{DOMAIN}", BROKEN, "is not valid: p="),
        (dns_dkim.CHECKS[0], f"dkim._domainkey.{DOMAIN}", "v=DKIM1; k=rsa", "cannot be used"),
    ],
)
def test_servers_that_are_a_version_apart_have_no_two_records(
    check: Check, name: str, text: str, words: str
) -> None:
    two = {(DOMAIN, "NS"): ("ns.example.net.", "ns2.example.net."), ("ns2.example.net", "A"): "192.0.2.55"}
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS,), resolver=RESOLVER)
    found = look(check, Facts(Apart({**ZONE, **two, (name, "TXT"): text}), settings))
    assert (found.status, words in found.summary) == ("warn", True), found.summary


@pytest.mark.parametrize(("above", "published"), [(POLICY, False), (BROKEN, True), ((), True)])
def test_the_policy_that_holds_is_not_weakened_by_one_of_our_own(
    above: str | tuple[str, ...], published: bool
) -> None:
    domain = f"team.{DOMAIN}"
    facts = known(domain, {(DOMAIN, "TXT"): above}, (domain,))
    assert isinstance(facts.host, World)
    facts.host.records[domain, "SOA"] = (f"ns.example.net. admin.{domain}. 1 2 3 4 60",)
    found = facts.get(push)
    entries = [one for one in found.entries if one.check == "dns.dmarc"]
    left = [one for one in found.left if one.check == "dns.dmarc"]
    assert [bool(entries), not left] == [published] * 2, left
    assert published or (left[0].kind, f"that of {DOMAIN} holds" in left[0].words) == ("not now", True)
    lines = [one for one in zone_files(facts.get(table)) if "_dmarc" in one]
    assert [one.startswith(";") for one in lines] == [not published], lines
