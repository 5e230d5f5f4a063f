"""IPv6 that has an address and leads nowhere: no advice to publish what would lead others astray."""

import pytest

from mailcow_wizard.checks import dns, network_ipv6
from mailcow_wizard.engine import records, runner
from mailcow_wizard.facts.dns.again import again
from mailcow_wizard.facts.dns.mail_server import mail_server
from mailcow_wizard.facts.dns.push import push
from mailcow_wizard.facts.dns.reverse import reverse_name
from mailcow_wizard.facts.dns.table import table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Probe, Probed
from mailcow_wizard.model import Judgement, Settings
from mailcow_wizard.report.dns import lines, zone_files
from mailcow_wizard.tui import record_words
from tests.dns_world import DOMAIN, NAME, OURS, OURS_V6, RESOLVER, ZONE, Rows, World
from tests.docker_machine import DEFAULT_V6, GLOBAL_V6

IPV6 = next(one for one in network_ipv6.CHECKS if one.id == "network.ipv6")
CHECKS = {one.id: one for one in dns.CHECKS}
V4_NAME: Rows = {(reverse_name(OURS), "PTR"): f"{NAME}."}
V6_NAME: Rows = {(reverse_name(OURS_V6), "PTR"): f"{NAME}."}


class Swallowed(World):
    """Of what is sent over IPv6 the router lets nothing come back, unless it `passes`. `pings` and `tcp` are
    how those end."""

    def __init__(
        self, records: Rows, passes: bool, pings: str = "silent", conf: str = "", tcp: str = "silent"
    ) -> None:
        super().__init__({**ZONE, **V4_NAME, **records})
        self.passes, self.tried = passes, 0
        self.ends = {"ping": pings, "tcp": tcp}
        self.files["/proc/sys/net/ipv6/conf/all/disable_ipv6"] = "0"
        self.files |= {"/proc/net/if_inet6": GLOBAL_V6, "/proc/net/ipv6_route": DEFAULT_V6}
        self.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\n{conf}"

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        self.tried += 1
        return tuple(Probed("open" if self.passes else self.ends[one.kind], 0.1) for one in probes)


def facts_of(world: World) -> Facts:
    settings = Settings(hostname=NAME, domains=(DOMAIN,), resolver=RESOLVER, addresses=(OURS, OURS_V6))
    return Facts(world, settings)


def look(id: str, world: World) -> dict[str | None, Judgement]:
    return {one.subject: one for one in runner.look(CHECKS[id], facts_of(world))}


@pytest.mark.parametrize("passes", [False, True])
def test_an_address_that_leads_nowhere_is_not_to_be_published(passes: bool) -> None:
    found = look("dns.aaaa", Swallowed({(NAME, "AAAA"): ()}, passes))[NAME]
    assert found.status == "warn"
    assert any("Publish" in one for one in found.remedies) is passes
    assert any('See "IPv6" first (`check network.ipv6`)' in one for one in found.remedies) is not passes
    assert ("none is to be as long as IPv6 leads nowhere" in found.summary) is not passes


@pytest.mark.parametrize(("passes", "status"), [(False, "warn"), (True, "fail")])
@pytest.mark.parametrize("records", [{}, {**V6_NAME, (NAME, "AAAA"): ()}])
def test_the_name_of_an_address_that_no_mail_leaves_with(records: Rows, passes: bool, status: str) -> None:
    found = look("dns.ptr", Swallowed(records, passes))
    assert (found[OURS].status, found[OURS_V6].status) == ("pass", status)
    assert ('See "IPv6" first (`check network.ipv6`)' in found[OURS_V6].remedies[0]) is not passes
    assert any("Publish" in one for one in found[OURS_V6].remedies) is (passes and bool(records))


@pytest.mark.parametrize(
    ("pings", "tcp", "conf", "known"),
    [
        ("not allowed", "failed", "", False),
        ("failed", "failed", "", False),
        ("not allowed", "silent", "", True),  # what a user may send tells it
        ("failed", "silent", "", True),
        ("blocked", "silent", "ENABLE_IPV6=true\n", False),  # what its containers send meets other rules
        ("blocked", "silent", "", True),  # mailcow pings as this machine does, and leaves IPv6 off
    ],
)
def test_of_what_was_not_sent_nobody_knows_where_it_leads(
    pings: str, tcp: str, conf: str, known: bool
) -> None:
    world = Swallowed({(NAME, "AAAA"): ()}, False, pings, conf, tcp)
    assert look("dns.ptr", world)[OURS_V6].status == ("warn" if known else "fail")
    assert any("Publish" in one for one in look("dns.aaaa", world)[NAME].remedies) is not known
    (told,) = runner.look(IPV6, facts_of(world))
    assert ("IPv6 leads nowhere" in told.summary) is known, told
    assert [one.id for one in told.fixes] == (["set-ipv6"] if known else []), "to do without it"


