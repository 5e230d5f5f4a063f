"""dns.mta-sts: what DNS announces, the policy behind it, and the server that both should name."""

import pytest
from dns_world import DOMAIN, OURS_V6, Rows, World, facts, world_of
from judged import look

from mailcow_wizard.checks.dns_mta_sts import CHECKS
from mailcow_wizard.engine import runner
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.model import Judgement

(MTA_STS,) = CHECKS
ANNOUNCED: Rows = {
    ("_mta-sts.example.org", "TXT"): "v=STSv1; id=1",
    ("mta-sts.example.org", "A"): "192.0.2.7",
}
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"
REPORTS = {("_smtp._tls.example.org", "TXT"): "v=TLSRPTv1; rua=mailto:postmaster@example.org"}


def judged(records: Rows, page: str | HttpReply | HostError = POLICY) -> Judgement:
    reply = HttpReply(200, page.encode()) if isinstance(page, str) else page
    return look(MTA_STS, facts(records, {"mta-sts.example.org": reply}))


@pytest.mark.parametrize(
    ("records", "page", "status", "words"),
    [
        ({}, "", "pass", "announces no MTA-STS policy, and need not"),
        ({**ANNOUNCED, **REPORTS}, POLICY, "pass", "(mode: enforce)"),
        (ANNOUNCED, POLICY, "pass", "reports about it go nowhere"),
        (ANNOUNCED, POLICY.replace("enforce", "testing"), "pass", "(mode: testing)"),
        (ANNOUNCED, POLICY.replace("enforce", "none"), "pass", "switched off"),
        (ANNOUNCED, POLICY.replace("enforce", "none").replace("mail.", "mx."), "pass", "switched off"),
        (ANNOUNCED, POLICY.replace("mail.example.org", "*.example.org"), "pass", "(mode: enforce)"),
        (
            ANNOUNCED,
            POLICY.replace("mail.", "mx."),
            "warn",
            "does not permit mail.example.org, only mx.example.org",
        ),
        ({**ANNOUNCED, ("example.org", "MX"): "0 ."}, POLICY, "pass", "(mode: enforce)"),
        (ANNOUNCED, "<html>", "warn", "is not valid: it does not say version: STSv1"),
        (ANNOUNCED, HttpReply(404, b""), "warn", "cannot be fetched: the web server answers 404"),
        (ANNOUNCED, HttpReply(301, b""), "warn", "the web server answers 301"),
        (ANNOUNCED, HttpReply(200, b"x" * 70000), "warn", "it is longer than 64 KiB"),
        (
            ANNOUNCED,
            HostError("mta-sts.example.org: refused"),
            "warn",
            "cannot be fetched: mta-sts.example.org: refused",
        ),
        (
            ANNOUNCED,
            NoAnswer("no answer within 5 s"),
            "unknown",
            "could not be fetched: no answer within 5 s",
        ),
        ({("_mta-sts.example.org", "TXT"): "silence"}, POLICY, "unknown", "could not be asked"),
        ({("_mta-sts.example.org", "TXT"): "v=spf1 -all"}, POLICY, "pass", "announces no MTA-STS policy"),
        ({("_mta-sts.example.org", "TXT"): "v = STSv1; id=1"}, POLICY, "warn", "is not one of MTA-STS"),
        ({("_mta-sts.example.org", "TXT"): "V=STSv1; id=1"}, POLICY, "warn", "is not one of MTA-STS"),
        (
            {("_mta-sts.example.org", "TXT"): ("v=STSv1; id=1", "v=STSv1; id=2")},
            POLICY,
            "warn",
            "has 2 records",
        ),
        ({("_mta-sts.example.org", "TXT"): "v=STSv1"}, POLICY, "warn", "id= is missing"),
        ({("_smtp._tls.example.org", "TXT"): "v=TLSRPTv1"}, "", "warn", "is not valid: rua= is missing"),
        (
            {place: (text, text.replace("postmaster", "x")) for place, text in REPORTS.items()},
            "",
            "warn",
            "is not valid: there are 2, and must be one",
        ),
        (
            {**ANNOUNCED, ("_smtp._tls.example.org", "TXT"): ("v=TLSRPTv1; rua=mailto:a@b.c",) * 1},
            POLICY,
            "pass",
            "",
        ),
    ],
)
def test_what_is_said(records: Rows, page: str | HttpReply | HostError, status: str, words: str) -> None:
    found = judged(records, page)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert found.subject == DOMAIN


def test_a_machine_without_ipv4_does_not_blame_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = HostError("network is unreachable")
    assert judged(ANNOUNCED, refused).status == "warn"

    def only_v6(self: World, destination: str) -> str:
        if ":" not in destination:
            raise HostError("network is unreachable")
        return OURS_V6

    monkeypatch.setattr(World, "source_address", only_v6)
    found = judged(ANNOUNCED, refused)
    assert (found.status, "could not be fetched" in found.summary) == ("unknown", True), found.summary


def test_another_exchanger_must_be_permitted_too() -> None:
    both = {("example.org", "MX"): ("10 mail.example.org.", "20 backup.example.net.")}
    found = judged({**ANNOUNCED, **both})
    assert "does not permit backup.example.net" in found.summary
    assert found.severity == "breaks"


def test_an_announcement_behind_an_alias_counts() -> None:
    alias = {
        ("_mta-sts.example.org", "CNAME"): "_mta-sts.example.net.",
        ("_mta-sts.example.net", "TXT"): "v=STSv1; id=1",
    }
    assert "(mode: enforce)" in judged(alias).summary


def test_nothing_is_fetched_that_is_not_announced() -> None:
    known = facts({("mta-sts.example.org", "A"): "192.0.2.7"})
    assert look(MTA_STS, known).status == "pass"
    assert not [one for one in world_of(known).asked if one.startswith("http")]


def test_domains_are_fetched_side_by_side_and_keep_their_own_policy() -> None:
    rows = {**ANNOUNCED, ("_mta-sts.example.com", "TXT"): "v=STSv1; id=1"}
    pages = {
        "mta-sts.example.org": HttpReply(200, POLICY.encode()),
        "mta-sts.example.com": HttpReply(500, b""),
    }
    found = runner.look(MTA_STS, facts(rows, pages, domains=(DOMAIN, "example.com")))
    assert [one.status for one in found] == ["pass", "warn"]


def test_a_hostile_page_is_shown_short_and_without_controls() -> None:
    found = runner.join(MTA_STS, judged(ANNOUNCED, "version: STSv1\nmode: \x1b[2Jx" + "y" * 5000))
    text = found.summary + found.found + "".join(one.value for one in found.evidence)
    assert "\x1b" not in text
    assert len(text) < 2000
