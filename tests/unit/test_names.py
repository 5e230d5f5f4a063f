"""Host names as people type them: kept in one form, or refused with the reason."""

import pytest

from mailcow_wizard.names import NotAName, doubt, host_name, mail_domain, mail_host_name

KEPT = {
    "mail.example.org": "mail.example.org",
    " Mail.Example.ORG. ": "mail.example.org",
    "xn--mnchen-3ya.de": "xn--mnchen-3ya.de",
    "münchen.de": "xn--mnchen-3ya.de",
    "MÜNCHEN.de.": "xn--mnchen-3ya.de",
    "例え。jp": "xn--r8jz45g.jp",
    "例え。jp。": "xn--r8jz45g.jp",
    "faß.de": "xn--fa-hia.de",
    "STRAẞE.de": "xn--strae-oqa.de",
    "weiß.bücher.de": "xn--wei-7ka.xn--bcher-kva.de",
    "βόλος.com": "xn--nxasmm1c.com",
    "ΒΌΛΟΣ.com": "xn--nxasmq6b.com",
    "localhost": "localhost",
    "1and1.example": "1and1.example",
    "a" * 63 + ".org": "a" * 63 + ".org",
}

REFUSED = {
    "": "a name is needed",
    " . ": "a name is needed",
    "a..b": "two dots",
    "-a.org": "only letters",
    "a-.org": "only letters",
    "a_b.org": "only letters",
    "a b.org": "only letters",
    "mail.example.org\nX": "only letters",
    "a" * 64 + ".org": "only letters",
    ".".join(["a" * 50] * 6): "longer than 253",
    "192.0.2.1": "address",
    "2001:db8::1": "only letters",
    "ü" * 70 + ".org": "cannot|can hold",
    "ß" * 70 + ".org": "only letters|can hold",
    "a ß.org": "only letters|can hold",
    "-ß.org": "can hold",
    "xn--ß.org": "only letters|can hold",
    "anna@example.org": "only letters",
    "\x1b[31m.org": "only letters",
    "\udc80.org": "can hold",
}


@pytest.mark.parametrize("text", KEPT)
def test_kept(text: str) -> None:
    assert host_name(text) == KEPT[text]


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(NotAName, match=REFUSED[text]):
        host_name(text)


def test_a_mail_server_has_a_full_name() -> None:
    assert mail_host_name("mail.example.org") == "mail.example.org"
    assert mail_host_name("example.org") == "example.org"
    with pytest.raises(NotAName, match="full name"):
        mail_host_name("mail")


def test_a_mail_domain_has_a_dot() -> None:
    assert mail_domain("Example.ORG.") == "example.org"
    with pytest.raises(NotAName, match="such as example"):
        mail_domain("localhost")


@pytest.mark.parametrize(
    ("hostname", "domain", "words"),
    [
        ("mail.example.org", "example.org", ""),
        ("mail.example.org", "example.net", ""),
        ("mail.example.org", "mail.example.org", "a name of its own"),
        ("example.org", "example.net", "better is mail.example.org"),
    ],
)
def test_names_that_mailcow_takes_but_should_not_be_given(hostname: str, domain: str, words: str) -> None:
    assert bool(doubt(hostname, domain)) is bool(words)
    assert words in doubt(hostname, domain)
