"""The address that mailcow's containers send with, where it is another than this machine's own."""

import pytest

from mailcow_wizard.checks.dns_addresses import judge_a
from mailcow_wizard.checks.network_addresses import judge_addresses
from mailcow_wizard.facts.addresses import Addresses, addresses
from mailcow_wizard.facts.dns import expected
from mailcow_wizard.facts.dns.acme_settings import AcmeSettings
from mailcow_wizard.facts.dns.certificate import HostTried
from mailcow_wizard.facts.dns.delegation import Zone
from mailcow_wizard.facts.dns.host_records import HostRecords
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.message import Answer
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.wire import Record
from mailcow_wizard.facts.network.egress import egress
from mailcow_wizard.facts.network.routes import Default4, default_v4
from mailcow_wizard.facts.sending import first_address, sent_with
from mailcow_wizard.facts.store import Facts, Settings
from tests.fake_host import FakeHost

OWN, SECOND = "8.8.4.10", "8.8.4.11"
NAME = "mail.example.org"
ROUTE = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    "eth1\t00000000\t01090808\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    "eth0\t00000000\t01040808\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t00040808\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
)
LISTED = (
    f"2: eth0    inet {OWN}/24 brd 8.8.4.255 scope global eth0\\       valid_lft forever\n"
    "2: eth0    inet 8.8.9.5/24 scope global eth0\\       valid_lft forever\n"
)
_ASK = "ip -4 -o addr show dev eth0 primary scope global"
_CONF = "/opt/mailcow-dockerized/mailcow.conf"


class Server(FakeHost):
    """It has two public addresses, and the route names the second."""

    own = SECOND

    def source_address(self, destination: str) -> str:
        return self.own


def machine(*own: str, **files: str) -> Server:
    leaves = "".join(f"     |-- {one}\n        /32 host LOCAL\n" for one in own)
    known = {"/proc/net/route": ROUTE, "/proc/net/fib_trie": f"Local:\n{leaves}"}
    return Server({**known, **files}, {_ASK: LISTED})


def test_masquerading_takes_the_interfaces_first_address() -> None:
    facts = Facts(machine(OWN, SECOND), Settings(directory="/opt/mailcow-dockerized"))
    found = addresses(facts, 4)
    assert (found.own, found.public, found.sent) == (SECOND, (SECOND,), OWN)
    assert (found.leaving, found.every) == ((OWN,), (SECOND, OWN))


def test_where_the_route_names_that_one_there_is_nothing_to_say() -> None:
    host = machine(OWN, SECOND)
    host.own = OWN
    assert addresses(Facts(host), 4) == Addresses(4, (OWN,), OWN, "route")


def test_who_has_one_address_is_not_asked() -> None:
    host = machine(SECOND)
    host.commands = {}
    assert addresses(Facts(host), 4).sent == ""


@pytest.mark.parametrize(
    ("family", "line", "found"),
    [
        (4, f"SNAT_TO_SOURCE={OWN}", OWN),
        # Its mail would leave with an address to which no answer comes back; what is published is not for it.
        (4, "SNAT_TO_SOURCE=8.8.4.12", ""),
        (6, "SNAT6_TO_SOURCE=2a01:4f8::2", ""),
        (4, "SNAT_TO_SOURCE=10.1.2.3", ""),
        (4, "SNAT_TO_SOURCE=garbage", ""),
        (4, "SNAT_TO_SOURCE=2a01:4f8::1", ""),
        (4, "SNAT_TO_SOURCE=n", ""),
        (6, "SNAT6_TO_SOURCE=2a01:4f8::1", "2a01:4f8::1"),
        # DNS writes it in another way, and is compared with it.
        (6, "SNAT6_TO_SOURCE=2A01:04F8:0::0:1", "2a01:4f8::1"),
        (6, f"SNAT6_TO_SOURCE={OWN}", ""),
    ],
)
def test_what_mailcow_conf_asks_for(family: int, line: str, found: str) -> None:
    v6 = "2a0104f8000000000000000000000001 02 40 00 80 eth0\n"
    files = {_CONF: f"MAILCOW_HOSTNAME=mail.example.org\n{line}\n", "/proc/net/if_inet6": v6}
    host = machine(OWN, **files)
    facts = Facts(host, Settings(directory="/opt/mailcow-dockerized"))
    assert sent_with(facts, family) == (found, True)


@pytest.mark.parametrize(
    ("nat", "found"),
    [
        (f"-A POSTROUTING -s 172.22.1.0/24 -o eth0 -j SNAT --to-source {SECOND}", ""),
        (f"-A POSTROUTING -s 172.22.1.0/24 -o eth0 -j SNAT --to-source {OWN}", OWN),
        ("-A POSTROUTING -s 172.22.1.0/24 ! -o br-mailcow -j MASQUERADE", OWN),
        # Which one this takes is not known.
        ("-A POSTROUTING -s 172.22.1.0/24 -j NETMAP --to 8.8.4.0/24", ""),
    ],
)
def test_what_a_rule_translates_to(nat: str, found: str) -> None:
    host = machine(OWN, SECOND)
    host.commands |= {
        "iptables --version": "iptables v1.8.11 (nf_tables)",
        "iptables-nft-save": f"*nat\n:POSTROUTING ACCEPT [0:0]\n{nat}\nCOMMIT\n",
        "ip6tables-nft-save": "",
        "nft -s -j list ruleset": '{"nftables": [{"table": {"family": "ip", "name": "nat"}}]}',
    }
    facts = Facts(host, Settings(directory="/opt/mailcow-dockerized"))
    assert addresses(facts, 4).sent == found


