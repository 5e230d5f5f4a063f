"""Records at the end of an alias that leaves its zone (CNAME), and zones of which resolvers say nothing."""

from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, RESOLVER, SERVER, ZONE, Rows, World, facts
from judged import look

from mailcow_wizard.checks import (
    dns_addresses,
    dns_caa,
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
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.dns.dmarc import dmarc
from mailcow_wizard.facts.dns.push import push
from mailcow_wizard.facts.dns.reverse import reverse_name
from mailcow_wizard.facts.dns.table import table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply
from mailcow_wizard.model import Check, Judgement, Settings

STS, TLSA, SRV, SPF = (one.CHECKS[0] for one in (dns_mta_sts, dns_tlsa, dns_services, dns_spf))
MX = dns_mx.CHECKS[0]
CAA, PTR, DNSSEC = (one.CHECKS[0] for one in (dns_caa, dns_reverse, dns_signatures))
AAAA = next(one for one in dns_addresses.CHECKS if one.id == "dns.aaaa")
AUTODISCOVER = next(one for one in dns_domains.CHECKS if one.id == "dns.autodiscover")
OTHER = "192.0.2.55"
REVERSE = "100.51.198.in-addr.arpa"
POLICY = "version: STSv1\nmode: enforce\nmx: mail.example.org\nmax_age: 604800\n"


class Zones(World):
    """The domain's own server knows the domain and the reverse zone, and nothing else; what resolvers say of
    `hidden` they do not."""

    hidden = ""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.servers[0] == SERVER:
            own = {key: one for key, one in self.records.items() if key[0].endswith((DOMAIN, REVERSE))}
            return World(own)._reply(asked)
        if self.hidden and asked.name == self.hidden and asked.recursive:
            return DnsReply(asked.servers[0], "", b"", 0.0, "no answer within 2 s")
        return super()._reply(asked)


def all_of(
    check: Check, records: Rows, hidden: str = "", addresses: tuple[str, ...] = (), conf: str = ""
) -> Mapping[str | None, Judgement]:
    world = Zones({**ZONE, **records}, {f"mta-sts.{DOMAIN}": HttpReply(200, POLICY.encode())})
    world.hidden = hidden
    world.files["/etc/resolv.conf"] = f"nameserver {RESOLVER}\n"
    if conf:
        world.files["/opt/mailcow-dockerized/mailcow.conf"] = conf
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=addresses or (OURS, OURS_V6))
    return {one.subject: one for one in runner.look(check, Facts(world, settings))}


def said(check: Check, records: Rows, hidden: str = "") -> Judgement:
    (found,) = all_of(check, records, hidden).values()
    return found


STS_ALIAS: Rows = {(f"_mta-sts.{DOMAIN}", "CNAME"): "_mta-sts.hoster.example."}


def test_an_announcement_at_a_hoster_is_read() -> None:
    """RFC 8461, 8.2: who hosts policies for others is named by an alias."""
    ends = {("_mta-sts.hoster.example", "TXT"): "v=STSv1; id=1"}
    found = said(STS, {**STS_ALIAS, **ends})
    assert (found.status, "mode: enforce" in found.summary) == ("pass", True), found.summary
    wrong = said(STS, {**STS_ALIAS, ("_mta-sts.hoster.example", "TXT"): "v=STSv1; id=_"})
    assert (wrong.status, "not valid" in wrong.summary) == ("warn", True), wrong.summary
    nothing = said(STS, STS_ALIAS)
    assert (nothing.status, "announces no" in nothing.summary) == ("pass", True), nothing.summary


def test_an_announcement_that_could_not_be_followed_is_not_none() -> None:
    found = said(STS, STS_ALIAS, hidden=f"_mta-sts.{DOMAIN}")
    assert found.status == "unknown", found.summary


def test_reports_at_a_hoster_are_read() -> None:
    records = {
        (f"_mta-sts.{DOMAIN}", "TXT"): "v=STSv1; id=1",
        (f"_smtp._tls.{DOMAIN}", "CNAME"): "_smtp._tls.hoster.example.",
        ("_smtp._tls.hoster.example", "TXT"): "v=TLSRPTv1; rua=nobody@example.net",
    }
    found = said(STS, records)
    assert (found.status, "_smtp._tls" in found.summary) == ("warn", True), found.summary


