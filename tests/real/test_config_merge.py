"""What an update that was not finished leaves in mailcow's checkout, made by the real git."""

from pathlib import Path

import pytest
from lab.inside import needs
from lab.skip import or_skip

from tests.real.config_place import GIT, Mailcow, origin, run

pytestmark = pytest.mark.real

SITE = "data/conf/nginx/site.conf"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What was cloned."""
    with or_skip():
        needs("git")
    return origin(tmp_path / "origin")


@pytest.fixture
def mailcow(source: Path, tmp_path: Path) -> Mailcow:
    """A clone in which nothing is wrong."""
    made = Mailcow.cloned(source, tmp_path / "mailcow")
    assert made.check("checkout")["status"] == "pass"
    return made


def conflict(source: Path, mailcow: Mailcow, name: str, *take: str) -> None:
    """Both sides change the same line; `take` brings the other side's in, and fails."""
    for directory, text in ((source, "theirs\n"), (mailcow.directory, "mine\n")):
        (directory / name).write_text(text)
    run([*GIT, "commit", "-q", "-a", "-m", "three"], source)
    if take[0] == "stash":
        mailcow.git("stash", "-q")
        mailcow.git("pull", "-q", "--ff-only")
    else:
        mailcow.git("commit", "-q", "-a", "-m", "Before update")
        mailcow.git("fetch", "-q")
    with pytest.raises(AssertionError):
        mailcow.git(*take)


@pytest.mark.parametrize("take", [("merge", "origin/master"), ("stash", "pop"), ("rebase", "origin/master")])
def test_a_merge_that_was_not_finished(source: Path, mailcow: Mailcow, take: tuple[str, ...]) -> None:
    conflict(source, mailcow, SITE, *take)
    finding = mailcow.check("checkout")
    assert finding["status"] == "fail"
    assert f"1 file holds both sides of a merge that was not finished: {SITE}" in finding["summary"]
    run(["git", "-C", str(mailcow.directory), "checkout", "HEAD", "--", SITE])
    if take[0] == "merge":
        mailcow.git("commit", "-q", "-m", "Merge")
    if take[0] == "rebase":
        mailcow.git("rebase", "--quit")
        mailcow.git("checkout", "-q", "master")
    assert mailcow.check("checkout")["status"] == "pass"


def test_files_that_are_gone(mailcow: Mailcow) -> None:
    (mailcow.directory / SITE).unlink()
    mailcow.git("rm", "-q", "update.sh")
    finding = mailcow.check("checkout")
    assert finding["status"] == "warn"
    assert f"2 files of mailcow's are gone: {SITE}, update.sh" in finding["summary"]
    mailcow.git("checkout", "HEAD", "--", SITE, "update.sh")
    assert mailcow.check("checkout")["status"] == "pass"
    (mailcow.directory / "docker-compose.yml").unlink()
    finding = mailcow.check("checkout")
    assert finding["status"] == "fail"
    assert "docker-compose.yml is missing" in finding["summary"]
    mailcow.git("checkout", "HEAD", "--", "docker-compose.yml")
    assert mailcow.check("checkout")["status"] == "pass"


def test_a_branch_that_cannot_be_read_is_no_wrong_branch_in_german(mailcow: Mailcow) -> None:
    head = mailcow.directory / ".git/HEAD"
    head.rename(head.with_name("HEAD.aside"))
    for language in ("en", "de"):
        finding = mailcow.check("checkout", env={"LC_ALL": f"{language}_XX.UTF-8", "LANGUAGE": language})
        assert "no branch is checked out" not in finding["summary"]
        assert "kein Zweig" not in finding["summary"]
        assert finding["status"] == "unknown", (language, finding["summary"])
