"""Headers as large and small providers write them: whose word counts, and what a forged one is worth."""

import pytest

from mailcow_wizard.facts.mail.authentication_results import Seen, results, seen
from mailcow_wizard.facts.mail.hops import hop, same_house

SERVER = "mail.example.org"
OURS = "Received: from [127.0.0.1] (localhost [127.0.0.1]) by localhost (Mailerdaemon) with ESMTPSA id 1"
FORGED = "Authentication-Results: mx.far.example; spf=pass; dkim=pass header.d=example.org; dmarc=pass"

POSTFIX = (
    "Received: from mx.far.example ([192.88.99.20]) by vm with LMTP id a (envelope-from <me@example.org>)",
    "Received: from mail.example.org (mail.example.org [192.88.99.10]) (using TLSv1.3 with cipher "
    "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519) (No client certificate requested) "
    "by mx.far.example (Postfix) with ESMTPS id 4C for <me@far.example>; Sat, 28 Nov 2026",
    'Authentication-Results: mx.far.example; dkim=fail reason="key not found in DNS" (0-bit key) '
    "header.d=example.org header.i=@example.org",
    "Authentication-Results: mx.far.example; spf=softfail (domain owner discourages) "
    "smtp.mailfrom=me@example.org",
    "Authentication-Results: mx.far.example; spf=pass smtp.helo=mail.example.org",
    "Authentication-Results: mx.far.example; dmarc=fail (p=none dis=none) header.from=example.org",
    OURS,
)
GMAIL = (
    "Received: by 2002:a05:7010:1d84:b0:3f9:c5c2:b2b0 with SMTP id f4csp; Sat, 28 Nov 2026",
    "Received: from mail.example.org (mail.example.org. [192.88.99.10]) by mx.google.com with ESMTPS id x "
    "for <me@gmail.com> (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256); Sat, 28 Nov 2026",
    "Authentication-Results: mx.google.com; dkim=pass header.i=@example.org header.s=dkim header.b=Ab1; "
    "spf=pass (google.com: domain of a@example.org designates 192.88.99.10 as permitted sender) "
    "smtp.mailfrom=a@example.org; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org",
    OURS,
)
OUTLOOK = (
    "Received: from DB9P.eurprd05.prod.outlook.com (2603:10a6:10:1::1) by AM0P.eurprd05.prod.outlook.com "
    "(2603:10a6:208:1::2) with Microsoft SMTP Server (version=TLS1_2, cipher=X) id 15; Sat, 28 Nov 2026",
    "Authentication-Results: spf=pass (sender IP is 192.88.99.10) smtp.mailfrom=example.org; dkim=pass "
    "(signature was verified) header.d=example.org;dmarc=bestguesspass action=none "
    "header.from=example.org;compauth=pass reason=109",
    "Received: from mail.example.org (192.88.99.10) by DB5P.mail.protection.outlook.com (10.152.20.1) with "
    "Microsoft SMTP Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15; Sat, 28 Nov 2026",
    OURS,
)
YAHOO = (
    "Received: from 192.88.99.10 (EHLO mail.example.org) by 10.222.144.17 with SMTPs (version=TLS1_3 "
    "cipher=TLS_AES_128_GCM_SHA256); Sat, 28 Nov 2026",
    "Authentication-Results: atlas-production.v2-mail-prod1-gq1.omega.yahoo.com; dkim=pass "
    "header.i=@example.org header.s=dkim; spf=pass smtp.mailfrom=example.org; "
    "dmarc=pass(p=REJECT) header.from=example.org;",
    OURS,
)
FASTMAIL = (
    "Received: from phl-compute-01.internal (phl-compute-01.phl.internal [10.202.2.41]) by "
    "sloti44n14 (Cyrus 3.9) with LMTPA; Sat, 28 Nov 2026",
    "Received: from mx5 ([10.202.2.204]) by phl-compute-01.internal (LMTPProxy); Sat, 28 Nov 2026",
    "Authentication-Results: mx5.messagingengine.com; dkim=pass (2048-bit rsa key sha256) "
    "header.d=example.org; dmarc=pass policy.published-domain-policy=none header.from=example.org; "
    "spf=pass smtp.mailfrom=a@example.org",
    "Received: from mail.example.org (mail.example.org [192.88.99.10]) (using TLSv1.2 with cipher X) by "
    "mx5.messagingengine.com (Postfix) with ESMTPS; Sat, 28 Nov 2026",
    OURS,
)


