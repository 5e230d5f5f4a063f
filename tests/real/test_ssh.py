"""`--ssh`, really: a desk outside, a bare Debian 12 with sshd, its provider's router between them."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.inside import wait_until
from lab.provider import FAR, SERVER
from lab.skip import or_skip
from lab.ssh_desk import PASSWORD, Desk, desk

from tests.real.reach_sides import PORTS, states
from tests.tui.tmux import Terminal

pytestmark = [pytest.mark.real, pytest.mark.slow]
ROOT = f"root@{SERVER}"
PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The desk and the server."""
    with or_skip(), desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture
def at(world: Desk) -> Iterator[Desk]:
    """The same; whatever a test does, nothing of the wizard is left on the server."""
    world.said_to_ssh()
    yield world
    assert wait_until(lambda: not world.left_there(), 20), world.left_there()


def line(file: Path, *words: str) -> list[str]:
    return [PYTHON, str(file), *words]


def test_the_answer_and_the_exit_code_are_those_of_the_server(at: Desk, one_file: Path) -> None:
    done = at.run(line(one_file, "--ssh", ROOT, "check", "system.os", "system.privileges", "--json"))
    found = {one["id"]: one for one in json.loads(done.stdout)["checks"]}
    assert "Debian GNU/Linux 12" in found["system.os"]["found"]
    assert found["system.privileges"]["summary"] == "runs as root"
    assert done.returncode == 0, done.stderr
    done = at.run(line(one_file, "check", "ports.smtp", "--demo", "--plain", f"--ssh={ROOT}"))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "1 fail")


def test_what_to_type_is_a_line_of_the_desk_with_the_options_of_this_one(at: Desk, one_file: Path) -> None:
    done = at.run(line(one_file, "--ssh", ROOT, "fix", "ports.smtp", "--demo", "--lang", "de"))
    assert done.returncode == 0, done.stderr
    assert f"{one_file} --ssh {ROOT} --demo --lang de fix ports.smtp " in done.stdout


def test_one_login_is_enough(at: Desk, one_file: Path) -> None:
    count = ["sh", "-c", "journalctl -u ssh --no-pager | grep -c 'Accepted publickey'"]
    before = int(at.server.run(count).stdout)
    at.run(line(one_file, "--ssh", ROOT, "check", "system.os"))
    assert int(at.server.run(count).stdout) == before + 1


def test_no_word_of_the_line_becomes_a_word_of_a_shell(at: Desk, one_file: Path) -> None:
    hostile = 'x\'; touch /pwned; $(touch /pwned) `touch /pwned` "!1" * ~ \\ %s ü'
    at.server.run(["touch", "/root/canary"])
    done = at.run(line(one_file, "--ssh", ROOT, "check", hostile, "--json"))
    assert done.returncode == 64
    assert json.loads(done.stdout)["error"].count(hostile[:40]) == 1
    assert at.server.run(["ls", "/pwned"]).returncode
    sent = [one for one in at.said_to_ssh().splitlines() if "--far" in one]
    assert len(sent) == 1
    assert set("'\"$`;&|<>*?~!\\(){}[]#%") & set(sent[0]) == set()


@pytest.mark.parametrize(
    "where", ["-oProxyCommand=touch", "root@-x", "a b", "x;y", "root@", "h:0", "h:99999", ""]
)
def test_what_is_no_server_is_refused(at: Desk, one_file: Path, where: str) -> None:
    done = at.run(line(one_file, "--ssh", where, "check"))
    assert done.returncode == 64
    assert "--ssh" in done.stderr
    assert at.said_to_ssh() == ""


def test_a_bad_line_is_refused_before_anybody_is_asked(at: Desk, one_file: Path) -> None:
    assert at.run(line(one_file, "--ssh", ROOT, "chekc")).returncode == 64
    assert at.run(line(one_file, "check", "--keep")).returncode == 64
    assert at.said_to_ssh() == ""


def test_sudo_where_the_user_is_not_root(at: Desk, one_file: Path) -> None:
    done = at.run(line(one_file, "--ssh", f"anna@{SERVER}", "check", "system.privileges", "--plain"))
    assert (done.returncode, "runs as root" in done.stdout) == (0, True), done.stderr


