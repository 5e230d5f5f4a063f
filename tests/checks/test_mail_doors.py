"""The checks of mail where one address, one page or one line says other things than another."""

import pytest

from mailcow_wizard import language
from mailcow_wizard.checks.mail_admin import judge_admin
from mailcow_wizard.checks.mail_ports import judge_ports
from mailcow_wizard.checks.mail_round_trip import judge_round_trip
from mailcow_wizard.facts.mail.admin import admin
from mailcow_wizard.facts.mail.relay import relay
from mailcow_wizard.facts.mail.talks import spoke
from mailcow_wizard.facts.mail.trips import trips
from mailcow_wizard.host.network.conversation import Dialogue, Spoken, Tripped
from tests.checks.mail_machine import NAME, OWN_V6, MailMachine, container
from tests.checks.test_mail_services import (
    AFTER,
    BOXES,
    FORM,
    GOOD,
    GREETS,
    HELLO,
    NO,
    TLS,
    VARIABLES,
    asked,
    ports,
    relaying,
)


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_an_open_relay_over_one_family_is_one(tongue: str) -> None:
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=true\n"
    taken = Spoken("open", GREETS, (HELLO, "220 Ready", AFTER, "250 Ok", "250 2.1.5 Ok"), TLS)
    language.use(tongue)
    found = ports({f"{OWN_V6} 587": taken}, conf=conf, v6=OWN_V6)["587"]
    assert (found.status, found.severity) == ("fail", "breaks"), found.summary


class Doors(MailMachine):
    """The administrator's form answers with `door`, and the users' form is at the top."""

    door = Spoken("silent", text="no answer in time")

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        top = [one.lines[0] == "POST / HTTP/1.0" for one in dialogues]
        return tuple(Spoken("open", "", (FORM,), TLS) if one else self.door for one in top)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("", "unknown"),
        ("403 Forbidden", "unknown"),
        ("502 Bad Gateway", "unknown"),
        ("404 Not Found", "pass"),
    ],
)
def test_the_form_at_the_top_is_for_others(reply: str, status: str) -> None:
    """Only a mailcow that has no form for administrators alone is asked at the top."""
    machine = Doors(BOXES)
    if reply:
        machine.door = Spoken("open", "", (f"HTTP/1.1 {reply}\n\n",), TLS)
    assert judge_admin(machine.facts().get(admin)).status == status


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("451 4.3.0 <postmaster@gmail.com>: Temporary lookup failure", "unknown"),
        ("454 4.7.1 <postmaster@gmail.com>: Relay access denied", "pass"),
        ("530 5.7.0 Authentication required", "pass"),
    ],
)
def test_who_is_refused_for_now_may_be_taken_later(reply: str, status: str) -> None:
    spoken = Spoken("open", GREETS, (HELLO, "220 Ready", AFTER, "250 Ok", reply), TLS)
    found = ports({"587": spoken})["587"]
    assert (found.status, reply[:3] in found.found) == (status, True), found


NO_FILTER = "451 4.7.1 Service unavailable - try again later"
NO_ROOM = "452 4.3.1 Insufficient system storage"
NEEDS_MAIL = "503 5.5.1 Error: need MAIL command"


@pytest.mark.parametrize(
    ("said", "status", "remedy"),
    [
        (NO_FILTER, "fail", "what rspamd says"),
        (NO_ROOM, "fail", "Free some space"),
        ("451 4.3.0 Temporary lookup failure", "fail", "postfix-mailcow"),
        ("450 4.7.1 Error: too much mail from 192.0.2.1", "unknown", "postfix-mailcow"),
    ],
)
def test_who_takes_no_mail_from_anybody(said: str, status: str, remedy: str) -> None:
    """Whom it would have refused besides is not known then."""
    spoken = {
        "25": Spoken("open", GREETS, (HELLO, "220 Ready", AFTER, said), TLS),
        "465": Spoken("open", GREETS, (AFTER, said, NEEDS_MAIL), TLS),
        "587": Spoken("open", GREETS, (HELLO, "220 Ready", AFTER, said, NEEDS_MAIL), TLS),
    }
    found = ports(spoken)
    for one in (found[port] for port in spoken):
        assert (one.status, f"takes no mail now: {said}" in one.summary) == (status, True), one.summary
        assert remedy in " ".join(one.remedies)


def test_tls_that_waits_for_the_filter() -> None:
    spoken = Spoken("open", GREETS, (HELLO, "454 4.3.0 Try again later", HELLO, "530 no", "530 no"))
    found = ports({"587": spoken})["587"]
    assert (found.status, "takes no mail now: 454 4.3.0" in found.summary) == ("fail", True), found.summary


@pytest.mark.parametrize(
    ("mail", "status"),
    [("530 5.7.0 Authentication required", "pass"), ("550 5.1.7 no such sender", "unknown")],
)
def test_a_sender_that_is_refused_hides_who_may_send(mail: str, status: str) -> None:
    found = ports({"465": Spoken("open", GREETS, (AFTER, mail, NEEDS_MAIL), TLS)})["465"]
    assert found.status == status, found.summary


