"""What mailcow's acme does with each name for the certificate, said beforehand, by its own rules."""

import re
from collections.abc import Mapping

import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, RESOLVER, SERVER, ZONE, World

from mailcow_wizard.checks.dns_addresses import judge_a, judge_aaaa
from mailcow_wizard.checks.dns_caa import judge_caa
from mailcow_wizard.checks.dns_domains import judge_autoconfig, judge_autodiscover
from mailcow_wizard.facts.dns.again import again
from mailcow_wizard.facts.dns.caa import forbids, mailcow_forbids
from mailcow_wizard.facts.dns.certificate import Verdict, allowed, certificate, host_tried, tried
from mailcow_wizard.facts.dns.mail_server import mail_server
from mailcow_wizard.facts.dns.overview import Overview, overview
from mailcow_wizard.facts.dns.table import table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Judgement, Settings
from mailcow_wizard.report import dns as report
from tests.checks.test_dns_split_view import Split

Rows = Mapping[tuple[str, str], str | tuple[str, ...]]

ALIASES = {
    (f"autodiscover.{DOMAIN}", "CNAME"): f"{NAME}.",
    (f"autoconfig.{DOMAIN}", "CNAME"): f"{NAME}.",
}
AUTODISCOVER, AUTOCONFIG, STS = (f"{one}.{DOMAIN}" for one in ("autodiscover", "autoconfig", "mta-sts"))
FOREIGN, FOREIGN_V6 = "203.0.113.9", "2001:db8:9::9"
V4_ONLY = (OURS,)


def facts(records: Rows, conf: str = "", addresses: tuple[str, ...] = (OURS, OURS_V6)) -> Facts:
    world = World({**ZONE, **ALIASES, **records})
    world.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\n{conf}\n"
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=addresses, resolver=RESOLVER)
    return Facts(world, settings)


def fates(records: Rows, conf: str = "", addresses: tuple[str, ...] = (OURS, OURS_V6)) -> dict[str, Verdict]:
    found = facts(records, conf, addresses).get(certificate)
    return {one.name: one for one in found.verdicts}


def fate(records: Rows, name: str, conf: str = "", addresses: tuple[str, ...] = (OURS, OURS_V6)) -> str:
    return fates(records, conf, addresses)[name].fate


def caa(records: Rows, conf: str = "") -> dict[str | None, Judgement]:
    return {one.subject: one for one in judge_caa(facts(records, conf).get(allowed))}


def test_a_server_whose_records_are_right() -> None:
    found = fates({})
    assert list(found) == [NAME, AUTODISCOVER, AUTOCONFIG]
    assert {one.fate for one in found.values()} == {"asked for"}
    assert "port 80" in found[NAME].words, "that much DNS cannot tell"


def test_the_ipv6_address_wins() -> None:
    """One that leads elsewhere drops the name, and all aliases of it, although IPv4 is right."""
    found = fates({(NAME, "AAAA"): FOREIGN_V6})
    assert {one.fate for one in found.values()} == {"left out"}
    assert FOREIGN_V6 in found[NAME].words


def test_an_ipv6_address_where_ipv6_is_not_used() -> None:
    assert fate({}, NAME, "ENABLE_IPV6=false") == "left out"
    assert fate({(NAME, "AAAA"): ()}, NAME, "ENABLE_IPV6=false") == "asked for"


@pytest.mark.parametrize(("alias", "expected"), [(NAME, "asked for"), ("far.example.net", "open")])
def test_what_one_resolver_alone_fails_at(alias: str, expected: str) -> None:
    """With --resolver: that all refuse the names nobody has said, nor that they have no address."""
    records = {**ZONE, **ALIASES, (AUTOCONFIG, "CNAME"): f"{alias}.", (NAME, "AAAA"): ()}
    refused = {(one, type): "SERVFAIL" for one in (NAME, AUTOCONFIG) for type in ("A", "AAAA")}
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=V4_ONLY, resolver=RESOLVER)
    known = Facts(Split(records, refused, RESOLVER), settings).get(certificate)
    found = {one.name: one.fate for one in known.verdicts}
    assert (found[NAME], found[AUTOCONFIG]) == ("asked for", expected)


def test_a_name_without_an_address_drops_out() -> None:
    found = fates({(AUTOCONFIG, "CNAME"): ()})
    assert (found[AUTOCONFIG].fate, found[AUTODISCOVER].fate) == ("left out", "asked for")
    assert "no address" in found[AUTOCONFIG].words


