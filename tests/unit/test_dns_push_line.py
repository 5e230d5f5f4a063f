"""The line `dns --push …` and what it is refused for; what is decided about a record that is there."""

import pytest
from dns_world import facts

from mailcow_wizard.cli.arguments import UsageError, parse
from mailcow_wizard.facts.dns.decide import Data, Entry, Left, There, decide, quoted
from mailcow_wizard.facts.dns.expected import Expected
from mailcow_wizard.facts.dns.merging import Merged
from mailcow_wizard.facts.dns.table import table
from mailcow_wizard.report.dns import zone_files

NAME, DOMAIN = "mail.example.org", "example.org"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("dns --tsig key", "--tsig goes with dns --push"),
        ("dns --server 192.0.2.1", "--server goes with dns --push"),
        ("dns --provider hetzner", "--provider goes with dns --push"),
        ("dns --dry-run", "--dry-run goes with dns --push"),
        ("dns --push --zone", "exclude each other"),
        ("dns --push --yes --dry-run", "exclude each other"),
        ("dns --push --server ns.example.org", "is not an IP address"),
        ("dns --address fe80::1%eth0", "'fe80::1%eth0' is not an IP address"),
        ("dns --push --tsig", "needs a value"),
        ("dns --push --provider ../x", "is not a provider's name"),
        ("dns --push example.org", "takes no words"),
        ("check --push", "--push goes with the command dns"),
        ("check --tsig key", "--tsig goes with the command dns or fix"),
    ],
)
def test_refused(line: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(line.split())
    assert said in str(caught.value)


def test_understood() -> None:
    options = parse(["--tsig", "key", "dns", "--push", "--server", "2001:DB8::1", "--provider", "Hetzner"])
    assert (options.push, options.tsig, options.server, options.provider) == (
        *(True, "key", "2001:db8::1"),
        "hetzner",
    )


def test_a_public_address_is_in_the_form_in_which_others_are_compared() -> None:
    options = parse(
        ["dns", "--address", "::FFFF:198.51.100.7", "--address", "2001:DB8::25", "--resolver", "fe80::1%eth0"]
    )
    assert options.addresses == ("198.51.100.7", "2001:db8::25")
    assert options.resolver == "fe80::1%eth0"


def decided(
    type: str, value: str, there: There, merged: Merged | None = None, name: str = NAME
) -> Entry | Left | None:
    """What is done about one record."""
    about = Entry("dns.x", NAME, name, type, DOMAIN, "192.0.2.53", (), "", (), ttl=3600)
    return decide((Expected("", name, type, value, "required"),), there, about, lambda text: merged)


def data(*values: str, ttl: int = 300) -> tuple[Data, ...]:
    """Records as a server has them."""
    return tuple(Data(one, one.strip('"').rstrip("."), ttl) for one in values)


@pytest.mark.parametrize(
    ("type", "value", "there", "new"),
    [
        ("A", "192.0.2.1", There(), ("192.0.2.1",)),
        ("A", "192.0.2.1", There(data("192.0.2.1")), None),
        ("A", "192.0.2.1", There(data("192.0.2.2")), "it is 192.0.2.2, and should be 192.0.2.1."),
        ("A", "192.0.2.1", There((), ("www.example.org",)), "an alias (CNAME) of www.example.org"),
        ("A", "192.0.2.1", There(data("192.0.2.1", "192.0.2.2")), "it is 192.0.2.1, 192.0.2.2"),
        ("MX", "10 Mail.example.org.", There(data("10 mail.example.org.")), None),
        ("CNAME", "mail.example.org.", There(), ("mail.example.org.",)),
        ("CNAME", "mail.example.org.", There((), ("mail.example.org",)), None),
        ("CNAME", "mail.example.org.", There((), ("other.example.org",)), "an alias of other.example.org"),
        ("CNAME", "mail.example.org.", There((), (), ("A", "TXT")), "the name has A and TXT records"),
    ],
)
def test_records(type: str, value: str, there: There, new: object) -> None:
    found = decided(type, value, there)
    if isinstance(found, Left):
        assert isinstance(new, str)
        assert new in found.words
        assert "deletes nothing that it did not make" in found.words
    else:
        assert (found and found.new) == new
        assert found is None or not (found.old or found.before)


def test_texts_beside_others_keep_their_time() -> None:
    there = There(data('"site=1"', ttl=60))
    found = decided("TXT", "v=spf1 mx -all", there)
    assert isinstance(found, Entry)
    assert (found.before, found.old, found.new, found.ttl) == (('"site=1"',), "", ('"v=spf1 mx -all"',), 60)
    there = There(data('"site=1"', '"v=spf1 -all"', ttl=60))
    found = decided("TXT", "v=spf1 mx -all", there, Merged("v=spf1 mx -all"))
    assert isinstance(found, Entry)
    assert (found.old, found.after) == ('"v=spf1 -all"', ('"site=1"', '"v=spf1 mx -all"'))
    assert (found.ttl, found.old_ttl) == (60, 60)
    assert decided("TXT", "v=spf1 mx -all", there, None) is None
    assert decided("TXT", "v=spf1 mx -all", there, Merged("v=spf1 -all")) is None
    left = decided("TXT", "v=spf1 mx -all", there, Merged("", "by hand, please"))
    assert isinstance(left, Left)
    assert left.words == "by hand, please"


@pytest.mark.parametrize("value", ["v=spf1 mx -all", "v=DMARC1; p=none", "path=/SOGo/dav/"])
def test_of_two_texts_of_a_kind_none_is_chosen(value: str) -> None:
    there = There(data(f'"{value}"', f'"{value} x"'))
    left = decided("TXT", value, there)
    assert isinstance(left, Left)
    assert "2 records of this kind" in left.words


def test_text_in_the_zone_file_s_form() -> None:
    assert quoted('say "a\\b"') == r'"say \"a\\b\""'
    assert quoted("é;") == '"\\195\\169;"'
    assert quoted("x" * 300) == f'"{"x" * 255}" "{"x" * 45}"'
    assert quoted("") == '""'


def test_a_zone_file_has_texts_by_the_byte() -> None:
    """A string of it holds 255 bytes, however many letters those are."""
    letters = r"\195\169" * 25
    known = facts({(f"_dmarc.{DOMAIN}", "TXT"): f"v=DMARC1; p=reject; n={letters}"})
    assert f'_dmarc TXT "v=DMARC1; p=reject; n={letters}"' in list(zone_files(known.get(table)))