@pytest.mark.parametrize(
    ("nat", "status", "words"),
    [
        (f"-j SNAT --to-source {SECOND}", "pass", f"mail leaves with {SECOND}, and this machine's own"),
        ("-j MASQUERADE", "warn", f"but mail leaves with {OWN}"),
        ("-j SNAT --to-source 8.8.9.5", "warn", "but mail leaves with 8.8.9.5"),
    ],
)
def test_an_address_that_was_named_may_be_translated_to(nat: str, status: str, words: str) -> None:
    host = machine(OWN, SECOND, "8.8.9.5")
    host.own = OWN
    rule = f"-A POSTROUTING -s 172.22.1.0/24 {nat}"
    host.commands |= {
        "iptables --version": "iptables v1.8.11 (nf_tables)",
        "iptables-nft-save": f"*nat\n:POSTROUTING ACCEPT [0:0]\n{rule}\nCOMMIT\n",
        "ip6tables-nft-save": "",
        "nft -s -j list ruleset": '{"nftables": [{"table": {"family": "ip", "name": "nat"}}]}',
    }
    settings = Settings(directory="/opt/mailcow-dockerized", addresses=(SECOND,))
    judged = judge_addresses(egress(Facts(host, settings)))
    assert (judged.status, words in judged.summary) == (status, True), judged.summary


def test_no_source_is_asked_for_by_n() -> None:
    host = machine(OWN, **{_CONF: "MAILCOW_HOSTNAME=mail.example.org\nSNAT_TO_SOURCE=n\n"})
    host.own = OWN
    judged = judge_addresses(egress(Facts(host, Settings(directory="/opt/mailcow-dockerized"))))
    assert judged.status == "pass", judged.summary


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ROUTE, Default4("eth0", "8.8.4.1")),
        ("x\nppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n", Default4("ppp0", "")),
        ("x\nppp0\t00000000\tgarbage\t0001\t0\t0\t0\t00000000\t0\t0\t0\n", Default4("", "")),
        ("", Default4("", "")),
    ],
)
def test_the_default_route(text: str, found: Default4) -> None:
    assert default_v4(Facts(FakeHost({"/proc/net/route": text}), Settings())) == found


@pytest.mark.parametrize(
    ("text", "gateway", "found"),
    [
        (LISTED, "8.8.4.1", OWN),
        (LISTED, "8.8.9.1", "8.8.9.5"),
        (LISTED, "10.0.0.1", OWN),
        (LISTED, "", OWN),
        ("3: ppp0    inet 8.8.4.10 peer 8.8.7.1/32 scope global ppp0\n" + LISTED, "8.8.7.1", OWN),
        ("2: eth0    inet 999.8.4.10/24 scope global eth0\n", "8.8.4.1", ""),
        ("", "8.8.4.1", ""),
    ],
)
def test_which_address_of_an_interface(text: str, gateway: str, found: str) -> None:
    assert first_address(text, gateway) == found


@pytest.mark.parametrize(
    ("published", "right"),
    [
        ((OWN,), True),
        ((SECOND, OWN), True),
        # The name of the address that mail leaves with does not lead back to it.
        ((SECOND,), False),
        ((OWN, "8.8.9.9"), False),
    ],
)
def test_the_record_that_is_to_be_published(published: tuple[str, ...], right: bool) -> None:
    v4 = Addresses(4, (SECOND,), SECOND, "route", sent=OWN)
    server = MailServer("mail.example.org", ("example.org",), v4, Addresses(6, (), "", "none"), False, {})
    (row,) = expected.of_server(server)
    assert (row.type, row.value) == ("A", OWN)
    assert expected.right(server, row, Seen("mail.example.org", "A", Zone("", ())))(published) == right
    assert server.addresses == (OWN,)
    there = Answer("192.0.2.1", "NOERROR", records=tuple(Record(NAME, "A", 60, one) for one in published))
    seen = Seen(NAME, "A", Zone("example.org", ()), (there,))
    judged = judge_a(HostTried(HostRecords(server, seen, seen), AcmeSettings()))
    assert judged.status == ("pass" if right else "fail")
    assert (f"mail leaves with {OWN}, which is not among them" in judged.summary) is (published == (SECOND,))
    # Where ours is there, it is the other one that is told to go.
    told = f"Remove: {NAME}. A {published[-1]}" if OWN in published else f"Publish: {NAME}. A {OWN}"
    assert right or judged.remedies == (told,)


def test_what_masquerading_takes_past_the_route_counts_beside_it() -> None:
    """Nobody chose it: the route's source is what the server is known by, and both have to have a name."""
    v4 = Addresses(4, (SECOND,), SECOND, "route", sent=OWN, chosen=False)
    server = MailServer("mail.example.org", ("example.org",), v4, Addresses(6, (), "", "none"), False, {})
    (row,) = expected.of_server(server)
    assert (row.type, row.value) == ("A", SECOND)
    right = expected.right(server, row, Seen("mail.example.org", "A", Zone("", ())))
    assert [right(one) for one in ((SECOND,), (OWN,), (SECOND, OWN), ("8.8.9.9",))] == [
        True,
        True,
        True,
        False,
    ]
    assert server.addresses == (SECOND, OWN)