@pytest.mark.parametrize(
    ("record", "passes", "status", "words"),
    [
        ("v=spf1 mx a -all", False, "warn", f"from {OURS} through (SPF), and not from {OURS_V6}"),
        ("v=spf1 mx a -all", True, "fail", f"mail from {OURS_V6} is refused"),
        (f"v=spf1 mx ip6:{OURS_V6} -all", False, "pass", OURS_V6),
        ("v=spf1 ip4:203.0.113.9 -all", False, "fail", f"mail from {OURS} is refused"),
    ],
)
def test_an_address_that_no_mail_leaves_with_need_not_be_let_through(
    record: str, passes: bool, status: str, words: str
) -> None:
    """As it is where all is published as it is told to be."""
    world = Swallowed({(NAME, "AAAA"): (), (DOMAIN, "TXT"): record}, passes)
    found = look("dns.spf", world)[DOMAIN]
    assert (found.status, words in found.summary) == (status, True), found
    entries, left = facts_of(world).get(push)
    assert any(one.check == "dns.spf" for one in (*entries, *left)) is (status == "fail")
    (row,) = (
        one for one in table(facts_of(world)) if (one.expected.type, one.expected.name) == ("TXT", DOMAIN)
    )
    # What it names by an address that is missing is seen at that one.
    assert row.state.kind == ("wrong" if "203.0.113.9" in record else "right")


def test_an_address_that_is_not_to_be_used_is_not_waited_for() -> None:
    found = look("dns.aaaa", Swallowed({(NAME, "AAAA"): ()}, False, conf="ENABLE_IPV6=false\n"))[NAME]
    assert (found.status, found.remedies) == ("pass", ())
    assert found.summary == f"{NAME} has no IPv6 address in DNS, and IPv6 is not used"


@pytest.mark.parametrize("passes", [False, True])
def test_no_face_tells_to_publish_what_leads_nowhere(passes: bool) -> None:
    rows = table(facts_of(Swallowed({(NAME, "AAAA"): ()}, passes)))
    address = next(one for one in rows if one.expected.type == "AAAA")
    name = next(one for one in rows if one.expected.name == reverse_name(OURS_V6))
    assert (address in records.to_publish(rows)) is passes
    assert (name in records.for_provider(rows)) is passes
    assert (f"AAAA {OURS_V6}" in "\n".join(zone_files(rows))) is passes
    assert ("(none as long as IPv6 leads nowhere)" in "\n".join(lines(rows))) is not passes
    assert {record_words.status(address), record_words.status(name)} == (
        {"warn", "fail"} if passes else {"skipped"}
    )


@pytest.mark.parametrize("passes", [False, True])
def test_a_wrong_name_of_it_is_nothing_for_the_provider(passes: bool) -> None:
    world = Swallowed({(reverse_name(OURS_V6), "PTR"): "pc5.provider.example."}, passes)
    rows = table(facts_of(world))
    name = next(one for one in rows if one.expected.name == reverse_name(OURS_V6))
    assert (name in records.for_provider(rows)) is passes
    marked = record_words.status(name)
    assert marked == look("dns.ptr", world)[OURS_V6].status == ("fail" if passes else "warn")


@pytest.mark.parametrize("passes", [False, True])
@pytest.mark.parametrize("there", [("2001:db8::dead",), ("2001:db8::dead", OURS_V6)])
def test_a_wrong_address_is_not_to_be_replaced_by_one_that_leads_nowhere(
    there: tuple[str, ...], passes: bool
) -> None:
    world = Swallowed({(NAME, "AAAA"): there}, passes)
    rows = table(facts_of(world))
    (row,) = records.to_correct(rows)
    assert (row.expected.type, bool(row.value)) == ("AAAA", passes)
    assert (f"AAAA {OURS_V6}" in "\n".join(zone_files(rows))) is passes
    found = look("dns.aaaa", world)[NAME]
    mends = f"Remove: {NAME}. AAAA 2001:db8::dead" if OURS_V6 in there else f"Publish: {NAME}. AAAA {OURS_V6}"
    assert (found.status, mends == found.remedies[0]) == ("fail", passes)
    assert ("Remove the AAAA record" in found.remedies[0]) is not passes


@pytest.mark.parametrize("passes", [False, True])
def test_nor_is_an_alias(passes: bool) -> None:
    alias: Rows = {(NAME, "A"): (), (NAME, "AAAA"): (), (NAME, "CNAME"): "other.example.org."}
    world = Swallowed({**alias, ("other.example.org", "A"): OURS}, passes)
    rows = {one.expected.type: one.value for one in records.to_correct(table(facts_of(world)))}
    assert rows == {"A": OURS, "AAAA": OURS_V6 if passes else ""}
    found = look("dns.aaaa", world)[NAME]
    assert (found.status, "Publish" in found.remedies[0]) == ("fail", passes)
    assert ('See "IPv6" first' in found.remedies[0]) is not passes
    assert "Publish" in look("dns.a", world)[NAME].remedies[0]


@pytest.mark.parametrize("there", [(OURS_V6,), ("2001:db8::dead",), ()])
def test_an_address_is_to_be_removed_where_ipv6_is_not_used(there: tuple[str, ...]) -> None:
    world = Swallowed({(NAME, "AAAA"): there}, True, conf="ENABLE_IPV6=false\n")
    rows = table(facts_of(world))
    found = [one for one in rows if one.expected.type == "AAAA"]
    assert [(one.state.kind, one.value, record_words.status(one)) for one in found] == (
        [("wrong", "", "fail")] if there else []
    )
    assert look("dns.aaaa", world)[NAME].status == ("fail" if there else "pass")
    assert not any("AAAA 2001" in one for one in zone_files(rows))
    if there:
        known = facts_of(world)
        world.records[NAME, "AAAA"] = ()
        assert again(known, known.get(mail_server), found)[0].state.kind == "right"


def test_what_is_right_needs_no_packet_over_ipv6() -> None:
    world = Swallowed(V6_NAME, False)
    assert look("dns.ptr", world)[OURS_V6].status == "pass"
    assert look("dns.aaaa", world)[NAME].status == "pass"
    table(facts_of(world))
    assert world.tried == 0
