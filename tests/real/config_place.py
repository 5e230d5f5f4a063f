"""A checkout like mailcow's, cloned by the real git, and the wizard run beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.inside import CHECKOUT

from tests.demo_config import COMPOSE, CONF

GIT = ("git", "-c", "user.name=Anna", "-c", "user.email=anna@example.org", "-c", "commit.gpgsign=false")
SECRETS = ("ExampleDbPassword", "ExampleRootPassword", "ExampleRedisPassword")
GOOD_CONF = (
    CONF.replace("DOCKER_COMPOSE_VERSION=", "DOCKER_COMPOSE_VERSION=native")
    .replace("imap.*, smtp.*", "imap.*,smtp.*")
    .replace("DOVECOT_MASTER_USER=backup", "DOVECOT_MASTER_USER=")
)
_TRACKED = {
    "docker-compose.yml": COMPOSE,
    "generate_config.sh": "#!/bin/bash\n",
    "update.sh": "#!/bin/bash\n",
    ".gitignore": "mailcow.conf*\ndocker-compose.override.yml\ndata/assets/ssl/\n",
    "data/conf/nginx/site.conf": "server {}\n",
    "data/web/index.php": "<?php\n",
}
Finding = dict[str, Any]


def run(argv: Sequence[str], directory: Path | None = None, umask: int = 0o022) -> str:
    """Runs a command that must work; what it prints."""
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, umask=umask, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def origin(place: Path) -> Path:
    """A repository to clone from: two commits on master, a branch nightly, a tag."""
    place.mkdir()
    run([*GIT, "init", "-q", "-b", "master", "."], place)
    for name, text in _TRACKED.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if name.endswith(".sh") else 0o644)
    (place / ".env").symlink_to("mailcow.conf")
    run([*GIT, "add", "-A"], place)
    run([*GIT, "commit", "-q", "-m", "one"], place)
    run([*GIT, "commit", "-q", "--allow-empty", "-m", "two"], place)
    run([*GIT, "branch", "nightly"], place)
    run([*GIT, "tag", "2026-08"], place)
    return place


class Mailcow:
    """A checkout and the wizard that looks at it."""

    def __init__(self, directory: Path) -> None:
        """`directory` is mailcow's; the wizard keeps its state beside it."""
        self.directory = directory
        self.said: list[str] = []

    @classmethod
    def cloned(cls, source: Path, directory: Path, *options: str, umask: int = 0o022) -> "Mailcow":
        """A clone with a mailcow.conf in which nothing is wrong."""
        run([*GIT, "clone", "-q", *options, f"file://{source}", str(directory)], umask=umask)
        made = cls(directory)
        made.configure(GOOD_CONF)
        return made

    def configure(self, text: str) -> None:
        """Writes mailcow.conf as mailcow's own script does."""
        conf = self.directory / "mailcow.conf"
        conf.write_text(text)
        conf.chmod(0o600)

    def git(self, *words: str) -> str:
        """Runs git in the checkout."""
        return run([*GIT, *words], self.directory)

    def run(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
        python: str = sys.executable,
    ) -> "subprocess.CompletedProcess[str]":
        """Runs the wizard; what it says is kept for `assert_no_secret`."""
        kept = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "MAILCOW_WIZARD_TEST_CACHE")
            if name in os.environ
        }
        options = ("--dir", str(self.directory), "--state-dir", f"{self.directory}.state")
        done = subprocess.run(
            [*before, python, "-m", "mailcow_wizard", *words, *options],
            env={"LANG": "C.UTF-8", **kept, "PYTHONPATH": str(CHECKOUT), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.said += [done.stdout, done.stderr]
        return done

    def check(self, name: str, **options: Any) -> Finding:
        """One finding of config."""
        done = self.run("check", f"config.{name}", "--json", **options)
        (finding,) = json.loads(done.stdout)["checks"]
        assert finding["status"] != "crashed", finding["summary"]
        return dict(finding)

    def mended(self, name: str, fix: str) -> Finding:
        """Applies a fix; the check's new finding."""
        done = self.run("fix", f"config.{name}", fix, "--yes", "--json")
        document = json.loads(done.stdout)
        assert document["applied"], done.stderr
        return dict(document["result"])

    def undo(self) -> None:
        """Takes the newest change back."""
        done = self.run("undo", "--yes", "--json")
        assert json.loads(done.stdout)["state"] == "undone", done.stderr

    def looks(self) -> str:
        """Every path with its mode, owner and content, to be compared; git's own files aside."""
        shown = []
        for path in sorted(self.directory.rglob("*")):
            if ".git" in path.relative_to(self.directory).parts[:1]:
                continue
            info = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
            shown.append(f"{path} {info.st_mode:o} {info.st_uid}:{info.st_gid} {content!r}")
        return "\n".join(shown)

    def assert_no_secret(self) -> None:
        """Nothing that was printed holds a password of mailcow.conf."""
        for text in self.said:
            assert not [secret for secret in SECRETS if secret in text]
