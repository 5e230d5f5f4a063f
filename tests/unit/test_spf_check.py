"""check_host of RFC 7208: which address passes whose record, and when the evaluation ends with an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from mailcow_wizard.facts.dns.spf_check import Heard, Verdict, check
from mailcow_wizard.facts.dns.spf_record import Sender

if TYPE_CHECKING:
    from mailcow_wizard.facts.dns.spf_check import Ask

V4, V6 = "192.0.2.65", "2001:db8:1::65"
REVERSE_V4 = "65.2.0.192.in-addr.arpa"

World = Mapping[tuple[str, str], tuple[str, ...]]

WORLD: World = {
    ("example.com", "A"): ("192.0.2.10", "192.0.2.65"),
    ("example.com", "MX"): ("10 mail-a.example.com", "20 mail-b.example.com"),
    ("mail-a.example.com", "A"): ("192.0.2.129",),
    ("mail-b.example.com", "A"): ("192.0.2.130", "192.0.2.65"),
    ("mail-b.example.com", "AAAA"): (V6,),
    ("only4.example", "A"): ("192.0.2.65",),
    ("no-mail.example", "MX"): ("0 .",),
    ("many.example", "MX"): tuple(f"10 m{n}.many.example" for n in range(11)),
    ("three.example", "MX"): tuple(f"10 m{n}.three.example" for n in range(3)),
    ("yes.example", "TXT"): ("unrelated", "v=spf1 ip4:192.0.2.64/26 -all"),
    ("no.example", "TXT"): ("v=spf1 -all",),
    ("soft.example", "TXT"): ("v=spf1 ~all",),
    ("open.example", "TXT"): ("v=spf1 ?all",),
    ("empty.example", "TXT"): ("v=spf1",),
    ("broken.example", "TXT"): ("v=spf1 moo",),
    ("two.example", "TXT"): ("v=spf1 a", "v=spf1 mx"),
    ("other.example", "TXT"): ("hello",),
    ("loop.example", "TXT"): ("v=spf1 include:loop.example -all",),
    ("ring.example", "TXT"): ("v=spf1 redirect=ring.example",),
    ("to-yes.example", "TXT"): ("v=spf1 redirect=yes.example",),
    ("65.2.0.192.allowed.example", "A"): ("127.0.0.2",),
    (REVERSE_V4, "PTR"): ("other.example.net", "host.example.com", "notexample.com"),
    ("host.example.com", "A"): ("192.0.2.65",),
    ("notexample.com", "A"): ("192.0.2.65",),
    ("host.example.com.allowed.example", "A"): ("127.0.0.2",),
    **{(f"i{n}.example", "TXT"): (f"v=spf1 include:i{n + 1}.example -all",) for n in range(20)},
}


def asker(world: World, slow: frozenset[str] = frozenset()) -> Ask:
    def ask(name: str, type: str) -> Heard:
        if name in slow:
            return Heard((), "no answer within 2 s")
        return Heard(world.get((name, type), ()))

    return ask


def verdict(text: str, address: str = V4, slow: frozenset[str] = frozenset({"slow.example"})) -> Verdict:
    sender = Sender(address, "mail.example.com", "postmaster", "example.com")
    return check(f"v=spf1 {text}".rstrip(), sender, asker(WORLD, slow))


@pytest.mark.parametrize(
    ("text", "result", "term"),
    [
        # RFC 7208, appendix A.1
        ("+all", "pass", "+all"),
        ("a -all", "pass", "a"),
        ("a:example.org -all", "fail", "-all"),
        ("mx -all", "pass", "mx"),
        ("mx:example.org -all", "fail", "-all"),
        ("mx mx:example.org -all", "pass", "mx"),
        ("mx/30 mx:example.org/30 -all", "pass", "mx/30"),
        ("ptr -all", "pass", "ptr"),
        ("ip4:192.0.2.128/28 -all", "fail", "-all"),
        # the qualifiers, and no word at all
        ("-a +all", "fail", "-a"),
        ("?a -all", "neutral", "?a"),
        ("~a -all", "softfail", "~a"),
        ("", "neutral", ""),
        ("a:nobody.example", "neutral", ""),
        ("moo=bar", "neutral", ""),
        # networks
        ("ip4:192.0.2.65 -all", "pass", "ip4:192.0.2.65"),
        ("ip4:192.0.0.0/16 -all", "pass", "ip4:192.0.0.0/16"),
        ("ip4:0.0.0.0/0 -all", "pass", "ip4:0.0.0.0/0"),
        ("ip6:::/0 -all", "fail", "-all"),
        ("a:mail-a.example.com/24 -all", "pass", "a:mail-a.example.com/24"),
        ("a:mail-a.example.com//0 -all", "fail", "-all"),
        # include: what each result of the other record means
        ("include:yes.example -all", "pass", "include:yes.example"),
        ("-include:yes.example +all", "fail", "-include:yes.example"),
        ("include:no.example ?all", "neutral", "?all"),
        ("include:soft.example -all", "fail", "-all"),
        ("include:open.example -all", "fail", "-all"),
        ("include:empty.example -all", "fail", "-all"),
        ("include:to-yes.example -all", "pass", "include:to-yes.example"),
        ("include:broken.example ?all", "permerror", ""),
        ("include:two.example ?all", "permerror", ""),
        ("include:other.example ?all", "permerror", ""),
        ("include:nobody.example ?all", "permerror", ""),
        ("include:slow.example ?all", "temperror", ""),
        ("include:loop.example ?all", "permerror", ""),
        ("a include:nobody.example", "pass", "a"),
        # redirect: only where nothing matches, and then with the other's own words
        ("redirect=yes.example", "pass", "ip4:192.0.2.64/26"),
        ("redirect=no.example", "fail", "-all"),
        ("redirect=open.example", "neutral", "?all"),
        ("?all redirect=yes.example", "neutral", "?all"),
        ("redirect=nobody.example", "permerror", ""),
        ("redirect=ring.example", "permerror", ""),
        ("redirect=slow.example", "temperror", ""),
        # exists and macros
        ("exists:%{ir}.allowed.example -all", "pass", "exists:%{ir}.allowed.example"),
        ("exists:%{i}.allowed.example -all", "fail", "-all"),
        ("exists:%{p}.allowed.example -all", "pass", "exists:%{p}.allowed.example"),
        ("exists:slow.example -all", "temperror", ""),
        # ptr: only a name that leads back counts, and only whole labels
        ("ptr:example.com -all", "pass", "ptr:example.com"),
        ("ptr:host.example.com -all", "pass", "ptr:host.example.com"),
        ("ptr:example.net -all", "fail", "-all"),
        # mx
        ("mx:no-mail.example -all", "fail", "-all"),
        ("mx:many.example -all", "permerror", ""),
        ("mx:slow.example -all", "temperror", ""),
        # errors that stand behind the word that decides do not matter, but errors of syntax do
        ("a a:slow.example", "pass", "a"),
        ("a moo", "permerror", ""),
        ("a ip4:192.0.2.0/40", "permerror", ""),
    ],
)
def test_ipv4(text: str, result: str, term: str) -> None:
    found = verdict(text)
    assert (found.result, found.term) == (result, term)
    assert bool(found.why) is result.endswith("error")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("mx -all", "pass"),
        ("a -all", "fail"),
        ("a:only4.example -all", "fail"),
        ("a:mail-b.example.com//48 -all", "pass"),
        ("ip6:2001:db8::/32 -all", "pass"),
        ("ip4:0.0.0.0/0 -all", "fail"),
        ("exists:only4.example -all", "pass"),
        ("mx:three.example ip6:2001:db8:1::65 -all", "pass"),
    ],
)
def test_ipv6(text: str, result: str) -> None:
    assert verdict(text, V6).result == result


def test_ten_lookups_are_allowed_and_not_one_more() -> None:
    ten = " ".join(["a:mail-a.example.com"] * 10)
    assert verdict(f"{ten} -all").result == "fail"
    found = verdict(f"{ten} mx -all")
    assert (found.result, found.why) == ("permerror", "it needs more than 10 look-ups")
    assert verdict(f"{ten} redirect=no.example").result == "permerror"
    assert verdict(f"{ten} ip4:192.0.2.65 -all").result == "pass"
    assert verdict("include:i11.example -all").why  # nine includes, and then a domain without a record
    assert verdict("include:i0.example -all").why == "it needs more than 10 look-ups"


def test_two_empty_answers_are_allowed_and_not_one_more() -> None:
    assert verdict("a:n1.example mx:n2.example a -all").result == "pass"
    found = verdict("a:n1.example mx:n2.example exists:n3.example a -all")
    assert (found.result, found.why) == ("permerror", "more than 2 of its look-ups find nothing")


def test_hosts_of_one_mx_without_an_address_count_as_one_word() -> None:
    assert verdict("mx:three.example a -all").result == "pass"


def test_counts() -> None:
    found = verdict("a:n1.example include:no.example mx -all")
    assert (found.lookups, found.void) == (3, 1)


def test_names_that_cannot_be_asked_are_not_asked() -> None:
    long = "a" * 64
    assert verdict(f"a:{long}.example a -all").result == "pass"
    assert verdict(f"include:{long}.example -all").result == "permerror"


def test_one_pass_names_every_question_that_can_be_asked_together() -> None:
    wanted: list[tuple[str, str]] = []

    def ask(name: str, type: str) -> None:
        wanted.append((name, type))

    text = "v=spf1 include:a.example mx a:b.example exists:c.example ptr redirect=d.example"
    check(text, Sender(V4, "mail.example.com", "postmaster", "example.com"), ask)
    assert wanted == [
        ("a.example", "TXT"),
        ("example.com", "MX"),
        ("b.example", "A"),
        ("c.example", "A"),
        (REVERSE_V4, "PTR"),
        ("d.example", "TXT"),
    ]
