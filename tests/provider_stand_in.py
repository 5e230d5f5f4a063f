"""A package that stands in for dns-lexicon: no real provider can be reached from a test.

It has lexicon's interface (Client as a context, four operations, records as dictionaries), and keeps its
records in a file.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from dns_world import DOMAIN

from mailcow_wizard.host.programs.paths import program

TOKEN = "hunter2hunter2"
CONFIG = """
class ConfigResolver:
    def __init__(self): self.said = {}
    def with_dict(self, said): self.said.update(said); return self
    def with_env(self): return self
    def with_config_dir(self, path): return self
"""
CLIENT = """
import json, os
PATH = os.environ["STAND_IN"]
class Client:
    def __init__(self, config):
        self.said = config.said
        assert self.said["delegated"] == self.said["domain"]
        token = os.environ.get("LEXICON_ACME_AUTH_TOKEN")
        if token != "%s": raise ValueError("401 for https://api.example.net/?token=" + str(token))
        with open(PATH) as file: self.rows = json.load(file)
    def __enter__(self):
        return self
    def __exit__(self, *why):
        pass
    def save(self):
        with open(PATH + ".new", "w") as file: json.dump(self.rows, file)
        os.replace(PATH + ".new", PATH)
        return True
    def list_records(self, rtype=None, name=None, content=None):
        return self._such(rtype, name, content)
    def _such(self, rtype, name, content):
        asked = {"type": rtype, "name": name, "content": content}
        asked = {key: to for key, to in asked.items() if to is not None}
        return [one for one in self.rows if all(one[key] == to for key, to in asked.items())]
    def create_record(self, rtype, name, content):
        more = {key: self.said[key] for key in ("ttl", "priority") if key in self.said}
        assert str(more.get("priority", "1")).isnumeric() and isinstance(more.get("priority", ""), str)
        row = {"id": str(len(self.rows) + 1), "type": rtype, "name": name, "content": content}
        self.rows.append({**row, **more})
        return self.save()
    def update_record(self, identifier=None, rtype=None, name=None, content=None):
        row, = [one for one in self.rows if one["id"] == identifier]
        row["content"] = content
        return self.save()
    def delete_record(self, identifier=None, rtype=None, name=None, content=None):
        gone = self._such(rtype, name, content) if identifier is None else self._known(identifier)
        self.rows = [one for one in self.rows if one not in gone]
        return self.save()
    def _known(self, identifier):
        return [one for one in self.rows if one["id"] == identifier]
"""


class Provider:
    """The stand-in with its records, and the program that changes them; `kind` is Python that makes the
    Client that of another provider."""

    def __init__(self, place: Path, kind: str = "") -> None:
        package = place / "packages" / "lexicon"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "config.py").write_text(CONFIG)
        (package / "client.py").write_text(CLIENT % TOKEN + kind)
        self.path = place / "records"
        self.has()

    def has(self, *rows: tuple[str, str, str]) -> None:
        """Its records: type, name, content."""
        listed = [
            {"id": str(n), "type": type, "name": name, "content": content}
            for n, (type, name, content) in enumerate(rows, 1)
        ]
        self.path.write_text(json.dumps(listed))

    def rows(self) -> list[tuple[str, str, str]]:
        """Its records as `has` takes them."""
        return [(one["type"], one["name"], one["content"]) for one in json.loads(self.path.read_text())]

    def run(self, *lines: str, token: str = TOKEN) -> tuple[int, str]:
        """Runs the program to its end."""
        return self.ended(self.started(*lines, token=token), token)

    def started(self, *lines: str, token: str = TOKEN) -> "subprocess.Popen[str]":
        """Starts the program."""
        home = str(self.path.parent)
        more = {"PYTHONPATH": str(self.path.parent / "packages"), "STAND_IN": str(self.path)}
        return subprocess.Popen(
            [sys.executable, *program("dns_provider")[1:], "--provider", "acme", "--zone", DOMAIN, *lines],
            env={"PATH": os.environ["PATH"], "LEXICON_ACME_AUTH_TOKEN": token, "HOME": home, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )

    def ended(self, process: "subprocess.Popen[str]", token: str = TOKEN) -> tuple[int, str]:
        """The exit code of the program and what it said, without a word of what is secret."""
        said, complaints = process.communicate(timeout=60)
        assert TOKEN not in said
        assert token not in said
        assert complaints == ""
        return process.returncode, said.strip()
