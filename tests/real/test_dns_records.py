"""Records as real name servers have them: right, wrong, missing, not everywhere yet, and servers that are
silent or refuse. The internet of names is the lab's own."""

import json
import resource
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from lab.inside import CHECKOUT
from lab.names import Names
from lab.zones import DOMAIN_LIST
from real.dns_looks import check, running, status

from mailcow_wizard.requirements_dns import ROOT_SERVERS_V4, ROOT_SERVERS_V6

pytestmark = pytest.mark.real
REVERSE = "10.99.88.192.in-addr.arpa"
DOMAINS = ("--domain", "example.org", "--domain", "broken.example", "--domain", "empty.example")


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    yield from running()


def test_a_correct_domain_is_right_in_every_record(names: Names) -> None:
    found = [one for one in check(names, "dns") if one["id"].startswith("dns.")]
    wrong = [one for one in found if one["status"] != "pass"]
    assert [(one["id"], one["summary"]) for one in wrong] == []
    assert {one["certainty"] for one in found if one["id"] not in NOT_ASKED} == {"proved"}
    subjects = {one["id"]: one["subject"] for one in found}
    assert subjects["dns.a"] == subjects["dns.aaaa"] == "mail.example.org"
    assert subjects["dns.mx"] == "example.org"
    assert subjects["dns.local-view"] is None
    assert {one["subject"] for one in found if one["id"] == "dns.ptr"} == {"192.88.99.10", "2d00:113::10"}


def test_a_broken_domain_fails_where_mail_would_fail(names: Names) -> None:
    found = status(check(names, "dns", hostname="mail.broken.example"))
    assert found["dns.a", "mail.broken.example"] == "pass"
    assert found["dns.aaaa", "mail.broken.example"] == "fail"
    assert found["dns.ptr", "192.88.99.10"] == "fail"
    assert found["dns.mx", "broken.example"] == "fail"
    assert found["dns.spf", "broken.example"] == "fail"
    assert found["dns.dmarc", "broken.example"] == "warn"
    assert found["dns.dkim", "broken.example"] == "warn"
    assert found["dns.autodiscover", "broken.example"] == "warn"
    assert found["dns.srv", "broken.example"] == "warn"
    assert found["dns.caa", "mail.broken.example"] == "fail"
    assert found["dns.wildcard", "broken.example"] == "warn"
    assert found["dns.dnssec", "broken.example"] == "pass"


def test_nothing_published_is_missing_and_not_unknown(names: Names) -> None:
    found = status(check(names, "dns", hostname="mail.empty.example"))
    assert found["dns.a", "mail.empty.example"] == "fail"
    assert found["dns.aaaa", "mail.empty.example"] == "warn"
    assert found["dns.mx", "empty.example"] == "fail"
    assert found["dns.spf", "empty.example"] == "warn"
    assert found["dns.srv", "empty.example"] == "pass"
    assert found["dns.wildcard", "empty.example"] == "pass"
    assert found["dns.local-view", None] == "skipped"


@pytest.mark.parametrize("domain", ["silent.example", "lame.example"])
def test_silence_and_refusal_are_unknown(names: Names, domain: str) -> None:
    found = check(names, "dns.a", "dns.mx", "dns.dmarc", "dns.wildcard", hostname=f"mail.{domain}")
    assert {one["status"] for one in found} == {"unknown"}
    assert {one["certainty"] for one in found} == {"untested"}


def test_broken_signatures_fail(names: Names) -> None:
    found = {one["subject"]: one for one in check(names, "dns.dnssec", "--domain", "bogus.org")}
    assert found["bogus.org"]["status"] == "fail"
    assert found["example.org"]["status"] == "pass"
    assert "signed" in found["example.org"]["summary"]


