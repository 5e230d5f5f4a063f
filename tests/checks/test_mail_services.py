"""mail.ports, mail.relay, mail.admin-password, mail.round-trip: what servers say, and what it means."""

import hashlib

import pytest

from mailcow_wizard.checks.mail_admin import judge_admin
from mailcow_wizard.checks.mail_ports import judge_ports
from mailcow_wizard.checks.mail_relay import judge_relay
from mailcow_wizard.checks.mail_round_trip import judge_round_trip
from mailcow_wizard.facts.mail.admin import SCRIPT, admin
from mailcow_wizard.facts.mail.relay import relay
from mailcow_wizard.facts.mail.talks import PROTOCOLS, spoke
from mailcow_wizard.facts.mail.trips import trips
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.network.conversation import Spoken, Tripped
from mailcow_wizard.host.replies import Ran
from mailcow_wizard.model import Judgement
from tests.checks.mail_machine import DIRECTORY, NAME, OWN, OWN_V6, MailMachine, container

BOXES = (container("postfix-mailcow"), container("dovecot-mailcow"), container("mysql-mailcow"))
HELLO = f"250-{NAME}\n250-STARTTLS\n250 8BITMIME"
AFTER = f"250-{NAME}\n250-AUTH PLAIN LOGIN\n250 8BITMIME"
NO = "554 5.7.1 <unknown[198.51.100.7]>: Client host rejected: Access denied"
GREETS = f"220 {NAME} ESMTP Postcow"
TLS = "TLSv1.3"
GOOD: dict[str, Spoken] = {
    "25": Spoken("open", GREETS, (HELLO, "220 2.0.0 Ready", AFTER), TLS),
    "465": Spoken("open", GREETS, (AFTER, "250 2.1.0 Ok", NO), TLS),
    "587": Spoken("open", GREETS, (HELLO, "220 2.0.0 Ready", AFTER, "250 2.1.0 Ok", NO), TLS),
    "143": Spoken(
        "open", "* OK Dovecot ready.", ("* CAPABILITY STARTTLS LOGINDISABLED\na1 OK", "a2 OK", "a3 OK"), TLS
    ),
    "993": Spoken("open", "* OK Dovecot ready.", ("* CAPABILITY IMAP4rev1\na1 OK",), TLS),
    "110": Spoken("open", "+OK Dovecot ready.", ("+OK\nSTLS\n.", "+OK", "+OK\nUSER\n."), TLS),
    "995": Spoken("open", "+OK Dovecot ready.", ("+OK\nUSER\n.",), TLS),
    "4190": Spoken("open", '"SIEVE" "fileinto"\n"STARTTLS"\nOK "ready"', ("OK",), TLS),
    "80": Spoken("open", "", ("HTTP/1.1 301 Moved Permanently\nLocation: https://x/",)),
    "443": Spoken("open", "", ("HTTP/1.1 200 OK\n\n<html>",), TLS),
    "19991": Spoken("open", "", ("-",)),
    "13306": Spoken("open", "J\0\0\0\n5.5.5-10.11.6-MariaDB"),
    "7654": Spoken("open", "", ("-NOAUTH Authentication required.",)),
}


def ports(changed: dict[str, Spoken], **more: str) -> dict[str, Judgement]:
    machine = MailMachine(BOXES, {**GOOD, **changed}, **more)  # type: ignore[arg-type]
    return {one.subject or "": one for one in judge_ports(machine.facts().get(spoke))}


def test_all_ports_are_well() -> None:
    found = ports({})
    assert set(found) == set(GOOD)
    assert len(PROTOCOLS) == len(GOOD)
    assert {one.status for one in found.values()} == {"pass"}, found
    assert "refuses who has not logged in" in found["587"].summary
    assert all(one.evidence for one in found.values())