def test_nothing_is_left_where_sudo_refuses(at: Desk, one_file: Path) -> None:
    done = at.run(line(one_file, "--ssh", f"bert@{SERVER}", "check", "system.privileges", "--plain"))
    # Not 1, which would be a finding of the server's.
    assert (done.returncode, done.stdout) == (77, "")
    assert f"sudo on bert@{SERVER} refused, nothing was run." in done.stderr
    assert done.stderr.rstrip().endswith(f"{one_file} --ssh root@{SERVER} check system.privileges --plain")


def test_no_server_and_no_python_are_said(at: Desk, one_file: Path) -> None:
    done = at.run(line(one_file, "--ssh", f"{ROOT}:9", "check"))
    assert done.returncode == 255
    assert "there is no connection to root@" in done.stderr
    at.server.run(["mv", "/usr/bin/python3.11", "/usr/bin/away"], check=True)
    try:
        done = at.run(line(one_file, "--ssh", ROOT, "check"))
    finally:
        at.server.run(["mv", "/usr/bin/away", "/usr/bin/python3.11"], check=True)
    assert done.returncode == 73
    assert "apt-get install python3" in done.stderr


def test_it_stays_where_that_is_wanted(at: Desk, one_file: Path) -> None:
    kept = "/usr/local/bin/mailcow-wizard"
    at.server.write(kept, "somebody else's\n")
    done = at.run(line(one_file, "--ssh", ROOT, "--keep", "check", "system.os", "--plain"))
    assert "is not this program" in done.stderr
    assert at.server.run(["cat", kept]).stdout == "somebody else's\n"
    at.server.run(["rm", kept], check=True)
    for _ in range(2):
        done = at.run(line(one_file, "--ssh", ROOT, "--keep", "check", "system.os", "--plain"))
        assert f"kept on the server as {kept}" in done.stderr
    try:
        env = {"PYTHONPATH": "", "XDG_CACHE_HOME": "/tmp"}
        done = at.server.run([kept, "check", "system.os", "--plain"], env=env)
        assert (done.returncode, "Debian GNU/Linux 12" in done.stdout) == (0, True), done.stderr
    finally:
        at.server.run(["rm", "-r", kept, "/var/cache/mailcow-wizard"], check=True)


# --- the desk as the outside ---


def reach(at: Desk, one_file: Path, *more: str) -> tuple[dict[int, str], str]:
    words = ("--ssh", ROOT, "reach", "--json", "--address", SERVER, "--minutes", "1", *more)
    done = at.run(line(one_file, *words))
    return states(json.loads(done.stdout)), done.stderr


def test_the_desk_is_outside(at: Desk, one_file: Path) -> None:
    found, said = reach(at, one_file)
    assert found == dict.fromkeys(PORTS, "arrived"), said
    assert "The machine where --ssh was started knocks by itself now." in said
    assert FAR in said


def test_what_never_arrives_is_told_through_the_connection(at: Desk, one_file: Path) -> None:
    ports = ", ".join(map(str, PORTS))
    with at.world.rules(at.world.router, "forward", f"tcp dport {{ {ports} }} drop"):
        found, said = reach(at, one_file)
    assert {found[port] for port in PORTS if port != 25} == {"never arrived"}, said


@pytest.mark.long
def test_a_desk_in_the_servers_own_network_proves_nothing(at: Desk, one_file: Path) -> None:
    # At its router: nobody there leads the server's public address back to it.
    words = ("--ssh", ROOT, "reach", "--plain", "--address", "192.88.99.77", "--minutes", "1")
    argv = at.command(line(one_file, *words))
    argv[argv.index(at.world.far.name)] = at.world.router.name
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        for one in process.stdout:
            said.append(one)
            if one.startswith(" 4190 "):
                break
        process.terminate()
    assert "asked from this network only" in said[-1], said


# --- the terminal ---


@pytest.fixture
def terminal(at: Desk, one_file: Path) -> Iterator[Terminal]:
    """A terminal at the desk, 80 by 24."""
    made = Terminal(80, 24)
    yield made
    made.tmux("kill-server")


def begin(terminal: Terminal, at: Desk, one_file: Path, *words: str, who: str = ROOT) -> None:
    terminal.start(
        shlex.join(at.command(line(one_file, "--ssh", who, *words), {"TERM": "tmux-256color"})), {}
    )


def left(terminal: Terminal) -> str:
    """What the terminal shows when the program was left."""
    terminal.keys("q")
    wait_until(lambda: any(one in terminal.text() for one in ("left with 0", "checks still run")), 30)
    if "checks still run" in terminal.text():  # on a machine with much to do
        terminal.keys("y")
    return terminal.wait_for("left with 0")


