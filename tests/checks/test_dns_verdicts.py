"""Verdicts on records that are neither missing nor simply right, with the words that they are told in."""

import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, Rows, facts, world_of

from mailcow_wizard.checks import dns
from mailcow_wizard.checks.dns_signatures import judge_dnssec
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.dns.message import NOERROR, SERVFAIL, Answer
from mailcow_wizard.facts.dns.signatures import Opinion, Signed
from mailcow_wizard.model import Judgement

CHECKS = {one.id: one for one in dns.CHECKS}
KEY = (f"dkim._domainkey.{DOMAIN}", "TXT")
PTR = "25.100.51.198.in-addr.arpa"
SHORT = (  # RSA of 1024 bits, made for this test
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDSfwnRyoOSI9lIKl+NTHB6z/vsz69vvI3hzqdn8ACFrNjrLjZ4VgnpJ9yBTZbIKaUYU1+Y"
    "gL/HJRguZGgKYoNzEkADmkEiusjLy+5GDYobPuZy8Rza5/1uoA915M3f9tS4ENSvuOwAi/UTBC59nsL/CyC/LvEDR5oshSFDVh+eFQIDAQAB"
)
ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""RFC 8463, appendix A."""


def judged(id: str, records: Rows, **settings: tuple[str, ...]) -> dict[str | None, Judgement]:
    return {one.subject: one for one in runner.look(CHECKS[id], facts(records, **settings))}


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (f"v=DKIM1; k=ed25519; p={ED25519}", "warn", "of a kind that mailcow does not make (ed25519)"),
        (f"v=DKIM1; k=rsa; p={SHORT}", "warn", "has 1024 bits; 2048 are advised"),
        ((f"v=DKIM1; p={SHORT}", "v=DKIM1; p="), "warn", "has 2 records, and must have one"),
        ("silence", "unknown", f"the DKIM key of {DOMAIN} could not be asked"),
    ],
)
def test_a_key_before_the_install(text: str | tuple[str, ...], status: str, words: str) -> None:
    found = judged("dns.dkim", {KEY: text})[DOMAIN]
    assert (found.status, words in found.summary) == (status, True), found.summary


def test_a_server_that_is_its_own_mail_domain_needs_no_exchanger() -> None:
    found = judged("dns.mx", {}, domains=(NAME,))[NAME]
    assert (found.status, found.severity) == ("warn", "degrades")
    assert "other servers then deliver to its address" in found.summary


def test_another_domain_needs_one() -> None:
    found = judged("dns.mx", {(DOMAIN, "MX"): ()})[DOMAIN]
    assert (found.status, "is not published" in found.summary) == ("fail", True), found.summary


def test_a_name_that_does_not_lead_back() -> None:
    """The name of an address has to have that address (FCrDNS)."""
    records: Rows = {(PTR, "NS"): "ns.example.net.", (PTR, "PTR"): f"{NAME}."}
    assert judged("dns.ptr", records, addresses=(OURS,))[OURS].status == "pass"
    for forward, status, words in (
        ("198.51.100.99", "fail", "does not lead back"),
        ((), "fail", "does not lead back"),
        ("silence", "unknown", "whether that name leads back could not be asked"),
    ):
        found = judged("dns.ptr", {**records, (NAME, "A"): forward}, addresses=(OURS,))[OURS]
        assert (found.status, words in found.summary) == (status, True), found.summary
        assert found.remedies


def test_no_address_no_name() -> None:
    found = judged("dns.ptr", {(NAME, "A"): "silence", (NAME, "AAAA"): "silence"}, addresses=())[None]
    assert (found.status, found.certainty) == ("unknown", "untested")


@pytest.mark.parametrize(
    ("address", "status"),
    [("203.0.113.9", "warn"), ("127.0.1.1", "pass"), ("::1", "pass"), (OURS, "pass"), ("fe80::x", "warn")],
)
def test_addresses_of_the_name_in_etc_hosts(address: str, status: str) -> None:
    known = facts({})
    world_of(known).files["/etc/hosts"] = f"{address} {NAME}\n".encode()
    (found,) = runner.look(CHECKS["dns.local-view"], known)
    assert (found.status, address in found.summary) == (status, status == "warn"), found.summary


def test_a_name_that_nobody_tells_is_not_one_that_is_not_published() -> None:
    for v4, v6, status in (
        ("silence", "silence", "unknown"),
        ((), (), "skipped"),
        (OURS, (), "pass"),
        ((), OURS_V6, "pass"),
    ):
        found = judged("dns.local-view", {(NAME, "A"): v4, (NAME, "AAAA"): v6})[None]
        assert found.status == status, found.summary


def test_a_policy_of_a_server_whose_address_is_not_known() -> None:
    records: Rows = {(DOMAIN, "TXT"): "v=spf1 ip4:203.0.113.9 -all", (NAME, "A"): (), (NAME, "AAAA"): ()}
    found = judged("dns.spf", records, addresses=())[DOMAIN]
    assert (found.status, found.certainty) == ("unknown", "untested"), found.summary


FINE = Answer("192.0.2.1", NOERROR)
CHECKED = Answer("192.0.2.1", NOERROR, authenticated=True)
REFUSED = Answer("192.0.2.2", SERVFAIL)
SILENT = Answer("192.0.2.3", "", error="no answer")
RSA = "1 8 2 AA"
STRANGE = "1 200 2 AA"
VALID, BROKEN = Opinion(CHECKED, FINE, True), Opinion(REFUSED, FINE, True)
UNSIGNED, BLIND = Opinion(FINE, FINE, True), Opinion(FINE, FINE, False)


@pytest.mark.parametrize(
    ("delegated", "opinions", "signer", "status", "words"),
    [
        (True, (VALID, VALID), RSA, "pass", "is signed, and the signatures are valid"),
        (True, (VALID, BROKEN), RSA, "warn", "valid for some resolvers and broken for others"),
        (True, (BROKEN, BROKEN), RSA, "fail", "are broken"),
        (True, (UNSIGNED, UNSIGNED), RSA, "unknown", "as when the DS record is new"),
        (True, (BLIND, BLIND), RSA, "unknown", "no resolver that could be asked checks signatures"),
        (True, (UNSIGNED, UNSIGNED), STRANGE, "warn", ""),
        (True, (Opinion(SILENT, SILENT),), RSA, "unknown", "could not be asked"),
        (None, (), RSA, "unknown", "could not be asked"),
        (False, (UNSIGNED,), RSA, "pass", "is not signed, which is allowed"),
    ],
)
def test_signatures(
    delegated: bool | None, opinions: tuple[Opinion, ...], signer: str, status: str, words: str
) -> None:
    (found,) = judge_dnssec((Signed(DOMAIN, DOMAIN, delegated, opinions, (signer,)),))
    assert (found.status, words in found.summary) == (status, True), found.summary