@pytest.mark.parametrize(
    ("port", "spoken", "status", "words"),
    [
        ("25", Spoken("refused", text="connection refused"), "fail", f"nothing listens at {OWN}:25"),
        ("25", Spoken("silent"), "unknown", "did not answer in time"),
        ("25", Spoken("silent", GREETS), "unknown", "stopped answering in the middle"),
        ("25", Spoken("silent", GREETS, (HELLO,)), "unknown", "stopped answering in the middle"),
        ("993", Spoken("silent", "* OK x", (), TLS), "unknown", "stopped answering in the middle"),
        (
            "587",
            Spoken("silent", GREETS, (HELLO, "220 Ready", AFTER, "250 Ok", "250 2.1.5 Ok"), TLS),
            "fail",
            "takes mail to strangers from who has not logged in: 250 2.1.5 Ok",
        ),
        ("25", Spoken("reset", text="it closed"), "fail", "closes the connection without a word"),
        ("25", Spoken("open", "554 no"), "fail", "serves nobody: 554 no"),
        ("25", Spoken("open", "* OK Dovecot"), "fail", 'does not speak SMTP: it says "* OK Dovecot"'),
        ("25", Spoken("open", GREETS, (AFTER, "502 no", AFTER)), "fail", "offers no STARTTLS"),
        (
            "25",
            Spoken("open", GREETS, (HELLO, "454 no", HELLO)),
            "fail",
            "offers STARTTLS and refuses it: 454 no",
        ),
        # It would begin TLS, and says so to nobody.
        ("25", Spoken("open", GREETS, (AFTER, "220 Ready", AFTER), TLS), "fail", "offers no STARTTLS"),
        (
            "25",
            Spoken("failed", GREETS, (HELLO,), text="no TLS: handshake failure"),
            "fail",
            "offers STARTTLS, and then no TLS: handshake failure",
        ),
        (
            "25",
            Spoken("open", "220 localhost ESMTP", GOOD["25"].replies, TLS),
            "warn",
            f"greets as localhost, and is called {NAME}",
        ),
        (
            "25",
            Spoken("open", GREETS, (HELLO, "220 Ready", AFTER.replace(NAME, "other.example")), TLS),
            "warn",
            "answers EHLO as other.example",
        ),
        ("25", Spoken("open", GREETS, ("502 what",) * 3, TLS), "fail", "refuses EHLO"),
        (
            "587",
            Spoken("open", GREETS, (HELLO, "220 Ready", AFTER, "250 Ok", "250 2.1.5 Ok"), TLS),
            "fail",
            "takes mail to strangers from who has not logged in: 250 2.1.5 Ok",
        ),
        (
            "587",
            Spoken("open", GREETS, (HELLO + "\n250 AUTH PLAIN", "220 Ready", AFTER, "250 Ok", NO), TLS),
            "warn",
            "lets programs log in without encryption",
        ),
        ("587", Spoken("reset", GREETS, (HELLO, "220 Ready", AFTER), TLS), "unknown", "in the middle of"),
        ("143", Spoken("reset", "* OK Dovecot ready."), "unknown", "closed the connection in the middle"),
        ("25", Spoken("reset", GREETS, (HELLO,)), "unknown", "closed the connection in the middle"),
        ("25", Spoken("reset", GREETS, (AFTER,)), "fail", "offers no STARTTLS; also: "),
        (
            "465",
            Spoken("failed", text="no TLS: wrong version number"),
            "fail",
            "has no TLS: wrong version number",
        ),
        ("143", Spoken("open", "* BYE no"), "fail", "does not speak IMAP"),
        ("143", Spoken("open", "* OK x", ("* CAPABILITY IMAP4rev1\na1 OK", "a2 BAD")), "fail", "no STARTTLS"),
        ("110", Spoken("open", "+OK x", ("+OK\nUSER\n.", "-ERR")), "fail", "offers no STLS"),
        ("4190", Spoken("open", '"SIEVE" "x"\nOK "ready"', ("NO",)), "fail", "offers no STARTTLS"),
        (
            "443",
            Spoken("open", "", ("HTTP/1.1 502 Bad Gateway\n",), TLS),
            "fail",
            "502 Bad Gateway: the web server",
        ),
        ("443", Spoken("open", "", ("HTTP/1.1 404 Not Found\n",), TLS), "warn", "pages are not there"),
        ("443", Spoken("open", "", ("SSH-2.0-x",), TLS), "fail", "does not speak HTTP"),
        ("13306", Spoken("open", "SSH-2.0-OpenSSH"), "fail", "does not speak MariaDB"),
        ("7654", Spoken("open", "", ("what?",)), "fail", "does not speak Redis"),
    ],
)
def test_a_port_that_is_not_well(port: str, spoken: Spoken, status: str, words: str) -> None:
    found = ports({port: spoken})
    assert (found[port].status, words in found[port].summary) == (status, True), found[port].summary
    others = {one.status for name, one in found.items() if name != port}
    assert others == {"pass"}