def test_the_whole_screen_its_sizes_and_its_end(at: Desk, one_file: Path, terminal: Terminal) -> None:
    begin(terminal, at, one_file, "--demo")
    terminal.wait_for("mailcow", "Enter")
    terminal.tmux("set-option", "-g", "window-size", "manual")
    terminal.tmux("resize-window", "-x", "120", "-y", "40")
    assert wait_until(lambda: max(map(len, terminal.text().splitlines())) > 100, 30)
    text = left(terminal)
    assert " icanon" in f" {text}".replace("\n", " ")


def test_passwords_of_the_login_and_of_sudo_are_asked_at_the_terminal(
    at: Desk, one_file: Path, terminal: Terminal
) -> None:
    begin(terminal, at, one_file, "check", "system.privileges", "--plain", who=f"carla@{SERVER}")
    terminal.wait_for("'s password:")
    terminal.tmux("send-keys", "-l", "wrong")
    terminal.keys("Enter")
    terminal.wait_for("Permission denied, please try again.")
    terminal.tmux("send-keys", "-l", PASSWORD)
    terminal.keys("Enter")
    terminal.wait_for("[sudo] password for carla:")
    terminal.tmux("send-keys", "-l", PASSWORD)
    terminal.keys("Enter")
    text = terminal.wait_for("runs as root", "left with 0")
    assert PASSWORD not in text
    assert (
        at.server.run(["sh", "-c", "journalctl --no-pager | grep -c 'Failed password for carla'"]).stdout
        == "1\n"
    )


def test_no_password_can_be_asked_without_a_terminal(at: Desk, one_file: Path) -> None:
    done = at.run(line(one_file, "--ssh", f"carla@{SERVER}", "check", "system.privileges", "--plain"))
    assert done.returncode == 255
    assert "no connection" in done.stderr


def test_control_c_ends_it_over_there(at: Desk, one_file: Path, terminal: Terminal) -> None:
    with at.world.rules(at.world.router, "forward", "tcp dport 4190 drop"):
        begin(terminal, at, one_file, "reach", "--address", SERVER)
        terminal.wait_for("never arrived")
        terminal.keys("C-c")
        terminal.wait_for("left with 130")


def test_a_lost_line_says_how_to_come_back(at: Desk, one_file: Path, terminal: Terminal) -> None:
    begin(terminal, at, one_file, "--demo", "--hostname", "mail.example.org")
    terminal.wait_for("mailcow", "Enter")
    at.server.run(["pkill", "-KILL", "-f", "sshd: root"])
    text = terminal.wait_for("left with 255")
    again = f"{one_file}--ssh{ROOT}--demo--hostnamemail.example.org"  # the terminal breaks it anywhere
    assert again in "".join(text.split())
    assert terminal.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]
    assert terminal.tmux("display-message", "-p", "#{mouse_any_flag}").strip() == "0"


def test_what_still_works_with_the_code_keeps_it(at: Desk, one_file: Path, terminal: Terminal) -> None:
    begin(terminal, at, one_file, "--demo")
    terminal.wait_for("mailcow", "Enter")
    code = at.server.run(["sh", "-c", "echo /tmp/mailcow-wizard-ssh-*/code"]).stdout.strip()
    work = at.server.start(["python3", "-c", "import time; time.sleep(300)", code])
    began = time.monotonic()
    left(terminal)
    print(f"the end took {time.monotonic() - began:.1f} s")
    assert at.server.run(["ls", f"{code}/mailcow_wizard/__init__.py"]).returncode == 0
    subprocess.run(["pkill", "-KILL", "-P", str(work.pid)], check=False)
    work.kill()
    work.wait()


@pytest.mark.long
def test_a_slow_line(at: Desk, one_file: Path, terminal: Terminal) -> None:
    with at.slow_line(150, 1000):
        began = time.monotonic()
        begin(terminal, at, one_file, "--demo")
        marks = {}
        for what in ("connecting", "copying", "100 %", "looks at this machine", "Enter"):
            terminal.wait_for(what)
            marks[what] = round(time.monotonic() - began, 1)
        print(f"150 ms, 1 Mbit/s: {one_file.stat().st_size} bytes, seconds until: {marks}")
        left(terminal)
    assert marks["Enter"] < 60