def words(found: Seen, domain: str = "example.org") -> str:
    every = (found.of(method, domain) for method in ("spf", "dkim", "dmarc"))
    return " ".join(one.result if one else "-" for one in every)


@pytest.mark.parametrize(
    ("headers", "by", "said", "tls"),
    [
        (POSTFIX, "mx.far.example", "softfail fail fail", "TLS 1.3"),
        (GMAIL, "mx.google.com", "pass pass pass", "TLS 1.3"),
        (OUTLOOK, "", "pass pass bestguesspass", "TLS 1.3"),
        (YAHOO, "atlas-production.v2-mail-prod1-gq1.omega.yahoo.com", "pass pass pass", "TLS 1.3"),
        (FASTMAIL, "mx5.messagingengine.com", "pass pass pass", "TLS 1.2"),
    ],
)
def test_providers(headers: tuple[str, ...], by: str, said: str, tls: str) -> None:
    found = seen(headers, SERVER)
    assert (found.by, words(found), found.tls, found.address) == (by, said, tls, "192.88.99.10")
    # What the message brought along changes nothing, whoever it is said to be from.
    assert seen((*headers, FORGED, FORGED.replace("mx.far.example", by or "x")), SERVER) == found


def test_what_was_said() -> None:
    found = seen(POSTFIX, SERVER)
    dkim = found.of("dkim", "example.org")
    assert dkim
    assert (dkim.domain, dkim.said) == ("example.org", "key not found in DNS")


def test_a_server_that_does_not_say() -> None:
    """No word of its own: neither that of the message, nor that of our own server, nor that of a relay."""
    silent = (POSTFIX[0], POSTFIX[1], OURS)
    assert words(seen(silent, SERVER)) == "- - -"
    assert words(seen((*silent, FORGED), SERVER)) == "- - -"
    own = FORGED.replace("mx.far.example", SERVER)
    assert words(seen((*silent[:2], own, OURS), SERVER)) == "- - -"
    relay = (
        POSTFIX[1].replace(SERVER, "out.relay.example"),
        "Authentication-Results: in.relay.example; spf=pass; dkim=pass header.d=example.org; dmarc=pass",
        "Received: from mail.example.org (mail.example.org [192.88.99.10]) by in.relay.example with ESMTPS",
        "Authentication-Results: in.relay.example; spf=pass; dkim=pass header.d=example.org; dmarc=pass",
        OURS,
    )
    # Between the two it could be the relay's, above its own mark, or the far server's, below its own.
    far = seen(tuple(one for place, one in enumerate(relay) if place != 1), "")
    assert (words(far), far.by) == ("- - -", "")
    assert words(seen(relay[:1] + relay[2:], "other.example.org")) == "- - -"
    said = "Authentication-Results: mx.far.example; spf=fail"
    assert words(seen((relay[0], said, *relay[1:]), "other.example.org")) == "fail - -"


def test_forged_by_name_above_ours() -> None:
    """The far server has its own word first; another name further down is not believed."""
    headers = (*POSTFIX[:3], FORGED.replace("mx.far.example", "mx.other.example"), OURS)
    found = seen(headers, SERVER)
    assert (found.by, words(found)) == ("mx.far.example", "- fail -")


def test_without_a_way() -> None:
    assert seen((), SERVER) == Seen()
    assert seen((FORGED,), SERVER) == Seen()
    assert seen((FORGED, OURS), SERVER) == Seen()
    # Our server took it, and nobody else: it never left.
    assert seen((FORGED, f"Received: from a.example by {SERVER} with ESMTPSA"), SERVER) == Seen()


