"""Records as real name servers have them: right, wrong, missing, not everywhere yet, and servers that are
silent or refuse. The internet of names is the lab's own."""

import json
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lab.inside import CHECKOUT, LabError
from lab.names import RESOLVER, Names, internet_of_names

from mailcow_wizard.requirements_dns import ROOT_SERVERS_V4, ROOT_SERVERS_V6

pytestmark = pytest.mark.real
REVERSE = "10.99.88.192.in-addr.arpa"
DOMAINS = ("--domain", "example.org", "--domain", "broken.example", "--domain", "empty.example")


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    try:
        with internet_of_names() as world:
            yield world
    except LabError as error:
        pytest.skip(str(error))


def check(names: Names, *words: str, hostname: str = "mail.example.org") -> list[dict[str, Any]]:
    """The findings of a run on the server."""
    program = ["env", f"PYTHONPATH={CHECKOUT}", "HOME=/nonexistent", sys.executable, "-m", "mailcow_wizard"]
    done = names.run([*program, "check", "--json", "--hostname", hostname, *words])
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    return found


def status(found: Sequence[dict[str, Any]]) -> dict[tuple[str, str | None], str]:
    """Statuses by id and subject."""
    return {(one["id"], one["subject"]): one["status"] for one in found}


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


DEAD = "192.88.99.140"


@contextmanager
def resolv_conf(names: Names, *lines: str) -> Iterator[None]:
    """Another /etc/resolv.conf on the server for a while."""
    path = Path("/etc/netns") / names.namespace.name / "resolv.conf"
    before = path.read_text()
    path.write_text("".join(f"{one}\n" for one in lines))
    try:
        yield
    finally:
        path.write_text(before)


@contextmanager
def dropped(names: Names, *addresses: str) -> Iterator[None]:
    """Packets to these addresses get lost."""
    rules = "".join(f"ip{6 if ':' in one else ''} daddr {one} drop\n" for one in addresses)
    names.namespace.run(
        ["nft", "-f", "-"],
        text=f"table inet lost {{\nchain out {{\ntype filter hook output priority 0\n{rules}}}\n}}\n",
    )
    try:
        yield
    finally:
        names.run(["nft", "delete", "table", "inet", "lost"])


@pytest.mark.parametrize(
    ("lines", "severity", "words"),
    [
        ((f"nameserver {DEAD}", f"nameserver {RESOLVER}"), "degrades", "up to 5 s"),
        (
            (f"nameserver {DEAD}", f"nameserver {RESOLVER}", "options edns0 timeout:2"),
            "degrades",
            "up to 2 s",
        ),
        ((f"nameserver {RESOLVER}", f"nameserver {DEAD}"), "advice", "when the name servers before it"),
    ],
)
def test_a_dead_resolver_among_several_is_named(
    names: Names, lines: tuple[str, ...], severity: str, words: str
) -> None:
    with dropped(names, DEAD), resolv_conf(names, *lines):
        (found,) = check(names, "dns.local-view")
    assert found["summary"] == f"of the 2 name servers in /etc/resolv.conf {DEAD} gives no answer"
    assert (found["status"], found["severity"]) == ("warn", severity)
    assert words in found["why"]
    assert "sees mail.example.org as the world does" in found["found"]
    (found,) = check(names, "dns.local-view")
    assert found["status"] == "pass"


def test_a_dead_resolver_is_named_before_the_name_is_published(names: Names) -> None:
    with dropped(names, DEAD), resolv_conf(names, f"nameserver {DEAD}", f"nameserver {RESOLVER}"):
        (found,) = check(names, "dns.local-view", hostname="mail.empty.example")
    assert found["status"] == "warn"
    assert DEAD in found["summary"]


def test_where_all_resolvers_are_dead_none_is_singled_out(names: Names) -> None:
    both = (DEAD, "192.88.99.141")
    with dropped(names, *both), resolv_conf(names, *(f"nameserver {one}" for one in both)):
        (found,) = check(names, "dns.local-view")
    assert found["status"] == "unknown"
    assert found["summary"] == "this machine's own resolver gives no answer for mail.example.org"


def test_a_dead_name_server_of_the_zone_is_named(names: Names) -> None:
    with dropped(names, "192.88.99.131", "2d00:113:1::131"):
        (found,) = check(names, "dns.mx")
        assert found["summary"] == (
            "mail for example.org goes to mail.example.org, but the name servers "
            "ns2.example.net (192.88.99.131), ns2.example.net (2d00:113:1::131) give no answer"
        )
        assert (found["status"], found["severity"]) == ("warn", "degrades")
        with names.changed("example.org", "MX", "10 mx.example.net.", before=("10 mail",)):
            (wrong,) = check(names, "dns.mx")
        assert wrong["status"] == "fail"
        assert any("192.88.99.131" in one["what"] for one in wrong["evidence"])
    with dropped(names, "2d00:113:1::130", "2d00:113:1::131"):
        (found,) = check(names, "dns.mx")
    assert found["status"] == "pass", "IPv6 does not get out: that is no fault of the name servers"


@pytest.mark.parametrize(
    ("type", "value", "words"),
    [
        ("AAAA", "2d00:113::99", "*.example.org answers for every name: 2d00:113::99"),
        ("MX", "10 mx.example.net.", "*.example.org answers for every name: MX 10 mx.example.net"),
        ("CNAME", "mail", "*.example.org answers for every name: an alias (CNAME) of mail.example.org"),
    ],
)
def test_a_wildcard_of_any_type_is_noticed(names: Names, type: str, value: str, words: str) -> None:
    with names.changed("*.example.org", type, value, before=()):
        (found,) = check(names, "dns.wildcard")
        (autoconfig,) = check(names, "dns.autoconfig")
    assert (found["status"], found["summary"]) == ("warn", words)
    assert ("Mail for every name" in found["why"]) is (type == "MX")
    # Whether a name that has what the wildcard has was made itself cannot be told.
    assert autoconfig["status"] == ("warn" if type == "CNAME" else "pass")
    (found,) = check(names, "dns.wildcard")
    assert found["status"] == "pass"


def test_a_client_name_that_only_a_wildcard_of_ipv6_gives(names: Names) -> None:
    with (
        names.changed("autoconfig.example.org", "CNAME", before=("mail",)),
        names.changed("*.example.org", "AAAA", "2d00:113::10", before=()),
    ):
        (found,) = check(names, "dns.autoconfig")
    assert found["status"] == "warn"
    assert found["summary"] == "autoconfig.example.org leads to mail.example.org, but only by a wildcard"


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
    Fault("mail.example.org", "AAAA", (), "fail", "not published"),
    Fault("example.org", "MX", ("0 .",), "fail", "takes no mail at all"),
    Fault("example.org", "MX", ("10 mail", "20 mx2"), "fail", "also to"),
    Fault("example.org", "MX", ("50 MAIL.Example.org.",), "pass", "goes to"),
    Fault("example.org", "CAA", ('0 issue ";"',), "fail", "nobody may"),
    Fault("example.org", "CAA", ('128 tbs "x"',), "fail", "critical"),
    Fault("autoconfig.example.org", "CNAME", ("mail.example.net.",), "warn", "not mail"),
    Fault("_dmarc.example.org", "TXT", ('"v=DMARC1; p=maybe"',), "warn", "p=maybe"),
    Fault(REVERSE, "PTR", ("mail.example.org.", "other.example.org."), "fail", "must have one"),
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
