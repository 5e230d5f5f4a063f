"""How a run ends before its time: full disks, closed pipes, signals. And that --offline sends nothing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import recorded_machines as machines
from lab.inside import CHECKOUT, LabError, wait_until
from lab.netns import Namespace
from unit.this_checkout import ENVIRONMENT, WIZARD

HANG = """
import sys
from mailcow_wizard.checks import ports
from mailcow_wizard.cli.app import run
def source(facts, name):
    print("hangs", file=sys.stderr, flush=True)
    facts.host.run(("sh", "-c", "(setsid sleep SECOND &) ; sleep SECOND"), 600)
ports.CHECKS = tuple(
    one._replace(source=lambda facts, name=one.id: source(facts, name), deadline=600)
    for one in ports.CHECKS[:3]
)
sys.exit(run(["check", "ports", *sys.argv[1:]]))
"""


@pytest.fixture
def host(tmp_path: Path) -> str:
    """A recorded machine with nothing in the way."""
    return machines.write(tmp_path / "free.json", machines.FREE)


def shell(script: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """A line of sh; `$@` are the words."""
    argv = ["sh", "-c", script, "sh", *words]
    return subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False)


FULL = "the output could not be written: No space left on device"


@pytest.mark.parametrize(
    ("words", "where", "said"),
    [
        (("check", "ports"), "/dev/full", FULL),
        (("check", "ports", "--json"), "/dev/full", FULL),
        (("check", "--list"), "/dev/full", FULL),
        (("schema",), "/dev/full", FULL),
        (("--help",), "/dev/full", FULL),
        (("check", "--version"), "/dev/full", FULL),
        (("check", "ports"), "&-", "the output could not be written: it is closed"),
        (("--help",), "&-", "the output could not be written: it is closed"),
    ],
)
def test_output_that_cannot_be_written(words: tuple[str, ...], where: str, said: str, host: str) -> None:
    more = ("--host", host) if "ports" in words else ()
    done = shell(f'exec "$@" >{where}', *WIZARD, *words, *more)
    assert (done.returncode, done.stderr) == (74, f"mailcow-wizard: {said}\n")


def test_version_that_cannot_be_written() -> None:
    assert shell('exec "$@" >/dev/full', *WIZARD, "--version").returncode == 74
    assert shell('exec "$@" >&-', *WIZARD, "--version").returncode == 74


@pytest.mark.parametrize("where", ["/dev/full", "&-"])
def test_narration_that_cannot_be_written(where: str) -> None:
    done = shell(f'exec "$@" 2>{where}', *WIZARD, "--nonsense")
    assert (done.returncode, done.stdout, done.stderr) == (64, "", "")


_OPENS = """
import os, sys
from mailcow_wizard import __main__
from mailcow_wizard.cli import app
def run(words):
    number = os.open("/", os.O_RDONLY)
    with open(sys.argv[1], "w") as file:
        file.write(str(number > 2))
    return 0
app.run = run
__main__.main()
"""


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_gets_the_number_of_a_stream_that_is_closed(closed: str, tmp_path: Path) -> None:
    """A lock that did was lost in the process that it was handed to."""
    told = tmp_path / "told"
    shell(f'exec "$@" {closed}', sys.executable, "-c", _OPENS, str(told))
    assert told.read_text() == "True"


@pytest.mark.parametrize(
    "words", [("check", "ports"), ("check", "ports", "--json"), ("check", "--list"), ("schema",)]
)
def test_closed_pipe_ends_it_silently(words: tuple[str, ...], host: str) -> None:
    more = ("--host", host) if "ports" in words else ()
    script = '{ sleep 0.3; "$@"; echo "exit $?" >&2; } | true'
    done = shell(script, *WIZARD, *words, *more)
    assert done.stderr == "exit 0\n"
    done = shell('"$@" | head -c 1', *WIZARD, *words, *more)
    assert (len(done.stdout), done.stderr) == (1, "")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_recording_is_written_though_nobody_reads_on(
    words: tuple[str, ...], host: str, tmp_path: Path
) -> None:
    def kept(name: str, script: str) -> tuple[object, str]:
        path = tmp_path / name
        done = shell(script, *WIZARD, "check", "ports", *words, "--host", host, "--record", str(path))
        return json.loads(path.read_bytes())["answers"], done.stderr

    whole, _ = kept("whole", '"$@"')
    silent = '{ sleep 0.3; "$@"; echo "exit $?" >&2; } | true'
    assert kept("unread", silent) == (whole, "exit 0\n")
    assert kept("head", '"$@" | head -c 1') == (whole, "")
    said = f"mailcow-wizard: {FULL}\nexit 74\n"
    assert kept("full", '"$@" >/dev/full; echo "exit $?" >&2') == (whole, said)


def sleepers(second: str) -> list[int]:
    """The processes that sleep that long."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if words.startswith(b"sleep\0") and second.encode() in words:
            found.append(int(pid))
    return found


@pytest.mark.timed
@pytest.mark.parametrize("words", [(), ("--json",), ("--record", "{}/machine.json")])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_signal(number: signal.Signals, code: int, words: tuple[str, ...], tmp_path: Path) -> None:
    second = f"86400.{os.getpid()}{number:d}"
    program = HANG.replace("SECOND", second)
    argv = [sys.executable, "-c", program, *(word.format(tmp_path) for word in words)]
    with subprocess.Popen(argv, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            hangs = wait_until(lambda: len(sleepers(second)) == 6, 60)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert hangs
    assert process.returncode == code
    assert out == b""
    assert err == b"hangs\n" * 3
    assert not sleepers(second)
    assert os.listdir(tmp_path) == []


def test_deadline_by_option_leaves_nothing_behind() -> None:
    second = f"86400.{os.getpid()}9"
    argv = [sys.executable, "-c", HANG.replace("SECOND", second), "--timeout", "0.3", "--json"]
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, timeout=20, check=False)
    assert done.returncode == 3
    assert {one["summary"] for one in json.loads(done.stdout)["checks"]} == {"no answer within 0.3 s"}
    assert wait_until(lambda: not sleepers(second), 60)


