"""Who answers in place of the hosts that mailcow talks to: every verdict, from attempts of a few words."""

import pytest

from mailcow_wizard.checks import network_untrusted
from mailcow_wizard.checks.network_hosts import judge_hosts
from mailcow_wizard.facts.mail.certificates import Shown
from mailcow_wizard.facts.network.interception import DATES, SAY_NOTHING, hello
from mailcow_wizard.facts.network.outward import Outward, Reached
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.network.conversation import NO_AUTHORITIES, UNKNOWN_CHAIN, Dialogue, Spoken
from mailcow_wizard.model import Settings
from tests.checks.test_network_out import GITHUB, HUB, OPEN, RSYNC, reached
from tests.fake_host import FakeHost


def taken(subject: str, said: "Spoken | None" = None) -> Reached:
    """A host of which somebody in between takes the connections; what is said over TLS."""
    one = reached(subject, "open")
    return one._replace(tries=(one.tries[0]._replace(taken=True, said=said),))


MISMATCH = "Hostname mismatch, certificate is not valid for 'github.com'."
TAKEN = [
    (taken(RSYNC), "unknown", "whether rsync.sanesecurity.net answers on port 873 is not known"),
    (taken(GITHUB), "unknown", "somebody in between takes every connection"),
    (taken(GITHUB, Spoken("silent")), "unknown", "somebody in between takes every connection"),
    (taken(GITHUB, Spoken("reset")), "unknown", "somebody in between takes every connection"),
    (taken(GITHUB, Spoken("open", tls="TLSv1.3")), "pass", "github.com answers on port 443"),
    (taken(GITHUB, Spoken("silent", tls="TLSv1.3")), "pass", "github.com answers on port 443"),
    (taken(GITHUB, Spoken("open", tls="TLSv1.3", trouble=MISMATCH)), "fail", "it is not github.com that"),
    (taken(HUB, Spoken("open", tls="TLSv1.3", trouble="self-signed certificate")), "warn", "it is not hub"),
    (taken(GITHUB, Spoken("open", tls="TLSv1.3", trouble=NO_AUTHORITIES)), "unknown", "is not known"),
    (taken(GITHUB, Spoken("open", trouble="certificate is not yet valid")), "unknown", "is not known"),
]


@pytest.mark.parametrize(("host", "status", "words"), TAKEN)
def test_who_takes_every_connection(host: Reached, status: str, words: str) -> None:
    judged = judge_hosts(Outward((host, OPEN), (4, 6)))[0]
    assert (judged.status, words in judged.summary) == (status, True), judged.summary
    assert status == "pass" or "192.0.2.213" in judged.remedies[0]


def named(subject: str, said: Spoken) -> Reached:
    """A host whose port opens; what is said over TLS there."""
    one = reached(subject, "open")
    return one._replace(tries=(one.tries[0]._replace(said=said), *one.tries[1:]))


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        (Spoken("open", tls="TLSv1.3"), "pass", "github.com answers on port 443"),
        (Spoken("silent"), "pass", "github.com answers on port 443"),
        (Spoken("reset", tls="TLSv1.3"), "pass", "github.com answers on port 443"),
        (Spoken("failed", text="no TLS: connection reset by peer"), "fail", "opens, but no encryption comes"),
        (Spoken("failed", text="a defect of ours"), "pass", "github.com answers on port 443"),
        (Spoken("open", tls="TLSv1.3", trouble=MISMATCH), "fail", "no certificate that this machine"),
        (Spoken("open", tls="TLSv1.3", trouble=NO_AUTHORITIES), "warn", "has no list of authorities"),
        (
            Spoken("open", tls="TLSv1.3", trouble="certificate is not yet valid"),
            "fail",
            "by this machine's clock its certificate is not good",
        ),
    ],
)
def test_who_goes_by_names_lets_every_connection_open(said: Spoken, status: str, words: str) -> None:
    judged = judge_hosts(Outward((named(GITHUB, said), OPEN), (4, 6)))[0]
    assert (judged.status, words in judged.summary) == (status, True), judged.summary
    assert status == "pass" or judged.stops == ("here" if said.trouble in SAY_NOTHING else "way")
    assert (
        ("See the clock first" in judged.remedies[0]) is (said.trouble in DATES) if judged.remedies else True
    )


