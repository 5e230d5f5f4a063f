"""One answer of the door in turn is an error, cut short or garbage: no check crashes, none turns green by it,
and all others say what they said."""

import itertools
import random
import threading
from collections.abc import Iterable

import pytest

from mailcow_wizard.engine import runner
from mailcow_wizard.engine.runner import Run
from tests.answering import Every, Machine
from tests.faults.faults import ERRORS, NAMES, Trouble, disturbed, fault, singles
from tests.fuzz.targets_door import machines

pytestmark = pytest.mark.seeded

# Where a check may turn green although an answer failed: why that is no lie.
ALLOWED: dict[tuple[str, str], str] = {
    ("docker.daemon", "info /run/systemd/system"): "everybody may look there; without it there is no systemd",
    ("mail.ports", "ask_dns"): "the port was spoken with; what the reverse name is dns.ptr says",
    ("mail.ports", "read /etc/resolv.conf"): "the same",
    ("mail.ports", "source_address"): "the same",
    (
        "reputation.blocklists",
        "ask_dns",
    ): "each list is a source of its own, and is counted",
}
# The same where the file is not there, and only then.
WITHOUT_IT: dict[tuple[str, str], str] = {
    ("network.accept-ra", "read /proc/net/ipv6_route"): "a kernel without IPv6 has no such file",
    ("network.ipv6", "read /opt/mailcow-dockerized/mailcow.conf"): "before an install nothing asks for IPv6",
    ("config.env-leak", "read /root/.profile"): "a file that is not there exports nothing",
    ("time.rtc", "read /etc/adjtime"): "without the file the clock is in UTC (hwclock(8))",
    ("docker.flavor", "info"): "without a mailcow.conf there is nothing that says otherwise",
    ("docker.flavor", "names"): "without a mailcow.conf there is nothing that says otherwise",
    ("docker.flavor", "read /opt/mailcow-dockerized/mailcow.conf"): "the same",
}
# What is lost or turned round in the middle of a text is not seen by who reads it.
UNSEEN = ("short read", "garbage")
SAMPLE = 40
PAIRS = 15


def lies(found: Iterable[Trouble]) -> list[Trouble]:
    """What must not be: crashes, and greens that an error made."""
    return [one for one in found if one.what != "stays green" and not _is_allowed(one)]


def _is_allowed(one: Trouble) -> bool:
    if "green" not in one.what:
        return False
    return any(_explains(one.check, key, name) for key, name in one.faults)


def _explains(check: str, key: str, name: str) -> bool:
    known = [*ALLOWED, *(WITHOUT_IT if name == "ENOENT" else ())]
    return name in UNSEEN or any(one == check and key.startswith(word) for one, word in known)


@pytest.mark.parametrize("machine", machines(), ids=lambda one: one.name)
def test_one_fault(machine: Machine) -> None:
    every = sorted(singles(machine))
    chosen = random.Random(7).sample(every, SAMPLE)
    found = list(itertools.chain.from_iterable(disturbed(machine, one) for one in chosen))
    assert lies(found) == []
    assert len(every) > 5000


@pytest.mark.parametrize("name", ["ENOENT", "ECONNREFUSED"])
def test_a_docker_that_ended_may_have_left_its_containers(name: str) -> None:
    """Its firewall rules may be gone while they run."""
    (demo,) = [one for one in machines() if one.name == "demo"]
    assert lies(disturbed(demo, ("http /var/run/docker.sock /version", name))) == []


@pytest.mark.long
@pytest.mark.parametrize("machine", machines(), ids=lambda one: one.name)
def test_every_fault(machine: Machine) -> None:
    every = list(singles(machine))
    found = list(itertools.chain.from_iterable(disturbed(machine, one) for one in every))
    print(f"{machine.name}: {len(every)} faults, {len(found)} times green all the same")
    assert lies(found) == []


def _pairs(machine: Machine, count: int, seed: int) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    every = sorted(singles(machine, [*ERRORS]))
    chance = random.Random(seed)
    return [(chance.choice(every), chance.choice(every)) for _ in range(count)]


@pytest.mark.parametrize("machine", machines(), ids=lambda one: one.name)
def test_two_faults(machine: Machine) -> None:
    found = [one for pair in _pairs(machine, PAIRS, 8) for one in disturbed(machine, *pair)]
    assert lies(found) == []


@pytest.mark.long
@pytest.mark.parametrize("machine", machines(), ids=lambda one: one.name)
def test_many_pairs_of_faults(machine: Machine) -> None:
    found = [one for pair in _pairs(machine, 10_000, 9) for one in disturbed(machine, *pair)]
    assert lies(found) == []


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("machine", machines(), ids=lambda one: one.name)
def test_a_machine_that_answers_nothing_is_never_well(machine: Machine, name: str) -> None:
    host = machine.host(Every(fault(name)))
    facts = host.facts()
    said = [(check.id, one) for check in machine.checks for one in runner.look(check, facts)]
    statuses = {one.status for _, one in said}
    assert "crashed" not in statuses
    green = {id for id, one in said if one.status == "pass"}
    # A clock and routes that do not exist are no trouble.
    assert green <= ({"time.rtc", "network.accept-ra"} if name == "ENOENT" else set())


@pytest.mark.parametrize("name", ["EIO", "timeout", "garbage"])
def test_the_others_say_what_they_said(name: str) -> None:
    machine = machines()[0]
    for key in random.Random(len(name)).sample(sorted(machine.uses), 6):
        told = {check.id for check in machine.uses[key]}
        facts = machine.host({key: fault(name)}).facts()
        findings = Run(machine.checks, facts, lambda event: None).run()
        assert {one.id for one in findings} == {check.id for check in machine.checks}
        assert threading.active_count() < 200
        after: dict[str, list[str]] = {}
        for one in findings:
            after.setdefault(one.id, []).append(one.status)
        for check in machine.checks:
            if check.id not in told and "skipped" not in after[check.id]:
                assert after[check.id] == [one.status for one in machine.undisturbed[check.id]], (
                    key,
                    check.id,
                )


def test_the_faults_are_those_that_were_asked_for() -> None:
    assert set(NAMES) >= {"ENOENT", "EACCES", "EIO", "ENOSPC", "EMFILE", "EINTR", "timeout", "short read"}


@pytest.mark.parametrize("name", ["EACCES", "EIO", "timeout", "garbage"])
def test_a_docker_that_does_not_say_may_run_containers(name: str) -> None:
    """Where it runs some and its rules are gone, the firewall's programs are no longer well."""
    key, check = "http /var/run/docker.sock /version", "firewall.backend"
    machine = machines()[0]
    assert [one.status for one in machine.undisturbed[check]] == ["fail"]
    some = [one for one in machine.checks if one.id == check]
    said = [one for each in some for one in runner.look(each, machine.host({key: fault(name)}).facts())]
    assert said
    assert {one.status for one in said} <= {"unknown", "warn", "fail"}
