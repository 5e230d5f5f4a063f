"""What the kernel says of the ways in and back (ip route get), in the words of either C library."""

import pytest

from mailcow_wizard.checks.firewall_early import troubles
from mailcow_wizard.facts.firewall.early import Early, Route, early
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Ran
from tests.fake_host import FakeHost

_IN = "ip -4 route get 10.1.1.5 from 192.0.32.8 iif eth0"
_BACK = "ip -4 route get 192.0.32.8 from 10.1.1.5"
_AT_ALL = "ip -4 route get 192.0.32.8"
_STRICT = {"/proc/sys/net/ipv4/conf/all/rp_filter": "1\n"}
_LOCAL = "local 10.1.1.5 from 192.0.32.8 dev lo \n    cache <local> iif eth0 \n"
_BY_ETH0 = "192.0.32.8 from 10.1.1.5 via 10.1.1.1 dev eth0 uid 0 \n    cache \n"


def _refused(words: str) -> Ran:
    return Ran(2, "", f"RTNETLINK answers: {words}\n")


def _found(commands: dict[str, Ran | str], files: dict[str, str]) -> tuple[Route, ...]:
    said: Early = early(Facts(FakeHost(files=files, commands=commands)), (4, "eth0", "10.1.1.5"))
    return said.routes


@pytest.mark.parametrize("words", ["Invalid cross-device link", "Cross-device link", "Invalid argument"])
def test_the_way_back_is_another(words: str) -> None:
    by_eth1 = _BY_ETH0.replace("eth0", "eth1")
    found = _found({_IN: _refused(words), _BACK: by_eth1, _AT_ALL: by_eth1}, _STRICT)
    assert [one.kind for one in found] == ["dropped"]


@pytest.mark.parametrize(
    "words",
    [
        *("Permission denied", "No route to host", "Host is unreachable"),
        *("Network is unreachable", "Network unreachable"),
    ],
)
def test_answers_are_stopped(words: str) -> None:
    found = _found({_IN: _LOCAL, _BACK: _refused(words), _AT_ALL: _BY_ETH0}, {})
    assert [(one.kind, one.said) for one in found] == [("stopped", words)]


@pytest.mark.parametrize("words", ["No route to host", "Host is unreachable", "Permission denied"])
@pytest.mark.parametrize("files", [{}, {"/proc/sys/net/ipv4/conf/all/rp_filter": "2\n"}])
def test_what_comes_in_is_stopped(words: str, files: dict[str, str]) -> None:
    found = _found({_IN: _refused(words), _BACK: _BY_ETH0, _AT_ALL: _BY_ETH0}, files)
    assert [(one.kind, one.said) for one in found] == [("kept out", words)]
    (one,) = troubles(Early((), found), True)
    assert (one.status, "packets that come in by eth0 are stopped by a route" in one.words) == ("fail", True)


@pytest.mark.parametrize("words", ["Network is unreachable", "Network unreachable"])
def test_without_a_way_to_the_world_no_way_back_leads_elsewhere(words: str) -> None:
    """Nor is there one to come by."""
    commands: dict[str, Ran | str] = {_IN: _refused("Invalid argument")}
    assert _found({**commands, _BACK: _refused(words), _AT_ALL: _refused(words)}, _STRICT) == ()


def test_all_is_right() -> None:
    assert _found({_IN: _LOCAL, _BACK: _BY_ETH0, _AT_ALL: _BY_ETH0}, _STRICT) == ()


@pytest.mark.parametrize(
    ("interface", "named"),
    [("eth0", "net.ipv4.conf.eth0.rp_filter"), ("eth0.5", "net/ipv4/conf/eth0.5/rp_filter")],
)
def test_the_switch_has_the_name_that_sysctl_takes(interface: str, named: str) -> None:
    (one,) = troubles(Early((), (Route(4, "10.1.1.5", interface, "dropped"),)), True)
    assert f"sysctl -w {named}=2," in one.remedies[0]
