"""What monitoring is given, taken by monitoring itself: Nagios and Prometheus' node exporter."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.inside import CHECKOUT, Inside, wait_until

WIZARD = (sys.executable, "-m", "mailcow_wizard")
ENVIRONMENT = {"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
# State codes of a service in Nagios' status file: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
CASES = {
    "ok": (("system.cpu-arch",), "0", "MAILCOW OK - nothing is wrong"),
    "unknown": (("system.cpu-clock",), "3", "MAILCOW UNKNOWN - system.cpu-clock"),
    "warning": (("system.memory",), "1", "MAILCOW WARNING - system.memory"),
    "critical": (("ports",), "2", "MAILCOW CRITICAL - ports."),
    "skipped": (("network.outbound-25", "--offline"), "0", "MAILCOW OK"),
}
NAGIOS = """cfg_file={place}/objects.cfg
log_file={place}/nagios.log
status_file={place}/status.dat
object_cache_file={place}/objects.cache
precached_object_file={place}/objects.precache
temp_file={place}/nagios.tmp
temp_path={place}
check_result_path={place}/results
lock_file={place}/nagios.pid
command_file={place}/nagios.cmd
state_retention_file={place}/retention.dat
query_socket={place}/nagios.qh
service_inter_check_delay_method=n
service_interleave_factor=1
check_workers=2
nagios_user=root
nagios_group=root
execute_service_checks=1
status_update_interval=1
check_for_updates=0
"""
OBJECTS = """define timeperiod {{
 timeperiod_name always
 alias always
 sunday 00:00-24:00
 monday 00:00-24:00
 tuesday 00:00-24:00
 wednesday 00:00-24:00
 thursday 00:00-24:00
 friday 00:00-24:00
 saturday 00:00-24:00
}}
define command {{
 command_name mailcow
 command_line {command} $ARG1$
}}
define contact {{
 contact_name nobody
 host_notifications_enabled 0
 service_notifications_enabled 0
 host_notification_period always
 service_notification_period always
 host_notification_commands mailcow
 service_notification_commands mailcow
}}
define host {{
 host_name mail
 address 127.0.0.1
 max_check_attempts 1
 check_period always
 contacts nobody
}}
"""
SERVICE = """define service {{
 host_name mail
 service_description {name}
 check_command mailcow!{words}
 max_check_attempts 1
 check_interval 60
 retry_interval 60
 check_period always
 contacts nobody
}}
"""


@contextmanager
def nagios(place: Path, command: str) -> Iterator[None]:
    """Nagios, with a service for each case that runs the command with its words at once."""
    (place / "results").mkdir()
    (place / "nagios.cfg").write_text(NAGIOS.format(place=place))
    services = "".join(SERVICE.format(name=name, words=" ".join(CASES[name][0])) for name in CASES)
    (place / "objects.cfg").write_text(OBJECTS.format(command=command) + services)
    with (place / "said").open("wb") as said:
        process = subprocess.Popen(
            ["nagios4", str(place / "nagios.cfg")],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def services(place: Path) -> dict[str, dict[str, str]]:
    """The services that Nagios has checked, as it holds them."""
    try:
        text = (place / "status.dat").read_text()
    except OSError:
        return {}
    blocks = re.findall(r"servicestatus \{(.*?)\n\t\}\n", text, re.DOTALL)
    fields = [dict(_field(line) for line in block.splitlines()) for block in blocks]
    return {one["service_description"]: one for one in fields if one["has_been_checked"] == "1"}


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.strip().partition("=")
    return name, value


@pytest.mark.real
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nagios4"), reason="needs root and nagios4")
def test_nagios_takes_the_line_and_the_state(tmp_path: Path) -> None:
    names = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
    ours = " ".join((*WIZARD, "check", "--demo", "--format", "nagios", "--state-dir", str(tmp_path)))
    with nagios(tmp_path, f"/usr/bin/env {names} {ours}"):
        assert wait_until(lambda: len(services(tmp_path)) == len(CASES), 60), (tmp_path / "said").read_text()
    for name, (_, state, begins) in CASES.items():
        found = services(tmp_path)[name]
        assert found["current_state"] == state
        assert found["plugin_output"].startswith(begins)
        figures = dict(one.split("=") for one in found["performance_data"].split())
        assert set(figures) == {"pass", "warn", "fail", "unknown", "skipped", "crashed"}
        assert sum(map(int, figures.values())) >= 1


@pytest.mark.real
@pytest.mark.skipif(
    not shutil.which("prometheus-node-exporter"), reason="prometheus-node-exporter is not here"
)
def test_the_node_exporter_takes_the_series(network: Inside, tmp_path: Path) -> None:
    said = subprocess.run(
        [*WIZARD, "check", "--demo", "--format", "prometheus", "--state-dir", str(tmp_path / "state")],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    (tmp_path / "mailcow.prom").write_text(said)
    metrics = collected(network, tmp_path)
    assert "node_textfile_scrape_error 0" in metrics
    ours = sorted(line for line in said.splitlines() if not line.startswith("#"))
    # The exporter writes labels in the order of their names.
    assert sorted(map(in_order, ours)) == sorted(
        in_order(line) for line in metrics.splitlines() if line.startswith("mailcow_wizard_")
    )
    assert len(ours) > 100
    (tmp_path / "mailcow.prom").write_text(said + "mailcow_wizard_finding{broken\n")
    assert "node_textfile_scrape_error 1" in collected(network, tmp_path)


def collected(network: Inside, directory: Path) -> str:
    """What the node exporter says of the directory's files."""
    argv = [
        "prometheus-node-exporter",
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={directory}",
        "--web.listen-address=127.0.0.1:9100",
    ]
    process = subprocess.Popen(
        network.command(argv), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    said: list[str] = []

    def asked() -> bool:
        said[:] = [network.run(["curl", "-s", "http://127.0.0.1:9100/metrics"]).stdout]
        return "node_textfile_scrape_error" in said[0]

    try:
        assert wait_until(asked, 30)
    finally:
        process.kill()
        process.wait()
    return said[0]


def in_order(line: str) -> tuple[str, tuple[str, ...], float]:
    """A series without regard to the order of its labels, and how its number is written."""
    name, _, rest = line.partition("{")
    if not rest:
        name, _, value = line.partition(" ")
        return name, (), float(value)
    labels, _, value = rest.rpartition("} ")
    return name, tuple(sorted(re.findall(r'\w+="(?:[^"\\]|\\.)*"', labels))), float(value)
