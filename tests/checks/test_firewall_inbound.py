"""What the proof from outside says of each port, by what was kept of it."""

import pytest

from mailcow_wizard.checks.firewall_inbound import DAYS_VALID, judge_inbound
from mailcow_wizard.facts.reached import (
    FILE,
    PublicPort,
    Reached,
    Seen,
    State,
    joined,
    reached,
    seen_in,
    to_keep,
)
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Judgement, Settings
from tests.fake_host import FakeHost

NOW = 1_790_000_000.0
DAY = 86_400
ROW = (
    '{"rows": [{"port": 25, "family": 4, "state": "arrived", "peer": "", "how": "token", '
    '"at": 1789999999, "address": ""}]}'
)
V4, V6 = "192.88.99.10", "2d00:113::10"


def seen(
    state: State, family: int = 4, how: str = "token", days: float = 1.0, peer: str = "198.51.100.7"
) -> Seen:
    address = V4 if family == 4 else V6
    return Seen(
        family, state, peer if state in ("arrived", "closed here") else "", how, NOW - days * DAY, address
    )


def judged(*rows: Seen, families: tuple[int, ...] = (4,), now: str = V4) -> Judgement:
    addresses = {4: (now,) if now else (), 6: (V6,)}
    known = {(25, one.family): one for one in rows}
    return judge_inbound(Reached((PublicPort(25, "Postfix SMTP"),), families, known, NOW, addresses))[0]


CASES: dict[str, tuple[tuple[Seen, ...], str, str, str]] = {
    "nothing": ((), "unknown", "untested", "nobody has asked from outside yet"),
    "arrived": ((seen("arrived"),), "pass", "proved", "was reached from 198.51.100.7 1 day ago (IPv4)"),
    "arrived just now": ((seen("arrived", days=0),), "pass", "proved", "just now"),
    "arrived, by its packet": ((seen("arrived", how="packet"),), "pass", "proved", "was reached"),
    "arrived, by hearsay": ((seen("arrived", how="told", peer=""),), "pass", "inferred", "was reached 1 day"),
    "stale": ((seen("arrived", days=DAYS_VALID + 1),), "unknown", "untested", "8 days old"),
    "from the future": ((seen("arrived", days=-3),), "unknown", "untested", "from the future"),
    "never": (
        (seen("never arrived", how="packet"),),
        "fail",
        "inferred",
        "a firewall before this machine stops",
    ),
    "never, not seen": ((seen("never arrived", how="told"),), "fail", "inferred", "this machine, or its own"),
    "refused": ((seen("refused on the way", how="packet"),), "fail", "inferred", "before it came to this"),
    "closed": ((seen("closed here", how="packet"),), "fail", "proved", "which does not take them"),
    "in between": ((seen("answered by something else"),), "unknown", "untested", "something else answered"),
    "the line": (
        (seen("not asked: that line lets no port 25 out"),),
        "unknown",
        "untested",
        "no port 25 out",
    ),
    "inside": ((seen("asked from this network only"),), "unknown", "untested", "proves nothing"),
    "no state": ((seen("nonsense"),), "unknown", "untested", "nonsense"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(
    ("how", "certainty", "before"),
    [("token", "inferred", True), ("packet", "proved", False), ("greeting", "proved", False)],
)
def test_what_was_proved_before_mailcow_had_the_port(how: str, certainty: str, before: bool) -> None:
    """Docker hands connections on, past the rules for what this machine itself serves and by other ones."""
    known = {(25, 4): seen("arrived", how=how)}
    facts = Reached((PublicPort(25, "Postfix SMTP"),), (4,), known, NOW, {4: (V4,)}, served=True)
    (one,) = judge_inbound(facts)
    assert (one.status, one.certainty, "mailcow did not have it then" in one.summary) == (
        "pass",
        certainty,
        before,
    )
    assert bool(one.remedies) == before


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name: str) -> None:
    rows, status, certainty, words = CASES[name]
    one = judged(*rows)
    assert (one.status, one.certainty) == (status, certainty)
    assert words in one.summary
    assert one.subject == "25"
    assert len(one.summary) <= 200
    assert one.status == "pass" or one.remedies


class Server(FakeHost):
    """It has one address."""

    def source_address(self, destination: str) -> str:
        return V4


def found_with(kept: str) -> tuple[Judgement, ...]:
    """What is said where this was kept."""
    host = Server({f"/kept/{FILE}.json": kept, "/opt/mailcow-dockerized/": ""})
    return judge_inbound(reached(Facts(host, Settings(addresses=(V4,)))))


def test_no_remedy_is_needed_where_nothing_is_wrong() -> None:
    assert judged(seen("arrived")).remedies == ()


def test_each_family_counts() -> None:
    both = (4, 6)
    assert judged(seen("arrived"), seen("arrived", 6), families=both).status == "pass"
    half = judged(seen("arrived"), families=both)
    assert half.status == "unknown"
    assert "over IPv6: unverified" in half.summary
    assert judged(seen("arrived"), seen("never arrived", 6), families=both).status == "fail"
    neither = judged(seen("never arrived"), seen("never arrived", 6, days=2), families=both)
    assert "(IPv4 and IPv6, 2 days ago)" in neither.summary
    each = judged(seen("never arrived"), seen("closed here", 6), families=both)
    assert "(IPv4, 1 day ago)" in each.summary
    without = judged(seen("arrived"), seen("not asked: no way from there", 6), families=both)
    assert without.status == "unknown"
    assert "hotspot" in without.remedies[0]
    # What was seen of a family that mailcow does not use says nothing.
    assert judged(seen("arrived"), seen("never arrived", 6)).status == "pass"


def test_another_address_is_another_server() -> None:
    other = judged(seen("arrived"), now="192.88.99.77")
    assert other.status == "unknown"
    assert "no longer this server's address" in other.summary
    # Where the address of now is not known nothing speaks against the proof.
    assert judged(seen("arrived"), now="").status == "pass"


def test_what_is_known_already_is_not_forgotten() -> None:
    before = {(25, 4): seen("arrived"), (25, 6): seen("waiting", 6)}
    later = {(25, 4): seen("not asked: that line lets no port 25 out"), (25, 6): seen("never arrived", 6)}
    assert joined(before, later) == {(25, 4): before[25, 4], (25, 6): later[25, 6]}
    assert joined(before, {(25, 4): seen("never arrived")})[25, 4].state == "never arrived"


def test_what_is_kept_is_read_again() -> None:
    known = {(25, 4): seen("arrived"), (465, 6): seen("never arrived", 6)}
    assert seen_in(to_keep(known)) == known


def test_a_file_of_ours_is_read() -> None:
    assert {one.status for one in found_with(ROW)} == {"pass", "unknown"}


@pytest.mark.parametrize(
    "kept",
    [
        *("", "nonsense", "[]", "{}", '{"rows": 1}', '{"rows": [1]}', '{"rows": [{"port": 25}]}'),
        *(ROW.replace('"port": 25', '"port": "25"'), ROW.replace('"family": 4', '"family": 5')),
        *(ROW.replace('"arrived"', "[]"), ROW.replace("1789999999", '"now"'), "[" * 100_000),
    ],
)
def test_a_file_that_is_not_ours_proves_nothing(kept: str) -> None:
    found = found_with(kept)
    assert len(found) == 10
    assert {one.status for one in found} == {"unknown"}
