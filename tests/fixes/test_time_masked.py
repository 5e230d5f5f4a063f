"""A time service that is masked and runs all the same: stopped, it could not be started again."""

import pytest

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import offers
from mailcow_wizard.model import Command, Plan, Settings
from tests.checks.time_machine import GOOD_LINE, LOST_LINE, SHOW, SYSTEMD, TRACKING, Machine, judge, units

OWN = Settings(ntp=("192.0.2.123",))


def plans(machine: Machine) -> dict[str, Plan]:
    """What is offered, by the fix's id."""
    judgement = judge("time.service", machine, OWN)
    return {one.fix.id: one.plan() for one in offers("time.service", judgement, Facts(machine, OWN))}


@pytest.mark.parametrize(("startup", "more"), [("masked", ()), ("masked-runtime", ("--runtime",))])
def test_a_second_one_is_put_back_as_it_was(startup: str, more: tuple[str, ...]) -> None:
    shown = units(chrony="active enabled", ntpsec=f"active {startup}")
    (step,) = plans(Machine(SYSTEMD, {TRACKING: GOOD_LINE, SHOW: shown}))["stop-second-ntp"].steps
    assert isinstance(step, Command)
    assert step.argv == ("systemctl", "stop", "ntpsec")
    assert step.undo == (
        ("systemctl", "unmask", *more, "ntpsec"),
        ("systemctl", "start", "ntpsec"),
        ("systemctl", "mask", *more, "ntpsec"),
    )


@pytest.mark.parametrize(("startup", "offered"), [("enabled", True), ("masked", False)])
def test_it_is_not_stopped_for_other_servers(startup: str, offered: bool) -> None:
    files = {**SYSTEMD, "/etc/os-release": "ID=debian\n", "/etc/chrony/chrony.conf": ""}
    machine = Machine(files, {TRACKING: LOST_LINE, SHOW: units(chrony=f"active {startup}")})
    assert ("set-ntp-servers" in plans(machine)) is offered
