"""The server's name on a booted machine: found wrong, set, and taken back."""

import json
from typing import Any

import pytest
from lab.machine import Machine

pytestmark = pytest.mark.real

OPTIONS = ("--hostname", "mx.example.net", "--state-dir", "/root/state")


def named(machine: Machine) -> str:
    """All that says what the machine is called."""
    script = "hostname; cat /etc/hostname /etc/hosts; stat -c '%a %u %g' /etc/hostname /etc/hosts"
    return machine.run(["sh", "-c", script], check=True).stdout


def wizard(machine: Machine, *words: str) -> dict[str, Any]:
    """What the wizard answers in JSON."""
    done = machine.wizard(*words, "--json", *OPTIONS)
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


def test_the_server_s_name_is_set_and_taken_back(booted: Machine) -> None:
    booted.write("/etc/hosts", "127.0.0.1\tlocalhost\n")
    before = named(booted)
    (finding,) = wizard(booted, "check", "config.hostname")["checks"]
    assert (finding["status"], finding["severity"]) == ("warn", "advice")
    assert "calls itself mail" in finding["summary"]
    assert [one["id"] for one in finding["fixes"]] == ["set-hostname"]
    made = wizard(booted, "fix", "config.hostname", "set-hostname", "--yes")
    assert made["result"]["status"] == "pass", made
    assert booted.run(["hostname", "-f"]).stdout.strip() == "mx.example.net"
    assert wizard(booted, "undo", "--yes")["state"] == "undone"
    assert named(booted) == before