def test_both_families() -> None:
    """What fails over IPv6 alone weighs less; the same trouble twice is said once."""
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=true\n"
    found = ports({f"{OWN_V6} 25": Spoken("refused")}, conf=conf, v6=OWN_V6)
    assert found["25"].status == "warn"
    assert found["25"].summary == f"over IPv6 alone: nothing listens at [{OWN_V6}]:25"
    found = ports({"25": Spoken("refused")}, conf=conf, v6=OWN_V6)
    assert (found["25"].status, found["25"].summary) == ("fail", f"nothing listens at {OWN}:25")


def test_the_places_of_mailcow_conf() -> None:
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\nHTTP_BIND=127.0.0.1\nHTTP_PORT=8080\n"
    conf += "SMTP_PORT=203.0.113.4:25\n"
    machine = MailMachine(BOXES, {**GOOD, "8080": GOOD["80"]}, conf=conf)
    machine.facts().get(spoke)
    asked = {(one.address, one.port) for one in machine.asked_of}
    assert {("127.0.0.1", 8080), ("203.0.113.4", 25), ("127.0.0.1", 19991), (OWN, 993)} <= asked


# --- relaying ---------------------------------------------------------------------------------------------

DENIED = "454 4.7.1 <postmaster@gmail.com>: Relay access denied"


def asked(*rcpt: str, greeting: str = GREETS, own: str = f"{OWN} 40000") -> Spoken:
    first, second = (*rcpt, *rcpt)[:2]
    return Spoken("open", greeting, (HELLO, "250 Ok", first, "250 Ok", "250 Ok", second, "250 Ok"), own=own)


def relaying(spoken: dict[str, Spoken], **more: object) -> Judgement:
    return judge_relay(MailMachine(BOXES, spoken, **more).facts().get(relay))  # type: ignore[arg-type]


def test_refused() -> None:
    found = relaying({"25": asked(DENIED)})
    assert (found.status, found.certainty) == ("pass", "inferred")
    assert "refused over IPv4, seen from" in found.summary
    found = relaying({"25": asked(DENIED)}, v6=OWN_V6)
    assert "IPv4 and IPv6" in found.summary
    # Nobody gets in over IPv6 at all.
    found = relaying({f"{OWN_V6} 25": Spoken("refused"), "25": asked(DENIED)}, v6=OWN_V6)
    assert (found.status, "over IPv4, seen" in found.summary) == ("pass", True)


@pytest.mark.parametrize(
    ("spoken", "status", "words"),
    [
        (asked("250 2.1.5 Ok"), "fail", "open relay"),
        (asked(DENIED, "250 2.1.5 Ok"), "fail", "open relay"),
        (asked("450 4.7.1 greylisted"), "unknown", "for another reason than relaying: 450 4.7.1 greylisted"),
        # One of the two may be taken later, when the look-up works again.
        (asked(DENIED, "451 4.3.0 Temporary lookup failure"), "unknown", "451 4.3.0"),
        (asked("451 4.3.0 Temporary lookup failure", DENIED), "unknown", "451 4.3.0"),
        (Spoken("silent", text="no answer in time"), "unknown", "could not be asked"),
        (Spoken("refused", text="connection refused"), "unknown", "could not be asked"),
        (Spoken("reset", "554 5.7.1 blocked", text="closed"), "unknown", "554 5.7.1 blocked"),
        # Of the second stranger, who says that he is one of ours, nothing is known.
        (Spoken("silent", GREETS, (HELLO, "250 Ok", DENIED), text="late"), "unknown", "is yours: late"),
        (
            Spoken("reset", GREETS, (HELLO, "250 Ok", DENIED, "250 Ok", "250 Ok")),
            "unknown",
            "is yours: reset",
        ),
    ],
)
def test_not_refused(spoken: Spoken, status: str, words: str) -> None:
    found = relaying({"25": spoken})
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert found.severity == ("blocks" if status == "fail" else None)


def test_open_by_docker_s_proxy() -> None:
    """G01: mailcow's network has no IPv6, Docker takes it in all the same."""
    spoken = {f"{OWN_V6} 25": asked("250 Ok", own=f"{OWN_V6} 40000"), "25": asked(DENIED)}
    found = relaying(spoken, v6=OWN_V6, network_v6=False)
    assert (found.status, "open relay over IPv6" in found.summary) == ("fail", True)
    assert len(found.remedies) == 3


@pytest.mark.parametrize("own", ["", "x", f"{OWN} x", f"{OWN} \u00b2"])
def test_an_odd_word_on_who_we_were(own: str) -> None:
    """A recorded machine comes from a stranger."""
    files = {"/proc/4711/net/tcp": "", "/proc/4711/net/tcp6": ""}
    assert relaying({"25": asked("250 Ok", own=own)}, files=files).status == "fail"


