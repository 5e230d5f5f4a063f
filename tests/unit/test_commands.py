"""Commands that misbehave, as real processes: none hangs us, outlives its time or fills our memory."""

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.inside import wait_until

from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, TooLarge
from mailcow_wizard.host.processes.commands import Commands
from mailcow_wizard.host.processes.search_path import search_path, which
from mailcow_wizard.host.replies import MIB, Ran

pytestmark = pytest.mark.timed


@pytest.fixture
def commands() -> Iterator[Commands]:
    """Nothing of what is started here is left behind."""
    made = Commands()
    yield made
    made.end_all()


@pytest.fixture
def odd_second() -> str:
    """A number of seconds that no other process of this machine sleeps: to find ours again."""
    return f"86400.{os.getpid()}{time.monotonic_ns()}"


def sleepers(second: str) -> list[int]:
    """The processes that have this word in their command line, zombies aside."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if second.encode() in words:
            found.append(int(pid))
    return found


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What happens inside takes no longer."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def test_outcome(commands: Commands) -> None:
    assert commands.run(("sh", "-c", "echo out; echo err >&2; exit 3"), 5) == Ran(3, "out\n", "err\n")
    assert commands.run(("sh", "-c", "kill -9 $$"), 5).code == -9
    assert commands.run(("true",), 5) == Ran(0, "", "")
    assert commands.run(("printf", r"\377\303\251"), 5).out == "\ufffdé"


def test_words_are_never_a_shells(commands: Commands) -> None:
    assert commands.run(("printf", "%s", "$(id) ; `id` * \n"), 5).out == "$(id) ; `id` * \n"


def test_environment_is_clean(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("DBPASS", "secret")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PATH", "/nowhere")
    said = dict(line.split("=", 1) for line in commands.run(("env",), 5).out.splitlines())
    assert said.pop("MAILCOW_WIZARD_COMMAND").startswith(f"{os.getpid()}-")
    assert said == {
        "PATH": search_path(),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": "/",
        "TERM": "dumb",
    }


def test_directory_input_and_descriptors_are_clean(commands: Commands) -> None:
    with Path("/proc/self/status").open():
        assert commands.run(("sh", "-c", "pwd; cat; ls /proc/self/fd"), 5).out.split() == ["/", *"0123"]


def test_not_there(commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Missing, match="the command no-such-command is not installed"):
        commands.run(("no-such-command",), 5)
    program = tmp_path / "mine"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing):
        commands.run(("mine",), 5)
    with pytest.raises(Missing):
        which("mine")
    assert which("sh").endswith("/sh")


def test_not_to_be_started(commands: Commands, tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    with pytest.raises(HostError):
        commands.run((str(program),), 5)
    program.write_bytes(b"\x7fELF garbage")
    with pytest.raises(HostError):
        commands.run((str(program),), 5)
    with pytest.raises(HostError):
        commands.run(("echo", "a\0b"), 5)
    assert issubclass(Denied, HostError)


HANGING = {
    "alone": "exec sleep {}",
    "a child": "sleep {0} & sleep {0}",
    "deaf": "trap '' TERM HUP INT; sleep {0} & while :; do sleep {0}; done",
    "a session of its own": "setsid sleep {0} & sleep {0}",
    "a session below a session": "setsid sh -c 'setsid sleep {0} & sleep {0}' & sleep {0}",
    "another parent": "(setsid sleep {0} &) ; sleep {0}",
    "another parent, twice": "(setsid sh -c '(setsid sleep {0} &) ; sleep {0}' &) ; sleep {0}",
    "one after the other": "while :; do (setsid sleep {0} &) ; sleep 0.02; done",
}


@pytest.mark.parametrize("name", HANGING)
def test_hanging_command_ends_at_its_deadline_with_all_its_children(
    name: str, commands: Commands, odd_second: str
) -> None:
    with within(2.5), pytest.raises(NoAnswer, match=r"sh did not end within 0\.3 s"):
        commands.run(("sh", "-c", HANGING[name].format(odd_second)), 0.3)
    assert wait_until(lambda: not sleepers(odd_second), 60)


@pytest.mark.parametrize("how", ["sleep {} &", "setsid sleep {} &", "(setsid sleep {} &)"])
def test_child_that_keeps_the_pipe_open_does_not_hang_us(
    how: str, commands: Commands, odd_second: str
) -> None:
    script = f"echo said\n{how.format(odd_second)}\nexit 4"
    with within(2):
        assert commands.run(("sh", "-c", script), 5) == Ran(4, "said\n", "")
    assert wait_until(lambda: not sleepers(odd_second), 60)


def test_output_is_bounded(commands: Commands) -> None:
    with within(8):
        script = "head -c 20000000 /dev/zero; head -c 9000000 /dev/zero >&2"
        ran = commands.run(("sh", "-c", script), 8, most=2 * MIB, begun=True)
    assert ran.code == 0
    assert (len(ran.out), len(ran.err)) == (2 * MIB, MIB)


def test_an_answer_that_is_cut_is_none(commands: Commands) -> None:
    most = ("head", "-c", str(MIB), "/dev/zero")
    assert len(commands.run(most, 5).out) == MIB
    with pytest.raises(TooLarge, match="head says more than 1 MiB"):
        commands.run(("head", "-c", str(MIB + 1), "/dev/zero"), 5)
    assert len(commands.run(("head", "-c", str(MIB + 1), "/dev/zero"), 5, most=2 * MIB).out) == MIB + 1


def test_the_end_of_a_command_is_noticed_at_once(commands: Commands) -> None:
    def took() -> float:
        started = time.monotonic()
        commands.run(("sleep", "0.12"), 5)
        return time.monotonic() - started

    assert min(took() for _ in range(6)) < 0.155  # `Popen.wait` looks after 0.114 and again after 0.164 s


def test_where_the_kernel_does_not_tell_of_an_end(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Linux 5.3."""

    def missing(pid: int) -> int:
        raise OSError(errno.ENOSYS, f"no such call for {pid}")

    monkeypatch.setattr(os, "pidfd_open", missing)
    with within(2):
        assert commands.run(("sh", "-c", "echo out; exec >&- 2>&-; sleep 0.1; exit 3"), 5) == Ran(
            3, "out\n", ""
        )
        assert len(commands.run(("head", "-c", str(MIB), "/dev/zero"), 5).out) == MIB
    with within(2.5), pytest.raises(NoAnswer):
        commands.run(("yes",), 0.3)


