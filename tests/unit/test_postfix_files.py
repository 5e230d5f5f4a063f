"""Postfix's files, edited in place; what postconf itself says of them is tried in tests/real."""

import pytest

from mailcow_wizard.fixes.postfix_files import listeners, parameter, with_parameter, without_listeners

MAIN = """\
# inet_interfaces = commented
myhostname = mail.example.org
mynetworks = 127.0.0.0/8
  # a comment within

\t[::1]/128
inet_interfaces = all
relayhost =
inet_interfaces=192.0.2.1
"""
MASTER = """\
smtp      inet  n       -       y       -       -       smtpd
#smtp      inet  n       -       y       -       1       postscreen
127.0.0.1:submission inet n -   y       -       -       smtpd
  -o syslog_name=postfix/submission
# a comment
\t-o smtpd_tls_security_level=encrypt
[::1]:465 inet n - y - - smtpd
2525 inet n - y - - smtpd
pickup    unix  n       -       y       60      1       pickup
smtp      unix  -       -       y       -       -       smtp
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("myhostname", "mail.example.org"),
        ("inet_interfaces", "192.0.2.1"),
        ("relayhost", ""),
        ("mynetworks", "127.0.0.0/8 [::1]/128"),
        ("mydestination", None),
    ],
)
def test_parameter(name: str, value: str | None) -> None:
    assert parameter(MAIN, name) == value


def test_the_last_one_is_set_and_nothing_else_changes() -> None:
    after = with_parameter(MAIN, "inet_interfaces", "loopback-only")
    assert after == MAIN.replace("inet_interfaces=192.0.2.1", "inet_interfaces = loopback-only")
    assert parameter(after, "inet_interfaces") == "loopback-only"


def test_a_value_of_several_lines_is_replaced_as_a_whole() -> None:
    after = with_parameter(MAIN, "mynetworks", "127.0.0.1/32")
    assert "[::1]/128" not in after
    assert "mynetworks = 127.0.0.1/32\ninet_interfaces = all" in after


@pytest.mark.parametrize("text", ["", "myhostname = a\n", "myhostname = a"])
def test_a_new_one_stands_at_the_end(text: str) -> None:
    after = with_parameter(text, "relayhost", "[172.22.1.253]")
    assert after.endswith("relayhost = [172.22.1.253]\n")
    assert parameter(after, "relayhost") == "[172.22.1.253]"
    assert after.startswith(text)


def test_listeners() -> None:
    assert listeners(MASTER, (25, 465, 587)) == ("smtp", "127.0.0.1:submission", "[::1]:465")
    assert listeners(MASTER, (2525,)) == ("2525",)
    after = without_listeners(MASTER, (25, 465, 587))
    assert listeners(after, (25, 465, 587)) == ()
    assert listeners(after, (2525,)) == ("2525",)
    changed = [line for line in after.splitlines() if line not in MASTER.splitlines()]
    assert all(line.startswith("#") for line in changed)
    assert "#\t-o smtpd_tls_security_level=encrypt\n" in after
    assert after.count("\n") == MASTER.count("\n")


def test_the_client_that_sends_mail_stays() -> None:
    assert "\nsmtp      unix" in without_listeners(MASTER, (25,))


CYRILLIC = "inet_interfaces = all\n# для всех адресов\nmyhostname = a.example\n".encode().decode("latin-1")


def test_a_letter_with_the_byte_of_an_odd_line_end_ends_no_line() -> None:
    after = with_parameter(CYRILLIC, "inet_interfaces", "loopback-only")
    assert after == CYRILLIC.replace("all\n", "loopback-only\n", 1)
    master = "smtp inet n - y - - smtpd\n  # для всех адресов\n  -o a=b\n".encode().decode("latin-1")
    off = without_listeners(master, (25,))
    assert off == master.replace("smtp ", "#smtp ", 1).replace("  -o", "#  -o")
