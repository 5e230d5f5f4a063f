"""nft's own rules and its file on a whole machine: opened, taken back to the last rule."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lab import machine
from lab.gate import MAILCOW, Gate, gate
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from tests.real.firewall_machine import (
    NFT_FILE,
    NFT_RULES,
    PACKAGES,
    PATIENT,
    PATIENT_S,
    STATE,
    does,
    forget,
    look,
    reached,
    silence,
)
from tests.real.mending import Mender, edits

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("clean")]


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate(MAILCOW) as made:
        yield made


@pytest.fixture(scope="module")
def debian(world: Gate) -> Iterator[Machine]:
    """A Debian 12 on the server's place in the world; nothing but nft filters."""
    with or_skip(), machine.booted(*PACKAGES, network=f"/run/netns/{world.server.name}") as made:
        silence(made)
        yield made


@pytest.fixture
def clean(world: Gate, debian: Machine) -> Iterator[None]:
    """Before and after: no rules."""
    world.clear()
    yield
    debian.write(NFT_FILE, "flush ruleset\n")
    world.clear()


@pytest.fixture
def mender(debian: Machine) -> Mender:
    return Mender(debian, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", STATE, ("env", PATIENT))


def in_force(debian: Machine) -> list[Any]:
    """All that nft lists, but for numbers and counters; rules in their order."""
    listed = json.loads(debian.run(["nft", "-s", "-j", "list", "ruleset"], check=True).stdout)["nftables"]
    for one in listed:
        for about in one.values():
            about.pop("handle", None)
    # Where a set stands among the others says nothing.
    return sorted(listed[1:], key=lambda one: next(iter(one)))


def opened(world: Gate, mender: Mender, before: set[int]) -> str:
    """Shut as expected, opened, all reached; the change's number."""
    reached(world, before)
    change = str(mender.apply("firewall.local", "open-ports")["change"])
    reached(world, set(MAILCOW))
    return change


def test_neighbours(world: Gate, debian: Machine, mender: Mender) -> None:
    """IPv6 arrives only when neighbours find the machine, whatever its ports' rules say."""
    ports = ", ".join(map(str, MAILCOW))
    rules = NFT_RULES.replace("{ icmp, ipv6-icmp }", "icmp").replace("22, 80", f"22, {ports}")
    debian.write(NFT_FILE, rules.replace("policy drop;\n\t}\n}", "policy accept;\n\t}\n}"))
    does(debian, [f"nft -f {NFT_FILE}"])
    forget(world)
    tried = world.tried(PATIENT_S)
    # Silent, or after three seconds the asking kernel's own word that it finds no neighbour.
    assert (tried[0][25], tried[4][25] == "open") == ("open", False)
    found = look(debian)
    assert (found["status"], "nothing arrives over IPv6" in found["found"]) == ("warn", True), found
    before = in_force(debian)
    change = str(mender.apply("firewall.local", "open-ports")["change"])
    forget(world)
    reached(world, set(MAILCOW))
    does(debian, [f"nft -f {NFT_FILE}"])  # as after a restart
    assert look(debian)["status"] == "pass"
    mender.undo(change)
    assert in_force(debian) == before
    does(debian, [f"nft -f {NFT_FILE}"])
    forget(world)
    assert world.tried(PATIENT_S)[4][25] != "open"


@pytest.mark.long
def test_nft(world: Gate, debian: Machine, mender: Mender) -> None:
    debian.write(NFT_FILE, NFT_RULES)
    does(debian, [f"nft -f {NFT_FILE}"])
    found = look(debian)
    assert "would not reach mailcow's containers: policy drop of chain forward" in found["summary"]
    plan = mender.plan("firewall.local", "open-ports")
    assert edits(plan) == [NFT_FILE]
    change = opened(world, mender, {80})
    does(debian, [f"nft -f {NFT_FILE}"])  # as after a restart
    reached(world, set(MAILCOW))
    assert look(debian)["status"] == "pass"
    mender.undo(change)
    assert debian.run(["cat", NFT_FILE]).stdout == NFT_RULES
    does(debian, [f"nft -f {NFT_FILE}"])
    reached(world, {80})


def test_nft_is_taken_back_at_once(world: Gate, debian: Machine, mender: Mender) -> None:
    debian.write(NFT_FILE, NFT_RULES)
    does(debian, [f"nft -f {NFT_FILE}"])
    before = in_force(debian)
    change = opened(world, mender, {80})
    mender.undo(change)
    assert in_force(debian) == before
    reached(world, {80})


def test_nft_is_taken_back_from_what_was_changed_since(world: Gate, debian: Machine, mender: Mender) -> None:
    """Twice opened, with ports of somebody else's in between; the rules loaded anew; the rest stays."""
    mine = "add rule inet filter input tcp dport 7000 accept"
    debian.write(NFT_FILE, NFT_RULES.replace("policy drop;\n\t}\n}", "policy accept;\n\t}\n}"))
    does(debian, [f"nft -f {NFT_FILE}"])
    start = in_force(debian)
    first = opened(world, mender, {80})
    does(debian, [f"nft -f {NFT_FILE}", "nft insert rule inet filter input tcp dport 25 drop"])
    between = in_force(debian)
    second = opened(world, mender, set(MAILCOW) - {25})
    mender.undo(second)
    assert in_force(debian) == between
    does(debian, ["nft " + mine])
    reached(world, set(MAILCOW) - {25})
    mender.undo(first)
    left = in_force(debian)
    assert [one for one in left if one in start] == start
    assert [list(one) for one in left if one not in start] == [["rule"], ["rule"]], left


def test_what_somebody_else_uses_of_it_stays(world: Gate, debian: Machine, mender: Mender) -> None:
    debian.write(NFT_FILE, NFT_RULES)
    does(debian, [f"nft -f {NFT_FILE}"])
    before = in_force(debian)
    change = opened(world, mender, {80})
    does(debian, ["nft add chain inet filter theirs"])
    does(debian, ["nft add rule inet filter theirs tcp dport @mailcow_ports accept"])
    mender.undo(change)
    reached(world, {80})
    does(debian, ["nft flush chain inet filter theirs"])
    does(debian, ["nft delete chain inet filter theirs", "nft delete set inet filter mailcow_ports"])
    assert in_force(debian) == before
