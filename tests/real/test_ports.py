"""Real listeners on every kind of address: each is noticed with the right words."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from lab.inside import Inside

from mailcow_wizard.requirements import PORTS
from tests.real.ports import REFUSE_NETLINK, Wizard, configure, listening, refused, words

pytestmark = pytest.mark.real


class Case(NamedTuple):
    """Listeners (words of the listener each), mailcow.conf, the verdict on port 25, words that it says."""

    listeners: tuple[tuple[str, ...], ...]
    conf: dict[str, str]
    status: str
    says: tuple[str, ...] = ()


ADDRESSES = {
    "every address": Case((("0.0.0.0", "25"),), {}, "fail", ("port 25",)),
    "loopback": Case((("127.0.0.1", "25"),), {}, "fail", ("127.0.0.1:25",)),
    "dual stack": Case((("::", "25"),), {}, "fail", ("port 25",)),
    "v6 only": Case((("--v6only", "::", "25"),), {}, "fail", ("IPv6",)),
    "v6 only without IPv6": Case((("--v6only", "::", "25"),), {"ENABLE_IPV6": "false"}, "warn", ("IPv6",)),
    "v6 only with IPv6 said": Case((("--v6only", "::", "25"),), {"ENABLE_IPV6": "true"}, "fail", ("IPv6",)),
    "dual stack without IPv6": Case((("::", "25"),), {"ENABLE_IPV6": "false"}, "fail", ("port 25",)),
    "v6 loopback": Case((("::1", "25"),), {}, "fail", ("[::1]:25",)),
    "v6 loopback without IPv6": Case((("::1", "25"),), {"ENABLE_IPV6": "false"}, "warn", ("[::1]:25",)),
    "v4 mapped": Case((("::ffff:127.0.0.1", "25"),), {}, "fail", ("127.0.0.1",)),
    "v4 mapped, same address": Case(
        (("::ffff:192.0.2.10", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "fail", ("192.0.2.10",)
    ),
    "v4 mapped, other address": Case((("::ffff:192.0.2.11", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "pass"),
    "other address": Case((("192.0.2.11", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "pass"),
    "same address": Case((("192.0.2.10", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "fail", ("192.0.2.10:25",)),
    "every address against one": Case((("0.0.0.0", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "fail"),
    "dual stack against one": Case((("::", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "fail"),
    "v6 only against one": Case((("--v6only", "::", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "pass"),
    "v6 address against one": Case((("2001:db8::10", "25"),), {"SMTP_PORT": "192.0.2.10:25"}, "pass"),
    "one address against every": Case((("192.0.2.10", "25"),), {}, "fail", ("192.0.2.10:25",)),
    "device": Case((("--device", "eth0", "0.0.0.0", "25"),), {}, "fail", ("eth0",)),
    "shared port": Case(
        (
            ("--reuse-port", "--name", "first", "0.0.0.0", "25"),
            ("--reuse-port", "--name", "second", "0.0.0.0", "25"),
        ),
        {},
        "fail",
        ("first", "second"),
    ),
    "two programs": Case(
        (("--name", "first", "127.0.0.1", "25"), ("--name", "second", "192.0.2.10", "25")),
        {},
        "fail",
        ("first is listening on 127.0.0.1:25", "second is listening on 192.0.2.10:25"),
    ),
    "one for each family": Case(
        (("--name", "first", "0.0.0.0", "25"), ("--name", "second", "--v6only", "::", "25")),
        {},
        "fail",
        ("first", "second", "IPv6"),
    ),
    "another port": Case((("0.0.0.0", "2525"),), {}, "pass"),
}
NOT_TOLD_WITHOUT_NETLINK = {
    "device",
    "v6 only",
    "v6 only without IPv6",
    "v6 only with IPv6 said",
    "v6 only against one",
}


@contextmanager
def standing(network: Inside, mailcow: Path, case: Case) -> Iterator[list[int]]:
    """The case's listeners; their pids."""
    configure(mailcow, **case.conf)
    with ExitStack() as stack:
        yield [stack.enter_context(listening(network, *argv)) for argv in case.listeners]