@pytest.mark.parametrize(("name", "status"), [(NAME, "pass"), ("host.example.net", "fail")])
def test_a_reverse_name_in_a_delegated_part_of_a_network(name: str, status: str) -> None:
    """RFC 2317: the provider's zone has an alias, and the customer's zone the name."""
    records = {
        (REVERSE, "NS"): "ns.example.net.",
        (reverse_name(OURS), "CNAME"): f"25.0-63.{REVERSE.replace('100', 'x')}.",
        (f"25.0-63.{REVERSE.replace('100', 'x')}", "PTR"): f"{name}.",
    }
    found = all_of(PTR, records, addresses=(OURS,))[OURS]
    assert found.status == status, found.summary
    assert name in found.summary


def test_a_reverse_name_that_leads_nowhere() -> None:
    records = {(REVERSE, "NS"): "ns.example.net.", (reverse_name(OURS), "CNAME"): "25.nowhere.example."}
    found = all_of(PTR, records, addresses=(OURS,))[OURS]
    assert (found.status, "25.nowhere.example" in found.summary) == ("fail", True), found.summary


def test_service_records_at_a_hoster() -> None:
    alias = {(f"_imaps._tcp.{DOMAIN}", "CNAME"): "_imaps._tcp.hoster.example."}
    right = said(SRV, {**alias, ("_imaps._tcp.hoster.example", "SRV"): f"0 1 993 {NAME}."})
    assert right.status == "pass", right.summary
    wrong = said(SRV, {**alias, ("_imaps._tcp.hoster.example", "SRV"): "0 1 993 old.example.net."})
    assert wrong.status == "warn"


def test_a_key_at_a_hoster() -> None:
    alias = {(f"_25._tcp.{NAME}", "CNAME"): "dane.hoster.example."}
    right = said(TLSA, {**alias, ("dane.hoster.example", "TLSA"): "3 1 1 " + "0" * 64})
    assert right.status == "pass", right.summary
    wrong = said(TLSA, {**alias, ("dane.hoster.example", "TLSA"): "0 1 1 " + "0" * 64})
    assert (wrong.status, "0 or 1" in wrong.summary) == ("warn", True), wrong.summary


def test_a_sender_policy_at_a_hoster() -> None:
    records = {
        (DOMAIN, "CNAME"): "hoster.example.",
        ("hoster.example", "TXT"): "v=spf1 ip4:198.51.100.25 -all",
    }
    found = all_of(SPF, records, addresses=(OURS,))[DOMAIN]
    assert found.status == "pass", found.summary


@pytest.mark.parametrize(
    ("records", "status", "words"),
    [
        ({("hoster.example", "MX"): f"10 {NAME}."}, "warn", "is an alias (CNAME) of hoster.example"),
        ({("hoster.example", "MX"): "10 mx.example.net."}, "fail", f"goes to mx.example.net, not to {NAME}"),
        ({}, "fail", "an alias (CNAME) of hoster.example, which has no MX record"),
    ],
)
def test_a_mail_domain_that_is_an_alias(records: Rows, status: str, words: str) -> None:
    """RFC 5321, 5.1: senders follow it."""
    own = {(DOMAIN, "CNAME"): "hoster.example.", (DOMAIN, "MX"): ()}
    found = all_of(MX, {**own, **records})[DOMAIN]
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert found.remedies


def test_a_mail_domain_that_is_an_alias_and_could_not_be_followed() -> None:
    own = {(DOMAIN, "CNAME"): "hoster.example.", (DOMAIN, "MX"): ()}
    found = all_of(MX, own, hidden=DOMAIN)[DOMAIN]
    assert found.status == "unknown", found.summary


@pytest.mark.parametrize(("end", "status"), [("SERVFAIL", "warn"), ("silence", "unknown")])
def test_an_alias_that_no_resolver_can_follow(end: str, status: str) -> None:
    """The zone's own servers know the alias alone; why nobody tells its end is said."""
    alias = "clients.hoster.example"
    records: Rows = {(f"autodiscover.{DOMAIN}", "CNAME"): f"{alias}."}
    found = said(AUTODISCOVER, {**records, (alias, "A"): end, (alias, "AAAA"): end})
    assert found.status == status, found.summary
    assert f"no resolver could follow its alias to {alias} (" in found.summary
    assert DOMAIN in found.remedies[0] if status == "warn" else alias in found.remedies[0]


