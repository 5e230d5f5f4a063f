"""The stage of the download, by real git: where mailcow's directory is a link to another disk, and what of
git's is not used."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.install import clone
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.standing import Choices, Record, fresh
from mailcow_wizard.model import Settings

pytestmark = pytest.mark.real
NAME = ("-c", "user.name=t", "-c", "user.email=t@example.org")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What is downloaded."""
    place = tmp_path / "repository"
    place.mkdir()
    for name in ("docker-compose.yml", "generate_config.sh"):
        (place / name).write_text("")
    for words in (("init", "-q", "-b", "master"), ("add", "."), (*NAME, "commit", "-q", "-m", "all")):
        subprocess.run(["git", *words], cwd=place, check=True)
    return place


def job(directory: Path, repository: Path, state: Path) -> Job:
    """An install into this directory."""
    settings = Settings(str(directory), hostname="mail.example.org")
    session = Session(RealHost(), settings, StateDirectory(str(state)))
    choices = Choices(repository=str(repository))
    begun = fresh("run", "2026-11-27T17:00:00Z", "mail.example.org", settings._asdict(), choices)
    return Job(session, Record(session.state), begun, lambda text: None, lambda: False)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_to_another_disk_stays_one(there: bool, repository: Path, tmp_path: Path) -> None:
    disk, link = tmp_path / "disk", tmp_path / "mailcow"
    disk.mkdir()
    if there:
        (disk / "mailcow").mkdir()
    link.symlink_to(disk / "mailcow")
    assert clone.run(job(link, repository, tmp_path / "state")) == f"{link}, branch master"
    assert link.is_symlink()
    assert (disk / "mailcow/generate_config.sh").exists()
    assert [one.name for one in disk.iterdir()] == ["mailcow"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["disk", "mailcow", "repository", "state"]


@pytest.mark.skipif(os.geteuid() != 0, reason="what belongs to root alone is made by root")
@pytest.mark.parametrize("place", [".git", "first/.git/worktrees/mailcow/commondir", "first/.git/hooks"])
def test_what_leads_git_elsewhere_is_roots_alone(place: str, repository: Path, tmp_path: Path) -> None:
    """mailcow's script asks git, which runs what its settings name: here those of a first worktree."""
    tmp_path.chmod(0o755)
    first, mailcow = tmp_path / "first", tmp_path / "mailcow"
    subprocess.run(["git", "clone", "-q", "-b", "master", repository, first], check=True)
    subprocess.run(["git", "worktree", "add", "-q", "-b", "other", mailcow], cwd=first, check=True)
    begun = job(mailcow, repository, tmp_path / "state")
    assert "was there already and is used" in clone.run(begun)
    open_to_all = (mailcow if place == ".git" else tmp_path) / place
    open_to_all.chmod(0o777)
    with pytest.raises(Failed, match=f"{open_to_all} can be written by others"):
        clone.nobody_else_changes(begun)


@pytest.mark.skipif(os.geteuid() != 0, reason="what belongs to root alone is made by root")
@pytest.mark.parametrize(
    "name", ["compose.yaml", "compose.yml", "compose.override.yml", "docker-compose.yml"]
)
def test_whatever_compose_reads_is_roots_alone(name: str, repository: Path, tmp_path: Path) -> None:
    """It takes the first two in place of mailcow's own file."""
    tmp_path.chmod(0o755)
    subprocess.run(["git", "clone", "-q", "-b", "master", repository, tmp_path / "mailcow"], check=True)
    (tmp_path / "mailcow" / name).touch()
    (tmp_path / "mailcow" / name).chmod(0o666)
    with pytest.raises(Failed, match=f"{name} can be written by others"):
        clone.nobody_else_changes(job(tmp_path / "mailcow", repository, tmp_path / "state"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's directory")
def test_whose_home_mailcow_lies_in_is_not_told_to_give_it_away(repository: Path, tmp_path: Path) -> None:
    """As after `sudo git clone` in it."""
    tmp_path.chmod(0o755)
    home = tmp_path / "anna"
    home.mkdir()
    home.chmod(0o1777)  # such as /tmp: who may write there moves nothing away that is root's
    subprocess.run(["git", "clone", "-q", "-b", "master", repository, home / "mailcow"], check=True)
    (home / "mailcow/docker-compose.yml").chmod(0o666)
    begun = job(home / "mailcow", repository, tmp_path / "state")
    with pytest.raises(Failed) as inside:
        clone.nobody_else_changes(begun)
    assert len(inside.value.remedies) == 1
    os.chown(home / "mailcow", 12345, 12345)  # where it lies is nobody's fault
    with pytest.raises(Failed, match=f"{home}/mailcow belongs to 12345") as itself:
        clone.nobody_else_changes(begun)
    assert len(itself.value.remedies) == 1
    os.chown(home / "mailcow", 0, 0)
    os.chown(home, 12345, 12345)
    with pytest.raises(Failed, match=f"{home} belongs to 12345") as above:
        clone.nobody_else_changes(begun)
    assert f"mv {home}/mailcow /opt/, then start with --dir /opt/mailcow" in above.value.remedies[0]


@pytest.mark.parametrize(("directory", "moves"), [("/opt/mailcow", 0), ("/home/anna/mailcow", 1)])
def test_what_lies_in_opt_is_not_told_to_be_moved_there(
    monkeypatch: pytest.MonkeyPatch, directory: str, moves: int
) -> None:
    """Where /opt itself is a user's."""
    monkeypatch.setattr(clone, "replaced_by", lambda host, directory: "its directory belongs to 12345")
    here: Any = SimpleNamespace(directory=directory, session=SimpleNamespace(host=None))
    assert len(clone._moved(here)) == moves
