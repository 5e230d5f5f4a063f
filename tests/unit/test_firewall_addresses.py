"""Addresses as numbers: what is read fast is read as ipaddress reads it."""

import ipaddress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailcow_wizard.facts.firewall.addresses import number_of, span_of
from mailcow_wizard.facts.firewall.statements import Span

PARTS = st.integers(-1, 300).map(str) | st.sampled_from(["01", "+1", " 1", "1_0", "", "\u0661", "1e1", "0x1"])
WRITTEN = st.lists(PARTS, min_size=3, max_size=5).map(".".join) | st.ip_addresses().map(str) | st.text()


@settings(deadline=None)
@given(WRITTEN)
@example("255.255.255.255")
@example("0.0.0.0")
@example("256.0.0.1")
@example("1.2.3.4\n")
def test_an_address(text: str) -> None:
    try:
        number = int(ipaddress.ip_address(text))
    except ValueError:
        assert number_of(text) is None
    else:
        assert number_of(text) == Span(number, number)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("10.0.0.0/8", Span(10 << 24, (11 << 24) - 1)),
        ("10.0.0.7/255.0.0.0", Span(10 << 24, (11 << 24) - 1)),
        ("10.0.0.1-10.0.0.9", Span((10 << 24) + 1, (10 << 24) + 9)),
        ("::1", Span(1, 1)),
        ("::/127", Span(0, 1)),
        ("10.0.0.1-", None),
        ("-10.0.0.1", None),
        ("10.0.0.0/33", None),
        ("eth0", None),
    ],
)
def test_a_network(text: str, span: "Span | None") -> None:
    assert span_of(text) == span
