"""The picture of what gets out: rows by group, and lines that end where packets do."""

import pytest

from mailcow_wizard.checks.network import CHECKS
from mailcow_wizard.engine.runner import join
from mailcow_wizard.model import Judgement
from mailcow_wizard.tui import network_words as words
from mailcow_wizard.tui.board import Row

BY_ID = {one.id: one for one in CHECKS}
MARKS = ("o", ">", "x")


def row(name: str, status: str, subject: "str | None" = None, **more: object) -> Row:
    """A finding of one check."""
    check = BY_ID[f"network.{name}"]
    judged = Judgement(status, f"{name} {status}", subject=subject)  # type: ignore[arg-type]
    return Row(check.listed, join(check, judged._replace(**more)))


ROWS = [
    row("addresses", "pass"),
    row("outbound-25", "fail", "v4", stops="way", remedies=("Ask the provider.", "Or send by others.")),
    row("outbound-25", "skipped", "v6"),
    row("outbound-hosts", "pass", "github.com:443/tcp"),
    row("outbound-hosts", "pass", "ghcr.io:443/tcp"),
    row("outbound-hosts", "pass", "pool.ntp.org:123/udp"),
    row("outbound-hosts", "unknown", "fuzzy1.rspamd.com:11335/udp"),
    row("outbound-hosts", "warn", "rsync.sanesecurity.net:873/tcp", stops="there"),
    row("recursion", "pass", "v4"),
    Row(BY_ID["network.icmp"].listed, None),
]


def test_the_groups_hold_what_is_not_well_first_and_count_what_is() -> None:
    said = {name: [(one.name, one.status) for one in ways] for name, ways in words.groups(ROWS)}
    assert said == {
        words.MAIL: [("port 25, IPv4", "fail"), ("port 25, IPv6", "skipped")],
        words.NAMES: [("name servers, port 53, IPv4", "pass"), ("ping", "running")],
        words.HOSTS: [
            ("rsync.sanesecurity.net 873/tcp", "warn"),
            ("fuzzy1.rspamd.com 11335/udp", "unknown"),
            ("pool.ntp.org 123/udp", "pass"),
            ("2 hosts 443/tcp", "pass"),
        ],
        words.HERE: [("Addresses", "pass")],
    }


def test_what_mends_it_is_told_where_it_is_not_well() -> None:
    mail = dict(words.groups(ROWS))[words.MAIL]
    assert [one.remedy for one in mail] == ["Ask the provider.", ""]


@pytest.mark.parametrize(
    ("status", "stops", "line"),
    [
        ("pass", "", "o----------->"),
        ("fail", "here", "o-x"),
        ("fail", "way", "o-----x"),
        ("warn", "there", "o-----------x"),
        ("fail", "names", ""),
        ("unknown", "", ""),
        ("skipped", "", ""),
    ],
)
def test_the_line_ends_where_packets_do(status: str, stops: str, line: str) -> None:
    one = words.Way("x", status, stops)  # type: ignore[arg-type]
    assert words.drawn(one, 13, "-", MARKS) == line
    assert words.drawn(one._replace(no_way=True), 13, "-", MARKS) == ""


def test_the_title_counts_ways_that_end_too_early() -> None:
    found = [one.finding for one in ROWS if one.finding]
    assert words.counted(found) == "2 of 7 ways end too early, 1 cannot be told"
    assert words.counted([]) == "nothing was tried"
    assert words.counted([one for one in found if one.status == "pass"]) == "no way ends too early"
