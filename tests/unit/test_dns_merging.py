"""SPF and DMARC records of domains that send already: what they say stays, this server is added."""

import pytest

from mailcow_wizard.facts.dns.dmarc import mistakes
from mailcow_wizard.facts.dns.merging import merged_policy, merged_sender, says_mx
from mailcow_wizard.facts.dns.spf import STRANGERS, Opinion
from mailcow_wizard.facts.dns.spf_check import Heard, check
from mailcow_wizard.facts.dns.spf_record import Sender

V4, V6 = "203.0.113.10", "2001:db8:25::10"
DOMAIN = "example.org"
WORLD = {
    ("example.org", "MX"): ("10 mail.example.org",),
    ("mail.example.org", "A"): (V4,),
    ("mail.example.org", "AAAA"): (V6,),
    ("_spf.example.net", "TXT"): ("v=spf1 ip4:198.51.100.0/24 -all",),
    **{(f"s{n}.example.net", "TXT"): ("v=spf1 ip4:198.51.100.7 -all",) for n in range(12)},
    ("open.example.net", "TXT"): ("v=spf1 +all",),
    ("slow.example.net", "TXT"): None,
}


def opinion(text: str, *addresses: str) -> Opinion:
    """What the record says, evaluated by the real evaluation against a small world."""

    def ask(name: str, type: str) -> Heard:
        values = WORLD.get((name, type), ())
        return Heard((), "no answer") if values is None else Heard(tuple(values))

    def verdict(address: str) -> object:
        return check(text, Sender(address, "mail.example.org", "postmaster", DOMAIN), ask)

    return Opinion(
        tuple((one, verdict(one)) for one in addresses),  # type: ignore[misc]
        tuple(verdict(one) for one in STRANGERS.values()),  # type: ignore[misc]
    )


def merged(text: str, by_mx: bool = False, addresses: tuple[str, ...] = (V4, V6)) -> str:
    """The merged text; empty where it has to be done by hand, `same` where nothing has to be done."""
    found = merged_sender(DOMAIN, text, opinion(text, *addresses), by_mx)
    if found is None:
        return "same"
    assert bool(found.text) != bool(found.words)
    return found.text


@pytest.mark.parametrize(
    ("text", "by_mx", "result"),
    [
        ("v=spf1 mx -all", True, "same"),
        (f"v=spf1 ip4:{V4} ip6:2001:db8:25::/64 ~all", False, "same"),
        ("v=spf1 -all", True, "v=spf1 mx -all"),
        ("v=spf1 -all", False, f"v=spf1 ip4:{V4} ip6:{V6} -all"),
        (f"v=spf1 ip4:{V4} -all", False, f"v=spf1 ip4:{V4} ip6:{V6} -all"),
        ("v=spf1 include:_spf.example.net ~all", True, "v=spf1 include:_spf.example.net mx ~all"),
        ("v=spf1 include:_spf.example.net ?all", True, "v=spf1 include:_spf.example.net mx ?all"),
        ("v=spf1 redirect=_spf.example.net", True, "v=spf1 mx redirect=_spf.example.net"),
        ("v=spf1 ip4:198.51.100.1", True, "v=spf1 ip4:198.51.100.1 mx"),
        ("v=spf1", False, f"v=spf1 ip4:{V4} ip6:{V6}"),
        ("V=SPF1 ip4:198.51.100.1  -ALL", True, "V=SPF1 ip4:198.51.100.1  mx -ALL"),
        ("v=spf1 exp=why.example.net -all", True, "v=spf1 exp=why.example.net mx -all"),
        # The tenth look-up is the last: an eleventh would make the record invalid for everybody.
        (
            "v=spf1 " + " ".join(f"include:s{n}.example.net" for n in range(10)) + " -all",
            True,
            "v=spf1 " + " ".join(f"include:s{n}.example.net" for n in range(10)) + f" ip4:{V4} ip6:{V6} -all",
        ),
        # Said on purpose, not valid, for everybody, not known: a person decides.
        (f"v=spf1 -ip4:{V4} ip4:0.0.0.0/1 -all", True, ""),
        ("v=spf1 ~mx -all", True, ""),
        ("v=spf1 +all", True, ""),
        ("v=spf1 include:open.example.net -all", True, ""),
        ("v=spf1 mxx -all", True, ""),
        ("v=spf1 include:slow.example.net -all", True, ""),
    ],
)
def test_sender_policies(text: str, by_mx: bool, result: str) -> None:
    assert merged(text, by_mx) == result


@pytest.mark.parametrize("by_mx", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 -all",
        "v=spf1 a:web.example.org ~all",
        "v=spf1 include:_spf.example.net redirect=s1.example.net",
    ],
)
def test_what_is_merged_lets_the_server_send_and_keeps_every_word(text: str, by_mx: bool) -> None:
    after = merged(text, by_mx)
    assert [one for one in after.split(" ") if one in text.split(" ")] == text.split(" ")
    assert all(verdict.result == "pass" for _, verdict in opinion(after, V4, V6).own)
    assert merged(after, by_mx) == "same"


def test_the_word_mx() -> None:
    assert says_mx("v=spf1 MX -all")
    assert says_mx("v=spf1 a +mx")
    assert not says_mx("v=spf1 mx:example.net -mx a")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("v=DMARC1; p=reject; rua=mailto:a@example.org", "same"),
        ("v=DMARC1", "v=DMARC1; p=none"),
        ("v=DMARC1;", "v=DMARC1; p=none;"),
        ("v=DMARC1; rua=mailto:a@example.org", "v=DMARC1; p=none; rua=mailto:a@example.org"),
        ("v=DMARC1; rua=mailto:a@example.org; p=reject", "v=DMARC1; p=reject; rua=mailto:a@example.org"),
        ("v=DMARC1; p=rejekt; sp=none; fo=1", "v=DMARC1; p=none; sp=none; fo=1"),
        ("v=DMARC1; p=; x=kept", "v=DMARC1; p=none; x=kept"),
        (
            "v=DMARC1; p=quarantine; rua=a@example.org, mailto:b@example.net!10m; ruf=c@example.org",
            "v=DMARC1; p=quarantine; rua=mailto:a@example.org,mailto:b@example.net!10m; "
            "ruf=mailto:c@example.org",
        ),
        ("v=DMARC1; p=none; pct=many", ""),
        ("v=DMARC1; sp=perhaps", ""),
        ("v=DMARC1; p=none; rua=nobody", ""),
        ("v=DMARC1; p=reject; p=none", ""),
        ("v=DMARC1; sp=none; p=none; sp=reject", ""),
        ("v=DMARC1; rua=x@example.org; p=rejekt; p=none", ""),
    ],
)
def test_policies(text: str, result: str) -> None:
    found = merged_policy(DOMAIN, text)
    if found is None:
        assert result == "same"
        return
    assert found.text == result
    assert bool(found.text) != bool(found.words)
    assert text in found.words or not mistakes(found.text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("v=spf1 mx +all", "end it with -all or ~all"),
        ("v=spf1 mx ip4:0.0.0.0/0 -all", "by 'ip4:0.0.0.0/0'. Take that word away"),
        ("v=spf1 mx include:open.example.net -all", "by 'include:open.example.net'. Take that word away"),
    ],
)
def test_a_record_that_ends_well_is_not_told_to_end_so(text: str, words: str) -> None:
    found = merged_sender(DOMAIN, text, opinion(text, V4, V6), True)
    assert found, text
    assert words in found.words