MUTE = Spoken("silent", own="192.0.2.1 4000")


def test_who_opens_and_says_nothing_is_not_known_where_others_answer() -> None:
    mute, speaks = named(GITHUB, MUTE), named(HUB, Spoken("open", tls="TLSv1.3"))
    judged = judge_hosts(Outward((mute, speaks), (4, 6)))[0]
    assert (judged.status, judged.certainty) == ("unknown", "untested")
    assert "nothing comes back once TLS has named it, while other hosts answer" in judged.summary


def test_that_ports_open_proves_nothing_where_nobody_answers_over_tls() -> None:
    mute, unasked, plain = named(GITHUB, MUTE), reached(HUB, "open"), reached(RSYNC, "open")
    both, other, third = judge_hosts(Outward((mute, unasked, plain), (4, 6)))
    for one in (both, other):
        assert (one.status, one.certainty, one.stops) == ("unknown", "untested", "way")
        assert "when encryption (TLS) begins no host answers there" in one.summary
        assert "network.mtu" in one.remedies[1]
    assert third.status == "pass"


def test_who_is_mute_is_no_proof_that_anything_gets_out() -> None:
    mute, dropped = named(GITHUB, MUTE), reached(HUB, "silent")
    judged = judge_hosts(Outward((mute, dropped), (4, 6)))[1]
    assert judged.status == "warn"
    assert "github.com answers" not in judged.summary


class Mute(FakeHost):
    """Every connection opens there, and nobody says anything."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[tuple[int, float]] = []

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        self.waited.append((len(dialogues), timeout))
        return (MUTE,) * len(dialogues)


def test_who_is_silent_is_asked_again_with_more_time() -> None:
    """All of them may be: a slow line is not told of as a filter."""
    host = Mute()
    asked = ("192.0.2.1", "github.com"), ("192.0.2.2", "ghcr.io")
    assert set(hello(Facts(host, Settings()), *asked).values()) == {MUTE}
    (first, second) = host.waited
    assert (first[0], second[0]) == (2, 2)
    assert second[1] > first[1]


def test_who_shows_a_foreign_certificate_answers() -> None:
    mute, foreign = named(GITHUB, MUTE), named(HUB, Spoken("open", tls="TLSv1.3", trouble=MISMATCH))
    judged = judge_hosts(Outward((mute, foreign), (4, 6)))[0]
    assert (judged.status, "while other hosts answer" in judged.summary) == ("unknown", True)


def _certified_by(subject: str, issuer: str) -> Reached:
    return named(subject, Spoken("open", "", (), "TLSv1.3", issuer.encode(), UNKNOWN_CHAIN[0]))


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ((_certified_by(HUB, "Other CA"),), "this machine's list of authorities does not have Some CA"),
        (
            (_certified_by(HUB, "Some CA"),),
            "shows a certificate by Some CA, whom this machine does not trust",
        ),
        (
            (_certified_by(HUB, "Other CA"), named(RSYNC, Spoken("open", tls="TLSv1.3"))),
            "shows a certificate by Some CA, whom this machine does not trust",
        ),
    ],
)
def test_whose_list_it_is(others: tuple[Reached, ...], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks into everything on the way signs for all alike, and is none of those whom somebody trusts."""
    monkeypatch.setattr(
        network_untrusted, "read", lambda der: Shown("", (), der.decode(), "", 0.0, 0.0, False)
    )
    judged = judge_hosts(Outward((_certified_by(GITHUB, "Some CA"), *others), (4, 6)))[0]
    assert (judged.status, words in judged.summary) == ("fail", True), judged.summary