def test_what_resolvers_refuse_is_not_there(names: Names) -> None:
    """Its own servers have it, and nobody gets it."""
    for one in check(names, "dns.a", "dns.mx", "--domain", "bogus.org", hostname="mail.bogus.org"):
        assert (one["status"], "do not tell it (SERVFAIL)" in one["summary"]) == ("fail", True), one[
            "summary"
        ]
        assert one["certainty"] == "inferred"
    program = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard", "dns", "--json"]
    told = names.run([*program, "--hostname", "mail.bogus.org", "--domain", "bogus.org"], check=True).stdout
    rows = {(one["type"], one["name"]): one["state"] for one in json.loads(told)["records"]}
    assert rows["A", "mail.bogus.org"] == rows["MX", "bogus.org"] == "not everywhere yet"


def test_broken_signatures_fail_where_one_resolver_alone_is_asked(names: Names) -> None:
    """Which does not even say who serves the zone."""
    words = ("dns.dnssec", "--domain", "bogus.org", "--resolver", "192.88.99.153")
    found = {one["subject"]: one for one in check(names, *words)}["bogus.org"]
    assert (found["status"], "of bogus.org are broken" in found["summary"]) == ("fail", True), found[
        "summary"
    ]


@pytest.mark.parametrize(
    ("domain", "kinds"),
    [
        ("strange.org", "algorithm 200 with digest type 2"),
        ("dated.org", "algorithm 13 with digest type 3"),
    ],
)
def test_signatures_of_a_kind_that_resolvers_do_not_know(names: Names, domain: str, kinds: str) -> None:
    found = {one["subject"]: one for one in check(names, "dns.dnssec", "--domain", domain)}[domain]
    assert found["summary"] == (
        f"{domain} is signed in a way that resolvers do not know ({kinds}): for them it is not signed"
    )
    assert (found["status"], found["severity"], found["certainty"]) == ("warn", "advice", "proved")


def test_mail_domains_are_looked_up_on_lists_of_names(names: Names) -> None:
    found = {one["subject"]: one for one in check(names, "reputation.blocklists", *DOMAINS)}
    listed = found["broken.example"]
    assert (listed["status"], listed["severity"]) == ("fail", "breaks")
    assert listed["summary"] == "broken.example is on 1 blocklist: Spamhaus DBL (spam domain)"
    assert found["example.org"]["status"] == "pass"
    refuses = ("127.255.255.254",)
    for asked in ("broken.example", "dbltest.com"):
        with names.changed(f"{asked}.{DOMAIN_LIST}", "A", *refuses, before=("127.0.1.2",)):
            found = {one["subject"]: one for one in check(names, "reputation.blocklists", *DOMAINS)}
        assert found["broken.example"]["status"] == "unknown"
        assert "it refuses the resolver that asked" in found["broken.example"]["summary"]


def test_several_domains_in_one_run(names: Names) -> None:
    found = status(check(names, "dns.mx", *DOMAINS))
    assert found == {
        ("dns.mx", "example.org"): "pass",
        ("dns.mx", "broken.example"): "fail",
        ("dns.mx", "empty.example"): "fail",
    }


def test_one_server_that_lags_behind(names: Names) -> None:
    with names.changed("mail.example.org", "A", "192.88.99.11", before=("192.88.99.10",), only=1):
        (found,) = check(names, "dns.a")
    assert found["status"] == "warn"
    assert "not everywhere yet" in found["summary"]
    assert "192.88.99.131" in found["found"]


def test_what_resolvers_still_remember(names: Names) -> None:
    names.put("mail.example.org", "A", "192.88.99.11")
    names.run(["kdig", "@192.88.99.153", "mail.example.org", "A"])
    names.put("mail.example.org", "A", "192.88.99.10", flush=False)
    try:
        (found,) = check(names, "dns.a")
        assert found["status"] == "warn"
        assert "caches may keep the old one for" in found["summary"]
    finally:
        names.forget()
    (found,) = check(names, "dns.a")
    assert found["status"] == "pass"


