"""Why mailcow's unbound is unhealthy: the cause that the checks find comes first, its own words else."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from mailcow_wizard.engine.findings import of_finding
from mailcow_wizard.install import up
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.services import Service
from mailcow_wizard.model import Check, Finding, Fix, Status

SAID = up.Told("its test says: no root server answers", ("[1:0] info: start of service",))


def finding(check: str, status: Status = "fail", fixes: tuple[str, ...] = ()) -> Finding:
    """What that check finds."""
    some = tuple(Fix(one, f"{one} it", "low", True, True) for one in fixes)
    step, summary = check.partition(".")[0], f"{check} is wrong"
    return Finding(
        check, None, step, check, status, "breaks", "proved", summary, "", "", "", "https://d",
        fixes=some, remedies=(f"mend {check} by hand",),
    )  # fmt: skip


class Looked(Job):
    """A job whose checks find this, and nothing else."""

    def __init__(self, *findings: Finding) -> None:
        self._findings = findings

    def look(self, checks: Sequence[Check]) -> tuple[Finding, ...]:
        asked = {one.id for one in checks}
        return tuple(one for one in self._findings if one.id in asked)


class Watch:
    """What its log says."""

    def tell_log(self, _service: Service) -> up.Told:
        return SAID


def failed(*findings: Finding, service: str = "unbound-mailcow") -> Failed:
    """The failure that is told."""
    box = Service("4711", f"mailcow-{service}-1", service, "running", "unhealthy")
    return up._struggling(Looked(*findings), cast("Any", Watch()), [box])


@pytest.mark.parametrize(
    ("cause", "mended_by"),
    [
        (
            finding("network.icmp", fixes=("skip-healthcheck",)),
            "./wizard fix network.icmp skip-healthcheck: skip-healthcheck it",
        ),
        (finding("network.recursion"), "mend network.recursion by hand"),
        (finding("time.offset", fixes=("enable-ntp",)), "./wizard fix time.offset enable-ntp: enable-ntp it"),
        (finding("network.outbound-hosts"), "mend network.outbound-hosts by hand"),
        (finding("firewall.backend"), "mend firewall.backend by hand"),
    ],
    ids=lambda one: one.id if isinstance(one, Finding) else "",
)
def test_each_cause_is_named(cause: Finding, mended_by: str) -> None:
    told = failed(finding("network.mtu"), cause)
    assert str(told) == f"mailcow's unbound is unhealthy ({cause.id} is wrong)"
    assert told.remedies[0] == mended_by
    assert told.remedies[-1] == "All that it says: docker logs mailcow-unbound-mailcow-1"
    assert [of_finding(one)["id"] for one in told.findings] == [cause.id]


def test_a_wrong_clock_beside_a_firewall() -> None:
    """Both are named: a clock that is days off makes every signature of DNSSEC invalid."""
    told = failed(finding("network.recursion"), finding("time.offset", fixes=("enable-ntp",)))
    assert len(told.findings) == 2
    assert any("time.offset enable-ntp" in one for one in told.remedies)


def test_what_is_not_sure_is_told_where_nothing_else_is_found() -> None:
    """Rules of this machine itself, of which nobody knows what becomes of the containers' packets."""
    unsure = finding("network.recursion", "unknown")._replace(stops="here")
    assert str(failed(unsure)) == "mailcow's unbound is unhealthy (network.recursion is wrong)"
    told = failed(unsure, finding("time.offset"))
    assert str(told) == "mailcow's unbound is unhealthy (time.offset is wrong)"
    assert [one.id for one in told.findings] == ["time.offset"]


def test_names_that_no_way_leads_to_are_told_where_nothing_else_is_found() -> None:
    """They are those that its test looks up; of other hosts nobody knows whether they are needed."""
    lost = finding("network.recursion", "unknown")._replace(stops="way")
    host = finding("network.outbound-hosts", "unknown")._replace(stops="way")
    assert [one.id for one in failed(host, lost).findings] == ["network.recursion"]
    assert failed(lost, finding("time.offset")).findings[0].id == "time.offset"


def test_a_rule_that_hides_strangers_is_no_cause() -> None:
    """It makes an open relay, and keeps nobody from asking."""
    assert failed(finding("firewall.masquerade")).findings == ()


def test_nothing_is_found() -> None:
    """A warning is no cause; what its own test said is the best that there is."""
    told = failed(finding("time.offset", "warn"), finding("network.icmp", "unknown"))
    assert str(told) == "mailcow's unbound is unhealthy (its test says: no root server answers)"
    assert told.findings == ()


def test_another_container_is_not_explained_by_unbound() -> None:
    told = failed(finding("network.icmp"), service="mysql-mailcow")
    assert "network.icmp" not in str(told)
    assert told.findings == ()


_MEMORY = "0 [ERROR] InnoDB: mmap(137297920 bytes) failed; errno 12"


@pytest.mark.parametrize("state", ["restarting", "running unhealthy"])
@pytest.mark.parametrize(
    ("service", "lines", "means", "helps"),
    [
        (
            "mysql-mailcow",
            (_MEMORY, "0 [ERROR] Aborting"),
            "there is not enough memory for it",
            "system.memory",
        ),
        ("mysql-mailcow", (_MEMORY, "2 [ERROR] No space left on device"), "the disk is full", "system.disk"),
        (
            "netfilter-mailcow",
            ("MAILCOW target is in position 4 in the ip forward table, restarting container", "Clearing all"),
            "another program puts its firewall rules before mailcow's",
            "firewall.backend",
        ),
        ("redis-mailcow", ("1:M * ready", "1:M # it is odd"), "1:M # it is odd", "docker logs"),
    ],
)
def test_the_log_of_another_is_explained(
    service: str, lines: tuple[str, ...], means: str, helps: str, state: str
) -> None:
    """The last line of a log seldom says the cause; of several the last counts."""

    class Logged(Watch):
        def tell_log(self, _service: Service) -> up.Told:
            return up.Told(lines=lines)

    how, _space, health = state.partition(" ")
    box = Service("4711", f"mailcow-{service}-1", service, how, health)
    told = up._struggling(Looked(), cast("Any", Logged()), [box])
    assert str(told).startswith(f"mailcow's {service.removesuffix('-mailcow')} is {health or how} ({means}")
    assert helps in told.remedies[0]