def test_nobody_can_log_in() -> None:
    """Over TLS nothing is offered that a mail program could log in with."""
    capability = "* CAPABILITY IMAP4rev1 {}LOGINDISABLED\na{} OK"
    sieve = '"SASL" "{}"\n"STARTTLS"\nOK "ready"'
    spoken = {
        "465": Spoken("open", GREETS, (HELLO, "250 Ok", NO), TLS),
        "587": Spoken("open", GREETS, (HELLO, "220 Ready", HELLO, "250 Ok", NO), TLS),
        "143": Spoken(
            "open", "* OK x", (capability.format("STARTTLS ", 1), "a2 OK", capability.format("", 3)), TLS
        ),
        "993": Spoken("open", "* OK x", (capability.format("", 1),), TLS),
        "110": Spoken("open", "+OK x", ("+OK\nSTLS\n.", "+OK", "+OK\nTOP\n."), TLS),
        "995": Spoken("open", "+OK x", ("+OK\nTOP\nSASL \n.",), TLS),
        "4190": Spoken("open", sieve.format(""), (f"OK\n{sieve.format('')}",), TLS),
    }
    found = ports(spoken)
    for one in (found[port] for port in spoken):
        assert (one.status, "offers no way to log in" in one.summary) == ("fail", True), one.summary
    able = capability.format("AUTH=PLAIN ", 1)
    spoken = {
        "993": Spoken("open", "* OK x", (able,), TLS),
        "995": Spoken("open", "+OK x", ("+OK\nTOP\nSASL PLAIN\n.",), TLS),
        "4190": Spoken("open", sieve.format(""), (f"OK\n{sieve.format('PLAIN')}",), TLS),
    }
    found = ports(spoken)
    assert {found[port].status for port in spoken} == {"pass"}, found


@pytest.mark.parametrize(
    ("port", "before"),
    [
        ("143", "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\na1 OK"),
        ("143", "* CAPABILITY IMAP4rev1 STARTTLS\na1 OK"),
        ("110", "+OK\nSTLS\nUSER\n."),
        ("110", "+OK\nSTLS\nSASL PLAIN LOGIN\n."),
        ("4190", '"SASL" "PLAIN LOGIN"\n"STARTTLS"\nOK "ready"'),
    ],
)
def test_who_logs_in_without_tls(port: str, before: str) -> None:
    """Mail programs that are told to do so send the password readable."""
    good = GOOD[port]
    lists = good._replace(replies=(before, *good.replies[1:]))
    found = ports({port: good._replace(greeting=before) if port == "4190" else lists})[port]
    assert (found.status, "log in without encryption" in found.summary) == ("warn", True), found.summary
    assert "Remove disable_plaintext_auth=no from data/conf/dovecot/extra.conf." in found.remedies


@pytest.mark.parametrize("port", ["143", "110", "4190"])
def test_what_breaks_off_behind_tls_is_not_well(port: str) -> None:
    """A server may begin TLS and then end it with an alert."""
    whole = GOOD[port]
    broken = whole._replace(outcome="failed", replies=whole.replies[:-1], text="alert internal error")
    found = ports({port: broken})[port]
    assert (found.status, "broke off in the middle" in found.summary) == ("unknown", True), found.summary


def test_nothing_over_ipv6_weighs_less_only_where_ipv4_is_well() -> None:
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=true\n"
    spoken = {"25": Spoken("silent", text="late"), f"{OWN_V6} 25": Spoken("refused")}
    found = ports(spoken, conf=conf, v6=OWN_V6)["25"]
    assert (found.status, "over IPv6 alone" in found.summary) == ("fail", False), found.summary


@pytest.mark.parametrize(
    ("name", "domain"), [("mail.example.org", "example.org"), ("example.org", "example.org")]
)
def test_who_says_that_he_is_one_of_us_is_of_our_domain(name: str, domain: str) -> None:
    """A server may be called as its domain is: what stands above that is nobody's."""
    machine = MailMachine(BOXES, conf=f"MAILCOW_HOSTNAME={name}\nENABLE_IPV6=false\n")
    machine.facts().get(relay)
    assert f"MAIL FROM:<postmaster@{domain}>" in machine.asked_of[0].lines


