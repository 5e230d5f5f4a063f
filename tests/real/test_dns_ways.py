"""Who tells the records and where they lead: silent servers, wildcards, other names of this server.

The internet of names is the lab's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.names import RESOLVER, Names
from real.dns_looks import check, running

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    yield from running()


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


@pytest.mark.parametrize(
    ("type", "values", "status", "words"),
    [
        (
            "A",
            ("192.88.99.10",),
            "warn",
            "goes to mx.example.org, another name of this server (192.88.99.10)",
        ),
        ("AAAA", ("2d00:113::10",), "warn", "another name of this server (2d00:113::10)"),
        ("A", ("192.88.99.10", "192.88.99.9"), "fail", "goes to mx.example.org, not to mail.example.org"),
        ("A", ("192.88.99.161",), "fail", "goes to mx.example.org, not to mail.example.org"),
        ("CNAME", ("mail",), "fail", "is mx.example.org, an alias (CNAME) of mail.example.org"),
    ],
)
def test_mail_that_comes_to_another_name(
    names: Names, type: str, values: tuple[str, ...], status: str, words: str
) -> None:
    with (
        names.changed("mx.example.org", type, *values, before=()),
        names.changed("example.org", "MX", "10 mx", before=("10 mail",)),
    ):
        (found,) = check(names, "dns.mx")
    assert found["status"] == status
    assert words in found["summary"]
    if status == "warn":
        assert found["severity"] == "degrades"
    with (
        names.changed("mx.example.org", type, *values, before=()),
        names.changed("example.org", "MX", "10 mail", "20 mx", before=("10 mail",)),
    ):
        (found,) = check(names, "dns.mx")
    assert found["status"] == status


def test_mail_that_comes_to_a_name_that_could_not_be_asked(names: Names) -> None:
    with names.changed("example.org", "MX", "10 mail.silent.example.", before=("10 mail",)):
        (found,) = check(names, "dns.mx")
    assert found["status"] == "unknown"
    assert "whether that is this server, too, could not be asked" in found["summary"]
