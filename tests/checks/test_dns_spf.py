"""dns.spf: what is said of records that are right, weak, wrong, several, missing or not to be asked."""

import hashlib

import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, RESOLVER, ZONE, Rows, World, facts, world_of
from judged import look

from mailcow_wizard.checks.dns_spf import CHECKS
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Judgement, Settings

(SPF,) = CHECKS


def judged(*texts: str, more: Rows | None = None, addresses: tuple[str, ...] = (OURS, OURS_V6)) -> Judgement:
    return look(
        SPF, facts({(DOMAIN, "TXT"): texts, **(more or {})} if texts else more or {}, addresses=addresses)
    )


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 mx -all",
        "v=spf1 mx a ~all",
        "V=SPF1 MX -ALL",
        "v=spf1 a:mail.example.org -all",
        f"v=spf1 ip4:{OURS} ip6:{OURS_V6} -all",
        f"v=spf1 ip4:{OURS}/24 ip6:{OURS_V6}/64 -all",
        "v=spf1 redirect=_spf.example.net",
        "v=spf1 include:_spf.example.net ~all",
        "v=spf1 exists:%{ir}.%{v}.example.net mx -all",
    ],
)
def test_records_that_let_our_mail_through(text: str) -> None:
    more = {("_spf.example.net", "TXT"): f"v=spf1 ip4:{OURS} ip6:{OURS_V6} -all"}
    found = judged("google-site-verification=x", text, more=more)
    assert found.status == "pass"
    assert found.summary == f"{DOMAIN} lets mail from {OURS} and {OURS_V6} through (SPF)"
    assert found.certainty == "proved"
    assert found.subject == DOMAIN


EIGHTS = " ".join(f"ip4:{number}.0.0.0/8" for number in range(1, 21))


@pytest.mark.parametrize(
    ("texts", "status", "words"),
    [
        ((), "warn", "has no SPF record"),
        (("google-site-verification=x",), "warn", "has no SPF record"),
        (('\\"v=spf1 mx -all\\"',), "warn", "is ignored: it must begin with v=spf1"),
        (("v=spf10 mx -all",), "warn", "is ignored: it must begin with v=spf1"),
        ((" v=spf1 mx -all",), "warn", "is ignored: it must begin with v=spf1"),
        (("v=spf1 mx -all", "v=spf1 a ~all"), "fail", "has 2 SPF records"),
        (("v=spf1 mx +all",), "fail", "lets everybody send"),
        (("v=spf1 mx all",), "fail", "lets everybody send"),
        (("v=spf1 mx ip4:0.0.0.0/0 -all",), "fail", "lets everybody send"),
        (
            ("v=spf1 mx ip4:0.0.0.0/1 -all",),
            "fail",
            "large part of the internet send mail in its name ('ip4:0",
        ),
        (("v=spf1 ip4:12.0.0.0/7 mx -all",), "fail", "nobody has so many addresses"),
        (("v=spf1 ip4:12.0.0.0/8 mx -all",), "pass", ""),
        (("v=spf1 mx ip6:2600::/12 -all",), "fail", "nobody has so many addresses"),
        (("v=spf1 mx ip6:2600::/13 -all",), "pass", ""),
        (("v=spf1 mx ip6:fc00::/7 ip6:fe80::/10 -all",), "pass", ""),
        (("v=spf1 mx a:a.example.net/3 -all",), "fail", "'a:a.example.net/3'"),
        (("v=spf1 mx include:wide.example ~all",), "fail", "'include:wide.example'"),
        (("v=spf1 mx redirect=wide.example",), "fail", "'ip4:0.0.0.0/2'"),
        ((f"v=spf1 mx {EIGHTS} -all",), "fail", "'ip4:17.0.0.0/8'"),
        ((f"v=spf1 mx {EIGHTS.replace('ip4', '-ip4')} -all",), "pass", ""),
        (("v=spf1 mx -ip4:0.0.0.0/1 ?include:wide.example -all",), "pass", ""),
        (("v=spf1 -all",), "fail", f"mail from {OURS} and from 1 more of its addresses is refused by '-all'"),
        (("v=spf1 ip4:203.0.113.1 ~all",), "fail", "is suspicious (~) by '~all'"),
        (("v=spf1 ip4:203.0.113.1 ?all",), "fail", "is of unknown origin by '?all'"),
        (("v=spf1",), "fail", "is of unknown origin"),
        ((f"v=spf1 ip4:{OURS} -all",), "fail", f"mail from {OURS_V6} is refused"),
        (("v=spf1 mx ?all",), "warn", "says nothing about other senders: it ends with ?all"),
        (("v=spf1 mx",), "warn", "it has neither -all nor ~all at its end"),
        (("v=spf1 mx moo -all",), "fail", "is not valid: 'moo' is no word of SPF"),
        (("v=spf1 ipv4:198.51.100.25 -all",), "fail", "'ipv4:198.51.100.25' is no word of SPF"),
        (("v=spf1 include:nobody.example mx -all",), "fail", "nobody.example, named by include, has no SPF"),
        (("v=spf1 include:silent.example mx -all",), "unknown", "silent.example TXT could not be asked"),
        (("v=spf1 include:failing.example mx -all",), "unknown", "SERVFAIL"),
        (("v=spf1 mx include:silent.example -all",), "unknown", "from everybody else too could not be found"),
        (("v=spf1 mx include:failing.example ?all",), "unknown", "SERVFAIL"),
        (("v=spf1 mx include:nobody.example -all",), "warn", "for others it is not valid"),
        (("v=spf1 " + "a:a.example.net " * 11 + "mx -all",), "fail", "more than 10 look-ups"),
        (("v=spf1 mx " + "a:a.example.net " * 11 + "-all",), "warn", "more than 10 look-ups"),
        (("v=spf1 a:x.example.org a:y.example.org a:z.example.org mx -all",), "fail", "find nothing"),
        (("v=spf1 exists:%{i}.silent.example mx -all",), "unknown", "could not be found out"),
        (("silence",), "unknown", "could not be asked: no answer"),
        (("REFUSED",), "unknown", "could not be asked: REFUSED"),
    ],
)
def test_what_is_said(texts: tuple[str, ...], status: str, words: str) -> None:
    more = {
        ("silent.example", "TXT"): "silence",
        (f"{OURS}.silent.example", "A"): "silence",
        ("failing.example", "TXT"): "SERVFAIL",
        ("wide.example", "TXT"): "v=spf1 ip4:0.0.0.0/2 -all",
        ("a.example.net", "A"): "93.184.216.34",
        ("a.example.net", "AAAA"): "2001:db8:9::9",
    }
    found = judged(*texts, more=more)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert found.remedies or status == "pass", "what to do"


