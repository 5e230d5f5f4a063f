"""Wizards of one machine that keep their state in different places: one of them changes it at a time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lab.inside import running, wait_until
from lab.machine import Machine

pytestmark = pytest.mark.real

NAME = "mx.example.net"
_CHANGES = """
import sys
from mailcow_wizard.engine import mending
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Command, Plan, Settings
state, directory = sys.argv[1:]
command = Command(("sh", "-c", "echo begun; exec sleep 600"), (("true",),), timeout=600.0)
plan = Plan("", None, "test", "A test", (command,), "low", True, True, "")
session = Session(RealHost(), Settings(directory=directory), StateDirectory(state))
mending.apply(session, plan, lambda event: print(event.text, flush=True) if event.kind == "output" else None)
"""


@contextmanager
def changing(machine: Machine, state: str, directory: str) -> Iterator[None]:
    """A change of the machine that is under way."""
    process = machine.start(["python3", "-c", _CHANGES, state, directory])
    with running(process):
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        yield
        machine.run(["pkill", "-x", "sleep"])
        assert wait_until(lambda: process.poll() is not None, 20)


def set_name(machine: Machine, state: str, directory: str) -> tuple[int, str]:
    """Sets the machine's name; the exit code, and what was said about it."""
    options = ("--state-dir", state, "--dir", directory, "--hostname", NAME)
    done = machine.wizard("fix", "config.hostname", "set-hostname", "--yes", *options)
    return done.returncode, done.stderr


def test_one_changes_the_machine_at_a_time(booted: Machine) -> None:
    booted.write("/etc/hosts", "127.0.0.1\tlocalhost\n")
    before = booted.run(["hostname"]).stdout
    booted.run(["mkdir", "-p", "/opt/one", "/opt/other"], check=True)
    with changing(booted, "/root/one", "/opt/one"):
        for directory in ("/opt/one", "/opt/other"):
            code, said = set_name(booted, "/root/other", directory)
            assert code == 75, said
            assert "another wizard is changing this machine" in said
            assert "/root/one" in said
        assert booted.run(["hostname"]).stdout == before
        dry = booted.wizard("fix", "config.hostname", "set-hostname", "--dry-run", "--hostname", NAME)
        assert dry.returncode == 0, dry.stderr
        assert booted.run(["stat", "-c", "%a %u", "/run/mailcow-wizard"]).stdout == "700 0\n"
    code, said = set_name(booted, "/root/other", "/opt/one")
    assert code in (0, 2), said
    options = ("--state-dir", "/root/other")
    assert json.loads(booted.wizard("undo", "--yes", "--json", *options).stdout)["state"] == "undone"
