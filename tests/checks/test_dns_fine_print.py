"""What records say beyond their first words: who may issue and how (CAA), what a key is for (DKIM), whose
reports go where (DMARC), and servers of a zone that do not serve it."""

import base64

import dns.flags
import dns.message
import dns.rrset
import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, RESOLVER, SERVER, ZONE, Rows, World, facts, world_of
from judged import look

from mailcow_wizard.checks import dns_caa, dns_dkim, dns_dmarc, dns_local_view, dns_mx
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.dns.certificate import certificate
from mailcow_wizard.facts.dns.dkim import trouble
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Check, Judgement, Settings

VIEW = dns_local_view.CHECKS[0]
CAA, DKIM, DMARC, MX = (one.CHECKS[0] for one in (dns_caa, dns_dkim, dns_dmarc, dns_mx))
ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def with_conf(records: Rows, conf: str = "") -> Facts:
    world = World({**ZONE, **records})
    world.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\n{conf}\n"
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6), resolver=RESOLVER)
    return Facts(world, settings)


@pytest.mark.parametrize(
    ("records", "conf", "status"),
    [
        (("letsencrypt.org; validationmethods=http-01",), "", "pass"),
        (("letsencrypt.org ; validationmethods = dns-01,http-01",), "", "pass"),
        (("letsencrypt.org;validationmethods=dns-01",), "", "fail"),
        (("letsencrypt.org;validationmethods=dns-01",), "ACME_DNS_CHALLENGE=y", "pass"),
        (("letsencrypt.org;validationmethods=http-01",), "ACME_DNS_CHALLENGE=y", "fail"),
        (("letsencrypt.org;validationmethods=dns-01", "letsencrypt.org"), "", "pass"),
        (("other.example", "letsencrypt.org;validationmethods=dns-01"), "", "fail"),
    ],
)
def test_authorities_may_issue_by_the_ways_that_are_named(
    records: tuple[str, ...], conf: str, status: str
) -> None:
    """RFC 8657, 4: Let's Encrypt obeys it."""
    rows = {(DOMAIN, "CAA"): tuple(f'0 issue "{one}"' for one in records)}
    known = with_conf(rows, f"{conf}\nONLY_MAILCOW_HOSTNAME=y")
    found: Judgement = look(CAA, known)
    assert found.status == status, found.summary
    assert status == "pass" or "-01" in found.summary
    (verdict,) = known.get(certificate).verdicts
    assert verdict.fate == ("asked for" if status == "pass" else "refused")


@pytest.mark.parametrize(
    "record",
    [
        "letsencrypt.org; validationmethods=dns-01, http-01",
        "letsencrypt.org; validationmethods=http-01;",
        "letsencrypt.org; validationmethods=http-01; validationmethods=http-01",
        "letsencrypt.org; validationmethods=",
        "letsencrypt.org;;",
        "letsencrypt.org; http-01",
        "letsencrypt.org http-01",
        "letsencrypt.org; accounturi=https://acme.example/1; accounturi=https://acme.example/1",
    ],
)
def test_authorities_whose_conditions_are_not_written_as_they_must_be(record: str) -> None:
    """RFC 8659, 4.2, and RFC 8657: Let's Encrypt passes over such a record."""
    found = look(CAA, with_conf({(DOMAIN, "CAA"): f'0 issue "{record}"'}, "ONLY_MAILCOW_HOSTNAME=y"))
    assert (found.status, bool(found.remedies)) == ("fail", True), found.summary


def test_conditions_in_other_letters_are_none() -> None:
    """Let's Encrypt knows them in small letters alone."""
    other = '0 issue "letsencrypt.org; ValidationMethods=dns-01"'
    found = look(CAA, with_conf({(DOMAIN, "CAA"): other}, "ONLY_MAILCOW_HOSTNAME=y"))
    assert found.status == "pass", found.summary


