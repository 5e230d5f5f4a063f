"""What a far server saw of a test message, and how it is found."""

import pytest

from mailcow_wizard.checks.mail_round_trip import judge_round_trip
from mailcow_wizard.facts.mail.trips import trips
from mailcow_wizard.host.network.conversation import Trip, Tripped
from tests.checks.mail_machine import MailMachine, container
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
        ("spf=pass; dkim=pass; dmarc=permerror (two records)", "warn", "cannot use", "check dns.dmarc"),
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


_MX = "mx.far.example[192.0.2.9]:25"
LOG = (
    "Nov 28 06:19:45 mail postfix/smtpd[1]: 40DBC22AB6A: client=x[192.0.2.1]\n"
    "Nov 28 06:19:47 mail postfix/smtp[1]: 50DBC22AB6A: to=<me@far.example>, relay=a[192.0.2.1]:25, delay=2, "
    "delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 1)\n"
    "Nov 28 06:19:47 mail postfix/smtp[1]: 40DBC22AB6A: to=<me@far.example>, relay={}, delay=2, "
    "delays=0/0/0/1, dsn=4.0.0, status={}\n"
    "Nov 28 06:19:47 mail postfix/qmgr[1]: 40DBC22AB6A: removed\n"
)


@pytest.mark.parametrize(
    ("relay", "said", "status", "words", "remedy"),
    [
        (_MX, "sent (250 2.0.0 Ok: queued as 7)", "unknown",
         "mx.far.example took the message to me@far.example, where it was not found after 20", "quarantine"),
        (_MX, "deferred (host mx.far.example said: 451 4.7.1 Greylisted)", "unknown",
         "waits in postfix's queue: host mx.far.example said: 451", "ten minutes"),
        ("none", "deferred (connect to mx.far.example[192.0.2.9]:25: Connection timed out)", "unknown",
         "Connection timed out", "network.outbound-25"),
        (_MX, "bounced (host mx.far.example said: 550 5.7.1 rejected by DMARC)",
         "fail", "came back: host mx.far.example said: 550", "dns.dmarc"),
        (_MX, f"deferred (host {_MX} refused to talk to me: 554 IP=192.0.2.1 - A problem occurred. (Ask your "
         "postmaster for help or to contact tosa@rx.t-online.de to clarify.) (BL))", "fail",
         "mx.far.example takes no mail from this server", "write to tosa@rx.t-online.de"),
        (_MX, f"deferred (host {_MX} refused to talk to me: 554-gmx.net (mxgmx116) Nemesis ESMTP Service not "
         "available 554-No SMTP service 554-Bad DNS PTR resource record.)", "fail",
         "mx.far.example takes no mail from this server", "dns.ptr"),
        (_MX, f"deferred (host {_MX} refused to talk to me: 421 4.7.0 [TSS04] Messages temporarily deferred)",
         "unknown", "waits in postfix's queue", "ten minutes"),
        (_MX, "bounced (host mx.far.example said: 550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't "
         "sent. Please contact your Internet service provider since part of their network is on our block "
         "list (S3140).)", "fail", "came back", "olcsupport.office.com"),
        (_MX, "bounced (host mx.far.example said: 550 5.7.511 Access denied, banned sender[192.0.2.1]. To "
         "request removal from this list, forward this message to delist@microsoft.com)", "fail", "came back",
         "sender.office.com"),
        (_MX, "bounced (host mx.far.example said: 550-5.7.26 Your email has been blocked because the sender "
         "is unauthenticated.)", "fail", "came back", "dns.dkim"),
        (_MX, "bounced (host mx.far.example said: 554 5.7.1 Service unavailable; Client host [192.0.2.1] "
         "blocked using zen.spamhaus.org)", "fail", "came back", "check reputation"),
        ("none", "expired (too old)", "fail", "came back", "dns.spf"),
        ("mx.far.example", "odd", "unknown", "was taken, but it was not there after 20 s", "mailq"),
    ],
)  # fmt: skip
def test_it_is_not_there(relay: str, said: str, status: str, words: str, remedy: str) -> None:
    """Not found in time is no answer; what postfix says of this very message is."""
    boxes = (container("postfix-mailcow", lines=LOG.format(relay, said)), *BOXES[1:])
    late = Tripped("arrive", "it was not there after 20 s (250 2.0.0 Ok: queued as 40DBC22AB6A)", seconds=20)
    ways = {"t@example.org": CAME, "me@far.example": late}
    machine = MailMachine(boxes, variables={**VARIABLES, **FAR}, trips=ways)
    found = judge_round_trip(machine.facts().get(trips))
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert remedy in " ".join(found.remedies)


def test_the_folder_for_spam_says_what_helps() -> None:
    """It arrived, where nobody looks."""
    ways = {"t@example.org": CAME, "me@far.example": CAME._replace(folder="Junk")}
    machine = MailMachine(BOXES, variables={**VARIABLES, **FAR}, trips=ways)
    found = judge_round_trip(machine.facts().get(trips))
    assert any("reputation" in one for one in found.remedies), found.remedies


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