def test_what_to_publish_instead() -> None:
    refused = judged(
        "v=spf1 include:_spf.example.net -all", more={("_spf.example.net", "TXT"): "v=spf1 -all"}
    )
    assert refused.remedies[0].endswith(f"v=spf1 ip4:{OURS} ip6:{OURS_V6} include:_spf.example.net -all")
    assert judged("v=spf1 mx all").remedies[0].endswith("v=spf1 mx -all")
    assert (
        judged("v=spf1 mx -all", "v=spf1 mx a:b.example ~all")
        .remedies[0]
        .endswith("v=spf1 mx a:b.example ~all")
    )


def test_the_record_and_who_let_us_through_are_shown() -> None:
    found = judged("v=spf1 mx a -all")
    assert found.found == (
        f"v=spf1 mx a -all; {OURS}: pass by mx; {OURS_V6}: pass by mx; 2 of at most 10 look-ups"
    )
    assert found.evidence[0].what.startswith(f"dig +short {DOMAIN} TXT @")


def test_without_ipv6_only_the_other_address_counts() -> None:
    assert judged(f"v=spf1 ip4:{OURS} -all", addresses=(OURS,)).status == "pass"


def test_our_own_names_are_asked_of_our_own_servers() -> None:
    """So that no cache remembers that a name is missing which is about to be published."""
    known = facts({(DOMAIN, "TXT"): "v=spf1 a:soon.example.org include:_spf.example.net mx -all"})
    look(SPF, known)
    asked = {one for some in world_of(known).rounds for one in some if one.name.startswith(("soon", "_spf"))}
    servers = {(one.name, one.servers, one.recursive) for one in asked}
    assert servers == {
        ("soon.example.org", ("192.0.2.54",), False),
        ("_spf.example.net", (RESOLVER,), True),
    }


def test_a_name_of_ours_that_is_an_alias_elsewhere_is_followed() -> None:
    more = {
        ("out.example.org", "CNAME"): "relay.example.net.",
        ("relay.example.net", "A"): OURS,
        ("relay.example.net", "AAAA"): OURS_V6,
    }
    assert judged("v=spf1 a:out.example.org -all", more=more).status == "pass"