def test_what_stands_at_a_hosters_is_found_by_an_alias(names: Names) -> None:
    alias, end = "_mta-sts.example.org", "_mta-sts.example.net"
    with (
        names.changed(end, "TXT", '"v=STSv1; id=not-a-number"', before=()),
        names.changed(alias, "CNAME", f"{end}.", before=()),
    ):
        (found,) = check(names, "dns.mta-sts")
    assert (found["status"], "not valid: id=not-a-number" in found["summary"]) == ("warn", True), found
    provider, customer = REVERSE, "10.customers.example.net"
    with (
        names.changed(customer, "PTR", "mail.example.org.", before=()),
        names.changed(provider, "PTR", before=("mail.example.org.",)),
        names.changed(provider, "CNAME", f"{customer}.", before=()),
    ):
        found = next(one for one in check(names, "dns.ptr") if one["subject"] == "192.88.99.10")
    assert found["status"] == "pass", found["summary"]


def test_a_mail_domain_that_is_an_alias_is_followed(names: Names) -> None:
    alias, end = "list.example.org", "list.example.net"
    with (
        names.changed(end, "MX", "10 mail.example.org.", before=()),
        names.changed(alias, "CNAME", f"{end}.", before=()),
    ):
        (found,) = check(names, "dns.mx", "--domain", alias)
    assert (found["status"], f"is an alias (CNAME) of {end}" in found["summary"]) == ("warn", True), found


def test_a_name_in_other_letters_is_the_same(names: Names) -> None:
    with names.changed("empty.example", "MX", "50 MAIL.Example.ORG.", before=()):
        (found,) = check(names, "dns.mx", "--domain", "empty.example")
    assert found["status"] == "pass", found["summary"]


def test_the_policy_of_the_organisation_holds(names: Names) -> None:
    """RFC 7489, 6.6.3: not that of a name between."""
    with names.changed("_dmarc.team.example.org", "TXT", '"v=DMARC1; p=none"', before=()):
        (found,) = check(names, "dns.dmarc", "--domain", "a.team.example.org")
    assert (found["status"], "that of example.org holds" in found["summary"]) == ("pass", True), found


class Fault(NamedTuple):
    """A record that is wrong for a while, and what its check then says."""

    name: str
    type: str
    values: tuple[str, ...]
    status: str
    words: str


FAULTS = (
    Fault("mail.example.org", "A", ("10.0.0.1",), "fail", "a private address"),
    Fault("mail.example.org", "A", ("104.16.1.1",), "fail", "Cloudflare"),
    Fault("mail.example.org", "A", ("192.88.99.10", "192.88.99.9"), "fail", "another"),
    Fault("mail.example.org", "AAAA", (), "warn", "not published"),
    Fault("example.org", "MX", ("0 .",), "fail", "takes no mail at all"),
    Fault("example.org", "MX", ("10 mail", "20 mx2"), "fail", "also to"),
    Fault("example.org", "MX", ("50 mail.example.org.",), "pass", "goes to"),
    # This server of a signed zone signs the letters as they are, which RFC 4034, 6.2, does not have.
    Fault("example.org", "MX", ("50 MAIL.Example.org.",), "fail", "do not tell it"),
    Fault("example.org", "CAA", ('0 issue ";"',), "fail", "nobody may"),
    Fault("example.org", "CAA", ('128 tbs "x"',), "fail", "critical"),
    Fault("example.org", "CAA", ('0 issue "LetsEncrypt.org"',), "fail", "must be written letsencrypt.org"),
    Fault(
        "example.org",
        "CAA",
        ('0 issue "letsencrypt.org; validationmethods=dns-01"',),
        "fail",
        "only by dns-01",
    ),
    Fault("autoconfig.example.org", "CNAME", ("mail.example.net.",), "warn", "not mail"),
    Fault("_dmarc.example.org", "TXT", ('"v=DMARC1; p=maybe"',), "warn", "p=maybe"),
    Fault(REVERSE, "PTR", ("mail.example.org.", "other.example.org."), "fail", "must have one"),
    Fault(REVERSE, "PTR", ("MAIL.Example.ORG.",), "pass", "is called mail.example.org"),
)
BEFORE = {
    ("mail.example.org", "A"): "192.88.99.10",
    ("mail.example.org", "AAAA"): "2d00:113::10",
    ("example.org", "MX"): "10 mail",
    ("example.org", "CAA"): '0 issue "letsencrypt.org"',
    ("autoconfig.example.org", "CNAME"): "mail",
    ("_dmarc.example.org", "TXT"): '"v=DMARC1; p=reject"',
    (REVERSE, "PTR"): "mail.example.org.",
}
# What can only be told once mailcow runs.
NOT_ASKED = ("dns.tlsa",)
CHECK_OF = {"CNAME": "dns.autoconfig", "TXT": "dns.dmarc"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: f"{one.name} {one.type} {one.values}")
def test_each_way_of_being_wrong(names: Names, fault: Fault) -> None:
    id = CHECK_OF.get(fault.type, f"dns.{fault.type.lower()}")
    with names.changed(fault.name, fault.type, *fault.values, before=(BEFORE[fault.name, fault.type],)):
        found = check(names, id)
    assert fault.status in [one["status"] for one in found], found
    assert any(fault.words in one["summary"] for one in found), found
    assert {one["status"] for one in check(names, id)} == {"pass"}


