"""This machine's own resolver has a zone of its own, as in many offices: the world's records are judged as
ever."""

import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, ZONE, Rows, World

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks import dns
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.dns.domain_records import nobody
from mailcow_wizard.facts.dns.reverse import reverse_name
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import DnsQuestion, DnsReply
from mailcow_wizard.model import Judgement, Settings
from tests.checks.test_dns_verdicts import SHORT

CHECKS = {one.id: one for one in dns.CHECKS}
INSIDE = "10.0.0.53"


class Split(World):
    """`inside` is what this machine's resolver has in place of the world's records."""

    def __init__(self, records: Rows, inside: Rows) -> None:
        super().__init__(records)
        self._inside = World({**records, **inside})
        self.files["/etc/resolv.conf"] = f"nameserver {INSIDE}\n"

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        return self._inside._reply(asked) if INSIDE in asked.servers else super()._reply(asked)


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


def test_what_the_world_does_not_get_is_not_there() -> None:
    """Its own servers have it, its signatures are broken, and this machine's resolver has another."""
    for inside in ({}, {MX: "10 exchange.office."}):
        one = found("dns.mx", {}, inside, refused=True)
        assert (one.status, "resolvers do not tell it (SERVFAIL)" in one.summary) == ("fail", True), (
            one.summary
        )