@pytest.mark.parametrize(
    ("conf", "record", "status", "fate"),
    [
        ("DIRECTORY_URL=https://acme.sectigo.com/v2/DV", '0 issue "sectigo.com"', "fail", "left out"),
        (
            "DIRECTORY_URL=https://acme.sectigo.com/v2/DV",
            ('0 issue "letsencrypt.org"', '0 issue "sectigo.com"'),
            "unknown",
            "open",
        ),
        ("DIRECTORY_URL=https://acme.sectigo.com/v2/DV", (), "pass", "asked for"),
        (
            "DIRECTORY_URL=https://acme.example/d\nLE_STAGING=y",
            '0 issue "letsencrypt.org"',
            "pass",
            "asked for",
        ),
        ("DIRECTORY_URL=https://acme-v02.api.letsencrypt.org/directory", '0 issue ";"', "fail", "left out"),
    ],
)
def test_another_authority_may_be_asked(
    conf: str, record: str | tuple[str, ...], status: str, fate: str
) -> None:
    """mailcow asks it, and looks for letsencrypt.org in the records all the same."""
    known = with_conf({(DOMAIN, "CAA"): record}, f"ONLY_MAILCOW_HOSTNAME=y\n{conf}")
    found = look(CAA, known)
    assert found.status == status, found.summary
    assert status != "unknown" or "acme.sectigo.com (DIRECTORY_URL)" in found.summary
    (verdict,) = known.get(certificate).verdicts
    assert verdict.fate == fate


@pytest.mark.parametrize(
    ("parts", "record", "status", "words"),
    [
        (10, '0 issue ";"', "fail", f"CAA at {DOMAIN} keeps"),
        (10, '0 issue "letsencrypt.org"', "pass", "lets Let's Encrypt issue"),
        (11, '0 issue "letsencrypt.org"', "fail", "no name of more than 10 parts"),
    ],
)
def test_authorities_of_a_name_of_many_parts(parts: int, record: str, status: str, words: str) -> None:
    name = ".".join((*"abcdefghi"[: parts - 2], DOMAIN))
    known = facts({(DOMAIN, "CAA"): record, (name, "A"): OURS})
    known.settings = known.settings._replace(hostname=name, domains=(DOMAIN,))
    found = next(one for one in runner.look(CAA, known) if one.subject == name)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert known.get(certificate).verdicts[0].fate == ("refused" if status == "fail" else "asked for")


def test_authorities_that_let_one_account_issue_are_not_known_to_be_mailcows() -> None:
    """RFC 8657, 3."""
    bound = '0 issue "letsencrypt.org; accounturi=https://acme.example/acct/1"'
    found = look(CAA, with_conf({(DOMAIN, "CAA"): bound}, "ONLY_MAILCOW_HOSTNAME=y"))
    assert (found.status, found.certainty) == ("unknown", "untested"), found.summary
    assert found.remedies
    both = look(
        CAA, with_conf({(DOMAIN, "CAA"): (bound, '0 issue "letsencrypt.org"')}, "ONLY_MAILCOW_HOSTNAME=y")
    )
    assert both.status == "pass"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"v=DKIM1; k=ed25519; p={ED25519}", ""),
        (f"v=DKIM1; k=ed25519; h=sha1:sha256; s=*; p={ED25519}", ""),
        (f"v=DKIM1; k=ed25519; h= SHA256; s=tlsrpt : email; p={ED25519}", ""),
        (f" v = DKIM1 ;\tk=ed25519; n=a note; t=s ; p={ED25519[:20]} {ED25519[20:]} ; ", ""),
        (f"p={ED25519}; k=ed25519", ""),
        (f"k=ed25519; p={ED25519}; v=DKIM1", "v= must come first"),
        (f"V=DKIM1; K=ed25519; P={ED25519}", "p= is missing"),
        (f"v=DKIM1; k=Ed25519; p={ED25519}", "k=Ed25519"),
        (f"v=DKIM1; k=ed25519; s=Email; p={ED25519}", "s=Email"),
        (f"v=DKIM1; k=ed25519; p={ED25519}; p={ED25519}", "p= stands there twice"),
        (f"v=DKIM1; k=ed25519;; p={ED25519}", "no tag"),
        (f"v=DKIM1; k=ed25519; tested; p={ED25519}", "'tested' between"),
        (f"v=DKIM1; k=ed25519; p={ED25519[:-1]}", "no base64"),
        ("v=DKIM1; k=ed25519; p=", "withdrawn"),
        (f"v=DKIM1; k=dsa; p={ED25519}", "k=dsa"),
        (f"v=DKIM1; k=ed25519; h=sha1; p={ED25519}", "h=sha1"),
        (f"v=DKIM1; k=ed25519; s=tlsrpt; p={ED25519}", "s=tlsrpt"),
        (f"v=DKIM1; k=ed25519; p={base64.b64encode(b'x' * 16).decode()}", "not whole"),
    ],
)
def test_a_key_that_is_not_for_this_mail_cannot_be_used(text: str, words: str) -> None:
    """RFC 6376, 3.6.1, and RFC 8463."""
    assert (words in trouble(text)) if words else not trouble(text)
    found = look(DKIM, facts({(f"dkim._domainkey.{DOMAIN}", "TXT"): text}))
    said = "cannot be used" if words else "of a kind that mailcow does not make"
    assert (found.status, said in found.summary) == ("warn", True), found.summary


