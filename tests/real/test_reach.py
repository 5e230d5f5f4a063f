"""`reach` between two namespaces, with a provider's firewall between them: real listeners, real knocks."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab.inside import CHECKOUT
from lab.netns import Namespace, link
from lab.skip import or_skip

SERVER, FAR = "192.88.99.10", "198.51.100.2"
WIZARD = ("env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard")
RULES = f"""table inet provider {{
chain forward {{
type filter hook forward priority 0
ip daddr {SERVER} tcp dport 465 drop
ip daddr {SERVER} tcp dport 110 reject with tcp reset
}}
}}
"""

Places = tuple[Namespace, Namespace]


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    """A server, and somebody outside; the router between them is the provider's."""
    with or_skip(), Namespace.create() as server, Namespace.create() as router, Namespace.create() as far:
        link(server, router, f"{SERVER}/24", "192.88.99.1/24")
        link(router, far, "198.51.100.1/24", f"{FAR}/24")
        server.run(["ip", "route", "add", "default", "via", "192.88.99.1"])
        far.run(["ip", "route", "add", "default", "via", "198.51.100.1"])
        router.run(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
        router.run(["nft", "-f", "-"], text=RULES)
        yield server, far


@contextmanager
def near(places: Places, state: Path) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """The near side, and what it invites to do: the lines for bash, PowerShell and the wizard."""
    enter = ("ip", "netns", "exec", places[0].name)
    argv = [*enter, *WIZARD, "reach", "--json", "--address", SERVER, "--state-dir", str(state)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line.rstrip("\n"))
        if "Listening for" in line:
            break
    try:
        invitations = ("(bash):", "(PowerShell):", "program:")
        yield process, [said[n + 1] for n, one in enumerate(said) if one.endswith(invitations)]
    finally:
        process.kill()
        process.communicate()


def seen(document: dict[str, Any]) -> dict[int, str]:
    """The state of each port."""
    return {one["port"]: one["state"] for one in document["ports"]}


@pytest.mark.parametrize("way", ["bash", "wizard"])
def test_each_port_is_told_as_it_is(places: Places, tmp_path: Path, way: str) -> None:
    server, far = places
    server.start([sys.executable, "-m", "http.server", "80", "--bind", "0.0.0.0"])
    end = time.monotonic() + 30
    while "LISTEN" not in server.run(["ss", "-Hltn", "sport = :80"]).stdout and time.monotonic() < end:
        time.sleep(0.05)
    with near(places, tmp_path) as (process, lines):
        argv = ["bash", "-c", lines[0]] if way == "bash" else [*WIZARD, *lines[2].split()[1:]]
        told = far.run(argv, check=False, timeout=60).stdout
        document = json.loads(process.communicate(timeout=30)[0])
    states = seen(document)
    assert states.pop(465) == "never arrived"
    assert states.pop(110) == "refused on the way"
    assert set(states.values()) == {"arrived"}
    assert process.returncode == 1
    assert document["summary"] == {"arrived": 8, "blocked": 2, "unknown": 0}
    assert re.search(r"465 .* never arrived", told)
    assert re.search(r" 25 .* arrived", told)
    argv = [*WIZARD, "check", "firewall.inbound", "--json", "--address", SERVER, "--state-dir", str(tmp_path)]
    again = server.run(argv, check=False)
    findings = {one["subject"]: one for one in json.loads(again.stdout)["checks"]}
    assert (findings["465"]["status"], findings["25"]["status"]) == ("fail", "pass")
    assert findings["25"]["certainty"] == "proved"
    assert FAR in findings["25"]["summary"]


def test_without_a_proof_nothing_is_green(places: Places, tmp_path: Path) -> None:
    argv = [*WIZARD, "check", "firewall.inbound", "--json", "--state-dir", str(tmp_path)]
    done = places[0].run(argv, check=False)
    assert done.returncode == 3
    assert {one["status"] for one in json.loads(done.stdout)["checks"]} == {"unknown"}


def test_strangers_get_nothing_and_do_not_keep_others_out(places: Places, tmp_path: Path) -> None:
    _, far = places
    stranger = (
        "import socket, sys\n"
        "kept = []\n"
        "for number in range(300):\n"
        f"    one = socket.create_connection(('{SERVER}', 25), 5)\n"
        "    one.settimeout(5)\n"
        "    if number < 5:\n"
        "        one.sendall(b'MW1 wrong 25\\n' if number % 2 else b'\\xff' * 3000)\n"
        "        try:\n"
        "            assert one.recv(100) == b''\n"
        "        except ConnectionResetError:\n"
        "            pass\n"
        "    else:\n"
        "        kept.append(one)\n"
        "kept[-1].settimeout(20)\n"
        "assert all(one.recv(1) == b'' for one in kept)\n"
    )
    with near(places, tmp_path) as (process, lines):
        done = far.run([sys.executable, "-c", stranger], check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        far.run([*WIZARD, *lines[2].split()[1:]], check=False, timeout=60)
        document = json.loads(process.communicate(timeout=30)[0])
    assert seen(document)[25] == "arrived"


def test_the_report_can_be_typed_in_where_nothing_arrives(places: Places, tmp_path: Path) -> None:
    ports = (25, 80, 110, 143, 443, 465, 587, 993, 995, 4190)
    report = "4:" + ".".join(f"{one}s" for one in ports) + ";c:s"
    argv = [*WIZARD, "reach", "--json", "--address", SERVER, "--state-dir", str(tmp_path), "--result", report]
    done = places[0].run(argv, check=False)
    states = seen(json.loads(done.stdout))
    assert states[25] == "not asked: that line lets no port 25 out"
    assert states[143] == "never arrived"
    assert done.returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ("reach", "x"),
        ("reach", "--from", SERVER),
        ("reach", "--from", SERVER, "garbage"),
        ("reach", "--minutes", "0"),
        ("reach", "--result", "nonsense"),
        ("reach", "--offline"),
        ("reach", "--demo"),
    ],
)
def test_what_cannot_be_understood_is_refused(places: Places, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = places[0].run([*WIZARD, *words, "--address", SERVER, "--state-dir", str(tmp_path)], check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
