"""The README's timer and its lines for cron, run by the daemons themselves: what became worse arrives."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import Machine
from lab.skip import or_skip

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
# The machine's own Python runs the wizard here, and ports are all that it looks at: that is what differs.
STARTED = "/opt/mailcow-wizard/wizard check --changes --plain"
HERE = (
    "/usr/bin/env PYTHONPATH=/opt/mailcow-wizard LANG=C.UTF-8 "
    "/usr/bin/python3 -m mailcow_wizard check ports --changes --plain"
)


def units() -> dict[str, str]:
    """The two files by name, as the README shows them."""
    block = re.search(r"```ini\n(.*?)```", README, re.DOTALL)
    assert block
    parts = re.split(r"^# (mailcow-wizard\.\w+)\n", block[1], flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.real
def test_what_is_worse_makes_the_unit_fail(booted: Machine) -> None:
    files = units()
    assert set(files) == {"mailcow-wizard.service", "mailcow-wizard.timer"}
    assert STARTED in files["mailcow-wizard.service"]
    for name, text in files.items():
        booted.write(f"/etc/systemd/system/{name}", text.replace(STARTED, HERE))
    for command in (
        "daemon-reload",
        "enable --now mailcow-wizard.timer",
        "is-active mailcow-wizard.timer",
        "start mailcow-wizard.service",
    ):
        done = booted.run(["systemctl", *command.split()])
        assert done.returncode == 0, done.stderr
    assert "mailcow-wizard.service" in booted.run(["systemctl", "list-timers"]).stdout
    assert booted.run(["systemctl", "start", "postfix@-.service"]).returncode == 0
    failed = booted.run(["systemctl", "start", "mailcow-wizard.service"])
    assert failed.returncode != 0
    log = booted.run(["journalctl", "-u", "mailcow-wizard", "--no-pager"]).stdout
    assert re.search(r"ports\.smtp.*pass.*fail|worse.*ports\.smtp", log), log
    again = booted.run(["systemctl", "start", "mailcow-wizard.service"])
    assert again.returncode == 0, "what stays as it is is no change"


@pytest.mark.real
def test_the_timer_runs_it_by_itself(booted: Machine) -> None:
    """As often as a test has time for; the random delay is the README's own, in seconds."""
    files = units()
    service = files["mailcow-wizard.service"].replace(STARTED, f"{HERE} --state-dir /run/by-itself")
    timer = files["mailcow-wizard.timer"]
    assert "OnCalendar=hourly" in timer
    assert "RandomizedDelaySec=10min" in timer
    soon = timer.replace("=hourly", "=*:*:0/4\nAccuracySec=100ms").replace("=10min", "=1s")
    booted.write("/etc/systemd/system/mailcow-wizard.service", service)
    booted.write("/etc/systemd/system/mailcow-wizard.timer", soon)

    def runs() -> int:
        said = booted.run(["journalctl", "-u", "mailcow-wizard.service", "--no-pager", "-o", "cat"]).stdout
        return said.count("Finished mailcow-wizard.service") + said.count("Failed to start")

    def result() -> str:
        return booted.run(["systemctl", "show", "-p", "Result", "--value", "mailcow-wizard"]).stdout.strip()

    booted.run(["systemctl", "daemon-reload"], check=True)
    booted.run(["systemctl", "stop", "postfix@-.service"], check=True)
    before = runs()
    booted.run(["systemctl", "restart", "mailcow-wizard.timer"], check=True)
    try:
        assert wait_until(lambda: runs() >= before + 2, 60), "it is started again and again"
        assert wait_until(lambda: result() == "success", 30)
        booted.run(["systemctl", "start", "postfix@-.service"], check=True)
        assert wait_until(lambda: result() == "exit-code", 60)
        failed = booted.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend"]).stdout
        assert wait_until(lambda: result() == "success", 60), "what stays as it is is no news"
        log = booted.run(["journalctl", "-u", "mailcow-wizard", "--no-pager", "-o", "cat"]).stdout
        assert "worse    ports.smtp: pass before, fail now" in log, failed
    finally:
        booted.run(["systemctl", "stop", "mailcow-wizard.timer", "postfix@-.service"])


@pytest.fixture
def with_cron() -> Iterator[Machine]:
    """A Debian with cron, whose mail to root is delivered on it."""
    with or_skip(), machine.booted("cron") as made:
        yield made


@pytest.mark.real
@pytest.mark.long
def test_cron_runs_its_lines_and_its_mail_arrives(with_cron: Machine) -> None:
    block = re.search(r"```crontab\n(.*?)```", README, re.DOTALL)
    assert block
    every_minute = re.sub(r"^[0-9]+ ", "* ", block[1], flags=re.MULTILINE)
    program = "/usr/bin/env PYTHONPATH=/opt/mailcow-wizard LANG=C.UTF-8 /usr/bin/python3 -m mailcow_wizard"
    first, second = (
        line.replace("/opt/mailcow-wizard/wizard check", f"{program} check ports --state-dir /run/{number}")
        for number, line in enumerate(every_minute.splitlines())
    )
    with_cron.run(["mkdir", "-p", "/var/lib/node_exporter"], check=True)
    with_cron.write("/etc/cron.d/mailcow", f"{first}\n{second}\n")
    with_cron.run(["chmod", "644", "/etc/cron.d/mailcow"], check=True)
    for unit in ("postfix@-.service", "cron.service"):
        with_cron.run(["systemctl", "start", unit], check=True)

    def mail() -> str:
        return with_cron.run(["sh", "-c", "cat /var/mail/root /var/spool/mail/root 2>/dev/null"]).stdout

    def ran() -> int:
        said = with_cron.run(["journalctl", "-u", "cron", "--no-pager", "-o", "cat"]).stdout
        return said.count("/run/0")

    assert wait_until(lambda: "ports.smtp" in mail(), 100), "the first time all is new"
    assert "there is no run before this one to compare with" in mail()
    kept = mail()
    assert wait_until(lambda: ran() >= 2, 100)
    assert wait_until(lambda: ran() >= 3, 100)
    assert mail() == kept, "nothing changed, and no mail came"
    with_cron.run(["systemctl", "start", "nginx.service"], check=True)
    assert wait_until(lambda: "worse    ports.http: pass before, fail now" in mail(), 100)
    whole = with_cron.run(["cat", "/var/lib/node_exporter/mailcow.prom"], check=True).stdout
    assert 'mailcow_wizard_check_status{id="ports.http"' in whole or "ports.http" in whole
    assert not with_cron.run(["ls", "/var/lib/node_exporter"]).stdout.count("mailcow.new")