@pytest.mark.parametrize(
    ("values", "expected"),
    [((FOREIGN,), "left out"), ((OURS, FOREIGN), "open"), ((OURS,), "asked for"), ("silence", "open")],
)
def test_ipv4(values: str | tuple[str, ...], expected: str) -> None:
    assert fate({(NAME, "A"): values, (NAME, "AAAA"): ()}, NAME, addresses=V4_ONLY) == expected


@pytest.mark.parametrize("key", ["SKIP_IP_CHECK=y", f"SNAT_TO_SOURCE={OURS}", "ACME_DNS_CHALLENGE=y"])
def test_addresses_that_are_not_compared(key: str) -> None:
    assert fate({(NAME, "A"): FOREIGN, (NAME, "AAAA"): ()}, NAME, key) == "asked for"


def test_snat_of_one_family_is_of_that_family() -> None:
    assert fate({(NAME, "AAAA"): FOREIGN_V6}, NAME, f"SNAT_TO_SOURCE={OURS}") == "left out"
    assert fate({(NAME, "AAAA"): FOREIGN_V6}, NAME, f"SNAT6_TO_SOURCE={OURS_V6}") == "asked for"


@pytest.mark.parametrize("word", ["y", "Y", "yes", "YES"])
def test_mailcow_that_does_not_ask(word: str) -> None:
    assert fates({}, f"SKIP_LETS_ENCRYPT={word}") == {}
    assert fates({}, "SKIP_LETS_ENCRYPT=no") != {}


def test_the_names_that_are_tried() -> None:
    assert list(fates({}, "ONLY_MAILCOW_HOSTNAME=y\nADDITIONAL_SAN=www.example.org")) == [NAME]
    assert list(fates({}, "AUTODISCOVER_SAN=n")) == [NAME]
    more = fates({("www.example.org", "A"): FOREIGN}, f"ADDITIONAL_SAN=imap.*, www.example.org,{NAME},-x-")
    assert list(more) == [NAME, f"imap.{DOMAIN}", AUTODISCOVER, AUTOCONFIG, "www.example.org"]
    assert (more[f"imap.{DOMAIN}"].fate, more["www.example.org"].fate) == ("left out", "left out")


@pytest.mark.parametrize(("more", "apart", "fate_of_all"), [
    (97, "n", "asked for"), (98, "n", "refused"), (98, "y", "asked for"),
])  # fmt: skip
def test_more_names_than_a_certificate_holds(more: int, apart: str, fate_of_all: str) -> None:
    """A hundred at most, and the server's name, autodiscover and autoconfig are three."""
    names = ",".join(f"n{number}.*" for number in range(more))
    found = fates({}, f"ACME_DNS_CHALLENGE=y\nENABLE_SSL_SNI={apart}\nADDITIONAL_SAN={names}")
    assert len(found) == more + 3
    assert {one.fate for one in found.values()} == {fate_of_all}
    if fate_of_all == "refused":
        assert found[NAME].words.startswith("101 names on one certificate")
        assert "ENABLE_SSL_SNI=y" in found[NAME].words


def test_mta_sts_where_there_is_something_of_the_kind() -> None:
    announced = {(f"_mta-sts.{DOMAIN}", "TXT"): "v=STSv1; id=1"}
    assert fate(announced, STS) == "left out"
    found = fates({**announced, (STS, "CNAME"): f"{NAME}."})[STS]
    assert found.fate == "asked for"
    assert "once MTA-STS is switched on" in found.words
    assert STS not in caa(announced), "it is no name of the certificate yet"


def test_a_wildcard_needs_the_challenge_by_dns() -> None:
    star = f"*.{DOMAIN}"
    assert fate({}, star, f"ADDITIONAL_SAN={star}") == "left out"
    covered = fates({}, f"ADDITIONAL_SAN={star}\nACME_DNS_CHALLENGE=y")
    assert {one.fate for one in covered.values()} == {"asked for"}
    assert covered[AUTOCONFIG].words == f"{star} stands for it"
    only = {(DOMAIN, "CAA"): ('0 issue "letsencrypt.org"', '0 issuewild ";"')}
    assert fate(only, star, f"ADDITIONAL_SAN={star}\nACME_DNS_CHALLENGE=y") == "refused"
    assert fate(only, NAME, "ACME_DNS_CHALLENGE=y") == "asked for"


# --- CAA: mailcow looks at the name above alone, Let's Encrypt climbs from the name itself ---

