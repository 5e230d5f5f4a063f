"""One who is asked says otherwise than all others: this machine's own resolver, which has its own zone, as in
many offices (the world's records are judged as ever), or one of the zone's servers, which lags behind."""

import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, RESOLVER, SERVER, ZONE, Rows, World

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks import dns
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.dns.domain_records import nobody
from mailcow_wizard.facts.dns.mail_server import mail_server
from mailcow_wizard.facts.dns.push import check_of
from mailcow_wizard.facts.dns.reverse import reverse_name
from mailcow_wizard.facts.dns.table import table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Judgement, Settings
from tests.checks.test_dns_verdicts import SHORT

CHECKS = {one.id: one for one in dns.CHECKS}
INSIDE = "10.0.0.53"


class Split(World):
    """`inside` is what this machine's resolver (or another server, `apart`) has in place of these records."""

    def __init__(self, records: Rows, inside: Rows, apart: str = INSIDE) -> None:
        super().__init__(records)
        self._inside, self._apart = World({**records, **inside}), apart
        self.files["/etc/resolv.conf"] = f"nameserver {apart if apart == INSIDE else RESOLVER}\n"

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        return self._inside._reply(asked) if self._apart in asked.servers else super()._reply(asked)


def found(id: str, records: Rows, inside: Rows, refused: bool = False) -> Judgement:
    """What a check says first; `refused`: no public resolver tells anything."""
    world = Split({**ZONE, **records}, inside)
    world.servers = dict.fromkeys(need.PUBLIC_RESOLVERS, "SERVFAIL") if refused else {}
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6))
    return runner.look(CHECKS[id], Facts(world, settings))[0]


MX, KEY, POLICY = (DOMAIN, "MX"), (f"dkim._domainkey.{DOMAIN}", "TXT"), (f"_dmarc.{DOMAIN}", "TXT")
CLIENT, PTR = (f"autodiscover.{DOMAIN}", "CNAME"), (reverse_name(OURS), "PTR")
REVERSE: Rows = {(reverse_name(OURS), "NS"): "ns.example.net.", PTR: f"{NAME}."}
SPF = (DOMAIN, "TXT")


@pytest.mark.parametrize(
    ("id", "records", "inside", "status", "words"),
    [
        ("dns.mx", {}, {MX: ()}, "pass", f"goes to {NAME}; this machine's own resolver says otherwise"),
        ("dns.ptr", REVERSE, {PTR: "pc5.office."}, "pass", "own resolver says otherwise"),
        (
            "dns.ptr",
            {**REVERSE, (NAME, "A"): "198.51.100.99"},
            {PTR: "pc5.office."},
            "fail",
            "does not lead back to it",
        ),
        ("dns.dkim", {KEY: f"v=DKIM1; k=rsa; p={SHORT}"}, {KEY: ()}, "warn", "1024 bits; 2048 are advised"),
        ("dns.spf", {SPF: "v=spf1 mx -all"}, {SPF: ()}, "pass", "own resolver says otherwise"),
        ("dns.spf", {SPF: "v=spf1 mx ?all"}, {SPF: ()}, "warn", "says nothing about other senders"),
        (
            "dns.dmarc",
            {POLICY: "v=DMARC1; p=reject; rua=mailto:a@reports.example"},
            {POLICY: ()},
            "warn",
            "which has not agreed to receive them",
        ),
        (
            "dns.autodiscover",
            {CLIENT: f"{NAME}.", (f"{nobody(DOMAIN)}.{DOMAIN}", "CNAME"): f"{NAME}."},
            {CLIENT: ()},
            "warn",
            "but only by a wildcard",
        ),
    ],
)
def test_what_the_world_gets_is_judged(id: str, records: Rows, inside: Rows, status: str, words: str) -> None:
    one = found(id, records, inside)
    assert (one.status, words in one.summary) == (status, True), one.summary


@pytest.mark.parametrize(
    ("id", "records", "inside", "status"),
    [
        ("dns.mx", {}, {}, "fail"),
        ("dns.mx", {}, {MX: "10 exchange.office."}, "fail"),
        ("dns.dkim", {KEY: f"v=DKIM1; k=rsa; p={SHORT}"}, {KEY: ()}, "warn"),
        ("dns.spf", {SPF: "v=spf1 mx ?all"}, {SPF: ()}, "warn"),
        ("dns.dmarc", {POLICY: "v=DMARC1; p=reject; rua=mailto:a@reports.example"}, {}, "warn"),
        (
            "dns.autodiscover",
            {CLIENT: f"{NAME}.", (f"{nobody(DOMAIN)}.{DOMAIN}", "CNAME"): f"{NAME}."},
            {CLIENT: ()},
            "warn",
        ),
    ],
)
def test_what_the_world_does_not_get_is_not_there(id: str, records: Rows, inside: Rows, status: str) -> None:
    """Its own servers have it, and its signatures are broken: that comes before what else could be better."""
    one = found(id, records, inside, refused=True)
    assert (one.status, "resolvers do not tell it (SERVFAIL)" in one.summary) == (status, True), one.summary
    assert one.severity != "advice"


def test_services_that_the_world_does_not_get() -> None:
    here: Rows = {(f"_imaps._tcp.{DOMAIN}", "SRV"): f"0 1 993 {NAME}."}
    one = found("dns.srv", here, {}, refused=True)
    assert (one.status, "resolvers do not tell it (SERVFAIL)" in one.summary) == ("warn", True), one.summary
    assert "dns.dnssec" in one.remedies[0]
    assert {found("dns.srv", {}, {}, refused=True).status, found("dns.srv", here, {}).status} == {"pass"}


@pytest.mark.parametrize(
    ("id", "place", "now", "before"),
    [
        ("dns.spf", SPF, "v=spf1 mx -all", "v=spf1 -all"),
        ("dns.dkim", KEY, f"v=DKIM1; p={SHORT}", "v=DKIM1; p="),
        ("dns.mx", MX, f"10 {NAME}.", "10 old.example."),
    ],
)
def test_a_server_that_lags_behind_is_waited_for(
    id: str, place: tuple[str, str], now: str, before: str
) -> None:
    second = "192.0.2.55"
    zone = {(DOMAIN, "NS"): ("ns.example.net.", "ns2.example.net."), ("ns2.example.net", "A"): second}
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6))
    for late in (SERVER, second):
        world = Split({**ZONE, **zone, place: now}, {place: before}, late)
        (one,) = runner.look(CHECKS[id], Facts(world, settings))
        assert (one.status, "is right, but not everywhere yet" in one.summary) == ("warn", True), one.summary
        assert one.remedies[0] == "Wait, then run this check again."
        rows = table(Facts(world, settings))
        (row,) = (each for each in rows if check_of(each, mail_server(Facts(world, settings)))[0] == id)
        assert (row.state.kind, row.state.where) == ("not everywhere yet", (late,))