# --- offline ---

COUNTERS = ("Ip: OutRequests", "Udp: OutDatagrams", "Tcp: ActiveOpens", "Udp6: OutDatagrams")


@pytest.fixture
def network() -> Iterator[Namespace]:
    """A network with a way out, whose packets nobody takes. Each test has its own: what was sent in vain is
    told by the kernel, in packets, seconds later."""
    try:
        with Namespace.create() as namespace:
            namespace.run(["ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1"])
            namespace.run(["ip", "link", "set", "out1", "up"])
            namespace.run(["ip", "addr", "add", "192.0.2.10/24", "dev", "out0"])
            namespace.run(["ip", "link", "set", "out0", "up"])
            namespace.run(["ip", "route", "add", "default", "via", "192.0.2.1"])
            yield namespace
    except LabError as error:
        pytest.skip(str(error))


def sent(namespace: Namespace) -> list[int]:
    """How many packets and connections the network began, by protocol; loopback counts too."""
    rows = namespace.run(["cat", "/proc/net/snmp"]).stdout.splitlines()
    counted = {}
    for names, values in zip(rows[::2], rows[1::2], strict=True):
        protocol = names.split()[0]
        counted |= {
            f"{protocol} {name}": int(value)
            for name, value in zip(names.split()[1:], values.split()[1:], strict=True)
        }
    for line in namespace.run(["cat", "/proc/net/snmp6"]).stdout.splitlines():
        name, value = line.split()
        counted[name.replace("Udp6", "Udp6: ")] = int(value)
    return [counted[name] for name in COUNTERS]


@pytest.mark.real
def test_offline_sends_no_packet(network: Namespace) -> None:
    def check(*words: str) -> "subprocess.CompletedProcess[str]":
        servers = ("--ntp", "192.0.2.1", "--ntp", "ntp.example.org", "--timeout", "3")
        env = ["env", f"PYTHONPATH={CHECKOUT}", "HOME=/nonexistent"]
        # Among processes of its own: chronyc would ask another test's chronyd, over loopback.
        alone = ["unshare", "--pid", "--fork", "--mount-proc", "--"]
        return network.run([*alone, *env, *WIZARD, "check", "--json", *servers, *words], check=False)

    before = sent(network)
    done = check("--offline")
    assert sent(network) == before
    found = {one["id"]: one for one in json.loads(done.stdout)["checks"]}
    assert found["time.offset"]["status"] == "skipped"
    assert "--offline" in found["time.offset"]["summary"]
    check("time.offset")
    assert sent(network) != before


@pytest.mark.real
@pytest.mark.parametrize("address", ["198.51.100.4", ""])
def test_a_zone_file_is_made_without_a_packet(network: Namespace, address: str) -> None:
    given = ("--address", address) if address else ()
    alone = ["unshare", "--pid", "--fork", "--mount-proc", "--", "env", f"PYTHONPATH={CHECKOUT}"]
    words = ("dns", "--zone", "--offline", "--hostname", "mail.example.org", "--domain", "example.org")
    before = sent(network)
    done = network.run([*alone, *WIZARD, *words, *given], check=False)
    assert sent(network) == before
    assert (done.returncode, "--address" in done.stderr) == (0, not address), "what is not known is said"
    lines = done.stdout.splitlines()
    for line in ("$ORIGIN example.org.", "@ MX 10 mail.example.org.", '@ TXT "v=spf1 mx a -all"'):
        assert line in lines
    assert ("mail A 198.51.100.4" in lines) == bool(address)
    assert any(line.startswith("; 4.100.51.198.in-addr.arpa. PTR mail.") for line in lines) == bool(address)


def test_the_table_of_records_needs_name_servers() -> None:
    done = subprocess.run(
        [*WIZARD, "dns", "--offline", "--demo"], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (64, "")
    assert "dns --zone --offline" in done.stderr


@pytest.mark.parametrize(
    ("words", "document"),
    [
        (("install", "--dry-run"), True),
        (("install", "--yes"), True),
        (("dns", "--hostname", "mail.example.org"), False),
    ],
)
def test_what_only_root_may_read_is_no_defect(words: tuple[str, ...], document: bool, tmp_path: Path) -> None:
    denied = {"error": "Denied", "text": "mailcow.conf may not be read by this user"}
    host = machines.write(tmp_path / "denied.json", {**machines.FREE, machines.CONF: denied})
    done = shell('exec "$@" </dev/null', *WIZARD, *words, "--json", "--host", host)
    assert done.returncode == 77, done.stderr
    assert "may not be read by this user" in done.stderr
    assert "defect" not in done.stderr
    assert not document or "may not be read" in json.loads(done.stdout)["error"]


@pytest.mark.parametrize("before", [True, False])
def test_ctrl_c_before_the_command_line_is_there_and_behind_it(before: bool) -> None:
    """While its modules are imported, and while what it said is written out: no traceback, and 130."""
    program = """
import sys
from mailcow_wizard import __main__ as entry
from mailcow_wizard.cli import app
def interrupted(words):
    raise KeyboardInterrupt
if sys.argv.pop() == "True":
    app.run = interrupted
else:
    app.run = lambda words: 0
    sys.stdout = type("Stream", (), {"flush": interrupted})()
entry.main()
"""
    argv = [sys.executable, "-c", program, "check", str(before)]
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
