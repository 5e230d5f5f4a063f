"""Policies of MTA-STS as they are read (RFC 8461), and records for reports (RFC 8460)."""

import pytest

from mailcow_wizard.facts.dns.mta_sts import bad_announcement, bad_report_record, permits, sts_policy

GOOD = "version: STSv1\nmode: enforce\nmx: mail.example.org\nmax_age: 604800\n"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(": ", ":   "),
        GOOD + "\n\nstrange: x\nnoise\nmode: none\n",
    ],
)
def test_valid_policies(text: str) -> None:
    assert sts_policy(text) == ("enforce", ("mail.example.org",), ())


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "it does not say version: STSv1"),
        ("<html>404</html>", "it does not say version: STSv1"),
        (GOOD.replace("STSv1", "STSv2"), "it does not say version: STSv1"),
        (GOOD.replace("enforce", "enforced"), "its mode is 'enforced', none of enforce, testing, none"),
        (GOOD.replace("mode: enforce\n", ""), "mode is missing"),
        (GOOD.replace("604800", "31557601"), "max_age is '31557601'"),
        (GOOD.replace("604800", "-1"), "max_age is '-1'"),
        (GOOD.replace("604800", "9" * 10000), f"max_age is '{'9' * 40}'"),
        (GOOD.replace("max_age: 604800\n", ""), "max_age is missing"),
        (GOOD.replace("mx: mail.example.org\n", ""), "it names no exchanger (mx)"),
    ],
)
def test_mistakes(text: str, mistake: str) -> None:
    assert mistake in sts_policy(text).mistakes


def test_a_policy_that_is_switched_off_needs_no_names() -> None:
    assert not sts_policy("version: STSv1\nmode: none\nmax_age: 0").mistakes


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("mail.example.org", "mail.example.org", True),
        ("*.example.org", "mail.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "a.mail.example.org", False),
        ("*.org", "mail.example.org", False),
        ("*", "mail.example.org", False),
        ("mx.example.org", "mail.example.org", False),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    assert permits((pattern,), name) is fits


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("v=STSv1; id=20260801T000000", ""),
        ("v=STSv1;id=1;", ""),
        ("v=STSv1 ; id=1 ; strange=x", ""),
        ("v=STSv1", "id= is missing"),
        ("v=STSv1; ID=1", "id= is missing"),
        ("v=STSv1; id=2026-08-01", "id=2026-08-01 must be letters and digits, at most 32"),
        ("v=STSv1; id=" + "1" * 33, f"id={'1' * 33} must be letters and digits, at most 32"),
    ],
)
def test_announcements(text: str, bad: str) -> None:
    assert bad_announcement(text) == bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("v=TLSRPTv1; rua=mailto:postmaster@example.org", ""),
        ("v=TLSRPTv1;rua=https://example.org/x,mailto:a@example.org", ""),
        ("v=TLSRPTv1", "rua= is missing"),
        ("v=TLSRPTv1; RUA=mailto:a@example.org", "rua= is missing"),
        ("v=TLSRPTv1; rua=postmaster@example.org", "rua=postmaster@example.org lacks mailto: or https:"),
    ],
)
def test_report_records(text: str, bad: str) -> None:
    assert bad_report_record(text) == bad