def test_our_server_hides_itself() -> None:
    """postfix drops its own mark: the only one left is the far server's."""
    assert words(seen(POSTFIX[1:-1], SERVER)) == "softfail fail fail"
    assert words(seen((POSTFIX[1], FORGED.replace("mx.far", "mx.elsewhere")), SERVER)) == "- - -"


def test_signatures_of_others() -> None:
    """A signature counts for the domain that it is of; ours is looked for among several."""
    header = "Authentication-Results: mx.far.example; dkim=pass header.d=sender.example"
    found = seen((POSTFIX[1], header, OURS), SERVER).of("dkim", "example.org")
    assert found
    assert (found.result, found.said) == ("none", "sender.example")
    both = f"{header}; dkim=fail header.d=example.org; dkim=pass header.d=news.example.org"
    found = seen((POSTFIX[1], both, OURS), SERVER).of("dkim", "example.org")
    assert found
    assert (found.result, found.domain) == ("pass", "news.example.org")


@pytest.mark.parametrize(
    ("value", "by", "said"),
    [
        ("mx.a.example 1; none", "mx.a.example", []),
        ("mx.a.example; SPF = Pass", "mx.a.example", ["spf=pass"]),
        ('"mx.a.example"; dkim/1=pass (a; dmarc=pass) header.d=b.example', "mx.a.example", ["dkim=pass"]),
        (r"mx.a.example; dkim=fail (a \) ; dmarc=pass); spf=none", "mx.a.example", ["dkim=fail", "spf=none"]),
        ('mx.a.example; dkim=fail reason="x; dmarc=pass"', "mx.a.example", ["dkim=fail"]),
        ("mx.a.example; arc=pass; iprev=pass; auth=pass", "mx.a.example", []),
        ("mx.a.example (spf=pass; dkim=pass); dmarc=fail", "mx.a.example", ["dmarc=fail"]),
        ("mx.a.example; x-dmarc=pass; xspf=pass", "mx.a.example", []),
        ("", "", []),
    ],
)
def test_the_grammar(value: str, by: str, said: list[str]) -> None:
    found_by, found = results(value)
    assert (found_by, [f"{one.method}={one.result}" for one in found]) == (by, said)


@pytest.mark.parametrize(
    ("line", "names", "address", "by", "tls", "inside"),
    [
        ("Received: from a.example ([192.0.2.1]:4567 helo=b.example) by c.example with esmtps (TLS1.3) tls "
         "TLS_AES_256_GCM_SHA384 (Exim 4.96)", "a.example b.example", "192.0.2.1", "c.example", "TLS 1.3",
         False),
        ("Received: from unknown (HELO a.example) (192.0.2.1) by b.example with SMTP", "a.example",
         "192.0.2.1", "b.example", "none", False),
        ("Received: from a.example (unknown [IPv6:2001:db8::1]) by b.example with ESMTPS", "a.example",
         "2001:db8::1", "b.example", "TLS", False),
        ("Received: from localhost (localhost [127.0.0.1]) by b.example with ESMTP", "", "127.0.0.1",
         "b.example", "none", True),
        ("Received: from localhost by b.example with LMTP", "", "", "b.example", "none", True),
        ("Received: by b.example with HTTP", "", "", "b.example", "", True),
        ("Received: nonsense", "", "", "", "", True),
    ],
)  # fmt: skip
def test_steps(line: str, names: str, address: str, by: str, tls: str, inside: bool) -> None:
    found = hop(line)
    assert (" ".join(found.names), found.address, found.by, found.tls) == (names, address, by, tls)
    assert found.inside is inside


def test_houses() -> None:
    assert same_house("mx.google.com", "gmail-smtp-in.l.google.com")
    assert not same_house("a.co.uk", "b.co.uk")
    assert not same_house("", "")
    assert same_house("a.b.co.uk", "c.b.co.uk.")
