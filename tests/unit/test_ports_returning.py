"""A port that is free, or mailcow's, until a service that is enabled starts with the machine again."""

from types import MappingProxyType

import pytest
from fake_host import FakeHost
from unit.test_ports_judged import SMTP, container, judge, occupant

from mailcow_wizard.checks.ports import judge_port
from mailcow_wizard.facts.mailcow_conf import MailcowConf
from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.facts.returning import returning
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import _PROPERTIES
from mailcow_wizard.host.door import NoAnswer
from mailcow_wizard.model import Settings

WANTS = "/etc/systemd/system/multi-user.target.wants"


def machine(*links: str, scripts: tuple[str, ...] = (), **units: str) -> Facts:
    """One that starts these with itself; of each unit its state of activity, and of its file."""
    files = {f"{WANTS}/{one}": "" for one in links} | {f"/etc/rc3.d/{one}": "" for one in scripts}
    files["/run/systemd/system/x"] = ""
    names = sorted(units)
    rows = [
        f"Id={one}.service\nLoadState=loaded\nUnitFileState={units[one].partition(' ')[2]}\n"
        f"ActiveState={units[one].partition(' ')[0]}\n"
        for one in names
    ]
    asked = " ".join(("systemctl show -p", _PROPERTIES, "--", *(f"{one}.service" for one in names)))
    return Facts(FakeHost(files, {asked: "\n".join(rows)}), Settings())


def test_who_is_enabled_and_does_not_run_comes_back() -> None:
    facts = machine(
        "postfix.service", "nginx.service", "ssh.service", postfix="inactive enabled", nginx="active enabled"
    )
    assert returning(facts) == {25: ("postfix.service",)}


def test_two_for_one_port_and_one_for_two() -> None:
    facts = machine(
        *("exim4.service", "postfix.service", "dovecot.service"),
        exim4="failed enabled", postfix="inactive enabled", dovecot="inactive enabled",
    )  # fmt: skip
    assert returning(facts) == {
        25: ("exim4.service", "postfix.service"),
        143: ("dovecot.service",),
        993: ("dovecot.service",),
    }


def test_an_init_script_is_asked_for_its_unit() -> None:
    facts = machine(scripts=("S01sendmail", "K01nginx", "README"), sendmail="inactive enabled")
    assert returning(facts) == {25: ("sendmail.service",)}


@pytest.mark.parametrize("installed", [True, False])
def test_an_init_script_of_a_package_that_is_gone_starts_nothing(installed: bool) -> None:
    facts = machine(scripts=("S01exim4",), exim4="inactive generated")
    host = facts.host
    assert isinstance(host, FakeHost)
    said = next(one for one in host.commands if one.startswith("systemctl show"))
    host.commands[said] = f"{host.commands[said]}SourcePath=/etc/init.d/exim4\n"
    host.commands["systemctl is-enabled -- exim4.service"] = "enabled\n"
    if installed:
        host.files["/usr/sbin/exim4"] = "x"
    assert returning(facts) == ({25: ("exim4.service",)} if installed else {})


@pytest.mark.parametrize("state", ["inactive disabled", "inactive masked", "activating enabled"])
def test_who_is_off_or_about_to_run_does_not(state: str) -> None:
    assert returning(machine("postfix.service", postfix=state)) == {}


@pytest.mark.parametrize("above", ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd"])
def test_systemd_is_not_asked_of_who_has_processes(above: str) -> None:
    running = {f"{WANTS}/nginx.service": "", "/run/systemd/system/x": ""}
    host = FakeHost({**running, f"{above}/system.slice/nginx.service/cgroup.procs": "12\n"})
    assert returning(Facts(host, Settings())) == {}
    assert not any("systemctl" in one for one in host.asked)


def test_where_systemd_is_not_or_does_not_tell_nobody_is_named() -> None:
    enabled = {f"{WANTS}/postfix.service": ""}
    for files in (enabled, {**enabled, "/run/systemd/system/x": ""}, {WANTS: NoAnswer("x")}):
        assert returning(Facts(FakeHost(files), Settings())) == {}


NO_CONF = MailcowConf("/srv/mailcow.conf", False, MappingProxyType({}))


def port(*units: str, held: bool = False) -> PortFacts:
    """Port 25 as it is now, and who comes back."""
    own = occupant(docker=True, container=container("postfix-mailcow"), own=True)
    said = PortFacts(SMTP, (own,) if held else (), NO_CONF, True, "netlink")
    return said._replace(returning=units)


def test_a_free_port_is_not_free_for_long() -> None:
    assert judge(SMTP).status == "pass"
    said = judge_port(port("postfix.service"))
    assert (said.status, said.severity, said.certainty) == ("warn", "breaks", "inferred")
    assert said.summary == "port 25 is free, but postfix.service starts with the machine, and would take it"
    assert said.remedies == ("Keep it from starting with the machine: systemctl disable postfix.service",)
    assert ("systemctl is-enabled postfix.service", "enabled") in said.evidence


def test_nor_does_mailcow_keep_it() -> None:
    said = judge_port(port("exim4.service", "postfix.service", held=True))
    assert said.status == "warn"
    assert said.summary == (
        "mailcow itself listens on port 25, but exim4.service and postfix.service start with the machine, "
        "and would take it"
    )
    assert judge_port(port(held=True)).status == "pass"


def test_who_holds_it_now_is_what_counts() -> None:
    foreign = PortFacts(SMTP, (occupant(unit="exim4.service"),), NO_CONF, True, "netlink")
    assert judge_port(foreign._replace(returning=("postfix.service",))).status == "fail"