def test_who_postfix_saw() -> None:
    """The kernel of the container remembers who connected: with our own port it was us."""
    table = "sl local rem st\n 0: FD0116AC:0019 076433C6:9C40 06 0\n"  # 198.51.100.7:40000
    trusts = {
        "docker exec id-postfix-mailcow postconf -hx mynetworks": f"127.0.0.0/8 172.22.1.0/24 {OWN}/32\n"
    }
    files = {"/proc/4711/net/tcp": table, "/proc/4711/net/tcp6": ""}
    found = relaying({"25": asked("250 Ok")}, files=files)
    assert (found.status, "could not be asked, so it may" in found.summary) == ("unknown", True)
    strict = dict.fromkeys(trusts, "127.0.0.0/8 172.22.1.0/24\n")
    found = relaying({"25": asked("250 Ok")}, files=files, commands=strict)
    assert (found.status, found.certainty) == ("fail", "proved")
    found = relaying({"25": asked("250 Ok")}, files=files, commands=trusts)
    assert (found.status, "this machine itself, which postfix trusts" in found.summary) == ("unknown", True)
    gateway = table.replace("076433C6:9C40", "010116AC:1234")
    found = relaying({"25": asked("250 Ok")}, files={**files, "/proc/4711/net/tcp": gateway}, commands=trusts)
    assert (found.status, "as if from inside (172.22.1.1)" in found.summary) == ("fail", True)


# --- the administrator ------------------------------------------------------------------------------------


def test_the_query_is_what_mailcow_s_hash_is_made_of() -> None:
    """SSHA256: base64 of the hash of password and salt, and the salt, as Dovecot makes it."""
    salt = b"abcdefgh"
    hashed = hashlib.sha256(b"moohoo" + salt).digest()
    assert len(hashed.hex()) == 64
    assert "SHA2(CONCAT('moohoo', SUBSTR(FROM_BASE64(SUBSTR(password,10)),33)),256)" in SCRIPT
    assert SCRIPT.count('"') % 2 == 0


def login(reply: str) -> dict[str, Spoken]:
    return {"443": Spoken("open", "", (reply,), TLS)}


FORM = 'HTTP/1.1 200 OK\n\n<input name="login_user"><input name="pass_user">'


@pytest.mark.parametrize(
    ("answer", "web", "status", "words"),
    [
        ("1\t1\t0\n", "", "fail", "still has the password"),
        ("1\t0\t0\n", "", "pass", "does not have"),
        ("1\t0\t1\n", "", "pass", "does not have"),
        ("0\t0\t0\n", "", "pass", "no active administrator"),
        (None, "HTTP/1.1 302 Found\nSet-Cookie: a=b\nLocation: /admin/dashboard\n\n", "fail", "still has"),
        (None, "HTTP/1.1 302 Found\nSet-Cookie: a=b\nLocation: /admin\n\n", "fail", "still has"),
        (None, f'{FORM}<div id="ConfirmTFAModal">', "fail", "still has"),
        (None, FORM, "pass", "does not have"),
        (None, "HTTP/1.1 301 Moved\nLocation: /admin/\n\n", "unknown", "could not be found out"),
        (None, "HTTP/1.1 200 OK\n\n<title>mailcow UI</title>", "unknown", "could not be found out"),
        (None, "HTTP/1.1 502 Bad Gateway\n\n", "unknown", "could not be found out"),
        (
            None,
            "HTTP/1.1 302 Found\nSet-Cookie: a=b\nLocation: https://elsewhere/\n\n",
            "unknown",
            "could not",
        ),
    ],
)
def test_admin(answer: str | None, web: str, status: str, words: str) -> None:
    line = f"docker exec id-mysql-mailcow sh -c {SCRIPT}"
    commands = {line: Ran(127, "", "no mysql") if answer is None else Ran(0, answer, "")}
    found = judge_admin(MailMachine(BOXES, login(web), commands=commands).facts().get(admin))
    assert (found.status, words in found.summary) == (status, True), found.summary
    if answer == "1\t0\t1\n":
        assert found.certainty == "inferred"


# --- test messages ----------------------------------------------------------------------------------------

