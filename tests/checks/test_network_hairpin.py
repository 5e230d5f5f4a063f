"""The way back to this machine itself: every verdict, from facts of a few lines."""

import pytest

from mailcow_wizard.checks.network_hairpin import judge_hairpin
from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.network.hairpin import Reflection, Turned
from mailcow_wizard.model import Judgement

PUBLIC, OWN = "192.88.99.10", "10.20.30.10"
BEHIND = Addresses(4, (PUBLIC,), OWN, "outside")


def judged(found: Reflection) -> Judgement:
    """The only judgement, of IPv4."""
    (one,) = judge_hairpin((found,))
    assert one.subject == "v4"
    assert len(one.summary) <= 200
    return one


def turned(*outcomes: str, unchecked: str = "") -> Reflection:
    """Behind NAT: what became of ports 80, 443 and 25."""
    some = tuple(Turned(port, one) for port, one in zip((80, 443, 25), outcomes, strict=False))
    return Reflection(BEHIND, PUBLIC, turned=some, unchecked=unchecked)


CASES = [
    ("no IPv4", Reflection(Addresses(4, (), "", "none")), "skipped", "no IPv4"),
    ("not known", Reflection(Addresses(4, (), OWN, "none", "silent")), "unknown", "is not known: silent"),
    ("own", Reflection(Addresses(4, (PUBLIC,), PUBLIC, "route"), PUBLIC, True), "pass", "stays here"),
    (
        "all arrive",
        turned("arrived", "arrived", "arrived"),
        "pass",
        "comes back to it (ports 80, 443 and 25)",
    ),
    ("served", turned("open", "same", "same"), "pass", "(ports 443 and 25)"),
    ("nothing", turned("silent", "silent", "silent"), "fail", "ports 80, 443 and 25: nothing comes back"),
    ("refused", turned("refused", "refused"), "fail", "ports 80 and 443: refused"),
    (
        "some",
        turned("arrived", "silent"),
        "fail",
        "port 80 comes back, port 443 does not (nothing comes back)",
    ),
    ("the router", turned("foreign", "silent"), "fail", "something else answers there on port 80"),
    ("another", turned("other"), "fail", "most likely the router itself"),
    ("who answers is not told", turned("open", "open"), "unknown", "could not be proved"),
    ("not root", turned("not allowed", "not allowed"), "unknown", "only root may try it"),
    ("not needed", turned("silent", unchecked="SKIP_HTTP_VERIFICATION"), "warn", "do not need it"),
]


@pytest.mark.parametrize(
    ("found", "status", "words"), [one[1:] for one in CASES], ids=[one[0] for one in CASES]
)
def test_the_way_back(found: Reflection, status: str, words: str) -> None:
    one = judged(found)
    assert one.status == status
    assert words in one.summary
    assert one.remedies or status in ("pass", "skipped")
    # Without proof it is never green.
    assert (one.status, one.certainty) != ("pass", "untested")
