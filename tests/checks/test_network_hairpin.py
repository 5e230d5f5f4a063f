"""The way back to this machine itself: every verdict, from facts of a few lines."""

import pytest
from fake_host import FakeHost

from mailcow_wizard.checks.network_hairpin import CHECKS, judge_hairpin
from mailcow_wizard.engine.runner import look
from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.network.hairpin import Reflection, Turned
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Certificate, Hairpin, HttpReply, Listeners, Probe, Probed
from mailcow_wizard.model import Judgement, Settings

(CHECK,) = CHECKS
PUBLIC, OWN, SECOND = "192.88.99.10", "10.20.30.10", "192.88.99.11"
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
    ("served", turned("alike", "same", "same"), "pass", "(ports 80, 443 and 25)"),
    ("the web's port in doubt", turned("open", "same", "same"), "unknown", "port 80: somebody answers"),
    ("a page alone is no proof", turned("alike", "open", "open"), "unknown", "port 443: somebody answers"),
    ("mail's port alone", turned("failed", "open", "same"), "unknown", "port 80: it could not be tried"),
    (
        "mail's port is enough",
        turned("open", "open", "same", unchecked="SKIP_LETS_ENCRYPT"),
        "pass",
        "(port 25)",
    ),
    ("nothing", turned("silent", "silent", "silent"), "fail", "ports 80, 443 and 25: nothing comes back"),
    ("refused", turned("refused", "refused"), "fail", "ports 80 and 443: refused"),
    (
        "some",
        turned("arrived", "silent"),
        "fail",
        "port 80 comes back, port 443 not (nothing comes back)",
    ),
    (
        "all but mail's",
        turned("arrived", "arrived", "silent"),
        "warn",
        "ports 80 and 443 come back, port 25 not (nothing comes back)",
    ),
    (
        "all but mail's, which gets out",
        turned("arrived", "arrived", "silent")._replace(mail_leaves=True),
        "fail",
        "ports 80 and 443 come back, port 25 not (nothing comes back)",
    ),
    ("all but mail's, refused", turned("arrived", "arrived", "refused"), "fail", "port 25 not (refused)"),
    ("mail's and another", turned("arrived", "silent", "silent"), "fail", "ports 443 and 25 not"),
    ("the web's in doubt", turned("alike", "open", "silent"), "fail", "port 25 not (nothing comes back)"),
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


def test_each_family_is_judged_by_itself() -> None:
    own = Reflection(Addresses(6, ("2001:db8::10",), "2001:db8::10", "route"), "2001:db8::10", True)
    found = judge_hairpin((turned("arrived", "arrived", "arrived"), turned("silent"), own))
    assert [(one.subject, one.status) for one in found] == [("v4", "fail"), ("v6", "pass")]


class Behind(FakeHost):
    """Behind NAT, with mailcow running: what answers on each port, here and under the public address."""

    def __init__(self, page_there: bytes = b"nginx") -> None:
        super().__init__()
        self.fetched = 0
        self.pages = {OWN: b"nginx", PUBLIC: page_there}

    def source_address(self, destination: str) -> str:
        if ":" in destination:
            raise HostError("no route")
        return SECOND if destination == SECOND else OWN

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")

    def hairpin(
        self, address: str, own: str, ports: tuple[int, ...], timeout: float = 2.5
    ) -> tuple[Hairpin, ...]:
        return tuple(Hairpin(one, "in use", 0.0) for one in ports)

    def probe(self, probes: tuple[Probe, ...], wait: float) -> tuple[Probed, ...]:
        return tuple(Probed("open", 0.1, "220 mail.example.org ESMTP") for _one in probes)

    def certificate(
        self, address: str, port: int, name: str, starttls: bool = False, timeout: float = 8.0
    ) -> Certificate:
        return Certificate(b"ours", "")

    def fetch(self, name: str, path: str, *more: object, address: str = "", **_rest: object) -> HttpReply:
        self.fetched += 1  # no two answers come at the same time
        return HttpReply(
            404, self.pages[address], f"Sun, 29 Nov 2026 07:00:{self.fetched:02} GMT", self.fetched
        )


def of_v4(host: Behind, *public: str) -> Judgement:
    settings = Settings(hostname="mail.example.org", addresses=public)
    return next(one for one in look(CHECK, Facts(host, settings)) if one.subject == "v4")


def test_a_running_mailcow_is_known_by_its_certificate_its_greeting_and_its_page() -> None:
    one = of_v4(Behind(), PUBLIC)
    assert (one.status, one.certainty) == ("pass", "proved")
    assert "(ports 80, 443 and 25)" in one.summary
    one = of_v4(Behind(b"the router's"), PUBLIC)
    assert one.status == "unknown"
    assert "port 80: somebody answers, who could not be told" in one.summary


class Strange(Behind):
    """Under the public address it is a stranger to postfix."""

    greets: tuple[str, str] = ("", "")

    def probe(self, probes: tuple[Probe, ...], wait: float) -> tuple[Probed, ...]:
        return tuple(Probed("open", 0.1, self.greets[one.address == PUBLIC]) for one in probes)


@pytest.mark.parametrize(
    ("here", "there", "status"),
    [
        ("220 mail.example.org ESMTP Postcow", "220-mail.example.org ESMTP Postcow", "pass"),
        ("220-mail.example.org ESMTP", "220 mail.example.org ESMTP", "pass"),
        ("220 mail.example.org ESMTP", "220-mail-in.example.org ESMTP", "fail"),
        ("220 mail-in.example.org ESMTP", "220 mail.example.org ESMTP", "fail"),
    ],
)
def test_a_teaser_is_greeted_with_the_same_name(here: str, there: str, status: str) -> None:
    host = Strange()
    host.greets = here, there
    one = of_v4(host, PUBLIC)
    assert one.status == status, one.summary


def test_every_public_address_is_tried() -> None:
    one = of_v4(Behind(b"the router's"), SECOND, PUBLIC)
    assert one.status == "unknown"
    assert PUBLIC in one.summary
    assert of_v4(Behind(), SECOND, PUBLIC).status == "pass"
    assert "own address" in of_v4(Behind(), SECOND).summary
