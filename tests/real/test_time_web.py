"""The clock beside web servers whose clocks differ from it, where no time server answers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab.inside import CHECKOUT, needs
from lab.skip import or_skip

pytestmark = pytest.mark.real

NAMES = {"ip4.mailcow.email": "127.0.7.1", "ip4.nevondo.com": "127.0.7.2"}
_DAYS_S = 86_400
_ENTER = """set -e
ip link set lo up
mount --bind "$1" /etc/hosts
mount --bind "$2" /etc/resolv.conf
shift 2
exec "$@"
"""
# Serves on the addresses, its clock so many seconds from ours, then runs the rest.
_SERVE = """
import http.server, json, subprocess, sys, threading, time
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"192.0.2.7")
    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + float(sys.argv[2]))
    def log_message(self, *words):
        pass
for address in json.loads(sys.argv[1]):
    server = http.server.ThreadingHTTPServer((address, 80), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
sys.exit(subprocess.call(sys.argv[3:]))
"""


def offset(tmp_path: Path, seconds: float, served: dict[str, str]) -> dict[str, Any]:
    """The finding, where these servers' clocks are so many seconds ahead."""
    with or_skip():
        needs("unshare", "ip")
    hosts = "".join(f"{address} {name}\n" for name, address in served.items())
    (tmp_path / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.7.9\n")
    enter = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "enter"]
    files = [str(tmp_path / "hosts"), str(tmp_path / "resolv.conf")]
    serve = [sys.executable, "-c", _SERVE, json.dumps(list(served.values())), str(seconds)]
    check = ["check", "time.offset", "--json", "--ntp", "127.0.7.8", "--state-dir", str(tmp_path / "state")]
    done = subprocess.run(
        [*enter, *files, *serve, sys.executable, "-m", "mailcow_wizard", *check],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(CHECKOUT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    (found,) = json.loads(done.stdout)["checks"]
    return dict(found)


def test_a_clock_that_is_forty_days_wrong_is_red(tmp_path: Path) -> None:
    found = offset(tmp_path, -40 * _DAYS_S, NAMES)
    assert (found["status"], found["certainty"], found["severity"]) == ("fail", "inferred", "breaks")
    assert "some 40.0 days ahead of web servers; no time server answered" in found["summary"]


def test_a_clock_that_seems_right_is_not_green(tmp_path: Path) -> None:
    found = offset(tmp_path, 0, NAMES)
    assert found["status"] == "unknown"
    assert "within seconds" in found["summary"]


def test_one_server_alone_is_not_believed(tmp_path: Path) -> None:
    found = offset(tmp_path, -40 * _DAYS_S, dict([*NAMES.items()][:1]))
    assert (found["status"], found["certainty"]) == ("unknown", "untested")
