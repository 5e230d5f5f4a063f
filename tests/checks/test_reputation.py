"""reputation.blocklists and reputation.asn: lists that list, refuse, are blind, or say nothing."""

import time

import dns.message
import dns.rrset
import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, RESOLVER, ZONE, World, facts, world_of

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.reputation import CHECKS, judge_asn
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.reputation import reversed_address, words
from mailcow_wizard.facts.reputation_asn import forwarders
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import NoAnswer
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply
from mailcow_wizard.model import Judgement, Settings
from mailcow_wizard.requirements_dns import BLOCKLISTS

BLOCKLISTS_CHECK, ASN = CHECKS
LIST_SERVER = "192.0.2.77"
V4, V6 = "25.100.51.198", "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.2.0.0.8.b.d.0.1.0.0.2"
TEST_V6 = "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"

Records = dict[tuple[str, str], str | tuple[str, ...]]


def healthy() -> Records:
    """Every list with its servers and its test entries."""
    rows: Records = {("ns.lists.example", "A"): LIST_SERVER}
    for one in BLOCKLISTS:
        rows[one.zone, "NS"] = "ns.lists.example."
        tests = [
            test for kind, test in (("4", "2.0.0.127"), ("6", TEST_V6), ("n", one.test)) if kind in one.holds
        ]
        for test in tests:
            rows[f"{test}.{one.zone}", "A"] = "127.0.0.2"
    return rows


def judged(known: Facts) -> dict[str, Judgement]:
    return {str(one.subject): one for one in runner.look(BLOCKLISTS_CHECK, known)}


def of(more: Records, addresses: tuple[str, ...] = (OURS, OURS_V6), **servers: str) -> dict[str, Judgement]:
    known = facts({**healthy(), **more}, addresses=addresses)
    world_of(known).servers = {
        name.removeprefix("at_").replace("_", "."): word for name, word in servers.items()
    }
    return judged(known)


def test_on_none() -> None:
    found = of({})
    assert set(found) == {OURS, OURS_V6, NAME, DOMAIN}
    assert {one.status for one in found.values()} == {"pass"}
    v4 = sum("4" in one.holds for one in BLOCKLISTS)
    assert found[OURS].summary == f"{OURS} is on none of {v4} blocklists"
    assert found[OURS].certainty == "proved"
    assert found[OURS].evidence[0].what == f"dig +short {V4}.zen.spamhaus.org A @{LIST_SERVER}"


