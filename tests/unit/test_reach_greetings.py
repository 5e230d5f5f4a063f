"""Whether a far side heard the server that this machine hears."""

import pytest

from mailcow_wizard.engine.reach_greetings import likeness, shown
from mailcow_wizard.host.reach.talk import Door, talk, with_text

SMTP = "o~220_mail,example,org_ESMTP_Postcow"
NGINX = "o~HTTP_1,1_301_nginx"


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (SMTP, SMTP, "same"),
        (SMTP, "o~220_MAIL,example,org_ESMTP", "same"),
        # Before it greets, postscreen teases.
        (SMTP, "o~220-mail,example,org_ESMTP", "same"),
        (SMTP, "o~220_mail,example,com_ESMTP_Postcow", "other"),
        # A firewall that inspects SMTP hides what is said.
        (SMTP, "o~220_*******************", "other"),
        (SMTP, "o~+OK_ready", "other"),
        (SMTP, "t", "other"),
        # It refuses this far side, and may well be ours.
        (SMTP, "o~554_5,7,1_Service_unavailable__client_host", "untold"),
        ("o~421_mail,example,org_too_busy", SMTP, "untold"),
        ("o~220_localhost_ESMTP", "o~220_localhost_ESMTP", "alike"),
        ("o~*_OK_Dovecot_ready,", "o~*_OK_Dovecot_ready,_", "alike"),
        ("o~*_OK_Dovecot_ready,", "o~*_OK_Courier_ready,", "other"),
        ("o~+OK_ready_12", "o~+OK_ready_13", "alike"),
        ("t", "o~220_mail", "other"),
        ("o~220_mail", "t", "other"),
        ("t", "t", "alike"),
        ("r", "t", "untold"),
        (NGINX, NGINX + "_", "alike"),
        # Others may be shown another page.
        (NGINX, "o~HTTP_1,1_403_nginx", "alike"),
        (NGINX, "o~HTTP_1,1_301_squid_5,7", "other"),
        (NGINX, "o~HTTP_1,1_200", "untold"),
        ("o~HTTP_1,1_301", "o~HTTP_1,1_301", "alike"),
        ("t~00112233445566aa", "t~00112233445566aa", "same"),
        ("t~00112233445566aa", "t~00112233445566ab", "other"),
        # bash hears that TLS is spoken, and no certificate.
        ("t~00112233445566aa", "t", "alike"),
        ("t~00112233445566aa", "o~HTTP_1,1_302_portal", "other"),
        ("o~220_mail,example,org", "t~00112233445566aa", "other"),
        # Nothing was said, or this machine was not heard itself.
        (SMTP, "o", "untold"),
        ("t~00112233445566aa", "o", "untold"),
        ("", SMTP, "untold"),
        ("r", SMTP, "untold"),
        ("o", SMTP, "untold"),
        ("o", "o", "untold"),
    ],
)
def test_likeness(here: str, there: str, said: str) -> None:
    assert likeness(here, there) == said


def test_what_people_are_shown() -> None:
    assert shown(SMTP) == "220 mail.example.org ESMTP Postcow"
    assert shown("t~00112233445566aa") == shown("t") == shown("o") == ""


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"220 mail.example.org ESMTP\r\n", "o~220_mail,example,org_ESMTP"),
        (b"* OK [CAPABILITY IMAP4rev1 SASL-IR] Dovecot ready.\r\n", "o~*_OK_Dovecot_ready,"),
        (b"\x1b[2J;rm -rf /'\"$(id)`id`\n", "o~_2J_rm_-rf______id__id"),
        (b"\xff\x00\x16\r\n", "o"),
        (b"", "o"),
        (b"+OK POP3 ready <23a5.1b@mail>\r\n", "o~+OK_POP3_ready"),
        (b"220 " + b"x" * 500, "o~220_" + "x" * 36),
    ],
)
def test_only_harmless_letters_are_told(said: bytes, answer: str) -> None:
    told = with_text("o", said)
    assert told.replace("_", "") == answer.replace("_", "")
    assert len(told) <= 42


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ([b"22", b"0 mail.example.org ESM", b"TP\r\n"], "o~220_mail,example,org_ESMTP"),
        ([b"220-please wait\r\n", b"220 mail.example.org\r\n"], "o~220_mail,example,org"),
        ([b"220-mail.example.org\r\n", b""], "o~220-mail,example,org"),
        ([b"220 mail.exa", b""], "o~220_mail,exa"),
        ([b""], "o"),
        ([b"220-" + b"x" * 99 + b"\r\n"] * 200, "o~220-" + "x" * 36),
    ],
)
def test_a_greeting_in_pieces(parts: list[bytes], answer: str) -> None:
    one = talk(Door("192.0.2.1", 25, "greets"), "")
    for part in parts:
        assert one.first == one.take(part) == b""
        if one.answer:
            break
    assert one.end() == answer


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ([b"HTTP/1.1 301 Moved Perm", b"anently\r\nServer: nginx\r\n\r\n"], "o~HTTP_1,1_301_nginx"),
        ([b"HTTP/1.1 200 OK\r\n\r\n"], "o~HTTP_1,1_200"),
        ([b"HTTP/1.1 200 OK\nserver: a b\n", b""], "o~HTTP_1,1_200_a_b"),
        ([b"220 I am a mail server\r\n", b""], "o~220_I_am_a_mail_server"),
        ([b""], "o"),
    ],
)
def test_a_web_server_in_pieces(parts: list[bytes], answer: str) -> None:
    one = talk(Door("192.0.2.1", 80, "http"), "")
    for part in parts:
        one.take(part)
    assert one.end() == answer


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ([b"\x15\x03\x03\x00\x02\x02\x28", b""], "t"),
        ([b"\x16\x03", b""], "t"),
        ([b"220 plain\r\n"], "o~220_plain"),
        ([b"2", b"20 plain", b""], "o~220_plain"),
        ([b""], "o"),
    ],
)
def test_what_answers_to_tls(parts: list[bytes], answer: str) -> None:
    one = talk(Door("192.0.2.1", 443, "tls"), "")
    assert one.first.startswith(b"\x16\x03")
    for part in parts:
        one.take(part)
    assert one.end() == answer