def test_roots_out_of_reach_and_a_resolver_in_their_place(names: Names) -> None:
    blocked = ", ".join(ROOT_SERVERS_V4), ", ".join(ROOT_SERVERS_V6)
    rules = (
        "table inet block {\nchain out {\ntype filter hook output priority 0\n"
        f"ip daddr {{ {blocked[0]} }} drop\nip6 daddr {{ {blocked[1]} }} drop\n}}\n}}\n"
    )
    check(names, "dns.a", "dns.mx")  # the resolver, which the roots know, needs them no more
    names.namespace.run(["nft", "-f", "-"], text=rules)
    try:
        found = check(names, "dns.a", "dns.mx")
        assert {one["status"] for one in found} == {"pass"}, [one["summary"] for one in found]
    finally:
        names.run(["nft", "delete", "table", "inet", "block"])


def test_one_resolver_instead_of_the_usual_ones(names: Names) -> None:
    (found,) = check(names, "dns.a", "--resolver", "192.88.99.153")
    assert found["status"] == "pass"
    (found,) = check(names, "dns.a", "--resolver", "192.88.99.139")
    assert found["status"] == "unknown"


def test_offline_asks_nobody(names: Names) -> None:
    assert {one["status"] for one in check(names, "dns", "--offline")} == {"skipped"}


def test_three_domains_cost_little_processor_time(names: Names) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(names, "dns", *DOMAINS)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_the_zone_file_is_loaded_by_a_real_server(names: Names, tmp_path: Any) -> None:
    program = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard"]
    done = names.run([*program, "dns", "--zone", "--hostname", "mail.example.org"])
    file = tmp_path / "example.org.zone"
    file.write_text(done.stdout)
    loaded = names.run(["named-checkzone", "example.org", str(file)])
    assert loaded.returncode == 0, loaded.stdout
    assert "OK" in loaded.stdout


def test_all_records_cost_few_round_trips(names: Names) -> None:
    """Walks from the root, records, resolvers and blocklists: what does not depend is asked at once."""
    probe = str(CHECKOUT / "tests" / "bench" / "probes" / "rounds.py")
    argv = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, probe, "mail.example.org", "0.4"]
    names.run(argv, check=True)  # what others' name servers are called is known to the resolver then
    # The goal is six; a seventh would make seven, and what is between is this machine's own time.
    assert float(names.run(argv, check=True).stdout) < 7.0


def test_the_names_on_the_certificate_are_told_beforehand(names: Names) -> None:
    """Right records; and a domain whose IPv6 address is stale and whose CAA leaves Let's Encrypt out."""
    program = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard", "dns", "--json"]

    def fates(hostname: str) -> dict[str, str]:
        told = json.loads(names.run([*program, "--hostname", hostname], check=True).stdout)
        return {one["name"]: one["fate"] for one in told["certificate"]}

    right = fates("mail.example.org")
    assert right["mail.example.org"] == right["autodiscover.example.org"] == "asked for"
    assert fates("mail.broken.example")["mail.broken.example"] == "left out"
    assert set(fates("mail.empty.example").values()) == {"left out"}
    assert set(fates("mail.silent.example").values()) == {"open"}
