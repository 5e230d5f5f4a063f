"""The wizard that pushes, in the small internet of names: a process without a terminal, or with one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.inside import CHECKOUT
from lab.names import Names
from lab.primaries import SECRETS, Primary
from mended import Typist

PROGRAM = f"{CHECKOUT}/mailcow_wizard/host/programs/dns_update.py"
SERVER = "mail.example.org"


class Pusher:
    """The wizard with a state directory of its own, for one domain at one primary."""

    def __init__(self, primary: Primary, place: Path, key: str) -> None:
        self.primary = primary
        self.state = place / "state"
        self.log = place / "log"
        self._key = key

    def words(self, *more: str, domain: str = "", key: str = "") -> list[str]:
        """`dns --push` for the primary's zone."""
        place = ("--hostname", SERVER, "--domain", domain or self.primary.zone)
        return ["dns", "--push", "--tsig", key or self._key, *place, "--state-dir", str(self.state), *more]

    def run(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        """Runs the wizard with these words to its end."""
        names: Names = self.primary.names
        done = names.run([sys.executable, "-m", "mailcow_wizard", *argv], timeout=120)
        self.no_secret(done.stdout, done.stderr)
        return done

    def push(self, *more: str, domain: str = "", key: str = "") -> "subprocess.CompletedProcess[str]":
        """Pushes."""
        return self.run(*self.words(*more, domain=domain, key=key))

    def undo(self, *more: str) -> "subprocess.CompletedProcess[str]":
        """Takes the newest change back."""
        return self.run("undo", "--yes", "--state-dir", str(self.state), *more)

    def changes(self) -> list[tuple[str, str]]:
        """Id and state of each change, newest first."""
        done = self.run("undo", "--list", "--json", "--state-dir", str(self.state))
        return [(one["id"], one["state"]) for one in json.loads(done.stdout)["changes"]]

    def at_terminal(self, *more: str) -> Typist:
        """Somebody pushes at a terminal."""
        enter = ["/usr/sbin/ip", "netns", "exec", self.primary.names.namespace.name]
        return Typist([*enter, sys.executable, "-m", "mailcow_wizard", *self.words(*more)])

    def no_secret(self, *texts: str) -> None:
        """No key's secret is in what was said, nor anywhere in the state directory."""
        kept = [one.read_text("utf-8", "replace") for one in self.state.rglob("*") if one.is_file()]
        assert not [one for one in SECRETS.values() for text in (*texts, *kept) if one in text]


def document(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """The one JSON document on stdout."""
    assert done.stdout.count("\n") == 1, done
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def states(said: dict[str, Any], zone: str) -> dict[tuple[str, str], str]:
    """The states of a domain's records in a document, by name below the domain and type."""
    rows = [one for one in said["records"] if one["domain"] == zone]
    return {(one["name"].removesuffix(zone).removesuffix("."), one["type"]): one["state"] for one in rows}