def test_endless_output_ends_at_the_deadline(commands: Commands) -> None:
    with within(3), pytest.raises(NoAnswer):
        commands.run(("yes",), 0.3)


def test_many_at_once(commands: Commands) -> None:
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: said.append(commands.run(("echo", str(n)), 5).out))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, said)) == list(range(20))


def test_end_of_the_program_ends_what_runs(odd_second: str) -> None:
    commands = Commands()
    ended: list[BaseException | Ran] = []

    def ask() -> None:
        try:
            ended.append(commands.run(("sh", "-c", f"(setsid sleep {odd_second} &); sleep {odd_second}"), 60))
        except HostError as error:
            ended.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert wait_until(lambda: len(sleepers(odd_second)) >= 6, 60)
    with within(2):
        commands.end_all()
        for thread in threads:
            thread.join(5)
    assert len(ended) == 3
    assert not sleepers(odd_second)
    with pytest.raises(HostError, match="ending"):
        commands.run(("true",), 5)


def test_no_descriptor_is_left_open(commands: Commands) -> None:
    commands.run(("true",), 5)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        commands.run(("true",), 5)
        with pytest.raises(NoAnswer):
            commands.run(("sleep", "9"), 0.01)
    assert wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before, 60)


def test_only_what_downloads_is_told_of_the_proxy() -> None:
    commands = Commands(lambda: {"https_proxy": "http://192.0.2.1:3128", "PATH": "/nowhere"})
    look = ("git", "-c", "alias.look=!env", "look")
    assert "https_proxy=http://192.0.2.1:3128" in commands.run(look, 10).out.splitlines()
    assert "https_proxy" not in commands.run(("sh", "-c", "env"), 10).out


@pytest.mark.parametrize(("name", "told"), [("generate_config.sh", True), ("other.sh", False)])
def test_mailcow_s_script_downloads_too(tmp_path: Path, name: str, told: bool) -> None:
    script = tmp_path / name
    script.write_text("env\n")
    commands = Commands(lambda: {"https_proxy": "http://192.0.2.1:3128"})
    out = commands.run(("bash", str(script)), 10).out
    assert ("https_proxy=http://192.0.2.1:3128" in out.splitlines()) is told