@pytest.mark.parametrize(
    ("records", "subject", "status", "severity", "words"),
    [
        (
            {(f"{V4}.zen.spamhaus.org", "A"): "127.0.0.2"},
            OURS,
            "fail",
            "breaks",
            "Spamhaus ZEN (spam source, SBL)",
        ),
        (
            {(f"{V4}.zen.spamhaus.org", "A"): ("127.0.0.4", "127.0.0.11")},
            OURS,
            "fail",
            "breaks",
            "(infected machine, XBL; network of end users, PBL)",
        ),
        ({(f"{V6}.zen.spamhaus.org", "A"): "127.0.0.3"}, OURS_V6, "fail", "breaks", "(spam source, CSS)"),
        ({(f"{V4}.bl.spamcop.net", "A"): "127.0.0.2"}, OURS, "fail", "breaks", "on 1 blocklist: SpamCop"),
        ({(f"{V4}.psbl.surriel.com", "A"): "127.0.0.2"}, OURS, "warn", "degrades", "on 1 blocklist: PSBL"),
        ({(f"{V4}.dnsbl-2.uceprotect.net", "A"): "127.0.0.2"}, OURS, "warn", "advice", "neighbours"),
        ({(f"{V4}.dnsbl-3.uceprotect.net", "A"): "127.0.0.2"}, OURS, "warn", "advice", "its whole provider"),
        (
            {(f"{V4}.dnsbl-{n}.uceprotect.net", "A"): "127.0.0.2" for n in (1, 2, 3)},
            OURS,
            "warn",
            "degrades",
            "on 3 blocklists: UCEPROTECT 1, UCEPROTECT 2",
        ),
        (
            {(f"{NAME}.dbl.spamhaus.org", "A"): "127.0.1.2"},
            NAME,
            "fail",
            "breaks",
            "Spamhaus DBL (spam domain)",
        ),
        (
            {(f"{DOMAIN}.dbl.spamhaus.org", "A"): "127.0.1.2"},
            DOMAIN,
            "fail",
            "breaks",
            "Spamhaus DBL (spam domain)",
        ),
        (
            {(f"{NAME}.multi.surbl.org", "A"): "127.0.0.80"},
            NAME,
            "warn",
            "degrades",
            "(malware, MW; abuse, ABUSE)",
        ),
        ({(f"{V4}.hostkarma.junkemailfilter.com", "A"): "127.0.0.1"}, OURS, "pass", "breaks", "on none of"),
        (
            {(f"{V4}.zen.spamhaus.org", "A"): "127.0.0.99"},
            OURS,
            "fail",
            "breaks",
            "on 1 blocklist: Spamhaus ZEN",
        ),
        # A parked zone answers with the address of a web site; that is no listing.
        ({(f"{V4}.psbl.surriel.com", "A"): "203.0.113.80"}, OURS, "pass", "breaks", "on none of"),
    ],
)
def test_listed(records: Records, subject: str, status: str, severity: str, words: str) -> None:
    found = of(records)
    assert found[subject].status == status
    assert words in found[subject].summary
    if status != "pass":
        assert found[subject].severity == severity
        assert any("https://" in one or "http://" in one for one in found[subject].remedies)
        assert found[subject].evidence[0].value.startswith("127.")
    assert all(one.status == "pass" for name, one in found.items() if name != subject)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("127.255.255.254", "it refuses the resolver that asked, or this network (127.255.255.254)"),
        ("127.255.255.255", "it was asked too often from there (127.255.255.255)"),
        ("127.255.255.252", "the name that was asked is mistyped (127.255.255.252)"),
        ("127.255.255.7", "it does not answer (127.255.255.7)"),
    ],
)
def test_an_error_code_is_no_listing(answer: str, words: str) -> None:
    everything: Records = {
        (f"{name}.zen.spamhaus.org", "A"): answer for name in (V4, V6, "2.0.0.127", "1.0.0.127", TEST_V6)
    }
    found = of(everything)
    assert (found[OURS].status, found[OURS_V6].status, found[NAME].status) == ("unknown", "unknown", "pass")
    assert words in found[OURS].summary
    assert any(need.DQS_KEY in one for one in found[OURS].remedies)
    # Only for us, while the test entries are right.
    assert of({(f"{V4}.zen.spamhaus.org", "A"): answer})[OURS].status == "unknown"


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({("2.0.0.127.zen.spamhaus.org", "A"): ()}, "it does not list its own test entry"),
        ({("1.0.0.127.zen.spamhaus.org", "A"): "127.0.0.2"}, "it lists everything"),
        ({("2.0.0.127.zen.spamhaus.org", "A"): "203.0.113.80"}, "it does not list its own test entry"),
        ({("2.0.0.127.zen.spamhaus.org", "A"): "REFUSED"}, "it answers REFUSED"),
        ({("2.0.0.127.zen.spamhaus.org", "A"): "silence"}, "no answer within 2 s"),
    ],
)
def test_a_blind_list_proves_nothing(records: Records, words: str) -> None:
    for ours in ((), "127.0.0.2"):
        found = of({**records, (f"{V4}.zen.spamhaus.org", "A"): ours})[OURS]
        assert found.status == "unknown"
        assert f"could not be found out: {words}" in found.summary


def test_a_small_list_that_is_blind_is_only_named() -> None:
    found = of({("2.0.0.127.psbl.surriel.com", "A"): ()})[OURS]
    assert found.status == "pass"
    assert "psbl.surriel.com: it does not list its own test entry" in found.found


def test_a_listing_counts_even_where_the_leading_list_is_blind() -> None:
    records: Records = {
        ("2.0.0.127.zen.spamhaus.org", "A"): "127.255.255.254",
        (f"{V4}.bl.spamcop.net", "A"): "127.0.0.2",
    }
    assert of(records)[OURS].status == "fail"


def test_lists_that_say_nothing_are_unknown() -> None:
    found = of({}, at_192_0_2_77="silence", at_192_0_2_53="silence")
    assert {one.status for one in found.values()} == {"unknown"}


def test_lists_are_asked_from_here_and_a_resolver_only_where_that_gives_nothing() -> None:
    known = facts(healthy())
    judged(known)
    rounds = [some for some in world_of(known).rounds if any(".zen." in one.name for one in some)]
    assert len(rounds) == 1
    assert {one.servers for one in rounds[0]} == {(LIST_SERVER,)}
    assert not any(one.recursive for one in rounds[0])

    blocked = facts(healthy())
    world_of(blocked).servers = {LIST_SERVER: "silence"}
    assert judged(blocked)[OURS].status == "pass"
    assert {one.servers for one in world_of(blocked).rounds[-1]} == {(RESOLVER,)}


def test_a_public_resolver_is_not_asked_and_is_named() -> None:
    known = facts(healthy())
    known.settings = known.settings._replace(resolver="8.8.8.8")
    assert "this machine's resolver (8.8.8.8) is public" in judged(known)[OURS].found
    world_of(known).servers = {LIST_SERVER: "silence"}
    again = Facts(known.host, known.settings)
    assert judged(again)[OURS].status == "unknown"


def test_few_round_trips() -> None:
    known = facts(healthy())
    judged(known)
    assert len(BLOCKLISTS) >= 30
    rounds = [some for some in world_of(known).rounds if any("example.org" not in one.name for one in some)]
    assert len(rounds) <= 3  # who serves the lists, where those are, and what they say