VARIABLES = {"MAILCOW_WIZARD_MAILBOX": "t@example.org", "MAILCOW_WIZARD_MAILBOX_PASSWORD_FILE": "/root/p"}
FAR = {
    "MAILCOW_WIZARD_FAR_MAILBOX": "me@far.example",
    "MAILCOW_WIZARD_FAR_IMAP": "imap.far.example",
    "MAILCOW_WIZARD_FAR_PASSWORD": "geheim",
}
CAME = Tripped("done", "", "INBOX", 2.0)
BORDER = (
    "Received: from mail.example.org (mail.example.org [198.51.100.7]) (using TLSv1.3 with cipher X) by "
    "mx.far.example (Postfix) with ESMTPS id 1"
)


def wrote(results: str) -> tuple[str, ...]:
    """What a far server writes on a message."""
    said = f"Authentication-Results: mx.far.example; {results}"
    return said, BORDER, "Received: from [127.0.0.1] (localhost [127.0.0.1]) by localhost (Mailerdaemon)"


RESULTS = wrote("spf=pass; dkim=pass header.d=example.org; dmarc=pass")


def tripped(inward: Tripped, outward: Tripped | None = None) -> Judgement:
    variables = {**VARIABLES, **(FAR if outward else {})}
    trips_made = {"t@example.org": inward, **({"me@far.example": outward} if outward else {})}
    machine = MailMachine(BOXES, variables=variables, trips=trips_made)
    return judge_round_trip(machine.facts().get(trips))


def test_nothing_was_tried() -> None:
    found = judge_round_trip(MailMachine(BOXES).facts().get(trips))
    assert (found.status, found.certainty) == ("unknown", "untested")
    assert any("MAILCOW_WIZARD_MAILBOX=" in one for one in found.remedies)


def test_both_ways() -> None:
    found = tripped(CAME, CAME._replace(headers=RESULTS))
    assert (found.status, found.certainty) == ("pass", "proved")
    assert "spf=pass, dkim=pass, dmarc=pass" in found.summary


@pytest.mark.parametrize(
    ("inward", "outward", "status", "words"),
    [
        (CAME, None, "unknown", "the way out was not tried"),
        (CAME._replace(folder="Junk"), CAME._replace(headers=RESULTS), "warn", "went to the folder Junk"),
        (Tripped("send", "550 5.1.1 unknown user"), None, "fail", "was refused: 550"),
        (Tripped("send", "451 4.7.1 Greylisted, please try again later"), None, "unknown", "again later"),
        (Tripped("send", "450 4.3.2 Service currently unavailable"), None, "unknown", "again later"),
        # No filter, no room, no look-up: that is none who asks a stranger to come back.
        (
            Tripped("send", "451 4.7.1 Service unavailable - try again later"),
            None,
            "fail",
            "was refused: 451",
        ),
        (Tripped("send", "452 4.3.1 Insufficient system storage"), None, "fail", "was refused: 452"),
        (Tripped("send", "451 4.3.0 <t@example.org>: Temporary lookup failure"), None, "fail", "was refused"),
        (Tripped("imap-login", "[AUTHENTICATIONFAILED] no"), None, "unknown", "is the password right?"),
        (Tripped("imap-login", "[UNAVAILABLE] internal error"), None, "fail", "nobody can log in"),
        (Tripped("arrive", "it was not there after 60 s"), None, "unknown", "was not there after 60 s"),
        (Tripped("connect", "connection refused"), None, "fail", "could not be handed in"),
        (CAME, CAME, "unknown", "does not say what it thinks"),
        (CAME, Tripped("login", "535 5.7.8 no"), "unknown", "the log-in was refused"),
        (CAME, Tripped("login", "421 4.3.0 no"), "fail", "nobody can log in: 421"),
        (CAME, Tripped("login", "no answer in time"), "unknown", "nobody can log in: no answer in time"),
        (CAME, Tripped("imap-login", "[UNAVAILABLE] x"), "unknown", "are its server and password right?"),
        (CAME, Tripped("imap-connect", "connection refused"), "unknown", "could not be looked into"),
    ],
)
def test_trips(inward: Tripped, outward: Tripped | None, status: str, words: str) -> None:
    found = tripped(inward, outward)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert "geheim" not in str(found)


def test_before_the_install() -> None:
    nothing = Facts(MailMachine(), MailMachine().facts().settings)
    assert judge_ports(nothing.get(spoke))[0].status == "skipped"
    assert judge_relay(nothing.get(relay)).status == "skipped"
    assert judge_admin(nothing.get(admin)).status == "skipped"
    assert judge_round_trip(nothing.get(trips)).status == "skipped"
    assert nothing.settings.directory == DIRECTORY
