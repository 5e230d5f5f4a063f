"""A clone whose configuration names programs for git to run: as root only where root alone wrote it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from real.config_place import Mailcow, origin

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]


@pytest.fixture
def mailcow() -> Iterator[Mailcow]:
    """A clone in which nothing is wrong, in a directory of root's that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="mailcow-wizard-config-") as name:
        place = Path(name)
        place.chmod(0o755)
        made = Mailcow.cloned(origin(place / "origin"), place / "mailcow")
        yield made
        made.assert_no_secret()


def trapped(mailcow: Mailcow) -> Path:
    """Has the clone's configuration name a program; the file that is there once it was run."""
    trap, sprung = mailcow.directory.parent / "trap", mailcow.directory.parent / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\ncat\n")
    trap.chmod(0o755)
    mailcow.git("config", "core.fsmonitor", str(trap))
    mailcow.git("config", "filter.x.clean", str(trap))
    (mailcow.directory / ".git/info/attributes").write_text("* filter=x\n")
    (mailcow.directory / "docker-compose.yml").touch()
    sprung.unlink(missing_ok=True)
    return sprung


def test_somebody_else_s_clone_runs_nothing_of_his(mailcow: Mailcow) -> None:
    """git runs what a repository's own configuration names: never as root in what belongs to another."""
    sprung = trapped(mailcow)
    for path in (mailcow.directory, mailcow.directory / ".git"):
        os.chown(path, 1000, 1000)
    finding = mailcow.check("checkout")
    assert not sprung.exists()
    assert finding["status"] == "warn"
    assert "belongs to" in finding["summary"]
    assert "not looked at" in finding["found"]


@pytest.mark.parametrize("open_to_all", [".", ".git", ".git/config", "elsewhere"])
def test_a_clone_that_others_can_change_runs_nothing_of_theirs(mailcow: Mailcow, open_to_all: str) -> None:
    """Whose it is says little: after `chmod -R 777`, or a clone under umask 000, all may write there."""
    sprung = trapped(mailcow)
    (mailcow.directory / "mailcow.conf.old").write_text("x\n")
    place = mailcow.directory / open_to_all
    if open_to_all == "elsewhere":
        place = mailcow.directory.parent / "elsewhere.git"
        (mailcow.directory / ".git").rename(place)
        (mailcow.directory / ".git").write_text(f"gitdir: {place}\n")
        (mailcow.directory / "docker-compose.yml").touch()
        sprung.unlink(missing_ok=True)
    place.chmod(0o777)
    found = mailcow.check("checkout")["summary"]
    assert f"git is not run here: {os.path.normpath(place)} can be written by others (mode 0777)" in found
    mailcow.check("permissions")
    assert not sprung.exists()
    place.chmod(0o755)
    mailcow.check("checkout")
    assert sprung.exists(), "it is no trap"


@pytest.mark.parametrize("open_to_all", ["", "commondir"])
def test_nor_one_of_several_worktrees(mailcow: Mailcow, open_to_all: str) -> None:
    """Its own directory below the first one's .git says where the settings lie."""
    sprung = trapped(mailcow)
    mailcow.git("worktree", "add", "-q", "--detach", "../another")
    own = mailcow.directory / ".git/worktrees/another"
    for name in ("mailcow.conf", "docker-compose.override.yml"):
        if (mailcow.directory / name).exists():
            shutil.copy2(mailcow.directory / name, mailcow.directory.parent / "another" / name)
    mailcow.directory = mailcow.directory.parent / "another"
    (mailcow.directory / "docker-compose.yml").touch()
    sprung.unlink(missing_ok=True)
    (own / open_to_all).chmod(0o777)
    found = mailcow.check("checkout")
    assert f"{own / open_to_all} can be written by others (mode 0777)" in found["found"], found["found"]
    assert not sprung.exists()
    (own / open_to_all).chmod(0o755)
    mailcow.check("checkout")
    assert sprung.exists(), "it is no trap"


@pytest.mark.parametrize("padded", [False, True])
def test_a_pointer_that_others_can_change_leads_nowhere(mailcow: Mailcow, padded: bool) -> None:
    """Who may write the file `.git` says which configuration counts, also where it is too long to be read."""
    sprung = trapped(mailcow)
    place, pointer = mailcow.directory.parent / "elsewhere.git", mailcow.directory / ".git"
    pointer.rename(place)
    pointer.write_text(f"gitdir: {place}\n" + "\n" * (5000 if padded else 0))
    (mailcow.directory / "docker-compose.yml").touch()
    sprung.unlink(missing_ok=True)
    pointer.chmod(0o666)
    found = mailcow.check("checkout")["summary"]
    assert "git is not run here" in found
    assert not sprung.exists()