OTHER, LETSENCRYPT = '0 issue "other-ca.example"', '0 issue "letsencrypt.org"'


def test_caa_above_that_forbids() -> None:
    assert fate({(DOMAIN, "CAA"): OTHER}, NAME) == "left out"
    assert caa({(DOMAIN, "CAA"): OTHER})[NAME].status == "fail"


def test_caa_at_the_name_itself_that_forbids_costs_every_name() -> None:
    records = {(AUTOCONFIG, "CNAME"): (), (AUTOCONFIG, "A"): OURS, (AUTOCONFIG, "CAA"): OTHER}
    found = fates(records)
    assert (found[AUTOCONFIG].fate, found[NAME].fate) == ("refused", "asked for")
    assert "none of the names" in caa(records)[AUTOCONFIG].found


def test_caa_that_lets_encrypt_would_obey_and_mailcow_does_not_see() -> None:
    """The name's own record allows; the one above, which does not count, makes mailcow leave it out."""
    found = caa({(NAME, "CAA"): LETSENCRYPT, (DOMAIN, "CAA"): OTHER})[NAME]
    assert (found.status, found.severity) == ("fail", "breaks")
    assert found.summary.startswith(f"mailcow leaves {NAME} out")
    assert (
        caa({(NAME, "CAA"): LETSENCRYPT, (DOMAIN, "CAA"): OTHER}, "SKIP_LETS_ENCRYPT=y")[NAME].status
        == "pass"
    )
    client = caa({(one, "CAA"): LETSENCRYPT for one in (NAME, AUTODISCOVER)} | {(DOMAIN, "CAA"): OTHER})
    assert (client[AUTODISCOVER].status, client[AUTODISCOVER].severity) == ("warn", "degrades")


@pytest.mark.parametrize(
    ("values", "standard", "mailcows"),
    [
        (('0 issue "letsencrypt.org"',), "", False),
        (('0 issue "letsencrypt.org; validationmethods=http-01"',), "", False),
        (('0 issue ";"',), "nobody may", True),
        (('0 issue "notletsencrypt.org"',), "only notletsencrypt.org may", False),
        (('0 issuewild "other.example"',), "", False),
        (('0 iodef "mailto:x@example.org"',), "", False),
        (('128 strange "x"',), "its critical tag strange is unknown to Let's Encrypt", False),
        (('0 issue "other.example"', '0 issue "letsencrypt.org"'), "", False),
        (('0 ISSUE "letsencrypt.org;"',), "", False),
        (('128 issuemail "other.example"', '128 issuevmc "other.example"', '128 iodef ""'), "", False),
        (
            ('0 issue "letsencrypt.org"', '128 contactemail "x@example.org"'),
            "its critical tag contactemail is unknown to Let's Encrypt",
            False,
        ),
        (('0 contactemail "x@example.org"', '0 issue "letsencrypt.org"'), "", False),
        (('1 strange "x"',), "its critical tag strange is unknown to Let's Encrypt", False),
        (('64 strange "x"',), "", False),
        (('0 issue "LetsEncrypt.org"',), "it must be written letsencrypt.org, not LetsEncrypt.org", True),
        (('0 issue "letsencrypt.org."',), "it must be written letsencrypt.org, not letsencrypt.org.", False),
    ],
)
def test_the_two_rules(values: tuple[str, ...], standard: str, mailcows: bool) -> None:
    assert (forbids(values), mailcow_forbids(values)) == (standard, mailcows)


def test_caa_that_could_not_be_asked() -> None:
    assert fate({(NAME, "CAA"): "silence"}, NAME) == "open"


# --- where it is said ---


def test_the_findings_say_it() -> None:
    known = facts({(NAME, "AAAA"): FOREIGN_V6, (AUTOCONFIG, "CNAME"): ()})
    host, names = known.get(host_tried), known.get(tried)
    for one in (judge_a(host), judge_aaaa(host), *judge_autodiscover(names), *judge_autoconfig(names)):
        assert "for the certificate mailcow leaves this name out" in one.found, one
    kept = facts({}).get(host_tried)
    assert "asks for it" in judge_a(kept).found
    silent = facts({}, "SKIP_LETS_ENCRYPT=y").get(host_tried)
    assert "certificate" not in judge_a(silent).found