@pytest.mark.parametrize(
    ("lines", "http", "https"),
    [
        ("NGINX_USE_PROXY_PROTOCOL=yes\nHTTP_REDIRECT=y\n", "http", "proxied http"),
        ("NGINX_USE_PROXY_PROTOCOL=y\nHTTP_REDIRECT=n\n", "proxied http", "proxied http"),
        ("NGINX_USE_PROXY_PROTOCOL=n\n", "http", "http"),
    ],
)
def test_where_a_proxy_stands_before_nginx(lines: str, http: str, https: str) -> None:
    machine = MailMachine(BOXES, GOOD, conf=f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\n{lines}")
    assert {one.status for one in judge_ports(machine.facts().get(spoke))} == {"pass"}
    asked_in = {one.port: one.protocol for one in machine.asked_of}
    assert (asked_in[80], asked_in[443]) == (http, https)


TOO_MANY = "\x17\0\0\0\xff\x10\x04Too many connections"
BLOCKED = "\x30\0\0\0\xff\x69\x04#HY000Host '172.22.1.1' is blocked"
NOT_FROM_HERE = "\x45\0\0\0\xff\x6a\x04Host '172.22.1.1' is not allowed to connect"


@pytest.mark.parametrize(
    ("port", "said", "status", "words"),
    [
        ("13306", TOO_MANY, "fail", "serves nobody: Too many connections"),
        ("13306", BLOCKED, "fail", "serves nobody: Host '172.22.1.1' is blocked"),
        ("13306", NOT_FROM_HERE, "pass", "MariaDB answers"),
        ("7654", "-ERR max number of clients reached", "fail", "serves nobody: -ERR max number"),
        ("7654", "-MISCONF Redis is unable to persist to disk.", "fail", "serves nobody: -MISCONF"),
        ("7654", "-LOADING Redis is loading the dataset in memory", "unknown", "serves nobody: -LOADING"),
        ("7654", "+PONG", "pass", "Redis answers"),
        ("7654", "-NOPERM this user has no permissions", "pass", "Redis answers"),
    ],
)
def test_a_store_that_takes_connections_and_serves_nobody(
    port: str, said: str, status: str, words: str
) -> None:
    spoken = Spoken("open", said) if port == "13306" else Spoken("open", "", (said,))
    found = ports({port: spoken})[port]
    assert (found.status, words in found.summary) == (status, True), found.summary


RELAYS_NOT = "454 4.7.1 <postmaster@gmail.com>: Relay access denied"
NOT_LISTED = (
    "550 5.1.0 <postmaster@example.org>: Sender address rejected: User unknown in virtual mailbox table"
)


@pytest.mark.parametrize(
    ("first", "second", "status", "words"),
    [
        # The word stands in the client's name, or in an address: nobody was refused for relaying.
        (
            "554 5.7.1 <relay.example.org[198.51.100.7]>: Client host rejected",
            RELAYS_NOT,
            "unknown",
            "another",
        ),
        ("550 5.1.8 <postmaster@relay.example>: Sender address rejected", RELAYS_NOT, "unknown", "another"),
        (RELAYS_NOT, "450 4.1.8 <a@relay.example>: Domain not found", "unknown", "another reason"),
        # Nobody has that address: what a sender who is one may do is not known.
        (RELAYS_NOT, NOT_LISTED, "pass", "not tried as one of your own"),
        (
            RELAYS_NOT,
            "553 5.7.1 <a@example.org>: Sender address rejected: not logged in",
            "pass",
            "own address",
        ),
    ],
)
def test_what_a_refusal_is_about(first: str, second: str, status: str, words: str) -> None:
    found = relaying({"25": asked(first, second)})
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert ("own, for want" in found.summary) == (second == NOT_LISTED)


def test_a_server_that_takes_nothing_refuses_nobody_for_relaying() -> None:
    later = Spoken("open", GREETS, (HELLO, NO_ROOM, NEEDS_MAIL, "250 Ok", NO_ROOM, NEEDS_MAIL, "250 Ok"))
    found = relaying({"25": later})
    assert (found.status, NO_ROOM in found.summary) == ("unknown", True), found.summary


@pytest.mark.parametrize(
    ("named", "sender"), [("Me@Example.org ", "me@example.org"), ("me> RCPT", "postmaster@example.org")]
)
def test_one_of_us_is_the_mailbox_that_was_named(named: str, sender: str) -> None:
    machine = MailMachine(BOXES, variables={"MAILCOW_WIZARD_MAILBOX": named})
    machine.facts().get(relay)
    assert f"MAIL FROM:<{sender}>" in machine.asked_of[0].lines


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        (
            "bounced (host dovecot said: 552 5.2.2 Quota exceeded)",
            "fail",
            "came back: host dovecot said: 552",
        ),
        (
            "deferred (connect to dovecot[172.22.1.250]:24: Connection refused)",
            "fail",
            "waits in postfix's queue",
        ),
        ("sent (250 2.0.0 <t@example.org> Saved)", "unknown", "was delivered, and not found after 60 s: 250"),
    ],
)
def test_what_became_of_a_message_that_was_taken(said: str, status: str, words: str) -> None:
    """Postfix takes a message before anybody knows whether it can be put into a mailbox."""
    log = (
        f"postfix/lmtp[1]: 4XkQ2: to=<t@example.org>, relay=dovecot[172.22.1.250]:24, delay=1, status={said}"
    )
    boxes = (container("postfix-mailcow", lines=log), container("dovecot-mailcow"))
    there = Tripped("arrive", "it was not there after 60 s (250 2.0.0 Ok: queued as 4XkQ2)", seconds=60.0)
    machine = MailMachine(boxes, variables=VARIABLES, trips={"t@example.org": there})
    found = judge_round_trip(machine.facts().get(trips))
    assert (found.status, words in found.summary) == (status, True), found.summary
