"""From a finding to what is on offer: on the demo machine, on a bare recording, inside the holder itself."""

import pytest

from mailcow_wizard import fixes
from mailcow_wizard.checks import all_checks
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, Offer
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.recording.recorded import DEMO, load
from mailcow_wizard.model import Command, Edit, Judgement, Manual, Settings
from tests.demo_machine import DemoMachine

CHECKS = {check.id: check for check in all_checks() if check.step == "ports"}


def judged(facts: Facts, check: str) -> Judgement:
    """What the check says."""
    judgement = CHECKS[check].judge(facts.get(CHECKS[check].source))
    assert isinstance(judgement, Judgement)
    return judgement


def offered(host: Host, check: str) -> tuple[Offer, ...]:
    """What is on offer on a machine."""
    facts = Facts(host, Settings(directory="/opt/mailcow-dockerized"))
    return fixes.offers(check, judged(facts, check), facts)


@pytest.mark.parametrize("check", CHECKS)
def test_every_offer_of_the_demo_machine_can_be_planned(check: str) -> None:
    demo = load(DEMO)
    status = judged(Facts(demo, Settings(directory=demo.directory)), check).status
    found = offered(demo, check)
    assert bool(found) is (status == "fail")
    for one in found:
        plan = one.plan()
        assert (plan.check, plan.fix, plan.title, plan.risk) == (
            check,
            one.fix.id,
            one.fix.title,
            one.fix.risk,
        )
        assert plan.reversible is one.fix.reversible
        assert plan.needs_root
        assert plan.consequence.endswith(".")
        assert any(not isinstance(step, Manual) for step in plan.steps)
        for step in plan.steps:
            if isinstance(step, Command) and plan.reversible and step.argv[0] in ("systemctl", "docker"):
                assert step.undo or step.argv[1] in ("reload", "stop")
            if isinstance(step, Edit):
                assert step.before != step.after


def test_a_service_is_stopped_before_its_package_goes() -> None:
    """Debian 13's package of postfix leaves it running, and the port taken."""
    offer = next(one for one in offered(load(DEMO), "ports.smtp") if one.fix.id == "remove-package")
    stop, removal = (step for step in offer.plan().steps if isinstance(step, Command))
    assert stop.argv[:2] == ("systemctl", "stop")
    assert stop.undo == (("systemctl", "start", *stop.argv[2:]),)
    assert removal.argv[:3] == ("apt-get", "remove", "-y")


def test_a_machine_that_answers_nothing_more_still_offers_something() -> None:
    """Nothing is known of units, queues and sites: what depends on them is left out, or cannot be planned."""
    host = DemoMachine()
    host.commands = {}
    unknown = ("/etc/nginx", "/proc/net/")
    host.files = {path: text for path, text in host.files.items() if not path.startswith(unknown)}
    assert [one.fix.id for one in offered(host, "ports.smtp")] == ["stop-service", "move-port"]
    assert [one.fix.id for one in offered(host, "ports.http")] == ["proxy-mode", "stop-service", "move-port"]
    with pytest.raises(HostError):
        offered(host, "ports.smtp")[0].plan()


def test_the_unit_that_the_wizard_runs_in_is_not_stopped() -> None:
    """A terminal in the browser, say."""
    host = DemoMachine()
    host.files["/proc/self/cgroup"] = "0::/system.slice/nginx.service\n"
    assert [one.fix.id for one in offered(host, "ports.http")] == ["move-port"]


def test_a_port_of_mailcow_that_cannot_work_is_no_conflict() -> None:
    host = DemoMachine()
    host.files["/opt/mailcow-dockerized/mailcow.conf"] = "SMTP_PORT=no\n"
    assert offered(host, "ports.smtp") == ()
    host.files["/opt/mailcow-dockerized/mailcow.conf"] = "SMTP_PORT=\n"
    assert offered(host, "ports.smtp")


@pytest.mark.parametrize(
    "name", ["mail.example.org; }", "mail.example.org\\nroot /", "mail example", "$host"]
)
def test_a_name_that_could_say_more_to_a_web_server_is_refused(name: str) -> None:
    host = DemoMachine()
    host.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME='{name}'\n"
    proxy = next(one for one in offered(host, "ports.http") if one.fix.id == "proxy-mode")
    with pytest.raises(NoPlan, match="not a name"):
        proxy.plan()