def test_all_of_one_depth_is_asked_in_one_round() -> None:
    includes = " ".join(f"include:n{n}.example.net" for n in range(9))
    more = {(f"n{n}.example.net", "TXT"): "v=spf1 ip4:203.0.113.1 -all" for n in range(9)}
    known = facts({(DOMAIN, "TXT"): f"v=spf1 {includes} mx -all", **more})
    assert look(SPF, known).status == "pass"
    rounds = [some for some in world_of(known).rounds if any("example.net" in one.name for one in some)]
    assert sum(any(one.name == "n0.example.net" for one in some) for some in rounds) == 1
    assert sum(any(one.name == "n8.example.net" for one in some) for some in rounds) == 1


def test_hostile_records_end() -> None:
    loop = {("loop.example", "TXT"): "v=spf1 include:loop.example redirect=loop.example"}
    assert judged("v=spf1 include:loop.example -all", more=loop).status == "fail"
    many = {("wide.example", "MX"): tuple(f"1 h{n}.wide.example." for n in range(500))}
    assert "more than 10 MX" in judged("v=spf1 mx:wide.example -all", more=many).summary
    strange = judged("v=spf1 \\027[31m include:%{s99999999}.\\255.example -all")
    assert strange.status == "fail"


def test_one_judgement_for_each_domain() -> None:
    rows = {(DOMAIN, "TXT"): "v=spf1 mx -all", ("example.com", "TXT"): f"v=spf1 a:{NAME} -all"}
    found = runner.look(SPF, facts(rows, domains=(DOMAIN, "example.com")))
    assert [(one.subject, one.status) for one in found] == [(DOMAIN, "pass"), ("example.com", "pass")]


@pytest.mark.parametrize(
    ("addresses", "text", "term"),
    [
        ((OURS,), "v=spf1 mx ip6:2000::/3 -all", "ip6:2000::/3"),
        ((OURS_V6,), "v=spf1 mx ip4:0.0.0.0/0 -all", "ip4:0.0.0.0/0"),
        ((OURS,), "v=spf1 mx ip4:0.0.0.0/0 -all", "ip4:0.0.0.0/0"),
    ],
)
def test_everybody_in_the_family_that_this_server_has_not(
    addresses: tuple[str, ...], text: str, term: str
) -> None:
    found = judged(text, addresses=addresses)
    assert found.status == "fail"
    assert found.summary == f"the SPF record of {DOMAIN} lets everybody send mail in its name ('{term}')"
    assert found.remedies == (f"End the TXT record of {DOMAIN} with -all or ~all: v=spf1 mx -all",)


def test_what_else_is_said_of_the_other_family_is_no_matter_of_this_servers() -> None:
    """Three names without AAAA are one too many for a sender over IPv6; this server has none."""
    names = [f"a{number}.example.net" for number in range(3)]
    words = " ".join(f"a:{one}" for one in names)
    more = {(one, "A"): "203.0.113.9" for one in names}
    assert judged(f"v=spf1 ip4:{OURS} {words} -all", more=more, addresses=(OURS,)).status == "pass"


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("v=spf1 ip4:0.0.0.0/1 -all", "v=spf1 mx -all"),
        (f"v=spf1 ip4:{OURS} mx IP4:0.0.0.0/1 -all", f"v=spf1 ip4:{OURS} mx -all"),
        ("v=spf1 a mx include:wide.example ~all", "v=spf1 a mx -all"),
    ],
)
def test_without_the_word_that_names_strangers(text: str, closed: str) -> None:
    more = {("wide.example", "TXT"): "v=spf1 ip4:0.0.0.0/2 -all"}
    found = judged(text, more=more)
    assert found.remedies[0].endswith(f": {closed}"), found.remedies
    assert judged(closed, more=more).status == "pass"


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("v=spf1 mx +all", "v=spf1 mx -all"),
        ("v=spf1 +all", "v=spf1 mx -all"),
        ("v=spf1 redirect=open.example", "v=spf1 mx -all"),
        ("v=spf1 include:open.example ~all", "v=spf1 mx -all"),
        ("v=spf1 a mx include:open.example ~all", "v=spf1 a mx -all"),
        (f"v=spf1 ip4:{OURS} ip6:{OURS_V6} all", f"v=spf1 ip4:{OURS} ip6:{OURS_V6} -all"),
        (f"v=spf1 ip4:{OURS} all", f"v=spf1 mx ip4:{OURS} -all"),
    ],
)
def test_the_record_that_is_advised_lets_this_server_through_and_nobody_else(text: str, closed: str) -> None:
    more = {("open.example", "TXT"): "v=spf1 +all"}
    found = judged(text, more=more)
    assert "lets everybody send" in found.summary
    assert found.remedies[0].endswith(f": {closed}"), found.remedies
    assert judged(closed, more=more).status == "pass"