@pytest.mark.parametrize("name", ADDRESSES)
def test_address(name: str, network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """The verdict is what the kernel says to Docker, and every holder is named with its process."""
    case = ADDRESSES[name]
    with standing(network, mailcow, case) as pids:
        blocked = refused(network, case.conf.get("SMTP_PORT", "").partition(":")[0], 25)
        finding = wizard.port()
        assert finding["status"] == case.status, words(finding)
        assert (finding["status"] != "pass") == bool(blocked)
        for said in case.says:
            assert said in finding["summary"], words(finding)
        if blocked:
            for pid in pids:
                assert f"process {pid} " in finding["found"], words(finding)
        assert {one["status"] for key, one in wizard.check().items() if key != "ports.smtp"} == {"pass"}
    (mailcow / "mailcow.conf").unlink()
    wizard.assert_free()


@pytest.mark.parametrize("name", sorted(ADDRESSES.keys() - NOT_TOLD_WITHOUT_NETLINK))
def test_address_without_netlink(name: str, network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """Where netlink is refused, /proc gives the same verdict."""
    before = (sys.executable, "-I", "-S", REFUSE_NETLINK)
    with standing(network, mailcow, ADDRESSES[name]) as pids:
        finding = wizard.port(before=before)
        assert finding["status"] == ADDRESSES[name].status, words(finding)
        if finding["status"] != "pass":
            assert all(f"process {pid} " in finding["found"] for pid in pids), words(finding)


def test_v6_only_without_netlink(network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """/proc does not tell whether [::] takes IPv4 too: still a failure, and not said to be proved."""
    with standing(network, mailcow, ADDRESSES["v6 only"]):
        finding = wizard.port(before=(sys.executable, "-I", "-S", REFUSE_NETLINK))
        assert finding["status"] == "fail", words(finding)
        assert finding["certainty"] == "inferred"


def test_all_thirteen(network: Inside, wizard: Wizard) -> None:
    """Each port has its own finding, and one program on all of them is named in each."""
    with listening(
        network, "--name", "greedy", "0.0.0.0", ",".join(str(port.number) for port in PORTS)
    ) as pid:
        for port, finding in ((one, wizard.check()[one.id]) for one in PORTS):
            assert finding["status"] == "fail", words(finding)
            assert "greedy" in finding["summary"]
            assert str(port.number) in finding["summary"]
            assert f"process {pid} " in finding["found"]
    wizard.assert_free()


def test_ports_for_loopback_only(network: Inside, wizard: Wizard) -> None:
    """What mailcow binds to 127.0.0.1 is not in the way of a listener on another address."""
    with listening(network, "192.0.2.10", "19991,13306,7654"):
        wizard.assert_free()


def test_moved_ports(network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """mailcow.conf says where to look: the old places do not matter any more, the new ones do."""
    configure(mailcow, **{port.key: str(port.number + 20000) for port in PORTS if port.number != 25})
    moved = [port for port in PORTS if port.number != 25]
    with listening(network, "0.0.0.0", ",".join(str(port.number) for port in moved)):
        wizard.assert_free()
    with listening(network, "0.0.0.0", ",".join(str(port.number + 20000) for port in moved)):
        findings = wizard.check()
        for port in moved:
            assert findings[port.id]["status"] == "fail", words(findings[port.id])
            assert str(port.number + 20000) in findings[port.id]["summary"]
        assert findings["ports.smtp"]["status"] == "pass"


def test_moved_smtp(mailcow: Path, wizard: Wizard) -> None:
    """Other mail servers deliver to 25 only: a free port elsewhere is a warning."""
    configure(mailcow, SMTP_PORT="2525")
    finding = wizard.port()
    assert finding["status"] == "warn", words(finding)
    assert "2525" in finding["summary"]


def test_web_behind_a_proxy(network: Inside, mailcow: Path, wizard: Wizard) -> None:
    """A proxy on the public address is no conflict for a web server on loopback with ports of its own."""
    configure(mailcow, HTTP_BIND="127.0.0.1", HTTP_PORT="8080", HTTPS_BIND="127.0.0.1", HTTPS_PORT="8443")
    with listening(network, "0.0.0.0", "80,443"), listening(network, "192.0.2.10", "8080"):
        wizard.assert_free()
    with listening(network, "127.0.0.1", "8443"):
        finding = wizard.port("https")
        assert finding["status"] == "fail", words(finding)
        assert "127.0.0.1:8443" in finding["summary"]
