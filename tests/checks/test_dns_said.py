"""What is said of records that are valid, and do less than they seem to."""

import pytest
from dns_world import DOMAIN, ZONE, Rows, facts
from judged import look

from mailcow_wizard.checks import dns_dkim, dns_dmarc, dns_domains
from mailcow_wizard.facts.dns.domain_records import nobody
from mailcow_wizard.facts.dns.mta_sts import sts_policy

DKIM, DMARC = dns_dkim.CHECKS[0], dns_dmarc.CHECKS[0]
WILDCARD = next(one for one in dns_domains.CHECKS if one.id == "dns.wildcard")
ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ("p=reject", "refuse forged mail (p=reject)"),
        ("p=reject; pct=100", "refuse forged mail (p=reject)"),
        ("p=reject; t=n", "refuse forged mail (p=reject)"),
        ("p=reject; pct=50", "refuse 50 % of forged mail (p=reject; pct=50)"),
        ("p=reject; pct=0", "as spam, and not to refuse it yet (p=reject; pct=0)"),
        ("p=reject; t=y", "as spam, and not to refuse it yet (p=reject; t=y)"),
        ("p=quarantine; pct=20", "treat 20 % of forged mail as spam (p=quarantine; pct=20)"),
        ("p=quarantine; pct=0", "let forged mail pass, and only report it (p=quarantine; pct=0)"),
        ("p=quarantine; T=Y", "let forged mail pass, and only report it (p=quarantine; t=y)"),
        ("p=none; pct=0; sp=reject", "let forged mail pass, and only report it (p=none)"),
    ],
)
def test_a_policy_that_holds_for_some_or_none_is_not_said_to_hold(tags: str, words: str) -> None:
    """RFC 7489, 6.3, pct; RFC 9989, t."""
    found = look(DMARC, facts({(f"_dmarc.{DOMAIN}", "TXT"): f"v=DMARC1; {tags}"}))
    assert (found.status, words in found.summary) == ("pass", True), found.summary


def test_a_key_of_a_kind_that_mailcow_does_not_make_is_not_the_one_it_will_sign_with() -> None:
    found = look(DKIM, facts({(f"dkim._domainkey.{DOMAIN}", "TXT"): f"v=DKIM1; k=ed25519; p={ED25519}"}))
    assert (found.status, "does not make (ed25519)" in found.summary) == ("warn", True), found.summary


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        ({}, "pass", "has no wildcard"),
        ({"TXT": "v=spf1 -all"}, "pass", "*.example.org has nothing but texts"),
        ({"TXT": "hello"}, "pass", "*.example.org has nothing but texts"),
        ({"TXT": ("hello", "v=DMARC1; p=none")}, "warn", "v=DMARC1; p=none"),
        ({"TXT": "v=DKIM1; p="}, "warn", "answers for every name: v=DKIM1"),
        ({"TXT": "v=spf1 -all", "MX": "0 ."}, "warn", "answers for every name: MX 0 ."),
        ({"TXT": "silence"}, "unknown", "could not be asked"),
    ],
)
def test_a_wildcard_of_texts_is_one(rows: dict[str, str], status: str, words: str) -> None:
    wild: Rows = {(f"{nobody(DOMAIN)}.{DOMAIN}", type): value for type, value in rows.items()}
    found = look(WILDCARD, facts({**ZONE, **wild}))
    assert (found.status, words in found.summary) == (status, True), found.summary


@pytest.mark.parametrize(("end", "valid"), [("\n", True), ("\r\n", True), ("\r", False), ("\u2028", False)])
def test_lines_of_a_policy_end_as_senders_read_them(end: str, valid: bool) -> None:
    """RFC 8461, 3.2."""
    lines = ("version: STSv1", "mode: enforce", "mx: mail.example.org", "max_age: 604800", "")
    assert (sts_policy(end.join(lines)).mistakes == ()) is valid