class Within(World):
    """The domain team.example.org has no zone of its own."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if (asked.name, asked.type) != (f"team.{DOMAIN}", "NS"):
            return super()._reply(asked)
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        response.flags |= dns.flags.AA
        soa = "ns.example.net. hostmaster.example.net. 1 3600 900 604800 60"
        response.authority.append(dns.rrset.from_text(f"{DOMAIN}.", 60, "IN", "SOA", soa))
        return DnsReply(asked.servers[0], "udp", response.to_wire(), 0.01, "")


def dmarc(receiver: str, domain: str = DOMAIN, agreed: str = "") -> Judgement:
    consent = {(f"{domain}._report._dmarc.{receiver}", "TXT"): agreed} if agreed else {}
    policy = {(f"_dmarc.{domain}", "TXT"): f"v=DMARC1; p=reject; rua=mailto:a@{receiver}"}
    settings = Settings(hostname=NAME, domains=(domain,), addresses=(OURS, OURS_V6), resolver=RESOLVER)
    return look(DMARC, Facts(Within({**ZONE, **policy, **consent}), settings))


def test_reports_within_one_zone_need_nobodys_consent() -> None:
    """RFC 7489, 7.1: one organisation's domains."""
    assert dmarc("reports.example.org", f"team.{DOMAIN}").status == "pass"
    assert dmarc("reports.example.net", f"team.{DOMAIN}").status == "warn"
    assert dmarc("notexample.org", f"team.{DOMAIN}").status == "warn"


def test_a_receiver_that_could_not_be_asked_is_not_proved() -> None:
    silent, fine = (dmarc("reports.example.net", agreed=one) for one in ("silence", "v=DMARC1"))
    assert (fine.status, fine.certainty) == ("pass", "proved")
    assert (silent.status, silent.certainty) == ("unknown", "untested")
    assert "whether reports.example.net has agreed" in silent.summary.rpartition(";")[2]