def test_without_an_address_the_name_is_asked_all_the_same() -> None:
    known = facts(healthy())
    known.settings = known.settings._replace(addresses=())

    class Nowhere(World):
        def source_address(self, destination: str) -> str:
            raise NoAnswer(f"no route to {destination}")

    known.host = Nowhere(world_of(known).records)
    found = judged(known)
    assert (found["None"].status, found[NAME].status) == ("unknown", "pass")


def test_addresses_are_turned_round_by_octets_and_nibbles() -> None:
    assert reversed_address("192.0.2.99") == "99.2.0.192"
    assert reversed_address("::ffff:7f00:2") == TEST_V6
    assert len(reversed_address("2001:db8::1").split(".")) == 32


def test_every_row_of_the_lists() -> None:
    zones = [one.zone for one in BLOCKLISTS]
    assert len(zones) == len(set(zones))
    for one in BLOCKLISTS:
        assert one.holds in ("4", "6", "46", "n")
        assert one.weight in ("refuses", "counts", "advice")
        assert one.removal.startswith(("https://", "http://"))
        assert words(one, ("127.0.0.250",)) == "" or one.bits


@pytest.mark.parametrize(
    ("reply", "status", "words"),
    [
        (HttpReply(200, b""), "pass", "Spamhaus answers servers in this network"),
        (HttpReply(503, b""), "warn", "does not answer servers in this network"),
        (HttpReply(429, b""), "unknown", "was asked too often"),
        (HttpReply(502, b""), "unknown", "asn-check.mailcow.email answers 502"),
        (NoAnswer("no answer within 8 s"), "unknown", "no answer within 8 s"),
    ],
)
def test_asn(reply: HttpReply | NoAnswer, status: str, words: str) -> None:
    (found,) = runner.look(ASN, facts({}, {need.ASN_CHECK: reply}))
    assert (found.status, words in found.summary) == (status, True), found.summary
    if status == "warn":
        assert need.DQS_PAGE in found.remedies[0]
        assert need.DQS_KEY in found.remedies[1]


def test_asn_is_not_asked_where_a_key_is_set() -> None:
    known = facts({})
    world_of(known).files["/opt/mailcow-dockerized/mailcow.conf"] = "SPAMHAUS_DQS_KEY=geheim4711\n"
    found = judge_asn(known.get(ASN.source))
    assert found.status == "skipped"
    assert "geheim4711" not in repr(found)
    assert not [one for one in world_of(known).asked if one.startswith("http")]


@pytest.mark.parametrize(
    ("zone", "status"),
    [
        ('forward-zone:\n  name: "."\n  forward-addr: 1.1.1.1\n  forward-addr: 8.8.8.8 # Google\n', "warn"),
        ("forward-zone:\n    name: .\n    forward-addr: 9.9.9.9@853#dns.quad9.net\n", "warn"),
        ('forward-zone:\n  name: "."\n  forward-addr: 192.0.2.53\n', "pass"),
        ('forward-zone:\n  name: "corp.example"\n  forward-addr: 1.1.1.1\n', "pass"),
        (
            'forward-zone:\n  name: "corp.example"\n  forward-addr: 1.1.1.1\nauth-zone:\n  name: "."\n',
            "pass",
        ),
        ("forward-zone:\n  name: '.'\n  forward-addr: '8.8.8.8'\n", "warn"),
        ('#forward-zone:\n#  name: "."\n#  forward-addr: 1.1.1.1\n', "pass"),
        ('forward-zone:\n  name: "."\nserver:\n  interface: 1.1.1.1\n', "pass"),
        ("server:\n  do-ip6: no\n", "pass"),
    ],
)
def test_a_resolver_that_hands_on_to_one_that_lists_refuse(zone: str, status: str) -> None:
    """Whatever this network is: mailcow's questions then come from there."""
    known = facts({}, {need.ASN_CHECK: HttpReply(200, b"")})
    path = "/opt/mailcow-dockerized/data/conf/unbound/unbound.conf"
    world_of(known).files[path] = f"server:\n  verbosity: 1\n{zone}remote-control:\n  control-enable: yes\n"
    found = judge_asn(known.get(ASN.source))
    assert found.status == status, found.summary
    if status == "warn":
        assert path in found.remedies[0]


class Refers(World):
    """The lists' server refers for one address to others, and lists its test entries as it should."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if not asked.name.startswith(V4):
            return super()._reply(asked)
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        zone = asked.name.removeprefix(f"{V4}.")
        response.authority.append(dns.rrset.from_text(f"{zone}.", 60, "IN", "NS", "ns.part.example."))
        return DnsReply(asked.servers[0], "udp", response.to_wire(), 0.01, "")


def test_a_referral_does_not_say_that_nothing_is_listed() -> None:
    world = Refers({**ZONE, **healthy()})
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS,), resolver=RESOLVER)
    assert judged(Facts(world, settings))[OURS].status == "unknown"


def test_settings_of_blank_lines_are_read_at_once() -> None:
    began = time.process_time()
    assert forwarders("\n" * (1 << 16)) == ()
    assert time.process_time() - began < 1.0