class Behind(Zones):
    """This machine's own resolver still remembers that there is no such name."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        behind = asked.servers[0] == RESOLVER and asked.name == NAME
        return World({})._reply(asked) if behind else super()._reply(asked)


def test_what_this_machines_resolver_lacks_is_said() -> None:
    world = Behind(ZONE)
    world.files["/etc/resolv.conf"] = f"nameserver {RESOLVER}\n"
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6))
    found = look(dns_local_view.CHECKS[0], Facts(world, settings))
    assert found.status == "warn"
    assert f"here nothing, in the world {OURS} (A)" in found.summary


def test_an_exchanger_that_is_an_alias() -> None:
    """RFC 2181, 10.3: an MX record names a host by its own name."""
    records: Rows = {
        (NAME, "A"): (),
        (NAME, "AAAA"): (),
        (NAME, "CNAME"): f"host.{DOMAIN}.",
        (f"host.{DOMAIN}", "A"): OURS,
        (f"host.{DOMAIN}", "AAAA"): OURS_V6,
    }
    found = said(MX, records)
    assert found.status == "fail", found.summary
    assert f"the MX of {DOMAIN} is {NAME}, an alias (CNAME) of host.{DOMAIN}" in found.summary
    assert found.remedies


CLIENT: Rows = {
    (f"autodiscover.{DOMAIN}", "CNAME"): "clients.hoster.example.",
    ("clients.hoster.example", "A"): OURS,
}


def test_authorities_at_the_end_of_an_alias_count() -> None:
    """RFC 8659, 3: the record set at the end of the alias comes before that of the names above."""
    at_end = {("clients.hoster.example", "CAA"): '0 issue "other.example"'}
    found = all_of(CAA, {**CLIENT, **at_end})[f"autodiscover.{DOMAIN}"]
    assert (found.status, "other.example" in found.summary) == ("fail", True), found.summary


def test_authorities_at_an_end_that_could_not_be_asked_are_not_known() -> None:
    name = f"autodiscover.{DOMAIN}"

    found = all_of(CAA, CLIENT, hidden=name)[name]
    assert found.status == "unknown", found.summary
    assert f"CAA at {name} could not be asked: no resolver could follow its alias to clients" in found.summary
    assert found.remedies[0].startswith("See why nobody answers for clients.hoster.example")


class TwoServers(World):
    """One of the two servers of the zone does not have a name yet, or has another alias there."""

    late = f"autodiscover.{DOMAIN}"
    behind = ""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.servers[0] != OTHER or asked.name != self.late:
            return super()._reply(asked)
        old = {key: one for key, one in self.records.items() if key[0] != asked.name}
        if self.behind:
            old[asked.name, "CNAME"] = (self.behind,)
        return World(old)._reply(asked)


TWO_SERVERS: Rows = {
    **ZONE,
    (DOMAIN, "NS"): ("ns.example.net.", "ns2.example.net."),
    ("ns2.example.net", "A"): OTHER,
}


@pytest.mark.parametrize("behind", ["", "old.example.net."])
def test_a_client_name_that_one_server_lacks_is_not_everywhere(behind: str) -> None:
    records = {
        **TWO_SERVERS,
        (f"autodiscover.{DOMAIN}", "CNAME"): f"{NAME}.",
        ("old.example.net", "A"): "203.0.113.9",
    }
    world = TwoServers(records)
    world.behind = behind
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6), resolver=RESOLVER)
    found = look(AUTODISCOVER, Facts(world, settings))
    assert (found.status, "not everywhere" in found.summary) == ("warn", True), found.summary
    assert OTHER in found.found


def test_a_service_that_one_server_lacks_is_not_everywhere() -> None:
    service = f"_imaps._tcp.{DOMAIN}"
    world = TwoServers({**TWO_SERVERS, (service, "SRV"): f"0 1 993 {NAME}."})
    world.late = service
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6), resolver=RESOLVER)
    found = look(dns_services.CHECKS[0], Facts(world, settings))
    assert (found.status, "not everywhere yet: _imaps._tcp" in found.summary) == ("warn", True), found.summary


class Bogus(World):
    """A resolver that checks signatures, and a domain whose signatures are broken: it refuses to answer."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        ours = asked.name.endswith(DOMAIN)
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        if ours and not asked.checking_disabled and asked.type != "DS":
            response.set_rcode(dns.rcode.SERVFAIL)
        elif ours and asked.type == "DS" and asked.name == DOMAIN:
            response.answer.append(dns.rrset.from_text(f"{DOMAIN}.", 300, "IN", "DS", f"1 13 2 {'0' * 64}"))
        elif not ours:
            response.flags |= dns.flags.AD
        return DnsReply(asked.servers[0], "udp", response.to_wire(), 0.01, "")


