"""Records that are nearly right, or right by a longer way: the ones are told apart from the others."""

import dns.flags
import dns.message
import dns.rcode
import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, RESOLVER, SERVER, ZONE, Rows, World
from judged import look

from mailcow_wizard.checks import (
    dns_dkim,
    dns_dmarc,
    dns_domains,
    dns_local_view,
    dns_mta_sts,
    dns_mx,
    dns_services,
)
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Check, Judgement, Settings

DMARC, DKIM, STS = dns_dmarc.CHECKS[0], dns_dkim.CHECKS[0], dns_mta_sts.CHECKS[0]
VIEW, SRV = dns_local_view.CHECKS[0], dns_services.CHECKS[0]
MX = dns_mx.CHECKS[0]
AUTODISCOVER = next(one for one in dns_domains.CHECKS if one.id == "dns.autodiscover")


class OwnZone(World):
    """The zone's own server knows nothing of other zones: it does not follow an alias out of its own."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.servers[0] != SERVER:
            return super()._reply(asked)
        # Not by another set of records for a while: several ask at the same time.
        return World({key: one for key, one in self.records.items() if key[0].endswith(DOMAIN)})._reply(asked)


class Unregistered(World):
    """The domain is not there at all."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if not asked.name.endswith(DOMAIN):
            return super()._reply(asked)
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        response.flags |= dns.flags.AA
        response.set_rcode(dns.rcode.NXDOMAIN)
        return DnsReply(asked.servers[0], "udp", response.to_wire(), 0.01, "")


def said(check: Check, records: Rows) -> Judgement:
    world = OwnZone({**ZONE, **records})
    world.files["/etc/resolv.conf"] = f"nameserver {RESOLVER}\n"
    return look(check, Facts(world, Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6))))


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("v=DMARC1; p=reject", "pass", "refuse forged mail"),
        ("v = DMARC1 ; p=reject", "pass", "refuse forged mail"),
        ("V=DMARC1; p=reject", "pass", "refuse forged mail"),
        ("v=dmarc1; p=reject", "warn", "is ignored"),
        (" v=DMARC1; p=reject", "warn", "is ignored"),
        ('"v=DMARC1; p=reject"', "warn", "is ignored"),
        ("v=DMARC1, p=reject", "warn", "is ignored"),
        ("p=reject; v=DMARC1", "warn", "is ignored"),
        ("v=spf1 -all", "warn", "is another"),
    ],
)
def test_a_policy_of_dmarc_begins_with_its_version(text: str, status: str, words: str) -> None:
    found = said(DMARC, {(f"_dmarc.{DOMAIN}", "TXT"): text.replace('"', '\\"')})
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert status == "pass" or (text in found.found and found.remedies)


def test_versions_in_other_letters_are_no_key_and_no_announcement() -> None:
    key = said(DKIM, {(f"dkim._domainkey.{DOMAIN}", "TXT"): "v=dkim1; p=AAAA"})
    assert (key.status, "v=dkim1 is not DKIM1" in key.summary) == ("warn", True), key.summary
    sts = said(STS, {(f"_mta-sts.{DOMAIN}", "TXT"): "v=stsv1; id=1"})
    assert (sts.status, "is not one of MTA-STS" in sts.summary) == ("warn", True), sts.summary


def test_an_alias_of_an_alias_of_the_server_leads_there() -> None:
    way = {
        (f"autodiscover.{DOMAIN}", "CNAME"): "clients.example.net.",
        ("clients.example.net", "CNAME"): f"{NAME}.",
    }
    assert said(AUTODISCOVER, way).status == "pass"
    elsewhere = {
        **way,
        ("clients.example.net", "CNAME"): "other.example.net.",
        ("other.example.net", "A"): "203.0.113.9",
    }
    assert said(AUTODISCOVER, elsewhere).status == "warn"
    assert said(AUTODISCOVER, {**way, ("clients.example.net", "CNAME"): "gone.example.net."}).status == "warn"


@pytest.mark.parametrize(
    ("check", "records"),
    [
        (MX, {(DOMAIN, "MX"): f"10 {NAME}.{DOMAIN}."}),
        (AUTODISCOVER, {(f"autodiscover.{DOMAIN}", "CNAME"): f"{NAME}.{DOMAIN}."}),
    ],
)
def test_a_dot_that_is_missing_in_the_zone_file_is_named(check: Check, records: Rows) -> None:
    found = said(check, records)
    assert found.status == ("fail" if check is MX else "warn")
    assert f"the dot behind {NAME} is missing" in found.summary


def test_service_records_at_the_end_of_a_wildcards_alias_are_none() -> None:
    alias = {(f"{one}._tcp.{DOMAIN}", "CNAME"): f"{NAME}." for one in ("_imaps", "_sieve", "_autodiscover")}
    found = said(SRV, alias)
    assert (found.status, "none of" in found.summary) == ("pass", True), found.summary
    wrong = said(SRV, {(f"_imaps._tcp.{DOMAIN}", "SRV"): "0 1 993 old.example.net."})
    assert (wrong.status, "(0 1 993 old.example.net)" in wrong.summary) == ("warn", True), wrong.summary


def test_a_name_that_is_an_alias_into_another_zone_is_seen_alike() -> None:
    alias = {(NAME, "A"): (), (NAME, "AAAA"): (), (NAME, "CNAME"): "host.example.net."}
    ours = {("host.example.net", "A"): OURS, ("host.example.net", "AAAA"): OURS_V6}
    found = said(VIEW, {**alias, **ours})
    assert found.status == "pass", found.summary


def test_a_domain_that_does_not_exist_is_no_matter_of_records() -> None:
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS,), resolver=RESOLVER)
    found = look(MX, Facts(Unregistered({}), settings))
    assert (found.status, found.summary) == ("fail", f"{DOMAIN} does not exist in DNS")
    assert "registered" in found.remedies[0]
    assert any(f"MX 10 {NAME}." in one for one in found.remedies)


@pytest.mark.parametrize(
    ("check", "name", "status", "words"),
    [
        (DKIM, f"dkim._domainkey.{DOMAIN}", "warn", "publishes no DKIM key yet"),
        (STS, f"_mta-sts.{DOMAIN}", "pass", "announces no MTA-STS policy"),
        (SRV, f"_caldavs._tcp.{DOMAIN}", "pass", "none of"),
        (DMARC, f"_dmarc.{DOMAIN}", "warn", "has no DMARC policy"),
    ],
)
def test_a_wildcards_text_is_no_record_of_another_kind(
    check: Check, name: str, status: str, words: str
) -> None:
    """`*.example.org. TXT "v=spf1 -all"` keeps others from writing in the name of what is not there."""
    found = said(check, {(name, "TXT"): "v=spf1 -all"})
    assert (found.status, words in found.summary) == (status, True), found.summary


@pytest.mark.parametrize("text", ["V=dkim1; p=", " k=rsa; t=y", "t=y; p=AAAA", '\\"v=DKIM1; p=AAAA\\"'])
def test_a_text_that_is_meant_for_a_key_is_one(text: str) -> None:
    found = said(DKIM, {(f"dkim._domainkey.{DOMAIN}", "TXT"): text})
    assert (found.status, "cannot be used" in found.summary) == ("warn", True), found.summary
