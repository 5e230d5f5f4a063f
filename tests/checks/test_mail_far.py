"""What a far server saw of a test message, and how it is found."""

import pytest

from mailcow_wizard.facts.mail.trips import trips
from mailcow_wizard.host.conversation import Trip, Tripped
from tests.checks.mail_machine import MailMachine
from tests.checks.test_mail_services import BOXES, CAME, FAR, VARIABLES, tripped, wrote


@pytest.mark.parametrize(
    ("results", "status", "words", "remedy"),
    [
        (
            "spf=none; dkim=pass; dmarc=pass",
            "warn",
            "mx.far.example finds no SPF record of example.org",
            "dns",
        ),
        ("spf=fail; dkim=pass; dmarc=pass", "warn", "does not allow 198.51.100.7", "network.addresses"),
        ("spf=softfail; dkim=pass; dmarc=pass", "warn", "SPF is softfail at mx.far.example", "dns.spf"),
        ("spf=permerror (two records); dkim=pass; dmarc=pass", "warn", "cannot use", "check dns.spf"),
        ("spf=temperror; dkim=pass; dmarc=pass", "unknown", "could not look up SPF", "ten minutes"),
        ("spf=pass; dkim=none; dmarc=pass", "warn", "no DKIM signature of example.org", "ARC/DKIM keys"),
        ("spf=pass; dkim=pass header.d=x.example; dmarc=pass", "warn", "(only of x.example)", "ARC/DKIM"),
        ("spf=pass; dkim=fail (bad signature); dmarc=pass", "warn", "(fail: bad signature)", "dns.dkim"),
        ("spf=pass; dkim=temperror (no key for signature); dmarc=pass", "warn", "no DKIM key", "dns"),
        ("spf=pass; dkim=pass; dmarc=none", "warn", "finds no DMARC record of example.org", "dns"),
        ("spf=pass; dkim=pass; dmarc=bestguesspass", "warn", "finds no DMARC record of example.org", "dns"),
        ("spf=pass; dkim=pass; dmarc=fail", "warn", "neither SPF nor DKIM passes", "Mend SPF and DKIM"),
        ("spf=pass; dkim=pass", "unknown", "does not say what it thinks of DMARC", ""),
        ("spf=pass; dkim=fail", "warn", "is not valid at mx.far.example", "dns.dkim"),
    ],
)
def test_what_the_far_server_saw(results: str, status: str, words: str, remedy: str) -> None:
    """Each result has its words and what mends it; only three passes are a pass."""
    found = tripped(CAME, CAME._replace(headers=wrote(results)))
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert remedy in " ".join(found.remedies)
    assert any(one.value == "198.51.100.7, TLS 1.3" for one in found.evidence)


def test_a_far_mailbox_of_the_line() -> None:
    """What was said counts more than the environment; the server has a usual name."""
    there: list[Trip] = []

    class Noting(MailMachine):
        def send_and_find(self, trip: Trip, timeout: float = 60.0) -> Tripped:
            there.append(trip)
            return CAME

    machine = Noting(BOXES, variables={**VARIABLES, **FAR})
    settings = {"far_mailbox": "b@other.example", "far_password": "/root/b"}
    machine.facts(**settings).get(trips)
    said = there[-1]
    assert (said.to, said.imap, said.imap_secret) == (
        "b@other.example",
        ("imap.other.example", "993"),
        "/root/b",
    )
    machine.facts(**settings, far_imap="x.example:1993").get(trips)
    assert (there[-1].imap, there[-1].login, there[-1].trusting) == (
        ("x.example", "1993"),
        "t@example.org",
        True,
    )


def test_a_word_of_nobody_s() -> None:
    """What stands below the far server's own mark is not believed: it says nothing, so nothing is known."""
    forged = "Authentication-Results: mx.far.example; spf=pass; dkim=pass header.d=example.org; dmarc=pass"
    found = tripped(CAME, CAME._replace(headers=(*wrote("none")[1:], forged)))
    assert (found.status, "does not say what it thinks" in found.summary) == ("unknown", True)
