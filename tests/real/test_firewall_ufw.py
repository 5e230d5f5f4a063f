"""ufw beside the administrator's own rules: opened by a rule that is nobody else's, and taken back alone."""

from collections.abc import Iterator

import pytest
from lab import machine
from lab.gate import MAILCOW, Gate, gate
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from tests.real.firewall_machine import PACKAGES, PATIENT, STATE, does, look, reached, silence
from tests.real.mending import Mender

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("clean")]

DEFAULTS = "/etc/default/ufw"
OTHERS = f"ufw allow {','.join(str(one) for one in MAILCOW if one != 25)}/tcp"
ON = "ufw --force enable"


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate(MAILCOW) as made:
        yield made


@pytest.fixture(scope="module")
def debian(world: Gate) -> Iterator[Machine]:
    with or_skip(), machine.booted(*PACKAGES, network=f"/run/netns/{world.server.name}") as made:
        silence(made)
        yield made


@pytest.fixture
def clean(world: Gate, debian: Machine) -> Iterator[None]:
    """Before and after: no rules."""
    world.clear()
    yield
    does(debian, [f"sed -i s/^IPV6=no/IPV6=yes/ {DEFAULTS}", "ufw --force reset"])
    world.clear()


@pytest.fixture
def mender(debian: Machine) -> Mender:
    return Mender(debian, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", STATE, ("env", PATIENT))


def added(debian: Machine) -> list[str]:
    """The user's rules, in their order."""
    return debian.run(["ufw", "show", "added"], check=True).stdout.splitlines()[1:]


def opened(world: Gate, mender: Mender, before: set[int]) -> str:
    """Shut as expected, opened, all reached; the change's number."""
    reached(world, before)
    change = str(mender.apply("firewall.local", "open-ports")["change"])
    reached(world, set(MAILCOW))
    return change


@pytest.mark.parametrize(
    ("lines", "before"),
    [
        # A rule of these words is there, and another one comes first.
        (("ufw deny 25", "ufw allow 25/tcp comment mine", OTHERS), set(MAILCOW) - {25}),
        # ufw takes a rule of these words for the same one, whatever its verdict.
        (("ufw deny 25/tcp", OTHERS), set(MAILCOW) - {25}),
        # One of them is refused by a rule, the others by the policy.
        (("ufw allow 80/tcp", "ufw reject 587/tcp"), {80}),
    ],
)
def test_rules_of_others_stay(
    world: Gate, debian: Machine, mender: Mender, lines: tuple[str, ...], before: set[int]
) -> None:
    does(debian, ("ufw allow 22", *lines, ON))
    rules = added(debian)
    change = opened(world, mender, before)
    mender.undo(change)
    assert added(debian) == rules
    reached(world, before)


def test_a_rule_that_somebody_has_made_theirs_stays(world: Gate, debian: Machine, mender: Mender) -> None:
    does(debian, (OTHERS, ON))
    change = opened(world, mender, set(MAILCOW) - {25})
    does(debian, ["ufw allow 25/tcp comment mine"])
    rules = added(debian)
    mender.undo(change)
    assert added(debian) == rules
    reached(world, set(MAILCOW))


def test_where_ipv6_is_left_alone(debian: Machine) -> None:
    """It is shut altogether, and no rule of ufw's opens it again."""
    does(debian, [f"sed -i s/^IPV6=yes/IPV6=no/ {DEFAULTS}", "ufw allow 25/tcp", OTHERS, ON])
    found = look(debian)
    assert (found["status"], "set IPV6=yes in /etc/default/ufw" in str(found)) == ("warn", True), found
    assert "Open them: ufw allow" not in str(found)
    assert [one["id"] for one in found["fixes"]] == ["disable-firewall"]
    does(debian, [f"sed -i s/^IPV6=no/IPV6=yes/ {DEFAULTS}", "ufw disable", ON, "ufw allow 25/tcp", OTHERS])
    assert look(debian)["status"] == "pass"
