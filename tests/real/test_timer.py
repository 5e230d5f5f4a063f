"""The README's timer, on a machine with systemd: what became worse makes the unit fail, its log says what."""

import re
from pathlib import Path

import pytest
from lab.machine import Machine

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
