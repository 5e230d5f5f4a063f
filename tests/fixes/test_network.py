"""Plans for the network: what is offered where, and what stands in them."""

import pytest

from mailcow_wizard.checks.network import CHECKS
from mailcow_wizard.engine.runner import look
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import offers
from mailcow_wizard.fixes.sysctl import DROP_IN, merged
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.recording.recorded import DEMO, load
from mailcow_wizard.model import Check, Command, Edit, Judgement, Plan, Settings
from tests.fake_host import FakeHost

BY_ID = {one.id: one for one in CHECKS}
DIRECTORY = "/opt/mailcow-dockerized"
CONF = f"{DIRECTORY}/mailcow.conf"
SYS = "/proc/sys/net/ipv6/conf"


def demo() -> Facts:
    recorded = load(DEMO)
    return Facts(recorded, Settings(directory=recorded.directory))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_what_the_demo_machine_is_offered_can_be_planned(check: Check) -> None:
    facts = demo()
    for judgement in look(check, facts):
        for offer in offers(check.id, judgement, facts):
            plan = offer.plan()
            assert plan.steps
            assert plan.reversible
            assert plan.consequence.endswith(".")
            assert (plan.check, plan.fix) == (check.id, offer.fix.id)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
@pytest.mark.parametrize("status", ["pass", "unknown", "skipped", "crashed"])
def test_where_nothing_is_wrong_nothing_is_offered(check: Check, status: str) -> None:
    assert offers(check.id, Judgement(status, ""), demo()) == ()  # type: ignore[arg-type]


class Machine(FakeHost):
    """A machine with an IPv6 default route by advertisement over these interfaces."""

    def __init__(self, *interfaces: str, files: "dict[str, str] | None" = None) -> None:
        route = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 1 0 00450003"
        known = {
            "/proc/self/mountinfo": "1 1 8:1 / / rw - ext4 /dev/vda1 rw\n2 1 0:1 / /proc rw - proc proc rw\n",
            "/proc/self/uid_map": "0 0 4294967295\n",
            "/proc/1/environ": "HOME=/\0",
            "/proc/net/ipv6_route": "".join(f"{route} {one}\n" for one in interfaces),
            "/proc/net/if_inet6": "",
            CONF: "MAILCOW_HOSTNAME=mail.example.org\n",
            **{f"{SYS}/{one}/accept_ra": "1\n" for one in interfaces},
            **{f"{SYS}/{one}/forwarding": "0\n" for one in interfaces},
        }
        super().__init__({**known, **(files or {})}, tools=("sysctl",))

    def source_address(self, destination: str) -> str:
        raise HostError("no route")


def planned(check: str, host: FakeHost) -> Plan:
    facts = Facts(host, Settings(directory=DIRECTORY))
    (judgement,) = look(BY_ID[check], facts)
    (offer,) = offers(check, judgement, facts)
    return offer.plan()


def test_advertisements_are_accepted_over_an_interface_with_a_dot_in_its_name() -> None:
    plan = planned("network.accept-ra", Machine("eth0.100"))
    assert plan.fix == "accept-ra"
    file, command = plan.steps
    assert isinstance(file, Edit)
    assert file.path == DROP_IN
    assert file.after
    assert file.after.endswith(b"\nnet/ipv6/conf/eth0.100/accept_ra = 2\n")
    key = "net/ipv6/conf/eth0.100/accept_ra"
    assert command == Command(("sysctl", "-w", f"{key}=2"), (("sysctl", "-w", f"{key}=1"),))


def test_every_interface_that_brings_a_route_is_set() -> None:
    plan = planned("network.accept-ra", Machine("eth0", "eth1"))
    assert [one.argv[-1] for one in plan.steps if isinstance(one, Command)] == [
        f"net/ipv6/conf/{name}/accept_ra=2" for name in ("eth0", "eth1")
    ]
    assert "eth0 and eth1" in plan.title


@pytest.mark.parametrize(
    "line",
    ["net.ipv6.conf.eth0.accept_ra = 1", "net/ipv6/conf/eth0/accept_ra=0", "-net.ipv6.conf.eth0.accept_ra=1"],
)
def test_a_line_that_sets_it_already_is_changed_in_place(line: str) -> None:
    before = f"# mine\n{line}\nvm.swappiness = 10\n".encode()
    after = merged(before, {"net/ipv6/conf/eth0/accept_ra": 2})
    assert after.count(b"accept_ra") == 1
    assert after.replace(b"2\n", line[-1].encode() + b"\n") == before


def test_a_file_that_counts_later_is_changed_too() -> None:
    late = "/etc/sysctl.d/99-mine.conf"
    plan = planned("network.accept-ra", Machine("eth0", files={late: "net.ipv6.conf.eth0.accept_ra = 1\n"}))
    (edit,) = (one for one in plan.steps if isinstance(one, Edit) and one.path == late)
    assert edit.after == b"net.ipv6.conf.eth0.accept_ra = 2\n"


def test_a_vpn_has_no_default_route_that_could_be_lost() -> None:
    """Its addresses lead to nobody else (fc00::/7), and no router tells it anything."""
    for address, accept, status in (
        ("20010db8", 1, "fail"),
        ("20010db8", 2, "unknown"),
        ("fd1105ee", 1, "pass"),
        ("fd1105ee", 2, "pass"),
    ):
        files = {
            "/proc/net/if_inet6": f"{address}{'0' * 23}1 03 40 00 80 wg0\n",
            f"{SYS}/wg0/accept_ra": f"{accept}\n",
            f"{SYS}/wg0/forwarding": "1\n",
        }
        (judgement,) = look(BY_ID["network.accept-ra"], Facts(Machine(files=files), Settings()))
        assert judgement.status == status, judgement.summary