class Lame(World):
    """The zone's server does not serve it: an empty answer that is nobody's word."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if asked.servers[0] != SERVER:
            return super()._reply(asked)
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        return DnsReply(SERVER, "udp", response.to_wire(), 0.01, "")


@pytest.mark.parametrize("check", [MX, DMARC])
def test_a_server_that_does_not_serve_the_zone_does_not_say_that_there_is_nothing(check: Check) -> None:
    records = {**ZONE, (f"_dmarc.{DOMAIN}", "TXT"): "v=DMARC1; p=reject"}
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6), resolver=RESOLVER)
    found = look(check, Facts(Lame(records), settings))
    assert (found.status, found.certainty) == ("pass", "inferred"), found.summary


def test_a_file_of_hosts_that_cannot_be_read_is_not_an_empty_one() -> None:
    world = World({**ZONE})
    world.files |= {
        "/etc/resolv.conf": f"nameserver {RESOLVER}\n",
        "/etc/hosts": HostError("permission denied"),
    }
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6), resolver=RESOLVER)
    found = look(VIEW, Facts(world, settings))
    assert (found.status, "permission denied" in found.summary) == ("unknown", True), found.summary
    del world.files["/etc/hosts"]
    assert look(VIEW, Facts(world, settings)).status == "pass"


@pytest.mark.parametrize("code", ["REFUSED", "SERVFAIL"])
def test_a_server_of_the_zone_that_refuses_is_named(code: str) -> None:
    """Who asks it first has to ask another one."""
    two = {(DOMAIN, "NS"): ("ns.example.net.", "ns2.example.net."), ("ns2.example.net", "A"): "192.0.2.55"}
    known = facts(two, addresses=(OURS,))
    world_of(known).servers["192.0.2.55"] = code
    found = look(MX, known)
    assert (found.status, found.severity) == ("warn", "degrades"), found.summary
    assert f"the name server ns2.example.net (192.0.2.55: {code}) gives no answer" in found.summary
    assert any(one.value == code for one in found.evidence)


@pytest.mark.parametrize(("refusing", "status"), [((4,), "pass"), ((4, 6), "warn")])
def test_who_answers_in_place_of_all_servers_over_one_family_is_none_of_them(
    refusing: tuple[int, ...], status: str
) -> None:
    """A provider that sends port 53 to its own resolver, of IPv4 alone, as they do."""
    v4, v6 = ("192.0.2.55", "192.0.2.56"), ("2001:db8:1::55", "2001:db8:1::56")
    names = tuple(f"ns{number}.example.net" for number in (1, 2))
    hosts: Rows = {
        **{(name, "A"): address for name, address in zip(names, v4, strict=True)},
        **{(name, "AAAA"): address for name, address in zip(names, v6, strict=True)},
    }
    known = facts({**hosts, (DOMAIN, "NS"): tuple(f"{name}." for name in names)}, addresses=(OURS,))
    said = world_of(known).servers
    said |= dict.fromkeys(v4, "REFUSED")
    if 6 in refusing:
        said[v6[1]] = "REFUSED"
    found = look(MX, known)
    assert found.status == status, found.summary
    if status == "warn":
        assert "name server ns2.example.net (2001:db8:1::56: REFUSED) gives" in found.summary


@pytest.mark.parametrize(("refuses", "status"), [(True, "pass"), (False, "warn")])
def test_who_answers_in_place_of_one_server_answers_in_place_of_all(refuses: bool, status: str) -> None:
    """The second server has IPv4 alone: where somebody speaks in the place of the first it is not heard."""
    hosts: Rows = {
        ("ns1.example.net", "A"): "192.0.2.55",
        ("ns1.example.net", "AAAA"): "2001:db8:1::55",
        ("ns2.example.net", "A"): "192.0.2.56",
        (DOMAIN, "NS"): ("ns1.example.net.", "ns2.example.net."),
    }
    known = facts(hosts, addresses=(OURS,))
    world_of(known).servers["192.0.2.56"] = "REFUSED"
    if refuses:
        world_of(known).servers["192.0.2.55"] = "REFUSED"
    found = look(MX, known)
    assert found.status == status, found.summary
    assert ("ns2.example.net (192.0.2.56: REFUSED)" in found.summary) is (status == "warn")


@pytest.mark.parametrize(("address", "status"), [(OURS, "warn"), ("203.0.113.9", "fail")])
def test_a_name_with_the_address_that_the_servers_name_has_need_not_be_this_server(
    address: str, status: str
) -> None:
    """Before a move it is the old one's, and so is the server's name."""
    moved = {(NAME, "A"): address, (NAME, "AAAA"): (), ("mx.example.org", "A"): address}
    found = look(MX, facts({**moved, (DOMAIN, "MX"): "10 mx.example.org."}, addresses=(OURS,)))
    assert found.status == status, found.summary
