"""SPF records: their words, their macros, and what is none (RFC 7208, 4.6, 7 and 12)."""

import contextlib
import time

import pytest

from mailcow_wizard.facts.dns.spf_check import policies
from mailcow_wizard.facts.dns.spf_record import BadRecord, Sender, Term, expanded, policy

V4 = Sender("192.0.2.3", "mx.example.org", "strong-bad", "email.example.com")
V6 = V4._replace(address="2001:db8::cb01")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("all", Term("all", "+", "all")),
        ("-ALL", Term("-ALL", "-", "all")),
        ("a", Term("a", "+", "a")),
        ("~a/24", Term("~a/24", "~", "a", v4=24)),
        ("a//64", Term("a//64", "+", "a", v6=64)),
        ("mx/0//0", Term("mx/0//0", "+", "mx", v4=0, v6=0)),
        ("a:b.example/24//64", Term("a:b.example/24//64", "+", "a", "b.example", v4=24, v6=64)),
        ("mx:%{d2}", Term("mx:%{d2}", "+", "mx", "%{d2}")),
        ("a:b.example.", Term("a:b.example.", "+", "a", "b.example.")),
        ("ptr", Term("ptr", "+", "ptr")),
        ("?ptr:b.example", Term("?ptr:b.example", "?", "ptr", "b.example")),
        ("include:_spf.b.example", Term("include:_spf.b.example", "+", "include", "_spf.b.example")),
        ("exists:%{ir}.b.example", Term("exists:%{ir}.b.example", "+", "exists", "%{ir}.b.example")),
        ("exists:a/b.example", Term("exists:a/b.example", "+", "exists", "a/b.example")),
        ("ip4:192.0.2.7", Term("ip4:192.0.2.7", "+", "ip4", network="192.0.2.7/32")),
        ("ip4:192.0.2.7/24", Term("ip4:192.0.2.7/24", "+", "ip4", network="192.0.2.0/24")),
        ("IP6:2001:DB8::1/64", Term("IP6:2001:DB8::1/64", "+", "ip6", network="2001:db8::/64")),
    ],
)
def test_words(text: str, term: Term) -> None:
    assert policy(f"v=spf1 {text}").terms == (term,)


@pytest.mark.parametrize(
    "text",
    [
        "moo",
        "=a",
        "!all",
        "all:b.example",
        "all/8",
        "include",
        "include:",
        "include:b.example/24",
        "exists",
        "exists:",
        "a:",
        "a:/24",
        "a/",
        "a/33",
        "a/024",
        "a//129",
        "a/24/64",
        "a:localhost",
        "a:b.example:8080",
        "a:b.example,",
        "a:b..example.1",
        "mx:b.example/99",
        "ptr:",
        "ip4",
        "ip4:",
        "ip4:192.0.2",
        "ip4:192.0.2.444",
        "ip4:192.0.2.1/33",
        "ip4:192.0.2.1//32",
        "ip4:2001:db8::1",
        "ip4:b.example",
        "ip6:192.0.2.1",
        "ip6:2001:db8::1/129",
        "ip6:fe80::1%eth0",
        "ipv4:192.0.2.1",
        "a:%{x}.b.example",
        "a:%{d0}.b.example",
        "a:%(d).b.example",
        "a:%d.b.example",
        "a:b.example%",
        "a:%{c}.b.example",
        "exists:%{r}.b.example",
        "redirect=",
        "redirect=localhost",
        "redirect=a.example redirect=b.example",
        "exp=",
        "exp=a.example exp=b.example",
        "exp=%{t}.b.example",
        "moo=%x",
        "a\tmx",
        "a:bä.example",
        "ip4:192.0.2.1 " * 1200,
    ],
)
def test_what_makes_a_record_useless(text: str) -> None:
    with pytest.raises(BadRecord):
        policy(f"v=spf1 {text} -all")


def test_what_may_stand_there_all_the_same() -> None:
    found = policy("v=spf1   a  moo=%{d}%%%_%- exp=why.%{d} REDIRECT=_spf.b.example op=x ")
    assert [one.text for one in found.terms] == ["a"]
    assert found.redirect == "_spf.b.example"


# The examples of RFC 7208, 7.4, and some more.
@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{h}", "mx.example.org"),
        ("%{p}.b.example", "named.example.b.example"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("a%%b%-c.example.", "a%b%20c.example"),
        ("%{d99999999999999999999}", "email.example.com"),
    ],
)
def test_macros(spec: str, name: str) -> None:
    assert expanded(spec, V4, V4.domain, lambda: "named.example") == name


def test_macros_of_ipv6() -> None:
    nibbles = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    assert expanded("%{ir}.%{v}._spf.%{d2}", V6, V6.domain, str) == f"{nibbles}.ip6._spf.example.com"


def test_a_name_that_grows_too_long_loses_its_first_labels() -> None:
    long = V4._replace(local=".".join(["aaaaaaaaa"] * 30))
    name = expanded("%{l}.b.example", long, "b.example", str)
    assert len(name) <= 253
    assert name.endswith("aaaaaaaaa.b.example")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("v=spf1", True),
        ("V=SPF1 -all", True),
        ("v=spf1 ", True),
        ("v=spf10 -all", False),
        ("v=spf1\t-all", False),
        (" v=spf1 -all", False),
        ("spf2.0/pra -all", False),
        ("", False),
    ],
)
def test_which_text_is_a_record(text: str, is_one: bool) -> None:
    assert bool(policies((text,))) is is_one


@pytest.mark.parametrize(
    "text",
    [
        "a:x." + "a" * 16000 + "!",
        "a:" + ".a" * 8000,
        "a:x." + "a-" * 8000 + "!",
        "exists:" + "%{d}" * 4000 + "!",
    ],
)
def test_long_records_are_read_in_little_time(text: str) -> None:
    start = time.process_time()
    with contextlib.suppress(BadRecord):
        policy(f"v=spf1 {text}")
    assert time.process_time() - start < 0.2