class Untold(World):
    """Resolvers fail on the domain, which its own servers have."""

    answering: frozenset[str] = frozenset()

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.recursive and asked.name.endswith(DOMAIN) and asked.servers[0] not in self.answering:
            return World({(asked.name, asked.type): ("SERVFAIL",)})._reply(asked)
        return super()._reply(asked)


@pytest.mark.parametrize(("answering", "status"), [("", "fail"), ("1.1.1.1", "pass")])
@pytest.mark.parametrize("check", [MX, SPF])
def test_what_no_resolver_tells_is_not_right(check: Check, answering: str, status: str) -> None:
    world = Untold({**ZONE, (DOMAIN, "TXT"): f"v=spf1 ip4:{OURS} -all"})
    world.answering = frozenset((answering,))
    world.files["/etc/resolv.conf"] = f"nameserver {RESOLVER}\n"
    facts = Facts(world, Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS,)))
    found = look(check, facts)
    assert (found.status, "do not tell it" in found.summary) == (
        status if status == "pass" or check is MX else "warn",
        status != "pass",
    ), found.summary
    (row,) = (
        one
        for one in table(facts)
        if (one.expected.name, one.expected.type) == (DOMAIN, "MX" if check is MX else "TXT")
    )
    assert row.state.kind == ("right" if status == "pass" else "not everywhere yet")


def test_broken_signatures_are_seen_where_a_resolver_alone_can_be_asked() -> None:
    """The resolver does not even say whose the zone is."""
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6), resolver=RESOLVER)
    found = look(DNSSEC, Facts(Bogus({}), settings))
    assert (found.status, f"of {DOMAIN} are broken" in found.summary) == ("fail", True), found.summary


RECEIVER = f"{DOMAIN}._report._dmarc.reports.example.net"


@pytest.mark.parametrize(
    ("says", "agrees"),
    [("v=DMARC1", True), ("", False), ("REFUSED", None), ("SERVFAIL", None), ("silence", None)],
)
def test_a_receiver_that_could_not_be_asked_has_not_refused(says: str, agrees: bool | None) -> None:
    policy = {(f"_dmarc.{DOMAIN}", "TXT"): "v=DMARC1; p=reject; rua=mailto:a@reports.example.net"}
    (found,) = facts({**policy, (RECEIVER, "TXT"): (says,) if says else ()}).get(dmarc)
    assert [one.agrees for one in found.receivers] == [agrees]


ALIAS_OF_OURS: Rows = {(NAME, "A"): (), (NAME, "AAAA"): (), (NAME, "CNAME"): "host.hoster.example."}


@pytest.mark.parametrize(("v6", "status"), [("", "pass"), (OURS_V6, "fail")])
def test_an_ipv6_address_at_the_end_of_an_alias_is_one(v6: str, status: str) -> None:
    """IPv6 is not used, and the name is an alias into another zone."""
    ends = {("host.hoster.example", "A"): OURS, ("host.hoster.example", "AAAA"): (v6,) if v6 else ()}
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\n"
    found = all_of(AAAA, {**ALIAS_OF_OURS, **ends}, addresses=(OURS,), conf=conf)[NAME]
    assert found.status == status, found.summary
    assert v6 in found.summary


class Writes(World):
    """A server that takes changes, and gives no answer about what it has of one name."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.servers[0] != OTHER:
            return super()._reply(asked)
        if asked.type == "TXT" and asked.name == DOMAIN:
            return DnsReply(OTHER, "", b"", 0.0, "no answer within 2 s")
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        response.flags |= dns.flags.AA
        soa = "ns.example.net. hostmaster.example.net. 1 3600 900 604800 60"
        response.authority.append(dns.rrset.from_text(f"{DOMAIN}.", 60, "IN", "SOA", soa))
        return DnsReply(OTHER, "udp", response.to_wire(), 0.01, "")


def test_what_a_server_has_and_does_not_tell_is_not_published_over() -> None:
    settings = Settings(
        hostname=NAME, domains=(DOMAIN,), addresses=(OURS,), resolver=RESOLVER, dns_server=OTHER
    )
    found = Facts(Writes(ZONE), settings).get(push)
    assert (DOMAIN, "TXT") not in {(one.name, one.type) for one in found.entries}
    (left,) = [one for one in found.left if (one.name, one.type) == (DOMAIN, "TXT")]
    assert (left.kind, "no answer within 2 s" in left.words) == ("no answer", True)
    assert (f"_dmarc.{DOMAIN}", "TXT") in {(one.name, one.type) for one in found.entries}