@pytest.mark.parametrize(
    "conf", ["", "SKIP_LETS_ENCRYPT=y", "ONLY_MAILCOW_HOSTNAME=y", "AUTODISCOVER_SAN=n", "SKIP_IP_CHECK=y"]
)
def test_a_client_name_that_leads_elsewhere_by_ipv6_is_not_right(conf: str) -> None:
    """Whatever becomes of the certificate."""
    for v6, status in (
        (FOREIGN_V6, "warn"),
        ((OURS_V6, FOREIGN_V6), "warn"),
        (OURS_V6, "pass"),
        ((), "pass"),
    ):
        records = {(AUTODISCOVER, "CNAME"): (), (AUTODISCOVER, "A"): OURS, (AUTODISCOVER, "AAAA"): v6}
        (found,) = judge_autodiscover(facts(records, conf).get(tried))
        assert (found.status, FOREIGN_V6 in found.summary) == (status, status == "warn"), found.summary
        assert ("certificate" in found.found) == (conf in ("", "SKIP_IP_CHECK=y")), found.found


def test_authorities_do_not_matter_to_who_asks_none() -> None:
    of_one = '0 issue "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1"'
    for record, status in ((OTHER, "fail"), (of_one, "unknown")):
        assert caa({(NAME, "CAA"): record})[NAME].status == status
        assert caa({(NAME, "CAA"): record}, "SKIP_LETS_ENCRYPT=y")[NAME].status == "pass"


@pytest.mark.parametrize(("alias", "status"), [("far.example.net", "warn"), (NAME, "pass")])
def test_a_client_name_that_is_an_alias_of_what_leads_elsewhere_by_ipv6(alias: str, status: str) -> None:
    """What the server's own name has there is another check's business."""
    end = {(alias, "A"): OURS, (alias, "AAAA"): FOREIGN_V6}
    known = facts({(AUTODISCOVER, "CNAME"): f"{alias}.", **end})
    (found,) = judge_autodiscover(known.get(tried))
    assert (found.status, FOREIGN_V6 in found.summary) == (status, status == "warn"), found.summary
    row = next(one for one in known.get(table) if one.expected.name == AUTODISCOVER)
    (again_,) = again(known, known.get(mail_server), (row,))
    assert {row.state.kind, again_.state.kind} == {"right" if status == "pass" else "wrong"}


@pytest.mark.parametrize("conf", ["", "ENABLE_IPV6=true"])
@pytest.mark.parametrize(("v6", "status"), [(OURS_V6, "pass"), (FOREIGN_V6, "warn")])
def test_a_client_name_with_an_address_that_was_not_named(v6: str, status: str, conf: str) -> None:
    """Of --address with IPv4 alone: this machine's own address is not somebody else's."""
    records = {(AUTODISCOVER, "CNAME"): (), (AUTODISCOVER, "A"): OURS, (AUTODISCOVER, "AAAA"): v6}
    (found,) = judge_autodiscover(facts(records, conf, V4_ONLY).get(tried))
    assert found.status == status, found.summary


def test_names_of_additional_san_have_no_other_check() -> None:
    conf = "ADDITIONAL_SAN=imap.*"
    assert caa({}, conf)[f"imap.{DOMAIN}"].status == "warn"
    assert caa({(f"imap.{DOMAIN}", "CNAME"): f"{NAME}."}, conf)[f"imap.{DOMAIN}"].status == "pass"


def test_the_command_says_it() -> None:
    found = facts({(AUTOCONFIG, "CNAME"): ()}).get(overview)
    lines = "\n".join(report.certificate_lines(found))
    assert re.search(rf"left out +{re.escape(AUTOCONFIG)} ", lines)
    document = report.of_overview(found)["certificate"]
    assert document[0] == {"name": NAME, "fate": "asked for", "words": document[0]["words"]}
    alone = facts({}, "SKIP_LETS_ENCRYPT=y\nENABLE_SSL_SNI=y").get(overview)
    assert "SKIP_LETS_ENCRYPT=y" in "\n".join(report.certificate_lines(alone))
    assert report.of_overview(alone)["certificate"] == []
    apart = facts({}, "ENABLE_SSL_SNI=y").get(overview)
    assert "certificate of their own" in "\n".join(report.certificate_lines(apart))
    unknown = Overview(found.rows, None, "no")
    assert report.of_overview(unknown)["certificate"] is None
    assert "could not be asked: no" in "\n".join(report.certificate_lines(unknown))


def test_all_servers_silent() -> None:
    known = facts({})
    known.host.servers[SERVER] = known.host.servers[RESOLVER] = "silence"  # type: ignore[attr-defined]
    found = known.get(certificate).verdicts
    assert {one.fate for one in found} == {"open"}