@pytest.mark.parametrize(
    ("text", "own", "first"),
    [
        ("v=spf1 mx -all", "203.0.113.9", True),
        ("v=spf1 mx -all", (), True),
        (f"v=spf1 a:{NAME} ~all", "203.0.113.9", True),
        ("v=spf1 include:_spf.example.org -all", "203.0.113.9", True),
        ("v=spf1 ip4:203.0.113.9 -all", "203.0.113.9", False),
        (f"v=spf1 -ip4:{OURS} mx -all", "203.0.113.9", False),
        (f"v=spf1 ip6:{OURS_V6} -all", OURS, False),
    ],
)
def test_a_record_that_names_the_server_by_its_name_need_not_change(
    text: str, own: str | tuple[str, ...], first: bool
) -> None:
    """As after a move: the name has the old address, which the record lets send."""
    more = {(NAME, "A"): own, (f"_spf.{DOMAIN}", "TXT"): f"v=spf1 a:{NAME} -all"}
    found = judged(text, more=more)
    assert (found.status, f"mail from {OURS}" in found.summary) == ("fail", True), found.summary
    assert ("need not change" in found.remedies[0]) is first, found.remedies
    assert f"Add this server to the TXT record of {DOMAIN}" in found.remedies[-1]


@pytest.mark.parametrize("exchanger", [(), "10 filter.example.net."])
def test_nor_where_the_mail_exchanger_is_not_published(exchanger: str | tuple[str, ...]) -> None:
    """As on the first day: the table of records says that it is right, and to publish the other."""
    more = {(DOMAIN, "MX"): exchanger, ("filter.example.net", "A"): "203.0.113.9"}
    assert "need not change" in judged("v=spf1 mx -all", more=more).remedies[0]
    assert "need not change" not in judged("v=spf1 mx:example.net -all", more=more).remedies[0]


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (("v=spf1 mx -all", "v=spf1 a ~all"), "v=spf1 mx a ~all"),
        (("v=spf1 mx -all", "v=spf1 mx a -all"), "v=spf1 mx a -all"),
        (("v=spf1 mx -all", "v=spf1 redirect=_spf.example.net"), "v=spf1 mx include:_spf.example.net -all"),
        (("v=spf1 mx -all", "v=spf1 a ?all"), "v=spf1 mx a ~all"),
        (("v=spf1 mx +all", "v=spf1 a"), "v=spf1 mx a -all"),
    ],
)
def test_two_records_are_joined_with_all_that_they_let_through(texts: tuple[str, str], joined: str) -> None:
    found = judged(*texts)
    # Name servers give them in whichever order.
    words = {" ".join(sorted(one.split())) for one in (found.remedies[0].partition(": ")[2], joined)}
    assert len(words) == 1, found.remedies


class Caches(World):
    """Every server and resolver has a record of its own."""

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if (asked.name, asked.type) != (DOMAIN, "TXT"):
            return super()._reply(asked)
        number = int(hashlib.sha256(asked.servers[0].encode()).hexdigest()[:6], 16) % 200
        text = f"v=spf1 ip4:203.0.113.{number} a mx -all"
        return World({**self.records, (DOMAIN, "TXT"): (text,)})._reply(asked)


def test_each_of_many_different_records_is_judged() -> None:
    """They change faster than caches forget, and each lets this server send."""
    servers = {f"ns{n}.example.net": f"192.0.2.{n}" for n in range(1, 6)}
    names = {(DOMAIN, "NS"): tuple(f"{one}." for one in servers)}
    world = Caches({**ZONE, **names, **{(name, "A"): one for name, one in servers.items()}})
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6), resolver=RESOLVER)
    found = look(SPF, Facts(world, settings))
    assert (found.status, "through (SPF)" in found.summary) == ("pass", True), found.summary
